//! The calls of the plugin, over the wire.

use std::collections::BTreeMap;

use plugobs_proto::pact::v2;
use plugobs_proto::pact::v2::catalogue_entry::EntryType;
use prost_types::value::Kind;
use tonic::Code;

use crate::plugin::{Plugin, body, compare, object, text};

#[tokio::test]
async fn the_catalogue_offers_csv_for_matching_and_generating() {
    let plugin = Plugin::start();
    let response = plugin
        .client()
        .await
        .init_plugin(v2::InitPluginRequest {
            implementation: "a-driver".to_owned(),
            version: "1".to_owned(),
            ..v2::InitPluginRequest::default()
        })
        .await
        .unwrap()
        .into_inner();
    let Some(v2::init_plugin_response::Response::Success(success)) = response.response else {
        panic!("the plugin refused: {response:?}");
    };
    assert_eq!(success.plugin_capabilities, plugobs_plugin::capabilities());
    let kinds: Vec<_> = success
        .catalogue
        .iter()
        .map(v2::CatalogueEntry::r#type)
        .collect();
    assert_eq!(
        kinds,
        [EntryType::ContentMatcher, EntryType::ContentGenerator]
    );
    for entry in &success.catalogue {
        assert_eq!(
            (entry.key.as_str(), entry.values["content-types"].as_str()),
            ("csv", "text/csv;application/csv")
        );
    }
    let catalogue = v2::Catalogue {
        catalogue: success.catalogue,
    };
    plugin
        .client()
        .await
        .update_catalogue(catalogue)
        .await
        .unwrap();
}

#[tokio::test]
async fn the_fixtures_match_and_mismatch_over_the_wire() {
    let plugin = Plugin::start();
    assert_eq!(
        compare(&plugin, "people").await.into_inner(),
        v2::CompareContentsResponse::default()
    );

    let orders = compare(&plugin, "orders").await.into_inner();
    assert_eq!((orders.error.as_str(), &orders.type_mismatch), ("", &None));
    let paths: Vec<_> = orders.results.keys().collect();
    assert_eq!(paths, ["row:3, column:Amount", "row:4, column:Placed"]);
    let amount = &orders.results["row:3, column:Amount"].mismatches[0];
    assert_eq!(amount.path, "row:3, column:Amount");
    assert_eq!(amount.expected.as_deref(), Some(&b"19.90"[..]));
    assert_eq!(amount.actual.as_deref(), Some(&b"on request"[..]));
    assert_eq!(amount.mismatch_type, "body");
    assert!(
        amount
            .mismatch
            .starts_with("'on request' is not a decimal number")
    );
}

#[tokio::test]
async fn what_cannot_be_answered_is_an_error_in_the_response() {
    let plugin = Plugin::start();
    let mut client = plugin.client().await;
    let config = object([("column:A", text("matching(date, 'ww', '1')"))]);
    let configured = client
        .configure_interaction(v2::ConfigureInteractionRequest {
            content_type: "text/csv".to_owned(),
            contents_config: Some(config),
            test_context: None,
        })
        .await
        .unwrap()
        .into_inner();
    assert!(
        configured.error.starts_with("column:A: "),
        "{}",
        configured.error
    );
    assert_eq!(configured.interaction, []);

    let compared = client
        .compare_contents(v2::CompareContentsRequest {
            expected: Some(body(b"A\n1\n".to_vec())),
            actual: Some(body(b"A\n\xe9\n".to_vec())),
            ..v2::CompareContentsRequest::default()
        })
        .await
        .unwrap()
        .into_inner();
    assert!(
        compared.error.contains("the byte at offset 2"),
        "{}",
        compared.error
    );

    let json = v2::Body {
        content_type: "application/json".to_owned(),
        ..body(b"{}".to_vec())
    };
    let compared = client
        .compare_contents(v2::CompareContentsRequest {
            expected: Some(body(b"A\n1\n".to_vec())),
            actual: Some(json),
            ..v2::CompareContentsRequest::default()
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(compared.type_mismatch.unwrap().actual, "application/json");
}

#[tokio::test]
async fn contents_and_values_are_generated() {
    use v2::generate_content_request::TestMode;
    let plugin = Plugin::start();
    let mut client = plugin.client().await;
    let generator = v2::Generator {
        r#type: "ProviderState".to_owned(),
        values: Some(object([("expression", text("${id}"))])),
    };
    let id = prost_types::Value {
        kind: Some(Kind::NumberValue(42.0)),
    };
    let state = prost_types::Value {
        kind: Some(Kind::StructValue(object([("id", id)]))),
    };
    let request = v2::GenerateContentRequest {
        contents: Some(body(b"Id,Name\n1,Ada\n2,Alan\n".to_vec())),
        generators: BTreeMap::from([("column:Id".to_owned(), generator.clone())]),
        test_context: Some(object([("providerState", state.clone())])),
        test_mode: TestMode::Provider.into(),
        ..v2::GenerateContentRequest::default()
    };
    let generated = client
        .generate_content(request.clone())
        .await
        .unwrap()
        .into_inner();
    let contents = generated.contents.unwrap();
    assert_eq!(contents.content_type, "text/csv");
    assert_eq!(
        contents.content.as_deref(),
        Some(&b"Id,Name\n42,Ada\n42,Alan\n"[..])
    );

    let unknown = v2::Generator {
        r#type: "MockServerURL".to_owned(),
        values: None,
    };
    let refused = client
        .generate_content(v2::GenerateContentRequest {
            generators: BTreeMap::from([("column:Id".to_owned(), unknown)]),
            ..request
        })
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(
        refused
            .message()
            .contains("`MockServerURL` is not supported"),
        "{refused}"
    );

    let field = client
        .generate_field(v2::GenerateFieldRequest {
            generator: Some(generator),
            test_context: Some(object([("providerState", state)])),
            test_mode: TestMode::Provider.into(),
            ..v2::GenerateFieldRequest::default()
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        field.value.unwrap().value,
        Some(v2::field_value::Value::StringValue("42".to_owned()))
    );
}

#[tokio::test]
async fn single_values_are_matched() {
    use v2::field_value::Value;
    let plugin = Plugin::start();
    let mut client = plugin.client().await;
    let request = |actual| v2::MatchFieldRequest {
        rule: Some(v2::MatchingRule {
            r#type: "integer".to_owned(),
            values: None,
        }),
        path: "$.id".to_owned(),
        mismatch_type: "metadata".to_owned(),
        expected: Some(v2::FieldValue {
            value: Some(Value::IntegerValue(1)),
        }),
        actual: Some(v2::FieldValue {
            value: Some(actual),
        }),
        ..v2::MatchFieldRequest::default()
    };
    let kept = client
        .match_field(request(Value::IntegerValue(7)))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(kept, v2::MatchFieldResponse::default());
    let broken = request(Value::StringValue("seven".to_owned()));
    let broken = client.match_field(broken).await.unwrap().into_inner();
    assert_eq!(broken.mismatches.len(), 1);
    assert_eq!(
        (
            broken.mismatches[0].path.as_str(),
            broken.mismatches[0].mismatch_type.as_str()
        ),
        ("$.id", "metadata")
    );
    let binary = request(Value::BinaryValue(vec![0xff]));
    let binary = client.match_field(binary).await.unwrap().into_inner();
    assert!(binary.error.contains("no UTF-8 text"), "{}", binary.error);
}

#[tokio::test]
async fn only_who_shows_the_key_is_served() {
    let plugin = Plugin::start();
    for key in [None, Some("guessed")] {
        let mut client = plugin.client_with(key).await;
        let refused = client
            .init_plugin(v2::InitPluginRequest::default())
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Code::Unauthenticated, "{refused}");
    }
}

#[tokio::test]
async fn a_transport_is_not_offered() {
    let plugin = Plugin::start();
    let mut client = plugin.client().await;
    let refused = client
        .start_mock_server(v2::StartMockServerRequest::default())
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::Unimplemented);
    assert!(
        refused.message().contains("does not serve StartMockServer"),
        "{refused}"
    );
    let refused = client
        .verify_interaction(v2::VerifyInteractionRequest::default())
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::Unimplemented);
}
