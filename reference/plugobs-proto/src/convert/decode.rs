//! Protobuf to record.

use std::mem;
use std::str::Utf8Error;

use bytes::Bytes;
use plugobs_core::registry::{RejectionCode as Code, channel};
use plugobs_core::{Claimed, Record, Rejection, Severity, Text, Timestamp};
use prost::encoding::{DecodeContext, WireType, message};
use prost::{DecodeError, Message};

use super::values::{attributes_from_proto, exception_from_proto, trace_from_proto};
use crate::observability::v1;
use crate::wire::Reader;

/// Decodes a record, copied out of the bytes; see [`decode_shared`].
///
/// # Errors
/// As [`decode_shared`].
pub fn decode_record(bytes: &[u8]) -> Result<Record, Rejection> {
    decode_shared(&Bytes::copy_from_slice(bytes))
}

/// Decodes a record whose texts stay where they are in `bytes`. Top-level
/// fields that it does not know are kept, in their wire form, as the record's
/// unknown fields (OBS-REC-20).
///
/// # Errors
/// `malformed_protobuf` or `invalid_utf8` for bytes that are no record;
/// `invalid_trace_context`; `missing_field` for an exception without any
/// content or an attribute without a key.
pub fn decode_shared(bytes: &Bytes) -> Result<Record, Rejection> {
    let mut record = empty();
    decode_into(&mut record, bytes)?;
    Ok(record)
}

/// As [`decode_shared`], into a record that is [`empty`]: where very many are
/// decoded, moving them costs as much as decoding. After an error there is no
/// record.
///
/// # Errors
/// As [`decode_shared`].
pub fn decode_into(record: &mut Record, bytes: &Bytes) -> Result<(), Rejection> {
    let mut fields = Fields::default();
    let mut unknown = Vec::new();
    let mut reader = Reader::new(bytes);
    while let Some((tag, wire)) = reader.key().map_err(malformed)? {
        let known = field(record, &mut fields, &mut reader, tag, wire)?;
        if !known {
            unknown.extend_from_slice(reader.skip(tag, wire).map_err(malformed)?);
        }
    }
    fields.settle(record)?;
    // What an earlier hop did not know stands before what this one does not.
    record.unknown_fields.extend(unknown);
    Ok(())
}

/// A record without any field.
pub fn empty() -> Record {
    Record::new(
        Timestamp::default(),
        Severity::INFO,
        Text::default(),
        Text::default(),
    )
}

/// What can only be settled once every field was read.
#[derive(Default)]
struct Fields<'a> {
    level: &'a str,
    severity_number: u32,
    attributes: Vec<v1::Attribute>,
    exception: Option<v1::Exception>,
    trace_context: Option<v1::TraceContext>,
    claimed: Option<v1::Claimed>,
    marks: Vec<String>,
}

/// Reads one field; `false` where its number is not known.
fn field<'a>(
    record: &mut Record,
    fields: &mut Fields<'a>,
    reader: &mut Reader<'a>,
    tag: u32,
    wire: WireType,
) -> Result<bool, Rejection> {
    match tag {
        1 => record.plugin_instance_id = some(text(reader, wire)?),
        2 => record.test_run_id = some(text(reader, wire)?),
        3 => record.call_id = some(text(reader, wire)?),
        4 => record.epoch = Some(varint(reader, wire)?).filter(|n| *n > 0),
        5 => record.sequence = Some(varint(reader, wire)?).filter(|n| *n > 0),
        6 => record.timestamp = time(reader, wire)?,
        7 => fields.level = passing(reader, wire)?,
        // A number that is wider than its field loses what does not fit.
        #[expect(clippy::cast_possible_truncation, reason = "as protobuf has it")]
        8 => fields.severity_number = varint(reader, wire)? as u32,
        9 => record.channel = channel_of(passing(reader, wire)?),
        10 => record.event_name = some(text(reader, wire)?),
        11 => record.target = text(reader, wire)?,
        12 => record.message = text(reader, wire)?,
        13 => {
            let mut attribute = v1::Attribute::default();
            merge(&mut attribute, reader, wire)?;
            fields.attributes.push(attribute);
        }
        14 => merge(fields.exception.get_or_insert_default(), reader, wire)?,
        15 => merge(fields.trace_context.get_or_insert_default(), reader, wire)?,
        16 => fields.marks.push(passing(reader, wire)?.to_owned()),
        17 => record.truncated_bytes = varint(reader, wire)?,
        32 => record.observed_timestamp = Some(time(reader, wire)?).filter(|t| t.unix_nanos() > 0),
        33 => record.run_id = some(text(reader, wire)?),
        34 => record.plugin_name = some(text(reader, wire)?),
        35 => record.plugin_version = some(text(reader, wire)?),
        36 => record.source = some(text(reader, wire)?),
        37 => merge(fields.claimed.get_or_insert_default(), reader, wire)?,
        38 => record.unknown_fields = reader.slice(wire).map_err(malformed)?.to_vec(),
        _ => return Ok(false),
    }
    Ok(true)
}

impl Fields<'_> {
    fn settle(&mut self, record: &mut Record) -> Result<(), Rejection> {
        record.add_marks(mem::take(&mut self.marks));
        record.set_level(self.level, Severity::from_number(self.severity_number));
        if !self.attributes.is_empty() {
            record.attributes = attributes_from_proto(mem::take(&mut self.attributes))?;
        }
        let exception = self.exception.take();
        record.exception = exception.map(exception_from_proto).transpose()?;
        let context = self.trace_context.take();
        record.trace_context = context.map(trace_from_proto).transpose()?;
        record.claimed = self.claimed.take().map(|claimed| {
            Box::new(Claimed {
                plugin_instance_id: some(claimed.plugin_instance_id.into()),
                test_run_id: some(claimed.test_run_id.into()),
                call_id: some(claimed.call_id.into()),
                via: some(claimed.via.into()),
            })
        });
        Ok(())
    }
}

/// An absent field is an empty text (OBS-GRPC-23).
fn some(text: Text) -> Option<Text> {
    Some(text).filter(|text| !text.is_empty())
}

/// Absent means operational. A channel that is known keeps nothing of what was
/// received in memory.
fn channel_of(text: &str) -> Text {
    match channel::ALL.iter().find(|known| text == **known) {
        Some(known) => Text::from_static(known),
        None if text.is_empty() => Text::from_static(channel::OPERATIONAL),
        None => text.into(),
    }
}

/// A text that is kept.
fn text(reader: &mut Reader<'_>, wire: WireType) -> Result<Text, Rejection> {
    let bytes = reader.bytes(wire).map_err(malformed)?;
    Text::from_utf8(bytes).map_err(not_utf8)
}

/// A text that is only looked at, or is short.
fn passing<'a>(reader: &mut Reader<'a>, wire: WireType) -> Result<&'a str, Rejection> {
    let bytes = reader.slice(wire).map_err(malformed)?;
    str::from_utf8(bytes).map_err(not_utf8)
}

fn not_utf8(error: Utf8Error) -> Rejection {
    let detail = format!("a text is not UTF-8: {error}");
    Rejection::new(Code::InvalidUtf8, "$", detail)
}

fn varint(reader: &mut Reader<'_>, wire: WireType) -> Result<u64, Rejection> {
    reader.varint(wire).map_err(malformed)
}

fn time(reader: &mut Reader<'_>, wire: WireType) -> Result<Timestamp, Rejection> {
    let nanos = reader.fixed64(wire).map_err(malformed)?;
    Ok(Timestamp::from_unix_nanos(nanos))
}

fn merge<M: Message>(
    into: &mut M,
    reader: &mut Reader<'_>,
    wire: WireType,
) -> Result<(), Rejection> {
    message::merge(wire, into, reader.rest(), DecodeContext::default()).map_err(malformed)
}

fn malformed(error: DecodeError) -> Rejection {
    let detail = error.to_string();
    // The library gives no kinds of error; this text is part of its own tests.
    let code = if detail.contains("UTF-8") {
        Code::InvalidUtf8
    } else {
        Code::MalformedProtobuf
    };
    Rejection::new(code, "$", detail)
}
