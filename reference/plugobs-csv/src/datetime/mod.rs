//! Dates and times as Pact writes them: patterns in the notation of Java, offsets from now in a few words.

mod calendar;
mod pattern;
mod read;
mod shift;
mod write;

pub use calendar::Moment;
pub use pattern::{Pattern, PatternError};
pub use read::Misfit;
pub use shift::{Shift, ShiftError};
