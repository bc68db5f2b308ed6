//! The reference plugin: a Pact content matcher and generator for `text/csv`.
//!
//! The crate is written to be copied.
//! Everything here is the engine: plain values in, plain values out, no transport, no clock, no files and no threads.
//! The same source is therefore built into a process and into a component.
//! What reaches a person is said with `tracing`: a failing cell at DEBUG, a setting that does nothing at WARN.
//!
//! - [`configure::configure`] turns a test's `contentsConfig` into an example body, rules and generators.
//! - [`compare::compare`] compares an actual body with the expected one.
//! - [`generate::generate`] fills a body with generated values.
//! - [`field`] does the last two for a single value.

#[cfg(any(feature = "process", feature = "component"))]
mod calls;
pub mod column;
pub mod compare;
#[cfg(feature = "component")]
pub mod component;
pub mod configure;
pub mod content;
pub mod datetime;
pub mod error;
pub mod expression;
pub mod field;
pub mod generate;
pub mod generator;
pub mod mismatch;
#[cfg(feature = "process")]
pub mod process;
pub mod random;
#[cfg(any(feature = "process", feature = "component"))]
mod report;
pub mod rule;
pub mod settings;
pub mod spec;
pub mod table;

mod markup;

#[cfg(any(feature = "process", feature = "component"))]
pub use calls::CATALOGUE_KEY;
pub use error::Error;
