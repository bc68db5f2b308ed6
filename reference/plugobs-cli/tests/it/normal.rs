//! A run as a text in which nothing depends on when, where and over which
//! binding it was made; and the difference of two.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::LazyLock;

use plugobs_core::Record;
use plugobs_core::json::to_json_line;
use plugobs_runfile::RunFolder;
use regex::Regex;
use serde_json::{Value, json};
use similar::TextDiff;

/// Events and attributes that only one of the bindings has, and why: the table of
/// what differs, in the spec's chapter on components.
const OF_ONE_BINDING: [&str; 4] = [
    "instance.handshake",
    "instance.stream_opened",
    "instance.stream_closed",
    "plugin.stopping",
];
const ATTRIBUTES_OF_ONE_BINDING: [&str; 2] = ["process.pid", "process.exit_code"];

/// What depends on where and how a plugin runs.
const ATTRIBUTES_OF_A_RUN: [&str; 3] = ["sdk.name", "process.executable", "call.last_sequence"];

static DURATION: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[0-9]+(\.[0-9]+)?(ns|µs|ms|s)\b").unwrap());

/// The run in this folder, and the result that the command told.
pub(crate) fn run(folder: &Path, result: &Value) -> String {
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let mut text = String::new();
    for test in result["tests"].as_array().unwrap() {
        let name = test["name"].as_str().unwrap();
        names.insert(test["testRunId"].as_str().unwrap().into(), name.into());
        writeln!(text, "## result of {name}").unwrap();
        for member in ["outcome", "completeness", "logRecords"] {
            writeln!(text, "{member} {}", test[member]).unwrap();
        }
        for call in test["calls"].as_array().unwrap() {
            let mut call = call.as_object().unwrap().clone();
            call.retain(|key, _| !key.ends_with("Id") && !key.starts_with("duration"));
            writeln!(text, "{}", Value::Object(call)).unwrap();
        }
    }
    let mut calls: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut groups: BTreeMap<String, Vec<(usize, String)>> = BTreeMap::new();
    for record in RunFolder::open(folder).unwrap().records() {
        let record = record.unwrap().record.unwrap();
        let event = record.event_name.as_deref().unwrap_or_default();
        if OF_ONE_BINDING.contains(&event) {
            continue;
        }
        let by = if record.is_from_driver() {
            "driver"
        } else {
            "plugin"
        };
        let test = record.test_run_id.as_deref();
        let test = test.map_or("no test".into(), |id| format!("the test {}", names[id]));
        let call = record.call_id.as_deref().map_or(0, |id| {
            let calls = calls.entry(test.clone()).or_default();
            let known = calls.iter().position(|call| call == id);
            1 + known.unwrap_or_else(|| {
                calls.push(id.to_owned());
                calls.len() - 1
            })
        });
        let group = groups.entry(format!("{by}, in {test}")).or_default();
        group.push((call, line(&record, call)));
    }
    for (group, mut lines) in groups {
        // The driver tells the end of one call's records while the next call runs.
        if group.starts_with("driver") {
            lines.sort_by_key(|(call, _)| *call);
        }
        writeln!(text, "## {group}").unwrap();
        for (_, line) in lines {
            writeln!(text, "{line}").unwrap();
        }
    }
    text
}

/// One record: that an ID or a time is there, and not which; of the call, which
/// one of its test.
fn line(record: &Record, call: usize) -> String {
    let mut line = to_json_line(record);
    line = DURATION.replace_all(&line, "(duration)").into_owned();
    let mut record: BTreeMap<String, Value> = serde_json::from_str(&line).unwrap();
    for key in ["source", "epoch", "sequence"] {
        record.remove(key);
    }
    for (key, value) in &mut record {
        if key == "callId" {
            *value = format!("call {call}").into();
        } else if key.ends_with("Id") || key.ends_with("imestamp") {
            *value = "(set)".into();
        }
    }
    // How a process and a component begin and end has two wordings.
    if ["instance.spawned", "instance.exited"]
        .iter()
        .any(|event| record.get("eventName") == Some(&json!(event)))
    {
        record.remove("message");
    }
    if let Some(attributes) = record.get_mut("attributes").and_then(Value::as_object_mut) {
        attributes.retain(|key, _| !ATTRIBUTES_OF_ONE_BINDING.contains(&key.as_str()));
        for (key, value) in attributes.iter_mut() {
            if key.ends_with("_ns") || ATTRIBUTES_OF_A_RUN.contains(&key.as_str()) {
                *value = "(set)".into();
            }
        }
    }
    serde_json::to_string(&record).unwrap()
}

/// What differs, as a unified difference; nothing where the two are the same.
pub(crate) fn difference(one: &str, left: &str, other: &str, right: &str) -> Option<String> {
    (left != right).then(|| {
        TextDiff::from_lines(left, right)
            .unified_diff()
            .context_radius(20)
            .header(one, other)
            .to_string()
    })
}

#[track_caller]
pub(crate) fn assert_same(one: &str, left: &str, other: &str, right: &str) {
    if let Some(told) = difference(one, left, other, right) {
        panic!("the runs differ:\n{told}");
    }
}
