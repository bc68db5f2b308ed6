//! The engine's tests, in one binary.
#![expect(
    clippy::unwrap_used,
    reason = "a test that panics has failed, its helpers included"
)]

mod compare;
mod configure;
mod datetime;
mod expression;
mod fixtures;
mod generate;
#[cfg(feature = "process")]
mod plugin;
#[cfg(feature = "process")]
mod process;
mod properties;
#[cfg(all(feature = "process", unix))]
mod records;
mod rules;
mod support;
mod table;
