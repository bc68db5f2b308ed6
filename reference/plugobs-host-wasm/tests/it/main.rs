//! Real components under the driver: those of `conformance/fixtures`.

#![expect(clippy::unwrap_used, reason = "a test fails by it")]

mod bounds;
mod cache;
mod calls;
mod components;
mod records;
mod support;
#[cfg(feature = "wasi")]
mod wasi;
