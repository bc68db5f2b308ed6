//! What can be wrong with the sources of generated files.

use std::path::PathBuf;

/// The result of a step of generation.
pub type Result<T> = std::result::Result<T, GenError>;

/// Why nothing could be generated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GenError {
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A source is not JSON of the expected form.
    #[error("{}: {source}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Where and how it breaks the form.
        source: serde_json::Error,
    },
    /// A registry entry breaks a rule of the registries.
    #[error("spec/registries/{registry}.json: entry {entry:?}: {problem}")]
    Registry {
        /// The registry's file name without extension.
        registry: &'static str,
        /// The entry's name.
        entry: String,
        /// Which rule.
        problem: RegistryProblem,
    },
    /// A protobuf definition does not compile.
    #[error("{file}: {problem}")]
    Proto {
        /// The definition, from `proto/`.
        file: String,
        /// What the compiler said, with line and column.
        problem: String,
    },
    /// The formatter is missing or refused what was generated.
    #[error("rustfmt: {problem}; install it with `rustup component add rustfmt`")]
    Rustfmt {
        /// What happened.
        problem: String,
    },
}

/// A rule of the registries that an entry breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryProblem {
    /// Two entries, or their aliases, have one name or give one Rust identifier.
    #[error("the name is taken by an earlier entry")]
    Duplicate,
    /// The description is empty or no sentence.
    #[error("the description must end with a full stop")]
    Description,
    /// The file says it is another registry.
    #[error("the member \"registry\" does not repeat the file's name")]
    WrongRegistry,
    /// A failure without advice, or a rejection with it.
    #[error("a failure needs an action, and a rejection has none")]
    Action,
    /// A number is outside its range.
    #[error("the severity number is outside 1 to 24")]
    Severity,
    /// A level is shown as one that has no entry, or that is itself shown as another.
    #[error("shownAs does not name a level that is shown as itself")]
    ShownAs,
}

impl GenError {
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}
