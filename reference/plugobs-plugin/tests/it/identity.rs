//! Which IDs a call's records bear, however the driver tells them.

use plugobs_core::registry::mark;
use plugobs_proto::pact::v1;
use plugobs_proto::pact::v1::pact_plugin_client::PactPluginClient as V1Client;
use plugobs_proto::pact::v2 as pact;
use serde_json::json;
use tonic::{Request, Status};

use crate::peer::{Driver, INSTANCE, Offer, Plugin, context, script};

const CALL: &str = "019ab3f2-7c1a-7d30-8a55-1c0e5b6f9a02";
const OTHER_CALL: &str = "019ab3f2-7c1a-7d30-8a55-1c0e5b6f9a03";
const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[tokio::test]
async fn every_record_has_instance_test_call_and_trace() {
    let driver = Driver::new().await;
    let plugin = Offer::of(&driver).start().await;
    let metadata = [
        ("plugin-test-run-id", "t-1"),
        ("plugin-call-id", CALL),
        ("plugin-parent-call-id", OTHER_CALL),
        ("pact-call-chain-id", "chain"),
        ("traceparent", TRACE),
    ];
    let steps = json!([
        {"do": "log", "level": "INFO", "message": "one"},
        {"do": "spawn", "steps": [{"do": "log", "level": "WARN", "message": "two"}]},
        {"do": "user_message", "text": "three"},
        {"do": "join"},
    ]);
    plugin.run_for(&metadata, Some("t-1"), steps).await;
    for message in ["one", "two", "three"] {
        let record = driver.record(message).await;
        assert_eq!(record.plugin_instance_id.as_deref(), Some(INSTANCE));
        assert_eq!(record.test_run_id.as_deref(), Some("t-1"));
        assert_eq!(record.call_id.as_deref(), Some(CALL));
        let trace = record.trace_context.unwrap();
        assert_eq!(trace.to_traceparent(), TRACE);
        assert_eq!(record.attribute("callChainId"), Some(&"chain".into()));
        assert_eq!(record.marks, Vec::<String>::new());
        assert!(record.epoch.is_some() && record.sequence.is_some());
    }
    // The call is over: what no call causes has no IDs.
    let steps = json!([{"do": "detached", "steps": [
        {"do": "log", "level": "INFO", "message": "four"}]}, {"do": "join"}]);
    plugin.run_for(&metadata, Some("t-1"), steps).await;
    let record = driver.record("four").await;
    assert_eq!((record.test_run_id, record.call_id), (None, None));
    let hello = driver.seen().streams[0].hello.clone().unwrap();
    assert_eq!(hello.plugin_instance_id, INSTANCE);
    assert_eq!(hello.versions, [1]);
    assert_eq!(hello.sdk_language, "rust");
}

/// The test run and the marks of a record of a call with that metadata and
/// field.
async fn told(
    metadata: &[(&'static str, &str)],
    field: Option<&str>,
) -> (Option<String>, Vec<String>) {
    let driver = Driver::new().await;
    let plugin = Offer::of(&driver).start().await;
    let steps = json!([{"do": "log", "level": "INFO", "message": "one"}]);
    plugin.run_for(metadata, field, steps).await;
    let record = driver.record("one").await;
    (record.test_run_id.map(String::from), record.marks)
}

#[tokio::test]
async fn the_field_wins_over_the_metadata_and_a_conflict_is_marked() {
    let (id, marks) = told(&[("plugin-test-run-id", "t-2")], Some("t-1")).await;
    assert_eq!(id.as_deref(), Some("t-1"));
    assert_eq!(marks, [mark::ID_CONFLICT]);
}

#[tokio::test]
async fn metadata_stands_in_for_a_field_that_is_empty() {
    let (id, marks) = told(&[("plugin-test-run-id", "t-2")], Some("")).await;
    assert_eq!((id.as_deref(), marks.len()), (Some("t-2"), 0));
}

#[tokio::test]
async fn an_id_against_the_grammar_is_kept_and_marked() {
    let (id, marks) = told(&[], Some("a test, with spaces")).await;
    assert_eq!(id.as_deref(), Some("a test, with spaces"));
    assert_eq!(marks, [mark::INVALID_TEST_RUN_ID]);
}

#[tokio::test]
async fn baggage_alone_tells_the_test() {
    let (id, marks) = told(&[("baggage", "a=b, test.run.id=t%2D3;x=y")], None).await;
    assert_eq!((id.as_deref(), marks.len()), (Some("t-3"), 0));
    // It may come in several values.
    let two = [("baggage", "a=b"), ("baggage", "test.run.id=t-4")];
    assert_eq!(told(&two, None).await.0.as_deref(), Some("t-4"));
}

#[tokio::test]
async fn metadata_against_its_form_is_absent_and_the_call_is_served() {
    let driver = Driver::new().await;
    let plugin = Offer::of(&driver).start().await;
    let broken = [
        ("plugin-call-id", "no uuid"),
        ("traceparent", "00-zz-1-01"),
        ("baggage", "test.run.id"),
    ];
    let steps = json!([{"do": "log", "level": "INFO", "message": "one"}]);
    plugin.run_for(&broken, None, steps).await;
    let record = driver.record("one").await;
    assert_eq!((&record.test_run_id, &record.call_id), (&None, &None));
    assert_eq!(record.trace_context, None);
}

#[tokio::test]
async fn every_operation_of_interface_2_tells_its_test_in_the_field() {
    let driver = Driver::new().await;
    let plugin = Offer::of(&driver).start().await;
    let mut client = plugin.client();
    let of = |operation: &str| Some(context(&format!("t-{operation}")));
    client
        .compare_contents(pact::CompareContentsRequest {
            test_context: of("CompareContents"),
            ..pact::CompareContentsRequest::default()
        })
        .await
        .unwrap();
    client
        .generate_content(pact::GenerateContentRequest {
            test_context: of("GenerateContent"),
            ..pact::GenerateContentRequest::default()
        })
        .await
        .unwrap();
    client
        .match_field(pact::MatchFieldRequest {
            test_context: of("MatchField"),
            ..pact::MatchFieldRequest::default()
        })
        .await
        .unwrap();
    client
        .generate_field(pact::GenerateFieldRequest {
            test_context: of("GenerateField"),
            ..pact::GenerateFieldRequest::default()
        })
        .await
        .unwrap();
    client
        .start_mock_server(pact::StartMockServerRequest {
            test_context: of("StartMockServer"),
            ..pact::StartMockServerRequest::default()
        })
        .await
        .unwrap();
    client
        .prepare_interaction_for_verification(pact::VerificationPreparationRequest {
            test_context: of("PrepareInteractionForVerification"),
            ..pact::VerificationPreparationRequest::default()
        })
        .await
        .unwrap();
    client
        .verify_interaction(pact::VerifyInteractionRequest {
            test_context: of("VerifyInteraction"),
            ..pact::VerifyInteractionRequest::default()
        })
        .await
        .unwrap();
    for operation in [
        "CompareContents",
        "GenerateContent",
        "MatchField",
        "GenerateField",
        "StartMockServer",
        "PrepareInteractionForVerification",
        "VerifyInteraction",
    ] {
        let record = driver.record(&format!("served {operation}")).await;
        let expected = format!("t-{operation}");
        assert_eq!(record.test_run_id, Some(expected.into()), "{operation}");
    }
}

#[tokio::test]
async fn interface_1_is_served_alike() {
    let driver = Driver::new().await;
    let plugin = Offer::of(&driver).argument("v1").start().await;
    let mut client = V1Client::new(plugin.channel());
    let request = v1::InitPluginRequest {
        implementation: "a test".to_owned(),
        version: "1".to_owned(),
    };
    client.init_plugin(request).await.unwrap();
    let ready = driver.event("plugin.ready").await;
    assert_eq!(ready.plugin_instance_id.as_deref(), Some(INSTANCE));
    let entries = driver.event("plugin.catalogue_registered").await;
    assert_eq!(entries.attribute("catalogue.entries"), Some(&1_i64.into()));
    // By the field.
    client
        .generate_content(v1::GenerateContentRequest {
            test_context: Some(context("t-1")),
            ..v1::GenerateContentRequest::default()
        })
        .await
        .unwrap();
    let record = driver.record("served GenerateContent").await;
    assert_eq!(record.test_run_id.as_deref(), Some("t-1"));
    client
        .start_mock_server(v1::StartMockServerRequest {
            test_context: Some(context("t-2")),
            ..v1::StartMockServerRequest::default()
        })
        .await
        .unwrap();
    let record = driver.record("served StartMockServer").await;
    assert_eq!(record.test_run_id.as_deref(), Some("t-2"));
    // By metadata, where the interface has no field.
    let steps = json!([{"do": "log", "level": "INFO", "message": "one"}]);
    let mut request = Request::new(v1::ConfigureInteractionRequest {
        content_type: String::new(),
        contents_config: Some(script(steps)),
    });
    let metadata = request.metadata_mut();
    metadata.insert("plugin-test-run-id", "t-3".parse().unwrap());
    metadata.insert("plugin-call-id", CALL.parse().unwrap());
    let response = client.configure_interaction(request).await.unwrap();
    let record = driver.record("one").await;
    assert_eq!(record.test_run_id.as_deref(), Some("t-3"));
    assert_eq!(record.call_id.as_deref(), Some(CALL));
    assert_eq!(
        Some(Plugin::position(response.metadata()).sequence),
        record.sequence
    );
}

#[tokio::test]
async fn an_answer_tells_how_far_the_log_had_come() {
    let driver = Driver::new().await;
    let plugin = Offer::of(&driver).start().await;
    // Joined work is the handler's; all of it is covered.
    let steps = json!([
        {"do": "burst", "level": "INFO", "count": 20},
        {"do": "thread", "steps": [{"do": "burst", "level": "INFO", "count": 20}]},
        {"do": "join"},
        {"do": "log", "level": "INFO", "message": "the last"},
    ]);
    let response = plugin.try_run(&[], None, steps).await.unwrap();
    let position = Plugin::position(response.metadata());
    let last = driver.record("the last").await;
    assert_eq!(Some(position.epoch), last.epoch);
    assert_eq!(Some(position.sequence), last.sequence);
    assert!(driver.seen().account().through() >= position.sequence);

    // On an error as well.
    let steps = json!([
        {"do": "log", "level": "INFO", "message": "before the error"},
        {"do": "reply_error", "code": 9, "message": "as told"},
    ]);
    let status: Status = plugin.try_run(&[], None, steps).await.unwrap_err();
    assert_eq!(status.message(), "as told");
    let position = Plugin::position(status.metadata());
    let last = driver.record("before the error").await;
    assert_eq!(Some(position.sequence), last.sequence);

    // A call that logs nothing says where the log is.
    let response = plugin.try_run(&[], None, json!([])).await.unwrap();
    assert_eq!(Plugin::position(response.metadata()), position);
    let unknown = plugin.try_run(&[], None, json!([{"do": "dance"}])).await;
    assert_eq!(unknown.unwrap_err().code(), tonic::Code::Unimplemented);
}
