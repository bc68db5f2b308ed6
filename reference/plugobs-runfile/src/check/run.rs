//! Checks of the manifest, and of what it says of the folder's files.

use plugobs_core::{InstanceId, Timestamp};
use plugobs_driver::sink::OutputStream;
use serde_json::Value;

use super::finding::{At, CheckReport, Code};
use super::records::Seen;
use crate::error::ReadError;
use crate::layout::{CURRENT_SEGMENT, FAILURES, MANIFEST, failure_number, segment_number};
use crate::manifest::{Manifest, RunState};
use crate::read::{FAILURE_LIMIT, RunReader};
use crate::schemas::{Schemas, problems};

const MANIFEST_AT: At<'_> = At::File(MANIFEST);

/// The manifest by itself.
pub(super) fn check_manifest(reader: &RunReader, schemas: &Schemas, report: &mut CheckReport) {
    if let Some(problem) = reader.manifest_problem() {
        report.error(Code::BadManifest, MANIFEST_AT, problem.to_string());
        return;
    }
    let manifest = reader.manifest();
    let file = reader.folder().read_whole(MANIFEST, u64::MAX - 1);
    match file.map(|bytes| serde_json::from_slice::<Value>(&bytes)) {
        Ok(Ok(value)) => {
            for problem in problems(&schemas.run_manifest, &value) {
                report.error(Code::ManifestSchema, MANIFEST_AT, problem);
            }
        }
        Ok(Err(error)) => report.error(Code::BadManifest, MANIFEST_AT, error.to_string()),
        Err(error) => report.error(Code::BadManifest, MANIFEST_AT, error.to_string()),
    }
    let canonical = reader.path().canonicalize().ok();
    let name = canonical.as_deref().and_then(|path| path.file_name());
    if name.is_some_and(|name| name != manifest.run.run_id.as_str()) {
        let message = format!(
            "the manifest is of {}, and the folder has another name",
            manifest.run.run_id
        );
        report.note(Code::WrongFolder, MANIFEST_AT, message);
    }
    check_times(manifest, report);
}

/// Clocks may jump while a run goes on, so times out of order are a note.
fn check_times(manifest: &Manifest, report: &mut CheckReport) {
    let mut order = |what: &str, began: Timestamp, ended: Option<Timestamp>| {
        if ended.is_some_and(|ended| ended < began) {
            let message = format!("{what} ended before it began");
            report.note(Code::TimesOutOfOrder, MANIFEST_AT, message);
        }
    };
    order("the run", manifest.run.started_at, manifest.ended_at);
    for instance in &manifest.instances {
        let info = &instance.info;
        order(
            &format!("instance {}", info.plugin_instance_id),
            info.started_at,
            info.ended_at,
        );
    }
    for test in &manifest.tests {
        order(
            &format!("test {}", test.test_run_id),
            test.began_at,
            test.ended_at,
        );
    }
}

/// What the manifest counts, against what is there. While a run goes on, or
/// after its driver died, the manifest is older than the folder, and only what
/// it can never be wrong about is compared.
pub(super) fn check_counts(reader: &RunReader, seen: &Seen, report: &mut CheckReport) {
    let manifest = reader.manifest();
    let finished = manifest.state == RunState::Finished;
    report.counts.instances = manifest.instances.len() as u64;
    report.counts.tests = manifest.tests.len() as u64;
    check_segments(manifest, finished, seen, report);
    for (id, at) in &seen.spawned {
        if finished && manifest.instance(id).is_none() {
            let message = format!("instance {id} was started, and the manifest does not name it");
            report.error(Code::NotInManifest, At::Line(&at.file, at.line), message);
        }
    }
    for (id, at) in &seen.tests {
        if finished && manifest.test(id).is_none() {
            let message = format!("test {id} began, and the manifest does not name it");
            report.error(Code::NotInManifest, At::Line(&at.file, at.line), message);
        }
    }
    let names = reader.folder().names().unwrap_or_default();
    for name in names {
        let known = name == MANIFEST
            || name == CURRENT_SEGMENT
            || segment_number(&name).is_some()
            || [FAILURES, "stderr", "stdout"].contains(&name.as_str());
        if !known {
            let message = "it is none of a run folder's files".to_owned();
            report.note(Code::UnknownFile, At::File(&name), message);
        }
    }
}

fn check_segments(manifest: &Manifest, finished: bool, seen: &Seen, report: &mut CheckReport) {
    let first = manifest
        .segments
        .iter()
        .filter_map(|segment| segment_number(&segment.file))
        .min();
    for entry in &manifest.segments {
        let at = At::File(&entry.file);
        let found = seen.segments.get(entry.file.as_str()).copied();
        let (records, bytes) = found.unwrap_or_default();
        // The current one of a run that goes on grows, and then it has
        // another name.
        let settled = finished || entry.file != CURRENT_SEGMENT;
        if settled && found.is_none() && entry.bytes > 0 {
            let message = format!("it is missing, with {} records", entry.records);
            report.error(Code::SegmentMismatch, at, message);
        } else if settled && (records, bytes) != (entry.records, entry.bytes) {
            let message = format!(
                "it has {records} whole lines with {bytes} bytes, and the manifest says {} with {}",
                entry.records, entry.bytes
            );
            report.error(Code::SegmentMismatch, at, message);
        }
    }
    let mut files: Vec<_> = seen.segments.keys().collect();
    files.sort_unstable();
    for file in files {
        if manifest.segments.iter().any(|entry| *entry.file == **file) {
            continue;
        }
        let evicted = segment_number(file).is_some_and(|n| first.is_none_or(|first| n < first));
        if evicted && !manifest.evicted.is_empty() {
            let message = "it is still there, and the manifest counts it as evicted".to_owned();
            report.note(Code::EvictedPresent, At::File(file), message);
        } else if finished {
            let message = "it is there, and the manifest does not name it".to_owned();
            report.error(Code::SegmentMismatch, At::File(file), message);
        }
    }
}

/// Raw output against the manifest of a finished run.
pub(super) fn check_outputs(reader: &RunReader, report: &mut CheckReport) {
    let manifest = reader.manifest();
    if manifest.state != RunState::Finished {
        return;
    }
    for instance in &manifest.instances {
        let Ok(id) = InstanceId::parse(&instance.info.plugin_instance_id) else {
            continue; // The schema has said so.
        };
        for stream in [OutputStream::Stderr, OutputStream::Stdout] {
            let at_name = stream.name();
            let said = instance.output(stream).map_or(0, |entry| entry.bytes);
            match reader.output(&id, stream) {
                Ok(output) => {
                    let found = output.map_or(0, |output| output.total_bytes());
                    if found != said {
                        let message = format!(
                            "instance {id} has {found} bytes of {at_name}, and the manifest says {said}"
                        );
                        report.error(Code::OutputMismatch, At::File(at_name), message);
                    }
                }
                Err(error) => {
                    report.error(Code::OutputMismatch, At::File(at_name), error.to_string());
                }
            }
        }
    }
}

/// Failure reports against their schema and against the manifest.
pub(super) fn check_failures(
    reader: &RunReader,
    schemas: &Schemas,
    report: &mut CheckReport,
) -> Result<(), ReadError> {
    let manifest = reader.manifest();
    let folder = match reader.folder().enter(FAILURES) {
        Ok(folder) => Some(folder),
        Err(error) if error.is_not_found() => None,
        Err(error) => return Err(error.into()),
    };
    let names = match &folder {
        Some(folder) => folder.names()?,
        None => Vec::new(),
    };
    for name in names.iter().filter(|name| failure_number(name).is_some()) {
        report.counts.failures += 1;
        let file = format!("{FAILURES}/{name}");
        let at = At::File(&file);
        let Some(folder) = &folder else { continue };
        let value = folder
            .read_whole(name, FAILURE_LIMIT)
            .map_err(|error| error.to_string())
            .and_then(|bytes| {
                serde_json::from_slice::<Value>(&bytes).map_err(|error| error.to_string())
            });
        match value {
            Ok(value) => {
                for problem in problems(&schemas.failure, &value) {
                    report.error(Code::BadFailure, at, problem);
                }
            }
            Err(error) => report.error(Code::BadFailure, at, error),
        }
    }
    for failure in &manifest.failures {
        let there = names
            .iter()
            .any(|name| failure.file == format!("{FAILURES}/{name}"));
        if !there {
            let message = "the manifest names it, and it is missing".to_owned();
            report.error(Code::BadFailure, At::File(&failure.file), message);
        }
    }
    Ok(())
}
