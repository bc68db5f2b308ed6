//! The driver of the plugin observability protocol: it finds plugins, starts
//! them, calls them for tests, and tells its sinks what they did.
//!
//! It knows no transport ([`transport::Transport`] is what it asks of one) and
//! writes to sinks only. It owns its async runtime and no global state, so that
//! it works from any runtime, from several at once, and from none.

pub mod config;
pub mod driver;
pub mod failure;
pub mod info;
pub mod intake;
pub mod interface;
pub mod manifest;
pub mod sink;
pub mod test_run;
pub mod transport;

pub use config::DriverBuilder;
pub use driver::call::{CallOptions, CallReport, CallReturn, Completeness};
pub use driver::plugin::Plugin;
pub use driver::test::{Test, TestReport};
pub use driver::{Driver, DriverError};
pub use failure::{FailureReport, PluginFailure};
pub use manifest::{Manifest, PluginSource};
pub use test_run::TestRun;
