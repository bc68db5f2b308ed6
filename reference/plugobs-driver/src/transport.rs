//! What the driver asks of a transport, so that a process spoken to over gRPC
//! and a component in the driver's own process are the same to it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use plugobs_core::registry::FailureCode;
use plugobs_core::{CallIdentity, InstanceId, LogPosition, Severity};
use serde_json::{Map, Value as Json};
use tokio::sync::watch;

use crate::failure::Exit;
use crate::intake::InstanceIntake;
use crate::interface::{Request, Response};
use crate::manifest::Manifest;

/// Runs plugins of some executable types.
#[async_trait]
pub trait Transport: Send + Sync + 'static {
    /// The manifest's `executableType`s that it runs, such as `exec`.
    fn executable_types(&self) -> &[&str];

    /// Starts one instance and connects to it, up to but without `InitPlugin`.
    ///
    /// It tells the intake what it sees: lifecycle (`instance.spawned`,
    /// `instance.handshake`), raw output and records.
    ///
    /// # Errors
    /// Where the instance could not be started; nothing of it is left running.
    async fn launch(&self, launch: Launch) -> Result<Arc<dyn Connection>, TransportFailure>;
}

/// What a transport needs to start an instance.
#[derive(Clone)]
pub struct Launch {
    /// The plugin.
    pub manifest: Arc<Manifest>,
    /// The instance's own way into the driver; it knows ID and token.
    pub intake: InstanceIntake,
    /// Where the plugin's calls to its host go.
    pub callbacks: Arc<dyn HostCallbacks>,
    /// How long the handshake may take.
    pub handshake_timeout: Duration,
    /// The least severity wanted of operational records.
    pub level: Severity,
    /// Variables to set for the process, over those it inherits.
    pub environment: Vec<(String, String)>,
}

/// A started instance.
#[async_trait]
pub trait Connection: Send + Sync + 'static {
    /// Makes one call. The metadata of `identity` goes along on every call; the
    /// `testContext` field wherever the request has one.
    async fn call(&self, call: OutgoingCall) -> Reply;

    /// Changes the level while running. A plugin without a stream keeps its own.
    fn set_level(&self, level: Severity);

    /// Asks for every record emitted so far. `false`: they did not all come by
    /// the deadline, or the plugin cannot tell.
    async fn flush(&self, deadline: Duration) -> bool;

    /// Stops the instance: asks, waits, terminates, kills, reaps, and reads its
    /// output to the end.
    async fn stop(&self, grace: Duration) -> StopOutcome;

    /// Becomes `Some` once the instance has ended and its output is read.
    fn exit(&self) -> watch::Receiver<Option<Exit>>;
}

/// One call on its way to a plugin.
#[derive(Debug, Clone)]
pub struct OutgoingCall {
    /// Which test and call it is.
    pub identity: CallIdentity,
    /// The `testContext` object, with `testRunId` in it where there is a test.
    pub test_context: Map<String, Json>,
    /// What to do.
    pub request: Request,
    /// How long it may take.
    pub timeout: Duration,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The answer.
    pub result: Result<Response, CallError>,
    /// How far the plugin's log had come, where it says so.
    pub position: Option<LogPosition>,
}

/// Why a call gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The plugin answered with an error status.
    #[error("{code}: {message}")]
    Status {
        /// The gRPC code's name, such as `INTERNAL`.
        code: String,
        /// What the plugin says.
        message: String,
    },
    /// It did not answer in time.
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Connection(String),
    /// The instance trapped.
    #[error("the component trapped: {0}")]
    Trapped(String),
    /// The plugin's interface version has no such operation.
    #[error("interface version {interface} has no {operation}")]
    NotInInterface {
        /// The version.
        interface: u32,
        /// The operation.
        operation: &'static str,
    },
}

/// How a start failed.
#[derive(Debug, Clone)]
pub struct TransportFailure {
    /// From the registry; the stage goes with it.
    pub code: FailureCode,
    /// What happened, in one line.
    pub message: String,
    /// How the process ended, where it did.
    pub exit: Option<Exit>,
}

/// How a stop went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StopOutcome {
    /// How the instance ended.
    pub exit: Exit,
    /// Whether it had to be killed.
    pub killed: bool,
}

/// A plugin's calls to its host (`PluginHost`, but for its log).
#[async_trait]
pub trait HostCallbacks: Send + Sync + 'static {
    /// Calls the catalogue entry `entry_key` for the plugin `caller`. `identity`
    /// is what the caller's metadata says; the driver makes the nested call's
    /// own.
    ///
    /// # Errors
    /// Where no plugin has such an entry, or its call failed.
    async fn call_entry(
        &self,
        caller: &InstanceId,
        identity: CallIdentity,
        test_context: Map<String, Json>,
        entry_key: &str,
        request: Request,
    ) -> Result<Response, CallbackError>;
}

/// Why a plugin's call to its host failed.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum CallbackError {
    /// No loaded plugin has the entry.
    #[error("no loaded plugin has the catalogue entry {entry_key:?}; entries: {known:?}")]
    UnknownEntry {
        /// What was asked for.
        entry_key: String,
        /// What there is.
        known: Vec<String>,
    },
    /// The call that the caller names is not one that it was given.
    #[error(
        "call {call_id:?} was not issued to this plugin instance; pass the metadata of the call on as it came"
    )]
    UnknownCall {
        /// What it named.
        call_id: String,
    },
    /// The call to the plugin that has the entry failed.
    #[error("the call to the entry's plugin failed: {0}")]
    Call(#[from] CallError),
}
