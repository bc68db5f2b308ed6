//! The one conversion between the record and its protobuf form
//! (`spec/binding-grpc.md`, Records).

use std::collections::HashSet;

use plugobs_core::registry::{RejectionCode as Code, channel};
use plugobs_core::value::{Scalar, Value};
use plugobs_core::{Claimed, Exception, Record, Rejection, Severity, Timestamp, TraceContext};
use prost::Message;

use crate::observability::v1;
use crate::unknown::unknown_fields;

/// Encodes a record.
pub fn encode_record(record: &Record) -> Vec<u8> {
    record_to_proto(record).encode_to_vec()
}

/// Decodes a record. Top-level fields that it does not know are kept, in their
/// wire form, as the record's unknown fields (OBS-REC-20).
///
/// # Errors
/// `malformed_protobuf` or `invalid_utf8` for bytes that are no record, else as
/// [`record_from_proto`].
pub fn decode_record(bytes: &[u8]) -> Result<Record, Rejection> {
    let proto = v1::Record::decode(bytes).map_err(|error| {
        let detail = error.to_string();
        // The library gives no kinds of error; this text is part of its own
        // tests.
        let code = if detail.contains("UTF-8") {
            Code::InvalidUtf8
        } else {
            Code::MalformedProtobuf
        };
        Rejection::new(code, "$", detail)
    })?;
    let mut record = record_from_proto(proto)?;
    record.unknown_fields.extend(unknown_fields(bytes));
    Ok(record)
}

/// Encodes a record without its epoch and sequence, for an emitter that numbers
/// under a lock: [`number_record`] adds them there.
pub fn encode_unnumbered(record: Record) -> Vec<u8> {
    let proto = v1::Record {
        epoch: 0,
        sequence: 0,
        ..record_into_proto(record)
    };
    // Room for both numbers: two tags, two varints.
    let mut encoded = Vec::with_capacity(proto.encoded_len() + 22);
    proto
        .encode(&mut encoded)
        .expect("a vector grows as it needs to");
    encoded
}

/// Adds epoch and sequence to a record that was encoded without. The order of
/// fields means nothing in protobuf.
pub fn number_record(encoded: &mut Vec<u8>, epoch: u64, sequence: u64) {
    prost::encoding::uint64::encode(4, &epoch, encoded);
    prost::encoding::uint64::encode(5, &sequence, encoded);
}

/// To protobuf. Unknown JSON members have no place there.
pub fn record_to_proto(record: &Record) -> v1::Record {
    record_into_proto(record.clone())
}

fn record_into_proto(record: Record) -> v1::Record {
    v1::Record {
        plugin_instance_id: text(record.plugin_instance_id),
        test_run_id: text(record.test_run_id),
        call_id: text(record.call_id),
        epoch: record.epoch.unwrap_or(0),
        sequence: record.sequence.unwrap_or(0),
        timestamp_unix_nano: record.timestamp.unix_nanos(),
        level: record.level,
        severity_number: u32::from(record.severity.number()),
        channel: record.channel,
        event_name: text(record.event_name),
        target: record.target,
        message: record.message,
        attributes: record
            .attributes
            .into_iter()
            .map(attribute_to_proto)
            .collect(),
        exception: record.exception.map(|e| v1::Exception {
            r#type: text(e.kind),
            message: text(e.message),
            stack_trace: text(e.stack_trace),
        }),
        trace_context: record.trace_context.map(|t| v1::TraceContext {
            trace_id: t.trace_id.to_vec(),
            span_id: t.span_id.to_vec(),
            flags: u32::from(t.flags),
        }),
        marks: record.marks,
        truncated_bytes: record.truncated_bytes,
        observed_timestamp_unix_nano: record.observed_timestamp.map_or(0, Timestamp::unix_nanos),
        run_id: text(record.run_id),
        plugin_name: text(record.plugin_name),
        plugin_version: text(record.plugin_version),
        source: text(record.source),
        claimed: record.claimed.map(|c| v1::Claimed {
            plugin_instance_id: text(c.plugin_instance_id),
            test_run_id: text(c.test_run_id),
            call_id: text(c.call_id),
            via: text(c.via),
        }),
        unknown_fields: record.unknown_fields,
    }
}

/// From protobuf.
///
/// # Errors
/// `invalid_trace_context`, or `missing_field` for an exception without any
/// content or an attribute without a key.
pub fn record_from_proto(proto: v1::Record) -> Result<Record, Rejection> {
    let timestamp = Timestamp::from_unix_nanos(proto.timestamp_unix_nano);
    let mut record = Record::new(timestamp, Severity::INFO, "", "");
    record.add_marks(proto.marks);
    record.set_level(&proto.level, Severity::from_number(proto.severity_number));
    record.plugin_instance_id = some(proto.plugin_instance_id);
    record.test_run_id = some(proto.test_run_id);
    record.call_id = some(proto.call_id);
    record.epoch = Some(proto.epoch).filter(|n| *n > 0);
    record.sequence = Some(proto.sequence).filter(|n| *n > 0);
    record.channel = some(proto.channel).unwrap_or_else(|| channel::OPERATIONAL.to_owned());
    record.event_name = some(proto.event_name);
    record.target = proto.target;
    record.message = proto.message;
    record.attributes = attributes_from_proto(proto.attributes)?;
    record.exception = proto.exception.map(exception_from_proto).transpose()?;
    record.trace_context = proto.trace_context.map(trace_from_proto).transpose()?;
    record.truncated_bytes = proto.truncated_bytes;
    record.observed_timestamp = Some(proto.observed_timestamp_unix_nano)
        .filter(|n| *n > 0)
        .map(Timestamp::from_unix_nanos);
    record.run_id = some(proto.run_id);
    record.plugin_name = some(proto.plugin_name);
    record.plugin_version = some(proto.plugin_version);
    record.source = some(proto.source);
    record.claimed = proto.claimed.map(|c| Claimed {
        plugin_instance_id: some(c.plugin_instance_id),
        test_run_id: some(c.test_run_id),
        call_id: some(c.call_id),
        via: some(c.via),
    });
    record.unknown_fields = proto.unknown_fields;
    Ok(record)
}

/// An absent field is an empty text (OBS-GRPC-23).
fn text(optional: Option<String>) -> String {
    optional.unwrap_or_default()
}

fn some(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

fn attribute_to_proto((key, value): (String, Value)) -> v1::Attribute {
    use v1::value::Kind;

    let kind = match value {
        Value::Scalar(Scalar::String(text)) => Kind::StringValue(text),
        Value::Scalar(Scalar::Bool(value)) => Kind::BoolValue(value),
        Value::Scalar(Scalar::Int(int)) => Kind::IntValue(int),
        Value::Scalar(Scalar::Double(double)) => Kind::DoubleValue(double),
        Value::Scalar(Scalar::Bytes(bytes)) => Kind::BytesValue(bytes),
        Value::List(list) => Kind::ListValue(v1::ListValue {
            values: list.into_iter().map(scalar_to_proto).collect(),
        }),
    };
    v1::Attribute {
        key,
        value: Some(v1::Value { kind: Some(kind) }),
    }
}

fn scalar_to_proto(scalar: Scalar) -> v1::Scalar {
    use v1::scalar::Kind;

    let kind = match scalar {
        Scalar::String(text) => Kind::StringValue(text),
        Scalar::Bool(value) => Kind::BoolValue(value),
        Scalar::Int(int) => Kind::IntValue(int),
        Scalar::Double(double) => Kind::DoubleValue(double),
        Scalar::Bytes(bytes) => Kind::BytesValue(bytes),
    };
    v1::Scalar { kind: Some(kind) }
}

/// Of two attributes with one key the first stays; one without a value, or of
/// a kind that is not known, is left out (OBS-GRPC-25, OBS-GRPC-26).
fn attributes_from_proto(
    attributes: Vec<v1::Attribute>,
) -> Result<Vec<(String, Value)>, Rejection> {
    use v1::value::Kind;

    // A few keys are compared quicker than hashed; of many, a hostile sender
    // would make that slow.
    let mut hashed = (attributes.len() > 16).then(HashSet::new);
    let mut kept: Vec<(String, Value)> = Vec::with_capacity(attributes.len());
    for attribute in attributes {
        if attribute.key.is_empty() {
            let detail = "an attribute without a key";
            return Err(Rejection::new(Code::MissingField, "attributes", detail));
        }
        let value = match attribute.value.and_then(|value| value.kind) {
            None => continue,
            Some(Kind::StringValue(text)) => Scalar::String(text).into(),
            Some(Kind::BoolValue(value)) => Scalar::Bool(value).into(),
            Some(Kind::IntValue(int)) => Scalar::Int(int).into(),
            Some(Kind::DoubleValue(double)) => Scalar::Double(double).into(),
            Some(Kind::BytesValue(bytes)) => Scalar::Bytes(bytes).into(),
            Some(Kind::ListValue(list)) => Value::List(
                list.values
                    .into_iter()
                    .filter_map(scalar_from_proto)
                    .collect(),
            ),
        };
        let is_first = match &mut hashed {
            Some(seen) => seen.insert(attribute.key.clone()),
            None => kept.iter().all(|(key, _)| *key != attribute.key),
        };
        if is_first {
            kept.push((attribute.key, value));
        }
    }
    Ok(kept)
}

fn scalar_from_proto(scalar: v1::Scalar) -> Option<Scalar> {
    use v1::scalar::Kind;

    Some(match scalar.kind? {
        Kind::StringValue(text) => Scalar::String(text),
        Kind::BoolValue(value) => Scalar::Bool(value),
        Kind::IntValue(int) => Scalar::Int(int),
        Kind::DoubleValue(double) => Scalar::Double(double),
        Kind::BytesValue(bytes) => Scalar::Bytes(bytes),
    })
}

fn exception_from_proto(proto: v1::Exception) -> Result<Exception, Rejection> {
    let exception = Exception {
        kind: some(proto.r#type),
        message: some(proto.message),
        stack_trace: some(proto.stack_trace),
    };
    if exception == Exception::default() {
        let detail = "type, message or stack_trace is expected";
        return Err(Rejection::new(Code::MissingField, "exception", detail));
    }
    Ok(exception)
}

fn trace_from_proto(proto: v1::TraceContext) -> Result<TraceContext, Rejection> {
    let context = (
        <[u8; 16]>::try_from(proto.trace_id.as_slice()),
        <[u8; 8]>::try_from(proto.span_id.as_slice()),
        u8::try_from(proto.flags),
    );
    match context {
        (Ok(trace_id), Ok(span_id), Ok(flags)) if trace_id != [0; 16] && span_id != [0; 8] => {
            Ok(TraceContext {
                trace_id,
                span_id,
                flags,
            })
        }
        _ => Err(Rejection::new(
            Code::InvalidTraceContext,
            "traceContext",
            "IDs of 16 and 8 bytes, not all zero, and flags up to 255 are expected",
        )),
    }
}
