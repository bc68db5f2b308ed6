//! Checks of each line of records, and what is remembered of them all.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use plugobs_core::json::{from_object, strict};
use plugobs_core::registry::{attribute, event, mark, source};
use plugobs_core::{Record, validate};
use serde_json::Value;

use super::calls::Calls;
use super::finding::{At, CheckReport, Code, Severity};
use crate::error::ReadError;
use crate::manifest::RunState;
use crate::read::RunReader;
use crate::read::cursor::Cursor;
use crate::read::records::{Damage, Position, whole_text};
use crate::schemas::{Schemas, problems};
use crate::tally::{Tally, dropped_range};

/// What all records together say.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Sequences, by who accounts for them.
    pub(super) tally: Tally,
    /// The highest sequence that an emitter is known to have reached, by the
    /// driver's word about its responses and streams.
    pub(super) announced: BTreeMap<(String, u64), u64>,
    pub(super) calls: Calls,
    /// Instances that were started.
    pub(super) spawned: BTreeMap<String, Position>,
    /// Instances that ended by a signal, with an exit code other than 0, or
    /// were killed.
    pub(super) died: BTreeSet<String>,
    /// Tests that began.
    pub(super) tests: BTreeMap<String, Position>,
    /// Whole lines and bytes of each segment.
    pub(super) segments: HashMap<Arc<str>, (u64, u64)>,
    /// Records without sequence, by instance.
    pub(super) unsequenced: BTreeMap<String, u64>,
}

pub(super) fn check_records(
    reader: &RunReader,
    schemas: &Schemas,
    report: &mut CheckReport,
) -> Result<Seen, ReadError> {
    let mut seen = Seen::default();
    let mut cursor = Cursor::new(Arc::clone(reader.folder()), false);
    let run = &reader.manifest().run.run_id;
    let finished = reader.manifest().state == RunState::Finished;
    cursor.find_map(|file, line| {
        let at = At::Line(file, line.number);
        let text = match whole_text(&line) {
            Ok(text) => text,
            Err(damage) => {
                let (severity, code) = match damage {
                    Damage::Torn { .. } if finished => (Severity::Error, Code::TornLine),
                    Damage::Torn { .. } => (Severity::Note, Code::TornLine),
                    _ => (Severity::Error, Code::DamagedLine),
                };
                report.add(severity, code, at, damage.to_string());
                return None::<()>;
            }
        };
        let (lines, bytes) = seen.segments.entry(Arc::clone(file)).or_default();
        *lines += 1;
        *bytes += text.len() as u64 + 1;
        report.counts.lines += 1;
        if let Some(record) = read_record(text, schemas, report, at) {
            let position = || Position {
                file: Arc::clone(file),
                line: line.number,
            };
            if record.run_id.as_deref() != Some(run.as_str()) {
                let other = record.run_id.as_deref().unwrap_or("no run");
                let message = format!("the record is of {other}, not of {run}");
                report.error(Code::WrongRun, at, message);
            }
            seen.count(&record, report);
            if !seen.tally.add(&record) {
                report.error(Code::Duplicate, at, duplicate(&record));
            }
            seen.remember(&record, position);
            seen.calls.add(&record, position, report, at);
        }
        None
    })?;
    report.counts.segments = seen.segments.len() as u64;
    Ok(seen)
}

fn read_record(
    text: &str,
    schemas: &Schemas,
    report: &mut CheckReport,
    at: At<'_>,
) -> Option<Record> {
    let object = match strict::object(text) {
        Ok(object) => Value::Object(object),
        Err(rejection) => {
            report.error(Code::DamagedLine, at, rejection.to_string());
            return None;
        }
    };
    for problem in problems(&schemas.run_record, &object) {
        report.error(Code::RecordSchema, at, problem);
    }
    let Value::Object(object) = object else {
        return None;
    };
    match from_object(object) {
        Ok(record) => {
            report.counts.records += 1;
            if let Err(rejection) = validate::in_run(&record) {
                report.error(Code::InvalidRecord, at, rejection.to_string());
            }
            Some(record)
        }
        Err(rejection) => {
            report.error(Code::DamagedLine, at, rejection.to_string());
            None
        }
    }
}

fn duplicate(record: &Record) -> String {
    format!(
        "instance {}, epoch {}, sequence {} is stored twice",
        record.accounted_instance().unwrap_or("unknown"),
        record.epoch.unwrap_or(0),
        record.sequence.unwrap_or(0),
    )
}

impl Seen {
    fn count(&mut self, record: &Record, report: &mut CheckReport) {
        let counts = &mut report.counts;
        let source = record.source.clone().unwrap_or_default();
        *counts.by_source.entry(source.into()).or_default() += 1;
        for (count, mark) in [
            (&mut counts.quarantined, mark::QUARANTINED),
            (&mut counts.malformed, mark::MALFORMED),
            (&mut counts.late, mark::LATE),
            (&mut counts.unverified, mark::UNVERIFIED),
        ] {
            *count += u64::from(record.has_mark(mark));
        }
        if record.sequence.is_some() {
            counts.sequenced += 1;
        } else if record.source.as_deref() != Some(source::DRIVER) {
            counts.unsequenced += 1;
            let instance = record.accounted_instance().unwrap_or_default().to_owned();
            *self.unsequenced.entry(instance).or_default() += 1;
        }
        if is_event(record, event::RECORDS_DROPPED) && dropped_range(record).is_none() {
            let number = record.attribute(attribute::DROPPED_COUNT);
            let number = number.and_then(|value| u64::try_from(value.as_int()?).ok());
            counts.dropped_unsequenced += number.unwrap_or(0);
        }
    }

    fn remember(&mut self, record: &Record, position: impl Fn() -> Position) {
        if !record.is_from_driver() {
            return;
        }
        let int = |key| record.attribute(key).and_then(|value| value.as_int());
        let number = |key| int(key).and_then(|n| u64::try_from(n).ok());
        if let (Some(event), Some(id)) = (&record.event_name, &record.plugin_instance_id) {
            match event.as_str() {
                event::INSTANCE_SPAWNED => {
                    self.spawned.entry(id.to_string()).or_insert_with(&position);
                }
                event::INSTANCE_KILLED => {
                    self.died.insert(id.to_string());
                }
                event::INSTANCE_EXITED => {
                    let code = int(attribute::PROCESS_EXIT_CODE);
                    if int(attribute::PROCESS_SIGNAL).is_some() || code.is_some_and(|c| c != 0) {
                        self.died.insert(id.to_string());
                    }
                }
                event::CALL_END => {
                    self.announce(id, record.epoch, number(attribute::CALL_LAST_SEQUENCE));
                }
                event::INSTANCE_STREAM_CLOSED => self.announce(
                    id,
                    number(attribute::STREAM_EPOCH),
                    number(attribute::STREAM_LAST_SEQUENCE),
                ),
                _ => {}
            }
        }
        if let (Some(id), true) = (&record.test_run_id, is_event(record, event::TEST_BEGIN)) {
            self.tests.entry(id.to_string()).or_insert_with(&position);
        }
    }

    fn announce(&mut self, instance: &str, epoch: Option<u64>, sequence: Option<u64>) {
        if let (Some(epoch), Some(sequence)) = (epoch, sequence) {
            let highest = self
                .announced
                .entry((instance.to_owned(), epoch))
                .or_default();
            *highest = sequence.max(*highest);
        }
    }
}

/// Whether it is the driver's own event of this name.
pub(super) fn is_event(record: &Record, name: &str) -> bool {
    record.is_from_driver() && record.event_name.as_deref() == Some(name)
}
