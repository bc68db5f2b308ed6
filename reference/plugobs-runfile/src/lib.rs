//! Run folders: what one driver run leaves on disk (`spec/driver-output.md`).
//!
//! [`RunFolder::create`] gives the sink that writes one, [`RunFolder::open`]
//! the reader, and [`check()`](check::check) says whether what is there is
//! valid and complete. A folder holds `run.json` (the [`Manifest`]), the
//! segments `records.ndjson` and `records.000001.ndjson` and so on, raw output
//! under `stderr/` and `stdout/`, and failure reports under `failures/`.
//!
//! All text in these types may come from a plugin and is as the plugin wrote
//! it: whoever shows it passes it through [`plugobs_core::sanitise`].

pub mod check;
mod error;
mod failure;
mod folder;
mod layout;
pub mod manifest;
mod pretty;
pub mod read;
pub mod schemas;
mod tally;
mod write;

use std::path::Path;

use plugobs_core::RunId;

pub use check::{CheckReport, check};
pub use error::{FileError, ReadError, WriteError};
pub use failure::StoredFailure;
pub use manifest::Manifest;
pub use read::filter::Filter;
pub use read::overview::Overview;
pub use read::records::{Damage, Entry, Position, Records};
pub use read::story::Story;
pub use read::{Life, RunReader};
pub use write::{RunFolderSink, RunOptions};

/// A run's folder on disk.
#[derive(Debug)]
pub struct RunFolder;

impl RunFolder {
    /// Makes `<root>/<run_id>/` and gives the sink that fills it. `root` is
    /// made where it is missing; the run's own folder must not exist yet.
    ///
    /// # Errors
    /// Where the folder exists already, or it or its first file cannot be made.
    pub fn create(
        root: &Path,
        run_id: &RunId,
        options: RunOptions,
    ) -> Result<RunFolderSink, WriteError> {
        RunFolderSink::create(root, run_id, options)
    }

    /// Opens a folder to read: of a run that is finished, still going on, or
    /// whose driver was killed.
    ///
    /// # Errors
    /// As [`RunReader::open`].
    pub fn open(path: &Path) -> Result<RunReader, ReadError> {
        RunReader::open(path)
    }
}
