//! One plan, once with the plugin as a process and once as a component: what is
//! left is the same.

use std::path::{Path, PathBuf};

use plugobs_cli::Exit;
use serde_json::{Value, json};

use crate::normal;
use crate::support::{Runs, plugobs, records};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance/fixtures")
}

/// Carries out a plan with this plugin in the place of its own. Gives what it
/// left, as a text in which nothing depends on the run.
fn carry_out(plan: &str, plugin: &Value) -> String {
    let plan = std::fs::read_to_string(fixtures().join("plans").join(plan)).unwrap();
    // Its files are named from where it is.
    let plan = plan.replace("\"../", &format!("\"{}/", fixtures().display()));
    let mut plan: Value = serde_json::from_str(&plan).unwrap();
    plan["plugins"] = json!([plugin]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.json");
    std::fs::write(&path, plan.to_string()).unwrap();
    let runs = Runs::new();
    let path = path.to_str().unwrap();
    let ran = plugobs(["run", path, "--out", runs.text(), "--json"]).expect(Exit::Success);
    let result: Value = serde_json::from_str(&ran.out).unwrap();
    let run = result["runFolder"].as_str().unwrap();
    let checked = plugobs(["check", run]).expect(Exit::Success);
    assert!(checked.out.contains("sound"), "{}", checked.out);
    normal::run(Path::new(run), &result)
}

fn process() -> Value {
    json!({
        "id": "csv", "name": "plugobs-csv", "version": "0.1.0", "command": ["plugobs", "csv-plugin"],
    })
}

/// The plugin as a component, found by its manifest.
fn component() -> Value {
    json!({ "id": "csv", "name": "plugobs-csv", "dir": fixtures().join("csv-component") })
}

#[test]
fn a_process_and_a_component_leave_the_same_run() {
    let of_process = carry_out("operations.json", &process());
    let of_component = carry_out("operations.json", &component());
    // Something was compared.
    for told in [
        "a difference is found",
        "MatchField",
        "\"channel\":\"user\"",
    ] {
        assert!(of_process.contains(told), "{told}:\n{of_process}");
    }
    normal::assert_same("process", &of_process, "component", &of_component);
}

#[test]
fn a_run_that_differs_is_told_line_by_line() {
    let of_process = carry_out("operations.json", &process());
    let other = of_process.replacen("\"channel\":\"user\"", "\"channel\":\"log\"", 1);
    let told = normal::difference("process", &of_process, "component", &other).unwrap();
    let changed = |sign: char| {
        let lines = told.lines().filter(move |line| line.starts_with(sign));
        lines.skip(1).collect::<Vec<_>>()
    };
    assert!(told.starts_with("--- process\n+++ component\n"), "{told}");
    let (gone, new) = (changed('-'), changed('+'));
    assert_eq!((gone.len(), new.len()), (1, 1), "{told}");
    assert!(gone[0].contains("\"channel\":\"user\""), "{told}");
    assert!(new[0].contains("\"channel\":\"log\""), "{told}");
    // The test that it was in stands above it.
    assert!(told.contains("## plugin, in the test "), "{told}");
}

#[test]
fn a_component_is_compiled_for_the_first_run_only() {
    let home = tempfile::tempdir().unwrap();
    let cache = home.path().join("cache");
    let plan = json!({
        "plan": 1,
        "plugins": [component()],
        "tests": [{ "name": "one", "calls": [{
            "plugin": "csv", "operation": "compare", "contentType": "text/csv",
            "expected": { "text": "a\n1\n" }, "actual": { "text": "a\n1\n" },
        }] }],
    });
    let path = home.path().join("plan.json");
    std::fs::write(&path, plan.to_string()).unwrap();
    for expected in ["miss", "hit"] {
        let runs = Runs::new();
        let args = ["run", path.to_str().unwrap(), "--out", runs.text()];
        let cached = ["--component-cache", cache.to_str().unwrap()];
        plugobs(args.into_iter().chain(cached)).expect(Exit::Success);
        let records = records(&runs.only_run());
        let spawned = records
            .iter()
            .find(|r| r["eventName"] == "instance.spawned");
        let attributes = &spawned.unwrap()["attributes"];
        assert_eq!(attributes["component.cache"], expected, "{attributes}");
    }
}

#[test]
fn a_component_that_traps_leaves_nothing_unknown() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = json!({
        "manifestVersion": 1, "pluginInterfaceVersion": 2, "name": "scripted", "version": "1.0.0",
        "executableType": "wasm", "entryPoint": fixtures().join("scripted-guest.wasm"),
    });
    let plan = json!({
        "plan": 1,
        "plugins": [{ "id": "scripted", "name": "scripted", "dir": "." }],
        "tests": [{ "name": "a panic", "calls": [{
            "plugin": "scripted", "operation": "configure", "contentType": "panic",
            "config": { "text": "out of cheese" },
        }] }],
    });
    let write = |name: &str, value: Value| {
        std::fs::write(folder.path().join(name), value.to_string()).unwrap();
    };
    write("pact-plugin.json", manifest);
    write("plan.json", plan);
    let runs = Runs::new();
    let path = folder.path().join("plan.json");
    let path = path.to_str().unwrap();
    let ran = plugobs(["run", path, "--out", runs.text()]).expect(Exit::PluginFailed);
    assert!(ran.out.contains("trapped"), "{}", ran.out);
    assert!(ran.out.contains("out of cheese"), "{}", ran.out);
    let run = runs.only_run();
    let checked = plugobs(["check", "--json", run.to_str().unwrap()]).expect(Exit::Success);
    let report: Value = serde_json::from_str(&checked.out).unwrap();
    assert_eq!(report["counts"]["failures"], 1, "{report:#}");
    assert_eq!(report["notes"], 0, "{report:#}");
}
