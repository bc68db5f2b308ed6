//! Calls to a plugin: what goes along, what comes back, how they fail.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use plugobs_core::ids::is_canonical_uuid;
use plugobs_core::registry::{FailureCode, event};
use plugobs_driver::interface::{
    Body, CompareContents, FieldValue, GenerateContents, GenerateField, InteractionData,
    MatchField, Request, Response, StartMockServer, VerifyInteraction,
};
use plugobs_driver::{CallOptions, TestRun};
use serde_json::{Map, Value as Json, json};

use super::support::{
    answer, attribute, command, command_for, driver, driver_with, find, find_event, find_where,
    plugin, request, serving,
};

#[tokio::test]
async fn a_plugin_is_told_who_it_is_before_and_in_its_first_call() {
    let (driver, records) = driver_with(|b| {
        b.implementation("test driver", "9.8.7")
            .environment("HOSTED_OF_THE_USER", "yes")
            .environment("PLUGOBS_TOKEN", "forged")
            .environment("LOG_LEVEL", "warn")
    });
    let plugin = driver.load_manifest(plugin(&["serve"])).await.unwrap();
    let told = command(&plugin, "tell", json!({})).await;
    let environment = &told["environment"];
    let instance = plugin.instance_id().as_str();
    assert_eq!(environment["PACT_PLUGIN_INSTANCE_ID"], instance);
    let host = environment["PACT_PLUGIN_HOST"].as_str().unwrap();
    assert!(host.starts_with("127.0.0.1:"), "{host}");
    assert_eq!(environment["PLUGOBS_ENDPOINT"], host);
    assert_eq!(environment["PLUGOBS_TOKEN"].as_str().unwrap().len(), 64);
    assert_eq!(environment["PLUGOBS_LEVEL"], "INFO");
    assert_eq!(environment["LOG_LEVEL"], "warn");
    assert_eq!(environment["HOSTED_OF_THE_USER"], "yes");

    let init = &told["init"];
    assert_eq!(init["instance"], instance);
    assert_eq!(init["implementation"], "test driver");
    let capabilities = init["capabilities"].as_array().unwrap();
    assert!(capabilities.contains(&json!("observability/log-stream/v1")));
    assert_eq!(init["metadata"]["authorization"], "key: of \"this\" plugin");
    assert!(init["metadata"]["plugin-call-id"].is_string());
    assert_eq!(plugin.info().pid.map(|pid| pid > 0), Some(true));
    let initialised = find_event(&records, event::INSTANCE_INITIALISED);
    // An entry of a kind that nobody knows is left out.
    assert_eq!(attribute(&initialised, "catalogue.entries"), 1);
    driver.shutdown().await;
}

fn every_request() -> Vec<Request> {
    vec![
        Request::CompareContents(Box::default()),
        Request::MatchField(Box::new(MatchField {
            key: "k".to_owned(),
            rule: plugobs_driver::interface::Rule::default(),
            path: "$".to_owned(),
            mismatch_type: String::new(),
            expected: FieldValue::Json(json!(1)),
            actual: FieldValue::Binary(Bytes::from_static(b"2")),
            plugin_configuration: None,
        })),
        Request::StartMockServer(Box::new(StartMockServer {
            port: 4711,
            ..StartMockServer::default()
        })),
        Request::GetMockServerResults {
            server_key: "k".to_owned(),
        },
        Request::ShutdownMockServer {
            server_key: "k".to_owned(),
        },
        Request::PrepareInteraction(Box::default()),
        Request::VerifyInteraction(Box::default()),
    ]
}

/// What the plugin says that it was called with.
fn told_by(response: Response) -> Json {
    let text = match response {
        Response::Compared(comparison) => comparison.error,
        Response::FieldMatched { error, .. } | Response::Refused { error } => error,
        Response::MockServerStarted { address, .. } => address,
        Response::MockServerResults { mut results, .. } => results.remove(0).error,
        Response::Verified(mut verification) => verification.errors.remove(0),
        other => panic!("{other:?}"),
    };
    serde_json::from_str(&text).unwrap()
}

#[tokio::test]
async fn every_call_carries_its_identity() {
    let (driver, plugin, _) = serving().await;
    let test = driver.begin_test(TestRun::new("test_toy.py::test_matcher"));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    for request in every_request() {
        let operation = request.operation();
        let mut options = CallOptions::for_test(&test);
        options.test_context = Map::from_iter([("mine".to_owned(), json!("kept"))]);
        let made = plugin.call(request, options).await;
        let told = told_by(made.result.unwrap());
        let metadata = &told["metadata"];
        assert_eq!(metadata["authorization"], "key: of \"this\" plugin");
        assert_eq!(metadata["plugin-call-id"], made.call_id.as_str());
        assert_eq!(metadata["plugin-test-run-id"], "test_toy.py::test_matcher");
        assert_eq!(metadata["baggage"], "test.run.id=test_toy.py::test_matcher");
        let deadline: u128 = metadata["pact-deadline-ms"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        assert!(deadline > now.as_millis(), "{operation}");
        let has_context =
            !operation.contains("MockServerResults") && operation != "ShutdownMockServer";
        let context = &told["testContext"];
        assert_eq!(context["testRunId"].is_string(), has_context, "{operation}");
        if has_context {
            assert_eq!(context["testRunId"], "test_toy.py::test_matcher");
            assert_eq!(context["mine"], "kept");
        }
    }
    let told = command_for(&plugin, CallOptions::for_test(&test), "tell", json!({})).await;
    assert_eq!(told["testContext"]["testRunId"], test.id());
    driver.shutdown().await;
}

#[tokio::test]
async fn a_test_run_id_that_breaks_the_grammar_is_data_only() {
    let (driver, plugin, _) = serving().await;
    let test = driver.begin_test(TestRun::new("two words, \"quoted\"\r\nx: y"));
    let told = command_for(&plugin, CallOptions::for_test(&test), "tell", json!({})).await;
    assert_eq!(told["testContext"]["testRunId"], test.id());
    assert_eq!(told["metadata"].get("plugin-test-run-id"), None);
    assert_eq!(told["metadata"].get("baggage"), None);
    assert_eq!(told["metadata"].get("x"), None);
    driver.shutdown().await;
}

#[tokio::test]
async fn a_call_for_no_test_names_none() {
    let (driver, plugin, _) = serving().await;
    let told = command(&plugin, "tell", json!({})).await;
    assert_eq!(told["testContext"], json!({}));
    assert_eq!(told["metadata"].get("plugin-test-run-id"), None);
    let id = told["metadata"]["plugin-call-id"].as_str().unwrap();
    assert!(is_canonical_uuid(id));
    driver.shutdown().await;
}

#[tokio::test]
async fn bodies_of_any_size_and_values_of_any_kind_come_back_as_they_went() {
    let (driver, plugin, _) = serving().await;
    let big = Body {
        content_type: "application/octet-stream".to_owned(),
        content: Some(Bytes::from(vec![0xfe; 20_000_000])),
        hint: plugobs_driver::interface::ContentHint::Binary,
    };
    for body in [big, Body::default()] {
        let request = Request::GenerateContents(Box::new(GenerateContents {
            contents: body.clone(),
            ..GenerateContents::default()
        }));
        let made = plugin.call(request, CallOptions::default()).await;
        assert!(made.result.unwrap() == Response::Generated(Some(body)));
    }
    for value in [
        FieldValue::Json(Json::Null),
        FieldValue::Json(json!(true)),
        FieldValue::Json(json!("text")),
        FieldValue::Json(json!(i64::MIN)),
        FieldValue::Json(json!(3.0)),
        FieldValue::Json(json!(2.5)),
        FieldValue::Json(json!({"of": [1, 2.5, {"deep": null}]})),
        FieldValue::Binary(Bytes::from_static(b"\0\xff")),
    ] {
        let request = Request::GenerateField(Box::new(GenerateField {
            key: "k".to_owned(),
            generator: plugobs_driver::interface::Rule::default(),
            path: "$".to_owned(),
            example: value.clone(),
            plugin_configuration: None,
            test_mode: 0,
        }));
        let made = plugin.call(request, CallOptions::default()).await;
        let Response::FieldGenerated { value: back, .. } = made.result.unwrap() else {
            panic!("another answer");
        };
        assert_eq!(back, Some(value));
    }
    driver.shutdown().await;
}

#[tokio::test]
async fn a_verification_comes_back_whole() {
    let (driver, plugin, records) = serving().await;
    let mut data = InteractionData::default();
    let metadata = FieldValue::Json(json!({"status": 200}));
    data.metadata.insert("response".to_owned(), metadata);
    let request = Request::VerifyInteraction(Box::new(VerifyInteraction {
        data: Some(data.clone()),
        ..VerifyInteraction::default()
    }));
    let made = plugin.call(request, CallOptions::default()).await;
    let Response::Verified(verification) = made.result.unwrap() else {
        panic!("another answer");
    };
    assert!(!verification.success);
    assert_eq!(verification.response, Some(data));
    assert_eq!(verification.mismatches[0].mismatch, "differs");
    assert_eq!(
        verification.mismatches[0].actual.as_deref(),
        Some(&b"two"[..])
    );
    let output = find(&records, "for the user");
    assert_eq!(output.channel, "user");
    driver.shutdown().await;
}

#[tokio::test]
async fn a_plugin_of_interface_1_works_unchanged() {
    let (driver, records) = driver();
    let mut manifest = plugin(&["err:only raw", "serve-v1"]);
    manifest.interface_version = 1;
    let plugin = driver.load_manifest(manifest).await.unwrap();
    let test = driver.begin_test(TestRun::new("t-1"));
    let options = || CallOptions::for_test(&test);
    let told = command_for(&plugin, options(), "tell", json!({})).await;
    assert_eq!(told["metadata"]["plugin-test-run-id"], "t-1");

    let compare = Request::CompareContents(Box::new(CompareContents {
        expected: Body {
            content_type: "text/a".to_owned(),
            ..Body::default()
        },
        ..CompareContents::default()
    }));
    let made = plugin.call(compare, options()).await;
    let Response::Compared(comparison) = made.result.unwrap() else {
        panic!("another answer");
    };
    let types = ("text/a".to_owned(), String::new());
    assert_eq!(comparison.type_mismatch, Some(types));

    // Its port is none; the answer is data all the same.
    let start = Request::StartMockServer(Box::new(StartMockServer {
        pact: "{}".to_owned(),
        ..StartMockServer::default()
    }));
    let made = plugin.call(start, options()).await;
    let refused = made.result.unwrap();
    assert_eq!(refused.error_text(), Some("70000 is no port"));

    let field = every_request().remove(1);
    let made = plugin.call(field, options()).await;
    let failure = made.result.unwrap_err();
    assert!(
        failure
            .to_string()
            .contains("interface version 1 has no MatchField"),
        "{failure}"
    );

    for request in [
        Request::PrepareInteraction(Box::default()),
        Request::VerifyInteraction(Box::default()),
    ] {
        let made = plugin.call(request, options()).await;
        assert!(made.result.unwrap().error_text().is_some());
    }
    driver.shutdown().await;
    let of_plugin = |r: &plugobs_core::Record| r.source.as_deref() != Some("driver");
    assert!(!records.all().iter().any(of_plugin));
}

#[tokio::test]
async fn an_error_status_says_how_far_the_log_had_come() {
    let (driver, plugin, records) = serving().await;
    let made = plugin
        .call(request("fail", json!({})), CallOptions::default())
        .await;
    let failure = made.result.unwrap_err();
    assert_eq!(failure.code(), FailureCode::CallFailed);
    let status = failure.report().status.clone().unwrap();
    assert_eq!(
        (status.code.as_str(), status.message.as_str()),
        ("FAILED_PRECONDITION", "as it was told")
    );
    let id = made.call_id.as_str();
    let end = find_where(&records, "the call's end", |r| {
        r.event_name.as_deref() == Some(event::CALL_END) && r.call_id.as_deref() == Some(id)
    });
    assert_eq!(attribute(&end, "call.last_sequence"), 42);
    let told = plugin
        .call(request("tell", json!({})), CallOptions::default())
        .await;
    let id = told.call_id.as_str();
    let end = find_where(&records, "the call's end", |r| {
        r.event_name.as_deref() == Some(event::CALL_END) && r.call_id.as_deref() == Some(id)
    });
    assert_eq!(attribute(&end, "call.last_sequence"), 41);
    driver.shutdown().await;
}

#[tokio::test]
async fn a_panic_in_a_handler_is_a_failed_call_and_no_more() {
    let (driver, plugin, _) = serving().await;
    let made = plugin
        .call(request("panic", json!({})), CallOptions::default())
        .await;
    let failure = made.result.unwrap_err();
    assert_eq!(failure.code(), FailureCode::CallFailed, "{failure}");
    command(&plugin, "tell", json!({})).await;
    driver.shutdown().await;
}

#[tokio::test]
async fn a_call_that_takes_too_long_leaves_the_others_alone() {
    let (driver, plugin, _) = serving().await;
    let options = CallOptions {
        timeout: Some(Duration::from_millis(200)),
        ..CallOptions::default()
    };
    let made = plugin.call(request("hang", json!({})), options).await;
    assert_eq!(made.result.unwrap_err().code(), FailureCode::CallTimeout);
    command(&plugin, "tell", json!({})).await;
    driver.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_ends_every_call_at_once_with_the_reason() {
    let (driver, plugin, records) = serving().await;
    let test = driver.begin_test(TestRun::new("t-1"));
    let waiting = {
        let (plugin, options) = (plugin.clone(), CallOptions::for_test(&test));
        tokio::spawn(async move { plugin.call(request("hang", json!({})), options).await })
    };
    find_where(&records, "the waiting call", |r| {
        r.event_name.as_deref() == Some(event::CALL_BEGIN)
            && r.test_run_id.as_deref() == Some("t-1")
    });
    let begin = Instant::now();
    let made = plugin
        .call(request("abort", json!({})), CallOptions::default())
        .await;
    let other = waiting.await.unwrap();
    assert!(begin.elapsed() < Duration::from_secs(1), "{begin:?}");
    for made in [made, other] {
        let failure = made.result.unwrap_err();
        assert_eq!(failure.code(), FailureCode::Crashed, "{failure}");
        assert_eq!(failure.report().exit.unwrap().signal, Some(6));
        assert_eq!(failure.report().stderr_tail, ["about to abort"]);
    }
    let after = plugin
        .call(request("tell", json!({})), CallOptions::default())
        .await;
    assert_eq!(after.result.unwrap_err().code(), FailureCode::Crashed);
    driver.shutdown().await;
    let exited = find_event(&records, event::INSTANCE_EXITED);
    assert_eq!(attribute(&exited, "process.signal"), 6);
}

#[tokio::test]
async fn an_exit_in_a_call_is_a_crash_too() {
    let (driver, plugin, _) = serving().await;
    let made = plugin
        .call(request("exit", json!({})), CallOptions::default())
        .await;
    let failure = made.result.unwrap_err();
    assert_eq!(failure.code(), FailureCode::Crashed);
    assert_eq!(failure.report().exit.unwrap().code, Some(7));
    driver.shutdown().await;
}

#[tokio::test]
async fn many_calls_at_once_keep_their_tests_apart() {
    let (driver, plugin, _) = serving().await;
    let calls: Vec<_> = (0..200)
        .map(|n| {
            let (driver, plugin) = (driver.clone(), plugin.clone());
            tokio::spawn(async move {
                let test = driver.begin_test(TestRun::new(format!("t-{n}")));
                let options = CallOptions::for_test(&test);
                let made = plugin.call(request("tell", json!({})), options).await;
                let told = answer(made.result.unwrap());
                (test.id().to_owned(), told)
            })
        })
        .collect();
    for call in calls {
        let (id, told) = call.await.unwrap();
        assert_eq!(told["testContext"]["testRunId"], id);
        assert_eq!(told["metadata"]["plugin-test-run-id"], id);
    }
    driver.shutdown().await;
}
