//! The JSON Schemas say what the code says.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use jsonschema::{Registry, Validator};
use plugobs_core::handshake::Handshake;
use plugobs_core::json::{from_json, to_json_line};
use plugobs_core::registry::RejectionCode as Code;
use plugobs_core::stderr_line::{parse_stderr_line, to_stderr_line};
use plugobs_core::{Record, Rejection, Severity, Timestamp, validate};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::arbitrary;

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
        // On this path the pipe tells the instance.
        let code = decode_line(&line);
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

/// Where decoder and schema differ on purpose: a line's change, whether the
/// schema takes it, whether the decoder does, and why.
fn differences() -> Vec<(Value, bool, bool, &'static str)> {
    let lenient = "the schema holds emitters, a reader takes more";
    let arithmetic = "a pattern cannot count days or compare numbers";
    let integral = "to a schema 1.0 is an integer, to the form it is a double";
    vec![
        (
            json!({"level": ""}),
            false,
            true,
            "empty is absent, and an emitter leaves it out",
        ),
        (json!({"eventName": ""}), false, true, lenient),
        (json!({"testRunId": ""}), false, true, lenient),
        (
            json!({"epoch": 9_007_199_254_740_993_u64}),
            false,
            true,
            lenient,
        ),
        (json!({"epoch": "007"}), false, true, lenient),
        (
            json!({"severityNumber": 0}),
            false,
            true,
            "0 is an absent number",
        ),
        (json!({"truncatedBytes": 0}), false, true, lenient),
        (json!({"attributes": {}}), false, true, lenient),
        (
            json!({"attributes": {"k": {"int": "007"}}}),
            false,
            true,
            lenient,
        ),
        (
            json!({"attributes": {"k": {"int": "-0"}}}),
            false,
            true,
            lenient,
        ),
        (json!({"marks": []}), false, true, lenient),
        (
            json!({"marks": ["a", "a"]}),
            false,
            true,
            "a reader takes each once",
        ),
        (
            json!({"channel": "lifecycle", "eventName": "test.begin"}),
            false,
            true,
            "that a plugin may not set a driver's event is the driver's to judge (OBS-LIFE-03)",
        ),
        (json!({"pluginInstanceId": ""}), false, true, lenient),
        (
            json!({"timestamp": "2026-02-30T00:00:00Z"}),
            true,
            false,
            arithmetic,
        ),
        (
            json!({"timestamp": "2554-07-21T23:34:33.709551616Z"}),
            true,
            false,
            arithmetic,
        ),
        (
            json!({"epoch": "18446744073709551616"}),
            true,
            false,
            arithmetic,
        ),
        (
            json!({"attributes": {"k": {"int": "9223372036854775808"}}}),
            true,
            false,
            arithmetic,
        ),
        (
            json!({"attributes": {"k": {"double": "1e999"}}}),
            true,
            false,
            arithmetic,
        ),
        (
            json!({"attributes": {"k": {"double": "05"}}}),
            true,
            false,
            arithmetic,
        ),
        (
            json!({"attributes": {"k": 9_223_372_036_854_775_808_u64}}),
            true,
            false,
            arithmetic,
        ),
        (json!({"epoch": 1.0}), true, false, integral),
        (json!({"severityNumber": 9.0}), true, false, integral),
        (
            json!({"exception": {"type": ""}}),
            true,
            false,
            "an empty text is absent (OBS-JSON-08)",
        ),
    ]
}

fn base_line() -> Value {
    let mut line = documents().remove(0);
    line["plugobs"] = 1.into();
    line
}

fn decode_line(line: &Value) -> Result<(), Rejection> {
    let record = parse_stderr_line(&line.to_string())?;
    validate::fields(&record)
}

#[test]
fn what_a_schema_cannot_say_or_a_reader_forgives_is_listed() {
    let validator = validator("stderr-record.schema.json");
    for (change, schema, decoder, why) in differences() {
        let mut line = base_line();
        for (key, value) in change.as_object().unwrap() {
            line[key] = value.clone();
        }
        assert_eq!(validator.is_valid(&line), schema, "schema: {change}: {why}");
        let read = decode_line(&line);
        assert_eq!(read.is_ok(), decoder, "decoder: {change}: {why}: {read:?}");
    }
    // Absent members that a reader fills in.
    for absent in ["level", "severityNumber", "channel"] {
        let mut line = base_line();
        line.as_object_mut().unwrap().remove(absent);
        assert!(
            !validator.is_valid(&line) && decode_line(&line).is_ok(),
            "{absent}"
        );
    }
    // A schema sees values, not text: a member that stands twice, a line's
    // length and its first bytes are beyond it.
    let text = base_line().to_string();
    let twice = text.replacen("{\"", "{\"x\":1,\"x\":2,\"", 1);
    assert!(validator.is_valid(&serde_json::from_str(&twice).unwrap()));
    assert_eq!(
        parse_stderr_line(&twice).unwrap_err().code,
        Code::DuplicateKey
    );
    let mut long = base_line();
    long["message"] = "m".repeat(32_768).into();
    assert!(validator.is_valid(&long));
    assert_eq!(decode_line(&long).unwrap_err().code, Code::TooLong);
}

/// A record of a run, and one change of it after another; `null` removes.
fn run_documents() -> Vec<Value> {
    let base = json!({
        "timestamp": "2026-11-23T04:36:58.123456789Z", "level": "INFO", "message": "m", "target": "t",
        "channel": "operational", "pluginInstanceId": "0b5f2d0e-6c52-4b0e-9d0a-2f5c8a1d7e31",
        "testRunId": "t1", "epoch": 1, "sequence": 1, "severityNumber": 9,
        "observedTimestamp": "2026-11-23T04:36:58.123456789Z", "source": "stream",
        "runId": "019ab3f2-7000-7a10-9c00-5d1e2f3a4b5c", "pluginName": "csv", "pluginVersion": "0.1.0",
    });
    let via = json!({"via": "0b5f2d0e-6c52-4b0e-9d0a-2f5c8a1d7e31", "testRunId": "a b"});
    let changes = json!([
        {}, {"observedTimestamp": null}, {"runId": null}, {"source": null}, {"runId": "x"},
        {"pluginInstanceId": null}, {"pluginInstanceId": "x"}, {"callId": "x"},
        {"pluginInstanceId": null, "source": "driver", "sequence": null},
        {"pluginInstanceId": null, "testRunId": null, "marks": ["quarantined"], "claimed": via},
        {"testRunId": "a b"}, {"testRunId": "a b", "marks": ["invalid_test_run_id"]},
        {"epoch": null}, {"epoch": 0}, {"sequence": 0}, {"source": "rpc", "epoch": null, "sequence": null},
        {"source": "stderr"}, {"source": 1}, {"observedTimestamp": "yesterday"}, {"timestamp": null},
        {"message": ""}, {"message": 1}, {"channel": "lifecycle", "eventName": "nobody.knows"},
        {"channel": "later", "marks": ["unknown_channel"]}, {"unknownFields": "AA=="}, {"unknownFields": "AA"},
        {"attributes": {"": 1}}, {"attributes": {"k": null}}, {"exception": {}}, {"later": [null]},
        {"pluginName": 1}, {"claimed": 1, "marks": ["quarantined"], "pluginInstanceId": null, "testRunId": null},
    ]);
    let change = |change: &Value| {
        let mut document = base.clone();
        for (key, value) in change.as_object().unwrap() {
            match value {
                Value::Null => document.as_object_mut().unwrap().shift_remove(key),
                value => document
                    .as_object_mut()
                    .unwrap()
                    .insert(key.clone(), value.clone()),
            };
        }
        document
    };
    changes.as_array().unwrap().iter().map(change).collect()
}

#[test]
fn a_line_of_a_run_is_valid_where_it_is_accepted() {
    let validator = validator("run-record.schema.json");
    let (mut accepted, mut refused) = (0, 0);
    for document in run_documents() {
        let read = from_json(&document.to_string()).and_then(|record| validate::in_run(&record));
        assert_eq!(
            validator.is_valid(&document),
            read.is_ok(),
            "{read:?}\n{document}"
        );
        if read.is_ok() {
            accepted += 1;
        } else {
            refused += 1;
        }
    }
    assert!(accepted >= 10 && refused >= 18, "{accepted} {refused}");
}

#[test]
fn a_handshake_is_valid_where_it_is_accepted() {
    let validator = validator("handshake.schema.json");
    let documents = json!([
        {"port": 1, "serverKey": ""}, {"port": 65535, "serverKey": "k", "more": null}, {"port": 0, "serverKey": "k"},
        {"port": 65536, "serverKey": "k"}, {"port": -1, "serverKey": "k"}, {"port": 1.5, "serverKey": "k"},
        {"port": "1", "serverKey": "k"}, {"port": null, "serverKey": "k"}, {"serverKey": "k"}, {"port": 1},
        {"port": 1, "serverKey": 1}, {"port": 1, "serverKey": null}, {}, [], "x", 1, null,
    ]);
    let (mut accepted, mut refused) = (0, 0);
    for document in documents.as_array().unwrap() {
        let read = Handshake::parse(&document.to_string());
        assert_eq!(
            validator.is_valid(document),
            read.is_ok(),
            "{read:?}\n{document}"
        );
        if read.is_ok() {
            accepted += 1;
        } else {
            refused += 1;
        }
    }
    assert_eq!((accepted, refused), (2, 15));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_shape_of_everything_that_is_written_is_valid(record in arbitrary::record()) {
        // Its identities and its event keep no grammar; all else does.
        let record = Record {
            plugin_instance_id: None,
            test_run_id: None,
            call_id: None,
            epoch: Some(record.epoch.unwrap_or(1)),
            sequence: Some(1),
            message: format!("m{}", record.message).into(),
            ..record
        };
        let line = serde_json::from_str(&to_stderr_line(&record)).unwrap();
        let verdict = STDERR.validate(&line).map_err(|error| error.to_string());
        prop_assert_eq!(verdict, Ok(()), "{}", line);
    }
}

static STDERR: LazyLock<Validator> = LazyLock::new(|| validator("stderr-record.schema.json"));

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
