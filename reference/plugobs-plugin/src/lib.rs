//! The SDK for plugins that are processes: a few lines make an ordinary tonic
//! plugin say, in every record, which instance it is and which test and call it
//! works for.
//!
//! ```no_run
//! # use plugobs_proto::pact::v2::pact_plugin_server::{PactPlugin, PactPluginServer};
//! # async fn serve(plugin: impl PactPlugin) -> Result<(), Box<dyn std::error::Error>> {
//! use plugobs_plugin::Diagnostics;
//! use tonic::transport::Server;
//! use tonic::transport::server::TcpIncoming;
//!
//! let (diagnostics, _guard) = Diagnostics::builder().install()?;
//!
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! println!(r#"{{"port":{},"serverKey":"…"}}"#, listener.local_addr()?.port());
//! Server::builder()
//!     .layer(diagnostics.server_layer())
//!     .add_service(PactPluginServer::new(plugin))
//!     .serve_with_incoming_shutdown(
//!         TcpIncoming::from(listener).with_nodelay(Some(true)),
//!         diagnostics.shutdown_signal(),
//!     )
//!     .await?;
//! diagnostics.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! From there on, log with `tracing` or `log` as ever. Work that a call starts
//! takes its identity along by [`spawn`], [`spawn_blocking`] and
//! [`spawn_thread`], by [`Context::scope`] and [`Context::enter`], or by a
//! `tracing` span that was created inside of the call. [`user_message!`] is
//! for the person who reads the test result.
//!
//! Records go to the driver's record stream where it offers one, to the
//! deployed unary log where it offers that, and else to standard error as lines
//! of JSON (`spec/negotiation.md`). Without a driver there is no instance, and
//! records name none. Logging never waits: what a bounded queue cannot hold is
//! shed by level and counted.

mod body;
mod context;
mod diagnostics;
mod emitter;
mod epoch;
mod host;
mod layer;
mod lines;
mod panic;
mod peek;
mod queue;
mod server;
mod settings;
mod transport;

pub use context::{Context, Entered, Scoped, spawn, spawn_blocking, spawn_thread};
pub use diagnostics::{Builder, Diagnostics, Guard, SetupError};
pub use host::HostCalls;
pub use plugobs_core::Severity;
pub use server::{InContext, ServerLayer};
pub use settings::scrub_environment;

/// The capabilities of this protocol that the SDK speaks, for
/// `pluginCapabilities` in the answer to `InitPlugin` (OBS-NEG-19).
pub fn capabilities() -> Vec<String> {
    plugobs_core::registry::capability::ALL
        .iter()
        .map(|name| (*name).to_owned())
        .collect()
}

/// Says something to the person who reads the test result: formatted like
/// `format!`, never filtered by level, kept apart from the log.
///
/// Where diagnostics are not set up, nobody is there to be told, and nothing
/// happens.
///
/// ```
/// let rows = 3;
/// plugobs_plugin::user_message!("row {rows} has a date where a number is expected");
/// ```
#[macro_export]
macro_rules! user_message {
    ($($format:tt)+) => {
        if let Some(diagnostics) = $crate::Diagnostics::installed() {
            diagnostics.user_message(&format!($($format)+));
        }
    };
}
