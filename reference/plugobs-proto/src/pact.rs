//! The deployed plugin interface, in both of its versions.

/// Package `io.pact.plugin`: version 1, frozen, for hosting old plugins.
#[expect(
    missing_docs,
    unused_qualifications,
    clippy::allow_attributes_without_reason,
    reason = "generated code; its documentation is in the proto file"
)]
pub mod v1 {
    include!("gen/io_pact_plugin.rs");
}

/// Package `io.pact.plugin.v2`: version 2.
#[expect(
    missing_docs,
    unused_qualifications,
    clippy::allow_attributes_without_reason,
    reason = "generated code; its documentation is in the proto file"
)]
pub mod v2 {
    include!("gen/io_pact_plugin_v2.rs");
}
