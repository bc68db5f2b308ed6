//! A failure report as its file holds it (`schemas/failure.schema.json`).

use plugobs_core::json::from_object;
use plugobs_core::{Record, Timestamp};
use plugobs_driver::FailureReport;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::pretty::to_pretty_json;

/// A failure report, read from a file or taken from a driver.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredFailure {
    /// From the registry `errors`.
    pub code: String,
    /// Where in the instance's life.
    pub stage: String,
    /// What happened.
    pub message: String,
    /// What to do about it.
    pub action: String,
    /// When.
    pub at: Timestamp,
    /// Nanoseconds from the beginning of the stage.
    pub elapsed_ns: u64,
    /// The plugin's name.
    pub plugin_name: String,
    /// Its version.
    pub plugin_version: Option<String>,
    /// The instance, once there was one.
    pub plugin_instance_id: Option<String>,
    /// What was started, or was to be.
    pub executable: Option<String>,
    /// Its exit code, where it ended by itself.
    pub exit_code: Option<i64>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// The test whose call failed.
    pub test_run_id: Option<String>,
    /// The call that failed.
    pub call_id: Option<String>,
    /// The operation that failed.
    pub operation: Option<String>,
    /// The status of the answer, such as `UNAVAILABLE: try again`.
    pub status: Option<String>,
    /// The manifest's member that is wrong.
    pub field: Option<String>,
    /// What the plugin needs and the driver lacks.
    pub missing_capabilities: Vec<String>,
    /// The last lines of standard error, oldest first.
    pub stderr_tail: Vec<String>,
    /// The last lines of standard output, oldest first.
    pub stdout_tail: Vec<String>,
    /// The instance's last records, oldest first.
    pub last_records: Vec<Record>,
    /// The test's last records, oldest first.
    pub test_records: Vec<Record>,
    /// Where the run's files are.
    pub run_folder: Option<String>,
}

impl From<&FailureReport> for StoredFailure {
    fn from(report: &FailureReport) -> Self {
        Self {
            code: report.code.as_str().to_owned(),
            stage: report.stage.clone(),
            message: report.message.clone(),
            action: report.action.clone(),
            at: report.at,
            elapsed_ns: report.elapsed_ns,
            plugin_name: report.plugin.name.clone(),
            plugin_version: report.plugin.version.clone(),
            plugin_instance_id: report.plugin.plugin_instance_id.clone(),
            executable: report.plugin.executable.clone(),
            exit_code: report.exit.and_then(|exit| exit.code).map(i64::from),
            signal: report.exit.and_then(|exit| exit.signal),
            test_run_id: report.test_run_id.clone(),
            call_id: report.call_id.clone(),
            operation: report.operation.clone(),
            status: report
                .status
                .as_ref()
                .map(|status| status_text(&status.code, &status.message)),
            field: report.field.clone(),
            missing_capabilities: report.missing_capabilities.clone(),
            stderr_tail: report.stderr_tail.clone(),
            stdout_tail: report.stdout_tail.clone(),
            last_records: report.last_records.clone(),
            test_records: report.test_records.clone(),
            run_folder: report
                .run_folder
                .as_ref()
                .map(|folder| folder.display().to_string()),
        }
    }
}

/// The report as its file holds it.
pub(crate) fn to_failure_json(report: &FailureReport) -> Result<String, serde_json::Error> {
    to_pretty_json(report)
}

/// Reads what [`to_failure_json`] wrote, or another driver.
pub(crate) fn from_failure_json(bytes: &[u8]) -> Result<StoredFailure, FailureFileError> {
    let file: FailureFile = serde_json::from_slice(bytes)?;
    let records = |list: Vec<Map<String, Value>>| {
        list.into_iter()
            .map(from_object)
            .collect::<Result<Vec<_>, _>>()
    };
    Ok(StoredFailure {
        code: file.code,
        stage: file.stage,
        message: file.message,
        action: file.action,
        at: file.at,
        elapsed_ns: file.elapsed_ns,
        plugin_name: file.plugin.name,
        plugin_version: file.plugin.version,
        plugin_instance_id: file.plugin.plugin_instance_id,
        executable: file.plugin.executable,
        exit_code: file.exit.as_ref().and_then(|exit| exit.code),
        signal: file.exit.as_ref().and_then(|exit| exit.signal),
        test_run_id: file.test_run_id,
        call_id: file.call_id,
        operation: file.operation,
        status: file
            .status
            .map(|status| status_text(&status.code, &status.message)),
        field: file.field,
        missing_capabilities: file.missing_capabilities,
        stderr_tail: file.stderr_tail,
        stdout_tail: file.stdout_tail,
        last_records: records(file.last_records)?,
        test_records: records(file.test_records)?,
        run_folder: file.run_folder,
    })
}

/// Why a failure report's file could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FailureFileError {
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Record(#[from] plugobs_core::Rejection),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FailureFile {
    code: String,
    stage: String,
    message: String,
    action: String,
    at: Timestamp,
    elapsed_ns: u64,
    plugin: Plugin,
    exit: Option<Exit>,
    test_run_id: Option<String>,
    call_id: Option<String>,
    operation: Option<String>,
    status: Option<Status>,
    field: Option<String>,
    #[serde(default)]
    missing_capabilities: Vec<String>,
    #[serde(default)]
    stderr_tail: Vec<String>,
    #[serde(default)]
    stdout_tail: Vec<String>,
    #[serde(default)]
    last_records: Vec<Map<String, Value>>,
    #[serde(default)]
    test_records: Vec<Map<String, Value>>,
    run_folder: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Plugin {
    name: String,
    version: Option<String>,
    plugin_instance_id: Option<String>,
    executable: Option<String>,
}

#[derive(Deserialize)]
struct Status {
    code: String,
    #[serde(default)]
    message: String,
}

fn status_text(code: &str, message: &str) -> String {
    if message.is_empty() {
        code.to_owned()
    } else {
        format!("{code}: {message}")
    }
}

#[derive(Deserialize)]
struct Exit {
    code: Option<i64>,
    signal: Option<i32>,
}
