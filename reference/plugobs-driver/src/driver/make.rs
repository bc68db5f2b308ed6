//! The making of a call: its identity, and both of its ends in the timeline.

use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};

use plugobs_core::registry::{FailureCode, attribute, channel, event};
use plugobs_core::{CallId, CallIdentity, Record, Severity};
use serde_json::{Map, Value as Json};
use tokio::sync::watch;
use uuid::Uuid;

use super::Inner;
use super::load::nanos;
use super::plugin::PluginInner;
use crate::failure::PluginFailure;
use crate::intake::attribution::Issued;
use crate::intake::hub::DRIVER_TARGET;
use crate::intake::instance::lock;
use crate::interface::{Request, Response};
use crate::transport::{CallError, OutgoingCall, Reply};

/// A call that was made.
pub(crate) struct Made {
    pub(crate) reply: Reply,
    pub(crate) operation: &'static str,
    pub(crate) started: Instant,
    pub(crate) duration: Duration,
}

impl PluginInner {
    /// A call of the driver's own, such as `InitPlugin`; on its runtime.
    pub(crate) async fn raw_call(
        self: &Arc<Self>,
        identity: &CallIdentity,
        request: Request,
    ) -> Result<Response, PluginFailure> {
        let Some(driver) = self.driver.upgrade() else {
            return Err(PluginFailure::of_ended_driver(&self.manifest));
        };
        if let Some(failure) = self.ended() {
            return Err(failure);
        }
        let timeout = driver.settings.call_timeout;
        let made = self.make(identity, Map::new(), request, timeout).await;
        let result = self.judge(identity, &made).await;
        if let Some(call_id) = identity
            .call_id
            .as_deref()
            .and_then(|id| CallId::parse(id).ok())
        {
            // Nobody waits for the report: it is for the timeline.
            let (closed, _) = watch::channel(None);
            self.close_report(identity.clone(), call_id, made.reply.position, closed);
        }
        result
    }

    /// A call nested in another plugin's.
    pub(crate) async fn nested_call(
        self: &Arc<Self>,
        mut identity: CallIdentity,
        test_context: Map<String, Json>,
        request: Request,
    ) -> Result<Response, CallError> {
        let call_id = CallId::from(Uuid::now_v7());
        identity.call_id = Some(call_id.as_str().into());
        let timeout = match self.driver.upgrade() {
            Some(driver) => driver.settings.call_timeout,
            None => return Err(CallError::Connection("the driver has ended".to_owned())),
        };
        if let Some(failure) = self.ended() {
            return Err(CallError::Connection(failure.report().message.clone()));
        }
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
    pub(crate) async fn make(
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
        self.calls_in_flight.send_modify(|calls| *calls += 1);
        // `close_report` takes this back.
        self.open_reports.send_modify(|open| *open += 1);
        if let Some(call) = identity
            .call_id
            .as_deref()
            .and_then(|c| CallId::parse(c).ok())
        {
            self.issued().call(call, identity.test_run_id.as_deref());
        }
        // Whatever the caller put there: the identity is the driver's to say.
        test_context.remove("testRunId");
        if let Some(id) = &identity.test_run_id {
            test_context.insert("testRunId".to_owned(), id.as_str().into());
            self.state.hub.tests.describe(id, &mut test_context);
        }
        let mut begin = self.call_record(identity, event::CALL_BEGIN, operation, operation);
        if let Some(parent) = &identity.parent_call_id {
            begin = begin.with(attribute::CALL_PARENT_ID, parent.as_str());
        }
        self.state.driver_record(begin);
        let call = OutgoingCall {
            identity: identity.clone(),
            test_context,
            request,
            timeout,
        };
        let reply = self.connection.call(call).await;
        self.after(identity, &reply);
        Made {
            reply,
            operation,
            started,
            duration: started.elapsed(),
        }
    }

    fn issued(&self) -> MutexGuard<'_, Issued> {
        lock(&self.state.issued)
    }

    /// The test whose mock server the request names.
    pub(crate) fn test_of_mock_server(&self, request: &Request) -> Option<String> {
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
                .mock_server(key.clone(), identity.test_run_id.clone().map(String::from)),
            Ok(Response::Verified(verification)) => {
                for line in &verification.output {
                    let now = self.state.hub.now();
                    let mut record = Record::new(now, Severity::INFO, "plugobs.verification", line);
                    if record.message.is_empty() {
                        continue;
                    }
                    record.channel = channel::USER.into();
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

    /// The call's end, with the code of its failure where it has one.
    pub(crate) fn record_end_of_call(
        &self,
        identity: &CallIdentity,
        made: &Made,
        failure: Option<FailureCode>,
    ) {
        let outcome = match &made.reply.result {
            Ok(response) => response.outcome(),
            Err(_) => "error",
        };
        let duration = made.duration;
        let text = format!("{} {outcome} after {duration:.1?}", made.operation);
        let mut record = self
            .call_record(identity, event::CALL_END, made.operation, &text)
            .with(attribute::CALL_DURATION_NS, nanos(duration))
            .with(attribute::CALL_OUTCOME, outcome);
        if let Some(code) = failure {
            record = record.with(attribute::CALL_ERROR, code.as_str());
            record.set_level("ERROR", Some(Severity::ERROR));
        }
        if let Some(text) = made
            .reply
            .result
            .as_ref()
            .ok()
            .and_then(Response::error_text)
        {
            record = record.with(attribute::CALL_ERROR, text);
        }
        if let Some(position) = made.reply.position {
            record = record.with(attribute::CALL_LAST_SEQUENCE, position.sequence);
            record.epoch = Some(position.epoch);
        }
        self.state.driver_record(record);
    }
}

impl Inner {
    /// Writes a record about a test into the timeline.
    pub(crate) fn test_record(&self, id: &str, event: &str, message: &str) -> Record {
        let mut record = Record::lifecycle(self.hub.now(), DRIVER_TARGET, event, message);
        record.test_run_id = Some(id.into());
        record
    }
}
