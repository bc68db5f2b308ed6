//! One call as a test framework makes it, and what it gets.

use std::sync::Arc;
use std::time::Duration;

use plugobs_core::{CallId, CallIdentity, Text};
use serde_json::{Map, Value as Json};
use tokio::sync::watch;
use uuid::Uuid;

use super::plugin::PluginInner;
use super::test::Test;
use crate::failure::PluginFailure;
use crate::interface::{Request, Response};
use crate::test_run::TestRun;

/// How one call is to be made.
#[derive(Clone, Default)]
pub struct CallOptions {
    /// The test for which it is made. `None`: the test of the scope
    /// ([`TestRun::current`]), or that of the mock server which it names.
    pub test: Option<Test>,
    /// How long it may take; the driver's setting by default.
    pub timeout: Option<Duration>,
    /// More members of `testContext`; `testRunId` is the driver's.
    pub test_context: Map<String, Json>,
}

impl CallOptions {
    /// A call for this test.
    pub fn for_test(test: &Test) -> Self {
        Self {
            test: Some(test.clone()),
            ..Self::default()
        }
    }
}

/// Whether all records of a call are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Completeness {
    /// Every record emitted up to the response is stored or counted.
    Complete,
    /// The plugin does not say how far its log had come.
    Unknown,
    /// Some had not arrived when the wait ended.
    Incomplete,
}

impl Completeness {
    /// `complete`, `unknown` or `incomplete`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Unknown => "unknown",
            Self::Incomplete => "incomplete",
        }
    }
}

/// What is known of a call once its records are in.
#[derive(Debug, Clone)]
pub struct CallReport {
    /// The call.
    pub call_id: CallId,
    /// Whether all of its records are there.
    pub completeness: Completeness,
}

/// What a call gave.
pub struct CallReturn {
    /// The call.
    pub call_id: CallId,
    /// The answer.
    pub result: Result<Response, PluginFailure>,
    report: ReportWait,
}

pub(crate) type ReportWait = watch::Receiver<Option<CallReport>>;

impl CallReturn {
    /// Waits until the call's records are in, at most 250 ms after its
    /// response. `None` where the driver ended first.
    pub async fn report(&self) -> Option<CallReport> {
        wait_report(self.report.clone()).await
    }
}

pub(crate) async fn wait_report(mut wait: ReportWait) -> Option<CallReport> {
    wait.wait_for(Option::is_some).await.ok()?.clone()
}

/// Makes one call for a test framework.
pub(crate) async fn call(
    plugin: &Arc<PluginInner>,
    request: Request,
    options: CallOptions,
) -> CallReturn {
    let call_id = CallId::from(Uuid::now_v7());
    let (closed, report) = watch::channel(None);
    let Some(driver) = plugin.driver.upgrade() else {
        return CallReturn {
            call_id,
            result: Err(PluginFailure::of_ended_driver(&plugin.manifest)),
            report,
        };
    };
    if let Some(failure) = plugin.ended() {
        return CallReturn {
            call_id,
            result: Err(failure),
            report,
        };
    }
    let test_run_id = match &options.test {
        Some(test) => Some(test.id().to_owned()),
        // The scope is the caller's: it is looked at before the work moves to
        // the driver's runtime.
        None => match TestRun::current() {
            Some(run) => Some(driver.begin_in_scope(run)),
            None => plugin.test_of_mock_server(&request),
        },
    };
    if let Some(test) = test_run_id
        .as_deref()
        .and_then(|id| driver.hub.tests.get(id))
    {
        test.expect_report(report.clone());
    }
    let identity = CallIdentity {
        test_run_id: test_run_id.map(Text::from),
        call_id: Some(call_id.as_str().into()),
        ..CallIdentity::default()
    };
    let timeout = options.timeout.unwrap_or(driver.settings.call_timeout);
    let (theirs, id) = (plugin.clone(), call_id.clone());
    let result = driver
        .on_runtime(async move {
            let made = theirs
                .make(&identity, options.test_context, request, timeout)
                .await;
            let result = theirs.judge(&identity, &made).await;
            theirs.close_report(identity, id, made.reply.position, closed);
            result
        })
        .await;
    CallReturn {
        call_id,
        result,
        report,
    }
}
