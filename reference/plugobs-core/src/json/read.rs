//! JSON to record.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json};

use super::strict;
use crate::error::Rejection;
use crate::record::{Claimed, Exception, Record, TraceContext};
use crate::registry::{RejectionCode as Code, channel, mark};
use crate::severity::Severity;
use crate::text::Text;
use crate::timestamp::Timestamp;
use crate::value::{Scalar, Value};

/// Reads one record from JSON text.
///
/// It refuses what has the wrong form (codes of stage `decode`, and times);
/// whether identities keep their grammar is for [`crate::validate`].
///
/// # Errors
/// A [`Rejection`] that names the member.
pub fn from_json(text: &str) -> Result<Record, Rejection> {
    from_object(strict::object(text)?)
}

/// Reads one record from a JSON object.
///
/// # Errors
/// As [`from_json`].
pub fn from_object(object: Map<String, Json>) -> Result<Record, Rejection> {
    let mut members = Members { object };
    let timestamp = members
        .time("timestamp")?
        .ok_or_else(|| Rejection::new(Code::MissingField, "timestamp", "a time is expected"))?;
    let level = members.text("level")?;
    let number = members.small("severityNumber")?;
    let mut record = Record::new(timestamp, Severity::INFO, "", "");
    set_severity(&mut record, level, number)?;
    record.message = members.shared("message")?.unwrap_or_default();
    record.target = members.shared("target")?.unwrap_or_default();
    record.channel = members
        .shared("channel")?
        .unwrap_or(Text::from_static(channel::OPERATIONAL));
    record.event_name = members.shared("eventName")?;
    record.plugin_instance_id = members.shared("pluginInstanceId")?;
    record.test_run_id = members.shared("testRunId")?;
    record.call_id = members.shared("callId")?;
    record.epoch = members.uint("epoch")?;
    record.sequence = members.uint("sequence")?;
    if let Some(object) = members.object("attributes")? {
        for (key, value) in object {
            let value = read_value(&format!("attributes.{key}"), value)?;
            record.attributes.push((key, value));
        }
    }
    if let Some(object) = members.object("exception")? {
        record.exception = Some(read_exception(object)?);
    }
    if let Some(object) = members.object("traceContext")? {
        record.trace_context = Some(read_trace_context(object)?);
    }
    record.add_marks(members.texts("marks")?);
    record.truncated_bytes = members.uint("truncatedBytes")?.unwrap_or(0);
    record.observed_timestamp = members.time("observedTimestamp")?;
    record.run_id = members.shared("runId")?;
    record.plugin_name = members.shared("pluginName")?;
    record.plugin_version = members.shared("pluginVersion")?;
    record.source = members.shared("source")?;
    if let Some(object) = members.object("claimed")? {
        record.claimed = Some(Box::new(read_claimed(object)?));
    }
    if let Some(text) = members.text("unknownFields")? {
        record.unknown_fields = read_base64("unknownFields", &text)?;
    }
    record.unknown_members = members.object;
    Ok(record)
}

/// Level and number as `spec/records.md` settles them: the number decides, a
/// missing one is taken from the name, a missing name from the number.
pub(crate) fn set_severity(
    record: &mut Record,
    level: Option<String>,
    number: Option<u64>,
) -> Result<(), Rejection> {
    let number = match number {
        None | Some(0) => None,
        Some(n @ 1..=24) => Severity::from_number(u32::try_from(n).unwrap_or(24)),
        Some(n) => {
            return Err(Rejection::new(
                Code::OutOfRange,
                "severityNumber",
                format!("{n} is not within 1 to 24"),
            ));
        }
    };
    record.set_level(level.as_deref().unwrap_or_default(), number);
    Ok(())
}

impl Record {
    /// Sets level and severity: the number decides; a missing one is taken
    /// from the name, an unknown name without a number is marked
    /// `unknown_level` and counts as INFO.
    pub fn set_level(&mut self, level: &str, number: Option<Severity>) {
        self.severity = number
            .or_else(|| Severity::from_name(level))
            .unwrap_or_else(|| {
                self.mark(mark::UNKNOWN_LEVEL);
                Severity::INFO
            });
        let usual = self.severity.shown();
        self.level = if level.is_empty() || level == usual {
            Text::from_static(usual)
        } else {
            level.into()
        };
    }
}

struct Members {
    object: Map<String, Json>,
}

impl Members {
    /// A known member; an empty text is none, whatever the member's type
    /// (OBS-JSON-08).
    fn take(&mut self, name: &str) -> Option<Json> {
        self.object
            .shift_remove(name)
            .filter(|value| value.as_str() != Some(""))
    }

    fn text(&mut self, name: &str) -> Result<Option<String>, Rejection> {
        match self.take(name) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(other) => Err(wrong_type(name, "a text", &other)),
        }
    }

    fn shared(&mut self, name: &str) -> Result<Option<Text>, Rejection> {
        Ok(self.text(name)?.map(Text::from))
    }

    fn time(&mut self, name: &str) -> Result<Option<Timestamp>, Rejection> {
        self.text(name)?
            .map(|text| Timestamp::parse(&text).map_err(|r| Rejection::new(r.code, name, r.detail)))
            .transpose()
    }

    fn uint(&mut self, name: &str) -> Result<Option<u64>, Rejection> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => read_uint(name, &value).map(Some),
        }
    }

    /// A number that has no form as text, because every reader keeps it.
    fn small(&mut self, name: &str) -> Result<Option<u64>, Rejection> {
        match self.take(name) {
            None => Ok(None),
            Some(value @ Json::Number(_)) => read_uint(name, &value).map(Some),
            Some(other) => Err(wrong_type(name, "a number", &other)),
        }
    }

    fn object(&mut self, name: &str) -> Result<Option<Map<String, Json>>, Rejection> {
        match self.take(name) {
            None => Ok(None),
            Some(Json::Object(object)) => Ok(Some(object)),
            Some(other) => Err(wrong_type(name, "an object", &other)),
        }
    }

    fn texts(&mut self, name: &str) -> Result<Vec<String>, Rejection> {
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(Json::Array(list)) => list
                .into_iter()
                .map(|item| match item {
                    Json::String(text) => Ok(text),
                    other => Err(wrong_type(name, "a list of texts", &other)),
                })
                .collect(),
            Some(other) => Err(wrong_type(name, "a list of texts", &other)),
        }
    }
}

fn wrong_type(field: &str, expected: &str, found: &Json) -> Rejection {
    let found = match found {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "a text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    };
    Rejection::new(
        Code::WrongType,
        field,
        format!("{expected} is expected, {found} was found"),
    )
}

fn read_uint(field: &str, value: &Json) -> Result<u64, Rejection> {
    let out_of_range =
        || Rejection::new(Code::OutOfRange, field, format!("{value} is not a uint64"));
    match value {
        Json::Number(number) => number.as_u64().ok_or_else(out_of_range),
        // No sign, no space: only what a writer of this form produces.
        Json::String(text) if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) => {
            text.parse().map_err(|_| out_of_range())
        }
        other => Err(wrong_type(field, "a uint64", other)),
    }
}

fn read_value(field: &str, value: Json) -> Result<Value, Rejection> {
    match value {
        Json::Array(list) => list
            .into_iter()
            .map(|item| read_scalar(field, item))
            .collect::<Result<_, _>>()
            .map(Value::List),
        scalar => read_scalar(field, scalar).map(Value::Scalar),
    }
}

fn read_scalar(field: &str, value: Json) -> Result<Scalar, Rejection> {
    match value {
        Json::String(text) => Ok(Scalar::String(text)),
        Json::Bool(value) => Ok(Scalar::Bool(value)),
        Json::Number(number) => match (number.as_i64(), number.is_u64(), number.as_f64()) {
            (Some(int), ..) => Ok(Scalar::Int(int)),
            (None, false, Some(double)) => Ok(Scalar::Double(double)),
            _ => Err(Rejection::new(
                Code::OutOfRange,
                field,
                format!("{number} is not an int64"),
            )),
        },
        Json::Object(object) => read_tagged(field, object),
        other => Err(wrong_type(field, "an attribute value", &other)),
    }
}

fn read_tagged(field: &str, object: Map<String, Json>) -> Result<Scalar, Rejection> {
    let mut members = object.into_iter();
    if let (Some((tag, Json::String(text))), None) = (members.next(), members.next()) {
        let out_of_range = || Rejection::new(Code::OutOfRange, field, format!("{text:?} as {tag}"));
        match tag.as_str() {
            // Rust reads a plus sign; the form has none.
            "int" if !text.starts_with('+') => {
                return text.parse().map(Scalar::Int).map_err(|_| out_of_range());
            }
            "int" => return Err(out_of_range()),
            "double" => {
                let double = match text.as_str() {
                    "NaN" => f64::NAN,
                    "Infinity" => f64::INFINITY,
                    "-Infinity" => f64::NEG_INFINITY,
                    // The grammar is JSON's, so that "inf", ".5" and " 1" are none.
                    text if text.ends_with(|c: char| c.is_ascii_digit())
                        && text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) =>
                    {
                        serde_json::from_str(text).map_err(|_| out_of_range())?
                    }
                    _ => return Err(out_of_range()),
                };
                return Ok(Scalar::Double(double));
            }
            "bytes" => return read_base64(field, &text).map(Scalar::Bytes),
            _ => {}
        }
    }
    Err(Rejection::new(
        Code::WrongType,
        field,
        "an object with one text member int, double or bytes is expected",
    ))
}

fn read_base64(field: &str, text: &str) -> Result<Vec<u8>, Rejection> {
    STANDARD
        .decode(text)
        .map_err(|error| Rejection::new(Code::InvalidBase64, field, error.to_string()))
}

fn read_exception(object: Map<String, Json>) -> Result<Exception, Rejection> {
    let mut members = Members { object };
    let exception = Exception {
        kind: members.text("type")?,
        message: members.text("message")?,
        stack_trace: members.text("stackTrace")?,
    };
    if exception == Exception::default() {
        return Err(Rejection::new(
            Code::MissingField,
            "exception",
            "type, message or stackTrace is expected",
        ));
    }
    Ok(exception)
}

fn read_trace_context(object: Map<String, Json>) -> Result<TraceContext, Rejection> {
    let mut members = Members { object };
    let trace_id = members.text("traceId")?.unwrap_or_default();
    let span_id = members.text("spanId")?.unwrap_or_default();
    let flags = members.small("flags")?.unwrap_or(0);
    TraceContext::from_hex(&trace_id, &span_id, flags)
}

fn read_claimed(object: Map<String, Json>) -> Result<Claimed, Rejection> {
    let mut members = Members { object };
    Ok(Claimed {
        plugin_instance_id: members.shared("pluginInstanceId")?,
        test_run_id: members.shared("testRunId")?,
        call_id: members.shared("callId")?,
        via: members.shared("via")?,
    })
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}
