//! Identities on calls, their timeline and their reports.

use plugobs_core::registry::{attribute, channel, event, mark};
use plugobs_core::{CallId, LogPosition, Record, Value};
use plugobs_driver::interface::{Request, Response, Verification};
use plugobs_driver::transport::Reply;
use plugobs_driver::{CallOptions, Completeness, TestRun};

use super::fake::{
    Fake, SOON, Wait, any_request, builder, find, find_event, loaded, manifest, plain, reply,
};

#[tokio::test]
async fn every_call_bears_its_test_and_a_call_id_of_its_own() {
    let fake = Fake::silent();
    let (driver, plugin, records) = loaded(&fake).await;
    let test = driver.begin_test(TestRun::new("test_toy.py::test_matcher").in_suite("toy"));
    let first = plugin
        .call(any_request(), CallOptions::for_test(&test))
        .await;
    let second = plugin
        .call(any_request(), CallOptions::for_test(&test))
        .await;
    assert_ne!(first.call_id, second.call_id);
    let calls = fake.calls("GetMockServerResults");
    assert_eq!(calls.len(), 2);
    for (call, made) in calls.iter().zip([&first, &second]) {
        assert_eq!(call.identity.test_run_id.as_deref(), Some(test.id()));
        assert_eq!(
            call.identity.call_id.as_deref(),
            Some(made.call_id.as_str())
        );
        assert_eq!(call.test_context["testRunId"], test.id());
        assert_eq!(call.test_context["test.suite.name"], "toy");
        assert_eq!(made.call_id.as_str().as_bytes()[14], b'7');
    }
    // Calls for no test bear none (OBS-ID-08).
    for call in fake
        .calls("InitPlugin")
        .iter()
        .chain(&fake.calls("UpdateCatalogue"))
    {
        assert_eq!(call.identity.test_run_id, None);
        assert!(!call.test_context.contains_key("testRunId"));
        assert!(CallId::parse(call.identity.call_id.as_deref().unwrap()).is_ok());
    }
    let end = find_event(&records, event::CALL_LOGS_COMPLETE);
    assert!(end.is_from_driver());
}

#[tokio::test]
async fn the_scope_names_the_test_where_no_argument_does() {
    let fake = Fake::silent();
    let (driver, plugin, _records) = loaded(&fake).await;
    let argument = driver.begin_test(TestRun::new("argument"));
    TestRun::new("scope")
        .scope(async {
            plugin
                .call(any_request(), CallOptions::default())
                .await
                .result
                .unwrap();
            let options = CallOptions::for_test(&argument);
            plugin.call(any_request(), options).await.result.unwrap();
        })
        .await;
    plugin
        .call(any_request(), CallOptions::default())
        .await
        .result
        .unwrap();
    let ids: Vec<_> = fake
        .calls("GetMockServerResults")
        .into_iter()
        .map(|call| call.identity.test_run_id.map(String::from))
        .collect();
    assert_eq!(
        ids,
        [Some("scope".to_owned()), Some("argument".to_owned()), None]
    );
}

#[tokio::test]
async fn an_id_against_the_grammar_is_data() {
    let fake = Fake::new(|connection, call| {
        if call.identity.test_run_id.is_some() {
            connection.send(call, 1, "hello");
        }
        Ok(plain(call))
    });
    let (driver, plugin, records) = loaded(&fake).await;
    let test = driver.begin_test(TestRun::new("has a space"));
    plugin
        .call(any_request(), CallOptions::for_test(&test))
        .await
        .result
        .unwrap();
    let record = find(&records, "hello");
    assert_eq!(record.test_run_id.as_deref(), Some("has a space"));
    assert_eq!(record.marks, [mark::INVALID_TEST_RUN_ID]);
    let call = &fake.calls("GetMockServerResults")[0];
    assert_eq!(call.test_context["testRunId"], "has a space");
    let metadata = call.identity.to_metadata();
    assert!(metadata.iter().all(|(_, value)| !value.contains("space")));
}

#[tokio::test]
async fn a_mock_server_belongs_to_the_test_that_started_it() {
    let fake = Fake::silent();
    let (driver, plugin, _records) = loaded(&fake).await;
    let test = driver.begin_test(TestRun::new("starter"));
    let start = Request::StartMockServer(Box::default());
    plugin
        .call(start, CallOptions::for_test(&test))
        .await
        .result
        .unwrap();
    let server_key = "server-1".to_owned();
    for request in [
        Request::GetMockServerResults {
            server_key: server_key.clone(),
        },
        Request::ShutdownMockServer {
            server_key: server_key.clone(),
        },
    ] {
        plugin
            .call(request, CallOptions::default())
            .await
            .result
            .unwrap();
    }
    for operation in ["GetMockServerResults", "ShutdownMockServer"] {
        let call = &fake.calls(operation)[0];
        assert_eq!(call.identity.test_run_id.as_deref(), Some("starter"));
    }
    // The caller's word wins, and an unknown server is nobody's.
    let other = driver.begin_test(TestRun::new("other"));
    let request = Request::GetMockServerResults { server_key };
    plugin
        .call(request, CallOptions::for_test(&other))
        .await
        .result
        .unwrap();
    plugin
        .call(any_request(), CallOptions::default())
        .await
        .result
        .unwrap();
    let ids: Vec<_> = fake
        .calls("GetMockServerResults")
        .into_iter()
        .map(|call| call.identity.test_run_id.map(String::from))
        .collect();
    assert_eq!(ids[1..], [Some("other".to_owned()), None]);
}

#[tokio::test]
async fn a_nested_call_is_for_the_test_of_the_outer() {
    let fake = Fake::new(|_, call| match &call.request {
        Request::ConfigureInteraction { content_type, .. } => Err(Wait::Host(
            content_type.clone(),
            Request::GetMockServerResults {
                server_key: "inner".to_owned(),
            },
        )),
        _ => Ok(plain(call)),
    });
    let (driver, first, records) = loaded(&fake).await;
    let second = driver.load_manifest(manifest()).await.unwrap();
    let test = driver.begin_test(TestRun::new("t"));
    for key in [
        "csv",
        "content-matcher/csv",
        "plugin/fake/content-matcher/csv",
    ] {
        let request = Request::ConfigureInteraction {
            content_type: key.to_owned(),
            contents_config: serde_json::Map::new(),
        };
        let made = first.call(request, CallOptions::for_test(&test)).await;
        assert_eq!(made.result.unwrap(), Response::Empty);
        let inner = fake.calls("GetMockServerResults").pop().unwrap();
        assert_eq!(inner.identity.test_run_id.as_deref(), Some("t"));
        assert_eq!(
            inner.identity.parent_call_id.as_deref(),
            Some(made.call_id.as_str())
        );
        assert_ne!(inner.identity.call_id, inner.identity.parent_call_id);
    }
    let inner = fake.calls("GetMockServerResults").pop().unwrap();
    let begins = |r: &Record| {
        r.event_name.as_deref() == Some(event::CALL_BEGIN) && r.call_id == inner.identity.call_id
    };
    assert!(records.wait_for(SOON, |all| all.iter().any(begins)));
    let begin = records.all().into_iter().find(begins).unwrap();
    // The entry of the other instance was asked, not the caller's own.
    assert_eq!(
        begin.plugin_instance_id.as_deref(),
        Some(second.instance_id().as_str())
    );
    assert_eq!(
        begin
            .attribute(attribute::CALL_PARENT_ID)
            .and_then(Value::as_str),
        inner.identity.parent_call_id.as_deref()
    );
    let unknown = Request::ConfigureInteraction {
        content_type: "nobody".to_owned(),
        contents_config: serde_json::Map::new(),
    };
    let refused = first
        .call(unknown, CallOptions::for_test(&test))
        .await
        .result
        .unwrap();
    let error = refused.error_text().unwrap();
    assert!(
        error.contains("nobody") && error.contains("content-matcher/csv"),
        "{error}"
    );
}

#[tokio::test]
async fn a_callers_report_says_whether_all_records_are_in() {
    let fake = Fake::new(|connection, call| {
        let Some(test) = call.identity.test_run_id.clone() else {
            return Ok(plain(call));
        };
        let position = LogPosition {
            epoch: 1,
            sequence: 1,
        };
        match test.as_str() {
            "complete" => connection.send(call, 1, "arrived"),
            "silent" => return Ok(plain(call)),
            _ => {}
        }
        Ok(Reply {
            position: Some(LogPosition {
                sequence: if test == "incomplete" { 99 } else { 1 },
                ..position
            }),
            ..plain(call)
        })
    });
    let (driver, plugin, records) = loaded(&fake).await;
    for (name, completeness) in [
        ("complete", Completeness::Complete),
        ("incomplete", Completeness::Incomplete),
        ("silent", Completeness::Unknown),
    ] {
        let test = driver.begin_test(TestRun::new(name));
        let made = plugin
            .call(any_request(), CallOptions::for_test(&test))
            .await;
        assert_eq!(
            made.report().await.unwrap().completeness,
            completeness,
            "{name}"
        );
        assert_eq!(
            test.end("passed").await.completeness,
            completeness,
            "{name}"
        );
        let closed = |r: &Record| {
            r.event_name.as_deref() == Some(event::CALL_LOGS_COMPLETE)
                && r.test_run_id.as_deref() == Some(name)
        };
        assert!(records.wait_for(SOON, |all| all.iter().any(closed)));
        let of_test = records.of_test(name);
        let events: Vec<_> = of_test
            .iter()
            .filter_map(|r| r.event_name.as_deref())
            .collect();
        assert_eq!(
            events[..4],
            [
                event::TEST_BEGIN,
                event::CALL_BEGIN,
                event::CALL_END,
                event::CALL_LOGS_COMPLETE
            ]
        );
    }
    let complete = records.of_test("complete");
    let end = complete
        .iter()
        .find(|r| r.event_name.as_deref() == Some(event::CALL_END))
        .unwrap();
    assert_eq!(
        end.attribute(attribute::CALL_LAST_SEQUENCE),
        Some(&1u64.into())
    );
    assert_eq!(
        end.attribute(attribute::CALL_OUTCOME)
            .and_then(Value::as_str),
        Some("ok")
    );
}

#[tokio::test]
async fn output_of_a_verification_is_for_the_reader_of_the_result() {
    let fake = Fake::new(|_, call| match &call.request {
        Request::VerifyInteraction(_) => reply(Response::Verified(Verification {
            success: true,
            output: vec!["first".to_owned(), "second".to_owned()],
            ..Verification::default()
        })),
        _ => Ok(plain(call)),
    });
    let (driver, plugin, records) = loaded(&fake).await;
    let test = driver.begin_test(TestRun::new("t"));
    let request = Request::VerifyInteraction(Box::default());
    let made = plugin.call(request, CallOptions::for_test(&test)).await;
    let report = test.end("passed").await;
    let texts: Vec<_> = report
        .user_messages
        .iter()
        .map(|r| r.message.as_str())
        .collect();
    assert_eq!(texts, ["first", "second"]);
    let record = find(&records, "first");
    assert_eq!(record.channel, channel::USER);
    assert_eq!(record.call_id.as_deref(), Some(made.call_id.as_str()));
    assert_eq!(record.test_run_id.as_deref(), Some("t"));
}

#[tokio::test]
async fn two_hundred_tests_at_once_keep_to_themselves() {
    let counter = std::sync::atomic::AtomicU64::new(0);
    let fake = Fake::new(move |connection, call| {
        if let Some(test) = &call.identity.test_run_id {
            let n = counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
            connection.send(call, n, &format!("says {test}"));
        }
        Ok(plain(call))
    });
    let (driver, plugin, records) = loaded(&fake).await;
    let tests = (0..200).map(|n| {
        let (driver, plugin) = (driver.clone(), plugin.clone());
        tokio::spawn(async move {
            let test = driver.begin_test(TestRun::new(format!("t{n}")));
            plugin
                .call(any_request(), CallOptions::for_test(&test))
                .await
                .result
                .unwrap();
            test.end("passed").await
        })
    });
    for test in tests.collect::<Vec<_>>() {
        assert_eq!(test.await.unwrap().by_level.iter().sum::<u64>(), 1);
    }
    driver.shutdown().await;
    let said: Vec<Record> = records
        .all()
        .into_iter()
        .filter(|r| r.target == "fake")
        .collect();
    assert_eq!(said.len(), 200);
    for record in said {
        assert_eq!(
            record.message,
            format!("says {}", record.test_run_id.as_deref().unwrap())
        );
    }
}

#[tokio::test]
async fn a_test_run_id_in_a_context_is_the_drivers_to_say() {
    let fake = Fake::silent();
    let (driver, plugin, _records) = loaded(&fake).await;
    let test = driver.begin_test(TestRun::named("a case"));
    let mut foreign = CallOptions::default();
    for (key, value) in [
        ("testRunId", "another's"),
        ("test.case.name", "mine"),
        ("x", "y"),
    ] {
        foreign.test_context.insert(key.to_owned(), value.into());
    }
    let own = CallOptions {
        test: Some(test.clone()),
        ..foreign.clone()
    };
    for options in [foreign, own] {
        plugin.call(any_request(), options).await.result.unwrap();
    }
    let [foreign, own] = &fake.calls("GetMockServerResults")[..] else {
        panic!("two calls");
    };
    assert!(!foreign.test_context.contains_key("testRunId"));
    assert_eq!(own.test_context["testRunId"], test.id());
    for call in [foreign, own] {
        assert_eq!(call.test_context["x"], "y");
        assert_eq!(call.test_context["test.case.name"], "mine");
    }
}

#[tokio::test]
async fn a_test_of_a_scope_begins_with_its_first_call() {
    let fake = Fake::silent();
    let (builder, records) = builder(&fake);
    let driver = builder.session("the session").build().unwrap();
    let plugin = driver.load_manifest(manifest()).await.unwrap();
    let twice = async {
        for _ in 0..2 {
            let made = plugin.call(any_request(), CallOptions::default()).await;
            made.result.unwrap();
        }
    };
    TestRun::new("scope").scope(twice).await;
    let begin = find_event(&records, event::TEST_BEGIN);
    assert_eq!(begin.test_run_id.as_deref(), Some("scope"));
    let session = begin.attribute(attribute::TEST_SESSION_ID);
    assert_eq!(session.and_then(Value::as_str), Some("the session"));
    driver.shutdown().await;
    let all = records.all();
    let named = |name: &str| {
        all.iter()
            .filter(|r| r.event_name.as_deref() == Some(name))
            .count()
    };
    assert_eq!(named(event::TEST_BEGIN), 1);
    // Each call, those of the driver's own included, tells that its logs are in.
    assert_eq!(named(event::CALL_LOGS_COMPLETE), named(event::CALL_END));
    assert_eq!(named(event::CALL_END), fake.seen.lock().unwrap().len());
}
