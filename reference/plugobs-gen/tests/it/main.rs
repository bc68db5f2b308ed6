//! Everything generated is what its sources give, and the repository keeps its own rules.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod cli;
mod drift;
mod facts;
mod layout;
mod record;
mod released;
