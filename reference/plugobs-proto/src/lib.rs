//! The protobuf binding of the plugin observability protocol.
//!
//! [`pact`] is the deployed plugin interface, [`observability`] is ours. Both are generated
//! from `proto/` and checked in. This crate opens no connection: clients and servers take any
//! transport that `tonic` takes.

pub mod codec;
pub mod convert;
pub mod log_message;
pub mod observability;
pub mod pact;
mod wire;

/// The compiled definitions of every package and of what they import: an encoded
/// `google.protobuf.FileDescriptorSet`, without comments.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("gen/descriptors.bin");

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use bytes::Bytes;
    use prost::Message;
    use prost_types::FileDescriptorSet;

    use super::FILE_DESCRIPTOR_SET;
    use super::observability::v1::Batch;

    #[test]
    fn descriptors_hold_every_service() {
        let set = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap();
        let services: BTreeSet<String> = set
            .file
            .iter()
            .flat_map(|file| {
                let package = file.package();
                file.service
                    .iter()
                    .map(move |service| format!("{package}.{}", service.name()))
            })
            .collect();
        let expected = [
            "io.pact.plugin.PactPlugin",
            "io.pact.plugin.v2.PactPlugin",
            "io.pact.plugin.v2.PluginHost",
            "plugin.observability.v1.LogService",
        ];
        assert_eq!(services, expected.map(String::from).into());
    }

    #[test]
    fn records_of_a_batch_are_not_copied() {
        let batch = Batch {
            records: vec![Bytes::from_static(b"a record"), Bytes::new()],
            sequences: vec![1, 2],
            dropped: vec![],
        };
        let encoded = Bytes::from(batch.encode_to_vec());
        let decoded = Batch::decode(encoded.clone()).unwrap();
        assert_eq!(decoded, batch);
        let record = decoded.records[0].as_ptr_range();
        let whole = encoded.as_ptr_range();
        assert!(whole.start <= record.start && record.end <= whole.end);
    }
}
