//! One call: its identity, its timeline, its report.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use plugobs_core::registry::{FailureCode, attribute, channel, event};
use plugobs_core::{CallId, CallIdentity, LogPosition, Record, Severity};
use serde_json::{Map, Value as Json};
use tokio::sync::watch;
use uuid::Uuid;

use super::Inner;
use super::load::nanos;
use super::plugin::PluginInner;
use super::report::Failed;
use super::test::Test;
use crate::failure::PluginFailure;
use crate::intake::hub::DRIVER_TARGET;
use crate::interface::{Request, Response};
use crate::test_run::TestRun;
use crate::transport::{CallError, OutgoingCall, Reply};

/// How long the driver waits, once a connection broke, to learn whether the
/// process ended.
const EXIT_WAIT: Duration = Duration::from_secs(1);

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

/// A call that is being made, for the report of a crash.
pub(crate) struct InFlight<'a> {
    pub(crate) identity: &'a CallIdentity,
    pub(crate) operation: &'static str,
    pub(crate) started: Instant,
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
    let test_run_id = match &options.test {
        Some(test) => Some(test.id().to_owned()),
        // The scope is the caller's: it is looked at before the work moves to
        // the driver's runtime.
        None => TestRun::current()
            .map(|run| run.id)
            .or_else(|| plugin.test_of_mock_server(&request)),
    };
    if let Some(test) = test_run_id
        .as_deref()
        .and_then(|id| driver.hub.tests.get(id))
    {
        test.expect_report(report.clone());
    }
    let identity = CallIdentity {
        test_run_id,
        call_id: Some(call_id.to_string()),
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

/// A call that was made.
pub(crate) struct Made {
    pub(crate) reply: Reply,
    operation: &'static str,
    started: Instant,
}

impl PluginInner {
    /// A call of the driver's own, such as `InitPlugin`; on its runtime.
    pub(crate) async fn raw_call(
        self: &Arc<Self>,
        mut identity: CallIdentity,
        request: Request,
    ) -> Result<Response, PluginFailure> {
        let Some(driver) = self.driver.upgrade() else {
            return Err(PluginFailure::of_ended_driver(&self.manifest));
        };
        identity.call_id = Some(Uuid::now_v7().to_string());
        let timeout = driver.settings.call_timeout;
        let made = self.make(&identity, Map::new(), request, timeout).await;
        self.judge(&identity, &made).await
    }

    /// A call nested in another plugin's.
    pub(crate) async fn nested_call(
        self: &Arc<Self>,
        mut identity: CallIdentity,
        test_context: Map<String, Json>,
        request: Request,
    ) -> Result<Response, CallError> {
        let call_id = CallId::from(Uuid::now_v7());
        identity.call_id = Some(call_id.to_string());
        let timeout = match self.driver.upgrade() {
            Some(driver) => driver.settings.call_timeout,
            None => return Err(CallError::Connection("the driver has ended".to_owned())),
        };
        let (closed, report) = watch::channel(None);
        let test = identity.test_run_id.as_deref();
        if let Some(test) = test.and_then(|id| self.state.hub.tests.get(id)) {
            test.expect_report(report);
        }
        let made = self.make(&identity, test_context, request, timeout).await;
        let _ = self.judge(&identity, &made).await;
        self.close_report(identity, call_id, made.reply.position, closed);
        made.reply.result
    }

    /// Issues the identity, sends the request and writes both ends of the call
    /// into the timeline.
    async fn make(
        self: &Arc<Self>,
        identity: &CallIdentity,
        mut test_context: Map<String, Json>,
        request: Request,
        timeout: Duration,
    ) -> Made {
        let operation = request.operation();
        let started = Instant::now();
        // `judge` takes it back, once a crash in between has been reported
        // with this call in it.
        self.calls_in_flight.fetch_add(1, Ordering::AcqRel);
        if let Some(call) = identity
            .call_id
            .as_deref()
            .and_then(|c| CallId::parse(c).ok())
        {
            self.issued().call(call, identity.test_run_id.as_deref());
        }
        if let Some(id) = &identity.test_run_id {
            test_context.insert("testRunId".to_owned(), id.as_str().into());
            self.state.hub.tests.describe(id, &mut test_context);
        }
        let mut begin = self.call_record(identity, event::CALL_BEGIN, operation, operation);
        if let Some(parent) = &identity.parent_call_id {
            begin = begin.with(attribute::CALL_PARENT_ID, parent.as_str());
        }
        self.state.driver_record(begin);
        let reply = match self.crashed.get() {
            Some(crash) => Reply {
                result: Err(CallError::Connection(crash.report().message.clone())),
                position: None,
            },
            None => {
                let call = OutgoingCall {
                    identity: identity.clone(),
                    test_context,
                    request,
                    timeout,
                };
                self.connection.call(call).await
            }
        };
        self.after(identity, &reply);
        let made = Made {
            reply,
            operation,
            started,
        };
        self.record_end_of_call(identity, &made);
        made
    }

    fn issued(&self) -> std::sync::MutexGuard<'_, crate::intake::attribution::Issued> {
        self.state
            .issued
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The test whose mock server the request names.
    fn test_of_mock_server(&self, request: &Request) -> Option<String> {
        match request {
            Request::ShutdownMockServer { server_key }
            | Request::GetMockServerResults { server_key } => {
                self.issued().test_of_mock_server(server_key)
            }
            _ => None,
        }
    }

    /// What an answer means to the driver: a mock server belongs to its test,
    /// and a verification's output is for the person who reads the result.
    fn after(&self, identity: &CallIdentity, reply: &Reply) {
        match &reply.result {
            Ok(Response::MockServerStarted { key, .. }) => self
                .issued()
                .mock_server(key.clone(), identity.test_run_id.clone()),
            Ok(Response::Verified(verification)) => {
                for line in &verification.output {
                    let now = self.state.hub.now();
                    let mut record = Record::new(now, Severity::INFO, "plugobs.verification", line);
                    if record.message.is_empty() {
                        continue;
                    }
                    record.channel = channel::USER.to_owned();
                    record.test_run_id.clone_from(&identity.test_run_id);
                    record.call_id.clone_from(&identity.call_id);
                    self.state.driver_record(record);
                }
            }
            _ => {}
        }
    }

    fn call_record(
        &self,
        identity: &CallIdentity,
        event: &str,
        operation: &str,
        message: &str,
    ) -> Record {
        let mut record = Record::lifecycle(self.state.hub.now(), DRIVER_TARGET, event, message)
            .with(attribute::CALL_OPERATION, operation);
        record.test_run_id.clone_from(&identity.test_run_id);
        record.call_id.clone_from(&identity.call_id);
        record
    }

    fn record_end_of_call(&self, identity: &CallIdentity, made: &Made) {
        let outcome = match &made.reply.result {
            Ok(response) => response.outcome(),
            Err(CallError::Timeout(_)) => "timeout",
            Err(_) => "error",
        };
        let duration = made.started.elapsed();
        let text = format!("{} {outcome} after {duration:.1?}", made.operation);
        let mut record = self
            .call_record(identity, event::CALL_END, made.operation, &text)
            .with(attribute::CALL_DURATION_NS, nanos(duration))
            .with(attribute::CALL_OUTCOME, outcome);
        if let Err(error) = &made.reply.result {
            record = record.with(attribute::CALL_ERROR, error.to_string());
            record.set_level("ERROR", Some(Severity::ERROR));
        }
        if let Some(position) = made.reply.position {
            record = record.with(attribute::CALL_LAST_SEQUENCE, position.sequence);
        }
        self.state.driver_record(record);
    }

    /// An answer, or the report of why there is none.
    async fn judge(
        self: &Arc<Self>,
        identity: &CallIdentity,
        made: &Made,
    ) -> Result<Response, PluginFailure> {
        let result = match &made.reply.result {
            Ok(response) => Ok(response.clone()),
            Err(error) => Err(self.failure_of(identity, made, error).await),
        };
        // From here on a crash is nobody's call's.
        self.calls_in_flight.fetch_sub(1, Ordering::AcqRel);
        result
    }

    async fn failure_of(
        self: &Arc<Self>,
        identity: &CallIdentity,
        made: &Made,
        error: &CallError,
    ) -> PluginFailure {
        if let Some(crash) = self.crashed.get() {
            return crash.clone();
        }
        let in_flight = InFlight {
            identity,
            operation: made.operation,
            started: made.started,
        };
        if let CallError::Connection(_) = error {
            let mut exit = self.connection.exit();
            let ended = tokio::time::timeout(EXIT_WAIT, exit.wait_for(Option::is_some)).await;
            if let Some(exit) = ended.ok().and_then(Result::ok).and_then(|exit| *exit) {
                return self.crash(exit, Some(&in_flight));
            }
        }
        let Some(driver) = self.driver.upgrade() else {
            return PluginFailure::of_ended_driver(&self.manifest);
        };
        let code = match error {
            CallError::Timeout(_) => FailureCode::CallTimeout,
            CallError::Connection(_) => FailureCode::ConnectionLost,
            CallError::Trapped(_) => FailureCode::Trapped,
            CallError::Status { .. } | CallError::NotInInterface { .. } => FailureCode::CallFailed,
        };
        driver.fail(Failed {
            code,
            message: format!("{}: {error}", made.operation),
            elapsed: made.started.elapsed(),
            name: &self.manifest.name,
            version: Some(self.manifest.version.to_string()),
            instance: Some(&self.state),
            exit: None,
            identity: Some(identity),
            operation: Some(made.operation),
        })
    }

    /// Closes the call's report once its records are in, beside the caller.
    fn close_report(
        self: &Arc<Self>,
        identity: CallIdentity,
        call_id: CallId,
        position: Option<LogPosition>,
        closed: watch::Sender<Option<CallReport>>,
    ) {
        let plugin = self.clone();
        let wait = match self.driver.upgrade() {
            Some(driver) => driver.settings.logs_complete_wait,
            None => Duration::ZERO,
        };
        tokio::spawn(async move {
            let completeness = plugin.wait_for_logs(position, wait).await;
            let mut record = Record::lifecycle(
                plugin.state.hub.now(),
                DRIVER_TARGET,
                event::CALL_LOGS_COMPLETE,
                &format!("logs {}", completeness.as_str()),
            )
            .with(attribute::CALL_COMPLETENESS, completeness.as_str());
            record.test_run_id = identity.test_run_id;
            record.call_id = identity.call_id;
            if completeness == Completeness::Incomplete {
                record.set_level("WARN", Some(Severity::WARN));
            }
            plugin.state.driver_record(record);
            // Nobody may wait for it any more.
            let _ = closed.send(Some(CallReport {
                call_id,
                completeness,
            }));
        });
    }

    async fn wait_for_logs(&self, position: Option<LogPosition>, wait: Duration) -> Completeness {
        match position {
            Some(position) if self.state.wait_settled(position, wait).await => {
                Completeness::Complete
            }
            Some(_) => Completeness::Incomplete,
            // An interface 1 plugin has no log call whose records could be on
            // their way; a deployed interface 2 plugin's get the same time.
            None => {
                if self.manifest.interface_version > 1 && self.crashed.get().is_none() {
                    tokio::time::sleep(wait).await;
                }
                Completeness::Unknown
            }
        }
    }
}

impl Inner {
    /// Writes a record about a test into the timeline.
    pub(crate) fn test_record(&self, id: &str, event: &str, message: &str) -> Record {
        let mut record = Record::lifecycle(self.hub.now(), DRIVER_TARGET, event, message);
        record.test_run_id = Some(id.to_owned());
        record
    }
}
