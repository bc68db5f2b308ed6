//! Why a run folder could not be written or read.

use std::io;
use std::path::PathBuf;

use plugobs_core::Rejection;
use plugobs_driver::sink::SinkError;

/// Input or output failed on one file.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {source}", path.display())]
pub struct FileError {
    /// What was tried, such as `append to`.
    pub action: &'static str,
    /// On what.
    pub path: PathBuf,
    /// What went wrong.
    pub source: io::Error,
}

impl FileError {
    pub(crate) fn new(action: &'static str, path: PathBuf, source: impl Into<io::Error>) -> Self {
        let source = source.into();
        Self {
            action,
            path,
            source,
        }
    }

    /// Whether the file is not there.
    pub fn is_not_found(&self) -> bool {
        self.source.kind() == io::ErrorKind::NotFound
    }
}

impl From<FileError> for SinkError {
    fn from(error: FileError) -> Self {
        Self::Io {
            doing: format!("cannot {} {}", error.action, error.path.display()),
            source: error.source,
        }
    }
}

/// Why a run folder could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// Something with the run's name is there. Run IDs are never used again,
    /// so it is not this run's.
    #[error("{} is there already; a run folder is made by its own run only", path.display())]
    Exists {
        /// What is there.
        path: PathBuf,
    },
    /// Input or output failed.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Why a run folder could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The path leads to nothing that looks like a run folder.
    #[error("{} is not a run folder: it has neither run.json nor records; give the folder that is named after the run", path.display())]
    NotARunFolder {
        /// The path.
        path: PathBuf,
    },
    /// The folder was written in a format that is not known (`OBS-RUN-21`).
    #[error("unknown_version: {} has format {found}, and this program reads {known}; use the one that wrote it, or a newer one", path.display())]
    UnknownFormat {
        /// The manifest.
        path: PathBuf,
        /// What it says.
        found: String,
        /// What can be read.
        known: String,
    },
    /// A file that is JSON, by its name, is not what it should be.
    #[error("{} cannot be understood: {problem}", path.display())]
    BadJson {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: serde_json::Error,
    },
    /// A record inside a failure report has the wrong form.
    #[error("{} holds a record that cannot be understood: {rejection}", path.display())]
    BadRecord {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        rejection: Rejection,
    },
    /// A file is larger than any that a driver writes.
    #[error("{} is larger than {limit} bytes and is not read", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// What is read at most.
        limit: u64,
    },
    /// Input failed.
    #[error(transparent)]
    File(#[from] FileError),
}
