//! The SDK in a real process (`tests/plugin`), against a driver that a test
//! plays over real connections.

// Signals are Unix's, and so is the program `env`.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod context;
mod control;
mod credit;
mod errors;
mod fallback;
mod feedback;
mod identity;
mod levels;
mod lifecycle;
mod peer;
mod reconnect;
mod stderr;
mod unary;
