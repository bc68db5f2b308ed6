//! Everything generated is what its sources give.

mod cli;
mod drift;
mod facts;
