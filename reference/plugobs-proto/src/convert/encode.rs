//! Record to protobuf.

use plugobs_core::{Record, Timestamp};
use prost::encoding::{self, WireType};

use super::values::{attribute_to_proto, exception_to_proto, trace_to_proto};
use crate::observability::v1;

/// Bytes of the longest number: 64 bits, seven in each byte.
const LONGEST_VARINT: usize = 10;

/// Encodes a record. Unknown JSON members have no place in it.
pub fn encode_record(record: &Record) -> Vec<u8> {
    let (epoch, sequence) = (record.epoch.unwrap_or(0), record.sequence.unwrap_or(0));
    let mut encoded = Vec::new();
    encode_unnumbered(&mut record.clone(), &mut encoded);
    number_record(&mut encoded, epoch, sequence);
    encoded
}

/// Appends a record without its epoch and sequence, for an emitter that numbers
/// under a lock: [`number_record`] adds them there. Takes the attributes and the
/// exception out of the record, which is too big to be moved here whole.
pub fn encode_unnumbered(record: &mut Record, out: &mut Vec<u8>) {
    // Every field is named, so that none that is new is forgotten.
    let Record {
        plugin_instance_id,
        test_run_id,
        call_id,
        epoch: _,
        sequence: _,
        timestamp,
        level,
        severity,
        channel,
        event_name,
        target,
        message,
        attributes,
        exception,
        trace_context,
        marks,
        truncated_bytes,
        observed_timestamp,
        run_id,
        plugin_name,
        plugin_version,
        source,
        claimed,
        unknown_fields,
        unknown_members: _,
    } = record;
    optional(out, 1, plugin_instance_id.as_deref());
    optional(out, 2, test_run_id.as_deref());
    optional(out, 3, call_id.as_deref());
    time(out, 6, Some(*timestamp));
    text(out, 7, level);
    number(out, 8, severity.number().into());
    text(out, 9, channel);
    optional(out, 10, event_name.as_deref());
    text(out, 11, target);
    text(out, 12, message);
    for attribute in attributes.drain(..) {
        encoding::message::encode(13, &attribute_to_proto(attribute), out);
    }
    if let Some(exception) = exception.take() {
        encoding::message::encode(14, &exception_to_proto(exception), out);
    }
    if let Some(context) = trace_context {
        encoding::message::encode(15, &trace_to_proto(*context), out);
    }
    encoding::string::encode_repeated(16, marks, out);
    number(out, 17, *truncated_bytes);
    time(out, 32, *observed_timestamp);
    optional(out, 33, run_id.as_deref());
    optional(out, 34, plugin_name.as_deref());
    optional(out, 35, plugin_version.as_deref());
    optional(out, 36, source.as_deref());
    if let Some(claimed) = claimed.take() {
        let claimed = v1::Claimed {
            plugin_instance_id: claimed.plugin_instance_id.unwrap_or_default().into(),
            test_run_id: claimed.test_run_id.unwrap_or_default().into(),
            call_id: claimed.call_id.unwrap_or_default().into(),
            via: claimed.via.unwrap_or_default().into(),
        };
        encoding::message::encode(37, &claimed, out);
    }
    if !unknown_fields.is_empty() {
        encoding::bytes::encode(38, unknown_fields, out);
    }
}

/// Adds epoch and sequence to a record that was encoded without. The order of
/// fields means nothing in protobuf.
pub fn number_record(encoded: &mut Vec<u8>, epoch: u64, sequence: u64) {
    number(encoded, 4, epoch);
    number(encoded, 5, sequence);
}

/// An absent field is an empty text (OBS-GRPC-23).
fn optional(out: &mut Vec<u8>, tag: u32, value: Option<&str>) {
    if let Some(value) = value {
        text(out, tag, value);
    }
}

fn text(out: &mut Vec<u8>, tag: u32, text: &str) {
    let key = key(tag, WireType::LengthDelimited);
    match text.len() {
        0 => {}
        // Nearly all names and most messages, and nearly all keys.
        length @ 1..0x80 if key < 0x80 => {
            out.reserve(2 + length);
            out.extend_from_slice(&[key.to_le_bytes()[0], length.to_le_bytes()[0]]);
            out.extend_from_slice(text.as_bytes());
        }
        length => {
            out.reserve(2 * LONGEST_VARINT + length);
            varint(out, key);
            varint(out, length as u64);
            out.extend_from_slice(text.as_bytes());
        }
    }
}

const fn key(tag: u32, wire: WireType) -> u64 {
    (tag as u64) << 3 | wire as u64
}

/// The library's own is for any kind of buffer, and takes three times as long.
fn varint(out: &mut Vec<u8>, mut value: u64) {
    if value < 0x80 {
        out.push(value.to_le_bytes()[0]);
        return;
    }
    let mut bytes = [0; LONGEST_VARINT];
    let mut length = 0;
    while value >= 0x80 {
        // The seven lowest bits, and that there are more.
        bytes[length] = value.to_le_bytes()[0] | 0x80;
        value >>= 7;
        length += 1;
    }
    bytes[length] = value.to_le_bytes()[0];
    out.extend_from_slice(&bytes[..=length]);
}

fn number(out: &mut Vec<u8>, tag: u32, number: u64) {
    if number > 0 {
        varint(out, key(tag, WireType::Varint));
        varint(out, number);
    }
}

fn time(out: &mut Vec<u8>, tag: u32, time: Option<Timestamp>) {
    let nanos = time.map_or(0, Timestamp::unix_nanos);
    if nanos > 0 {
        varint(out, key(tag, WireType::SixtyFourBit));
        out.extend_from_slice(&nanos.to_le_bytes());
    }
}
