//! Fields that a reader does not know, in their wire form.

use prost::encoding::{WireType, decode_key, decode_varint};

/// The record's field numbers (`proto/plugin/observability/v1/record.proto`).
fn is_known(number: u32) -> bool {
    matches!(number, 1..=17 | 32..=38)
}

/// The top-level fields of an encoded record that this version does not know,
/// one after another as they came. The bytes are known to decode.
pub(crate) fn unknown_fields(encoded: &[u8]) -> Vec<u8> {
    let mut unknown = Vec::new();
    let mut rest = encoded;
    while !rest.is_empty() {
        let start = rest;
        let Some((number, length)) = next_field(start) else {
            break;
        };
        if !is_known(number) {
            unknown.extend_from_slice(&start[..length]);
        }
        rest = &start[length..];
    }
    unknown
}

/// The first field's number and its length in bytes, key included.
fn next_field(bytes: &[u8]) -> Option<(u32, usize)> {
    let mut rest = bytes;
    let (number, wire_type) = decode_key(&mut rest).ok()?;
    skip_value(&mut rest, number, wire_type)?;
    Some((number, bytes.len() - rest.len()))
}

fn skip_value(rest: &mut &[u8], number: u32, wire_type: WireType) -> Option<()> {
    let length = match wire_type {
        WireType::Varint => {
            decode_varint(rest).ok()?;
            0
        }
        WireType::SixtyFourBit => 8,
        WireType::ThirtyTwoBit => 4,
        WireType::LengthDelimited => usize::try_from(decode_varint(rest).ok()?).ok()?,
        // A group ends with the key that closes it.
        WireType::StartGroup => loop {
            let (inner, inner_type) = decode_key(rest).ok()?;
            if inner_type == WireType::EndGroup {
                break (inner == number).then_some(0)?;
            }
            skip_value(rest, inner, inner_type)?;
        },
        WireType::EndGroup => return None,
    };
    *rest = rest.get(length..)?;
    Some(())
}
