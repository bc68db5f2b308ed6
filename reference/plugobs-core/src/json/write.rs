//! Record to JSON.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::ser::{Error, Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::value::RawValue;

use super::MAX_SAFE_INTEGER;
use super::escape::EscapingFormatter;
use crate::record::{Claimed, Exception, Record, TraceContext};
use crate::timestamp::Timestamp;
use crate::value::{Scalar, Value};

/// The record as one line of JSON, without the line feed.
pub fn to_json_line(record: &Record) -> String {
    let mut line = Vec::with_capacity(512);
    LineWriter::default().write(record, &mut line);
    String::from_utf8(line).expect("JSON is written as UTF-8")
}

/// Writes records as lines, and remembers what the last one can lend the next.
#[derive(Debug, Clone, Default)]
pub struct LineWriter {
    seconds: Seconds,
}

impl LineWriter {
    /// Appends the record as one line of JSON, without the line feed.
    pub fn write(&mut self, record: &Record, line: &mut Vec<u8>) {
        line.push(b'{');
        self.write_members(record, line);
        line.push(b'}');
    }

    /// The record's members in their fixed order: what log viewers look for
    /// first, then identity, then the rest.
    pub(crate) fn write_members(&mut self, record: &Record, line: &mut Vec<u8>) {
        line.extend_from_slice(b"\"timestamp\":\"");
        self.seconds.write(record.timestamp, line);
        line.extend_from_slice(b"\",\"level\":");
        string(line, &record.level);
        line.extend_from_slice(b",\"message\":");
        string(line, &record.message);
        line.extend_from_slice(b",\"target\":");
        string(line, &record.target);
        line.extend_from_slice(b",\"channel\":");
        string(line, &record.channel);
        text(line, ",\"eventName\":", record.event_name.as_deref());
        let instance = record.plugin_instance_id.as_deref();
        text(line, ",\"pluginInstanceId\":", instance);
        text(line, ",\"testRunId\":", record.test_run_id.as_deref());
        text(line, ",\"callId\":", record.call_id.as_deref());
        value(line, ",\"epoch\":", record.epoch.map(Uint64).as_ref());
        value(line, ",\"sequence\":", record.sequence.map(Uint64).as_ref());
        value(
            line,
            ",\"severityNumber\":",
            Some(&record.severity.number()),
        );
        let attributes = Attributes(&record.attributes);
        let attributes = Some(&attributes).filter(|a| !a.0.is_empty());
        value(line, ",\"attributes\":", attributes);
        let exception = record.exception.as_ref().filter(|e| !e.is_empty());
        value(line, ",\"exception\":", exception);
        value(line, ",\"traceContext\":", record.trace_context.as_ref());
        let marks = Some(&record.marks).filter(|marks| !marks.is_empty());
        value(line, ",\"marks\":", marks);
        let truncated = Some(Uint64(record.truncated_bytes)).filter(|bytes| bytes.0 > 0);
        value(line, ",\"truncatedBytes\":", truncated.as_ref());
        if let Some(observed) = record.observed_timestamp {
            line.extend_from_slice(b",\"observedTimestamp\":\"");
            self.seconds.write(observed, line);
            line.push(b'"');
        }
        text(line, ",\"runId\":", record.run_id.as_deref());
        text(line, ",\"pluginName\":", record.plugin_name.as_deref());
        text(
            line,
            ",\"pluginVersion\":",
            record.plugin_version.as_deref(),
        );
        text(line, ",\"source\":", record.source.as_deref());
        value(line, ",\"claimed\":", record.claimed.as_deref());
        if !record.unknown_fields.is_empty() {
            let fields = STANDARD.encode(&record.unknown_fields);
            text(line, ",\"unknownFields\":", Some(&fields));
        }
        for (name, member) in &record.unknown_members {
            line.push(b',');
            string(line, name);
            value(line, ":", Some(member));
        }
    }
}

/// In JSON of another kind the record stands as its line has it.
impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let line = RawValue::from_string(to_json_line(self));
        line.map_err(S::Error::custom)?.serialize(serializer)
    }
}

/// A member that is a text; an empty one is absent (OBS-JSON-02).
fn text(line: &mut Vec<u8>, name: &str, text: Option<&str>) {
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        line.extend_from_slice(name.as_bytes());
        string(line, text);
    }
}

/// A member of any other form.
fn value<T: Serialize + ?Sized>(line: &mut Vec<u8>, name: &str, value: Option<&T>) {
    if let Some(value) = value {
        line.extend_from_slice(name.as_bytes());
        let mut serializer = serde_json::Serializer::with_formatter(line, EscapingFormatter);
        value
            .serialize(&mut serializer)
            .expect("writing to memory does not fail");
    }
}

/// A text in quotes.
fn string(line: &mut Vec<u8>, text: &str) {
    // Nearly every text is plain; one pass over its bytes settles it.
    let is_plain = |b: u8| (0x20..0x7f).contains(&b) && b != b'"' && b != b'\\';
    if text.bytes().fold(true, |plain, b| plain & is_plain(b)) {
        line.push(b'"');
        line.extend_from_slice(text.as_bytes());
        line.push(b'"');
    } else {
        value(line, "", Some(text));
    }
}

/// Writes times. Most are within the second of the one before.
#[derive(Debug, Clone, Default)]
struct Seconds {
    second: u64,
    /// Of that second, without its fraction; empty at first.
    text: String,
}

impl Seconds {
    fn write(&mut self, time: Timestamp, line: &mut Vec<u8>) {
        let (second, nanos) = (
            time.unix_nanos() / 1_000_000_000,
            time.unix_nanos() % 1_000_000_000,
        );
        if self.second != second || self.text.is_empty() {
            self.second = second;
            self.text = time.to_string();
            self.text.truncate("2026-11-23T04:36:58.".len());
        }
        line.extend_from_slice(self.text.as_bytes());
        let mut digits = [b'0'; 9];
        let mut rest = nanos;
        for digit in digits.iter_mut().rev() {
            *digit += u8::try_from(rest % 10).unwrap_or_default();
            rest /= 10;
        }
        line.extend_from_slice(&digits);
        line.push(b'Z');
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
        let members = [
            ("type", self.kind.as_deref()),
            ("message", self.message.as_deref()),
            ("stackTrace", self.stack_trace.as_deref()),
        ];
        texts(serializer, members)
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
        let members = [
            ("pluginInstanceId", self.plugin_instance_id.as_deref()),
            ("testRunId", self.test_run_id.as_deref()),
            ("callId", self.call_id.as_deref()),
            ("via", self.via.as_deref()),
        ];
        texts(serializer, members)
    }
}

/// An object of texts, those that are empty left out (OBS-JSON-02).
fn texts<'a, S: Serializer, const N: usize>(
    serializer: S,
    members: [(&'static str, Option<&'a str>); N],
) -> Result<S::Ok, S::Error> {
    let is_there =
        |(name, text): (_, Option<&'a str>)| Some((name, text.filter(|t| !t.is_empty())?));
    serializer.collect_map(members.into_iter().filter_map(is_there))
}
