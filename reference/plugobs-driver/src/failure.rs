//! How a plugin failed: one typed report for people, files and programs
//! (`spec/failures.md`, `schemas/failure.schema.json`).

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use plugobs_core::registry::FailureCode;
use plugobs_core::{Record, Timestamp};
use serde::Serialize;

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Exit {
    /// Its exit code, where it ended by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<i32>,
    /// The signal that ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code, self.signal) {
            (Some(code), _) => write!(f, "exit code {code}"),
            (None, Some(signal)) => write!(f, "signal {signal}"),
            (None, None) => f.write_str("an unknown exit status"),
        }
    }
}

/// The error status with which a plugin answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// The gRPC code's name.
    pub code: String,
    /// What the plugin says.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// The plugin that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FailedPlugin {
    /// Its name, as asked for or by its manifest.
    pub name: String,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The instance, once there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin_instance_id: Option<String>,
    /// What was started, or was to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub executable: Option<String>,
}

/// The report. Its `Display` is what a person reads first: what happened to
/// which plugin, how it ended, and what to do.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FailureReport {
    /// From the closed registry `errors`.
    #[serde(serialize_with = "code_as_text")]
    pub code: FailureCode,
    /// `find`, `spawn`, `handshake`, `connect`, `init`, `call` or `stop`.
    pub stage: String,
    /// What happened, in one line.
    pub message: String,
    /// What to do about it.
    pub action: String,
    /// When.
    pub at: Timestamp,
    /// Nanoseconds from the beginning of the stage.
    pub elapsed_ns: u64,
    /// Who.
    pub plugin: FailedPlugin,
    /// How the process ended, where it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit: Option<Exit>,
    /// What the plugin, or the transport, answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// The manifest's member that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What the plugin needs and the driver lacks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing_capabilities: Vec<String>,
    /// The test whose call failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_run_id: Option<String>,
    /// The call that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_id: Option<String>,
    /// The operation that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The last lines of standard error, oldest first.
    pub stderr_tail: Vec<String>,
    /// The last lines of standard output other than the handshake.
    pub stdout_tail: Vec<String>,
    /// The instance's last records, oldest first.
    pub last_records: Vec<Record>,
    /// The test's last records, of all instances, oldest first.
    pub test_records: Vec<Record>,
    /// Where the run's files are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_folder: Option<PathBuf>,
}

fn code_as_text<S: serde::Serializer>(
    code: &FailureCode,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(code.as_str())
}

impl FailureReport {
    /// A report with what every failure has; stage and action are those of the
    /// code. The rest is left out, to be filled in where it is known.
    pub fn new(
        code: FailureCode,
        plugin: FailedPlugin,
        message: &str,
        at: Timestamp,
        elapsed_ns: u64,
    ) -> Self {
        Self {
            code,
            stage: code.stage().to_owned(),
            message: message.to_owned(),
            action: code.action().to_owned(),
            at,
            elapsed_ns,
            plugin,
            exit: None,
            status: None,
            field: None,
            missing_capabilities: Vec::new(),
            test_run_id: None,
            call_id: None,
            operation: None,
            stderr_tail: Vec::new(),
            stdout_tail: Vec::new(),
            last_records: Vec::new(),
            test_records: Vec::new(),
            run_folder: None,
        }
    }
}

impl fmt::Display for FailureReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = plugobs_core::sanitise::line;
        write!(f, "plugin {}", line(&self.plugin.name))?;
        if let Some(version) = &self.plugin.version {
            write!(f, " {}", line(version))?;
        }
        write!(
            f,
            " failed ({}): {}",
            self.code.as_str(),
            line(&self.message)
        )?;
        if let Some(exit) = &self.exit {
            write!(f, "; the process ended with {exit}")?;
        }
        write!(f, "\n{}", self.action)?;
        if let Some(folder) = &self.run_folder {
            write!(f, "\nThe run is in {}", folder.display())?;
        }
        for text in &self.stderr_tail {
            write!(f, "\n  stderr: {}", line(text))?;
        }
        Ok(())
    }
}

/// A plugin failed.
///
/// It is cheap to clone, because several waiters may learn of one failure.
#[derive(Debug, Clone)]
pub struct PluginFailure(Arc<FailureReport>);

impl PluginFailure {
    pub(crate) fn new(report: Arc<FailureReport>) -> Self {
        Self(report)
    }

    /// For a plugin that is still held when its driver has gone.
    pub(crate) fn of_ended_driver(manifest: &crate::manifest::Manifest) -> Self {
        let message = "the driver of this plugin has ended";
        let action = "Keep the driver for as long as its plugins are called.";
        Self::without_run(manifest, message, action)
    }

    /// For a call of an instance that was asked to stop (OBS-FAIL-12).
    pub(crate) fn of_stopped(manifest: &crate::manifest::Manifest) -> Self {
        let message = "this instance was stopped before the call";
        let action = "Load the plugin again for more calls.";
        Self::without_run(manifest, message, action)
    }

    /// A call that was never made: the run does not speak of it.
    fn without_run(manifest: &crate::manifest::Manifest, message: &str, action: &str) -> Self {
        let code = FailureCode::ConnectionLost;
        Self::new(Arc::new(FailureReport {
            code,
            stage: code.stage().to_owned(),
            message: message.to_owned(),
            action: action.to_owned(),
            at: Timestamp::default(),
            elapsed_ns: 0,
            plugin: FailedPlugin {
                name: manifest.name.clone(),
                version: Some(manifest.version.to_string()),
                plugin_instance_id: None,
                executable: None,
            },
            exit: None,
            status: None,
            field: None,
            missing_capabilities: Vec::new(),
            test_run_id: None,
            call_id: None,
            operation: None,
            stderr_tail: Vec::new(),
            stdout_tail: Vec::new(),
            last_records: Vec::new(),
            test_records: Vec::new(),
            run_folder: None,
        }))
    }

    /// The whole report.
    pub fn report(&self) -> &Arc<FailureReport> {
        &self.0
    }

    /// What kind of failure it is.
    pub fn code(&self) -> FailureCode {
        self.0.code
    }
}

impl fmt::Display for PluginFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for PluginFailure {}
