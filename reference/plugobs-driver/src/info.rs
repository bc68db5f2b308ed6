//! Descriptions of a run, its instances and its tests, as sinks get them and
//! as the run manifest holds them (`schemas/run-manifest.schema.json`).

use std::collections::BTreeMap;

use plugobs_core::Timestamp;
use serde::{Deserialize, Serialize};

/// One life of a driver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunInfo {
    /// A UUID version 7.
    pub run_id: String,
    /// Who drives.
    pub driver: DriverInfo,
    /// When it began.
    pub started_at: Timestamp,
    /// The invocation of the test runner, where the framework told.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub session: Option<SessionInfo>,
    /// The limits in force, by their names in the registry `limits`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub limits: BTreeMap<String, u64>,
    /// The redaction rules in force, where there are any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub redaction: Option<RedactionInfo>,
}

/// The driver of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DriverInfo {
    /// The implementation's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its process.
    pub pid: u32,
}

/// One invocation of a test runner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionInfo {
    /// The framework's own ID of it.
    pub id: String,
}

/// One start of one plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstanceInfo {
    /// The instance.
    pub plugin_instance_id: String,
    /// The plugin's name by its manifest.
    pub name: String,
    /// The plugin's version by its manifest.
    pub version: String,
    /// 1 or 2.
    pub interface_version: u32,
    /// The manifest's `executableType`.
    #[serde(default)]
    pub executable_type: String,
    /// The program or component, as a path.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub executable: Option<String>,
    /// Its process.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pid: Option<u32>,
    /// When the start began.
    pub started_at: Timestamp,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ended_at: Option<Timestamp>,
    /// How it ended, where it ended by itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub signal: Option<i32>,
    /// Whether it ever showed its token.
    pub token_shown: bool,
    /// What is known of its records, by epoch (OBS-FAIL-23).
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub epochs: Vec<EpochInfo>,
}

/// What is known of one epoch of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EpochInfo {
    /// The epoch.
    pub epoch: u64,
    /// The highest sequence up to which every record is stored or counted.
    pub settled_through: u64,
    /// Whether the emitter ended its path in order.
    pub clean: bool,
}

/// The redaction rules in force. Patterns are counted and not repeated, because
/// a pattern may hold the secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RedactionInfo {
    /// Attribute keys whose values are removed.
    pub keys: Vec<String>,
    /// How many patterns are applied.
    pub patterns: usize,
}

/// One attempt of one test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TestInfo {
    /// Verbatim from the framework.
    pub test_run_id: String,
    /// The framework's own name of the test.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub case_name: Option<String>,
    /// The suite's name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub suite_name: Option<String>,
    /// Where the ID came from: `argument`, `scope`, `nextest`, `libtest` or
    /// another environment's name.
    pub id_source: String,
    /// When it began.
    pub began_at: Timestamp,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ended_at: Option<Timestamp>,
    /// `passed`, `failed` or the framework's own word.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub outcome: Option<String>,
}
