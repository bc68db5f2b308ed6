//! What a call came to: an answer or a failure, and whether its records are in.

use std::sync::Arc;
use std::time::{Duration, Instant};

use plugobs_core::registry::{FailureCode, attribute, event, limit};
use plugobs_core::{CallId, CallIdentity, LogPosition, Record, Severity};
use tokio::sync::watch;

use super::call::{CallReport, Completeness};
use super::make::Made;
use super::plugin::PluginInner;
use super::report::{Details, Failed};
use crate::failure::{PluginFailure, Status};
use crate::intake::hub::DRIVER_TARGET;
use crate::interface::Response;
use crate::transport::CallError;

/// Without an answer to this one there is no plugin (OBS-FAIL-08).
const INIT: &str = "InitPlugin";

/// A call that is being made, for the report of a crash.
pub(crate) struct InFlight<'a> {
    pub(crate) identity: &'a CallIdentity,
    pub(crate) operation: &'static str,
    pub(crate) started: Instant,
}

impl PluginInner {
    /// An answer, or the report of why there is none.
    pub(crate) async fn judge(
        self: &Arc<Self>,
        identity: &CallIdentity,
        made: &Made,
    ) -> Result<Response, PluginFailure> {
        let result = match &made.reply.result {
            Ok(response) => Ok(response.clone()),
            Err(error) => Err(self.failure_of(identity, made, error).await),
        };
        // Only now is it known what a failure is (OBS-LIFE-22).
        let code = result.as_ref().err().map(|failure| failure.report().code);
        self.record_end_of_call(identity, made, code);
        // From here on a crash is nobody's call's.
        self.calls_in_flight.send_modify(|calls| *calls -= 1);
        result
    }

    async fn failure_of(
        self: &Arc<Self>,
        identity: &CallIdentity,
        made: &Made,
        error: &CallError,
    ) -> PluginFailure {
        let in_flight = InFlight {
            identity,
            operation: made.operation,
            started: made.started,
        };
        if let (CallError::Connection(_), false) = (error, self.is_stopping()) {
            let mut exit = self.connection.exit();
            let ended = tokio::time::timeout(
                limit::OUTPUT_DRAIN_WAIT_DEFAULT,
                exit.wait_for(Option::is_some),
            )
            .await;
            if let Some(exit) = ended.ok().and_then(Result::ok).and_then(|exit| *exit) {
                return self.crash(exit, Some(&in_flight));
            }
        }
        let Some(driver) = self.driver.upgrade() else {
            return PluginFailure::of_ended_driver(&self.manifest);
        };
        let failure = driver.fail(Failed {
            code: Self::failure_code(made.operation, error),
            message: format!("{}: {error}", made.operation),
            elapsed: made.started.elapsed(),
            name: &self.manifest.name,
            details: Details {
                status: match error {
                    CallError::Status { code, message } => Some(Status {
                        code: code.clone(),
                        message: message.clone(),
                    }),
                    _ => None,
                },
                identity: Some(identity),
                operation: Some(made.operation),
                ..self.details()
            },
        });
        if let CallError::Trapped(_) = error {
            // The instance has ended with it, and needs no other report.
            let _ = self.crashed.set(failure.clone());
        }
        failure
    }

    /// The registry's code of a call's error.
    fn failure_code(operation: &str, error: &CallError) -> FailureCode {
        match error {
            CallError::Trapped(_) => FailureCode::Trapped,
            _ if operation == INIT => FailureCode::InitRefused,
            CallError::Timeout(_) => FailureCode::CallTimeout,
            CallError::Connection(_) => FailureCode::ConnectionLost,
            CallError::Status { .. } | CallError::NotInInterface { .. } => FailureCode::CallFailed,
        }
    }

    /// Closes the call's report once its records are in, beside the caller.
    pub(crate) fn close_report(
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
                format!("logs {}", completeness.as_str()),
            )
            .with(attribute::CALL_COMPLETENESS, completeness.as_str());
            record.test_run_id = identity.test_run_id;
            record.call_id = identity.call_id;
            if completeness == Completeness::Incomplete {
                record.set_level("WARN", Some(Severity::WARN));
            }
            plugin.state.driver_record(record);
            plugin.open_reports.send_modify(|open| *open -= 1);
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
                if self.manifest.interface_version > 1 {
                    // From an instance that has ended nothing more comes.
                    let mut exit = self.connection.exit();
                    let _ = tokio::time::timeout(wait, exit.wait_for(Option::is_some)).await;
                }
                Completeness::Unknown
            }
        }
    }
}
