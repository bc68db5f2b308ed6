//! What `check` says of sound and of damaged folders.

use plugobs_cli::Exit;
use serde_json::Value;

use crate::support::{Runs, copy_of, demo_run, plugobs};

#[test]
fn a_whole_run_is_sound() {
    let runs = Runs::new();
    let run = demo_run(&runs);
    let ran = plugobs(["check", run.to_str().unwrap()]).expect(Exit::Success);
    assert!(ran.out.starts_with("sound  0 errors"), "{}", ran.out);
    let ran = plugobs(["check", "--json", run.to_str().unwrap()]).expect(Exit::Success);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(report["sound"], true);
    assert_eq!(report["state"], "finished");
}

#[test]
fn a_record_that_is_gone_is_missed_by_its_number() {
    let runs = Runs::new();
    let (_folder, run) = copy_of(&demo_run(&runs));
    let path = run.join("records.ndjson");
    let text = std::fs::read_to_string(&path).unwrap();
    let (gone, kept): (Vec<_>, Vec<_>) = text
        .lines()
        .partition(|line| line.contains("\"sequence\":4,"));
    assert_eq!(gone.len(), 2, "one of each instance");
    std::fs::write(&path, kept.join("\n") + "\n").unwrap();
    let ran = plugobs(["check", run.to_str().unwrap()]).expect(Exit::Found);
    assert!(ran.out.starts_with("not sound"), "{}", ran.out);
    let ran = plugobs(["check", "--json", run.to_str().unwrap()]).expect(Exit::Found);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(report["counts"]["missing"], 2);
    let codes: Vec<_> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| &f["code"])
        .collect();
    assert!(codes.contains(&&Value::from("missing")), "{codes:?}");
}

#[test]
fn a_record_under_another_test_is_found() {
    let runs = Runs::new();
    let (_folder, run) = copy_of(&demo_run(&runs));
    let path = run.join("records.ndjson");
    let text = std::fs::read_to_string(&path).unwrap();
    let moved = text
        .lines()
        .map(|line| {
            let is = line.contains("\"channel\":\"user\"");
            let line = if is {
                line.replace("\"orders\"", "\"people\"")
            } else {
                line.to_owned()
            };
            line + "\n"
        })
        .collect::<String>();
    assert_ne!(moved, text);
    std::fs::write(&path, moved).unwrap();
    let ran = plugobs(["check", "--json", run.to_str().unwrap()]).expect(Exit::Found);
    assert!(ran.out.contains("\"other_test\""), "{}", ran.out);
}

#[test]
fn every_run_below_a_folder_is_checked_where_that_is_asked_for() {
    let runs = Runs::new();
    let sound = demo_run(&runs);
    let all = |folder: &std::path::Path, exit| {
        plugobs(["check", "--all", folder.to_str().unwrap()])
            .expect(exit)
            .out
    };
    assert_eq!(all(&sound, Exit::Success).lines().count(), 2);

    let (folder, damaged) = copy_of(&sound);
    std::fs::create_dir(folder.path().join("deeper")).unwrap();
    let deeper = folder
        .path()
        .join("deeper")
        .join(sound.file_name().unwrap());
    std::fs::rename(&damaged, &deeper).unwrap();
    let out = all(folder.path(), Exit::Success);
    assert!(out.starts_with(&format!(
        "sound  {}\n1 of 1 runs are sound, with ",
        deeper.display()
    )));
    // And a second one, which is not.
    let (_folder, copy) = copy_of(&sound);
    std::fs::write(copy.join("records.ndjson"), "").unwrap();
    std::fs::rename(&copy, folder.path().join(sound.file_name().unwrap())).unwrap();
    let out = all(folder.path(), Exit::Found);
    assert!(
        out.contains("not sound  ") && out.contains("1 of 2 runs are sound"),
        "{out}"
    );
    let json = plugobs(["check", "--all", "--json", folder.path().to_str().unwrap()]);
    assert_eq!(json.expect(Exit::Found).out.lines().count(), 2);

    let empty = tempfile::tempdir().unwrap();
    all(empty.path(), Exit::NotDone);
}

#[test]
fn what_is_no_run_cannot_be_checked() {
    let folder = tempfile::tempdir().unwrap();
    let ran = plugobs(["check", folder.path().to_str().unwrap()]).expect(Exit::NotDone);
    assert!(ran.err.contains("there is no run in "), "{}", ran.err);
}
