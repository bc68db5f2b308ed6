//! Plans carried out: what is printed, what is returned, what is left.

use std::process::Stdio;

use plugobs_cli::Exit;
use serde_json::{Value, json};

use crate::support::{Runs, fixture_plan, plugobs, program, records, repository};

/// The CSV plugin, as a plan names it.
fn csv(id: &str) -> Value {
    json!({ "id": id, "name": "plugobs-csv", "command": ["plugobs", "csv-plugin"] })
}

/// A comparison of two short bodies.
fn compare(actual: &str) -> Value {
    json!({
        "plugin": "csv", "operation": "compare", "contentType": "text/csv",
        "expected": { "text": "a\n1\n" }, "actual": { "text": actual }
    })
}

fn one_test(plugin: Value, calls: Value) -> Value {
    json!({ "plan": 1, "plugins": [plugin], "tests": [{ "id": "t", "name": "a test", "calls": calls }] })
}

/// Carries out a plan.
fn run(runs: &Runs, plan: &Value, args: &[&str]) -> crate::support::Ran {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.json");
    std::fs::write(&path, plan.to_string()).unwrap();
    let start = ["run", path.to_str().unwrap(), "--out", runs.text()];
    plugobs(start.into_iter().chain(args.iter().copied()))
}

fn run_json(runs: &Runs, plan: &Value, exit: Exit) -> Value {
    let ran = run(runs, plan, &["--json"]).expect(exit);
    assert_eq!(ran.out.lines().count(), 1);
    let result: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(result["exitCode"], exit.code());
    result
}

#[test]
fn every_operation_ends_as_its_plan_expects() {
    let runs = Runs::new();
    let plan = fixture_plan("operations.json");
    let ran = plugobs(["run", &plan, "--json", "--out", runs.text()]).expect(Exit::Success);
    let result: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(result["failures"], json!([]));
    assert_eq!(result["lost"], json!({}));
    assert_eq!(result["runFolder"], runs.only_run().to_str().unwrap());
    let calls: Vec<_> = result["tests"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|test| test["calls"].as_array().unwrap())
        .map(|call| {
            (
                call["operation"].as_str().unwrap(),
                call["outcome"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        calls,
        [
            ("ConfigureInteraction", "ok"),
            ("CompareContents", "ok"),
            ("GenerateContent", "ok"),
            ("CompareContents", "mismatch"),
            ("CompareContents", "error"),
            ("MatchField", "ok"),
            ("MatchField", "mismatch"),
            ("GenerateField", "ok"),
        ]
    );
    for test in result["tests"].as_array().unwrap() {
        assert_eq!(test["outcome"], "passed");
        assert_eq!(test["completeness"], "complete");
    }
    let difference = &result["tests"][1];
    assert_eq!(difference["calls"][0]["mismatches"][0]["actual"], "19.95");
    let message = &difference["userMessages"][0];
    assert_eq!(message["channel"], "user");
    assert_eq!(message["testRunId"], difference["testRunId"]);
    plugobs(["check", runs.text()]).expect(Exit::Success);
}

#[test]
fn a_mismatch_is_told_and_is_exit_code_1() {
    let runs = Runs::new();
    let ran = run(
        &runs,
        &one_test(csv("csv"), json!([compare("a\n2\n"), compare("a\n1\n")])),
        &[],
    );
    let ran = ran.expect(Exit::Found);
    assert!(ran.out.starts_with("failed   a test  "), "{}", ran.out);
    let told = "         CompareContents of csv: 1 mismatch, and no mismatch was expected\n           \
                row:1, column:a: expected '1' but got '2'\n";
    assert!(ran.out.contains(told), "{}", ran.out);
    assert!(ran.out.contains("\n1 failed after "), "{}", ran.out);
    let run = runs.only_run();
    let next = format!("\nIts story: plugobs show {} --test t\n", run.display());
    assert!(ran.out.ends_with(&next), "{}", ran.out);
    // The second call was made all the same.
    let ended = |r: &&Value| r["eventName"] == "call.end" && r["testRunId"] == "t";
    assert_eq!(records(&run).iter().filter(ended).count(), 2);
}

#[test]
fn what_was_expected_and_did_not_come_is_exit_code_1() {
    let runs = Runs::new();
    let mut call = compare("a\n1\n");
    call["expect"] = json!("mismatch");
    let ran = run(&runs, &one_test(csv("csv"), json!([call])), &[]).expect(Exit::Found);
    assert!(
        ran.out
            .contains("CompareContents of csv: ok, and a mismatch was expected"),
        "{}",
        ran.out
    );
}

#[test]
fn a_call_that_needs_an_answer_which_did_not_come_is_not_made() {
    let runs = Runs::new();
    let calls = json!([
        {
            "plugin": "csv", "operation": "configure", "contentType": "text/csv",
            "config": { "column:a": "matching(decimal, 'x')" }, "expect": "error"
        },
        {
            "plugin": "csv", "operation": "compare", "contentType": "text/csv",
            "useConfigured": true, "actual": { "text": "a\n1\n" }
        }
    ]);
    let result = run_json(&runs, &one_test(csv("csv"), calls), Exit::Found);
    let calls = &result["tests"][0]["calls"];
    assert_eq!(
        (&calls[0]["outcome"], &calls[0]["asExpected"]),
        (&json!("error"), &json!(true))
    );
    assert_eq!(
        (&calls[1]["outcome"], &calls[1]["asExpected"]),
        (&json!("not_made"), &json!(false))
    );
    assert!(calls[1].get("callId").is_none());
}

#[test]
fn a_status_is_an_error_of_the_plugins_own() {
    // GenerateContent has no field for an error, so the plugin answers with a status.
    let runs = Runs::new();
    let mut call = json!({
        "plugin": "csv", "operation": "generate", "contentType": "text/csv",
        "contents": { "text": "a\n1\n" }, "generators": { "column:a": { "type": "NoSuch" } }
    });
    let unexpected = run_json(
        &runs,
        &one_test(csv("csv"), json!([call])),
        Exit::PluginFailed,
    );
    assert_eq!(unexpected["tests"][0]["outcome"], "errored");
    assert_eq!(unexpected["failures"][0]["code"], "call_failed");
    assert_eq!(unexpected["failures"][0]["testRunId"], "t");
    call["expect"] = json!("error");
    let expected = run_json(
        &Runs::new(),
        &one_test(csv("csv"), json!([call])),
        Exit::Success,
    );
    assert_eq!(expected["failures"], json!([]));
}

#[test]
fn a_plugin_that_exits_is_exit_code_3_with_its_last_words() {
    let runs = Runs::new();
    let plugin = json!({
        "id": "csv", "name": "broken", "version": "1.2.3",
        "command": ["/bin/sh", "-c", "echo no port left >&2; exit 3"]
    });
    let ran = run(&runs, &one_test(plugin, json!([compare("a\n1\n")])), &[]);
    let ran = ran.expect(Exit::PluginFailed);
    let first: Vec<_> = ran.out.lines().take(3).collect();
    assert!(
        first[0].starts_with("plugin broken 1.2.3 failed: exited_early at handshake, exit code 3"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("no port left"), "{}", ran.out);
    assert!(ran.out.contains("not run  a test\n"), "{}", ran.out);
    let run = runs.only_run();
    let next = format!("\nWhat failed: plugobs show {} --failures\n", run.display());
    assert!(ran.out.ends_with(&next), "{}", ran.out);

    let shown = plugobs(["show", "--failures", run.to_str().unwrap()]).expect(Exit::Success);
    assert!(
        shown.out.contains("exited_early") && shown.out.contains("no port left"),
        "{}",
        shown.out
    );
    plugobs(["check", run.to_str().unwrap()]).expect(Exit::Success);
}

#[test]
fn timeouts_are_the_callers() {
    let runs = Runs::new();
    let plugin = json!({ "id": "csv", "name": "silent", "command": ["/bin/sleep", "600"] });
    let plan = one_test(plugin, json!([compare("a\n1\n")]));
    let ran = run(&runs, &plan, &["--handshake-timeout", "50ms", "--json"]);
    let result: Value = serde_json::from_str(&ran.expect(Exit::PluginFailed).out).unwrap();
    assert_eq!(result["failures"][0]["code"], "handshake_timeout");
    assert_eq!(result["plugins"][0]["failure"], "handshake_timeout");
    assert_eq!(result["tests"][0]["outcome"], "not_run");
}

#[test]
fn a_plugin_is_found_where_it_is_installed_or_in_its_folder() {
    let installed = tempfile::tempdir().unwrap();
    let folder = installed.path().join("csv-1.2.3");
    std::fs::create_dir(&folder).unwrap();
    let manifest = json!({
        "manifestVersion": 1, "pluginInterfaceVersion": 2, "name": "csv", "version": "1.2.3",
        "executableType": "exec", "entryPoint": env!("CARGO_BIN_EXE_plugobs"), "args": ["csv-plugin"]
    });
    std::fs::write(folder.join("pact-plugin.json"), manifest.to_string()).unwrap();
    let calls = json!([compare("a\n1\n")]);
    let plugins = installed.path().to_str().unwrap();

    let by_name = one_test(json!({ "id": "csv", "name": "csv" }), calls.clone());
    let ran = run(&Runs::new(), &by_name, &["--plugins", plugins, "--json"]).expect(Exit::Success);
    let result: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(result["plugins"][0]["version"], "1.2.3");

    let by_folder = |name: &str, version: &str| {
        let plugin = json!({ "id": "csv", "name": name, "version": version, "dir": folder });
        one_test(plugin, calls.clone())
    };
    run(&Runs::new(), &by_folder("csv", "1.2.3"), &[]).expect(Exit::Success);
    let ran = run(&Runs::new(), &by_folder("csv", "2.0.0"), &[]).expect(Exit::NotDone);
    assert!(
        ran.err
            .contains("plugin \"csv\" of the plan is to be csv 2.0.0, and "),
        "{}",
        ran.err
    );
    assert!(ran.err.ends_with(" holds csv 1.2.3\n"), "{}", ran.err);

    let missing = one_test(json!({ "id": "csv", "name": "tsv" }), calls.clone());
    let ran = run(&Runs::new(), &missing, &["--plugins", plugins]).expect(Exit::PluginFailed);
    assert!(ran.out.contains("plugin_not_found"), "{}", ran.out);

    let empty = tempfile::tempdir().unwrap();
    let none = json!({ "id": "csv", "name": "csv", "dir": empty.path() });
    let ran = run(&Runs::new(), &one_test(none, calls), &[]).expect(Exit::NotDone);
    assert!(
        ran.err
            .contains("\"dir\" is the folder that holds its pact-plugin.json"),
        "{}",
        ran.err
    );
}

#[test]
fn a_version_that_is_none_is_refused() {
    let mut plugin = csv("csv");
    plugin["version"] = json!("one");
    let ran = run(
        &Runs::new(),
        &one_test(plugin, json!([compare("a\n1\n")])),
        &[],
    );
    let ran = ran.expect(Exit::NotDone);
    assert!(ran.err.contains("\"one\" is no version"), "{}", ran.err);
    assert!(ran.err.contains("write it like 1.2.3"), "{}", ran.err);
}

#[test]
fn no_more_tests_run_at_once_than_the_plan_says() {
    let runs = Runs::new();
    let tests: Vec<_> = (0..4)
        .map(
            |n| json!({ "id": format!("t{n}"), "name": "same name", "calls": [compare("a\n1\n")] }),
        )
        .collect();
    let plan = json!({ "plan": 1, "parallel": 1, "plugins": [csv("csv")], "tests": tests });
    run(&runs, &plan, &[]).expect(Exit::Success);
    let run = runs.only_run();
    let events: Vec<_> = records(&run)
        .iter()
        .filter_map(|r| {
            let event = r["eventName"].as_str().filter(|e| e.starts_with("test."))?;
            Some(format!("{event} {}", r["testRunId"].as_str().unwrap()))
        })
        .collect();
    let in_turn: Vec<_> = (0..4)
        .flat_map(|n| [format!("test.begin t{n}"), format!("test.end t{n}")])
        .collect();
    assert_eq!(events, in_turn);

    // The name is four tests' name, and says so.
    let ran = plugobs(["show", run.to_str().unwrap(), "--test", "same name"]).expect(Exit::NotDone);
    assert!(
        ran.err.contains("4 tests are called \"same name\""),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("t0, t1, t2, t3"), "{}", ran.err);
}

#[test]
fn a_plan_is_found_in_the_current_folder() {
    let folder = tempfile::tempdir().unwrap();
    // Programs with a / in them, and working folders, are relative to the plan.
    let program_here = folder.path().join("here");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_plugobs"), program_here).unwrap();
    let mut by_path = csv("csv");
    by_path["command"] = json!(["./here", "csv-plugin"]);
    for (name, plugin) in [("a.json", csv("csv")), ("b.json", by_path)] {
        let plan = one_test(plugin, json!([compare("a\n1\n")]));
        std::fs::write(folder.path().join(name), plan.to_string()).unwrap();
        let output = program()
            .args(["run", name])
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let out = String::from_utf8(output.stdout).unwrap();
        assert!(out.ends_with("\nAll of it: plugobs show\n"), "{out}");
    }
}

#[test]
fn the_session_is_in_the_run() {
    let runs = Runs::new();
    let plan = fixture_plan("operations.json");
    plugobs(["run", &plan, "--out", runs.text()]).expect(Exit::Success);
    let manifest = std::fs::read(runs.only_run().join("run.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(manifest["session"]["id"], "operations");
    assert_eq!(manifest["driver"]["name"], "plugobs");
    assert_eq!(manifest["state"], "finished");
}

#[test]
fn the_exit_code_is_there_for_those_who_do_not_read() {
    let runs = Runs::new();
    let mut child = program()
        .args(["run", &fixture_plan("demo.json"), "--out", runs.text()])
        .current_dir(repository())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}
