//! Record to JSON.

use std::io;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use super::MAX_SAFE_INTEGER;
use super::escape::EscapingFormatter;
use crate::record::{Claimed, Exception, Record, TraceContext};
use crate::timestamp::Timestamp;
use crate::value::{Scalar, Value};

/// The record as one line of JSON, without the line feed.
pub fn to_json_line(record: &Record) -> String {
    let mut line = Vec::with_capacity(512);
    write_json_line(record, &mut line).expect("writing to memory does not fail");
    String::from_utf8(line).expect("JSON is written as UTF-8")
}

/// Writes the record as one line of JSON, without the line feed.
///
/// # Errors
/// Those of the writer.
pub fn write_json_line(record: &Record, writer: impl io::Write) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::with_formatter(writer, EscapingFormatter);
    record.serialize(&mut serializer).map_err(io::Error::from)
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        write_members(self, &mut map)?;
        map.end()
    }
}

/// Writes the record's members in their fixed order: what log viewers look for
/// first, then identity, then the rest.
pub(crate) fn write_members<M: SerializeMap>(record: &Record, map: &mut M) -> Result<(), M::Error> {
    map.serialize_entry("timestamp", &record.timestamp)?;
    map.serialize_entry("level", &record.level)?;
    map.serialize_entry("message", &record.message)?;
    map.serialize_entry("target", &record.target)?;
    map.serialize_entry("channel", &record.channel)?;
    text(map, "eventName", &record.event_name)?;
    text(map, "pluginInstanceId", &record.plugin_instance_id)?;
    text(map, "testRunId", &record.test_run_id)?;
    text(map, "callId", &record.call_id)?;
    optional(map, "epoch", record.epoch.map(Uint64).as_ref())?;
    optional(map, "sequence", record.sequence.map(Uint64).as_ref())?;
    map.serialize_entry("severityNumber", &record.severity.number())?;
    if !record.attributes.is_empty() {
        map.serialize_entry("attributes", &Attributes(&record.attributes))?;
    }
    let exception = record.exception.as_ref().filter(|e| !e.is_empty());
    optional(map, "exception", exception)?;
    optional(map, "traceContext", record.trace_context.as_ref())?;
    if !record.marks.is_empty() {
        map.serialize_entry("marks", &record.marks)?;
    }
    if record.truncated_bytes > 0 {
        map.serialize_entry("truncatedBytes", &Uint64(record.truncated_bytes))?;
    }
    optional(map, "observedTimestamp", record.observed_timestamp.as_ref())?;
    text(map, "runId", &record.run_id)?;
    text(map, "pluginName", &record.plugin_name)?;
    text(map, "pluginVersion", &record.plugin_version)?;
    text(map, "source", &record.source)?;
    optional(map, "claimed", record.claimed.as_ref())?;
    if !record.unknown_fields.is_empty() {
        map.serialize_entry("unknownFields", &STANDARD.encode(&record.unknown_fields))?;
    }
    for (name, value) in &record.unknown_members {
        map.serialize_entry(name, value)?;
    }
    Ok(())
}

/// An empty text is an absent one (OBS-JSON-02).
fn text<M: SerializeMap>(
    map: &mut M,
    name: &'static str,
    value: &Option<String>,
) -> Result<(), M::Error> {
    optional(map, name, value.as_ref().filter(|text| !text.is_empty()))
}

fn optional<M: SerializeMap, T: Serialize + ?Sized>(
    map: &mut M,
    name: &'static str,
    value: Option<&T>,
) -> Result<(), M::Error> {
    match value {
        Some(value) => map.serialize_entry(name, value),
        None => Ok(()),
    }
}

/// A uint64: a number where every reader keeps it exactly, else decimal text.
struct Uint64(u64);

impl Serialize for Uint64 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 <= MAX_SAFE_INTEGER {
            serializer.serialize_u64(self.0)
        } else {
            serializer.collect_str(&self.0)
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

struct Attributes<'a>(&'a [(String, Value)]);

impl Serialize for Attributes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Scalar(scalar) => scalar.serialize(serializer),
            Self::List(list) => {
                let mut seq = serializer.serialize_seq(Some(list.len()))?;
                for scalar in list {
                    seq.serialize_element(scalar)?;
                }
                seq.end()
            }
        }
    }
}

impl Serialize for Scalar {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::String(text) => serializer.serialize_str(text),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(int) if int.unsigned_abs() <= MAX_SAFE_INTEGER => {
                serializer.serialize_i64(*int)
            }
            Self::Int(int) => tagged(serializer, "int", &int.to_string()),
            Self::Double(double) if double.is_finite() && double.fract() != 0.0 => {
                serializer.serialize_f64(*double)
            }
            Self::Double(double) => tagged(serializer, "double", &integral_double(*double)),
            Self::Bytes(bytes) => tagged(serializer, "bytes", &STANDARD.encode(bytes)),
        }
    }
}

/// A double that as a bare JSON number would be taken for an integer, or is
/// none at all.
fn integral_double(double: f64) -> String {
    if double.is_nan() {
        "NaN".to_owned()
    } else if double.is_infinite() {
        if double > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        }
        .to_owned()
    } else if double.abs() < 1e16 {
        double.to_string()
    } else {
        // Up to here each digit counts; from here on, zeros would be written
        // that nobody needs (OBS-JSON-17).
        format!("{double:e}")
    }
}

fn tagged<S: Serializer>(serializer: S, tag: &'static str, text: &str) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(tag, text)?;
    map.end()
}

impl Serialize for Exception {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        text(&mut map, "type", &self.kind)?;
        text(&mut map, "message", &self.message)?;
        text(&mut map, "stackTrace", &self.stack_trace)?;
        map.end()
    }
}

impl Serialize for TraceContext {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("traceId", &self.trace_id_hex())?;
        map.serialize_entry("spanId", &self.span_id_hex())?;
        map.serialize_entry("flags", &self.flags)?;
        map.end()
    }
}

impl Serialize for Claimed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        text(&mut map, "pluginInstanceId", &self.plugin_instance_id)?;
        text(&mut map, "testRunId", &self.test_run_id)?;
        text(&mut map, "callId", &self.call_id)?;
        text(&mut map, "via", &self.via)?;
        map.end()
    }
}
