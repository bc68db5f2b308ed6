//! Everything generated is what its sources give, and the repository keeps its own rules.

mod cli;
mod drift;
mod facts;
mod layout;
mod record;
