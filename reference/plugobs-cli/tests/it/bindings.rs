//! One plan, once with the plugin as a process and once as a component: what is
//! left is the same.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use plugobs_cli::Exit;
use plugobs_core::Record;
use plugobs_runfile::RunFolder;
use serde_json::{Value, json};

use crate::support::{Runs, plugobs};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance/fixtures")
}

/// Carries out the plan with this plugin in the place of its own. Gives the
/// result, and the plugin's records of each test and of none.
fn carry_out(plugin: &Value) -> (Value, BTreeMap<String, Vec<Value>>) {
    let plans = fixtures().join("plans");
    let plan = std::fs::read_to_string(plans.join("operations.json")).unwrap();
    // Its files are named from where it is.
    let plan = plan.replace("\"../", &format!("\"{}/", fixtures().display()));
    let mut plan: Value = serde_json::from_str(&plan).unwrap();
    plan["plugins"][0] = plugin.clone();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.json");
    std::fs::write(&path, plan.to_string()).unwrap();
    let runs = Runs::new();
    let args = [
        "run",
        path.to_str().unwrap(),
        "--out",
        runs.text(),
        "--json",
    ];
    let ran = plugobs(args).expect(Exit::Success);
    let result: Value = serde_json::from_str(&ran.out).unwrap();
    let run = RunFolder::open(Path::new(result["runFolder"].as_str().unwrap())).unwrap();
    let checked = plugobs(["check", result["runFolder"].as_str().unwrap()]).expect(Exit::Success);
    assert!(checked.out.contains("sound"), "{}", checked.out);
    let names: BTreeMap<&str, &str> = result["tests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|test| {
            (
                test["testRunId"].as_str().unwrap(),
                test["name"].as_str().unwrap(),
            )
        })
        .collect();
    let mut said: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for record in run.records() {
        let record = record.unwrap();
        if record.is_from_driver() || record.event_name.as_deref() == Some("plugin.stopping") {
            continue;
        }
        let test = record
            .test_run_id
            .as_deref()
            .map_or("no test", |id| names[id]);
        said.entry(test.to_owned())
            .or_default()
            .push(normal(&record));
    }
    (normal_result(&result), said)
}

/// What does not depend on the run or on the binding.
fn normal(record: &Record) -> Value {
    let own = ["sdk.name", "process.pid"];
    let attributes = record
        .attributes
        .iter()
        .filter(|(key, _)| !own.contains(&key.as_str()));
    let attributes: serde_json::Map<_, _> = attributes
        .map(|(key, value)| (key.clone(), serde_json::to_value(value).unwrap()))
        .collect();
    json!({
        "instance": record.plugin_instance_id.is_some(),
        "call": record.call_id.is_some(),
        "level": record.level.as_str(),
        "channel": record.channel.as_str(),
        "event": record.event_name.as_deref(),
        "message": record.message.as_str(),
        "attributes": attributes,
        "marks": record.marks,
    })
}

fn normal_result(result: &Value) -> Value {
    let tests = result["tests"].as_array().unwrap().iter().map(|test| {
        let calls = test["calls"].as_array().unwrap().iter();
        let calls: Vec<_> = calls
            .map(|call| json!([call["operation"], call["outcome"]]))
            .collect();
        let messages = test["userMessages"].as_array().unwrap().iter();
        let messages: Vec<_> = messages.map(|record| record["message"].clone()).collect();
        json!({
            "name": test["name"], "outcome": test["outcome"], "completeness": test["completeness"],
            "logRecords": test["logRecords"], "calls": calls, "userMessages": messages,
        })
    });
    tests.collect()
}

#[test]
fn a_process_and_a_component_leave_the_same_run() {
    let process = json!({
        "id": "csv", "name": "plugobs-csv", "version": "0.1.0", "command": ["plugobs", "csv-plugin"],
    });
    let folder = tempfile::tempdir().unwrap();
    let manifest = json!({
        "manifestVersion": 1, "pluginInterfaceVersion": 2, "name": "plugobs-csv", "version": "0.1.0",
        "executableType": "wasm", "entryPoint": fixtures().join("plugobs-csv-component.wasm"),
    });
    std::fs::write(folder.path().join("pact-plugin.json"), manifest.to_string()).unwrap();
    let component = json!({ "id": "csv", "name": "plugobs-csv", "dir": folder.path() });

    let (of_process, said_by_process) = carry_out(&process);
    let (of_component, said_by_component) = carry_out(&component);
    let text = |value: &Value| serde_json::to_string_pretty(value).unwrap();
    assert_eq!(text(&of_component), text(&of_process));
    assert!(said_by_process.len() > 2, "{said_by_process:#?}");
    for (test, records) in &said_by_process {
        let other = said_by_component.get(test).cloned().unwrap_or_default();
        let lines = |records: &[Value]| {
            let lines = records.iter().map(ToString::to_string);
            lines.collect::<Vec<_>>().join("\n")
        };
        assert_eq!(lines(&other), lines(records), "{test}");
    }
    assert_eq!(said_by_component.len(), said_by_process.len());
}
