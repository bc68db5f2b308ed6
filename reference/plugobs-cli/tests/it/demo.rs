//! The demo, as somebody meets it who has just cloned the repository.

use std::path::Path;

use plugobs_cli::Exit;

use crate::support::{Runs, plugobs, program, records};

/// The demo's output, and the two stories in it.
fn stories(out: &str) -> [String; 2] {
    let people = out.find("\npeople  passed after ").unwrap();
    let orders = out.find("\norders  failed after ").unwrap();
    let end = out.find("\nThe run is in ").unwrap();
    assert!(people < orders && orders < end, "{out}");
    [out[people..orders].to_owned(), out[orders..end].to_owned()]
}

#[test]
fn each_test_has_its_story_and_no_part_of_the_others() {
    let runs = Runs::new();
    let ran = plugobs(["demo", "--out", runs.text()]).expect(Exit::Success);
    assert_eq!(ran.err, "");
    let [people, orders] = stories(&ran.out);

    for wrong in ["orders keep", "Amount", "mismatch\n", "Messages for you"] {
        assert!(!people.contains(wrong), "{wrong}:\n{people}");
    }
    assert!(people.contains("the CSV body matches"), "{people}");
    assert!(people.contains("component instantiated"), "{people}");
    assert!(orders.contains("instance.spawned: process "), "{orders}");
    assert!(!orders.contains("people"), "{orders}");
    // Each was served by an instance of its own.
    let instance = |story: &str| -> String {
        let at = story.find("instance ").unwrap() + "instance ".len();
        story[at..at + 36].to_owned()
    };
    assert_ne!(instance(&people), instance(&orders));
    assert!(!people.contains(&instance(&orders)[..8]));
    assert!(!orders.contains(&instance(&people)[..8]));

    // Messages for the user first, then the log, then what was done when.
    let parts = [
        "Messages for you",
        "row:3, column:Amount: 'on request' is not a decimal number",
        "row:4, column:Placed: '2024-02-30 11:00:00' is not of the form",
        "\nLog\n",
        "the CSV body does not match",
        "\nWhat the plugins did",
        "instance.spawned",
        "CompareContents",
        "instance.exited: ended with exit code 0",
    ];
    let places: Vec<_> = parts.map(|part| orders.find(part).expect(part)).into();
    assert!(places.is_sorted(), "{places:?}\n{orders}");
}

#[test]
fn it_leaves_a_sound_run_and_says_what_to_type_next() {
    let runs = Runs::new();
    let ran = plugobs(["demo", "--out", runs.text()]).expect(Exit::Success);
    let run = runs.only_run();
    assert!(
        ran.out
            .contains(&format!("The run is in {}", run.display()))
    );
    let commands = ran.out.split("What to type next:\n").nth(1).unwrap();
    assert_eq!(commands.lines().count(), 4);
    for line in commands.lines() {
        let command = line.split('#').next().unwrap();
        let words = command.split_whitespace().skip(1);
        plugobs(words).expect(Exit::Success);
    }
    let checked = plugobs(["check", "--json", run.to_str().unwrap()]).expect(Exit::Success);
    let report: serde_json::Value = serde_json::from_str(&checked.out).unwrap();
    assert_eq!(report["counts"]["tests"], 2);
    assert_eq!(report["counts"]["instances"], 2);
    assert_eq!(report["counts"]["missing"], 0);
    assert_eq!(report["notes"], 0, "{report:#}");
    let manifest = std::fs::read(run.join("run.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    let instances = manifest["instances"].as_array().unwrap();
    assert_eq!(instances.len(), 2);
    // One is a process, which leaves an exit code, and one a component.
    let codes: Vec<_> = instances.iter().map(|i| i.get("exitCode")).collect();
    assert!(codes.contains(&None), "{instances:#?}");
    assert!(codes.contains(&Some(&0.into())), "{instances:#?}");
    assert_eq!(report["counts"]["quarantined"], 0);
}

#[test]
fn the_tests_run_in_parallel() {
    let runs = Runs::new();
    plugobs(["demo", "--out", runs.text()]).expect(Exit::Success);
    let records = records(&runs.only_run());
    let place = |event: &str, test: &str| {
        let is = |r: &serde_json::Value| r["eventName"] == event && r["testRunId"] == test;
        records.iter().position(is).unwrap()
    };
    let last_begin = place("test.begin", "people").max(place("test.begin", "orders"));
    let first_end = place("test.end", "people").min(place("test.end", "orders"));
    assert!(last_begin < first_end);
}

#[test]
fn it_works_from_any_folder_and_keeps_out_of_version_control() {
    let elsewhere = tempfile::tempdir().unwrap();
    let output = program()
        .arg("demo")
        .current_dir(elsewhere.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(
        out.contains("What to type next:\n  plugobs show  # "),
        "{out}"
    );
    let ignore = elsewhere.path().join("plugobs-runs/.gitignore");
    assert_eq!(std::fs::read_to_string(ignore).unwrap(), "*\n");
    // What it says to type finds the run without being told where it is.
    let show = |args: &[&str]| {
        let output = program()
            .args(args)
            .current_dir(elsewhere.path())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(show(&["show"]).contains("failed      orders"));
    assert!(show(&["show", "--test", "orders"]).starts_with("orders  failed"));
    assert_eq!(show(&["show", "--channel", "user"]).lines().count(), 2);
    assert!(show(&["check"]).starts_with("sound"));
}

#[test]
fn the_level_is_the_plugins() {
    let runs = Runs::new();
    let ran = plugobs(["demo", "--level", "warn", "--out", runs.text()]).expect(Exit::Success);
    assert!(!ran.out.contains("\nLog\n"), "{}", ran.out);
    assert!(ran.out.contains("Messages for you"), "{}", ran.out);
}

#[test]
fn nothing_is_left_but_the_run() {
    let runs = Runs::new();
    let temporary = tempfile::tempdir().unwrap();
    let output = program()
        .args(["demo", "--out", runs.text()])
        .env("TMPDIR", temporary.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let left: Vec<_> = std::fs::read_dir(temporary.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(runs.only_run().join("run.json").exists());
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    let ran = plugobs(["demo", "--out", path]).expect(Exit::NotDone);
    assert!(ran.err.contains(path), "{}", ran.err);
    assert!(Path::new(path).is_file());
}
