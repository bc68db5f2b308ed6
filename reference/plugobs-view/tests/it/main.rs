//! Integration tests of rendering: what a person sees of a run, of a hostile
//! plugin's too.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod hostile;
mod lists;
mod stories;
mod support;
