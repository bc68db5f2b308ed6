//! The reference plugin as a component serves what the process serves.

use bytes::Bytes;
use plugobs_core::registry::FailureCode;
use plugobs_driver::CallOptions;
use plugobs_driver::interface::{
    Body, CompareContents, FieldValue, GenerateField, MatchField, Request, Response, Rule,
};
use serde_json::json;

use crate::support::{command, driver, find, manifest, serving};

const CSV: &str = "plugobs-csv-component.wasm";

fn csv(content: &'static str) -> Body {
    Body {
        content_type: "text/csv".to_owned(),
        content: Some(Bytes::from_static(content.as_bytes())),
        ..Body::default()
    }
}

fn rule(kind: &str, values: serde_json::Value) -> Rule {
    let serde_json::Value::Object(values) = values else {
        panic!("values are an object");
    };
    Rule {
        kind: kind.to_owned(),
        values,
    }
}

#[tokio::test]
async fn the_csv_plugin_works_as_a_component() {
    let (driver, records) = driver();
    let plugin = driver.load_manifest(manifest(CSV)).await.unwrap();
    let call = |request| async { plugin.call(request, CallOptions::default()).await.result };

    let config = json!({"csvHeaders": true, "column:Name": "matching(type,'Fred')", "column:Number": "matching(number,100)"});
    let serde_json::Value::Object(contents_config) = config else {
        panic!()
    };
    let request = Request::ConfigureInteraction {
        content_type: "text/csv".to_owned(),
        contents_config,
    };
    let Response::Configured {
        interactions,
        error,
        ..
    } = call(request).await.unwrap()
    else {
        panic!()
    };
    assert_eq!(error, "");
    let made = &interactions[0];
    let body = made.contents.clone().unwrap().content.unwrap();
    assert_eq!(body, "Name,Number\nFred,100\n");
    assert_eq!(made.rules["column:Number"][0].kind, "number");

    let request = Request::CompareContents(Box::new(CompareContents {
        expected: csv("Name,Number\nFred,100\n"),
        actual: csv("Name,Number\nAnn,many\n"),
        rules: made.rules.clone(),
        plugin_configuration: made.plugin_configuration.clone(),
        ..CompareContents::default()
    }));
    let Response::Compared(comparison) = call(request).await.unwrap() else {
        panic!()
    };
    assert_eq!(comparison.error, "");
    let (path, found) = comparison.results.first_key_value().unwrap();
    assert_eq!((path.as_str(), found.len()), ("row:1, column:Number", 1));
    assert_eq!(found[0].mismatch_type, "body");
    let told = format!("{path}: {}", found[0].mismatch);
    assert_eq!(find(&records, &told).channel, "user");

    let request = Request::MatchField(Box::new(MatchField {
        key: "csv".to_owned(),
        rule: rule("regex", json!({"regex": "^[0-9]+$"})),
        path: "$.x".to_owned(),
        mismatch_type: "body".to_owned(),
        expected: FieldValue::Json(json!("12")),
        actual: FieldValue::Json(json!("x2")),
        plugin_configuration: None,
    }));
    let Response::FieldMatched { mismatches, error } = call(request).await.unwrap() else {
        panic!()
    };
    assert_eq!((mismatches.len(), error.as_str()), (1, ""));

    for kind in ["RandomInt", "Date", "Uuid"] {
        let request = Request::GenerateField(Box::new(GenerateField {
            key: "csv".to_owned(),
            generator: rule(kind, json!({})),
            path: "$.x".to_owned(),
            example: FieldValue::Json(json!("7")),
            plugin_configuration: None,
            test_mode: 1,
        }));
        let Response::FieldGenerated { value, error } = call(request).await.unwrap() else {
            panic!()
        };
        let Some(FieldValue::Json(serde_json::Value::String(value))) = value else {
            panic!("{kind}: {value:?} {error}")
        };
        let is_of_pattern = match kind {
            "RandomInt" => value.parse::<u64>().is_ok(),
            "Date" => value.len() == 10 && value.starts_with("20"),
            _ => value.len() == 36,
        };
        assert!(is_of_pattern, "{kind}: {value}");
    }
    driver.shutdown().await;
}

#[tokio::test]
async fn an_error_is_an_answer_and_what_needs_a_socket_is_refused() {
    let (driver, plugin, _) = serving().await;
    let refused = command(
        &plugin,
        CallOptions::default(),
        "error",
        json!({"text": "no way"}),
    )
    .await;
    let Response::Configured { error, .. } = refused.unwrap() else {
        panic!()
    };
    assert_eq!(error, "no way");
    let request = Request::StartMockServer(Box::default());
    let failure = plugin
        .call(request, CallOptions::default())
        .await
        .result
        .unwrap_err();
    assert_eq!(failure.code(), FailureCode::CallFailed);
    assert!(failure.to_string().contains("StartMockServer"), "{failure}");
    driver.shutdown().await;
}
