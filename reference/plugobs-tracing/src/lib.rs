//! What a Rust program says, as records: `tracing` events, and panics. The same
//! for plugins that are processes and for those that are components; identity,
//! limits and where the records go are the SDKs' own.

mod event;
mod fields;
mod panic;

pub use self::event::{record_of_event, severity};
pub use self::panic::record_of_panic;
