//! The one conversion between the record and its protobuf form
//! (`spec/binding-grpc.md`, Records). Its bytes are written and read here,
//! field by field, because every record of every plugin passes through; the
//! generated message is held against it by tests.

mod decode;
mod encode;
mod values;

pub use decode::{decode_into, decode_record, decode_shared, empty};
pub use encode::{encode_record, encode_unnumbered, number_record};
