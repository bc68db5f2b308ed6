//! The conversion between the record and its protobuf forms.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../../../plugobs-core/tests/it/arbitrary.rs"]
mod arbitrary;
mod log_message;
mod records;
