//! Reading fields of an encoded message, where they lie.

use ::bytes::{Buf, Bytes};
use prost::DecodeError;
use prost::encoding::{
    DecodeContext, WireType, check_wire_type, decode_key, decode_varint, fixed64, skip_field,
};

/// The library's own error for a field that goes beyond the end.
fn too_short() -> DecodeError {
    let mut nothing: &[u8] = &[];
    let mut value = 0;
    let context = DecodeContext::default();
    match fixed64::merge(WireType::SixtyFourBit, &mut value, &mut nothing, context) {
        Err(error) => error,
        Ok(()) => unreachable!("there are no eight bytes in none"),
    }
}

/// Reads from the front of an encoded message.
pub(crate) struct Reader<'a> {
    all: &'a Bytes,
    /// What is not read yet: the end of `all`.
    rest: &'a [u8],
    /// Where the field that is being read begins, with its key.
    field: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(all: &'a Bytes) -> Self {
        Self {
            all,
            rest: all,
            field: 0,
        }
    }

    fn position(&self) -> usize {
        self.all.len() - self.rest.len()
    }

    /// The next field's number and form; `None` at the end.
    pub(crate) fn key(&mut self) -> Result<Option<(u32, WireType)>, DecodeError> {
        self.field = self.position();
        match *self.rest {
            [] => Ok(None),
            // Numbers up to 15 with a length, which is what most fields are.
            [key, ..] if key < 0x80 && key & 7 == WireType::LengthDelimited as u8 && key >= 8 => {
                self.rest = &self.rest[1..];
                Ok(Some((u32::from(key >> 3), WireType::LengthDelimited)))
            }
            _ => decode_key(&mut self.rest).map(Some),
        }
    }

    pub(crate) fn varint(&mut self, wire: WireType) -> Result<u64, DecodeError> {
        check_wire_type(WireType::Varint, wire)?;
        decode_varint(&mut self.rest)
    }

    pub(crate) fn fixed64(&mut self, wire: WireType) -> Result<u64, DecodeError> {
        let mut value = 0;
        fixed64::merge(wire, &mut value, &mut self.rest, DecodeContext::default())?;
        Ok(value)
    }

    /// Bytes that are not copied.
    pub(crate) fn bytes(&mut self, wire: WireType) -> Result<Bytes, DecodeError> {
        check_wire_type(WireType::LengthDelimited, wire)?;
        let length = decode_varint(&mut self.rest)?;
        let begin = self.position();
        match usize::try_from(length) {
            Ok(length) if length <= self.rest.len() => {
                self.rest = &self.rest[length..];
                Ok(self.all.slice(begin..begin + length))
            }
            _ => Err(too_short()),
        }
    }

    /// For a field that is a message.
    pub(crate) fn rest(&mut self) -> &mut impl Buf {
        &mut self.rest
    }

    /// Passes over a field and gives all of it, with its key.
    pub(crate) fn skip(&mut self, tag: u32, wire: WireType) -> Result<&[u8], DecodeError> {
        skip_field(wire, tag, &mut self.rest, DecodeContext::default())?;
        Ok(&self.all[self.field..self.position()])
    }
}
