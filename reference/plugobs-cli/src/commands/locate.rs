//! From what was typed to the run, the test and the instance that it means.

use std::fs;
use std::path::{Path, PathBuf};

use plugobs_core::ids::is_canonical_uuid;
use plugobs_runfile::read::overview::instance_labels;
use plugobs_runfile::{Filter, Life, ReadError, RunReader};

use crate::args::FilterArgs;
use crate::{CliError, Io};

/// Opens the run at `path`, or the latest of those below it.
pub(super) fn open(path: &Path, io: &Io<'_>) -> Result<RunReader, CliError> {
    let not_a_run = match RunReader::open(path) {
        Ok(reader) => return Ok(reader),
        Err(error @ ReadError::NotARunFolder { .. }) => error,
        Err(ReadError::File(error)) if error.is_not_found() => {
            return Err(CliError::NoRun {
                folder: path.to_owned(),
                called: io.called.clone(),
            });
        }
        Err(error) => return Err(error.into()),
    };
    // Run IDs begin with the time, so the greatest name is the latest run.
    let mut runs = runs_below(path);
    runs.sort_unstable();
    while let Some(run) = runs.pop() {
        match RunReader::open(&run) {
            // A folder whose run has not begun yet.
            Err(ReadError::NotARunFolder { .. }) => {}
            other => return Ok(other?),
        }
    }
    if looks_like_runs(path) {
        return Err(CliError::NoRun {
            folder: path.to_owned(),
            called: io.called.clone(),
        });
    }
    Err(not_a_run.into())
}

fn runs_below(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(path) else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(is_canonical_uuid))
        .map(|entry| entry.path())
        .collect()
}

/// Whether a folder is one that could hold runs, and not one of something else.
fn looks_like_runs(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    !name.is_some_and(is_canonical_uuid)
}

/// The test that is meant: by its ID, or by a name that no other test has.
pub(super) fn test(reader: &RunReader, wanted: &str) -> Result<String, CliError> {
    let manifest = reader.manifest();
    if manifest.test(wanted).is_some() {
        return Ok(wanted.to_owned());
    }
    let named = manifest
        .tests
        .iter()
        .filter(|test| test.case_name.as_deref() == Some(wanted));
    let mut ids: Vec<_> = named.map(|test| test.test_run_id.clone()).collect();
    ids.dedup();
    match ids.len() {
        1 => Ok(ids.remove(0)),
        0 => unlisted_test(reader, wanted),
        _ => Err(CliError::SeveralTests {
            wanted: wanted.to_owned(),
            ids,
        }),
    }
}

/// A test that only records name: the manifest of a run that goes on, or was
/// left, may be older than they are. Of a run that goes on, it may also be one
/// that has not begun.
fn unlisted_test(reader: &RunReader, wanted: &str) -> Result<String, CliError> {
    let tests = reader.overview()?.tests;
    let is_there = tests.iter().any(|test| test.test_run_id == wanted);
    if is_there || reader.life() == Life::Running {
        return Ok(wanted.to_owned());
    }
    let known = tests
        .into_iter()
        .map(|test| match test.info.and_then(|info| info.case_name) {
            Some(name) if name != test.test_run_id => format!("{} ({name})", test.test_run_id),
            _ => test.test_run_id,
        });
    Err(CliError::NoSuchTest {
        wanted: wanted.to_owned(),
        known: known.collect(),
    })
}

/// The instance that is meant: its ID or the beginning of it, or the short name
/// that this program shows.
fn instance(reader: &RunReader, wanted: &str) -> Result<String, CliError> {
    let manifest = reader.manifest();
    let labels = instance_labels(manifest);
    let mut found: Vec<_> = labels
        .iter()
        .filter(|(id, label)| id.starts_with(wanted) || *label == wanted)
        .map(|(id, _)| id.clone())
        .collect();
    // A run that goes on may have instances that the manifest does not name yet.
    if found.is_empty() && is_canonical_uuid(wanted) {
        return Ok(wanted.to_owned());
    }
    match found.len() {
        1 => Ok(found.remove(0)),
        count => Err(CliError::Instance {
            wanted: wanted.to_owned(),
            found: count,
            known: labels
                .into_iter()
                .map(|(id, label)| format!("{id} ({label})"))
                .collect(),
        }),
    }
}

/// Which records are meant.
pub(super) fn filter(reader: &RunReader, args: &FilterArgs) -> Result<Filter, CliError> {
    let mut filter = Filter::new();
    if let Some(wanted) = &args.test {
        filter = filter.test(&test(reader, wanted)?);
    }
    if let Some(wanted) = &args.instance {
        filter = filter.instance(&instance(reader, wanted)?);
    }
    if let Some(channel) = &args.channel {
        filter = filter.channel(channel);
    }
    if let Some(level) = args.level {
        filter = filter.min_severity(level);
    }
    Ok(filter)
}
