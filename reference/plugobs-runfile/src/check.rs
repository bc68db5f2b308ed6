//! Whether a run folder is valid, and whether its counts balance.

mod calls;
mod finding;
mod records;
mod run;
mod sequences;

use crate::error::ReadError;
use crate::read::RunReader;
use crate::schemas::{SchemaError, Schemas};
pub use finding::{CheckCounts, CheckReport, Code, Finding, Severity};

/// Why a folder could not be checked. What is wrong with the folder is no
/// error but a [`Finding`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// The records cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// This program is at fault.
    #[error(transparent)]
    Schema(#[from] SchemaError),
}

/// Checks a run folder (`OBS-RUN-25` to `OBS-RUN-29`): every file against its
/// schema, every record against the rules, and that each sequence number is a
/// record, counted as dropped, or counted as evicted.
///
/// It reads all records once, in memory that grows with calls, tests and gaps
/// and not with records.
///
/// # Errors
/// Where the folder cannot be read.
pub fn check(reader: &RunReader) -> Result<CheckReport, CheckError> {
    let schemas = Schemas::shared()?;
    let mut report = CheckReport::new(reader);
    run::check_manifest(reader, schemas, &mut report);
    let seen = records::check_records(reader, schemas, &mut report)?;
    let damaged = reader.manifest_problem().is_some();
    sequences::check_sequences(reader, &seen, &mut report);
    calls::check_calls(reader, &seen, &mut report);
    if !damaged {
        run::check_counts(reader, &seen, &mut report);
    }
    run::check_outputs(reader, &mut report);
    run::check_failures(reader, schemas, &mut report)?;
    Ok(report)
}
