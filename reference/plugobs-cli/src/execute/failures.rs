//! Every failure of the run, also of a plugin that nobody was calling.

use std::sync::{Arc, Mutex, PoisonError};

use plugobs_driver::FailureReport;
use plugobs_driver::sink::{Sink, SinkError, SinkEvent};

use super::result::TestResult;

/// The sink; its [`Failures`] read it.
pub(super) struct FailureSink(Failures);

/// The failures so far.
#[derive(Clone, Default)]
pub(super) struct Failures(Arc<Mutex<Vec<Arc<FailureReport>>>>);

impl FailureSink {
    pub(super) fn new() -> (Self, Failures) {
        let failures = Failures::default();
        (Self(failures.clone()), failures)
    }
}

impl Sink for FailureSink {
    fn name(&self) -> &str {
        "failures"
    }

    fn accept(&mut self, event: &SinkEvent) -> Result<(), SinkError> {
        if let SinkEvent::Failure(report) = event {
            self.0.lock().push(report.clone());
        }
        Ok(())
    }
}

impl Failures {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<FailureReport>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All but those that a call of the plan expects.
    pub(super) fn unexpected(&self, tests: &[TestResult]) -> Vec<Arc<FailureReport>> {
        let expected: Vec<_> = tests
            .iter()
            .flat_map(|test| &test.calls)
            .filter(|call| call.is_as_expected())
            .filter_map(|call| call.call_id.as_deref())
            .collect();
        let is_expected = |report: &Arc<FailureReport>| {
            report
                .call_id
                .as_deref()
                .is_some_and(|id| expected.contains(&id))
        };
        let mut failures = self.lock().clone();
        failures.retain(|report| !is_expected(report));
        failures
    }
}
