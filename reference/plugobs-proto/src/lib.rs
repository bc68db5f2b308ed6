//! The protobuf binding of the plugin observability protocol.
//!
//! [`pact`] is the deployed plugin interface, [`observability`] is ours. Both are generated
//! from `proto/` and checked in. This crate opens no connection: clients and servers take any
//! transport that `tonic` takes.

pub mod observability;
pub mod pact;

/// The compiled definitions of every package and of what they import: an encoded
/// `google.protobuf.FileDescriptorSet`, without comments.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("gen/descriptors.bin");
