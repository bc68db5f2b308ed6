//! What came of a plan.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use plugobs_driver::info::InstanceInfo;
use plugobs_driver::interface::Mismatch;
use plugobs_driver::sink::SinkLoss;
use plugobs_driver::{FailureReport, PluginFailure, TestReport};

use crate::exit::Exit;
use crate::plan::{Expect, PlannedTest};

/// What came of a whole plan.
pub(crate) struct RunResult {
    pub(crate) run_id: String,
    pub(crate) folder: PathBuf,
    pub(crate) plugins: Vec<PluginResult>,
    pub(crate) tests: Vec<TestResult>,
    /// Failures of plugins, but for those that a call of the plan expects.
    pub(crate) failures: Vec<Arc<FailureReport>>,
    pub(crate) losses: Vec<SinkLoss>,
    pub(crate) duration: Duration,
}

impl RunResult {
    /// What the run says by its exit code.
    pub(crate) fn exit(&self) -> Exit {
        if !self.failures.is_empty() {
            Exit::PluginFailed
        } else if self
            .tests
            .iter()
            .all(|test| test.outcome() == Outcome::Passed)
        {
            Exit::Success
        } else {
            Exit::Found
        }
    }
}

/// What came of starting one of the plan's plugins.
pub(crate) struct PluginResult {
    /// By the plan.
    pub(crate) id: String,
    /// By the plan.
    pub(crate) name: String,
    pub(crate) loaded: Result<InstanceInfo, PluginFailure>,
}

/// What came of one test.
pub(crate) struct TestResult {
    pub(crate) name: String,
    pub(crate) suite: Option<String>,
    pub(crate) calls: Vec<CallResult>,
    /// `None`: it was not run.
    pub(crate) report: Option<TestReport>,
}

/// How a test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Every call ended as the plan expects.
    Passed,
    /// One did not.
    Failed,
    /// A plugin failed in it.
    Errored,
    /// It was not run.
    NotRun,
}

impl Outcome {
    /// As records and JSON have it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Errored => "errored",
            Self::NotRun => "not_run",
        }
    }

    pub(super) fn of(calls: &[CallResult]) -> Self {
        if calls.iter().all(CallResult::is_as_expected) {
            Self::Passed
        } else if calls.iter().any(CallResult::is_plugin_failure) {
            Self::Errored
        } else {
            Self::Failed
        }
    }
}

impl TestResult {
    pub(super) fn not_run(planned: &PlannedTest) -> Self {
        Self {
            name: planned.name.clone(),
            suite: planned.suite.clone(),
            calls: Vec::new(),
            report: None,
        }
    }

    pub(crate) fn outcome(&self) -> Outcome {
        match self.report {
            None => Outcome::NotRun,
            Some(_) => Outcome::of(&self.calls),
        }
    }
}

/// What came of one call.
pub(crate) struct CallResult {
    /// The plugin's place in the plan.
    pub(crate) plugin: usize,
    /// The deployed name of the operation.
    pub(crate) operation: &'static str,
    pub(crate) expect: Expect,
    /// `None` where it was not made.
    pub(crate) call_id: Option<String>,
    pub(crate) came: Came,
}

/// What a call gave.
pub(crate) enum Came {
    /// An answer without mismatch or error.
    Ok,
    /// An answer that names mismatches.
    Mismatch(Vec<Found>),
    /// An answer that is the plugin's own error.
    Error(String),
    /// No answer.
    Failure(PluginFailure),
    /// The call was not made, because an earlier one gave nothing to make it of.
    NotMade,
}

/// One mismatch, at a path.
pub(crate) struct Found {
    pub(crate) path: String,
    pub(crate) mismatch: Mismatch,
}

impl CallResult {
    /// `ok`, `mismatch`, `error`, `failure` or `not_made`.
    pub(crate) fn outcome(&self) -> &'static str {
        match self.came {
            Came::Ok => "ok",
            Came::Mismatch(_) => "mismatch",
            Came::Error(_) => "error",
            Came::Failure(_) => "failure",
            Came::NotMade => "not_made",
        }
    }

    pub(crate) fn is_as_expected(&self) -> bool {
        match (&self.came, self.expect) {
            (Came::Ok, Expect::Match)
            | (Came::Mismatch(_), Expect::Mismatch)
            | (Came::Error(_), Expect::Error) => true,
            (Came::Failure(failure), Expect::Error) => is_own_error(failure),
            _ => false,
        }
    }

    fn is_plugin_failure(&self) -> bool {
        matches!(self.came, Came::Failure(_)) && !self.is_as_expected()
    }
}

/// Some operations have no field for an error: their plugin answers with an
/// error status instead.
fn is_own_error(failure: &PluginFailure) -> bool {
    failure.code() == plugobs_core::registry::FailureCode::CallFailed
}
