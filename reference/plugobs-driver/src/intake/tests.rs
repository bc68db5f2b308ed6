//! The tests of a run: which are active, and what their reports need.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use plugobs_core::Record;
use plugobs_core::registry::channel;

use serde_json::{Map, Value as Json};

use crate::driver::call::ReportWait;
use crate::info::TestInfo;

/// User messages kept for a test's report; all of them are with the sinks.
const MAX_USER_MESSAGES: usize = 1000;

/// All tests that a driver was told of, by ID.
#[derive(Default)]
pub(crate) struct Tests(Mutex<HashMap<String, Arc<TestState>>>);

/// One test.
pub(crate) struct TestState {
    pub(crate) ended: AtomicBool,
    pub(crate) info: Mutex<TestInfo>,
    seen: Mutex<Seen>,
    reports: Mutex<Vec<ReportWait>>,
}

/// What a test's report is made of.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    pub(crate) user_messages: Vec<Record>,
    /// TRACE, DEBUG, INFO, WARN, ERROR.
    pub(crate) by_level: [u64; 5],
}

impl Tests {
    /// A test that begins. The same ID again is another attempt under one
    /// name: records cannot be told apart, so it is the same test.
    pub(crate) fn begin(&self, info: TestInfo) -> Arc<TestState> {
        let id = info.test_run_id.clone();
        let test = Arc::new(TestState {
            ended: AtomicBool::new(false),
            info: Mutex::new(info),
            seen: Mutex::default(),
            reports: Mutex::default(),
        });
        self.lock().insert(id, test.clone());
        test
    }

    pub(crate) fn get(&self, id: &str) -> Option<Arc<TestState>> {
        self.lock().get(id).cloned()
    }

    pub(crate) fn has_ended(&self, id: &str) -> bool {
        self.get(id)
            .is_some_and(|test| test.ended.load(Ordering::Acquire))
    }

    /// Adds what is known of the test to a call's `testContext`.
    pub(crate) fn describe(&self, id: &str, context: &mut Map<String, Json>) {
        let Some(test) = self.get(id) else { return };
        let info = test.info.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, value) in [
            ("test.case.name", &info.case_name),
            ("test.suite.name", &info.suite_name),
        ] {
            if let Some(value) = value {
                // What the caller gave stays (OBS-GRPC-08).
                let member = context.entry(key.to_owned());
                member.or_insert_with(|| value.as_str().into());
            }
        }
    }

    /// Books records under their tests.
    pub(crate) fn observe(&self, records: &[Record]) {
        // A batch is mostly of one test: look it up once a run of equals.
        for run in records.chunk_by(|a, b| a.test_run_id == b.test_run_id) {
            let id = run.first().and_then(|record| record.test_run_id.as_ref());
            if let Some(test) = id.and_then(|id| self.get(id)) {
                test.observe(run);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<TestState>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TestState {
    fn observe(&self, records: &[Record]) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for record in records {
            if record.channel == channel::USER {
                if seen.user_messages.len() < MAX_USER_MESSAGES {
                    seen.user_messages.push(record.clone());
                }
            } else if !record.is_from_driver() {
                seen.by_level[level_index(record)] += 1;
            }
        }
    }

    /// A call was made for the test, whose records are awaited at its end.
    pub(crate) fn expect_report(&self, report: ReportWait) {
        let mut reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        reports.retain(|wait| wait.borrow().is_none());
        reports.push(report);
    }

    /// The reports that are awaited.
    pub(crate) fn take_reports(&self) -> Vec<ReportWait> {
        std::mem::take(&mut self.reports.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn seen(&self) -> Seen {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// 0 for TRACE to 4 for ERROR and above.
pub(crate) fn level_index(record: &Record) -> usize {
    usize::from((record.severity.number() - 1) / 4).min(4)
}
