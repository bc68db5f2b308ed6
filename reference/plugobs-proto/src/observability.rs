//! This protocol's own interface.

/// Package `plugin.observability.v1`: the record and the log service.
#[expect(
    missing_docs,
    unused_qualifications,
    clippy::allow_attributes_without_reason,
    clippy::doc_lazy_continuation,
    reason = "generated code; its documentation is in the proto files"
)]
pub mod v1 {
    include!("gen/plugin_observability_v1.rs");
}
