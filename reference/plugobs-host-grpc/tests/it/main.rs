//! Hosting real processes: a plugin of many manners (`tests/plugin`), and the
//! shell, which makes a plugin that fails in two words.

// The shell and signals are Unix's.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod callbacks;
mod calls;
mod ends;
mod handshakes;
mod hello;
mod logs;
mod output;
mod start;
mod stop;
mod streams;
mod support;
