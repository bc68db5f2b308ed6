//! The driver against a transport that a test scripts: everything but the wire.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod attribution;
mod calls;
mod failures;
mod fake;
mod intake;
mod manifests;
mod runtimes;
mod sinks;
mod test_runs;
