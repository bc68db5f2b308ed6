//! Where a test run ID comes from (OBS-ID-12 to 21).

use std::collections::HashMap;

use plugobs_driver::TestRun;

fn nextest(variables: &[(&str, &str)]) -> Option<TestRun> {
    let variables: HashMap<_, _> = variables.iter().copied().collect();
    TestRun::nextest(|name| variables.get(name).map(|value| (*value).to_owned()))
}

const MODE: (&str, &str) = ("NEXTEST_EXECUTION_MODE", "process-per-test");
const NAME: (&str, &str) = ("NEXTEST_TEST_NAME", "tests::adds");

#[test]
fn nextest_tells_the_attempt() {
    let run = nextest(&[
        MODE,
        NAME,
        ("NEXTEST_BINARY_ID", "calc"),
        ("NEXTEST_ATTEMPT_ID", "a1b2:calc$tests::adds#2"),
        ("NEXTEST_RUN_ID", "a1b2"),
    ])
    .unwrap();
    assert_eq!(run.id, "a1b2:calc$tests::adds#2");
    assert_eq!(run.case_name.as_deref(), Some("tests::adds"));
    assert_eq!(run.suite_name.as_deref(), Some("calc"));
    assert_eq!(run.session_id.as_deref(), Some("a1b2"));
    assert_eq!(run.id_source, "nextest");
}

#[test]
fn an_attempt_that_breaks_the_grammar_is_replaced() {
    let run = nextest(&[MODE, NAME, ("NEXTEST_ATTEMPT_ID", "has a space")]).unwrap();
    assert!(uuid::Uuid::parse_str(&run.id).is_ok());
    assert_eq!(run.case_name.as_deref(), Some("tests::adds"));
}

#[test]
fn nextest_in_another_mode_names_no_test() {
    assert_eq!(nextest(&[NAME]), None);
    assert_eq!(
        nextest(&[("NEXTEST_EXECUTION_MODE", "all-in-one"), NAME]),
        None
    );
}

#[test]
fn libtest_names_the_thread_after_the_test() {
    let run = TestRun::libtest(std::thread::current().name()).unwrap();
    let name = "test_runs::libtest_names_the_thread_after_the_test";
    assert_eq!(run.case_name.as_deref(), Some(name));
    assert_eq!(run.id_source, "libtest");
    assert_ne!(TestRun::libtest(Some(name)).unwrap().id, run.id);
    assert_eq!(TestRun::libtest(Some("main")), None);
    assert_eq!(TestRun::libtest(None), None);
}

#[test]
fn two_hundred_tasks_on_four_threads_see_their_own() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .build()
        .unwrap();
    let right = runtime.block_on(async {
        let tasks: Vec<_> = (0..200)
            .map(|n| {
                tokio::spawn(TestRun::new(format!("t{n}")).scope(async move {
                    let mut right = true;
                    for _ in 0..20 {
                        tokio::task::yield_now().await;
                        let current = TestRun::current().unwrap();
                        right &= current.id == format!("t{n}") && current.id_source == "scope";
                    }
                    right
                }))
            })
            .collect();
        let mut right = 0;
        for task in tasks {
            right += usize::from(task.await.unwrap());
        }
        right
    });
    assert_eq!(right, 200);
    assert_eq!(TestRun::current(), None);
}

#[test]
fn a_thread_takes_the_scope_along_where_it_is_told_to() {
    TestRun::new("outer").sync_scope(|| {
        let run = TestRun::current().unwrap();
        let thread = std::thread::spawn(move || {
            assert_eq!(TestRun::current(), None);
            run.sync_scope(|| TestRun::current().unwrap().id)
        });
        assert_eq!(thread.join().unwrap(), "outer");
        assert_eq!(TestRun::ambient().unwrap().id_source, "scope");
    });
}
