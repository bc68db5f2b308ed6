//! A `tracing` event as a record.

use plugobs_core::{Record, Severity, Text, Timestamp};
use tracing_core::{Event, Level};
use tracing_log::NormalizeEvent;

use crate::fields::Fields;

/// The severity of a level.
pub fn severity(level: Level) -> Severity {
    match level {
        Level::TRACE => Severity::TRACE,
        Level::DEBUG => Severity::DEBUG,
        Level::INFO => Severity::INFO,
        Level::WARN => Severity::WARN,
        Level::ERROR => Severity::ERROR,
    }
}

/// An operational record of an event, one that the bridge from the `log` crate
/// made included. Its fields are attributes, the first error among them the
/// exception; without a text it has the name of its place in the code
/// (OBS-REC-10).
pub fn record_of_event(event: &Event<'_>, now: Timestamp) -> Record {
    let normalized = event.normalized_metadata();
    let metadata = normalized.as_ref().unwrap_or_else(|| event.metadata());
    let target = match &normalized {
        Some(metadata) => metadata.target().into(),
        None => Text::from_static(event.metadata().target()),
    };
    let mut record = Record::new(now, severity(*metadata.level()), target, Text::default());
    event.record(&mut Fields {
        record: &mut record,
        of_log_crate: normalized.is_some(),
    });
    if record.message.is_empty() {
        record.event_name = Some(metadata.name().into());
    }
    record
}
