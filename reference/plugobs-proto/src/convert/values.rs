//! Attributes, exceptions and trace contexts, from and to their messages.

use std::collections::HashSet;

use plugobs_core::registry::RejectionCode as Code;
use plugobs_core::value::{Scalar, Value};
use plugobs_core::{Exception, Rejection, TraceContext};

use crate::observability::v1;

/// An absent field is an empty text (OBS-GRPC-23).
fn text(optional: Option<String>) -> String {
    optional.unwrap_or_default()
}

fn some(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

pub(super) fn exception_to_proto(exception: Exception) -> v1::Exception {
    v1::Exception {
        r#type: text(exception.kind),
        message: text(exception.message),
        stack_trace: text(exception.stack_trace),
    }
}

pub(super) fn trace_to_proto(context: TraceContext) -> v1::TraceContext {
    v1::TraceContext {
        trace_id: context.trace_id.to_vec(),
        span_id: context.span_id.to_vec(),
        flags: u32::from(context.flags),
    }
}

pub(super) fn attribute_to_proto((key, value): (String, Value)) -> v1::Attribute {
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
pub(super) fn attributes_from_proto(
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

pub(super) fn exception_from_proto(proto: v1::Exception) -> Result<Exception, Rejection> {
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

pub(super) fn trace_from_proto(proto: v1::TraceContext) -> Result<TraceContext, Rejection> {
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
