//! The run manifest, `run.json` (`schemas/run-manifest.schema.json`).

mod form;

use plugobs_core::Timestamp;
use plugobs_driver::info::{InstanceInfo, RunInfo, TestInfo};
use plugobs_driver::sink::{OutputStream, SinkLoss};
use serde::{Deserialize, Serialize};

use form::uint64;
pub use form::{FormatVersion, Range};

/// What a run was, and what its folder holds.
///
/// While a run goes on the manifest lags behind the records by up to
/// [`RunOptions::manifest_interval`](crate::RunOptions::manifest_interval);
/// the truth in between is in the lifecycle records.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// The format of the folder.
    pub format_version: FormatVersion,
    /// The run and its driver.
    #[serde(flatten)]
    pub run: RunInfo,
    /// Whether the driver ended it in order.
    pub state: RunState,
    /// When it did.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ended_at: Option<Timestamp>,
    /// Plugin instances in the order of their start.
    pub instances: Vec<InstanceEntry>,
    /// Test runs in the order of their beginning.
    pub tests: Vec<TestInfo>,
    /// The files that hold records, oldest first.
    pub segments: Vec<SegmentEntry>,
    /// What is no longer there, because the oldest segments were removed.
    pub evicted: Vec<Eviction>,
    /// The driver's sinks and what each lost.
    pub sinks: Vec<SinkLoss>,
    /// The failure reports, in order.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub failures: Vec<FailureEntry>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub other: serde_json::Map<String, serde_json::Value>,
}

/// Whether a run has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    /// It goes on, or its driver died.
    Running,
    /// Its driver ended it in order.
    Finished,
}

/// An instance, and its raw output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstanceEntry {
    /// As the driver describes it.
    #[serde(flatten)]
    pub info: InstanceInfo,
    /// Its standard error.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub stderr: Option<OutputEntry>,
    /// Its standard output but for the handshake line.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub stdout: Option<OutputEntry>,
}

impl InstanceEntry {
    /// The entry of one of its streams.
    pub fn output(&self, stream: OutputStream) -> Option<&OutputEntry> {
        match stream {
            OutputStream::Stderr => self.stderr.as_ref(),
            OutputStream::Stdout => self.stdout.as_ref(),
        }
    }

    /// Whether it ended by a signal or with an exit code other than 0.
    pub fn died(&self) -> bool {
        self.info.signal.is_some() || self.info.exit_code.is_some_and(|code| code != 0)
    }
}

/// Raw output of an instance.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutputEntry {
    /// The file, relative to the folder; its newest part where there are two.
    pub file: String,
    /// The part before that, where the cap made two.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub older_file: Option<String>,
    /// Bytes in the files.
    #[serde(with = "uint64")]
    pub bytes: u64,
    /// Bytes that came before those, and are no longer there because of the
    /// cap, or could not be written.
    #[serde(with = "uint64")]
    pub cut_bytes: u64,
}

/// A file of records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SegmentEntry {
    /// Its name in the folder.
    pub file: String,
    /// Its records.
    #[serde(with = "uint64")]
    pub records: u64,
    /// Its bytes.
    #[serde(with = "uint64")]
    pub bytes: u64,
    /// The first record's `observedTimestamp`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_observed: Option<Timestamp>,
    /// The last record's `observedTimestamp`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_observed: Option<Timestamp>,
}

/// What was removed of one instance and epoch.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Eviction {
    /// The instance under which the records are accounted for. Absent for
    /// the driver's own that concern none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub plugin_instance_id: Option<String>,
    /// Absent for records without one.
    #[serde(
        skip_serializing_if = "Option::is_none",
        default,
        with = "form::uint64_option"
    )]
    pub epoch: Option<u64>,
    /// Sequences of removed records, ascending.
    pub ranges: Vec<Range>,
    /// Sequences that removed `records.dropped` records had counted.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub dropped_ranges: Vec<Range>,
    /// Removed records that had no sequence.
    #[serde(with = "uint64")]
    pub unsequenced_records: u64,
}

impl Eviction {
    /// How many records it counts.
    pub fn records(&self) -> u64 {
        self.ranges
            .iter()
            .fold(self.unsequenced_records, |sum, range| {
                sum.saturating_add(range.len())
            })
    }
}

/// A failure report of the folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FailureEntry {
    /// Its file, relative to the folder.
    pub file: String,
    /// From the registry `errors`.
    pub code: String,
    /// The instance that failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub plugin_instance_id: Option<String>,
    /// The test that was hit.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub test_run_id: Option<String>,
}

impl Manifest {
    /// The manifest of a run of which nothing has happened yet.
    pub fn new(run: RunInfo) -> Self {
        Self {
            format_version: FormatVersion::CURRENT,
            run,
            state: RunState::Running,
            ended_at: None,
            instances: Vec::new(),
            tests: Vec::new(),
            segments: Vec::new(),
            evicted: Vec::new(),
            sinks: Vec::new(),
            failures: Vec::new(),
            other: serde_json::Map::new(),
        }
    }

    /// The instance's entry.
    pub fn instance(&self, id: &str) -> Option<&InstanceEntry> {
        self.instances
            .iter()
            .find(|entry| entry.info.plugin_instance_id == id)
    }

    /// The test's entry; the last one where a framework used an ID twice.
    pub fn test(&self, id: &str) -> Option<&TestInfo> {
        self.tests.iter().rev().find(|test| test.test_run_id == id)
    }

    /// Records that the run folder did not get, by its own count.
    pub fn lost_records(&self) -> u64 {
        self.sinks
            .iter()
            .find(|sink| sink.name == crate::write::SINK_NAME)
            .map_or(0, |sink| sink.lost_records)
    }
}
