//! Diagnostics for plugins that are WebAssembly components: what the plugin
//! does is told to its host, record by record, with the IDs of the plugin
//! instance and of the test in whose call it happened (`spec/binding-wasm.md`).
//!
//! ```no_run
//! use plugobs_guest::interface::{CompareRequest, Comparison, InitRequest, Initialised, Refusal};
//! use plugobs_guest::Plugin;
//!
//! struct Upper;
//!
//! impl Plugin for Upper {
//!     fn init(_: InitRequest) -> Result<Initialised, Refusal> {
//!         Ok(Initialised { catalogue: vec![], capabilities: plugobs_guest::capabilities() })
//!     }
//!
//!     fn compare_contents(request: CompareRequest) -> Result<Comparison, String> {
//!         tracing::info!(bytes = request.actual.content.map(|c| c.len()), "comparing");
//!         plugobs_guest::user_message!("nothing differs");
//!         Ok(Comparison { type_mismatch: None, results: vec![] })
//!     }
//! }
//!
//! plugobs_guest::export_plugin!(Upper);
//! # fn main() {}
//! ```
//!
//! Every `tracing` event, and every call of the `log` crate, becomes an
//! operational record; a panic becomes a record before it becomes a trap. There
//! is nothing to set up: the first call of the host does it. A component built
//! with this crate imports the host's logging and nothing else.

mod context;
mod emit;
mod layer;
mod plugin;

pub use self::context::Context;
pub use self::plugin::{Component, Plugin};
pub use plugobs_core::Severity;

/// The types of the interface that a plugin serves; `wit/plugin.wit` is their
/// manual.
pub use bindings::exports::plugobs::observability::plugin as interface;

/// Both sides of `wit/`.
#[doc(hidden)]
pub mod bindings {
    #![allow(missing_docs, reason = "generated; `wit/` is the manual")]
    #![allow(unsafe_code, reason = "generated: the ABI of components is in it")]
    #![allow(clippy::all, reason = "generated")]
    #![allow(unused_qualifications, reason = "generated")]

    wit_bindgen::generate!({
        path: "../../wit",
        world: "plugin-component",
        pub_export_macro: true,
        ownership: Borrowing { duplicate_if_necessary: true },
        generate_all,
    });
}

/// The capabilities of this protocol that the SDK speaks (OBS-NEG-19).
pub fn capabilities() -> Vec<String> {
    plugobs_core::registry::capability::ALL
        .iter()
        .map(|name| (*name).to_owned())
        .collect()
}

/// Says something to the person who reads the test result, in plain text.
pub fn user_message(text: &str) {
    emit::user_message(text, false);
}

/// A user message in CommonMark.
pub fn user_message_markdown(text: &str) {
    emit::user_message(text, true);
}

/// Says something to the person who reads the test result: formatted like
/// `format!`, never filtered by level, kept apart from the log.
#[macro_export]
macro_rules! user_message {
    ($($format:tt)+) => {
        $crate::user_message(&format!($($format)+))
    };
}

/// Makes the type that implements [`Plugin`] the component's plugin. Once in a
/// crate, which is a `cdylib`.
#[macro_export]
macro_rules! export_plugin {
    ($plugin:ty) => {
        type PlugobsComponent = $crate::Component<$plugin>;
        $crate::bindings::export!(PlugobsComponent with_types_in $crate::bindings);
    };
}
