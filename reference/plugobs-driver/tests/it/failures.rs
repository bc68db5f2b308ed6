//! One typed report for each way to fail.

use std::time::Duration;

use plugobs_core::Record;
use plugobs_core::registry::{FailureCode, event};
use plugobs_driver::interface::{Request, Response};
use plugobs_driver::transport::{CallError, Reply};
use plugobs_driver::{CallOptions, TestRun};

use super::fake::{Fake, Wait, any_request, builder, find_event, loaded, manifest, plain, reply};

/// A plugin that answers calls for a test with this error.
fn failing(error: CallError, exit: Option<i32>) -> Fake {
    Fake::new(move |connection, call| {
        if call.identity.test_run_id.is_none() {
            return Ok(plain(call));
        }
        connection.send(call, 1, "last words");
        connection
            .launch
            .intake
            .output_line(plugobs_driver::sink::OutputStream::Stderr, b"oh \xff no");
        if let Some(code) = exit {
            connection.exit(code);
        }
        Ok(Reply {
            result: Err(error.clone()),
            position: None,
        })
    })
}

#[tokio::test]
async fn a_crash_in_a_call_is_reported_with_all_there_is() {
    let fake = failing(CallError::Connection("broken pipe".into()), Some(3));
    let (driver, plugin, records) = loaded(&fake).await;
    let test = driver.begin_test(TestRun::new("t"));
    let made = plugin
        .call(any_request(), CallOptions::for_test(&test))
        .await;
    let failure = made.result.unwrap_err();
    let report = failure.report();
    assert_eq!(failure.code(), FailureCode::Crashed);
    assert_eq!(report.exit.unwrap().code, Some(3));
    assert_eq!(report.test_run_id.as_deref(), Some("t"));
    assert_eq!(report.call_id.as_deref(), Some(made.call_id.as_str()));
    assert_eq!(report.stderr_tail, ["oh \u{fffd} no"]);
    assert!(
        report
            .last_records
            .iter()
            .any(|r| r.message == "last words")
    );
    assert!(
        report
            .test_records
            .iter()
            .all(|r| r.test_run_id.as_deref() == Some("t"))
    );
    assert!(
        report
            .test_records
            .iter()
            .any(|r| r.message == "last words")
    );
    let text = failure.to_string();
    assert!(
        text.starts_with("plugin fake 1.2.3 failed (crashed)"),
        "{text}"
    );
    assert!(
        text.lines().next().unwrap().contains("exit code 3"),
        "{text}"
    );
    // The instance is not used again, and says why at once (OBS-FAIL-12).
    let again = plugin
        .call(any_request(), CallOptions::for_test(&test))
        .await;
    assert_eq!(again.result.unwrap_err().code(), FailureCode::Crashed);
    assert_eq!(fake.calls("GetMockServerResults").len(), 1);
    find_event(&records, event::INSTANCE_EXITED);
    driver.shutdown().await;
    assert_eq!(records.failures().len(), 1);
    let exits = records.all().into_iter();
    let exits = exits.filter(|r| r.event_name.as_deref() == Some(event::INSTANCE_EXITED));
    assert_eq!(exits.count(), 1);
}

#[tokio::test]
async fn each_error_of_a_call_has_its_code() {
    let status = CallError::Status {
        code: "INTERNAL".into(),
        message: "no".into(),
    };
    let not_there = CallError::NotInInterface {
        interface: 1,
        operation: "MatchField",
    };
    for (error, code) in [
        (status, FailureCode::CallFailed),
        (not_there, FailureCode::CallFailed),
        (
            CallError::Timeout(Duration::from_secs(1)),
            FailureCode::CallTimeout,
        ),
        (
            CallError::Connection("reset".into()),
            FailureCode::ConnectionLost,
        ),
        (
            CallError::Trapped("unreachable".into()),
            FailureCode::Trapped,
        ),
    ] {
        let fake = failing(error, None);
        let (driver, plugin, records) = loaded(&fake).await;
        let test = driver.begin_test(TestRun::new("t"));
        let made = plugin
            .call(any_request(), CallOptions::for_test(&test))
            .await;
        let failure = made.result.unwrap_err();
        assert_eq!(failure.code(), code);
        assert_eq!(
            failure.report().status.as_ref().map(|s| s.code.as_str()),
            failure
                .report()
                .message
                .contains("INTERNAL")
                .then_some("INTERNAL")
        );
        let failed = find_event(&records, event::INSTANCE_FAILED);
        assert_eq!(failed.test_run_id.as_deref(), Some("t"));
        driver.shutdown().await;
    }
}

#[tokio::test]
async fn an_end_between_calls_is_reported_too() {
    let fake = Fake::new(|connection, call| {
        if call.request.operation() == "UpdateCatalogue" {
            connection.exit(9);
        }
        Ok(plain(call))
    });
    let (driver, _plugin, records) = loaded(&fake).await;
    find_event(&records, event::INSTANCE_FAILED);
    driver.shutdown().await;
    assert_eq!(records.failures().len(), 1);
    assert_eq!(records.failures()[0].code, FailureCode::Crashed);
}

#[tokio::test]
async fn init_can_be_refused() {
    for (missing, code) in [
        (Vec::new(), FailureCode::InitRefused),
        (
            vec!["interaction/message".to_owned()],
            FailureCode::MissingCapability,
        ),
    ] {
        let fake = Fake::new(move |_, call| match call.request {
            Request::Init { .. } => reply(Response::InitRefused {
                error: "no way".into(),
                missing_host_capabilities: missing.clone(),
            }),
            _ => Ok(plain(call)),
        });
        let (builder, records) = builder(&fake);
        let driver = builder.build().unwrap();
        let failure = driver.load_manifest(manifest()).await.err().unwrap();
        assert_eq!(failure.code(), code);
        assert!(failure.report().message.contains("no way"));
        // It was stopped, and nothing of it is left.
        find_event(&records, event::INSTANCE_EXITED);
        assert!(driver.plugins().is_empty());
    }
}

#[tokio::test]
async fn an_error_status_of_init_is_a_refusal() {
    let fake = Fake::new(|_, _| {
        Ok(Reply {
            result: Err(CallError::Status {
                code: "UNKNOWN".into(),
                message: "no licence".into(),
            }),
            position: None,
        })
    });
    let (builder, _records) = builder(&fake);
    let driver = builder.build().unwrap();
    let failure = driver.load_manifest(manifest()).await.err().unwrap();
    assert_eq!(failure.code(), FailureCode::InitRefused);
    assert!(failure.report().message.contains("no licence"));
}

#[tokio::test]
async fn a_type_that_no_transport_runs_is_said_before_anything_starts() {
    let (builder, records) = builder(&Fake::silent());
    let driver = builder.build().unwrap();
    let mut lua = manifest();
    lua.executable_type = "lua".into();
    let failure = driver.load_manifest(lua).await.err().unwrap();
    assert_eq!(failure.code(), FailureCode::UnsupportedExecutableType);
    driver.shutdown().await;
    let events: Vec<_> = records
        .all()
        .into_iter()
        .filter_map(|r| r.event_name)
        .collect();
    assert_eq!(events, [event::INSTANCE_FAILED]);
}

#[tokio::test]
async fn a_plugin_outlives_no_driver() {
    let (driver, plugin, _records) = loaded(&Fake::silent()).await;
    driver.shutdown().await;
    drop(driver);
    let made = plugin.call(any_request(), CallOptions::default()).await;
    assert_eq!(
        made.result.as_ref().unwrap_err().code(),
        FailureCode::ConnectionLost
    );
    assert!(made.report().await.is_none());
}

#[tokio::test]
async fn a_caller_that_goes_away_harms_nobody() {
    let fake = Fake::new(|_, call| match call.identity.test_run_id.as_deref() {
        Some("hangs") => Err(Wait::Forever),
        _ => Ok(plain(call)),
    });
    let (driver, plugin, _records) = loaded(&fake).await;
    let test = driver.begin_test(TestRun::new("hangs"));
    let call = plugin.call(any_request(), CallOptions::for_test(&test));
    assert!(
        tokio::time::timeout(Duration::from_millis(50), call)
            .await
            .is_err()
    );
    let other = driver.begin_test(TestRun::new("other"));
    plugin
        .call(any_request(), CallOptions::for_test(&other))
        .await
        .result
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_is_still_starting_ends_with_its_driver() {
    let fake = Fake::new(|_, call| match call.request {
        Request::Init { .. } => Err(Wait::Forever),
        _ => Ok(plain(call)),
    });
    let (builder, records) = builder(&fake);
    let driver = builder
        .call_timeout(Duration::from_secs(1))
        .build()
        .unwrap();
    let loading = tokio::spawn({
        let driver = driver.clone();
        async move { driver.load_manifest(manifest()).await.err() }
    });
    find_event(&records, event::CALL_BEGIN);
    driver.shutdown().await;
    assert!(loading.await.unwrap().is_some());
    assert!(driver.plugins().is_empty());
    let after = driver.load_manifest(manifest()).await.err().unwrap();
    assert_eq!(after.code(), FailureCode::CannotStart);
}

#[tokio::test]
async fn a_stopped_instance_is_used_for_no_other_call() {
    let fake = Fake::silent();
    let (driver, plugin, records) = loaded(&fake).await;
    plugin.stop().await;
    let before = fake.seen.lock().unwrap().len();
    let refused = plugin.call(any_request(), CallOptions::default()).await;
    let failure = refused.result.as_ref().unwrap_err();
    assert_eq!(failure.code(), FailureCode::ConnectionLost);
    assert!(failure.report().message.contains("stopped"), "{failure}");
    assert!(refused.report().await.is_none());
    assert_eq!(fake.seen.lock().unwrap().len(), before);

    // Another one is told of the catalogue, and the first is left alone.
    driver.load_manifest(manifest()).await.unwrap();
    let calls: Vec<_> = fake.seen.lock().unwrap()[before..]
        .iter()
        .map(|call| call.request.operation())
        .collect();
    assert_eq!(calls, ["InitPlugin", "UpdateCatalogue"]);
    driver.shutdown().await;
    assert_eq!(records.failures().len(), 0);
    // The timeline has the calls that were made, and no other.
    let is_begin = |r: &&Record| r.event_name.as_deref() == Some(event::CALL_BEGIN);
    let begun = records.all().iter().filter(is_begin).count();
    assert_eq!(begun, fake.seen.lock().unwrap().len());
}

#[tokio::test]
async fn the_words_of_a_plugin_are_redacted_in_reports_too() {
    let status = CallError::Status {
        code: "INTERNAL".into(),
        message: "cannot log in with s3cret".into(),
    };
    let fake = failing(status, None);
    let (builder, records) = builder(&fake);
    let pattern = regex::Regex::new("s3[a-z]+").unwrap();
    let driver = builder.redact_pattern(pattern).build().unwrap();
    let plugin = driver.load_manifest(manifest()).await.unwrap();
    let test = driver.begin_test(TestRun::new("t"));
    let options = CallOptions::for_test(&test);
    let failure = plugin
        .call(any_request(), options)
        .await
        .result
        .unwrap_err();
    let said = &failure.report().status.as_ref().unwrap().message;
    assert_eq!(said, "cannot log in with [redacted]");
    assert!(!format!("{:?}", failure.report()).contains("s3cret"));
    driver.shutdown().await;
    assert!(!format!("{:?}", records.all()).contains("s3cret"));
}
