//! Reading fields of an encoded message.

use ::bytes::{Buf, Bytes};
use prost::DecodeError;
use prost::encoding::{DecodeContext, WireType, bytes, decode_key, fixed64, skip_field, uint64};

/// Reads from the front of an encoded message.
pub(crate) struct Reader<'a> {
    all: &'a Bytes,
    rest: Bytes,
    /// Where the field that is being read begins, with its key.
    field: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(all: &'a Bytes) -> Self {
        Self {
            all,
            rest: all.clone(),
            field: 0,
        }
    }

    /// The next field's number and form; `None` at the end.
    pub(crate) fn key(&mut self) -> Result<Option<(u32, WireType)>, DecodeError> {
        self.field = self.all.len() - self.rest.len();
        if self.rest.has_remaining() {
            decode_key(&mut self.rest).map(Some)
        } else {
            Ok(None)
        }
    }

    pub(crate) fn varint(&mut self, wire: WireType) -> Result<u64, DecodeError> {
        let mut value = 0;
        uint64::merge(wire, &mut value, &mut self.rest, DecodeContext::default())?;
        Ok(value)
    }

    pub(crate) fn fixed64(&mut self, wire: WireType) -> Result<u64, DecodeError> {
        let mut value = 0;
        fixed64::merge(wire, &mut value, &mut self.rest, DecodeContext::default())?;
        Ok(value)
    }

    /// Bytes that are not copied.
    pub(crate) fn bytes(&mut self, wire: WireType) -> Result<Bytes, DecodeError> {
        let mut value = Bytes::new();
        bytes::merge(wire, &mut value, &mut self.rest, DecodeContext::default())?;
        Ok(value)
    }

    /// For a field that is a message.
    pub(crate) fn rest(&mut self) -> &mut Bytes {
        &mut self.rest
    }

    /// Passes over a field and gives all of it, with its key.
    pub(crate) fn skip(&mut self, tag: u32, wire: WireType) -> Result<&[u8], DecodeError> {
        skip_field(wire, tag, &mut self.rest, DecodeContext::default())?;
        Ok(&self.all[self.field..self.all.len() - self.rest.len()])
    }
}
