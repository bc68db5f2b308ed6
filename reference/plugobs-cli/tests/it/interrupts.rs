//! A run that its user breaks off leaves no plugin behind.

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use plugobs_cli::Exit;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::{Value, json};

use crate::fan_out::fan_out_program;
use crate::support::{Runs, plugobs, program};

/// Long enough for a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks until there is an answer.
fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(began.elapsed() < PATIENCE, "waited in vain for {what}");
        sleep(Duration::from_millis(5));
    }
}

/// The records that are there by now: whole lines of the only run.
fn records(runs: &Runs) -> Vec<Value> {
    let folders = std::fs::read_dir(runs.path()).unwrap();
    let folder = folders.map(|entry| entry.unwrap().path()).next();
    let path = folder.map(|folder| folder.join("records.ndjson"));
    let text = path.and_then(|path| std::fs::read_to_string(path).ok());
    let text = text.unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn pids(records: &[Value]) -> Vec<Pid> {
    let spawned = records
        .iter()
        .filter(|r| r["eventName"] == "instance.spawned");
    let pids = spawned.map(|r| r["attributes"]["process.pid"].as_i64().unwrap());
    pids.map(|pid| Pid::from_raw(i32::try_from(pid).unwrap()).unwrap())
        .collect()
}

fn start(folder: &Path, runs: &Runs, plan: &Value) -> Child {
    let path = folder.join("plan.json");
    std::fs::write(&path, plan.to_string()).unwrap();
    program()
        .args(["run", path.to_str().unwrap(), "--out", runs.text()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Breaks it off, and waits until it and its plugins are gone.
fn break_off(child: Child, signal: Signal, runs: &Runs) {
    let plugins = pids(&records(runs));
    let pid = Pid::from_child(&child);
    kill_process(pid, signal).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        output.status.code(),
        Some(128 + signal.as_raw()),
        "{output:?}"
    );
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        told.contains("its plugins were stopped, and the run is in"),
        "{told}"
    );
    for plugin in plugins {
        until("the end of a plugin", || test_kill_process(plugin).err());
    }
    let run = runs.only_run();
    plugobs(["check", run.to_str().unwrap()]).expect(Exit::Success);
    let manifest: Value =
        serde_json::from_slice(&std::fs::read(run.join("run.json")).unwrap()).unwrap();
    assert_eq!(manifest["state"], "finished");
}

fn compare() -> Value {
    json!({
        "plugin": "a", "operation": "compare", "contentType": "text/plain",
        "expected": { "text": "x" }, "actual": { "text": "x" }
    })
}

#[test]
fn while_plugins_start() {
    let (runs, folder) = (Runs::new(), tempfile::tempdir().unwrap());
    let plan = json!({
        "plan": 1,
        "plugins": [
            { "id": "a", "name": "plugobs-csv", "command": ["plugobs", "csv-plugin"] },
            { "id": "b", "name": "silent", "command": ["/bin/sleep", "600"] }
        ],
        "tests": [{ "id": "t", "name": "t", "calls": [compare()] }]
    });
    let child = start(folder.path(), &runs, &plan);
    until("both plugins", || {
        let records = records(&runs);
        let is_ready = records
            .iter()
            .any(|r| r["eventName"] == "instance.initialised");
        (is_ready && pids(&records).len() == 2).then_some(())
    });
    break_off(child, Signal::INT, &runs);
}

#[test]
fn while_a_call_is_under_way() {
    let (runs, folder) = (Runs::new(), tempfile::tempdir().unwrap());
    // Its calls wait for each other, and there is only one.
    let fan_out: PathBuf = fan_out_program();
    let plan = json!({
        "plan": 1,
        "plugins": [{ "id": "a", "name": "fan-out", "command": [fan_out, "2"] }],
        "tests": [{ "id": "t", "name": "t", "calls": [compare()] }]
    });
    let child = start(folder.path(), &runs, &plan);
    until("the call", || {
        let records = records(&runs);
        records
            .iter()
            .any(|r| r["message"] == "fan x log")
            .then_some(())
    });
    break_off(child, Signal::TERM, &runs);
    let ended = records(&runs);
    let ended = ended.iter().find(|r| r["eventName"] == "test.end").unwrap();
    assert_eq!(ended["attributes"]["test.outcome"], "not reported");
}
