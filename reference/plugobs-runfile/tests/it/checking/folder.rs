//! What is found of the manifest and of the folder's files.

use std::fs;

use plugobs_runfile::check::Code;
use plugobs_runfile::{CheckReport, check};
use serde_json::Value;

use super::{NOTHING, found};
use crate::support::*;

fn check_manifest(change: impl FnOnce(&mut Value)) -> CheckReport {
    let run = finished_with(sound_records(), 0);
    let path = run.folder().join("run.json");
    let mut manifest = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut manifest);
    fs::write(&path, manifest.to_string()).unwrap();
    check(&run.reader()).unwrap()
}

#[test]
fn a_segment_that_is_gone_is_an_error() {
    let run = finished_with(sound_records(), 0);
    fs::remove_file(run.folder().join("records.ndjson")).unwrap();
    let report = check(&run.reader()).unwrap();
    assert!(found(&report).contains(&"error segment_mismatch".to_owned()));
    assert!(!report.sound);
}

#[test]
fn a_segment_that_nobody_counts_is_an_error() {
    let run = finished_with(sound_records(), 0);
    let line = plugobs_core::json::to_json_line(&outside(6)) + "\n";
    fs::write(run.folder().join("records.000001.ndjson"), line).unwrap();
    let report = check(&run.reader()).unwrap();
    assert_eq!(found(&report), ["error segment_mismatch"]);
}

#[test]
fn an_evicted_segment_that_is_still_there_is_noted() {
    let mut options = options();
    options.segment_bytes = 1_500;
    options.run_records_bytes = 4_500;
    let mut run = Run::begin(options);
    run.records([outside(1), outside(2)]);
    let first = fs::read(run.folder().join("records.ndjson")).unwrap();
    for sequence in 3..=40 {
        run.records([outside(sequence)]);
    }
    run.end();
    assert_eq!(found(&check(&run.reader()).unwrap()), NOTHING);
    fs::write(run.folder().join("records.000001.ndjson"), first).unwrap();
    assert_eq!(
        found(&check(&run.reader()).unwrap()),
        ["note evicted_present"]
    );
}

#[test]
fn a_manifest_that_cannot_be_read_is_an_error() {
    let run = finished_with(sound_records(), 0);
    fs::write(run.folder().join("run.json"), "{").unwrap();
    let report = check(&run.reader()).unwrap();
    assert_eq!(report.count(Code::BadManifest), 1);
    assert!(!report.sound);
}

#[test]
fn a_manifest_that_breaks_its_schema_is_an_error() {
    let report = check_manifest(|manifest| manifest["driver"]["pid"] = 0.into());
    assert_eq!(found(&report), ["error manifest_schema"]);
}

#[test]
fn a_manifest_of_another_run_is_found() {
    let report = check_manifest(|manifest| {
        manifest["runId"] = "019aaf2c-0b1a-7d2e-9c44-5f6e7d8c9b0b".into();
    });
    assert_eq!(report.count(Code::WrongFolder), 1);
    assert_eq!(report.count(Code::WrongRun), 12);
}

#[test]
fn times_that_run_backwards_are_noted() {
    let report = check_manifest(|manifest| {
        manifest["tests"][0]["endedAt"] = "2026-11-23T04:36:00.000000000Z".into();
    });
    assert_eq!(found(&report), ["note times_out_of_order"]);
}

#[test]
fn tests_and_instances_that_the_manifest_forgot_are_errors() {
    let report = check_manifest(|manifest| {
        manifest["tests"] = Value::Array(Vec::new());
        manifest["instances"] = Value::Array(Vec::new());
    });
    assert_eq!(
        found(&report),
        ["error not_in_manifest", "error not_in_manifest"]
    );
}

#[test]
fn output_of_another_size_is_an_error() {
    let run = finished_with(sound_records(), 0);
    fs::write(
        run.folder().join(format!("stderr/{CSV}.log")),
        "longer than it was",
    )
    .unwrap();
    assert_eq!(
        found(&check(&run.reader()).unwrap()),
        ["error output_mismatch"]
    );
}

#[test]
fn a_failure_report_is_held_to_its_schema() {
    let run = finished_with(sound_records(), 0);
    fs::create_dir(run.folder().join("failures")).unwrap();
    fs::write(run.folder().join("failures/1.json"), "{\"code\":\"oops\"}").unwrap();
    let report = check(&run.reader()).unwrap();
    assert!(report.count(Code::BadFailure) > 0);
    let report = check_manifest(|manifest| {
        manifest["failures"] = serde_json::json!([{"file": "failures/7.json", "code": "crashed"}]);
    });
    assert_eq!(found(&report), ["error bad_failure"]);
}

#[test]
fn a_file_that_does_not_belong_there_is_noted() {
    let run = finished_with(sound_records(), 0);
    fs::write(run.folder().join("notes.txt"), "mine").unwrap();
    assert_eq!(found(&check(&run.reader()).unwrap()), ["note unknown_file"]);
}
