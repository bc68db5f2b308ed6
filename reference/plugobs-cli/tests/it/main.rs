//! The command, in-process and as the program that people start.

mod arguments;
mod plans;
mod support;
