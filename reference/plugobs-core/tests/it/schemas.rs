//! The JSON Schemas say what the code says.

use std::fs;
use std::path::Path;

use jsonschema::{Registry, Validator};
use plugobs_core::json::{from_json, to_json_line};
use plugobs_core::stderr_line::{parse_stderr_line, to_stderr_line};
use plugobs_core::{Record, Severity, Timestamp, validate};
use serde_json::{Value, json};

fn schema(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../schemas")
        .join(name);
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn validator(name: &str) -> Validator {
    let mut registry = Registry::new();
    for other in ["record", "run-record", "registries", "stderr-record"] {
        let other = schema(&format!("{other}.schema.json"));
        let id = other["$id"].as_str().unwrap().to_owned();
        registry = registry.add(id, other).unwrap();
    }
    let registry = registry.prepare().unwrap();
    jsonschema::options()
        .with_registry(&registry)
        .build(&schema(name))
        .unwrap()
}

/// A plugin's record, and one change of it after another.
fn documents() -> Vec<Value> {
    let base = json!({
        "timestamp": "2026-11-23T04:36:58.123456789Z", "level": "INFO", "message": "m", "target": "t",
        "channel": "operational", "pluginInstanceId": "0b5f2d0e-6c52-4b0e-9d0a-2f5c8a1d7e31",
        "testRunId": "t1", "epoch": 1, "sequence": 1, "severityNumber": 9,
    });
    let mut documents = vec![base.clone()];
    let changes = json!([
        {"pluginInstanceId": "0B5F2D0E-6C52-4B0E-9D0A-2F5C8A1D7E31"}, {"pluginInstanceId": 1},
        {"testRunId": "a b"}, {"testRunId": "a,b"}, {"testRunId": "a\\b"}, {"testRunId": "x".repeat(257)},
        {"testRunId": "x".repeat(256)}, {"testRunId": "a b", "marks": ["invalid_test_run_id"]},
        {"callId": "x"}, {"callId": "019ab3f2-7c1a-7d30-8a55-1c0e5b6f9a02"},
        {"epoch": 0}, {"epoch": "9007199254740993"}, {"epoch": "x"}, {"epoch": true},
        {"sequence": 0}, {"sequence": -1}, {"sequence": 1.5},
        {"severityNumber": 25}, {"severityNumber": 24}, {"level": 1}, {"level": "banana"},
        {"channel": "lifecycle"}, {"channel": "lifecycle", "eventName": "plugin.ready"},
        {"channel": "lifecycle", "eventName": "nobody.knows"}, {"channel": "later"}, {"channel": 7},
        {"message": ""}, {"message": "", "eventName": "e"}, {"message": null},
        {"attributes": {"k": 1}}, {"attributes": {"k": null}}, {"attributes": {"k": [[1]]}},
        {"attributes": {"k": {"int": "5"}}}, {"attributes": {"k": {"int": 5}}},
        {"attributes": {"k": {"double": "NaN"}}}, {"attributes": {"k": {"double": "nan"}}},
        {"attributes": {"k": {"bytes": "3q2+7w=="}}}, {"attributes": {"k": {"bytes": "3q2+7w"}}},
        {"attributes": {"k": {"bytes": "AA==", "int": "1"}}}, {"attributes": {"": 1}}, {"attributes": []},
        {"exception": {}}, {"exception": {"type": "E"}}, {"exception": 1},
        {"traceContext": {"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331", "flags": 1}},
        {"traceContext": {"traceId": "0AF7651916CD43DD8448EB211C80319C", "spanId": "b7ad6b7169203331", "flags": 1}},
        {"traceContext": {"traceId": "0".repeat(32), "spanId": "b7ad6b7169203331", "flags": 1}},
        {"marks": ["a", "b"]}, {"marks": [1]}, {"truncatedBytes": 3}, {"truncatedBytes": -3},
        {"timestamp": "yesterday"}, {"timestamp": "2026-11-23T04:36:58+01:00"}, {"timestamp": 5},
        {"somethingNew": {"a": [1]}},
    ]);
    for change in changes.as_array().unwrap() {
        let mut document = base.clone();
        for (key, value) in change.as_object().unwrap() {
            document[key] = value.clone();
        }
        documents.push(document);
    }
    for absent in [
        "pluginInstanceId",
        "epoch",
        "sequence",
        "timestamp",
        "message",
        "testRunId",
    ] {
        let mut document = base.clone();
        document.as_object_mut().unwrap().remove(absent);
        documents.push(document);
    }
    documents
}

#[test]
fn a_plugins_record_is_valid_where_it_is_accepted() {
    let validator = validator("stderr-record.schema.json");
    let (mut accepted, mut refused) = (0, 0);
    for document in documents() {
        let mut line = document.clone();
        line["plugobs"] = 1.into();
        let code = parse_stderr_line(&line.to_string()).and_then(|record| {
            // On this path the pipe tells the instance.
            validate::fields(&record)
        });
        assert_eq!(
            validator.is_valid(&line),
            code.is_ok(),
            "{code:?}\n{document}"
        );
        if code.is_ok() {
            accepted += 1;
        } else {
            refused += 1;
        }
    }
    assert!(accepted > 15 && refused > 25, "{accepted} {refused}");
}

#[test]
fn what_is_written_is_valid() {
    let mut record = Record::new(Timestamp::default(), Severity::MAX, "t", "m\u{202e}")
        .with("nan", f64::NAN)
        .with("one", 1.0)
        .with("big", i64::MIN)
        .with("bytes", vec![1, 2]);
    (record.epoch, record.sequence) = (Some(u64::MAX), Some(1));
    let line: Value = serde_json::from_str(&to_stderr_line(&record)).unwrap();
    validator("stderr-record.schema.json")
        .validate(&line)
        .unwrap();
    record.plugin_instance_id = Some("0b5f2d0e-6c52-4b0e-9d0a-2f5c8a1d7e31".into());
    record.observed_timestamp = Some(Timestamp::default());
    record.run_id = Some("019ab3f2-7000-7a10-9c00-5d1e2f3a4b5c".into());
    record.source = Some("stream".into());
    let line: Value = serde_json::from_str(&to_json_line(&record)).unwrap();
    validator("run-record.schema.json").validate(&line).unwrap();
}

#[test]
fn the_schemas_own_examples_are_read() {
    let mut seen = 0;
    for name in ["record.schema.json", "run-record.schema.json"] {
        for example in schema(name)["examples"].as_array().unwrap() {
            from_json(&example.to_string()).unwrap();
            seen += 1;
        }
    }
    assert!(seen > 0);
}
