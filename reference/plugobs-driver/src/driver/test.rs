//! A test as the driver sees it: from its beginning to its report.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use plugobs_core::Record;
use plugobs_core::registry::{attribute, event};

use super::Inner;
use super::call::{Completeness, wait_report};
use super::load::nanos;
use crate::info::TestInfo;
use crate::intake::tests::TestState;
use crate::test_run::TestRun;

/// A test run that has begun. Cheap to clone; all clones are one test run.
#[derive(Clone)]
pub struct Test(Arc<TestInner>);

struct TestInner {
    driver: Arc<Inner>,
    state: Arc<TestState>,
    run: TestRun,
    began: Instant,
}

/// What a test's plugins said, once all of it is in.
#[derive(Debug, Clone)]
pub struct TestReport {
    /// The test run.
    pub test_run_id: String,
    /// How long it took.
    pub duration: Duration,
    /// The worst of its calls'.
    pub completeness: Completeness,
    /// For the person who reads the result; at most the first 1,000.
    pub user_messages: Vec<Record>,
    /// Records of plugins, user messages aside, at TRACE, DEBUG, INFO, WARN
    /// and ERROR.
    pub by_level: [u64; 5],
}

impl Test {
    pub(crate) fn begin(driver: Arc<Inner>, run: TestRun) -> Self {
        let state = driver.begin_test(&run);
        Self(Arc::new(TestInner {
            driver,
            state,
            run,
            began: Instant::now(),
        }))
    }

    /// The test run ID.
    pub fn id(&self) -> &str {
        &self.0.run.id
    }

    /// What the framework said of it.
    pub fn run(&self) -> &TestRun {
        &self.0.run
    }

    /// Ends the test: waits until the reports of its calls are closed, at most
    /// 250 ms after the last response. Records that come later are marked
    /// `late`. `outcome` is the framework's own word, such as `passed`.
    pub async fn end(&self, outcome: &str) -> TestReport {
        let mut completeness = Completeness::Complete;
        for report in self.0.state.take_reports() {
            let closed = wait_report(report).await;
            completeness = completeness
                .max(closed.map_or(Completeness::Incomplete, |report| report.completeness));
        }
        self.0.record_end(outcome);
        let seen = self.0.state.seen();
        TestReport {
            test_run_id: self.0.run.id.clone(),
            duration: self.0.began.elapsed(),
            completeness,
            user_messages: seen.user_messages,
            by_level: seen.by_level,
        }
    }
}

impl Inner {
    /// A test that begins: in the timeline, and for the manifest.
    fn begin_test(&self, run: &TestRun) -> Arc<TestState> {
        let hub = &self.hub;
        let info = TestInfo {
            test_run_id: run.id.clone(),
            case_name: run.case_name.clone(),
            suite_name: run.suite_name.clone(),
            id_source: run.id_source.clone(),
            began_at: hub.now(),
            ended_at: None,
            outcome: None,
        };
        let name = run.case_name.as_deref().unwrap_or(&run.id);
        let mut record = self
            .test_record(&run.id, event::TEST_BEGIN, &format!("{name} begins"))
            .with(attribute::TEST_ID_SOURCE, run.id_source.as_str());
        // One that the test names is nearer than the driver's (OBS-ID-23).
        let session = run
            .session_id
            .as_ref()
            .or(self.settings.session_id.as_ref());
        for (key, value) in [
            (attribute::TEST_CASE_NAME, run.case_name.as_ref()),
            (attribute::TEST_SUITE_NAME, run.suite_name.as_ref()),
            (attribute::TEST_SESSION_ID, session),
        ] {
            if let Some(value) = value {
                record = record.with(key, value.as_str());
            }
        }
        hub.describe_test(info.clone());
        let state = hub.tests.begin(info);
        hub.driver_record(record);
        state
    }

    /// The test of a scope in which a call is made: it begins with its first
    /// call (OBS-LIFE-29). Nobody will say that it ended.
    pub(crate) fn begin_in_scope(&self, run: TestRun) -> String {
        if self.hub.tests.get(&run.id).is_none() {
            self.begin_test(&run);
        }
        run.id
    }
}

impl TestInner {
    /// Writes the end, once.
    fn record_end(&self, outcome: &str) {
        if self.state.ended.swap(true, Ordering::AcqRel) {
            return;
        }
        let hub = &self.driver.hub;
        let name = self.run.case_name.as_deref().unwrap_or(&self.run.id);
        let record = self
            .driver
            .test_record(&self.run.id, event::TEST_END, &format!("{name}: {outcome}"))
            .with(attribute::TEST_OUTCOME, outcome)
            .with(attribute::TEST_DURATION_NS, nanos(self.began.elapsed()));
        let info = {
            let mut info = self
                .state
                .info
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            info.ended_at = Some(record.timestamp);
            info.outcome = Some(outcome.to_owned());
            info.clone()
        };
        hub.driver_record(record);
        hub.describe_test(info);
    }
}

impl Drop for TestInner {
    fn drop(&mut self) {
        // A test that panicked ends without saying so.
        self.record_end("not reported");
    }
}
