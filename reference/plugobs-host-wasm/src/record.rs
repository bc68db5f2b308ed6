//! The one conversion between the record and its form in `wit/`
//! (`spec/binding-wasm.md`, Records).

use plugobs_core::registry::{RejectionCode, channel, mark};
use plugobs_core::value::Scalar;
use plugobs_core::{Exception, Record, Rejection, Severity, Text, Timestamp, TraceContext, Value};
use serde_json::{Map, Value as Json};

use crate::bindings::plugobs::observability::types as wit;

/// Names of members that this version of the package has a place for, or that
/// only a driver sets: such an entry of `extra` is ignored (OBS-WASM-14).
const PLACES: [&str; 23] = [
    "pluginInstanceId",
    "testRunId",
    "callId",
    "epoch",
    "sequence",
    "timestamp",
    "level",
    "severityNumber",
    "channel",
    "eventName",
    "target",
    "message",
    "attributes",
    "exception",
    "traceContext",
    "marks",
    "truncatedBytes",
    "observedTimestamp",
    "runId",
    "pluginName",
    "pluginVersion",
    "source",
    "claimed",
];

/// What a component logged; `now` is for one without a clock (OBS-WASM-15). A
/// part that is none is told in the record's marks, and nothing is refused.
pub(crate) fn from_guest(
    plugin_instance_id: String,
    test_run_id: Option<String>,
    entry: wit::LogRecord,
    now: impl Fn() -> Timestamp,
) -> Record {
    let timestamp = match entry.timestamp_unix_nano {
        Some(nanos) => Timestamp::from_unix_nanos(nanos),
        None => now(),
    };
    let mut record = Record::new(timestamp, Severity::INFO, entry.target, entry.message);
    record.plugin_instance_id = text(Some(plugin_instance_id));
    record.test_run_id = text(test_run_id);
    record.call_id = text(entry.call_id);
    let number = entry.severity_number.map(u32::from);
    let level = entry.level.unwrap_or_default();
    record.set_level(&level, number.and_then(Severity::from_number));
    record.channel = channel_of(entry.channel.unwrap_or_default());
    record.event_name = text(entry.event_name);
    record.attributes = entry
        .attributes
        .into_iter()
        .map(|(key, value)| (key, value_of(value)))
        .collect();
    record.exception = entry.exception.and_then(|exception| {
        Exception {
            kind: exception.kind,
            message: exception.message,
            stack_trace: exception.stack_trace,
        }
        .non_empty()
    });
    record.add_marks(entry.marks);
    record.truncated_bytes = entry.truncated_bytes;
    record.unknown_members = unknown(entry.extra);
    match entry.trace_context.map(trace_of).transpose() {
        Ok(context) => record.trace_context = context,
        Err(rejection) => {
            record.mark(mark::MALFORMED);
            let told = ("malformed.code".to_owned(), rejection.code.as_str().into());
            record.attributes.push(told);
        }
    }
    record
}

/// An empty text is an absent one (OBS-WASM-12).
fn text(text: Option<String>) -> Option<Text> {
    text.filter(|text| !text.is_empty()).map(Text::from)
}

fn channel_of(name: String) -> Text {
    match channel::ALL.iter().find(|known| name == **known) {
        Some(known) => Text::from_static(known),
        None if name.is_empty() => Text::from_static(channel::OPERATIONAL),
        None => name.into(),
    }
}

fn value_of(value: wit::Value) -> Value {
    match value {
        wit::Value::Text(text) => Value::Scalar(Scalar::String(text)),
        wit::Value::Boolean(value) => Value::Scalar(Scalar::Bool(value)),
        wit::Value::Int(int) => Value::Scalar(Scalar::Int(int)),
        wit::Value::Double(double) => Value::Scalar(Scalar::Double(double)),
        wit::Value::Bytes(bytes) => Value::Scalar(Scalar::Bytes(bytes)),
        wit::Value::Items(items) => Value::List(items.into_iter().map(scalar_of).collect()),
    }
}

fn scalar_of(scalar: wit::Scalar) -> Scalar {
    match scalar {
        wit::Scalar::Text(text) => Scalar::String(text),
        wit::Scalar::Boolean(value) => Scalar::Bool(value),
        wit::Scalar::Int(int) => Scalar::Int(int),
        wit::Scalar::Double(double) => Scalar::Double(double),
        wit::Scalar::Bytes(bytes) => Scalar::Bytes(bytes),
    }
}

fn trace_of(context: wit::TraceContext) -> Result<TraceContext, Rejection> {
    let ids = (
        <[u8; 16]>::try_from(context.trace_id.as_slice()),
        <[u8; 8]>::try_from(context.span_id.as_slice()),
    );
    match ids {
        (Ok(trace_id), Ok(span_id)) if trace_id != [0; 16] && span_id != [0; 8] => {
            Ok(TraceContext {
                trace_id,
                span_id,
                flags: context.trace_flags,
            })
        }
        _ => Err(Rejection::new(
            RejectionCode::InvalidTraceContext,
            "traceContext",
            "IDs of 16 and 8 bytes, not all zero, are expected",
        )),
    }
}

/// Members that this version has no place for, of the first of each name.
fn unknown(extra: Vec<wit::Attribute>) -> Map<String, Json> {
    let mut members = Map::new();
    for (name, value) in extra {
        if !name.is_empty() && !PLACES.contains(&name.as_str()) && !members.contains_key(&name) {
            members.insert(
                name,
                serde_json::to_value(value_of(value)).unwrap_or_default(),
            );
        }
    }
    members
}
