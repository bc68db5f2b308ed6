//! What `show` shows of a run.

use std::path::Path;
use std::process::Stdio;

use plugobs_cli::Exit;
use serde_json::Value;

use crate::support::{Ran, Runs, copy_of, demo_run, plugobs, program, records};

fn show(run: &Path, args: &[&str]) -> Ran {
    let start = ["show", run.to_str().unwrap()];
    plugobs(start.into_iter().chain(args.iter().copied()))
}

/// The records that `show --json` prints.
fn shown(run: &Path, args: &[&str]) -> Vec<Value> {
    let args = args.iter().copied().chain(["--json"]);
    let ran = show(run, &args.collect::<Vec<_>>()).expect(Exit::Success);
    let lines = ran.out.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn all_records_come_out_as_they_went_in() {
    let runs = Runs::new();
    let run = demo_run(&runs);
    let ran = show(&run, &["--json"]).expect(Exit::Success);
    assert_eq!(
        ran.out,
        std::fs::read_to_string(run.join("records.ndjson")).unwrap()
    );
}

#[test]
fn each_filter_takes_what_it_says_and_all_of_it() {
    let runs = Runs::new();
    let run = demo_run(&runs);
    let all = records(&run);
    let instance = all
        .iter()
        .find(|r| r["testRunId"] == "orders" && r["sequence"].is_u64());
    let instance = instance.unwrap()["pluginInstanceId"]
        .as_str()
        .unwrap()
        .to_owned();
    let grave = |r: &Value| r["severityNumber"].as_u64().unwrap() >= 9 || r["channel"] == "user";
    type Takes<'a> = Box<dyn Fn(&Value) -> bool + 'a>;
    let cases: Vec<(Vec<&str>, Takes<'_>)> = vec![
        (
            vec!["--test", "orders"],
            Box::new(|r| r["testRunId"] == "orders"),
        ),
        (
            vec!["--test", "orders keep their contract"],
            Box::new(|r| r["testRunId"] == "orders"),
        ),
        (
            vec!["--instance", &instance],
            Box::new(|r| r["pluginInstanceId"] == instance),
        ),
        (
            vec!["--instance", &instance[..6]],
            Box::new(|r| r["pluginInstanceId"] == instance),
        ),
        (
            vec!["--channel", "user"],
            Box::new(|r| r["channel"] == "user"),
        ),
        (
            vec!["--channel", "lifecycle"],
            Box::new(|r| r["channel"] == "lifecycle"),
        ),
        (vec!["--level", "info"], Box::new(grave)),
        (
            vec![
                "--test",
                "orders",
                "--channel",
                "operational",
                "--level",
                "Info",
            ],
            Box::new(|r| grave(r) && r["testRunId"] == "orders" && r["channel"] == "operational"),
        ),
        (vec!["--channel", "no-such-channel"], Box::new(|_| false)),
    ];
    for (args, takes) in cases {
        let expected: Vec<_> = all.iter().filter(|r| takes(r)).cloned().collect();
        assert!(expected.len() < all.len(), "{args:?} takes all");
        assert_eq!(shown(&run, &args), expected, "{args:?}");
        let lines = show(&run, &args).expect(Exit::Success).out.lines().count();
        if !args.starts_with(&["--test"]) || args.len() > 2 {
            assert_eq!(lines, expected.len(), "{args:?}");
        }
    }
    assert!(!shown(&run, &["--channel", "user"]).is_empty());
}

#[test]
fn without_a_test_it_shows_the_whole() {
    let runs = Runs::new();
    let run = demo_run(&runs);
    let out = show(&run, &[]).expect(Exit::Success).out;
    for part in [
        "passed      people",
        "failed      orders",
        "\nPlugins\n",
        "\nRecords\n",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
    let next = format!(
        "\nA test's story: plugobs show {} --test orders\n",
        run.display()
    );
    assert!(out.ends_with(&next), "{out}");
    assert_eq!(
        show(&run, &["--failures"]).expect(Exit::Success).out,
        "no plugin failed\n"
    );
}

#[test]
fn a_test_is_meant_by_its_id_or_its_name() {
    let runs = Runs::new();
    let run = demo_run(&runs);
    let by_id = show(&run, &["--test", "orders"]).expect(Exit::Success).out;
    assert!(by_id.starts_with("orders  failed after "), "{by_id}");
    let by_name = show(&run, &["--test", "orders keep their contract"]);
    assert_eq!(by_name.expect(Exit::Success).out, by_id);
    let unknown = show(&run, &["--test", "invoices\u{1b}[2J"]).expect(Exit::NotDone);
    assert_eq!(
        unknown.err,
        "plugobs: the run has no test \"invoices\\u{1b}[2J\"; it has people (people keep their \
         contract), orders (orders keep their contract)\n"
    );
}

#[test]
fn an_instance_is_meant_by_enough_of_its_id() {
    let runs = Runs::new();
    let run = demo_run(&runs);
    let none = show(&run, &["--instance", "zz"]).expect(Exit::NotDone);
    assert!(
        none.err
            .contains("\"zz\" names 0 plugin instances of the run"),
        "{}",
        none.err
    );
    let all = show(&run, &["--instance", ""]).expect(Exit::NotDone);
    assert!(
        all.err.contains("\"\" names 2 plugin instances of the run"),
        "{}",
        all.err
    );
    assert!(all.err.contains("(plugobs-csv/"), "{}", all.err);
}

#[test]
fn a_folder_of_runs_means_the_latest() {
    let runs = Runs::new();
    let first = demo_run(&runs);
    let plan = crate::support::fixture_plan("operations.json");
    plugobs(["run", &plan, "--out", runs.text()]).expect(Exit::Success);
    let out = show(runs.path(), &[]).expect(Exit::Success).out;
    assert!(out.contains("session operations"), "{out}");
    let out = show(&first, &[]).expect(Exit::Success).out;
    assert!(!out.contains("session"), "{out}");
}

#[test]
fn what_is_no_run_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let ran = show(folder.path(), &[]).expect(Exit::NotDone);
    let path = folder.path().display().to_string();
    assert!(
        ran.err.contains(&format!("there is no run in {path}")),
        "{}",
        ran.err
    );
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let ran = show(&file, &[]).expect(Exit::NotDone);
    assert!(ran.err.contains(file.to_str().unwrap()), "{}", ran.err);
}

#[test]
fn damage_is_told_and_hides_nothing_else() {
    let runs = Runs::new();
    let (_folder, run) = copy_of(&demo_run(&runs));
    let path = run.join("records.ndjson");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut lines: Vec<_> = text.lines().collect();
    lines[3] = "{\"oops\": \u{1b}[2J";
    std::fs::write(&path, lines.join("\n")).unwrap();
    std::fs::write(run.join("run.json"), "{").unwrap();
    let ran = show(&run, &["--json"]).expect(Exit::Success);
    // The last line has no line feed any more: it is one that a killed driver leaves.
    assert_eq!(ran.out.lines().count(), lines.len() - 2);
    assert!(
        ran.err.contains("run.json cannot be understood"),
        "{}",
        ran.err
    );
    assert!(
        ran.err
            .contains("records.ndjson:4: the line is not a record"),
        "{}",
        ran.err
    );
    assert!(
        ran.err.contains("the file ends within the line"),
        "{}",
        ran.err
    );
    assert!(!ran.err.contains('\u{1b}'), "{}", ran.err);
    // A test is still found, by its records.
    let story = show(&run, &["--test", "orders"]).expect(Exit::Success).out;
    assert!(story.contains("row:3, column:Amount"), "{story}");
}

#[test]
fn a_reader_that_goes_is_no_error() {
    let runs = Runs::new();
    let run = demo_run(&runs);
    for subcommand in ["show", "tail"] {
        let mut child = program()
            .args([subcommand, "--json", run.to_str().unwrap()])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert!(output.stderr.is_empty(), "{output:?}");
    }
}
