//! Everything generated is what its sources give.

mod drift;
mod facts;
