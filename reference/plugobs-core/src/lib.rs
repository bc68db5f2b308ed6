//! The record of the plugin observability protocol and everything that every
//! side of it agrees on: identities, limits, levels, the JSON form, and what
//! makes text from a plugin safe to show.
//!
//! This crate does no I/O, reads no clock, spawns nothing and knows no
//! transport. Bindings convert from and to [`Record`], each in one file.

pub mod error;
pub mod handshake;
pub mod ids;
pub mod json;
pub mod limits;
pub mod propagation;
pub mod ranges;
pub mod record;
pub mod registry;
pub mod sanitise;
pub mod severity;
pub mod stderr_line;
pub mod text;
pub mod timestamp;
pub mod validate;
pub mod value;

pub use error::Rejection;
pub use ids::{CallId, InstanceId, RunId};
pub use limits::Limits;
pub use propagation::{CallIdentity, LogPosition};
pub use ranges::SequenceSet;
pub use record::{Claimed, Exception, Record, TraceContext};
pub use severity::Severity;
pub use text::Text;
pub use timestamp::Timestamp;
pub use value::{Scalar, Value};
