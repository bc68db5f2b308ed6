//! The command, in-process and as the program that people start.

#![expect(
    clippy::unwrap_used,
    reason = "a test that panics has failed, its helpers included"
)]

mod arguments;
mod bindings;
mod checking;
mod demo;
mod dependencies;
mod fan_out;
mod interrupts;
mod normal;
mod plans;
mod readme;
mod runs;
mod showing;
mod support;
mod tailing;
mod terminal;
