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

    #[inline]
    fn position(&self) -> usize {
        self.all.len() - self.rest.len()
    }

    /// The next field's number and form; `None` at the end.
    #[inline]
    pub(crate) fn key(&mut self) -> Result<Option<(u32, WireType)>, DecodeError> {
        self.field = self.position();
        match *self.rest {
            [] => Ok(None),
            // Numbers up to 15, which is what most fields have.
            [key @ 8..0x80, ref rest @ ..] => {
                let wire = match key & 7 {
                    0 => WireType::Varint,
                    1 => WireType::SixtyFourBit,
                    2 => WireType::LengthDelimited,
                    _ => return decode_key(&mut self.rest).map(Some),
                };
                self.rest = rest;
                Ok(Some((u32::from(key >> 3), wire)))
            }
            _ => decode_key(&mut self.rest).map(Some),
        }
    }

    pub(crate) fn varint(&mut self, wire: WireType) -> Result<u64, DecodeError> {
        check_wire_type(WireType::Varint, wire)?;
        self.number()
    }

    /// Lengths and most numbers are one byte; the library's function is made for
    /// the others.
    #[inline]
    fn number(&mut self) -> Result<u64, DecodeError> {
        match *self.rest {
            [byte, ref rest @ ..] if byte < 0x80 => {
                self.rest = rest;
                Ok(byte.into())
            }
            _ => decode_varint(&mut self.rest),
        }
    }

    pub(crate) fn fixed64(&mut self, wire: WireType) -> Result<u64, DecodeError> {
        check_wire_type(WireType::SixtyFourBit, wire)?;
        let (bytes, rest) = self.rest.split_first_chunk().ok_or_else(too_short)?;
        self.rest = rest;
        Ok(u64::from_le_bytes(*bytes))
    }

    /// Bytes where they are.
    #[inline]
    pub(crate) fn slice(&mut self, wire: WireType) -> Result<&'a [u8], DecodeError> {
        check_wire_type(WireType::LengthDelimited, wire)?;
        let length = self.number()?;
        match usize::try_from(length) {
            Ok(length) if length <= self.rest.len() => {
                let (slice, rest) = self.rest.split_at(length);
                self.rest = rest;
                Ok(slice)
            }
            _ => Err(too_short()),
        }
    }

    /// Bytes that are kept and not copied.
    #[inline]
    pub(crate) fn bytes(&mut self, wire: WireType) -> Result<Bytes, DecodeError> {
        let slice = self.slice(wire)?;
        let begin = self.position() - slice.len();
        Ok(self.all.slice(begin..begin + slice.len()))
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
