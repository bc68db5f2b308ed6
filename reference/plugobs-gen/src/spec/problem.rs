//! What can be wrong with the specification's text.

use std::fmt;

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file, from the repository's root.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub kind: ProblemKind,
}

/// A rule of the specification's text that is broken.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[non_exhaustive]
pub enum ProblemKind {
    /// Two clauses have one id.
    #[error("{id} is already the id of the clause at {first}")]
    DuplicateId {
        /// The id.
        id: String,
        /// Where it was first used, file and line.
        first: String,
    },
    /// A clause's id breaks its form.
    #[error(
        "{id:?} is no clause id; it has the form OBS-AREA-00, with a small letter at most after it"
    )]
    MalformedId {
        /// What stands there.
        id: String,
    },
    /// A clause has no text.
    #[error("{id} has no sentence")]
    NoSentence {
        /// The clause.
        id: String,
    },
    /// A clause has a second sentence, or its only one does not end.
    #[error("{id} must be exactly one sentence, on one line and ended by a full stop")]
    Sentences {
        /// The clause.
        id: String,
    },
    /// A clause has no key word, or more than one.
    #[error("{id} must have exactly one key word of BCP 14; it has {found:?}")]
    Keywords {
        /// The clause.
        id: String,
        /// The key words it has.
        found: Vec<String>,
    },
    /// A key word stands outside of a clause.
    #[error("{keyword} in capitals stands outside of a clause")]
    StrayKeyword {
        /// The key word.
        keyword: String,
    },
    /// A clause is named that does not exist.
    #[error("{id} is the id of no clause")]
    UnknownReference {
        /// The id that is named.
        id: String,
    },
    /// A link leads to a file or a heading that does not exist.
    #[error("the link {target:?} leads nowhere")]
    DeadLink {
        /// The link's target.
        target: String,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.kind)
    }
}
