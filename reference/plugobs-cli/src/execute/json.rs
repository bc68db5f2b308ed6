//! The result of a run as one JSON object, for `plugobs run --json`.

use std::time::Duration;

use plugobs_core::json::to_json_line;
use plugobs_core::sanitise;
use plugobs_driver::interface::Mismatch;
use plugobs_driver::{FailureReport, TestReport};
use serde_json::{Map, Value, json};

use super::result::{CallResult, Came, Found, PluginResult, RunResult, TestResult};

/// Bytes of an expected or actual value; the whole of it is the plugin's
/// business.
const MAX_VALUE_BYTES: usize = 4096;

/// The object. Members that do not apply are left out.
///
/// - `runId`, `runFolder`, `exitCode`, `durationNs`
/// - `plugins`: `id`, `name`, `version`, `pluginInstanceId`, or `failure` (a
///   code of the registry `errors`)
/// - `tests`: `name`, `suite`, `outcome` (`passed`, `failed`, `errored`,
///   `not_run`), `testRunId`, `durationNs`, `completeness`, `userMessages`,
///   `logRecords` by level, `calls`
/// - `calls`: `callId`, `plugin`, `operation`, `expected`, `outcome` (`ok`,
///   `mismatch`, `error`, `failure`, `not_made`), `asExpected`, `mismatches`,
///   `error`
/// - `failures`: `code`, `stage`, `message`, `action`, `plugin`,
///   `pluginInstanceId`, `testRunId`; the run folder has all of each
/// - `lost`: records that a sink did not get, by the sink's name
pub(crate) fn result(result: &RunResult) -> Value {
    let lost: Map<_, _> = result
        .losses
        .iter()
        .filter(|loss| loss.lost_records > 0)
        .map(|loss| (loss.name.clone(), json!(loss.lost_records)))
        .collect();
    json!({
        "runId": result.run_id,
        "runFolder": result.folder.to_string_lossy(),
        "exitCode": result.exit().code(),
        "durationNs": nanos(result.duration),
        "plugins": result.plugins.iter().map(plugin).collect::<Vec<_>>(),
        "tests": result.tests.iter().map(|t| test(result, t)).collect::<Vec<_>>(),
        "failures": result.failures.iter().map(|f| failure(f)).collect::<Vec<_>>(),
        "lost": lost,
    })
}

fn plugin(plugin: &PluginResult) -> Value {
    let mut object = Map::new();
    object.insert("id".to_owned(), json!(plugin.id));
    object.insert("name".to_owned(), json!(plugin.name));
    match &plugin.loaded {
        Ok(info) => {
            object.insert("version".to_owned(), json!(info.version));
            object.insert(
                "pluginInstanceId".to_owned(),
                json!(info.plugin_instance_id),
            );
        }
        Err(failure) => {
            object.insert("failure".to_owned(), json!(failure.code().as_str()));
        }
    }
    Value::Object(object)
}

fn test(result: &RunResult, test: &TestResult) -> Value {
    let mut object = Map::new();
    object.insert("name".to_owned(), json!(test.name));
    add(&mut object, "suite", test.suite.as_ref());
    object.insert("outcome".to_owned(), json!(test.outcome().as_str()));
    if let Some(report) = &test.report {
        add_report(&mut object, report);
    }
    let calls = test.calls.iter().map(|c| call(result, c));
    object.insert("calls".to_owned(), calls.collect());
    Value::Object(object)
}

fn add_report(object: &mut Map<String, Value>, report: &TestReport) {
    let [trace, debug, info, warn, error] = report.by_level;
    let messages = report.user_messages.iter().map(|record| {
        // A record's own JSON form, so that programs read one form only.
        serde_json::from_str(&to_json_line(record)).unwrap_or(Value::Null)
    });
    object.extend([
        ("testRunId".to_owned(), json!(report.test_run_id)),
        ("durationNs".to_owned(), nanos(report.duration)),
        (
            "completeness".to_owned(),
            json!(report.completeness.as_str()),
        ),
        ("userMessages".to_owned(), messages.collect()),
        (
            "logRecords".to_owned(),
            json!({ "TRACE": trace, "DEBUG": debug, "INFO": info, "WARN": warn, "ERROR": error }),
        ),
    ]);
}

fn call(result: &RunResult, call: &CallResult) -> Value {
    let mut object = Map::new();
    add(&mut object, "callId", call.call_id.as_ref());
    let plugin = &result.plugins[call.plugin];
    object.insert("plugin".to_owned(), json!(plugin.id));
    object.insert("operation".to_owned(), json!(call.operation));
    object.insert("expected".to_owned(), json!(call.expect.as_str()));
    object.insert("outcome".to_owned(), json!(call.outcome()));
    object.insert("asExpected".to_owned(), json!(call.is_as_expected()));
    match &call.came {
        Came::Mismatch(found) => {
            let found = found.iter().map(mismatch);
            object.insert("mismatches".to_owned(), found.collect());
        }
        Came::Error(error) => {
            object.insert("error".to_owned(), json!(error));
        }
        Came::Failure(failure) => {
            object.insert("error".to_owned(), json!(failure.report().message));
        }
        Came::Ok | Came::NotMade => {}
    }
    Value::Object(object)
}

fn mismatch(found: &Found) -> Value {
    let Mismatch {
        expected,
        actual,
        mismatch,
        diff,
        mismatch_type,
        ..
    } = &found.mismatch;
    let text = |bytes: &[u8]| {
        let cut = &bytes[..bytes.len().min(MAX_VALUE_BYTES)];
        sanitise::from_bytes(cut).0.into_owned()
    };
    let filled = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let mut object = Map::new();
    add(&mut object, "path", filled(&found.path).as_ref());
    object.insert("mismatch".to_owned(), json!(mismatch));
    add(
        &mut object,
        "expected",
        expected.as_deref().map(text).as_ref(),
    );
    add(&mut object, "actual", actual.as_deref().map(text).as_ref());
    add(&mut object, "diff", filled(diff).as_ref());
    add(&mut object, "mismatchType", filled(mismatch_type).as_ref());
    Value::Object(object)
}

fn failure(report: &FailureReport) -> Value {
    let mut object = Map::new();
    object.insert("code".to_owned(), json!(report.code.as_str()));
    object.insert("stage".to_owned(), json!(report.stage));
    object.insert("message".to_owned(), json!(report.message));
    object.insert("action".to_owned(), json!(report.action));
    object.insert("plugin".to_owned(), json!(report.plugin.name));
    add(
        &mut object,
        "pluginInstanceId",
        report.plugin.plugin_instance_id.as_ref(),
    );
    add(&mut object, "testRunId", report.test_run_id.as_ref());
    Value::Object(object)
}

fn add(object: &mut Map<String, Value>, member: &str, text: Option<&String>) {
    if let Some(text) = text {
        object.insert(member.to_owned(), json!(text));
    }
}

fn nanos(duration: Duration) -> Value {
    json!(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
}
