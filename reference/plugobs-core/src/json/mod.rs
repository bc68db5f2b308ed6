//! The JSON form of a record (`spec/records.md`), which is also its form in
//! files. [`write`](mod@write) and [`read`] are the only places that know it.

pub mod escape;
pub mod read;
pub mod strict;
pub mod write;

pub use read::{from_json, from_object};
pub use write::{LineWriter, to_json_line};

/// The largest integer that every JSON reader keeps exactly.
pub const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;
