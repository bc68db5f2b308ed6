//! What consumes a run at the driver: the trait that all sinks share.
//!
//! Each sink runs on a thread of its own behind a bounded queue, so that one
//! which is slow, fails or panics delays no plugin, no test and no other sink.

pub mod memory;
pub(crate) mod queue;
pub(crate) mod records;
pub mod tracing;

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use plugobs_core::{InstanceId, Timestamp};

pub use self::records::Records;
use crate::failure::FailureReport;
use crate::info::{InstanceInfo, RunInfo, TestInfo};

/// A raw output stream of a plugin process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OutputStream {
    /// Standard error.
    Stderr,
    /// Standard output.
    Stdout,
}

impl OutputStream {
    /// `stderr` or `stdout`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stderr => "stderr",
            Self::Stdout => "stdout",
        }
    }
}

/// What a driver tells its sinks, in the order in which it happened.
///
/// Descriptions of the run, an instance or a test come again, whole, whenever
/// one of their members changes: the last one counts.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum SinkEvent {
    /// The run. The first event of every sink.
    Run(Arc<RunInfo>),
    /// A plugin instance, new or changed.
    Instance(Arc<InstanceInfo>),
    /// A test run, new or changed.
    Test(Arc<TestInfo>),
    /// Records in order of arrival, checked, marked and cut to the limits.
    Records(Records),
    /// Raw output as it was read; line breaks are where they are.
    Output {
        /// Whose.
        instance: InstanceId,
        /// Which.
        stream: OutputStream,
        /// What.
        bytes: Bytes,
    },
    /// Raw output that was not given to this sink, because its queue was full.
    OutputSkipped {
        /// Whose.
        instance: InstanceId,
        /// Which.
        stream: OutputStream,
        /// How much.
        bytes: u64,
    },
    /// A raw output stream has ended.
    OutputEnd {
        /// Whose.
        instance: InstanceId,
        /// Which.
        stream: OutputStream,
    },
    /// A failure of a plugin.
    Failure(Arc<FailureReport>),
    /// Every sink's losses so far, sent when they change and before the end.
    Losses(Arc<[SinkLoss]>),
    /// The run has ended. The last event.
    End(Timestamp),
}

/// What a sink did not get.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SinkLoss {
    /// The sink's name.
    pub name: String,
    /// Records that were not delivered to it.
    pub lost_records: u64,
    /// Why it failed, where it did.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<String>,
}

/// Why a sink could not take an event. The driver reports it once, to the
/// other sinks, and goes on offering events.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SinkError {
    /// Input or output failed.
    #[error("{doing}: {source}")]
    Io {
        /// What the sink was doing, with the path.
        doing: String,
        /// What went wrong.
        source: std::io::Error,
    },
    /// The sink's own reason.
    #[error("{0}")]
    Other(Box<dyn std::error::Error + Send + Sync>),
}

/// A consumer of a run.
pub trait Sink: Send + 'static {
    /// Its name in reports of its failures.
    fn name(&self) -> &str;

    /// Takes one event. It may block: it is on a thread of its own.
    ///
    /// # Errors
    /// Where the event was not taken; its records then count as lost to this
    /// sink.
    fn accept(&mut self, event: &SinkEvent) -> Result<(), SinkError>;

    /// Whether the driver acknowledges records only once this sink has taken
    /// them. At most one sink of a driver is durable: the run folder.
    fn is_durable(&self) -> bool {
        false
    }

    /// Bytes of an instance's raw output that a durable sink did not keep, once
    /// the stream has ended.
    fn output_cut(&self, instance: &InstanceId, stream: OutputStream) -> u64 {
        let _ = (instance, stream);
        0
    }

    /// The run folder that it writes, for failure reports.
    fn run_folder(&self) -> Option<PathBuf> {
        None
    }
}
