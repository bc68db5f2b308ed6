//! Where a test run ID comes from (`spec/ids.md`): an explicit argument, else a
//! scoped context, else what the framework says through the environment.
//!
//! The scope follows the work, not the thread: it is kept with the future, so
//! it is right on whichever worker polls it. What a test spawns takes it along
//! by [`TestRun::scope`] around the spawned future, or by
//! [`TestRun::sync_scope`] on a new thread.

use std::future::Future;

use plugobs_core::ids::check_test_run_id;

tokio::task_local! {
    // A task-local of this crate needs no tokio runtime: it is set around each
    // poll, whoever polls.
    static CURRENT: TestRun;
}

/// One attempt of one test, as the test framework names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestRun {
    /// The test run ID. It is passed on verbatim, also where it breaks the
    /// grammar; it is then marked in records and not sent as metadata.
    pub id: String,
    /// The framework's own name of the test (`test.case.name`).
    pub case_name: Option<String>,
    /// The suite's (`test.suite.name`).
    pub suite_name: Option<String>,
    /// The invocation of the test runner (`testSessionId`).
    pub session_id: Option<String>,
    /// Where the ID came from: `argument`, `scope`, `nextest` or `libtest`.
    pub id_source: String,
}

impl TestRun {
    /// A test run whose ID the framework gives.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            case_name: None,
            suite_name: None,
            session_id: None,
            id_source: "argument".to_owned(),
        }
    }

    /// A test run of the named test, with a new UUID as its ID: what an adapter
    /// of a framework without attempt IDs does.
    pub fn named(case_name: impl Into<String>) -> Self {
        Self {
            case_name: Some(case_name.into()),
            ..Self::new(uuid::Uuid::now_v7().to_string())
        }
    }

    /// Adds the suite's name.
    #[must_use]
    pub fn in_suite(mut self, suite: impl Into<String>) -> Self {
        self.suite_name = Some(suite.into());
        self
    }

    /// The test run of the scope in which this is called.
    pub fn current() -> Option<Self> {
        CURRENT
            .try_with(|run| Self {
                id_source: "scope".to_owned(),
                ..run.clone()
            })
            .ok()
    }

    /// What the framework says: nextest where it runs a process per test, else
    /// libtest by the name of the thread, which is the test's.
    ///
    /// Call it on the test's own thread. libtest has no attempt IDs: each call
    /// mints a new one, so call it once per test.
    pub fn from_environment() -> Option<Self> {
        let thread = std::thread::current();
        Self::nextest(|name| std::env::var(name).ok()).or_else(|| Self::libtest(thread.name()))
    }

    /// The scope's, else the environment's.
    pub fn ambient() -> Option<Self> {
        Self::current().or_else(Self::from_environment)
    }

    /// The test run that nextest describes in its environment variables.
    pub fn nextest(get: impl Fn(&str) -> Option<String>) -> Option<Self> {
        // In another mode one process runs many tests, and the variables would
        // name one of them for all.
        if get("NEXTEST_EXECUTION_MODE")? != "process-per-test" {
            return None;
        }
        let name = get("NEXTEST_TEST_NAME")?;
        let id = get("NEXTEST_ATTEMPT_ID")
            .filter(|id| check_test_run_id(id).is_ok())
            .unwrap_or_else(|| uuid::Uuid::now_v7().to_string());
        Some(Self {
            id,
            case_name: Some(name),
            suite_name: get("NEXTEST_BINARY_ID"),
            session_id: get("NEXTEST_RUN_ID"),
            id_source: "nextest".to_owned(),
        })
    }

    /// The test run of a libtest thread, which bears the test's name.
    pub fn libtest(thread_name: Option<&str>) -> Option<Self> {
        let name = thread_name.filter(|name| !name.is_empty() && *name != "main")?;
        Some(Self {
            id_source: "libtest".to_owned(),
            ..Self::named(name)
        })
    }

    /// Runs a future as part of this test run.
    pub async fn scope<F: Future>(self, work: F) -> F::Output {
        CURRENT.scope(self, work).await
    }

    /// Runs a closure as part of this test run, on the calling thread.
    pub fn sync_scope<R>(self, work: impl FnOnce() -> R) -> R {
        CURRENT.sync_scope(self, work)
    }
}
