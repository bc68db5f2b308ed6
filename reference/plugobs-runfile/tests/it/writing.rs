//! What the sink leaves on disk.

use std::fs;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::sync::Arc;

use plugobs_core::registry::FailureCode;
use plugobs_core::{InstanceId, RunId};
use plugobs_driver::sink::{OutputStream, Sink, SinkEvent, SinkLoss};
use plugobs_runfile::manifest::RunState;
use plugobs_runfile::{RunFolder, WriteError};
use serde_json::Value;

use crate::support::*;

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn every_path(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut paths = vec![folder.to_owned()];
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            paths.extend(every_path(&path));
        } else {
            paths.push(path);
        }
    }
    paths
}

#[test]
fn a_batch_is_in_the_file_when_accept_returns() {
    let mut run = Run::begin(options());
    run.records([log(1), log(2)]);
    let text = fs::read_to_string(run.folder().join("records.ndjson")).unwrap();
    assert_eq!(text.lines().count(), 2);
    assert!(text.ends_with('\n'));
    assert!(text.contains("\"sequence\":2"));
}

#[test]
fn folders_and_files_are_for_the_owner_alone() {
    let run = finished_with(sound_records(), 0);
    for path in every_path(&run.folder()) {
        let mode = path.metadata().unwrap().permissions().mode() & 0o777;
        let expected = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode, expected, "{}", path.display());
    }
    let made = Run::begin(options());
    let deep = made.root.path().join("a/b");
    RunFolder::create(&deep, &RunId::parse(RUN).unwrap(), options()).unwrap();
    for folder in ["a", "a/b"] {
        let mode = made.root.path().join(folder).metadata().unwrap().mode() & 0o777;
        assert_eq!(mode, 0o700, "{folder}");
    }
}

#[test]
fn a_folder_that_is_there_is_not_used() {
    let root = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    symlink(elsewhere.path(), root.path().join(RUN)).unwrap();
    let run_id = RunId::parse(RUN).unwrap();
    let error = RunFolder::create(root.path(), &run_id, options()).unwrap_err();
    assert!(matches!(error, WriteError::Exists { .. }), "{error}");
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
}

#[test]
fn a_link_that_was_planted_leads_nowhere() {
    let mut run = Run::begin(options());
    let victim = run.root.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    fs::create_dir(run.folder().join("stderr")).unwrap();
    fs::create_dir(run.folder().join("failures")).unwrap();
    let names = [
        format!("stderr/{CSV}.log"),
        "failures/1.json".to_owned(),
        ".run.json.new".to_owned(),
    ];
    for name in &names {
        symlink(&victim, run.folder().join(name)).unwrap();
    }
    let output = SinkEvent::Output {
        instance: InstanceId::parse(CSV).unwrap(),
        stream: OutputStream::Stderr,
        bytes: b"evil".to_vec().into(),
    };
    // Folders and files that this run did not make are refused, with an error.
    run.sink.accept(&output).unwrap_err();
    run.sink.accept(&SinkEvent::Failure(failure())).unwrap_err();
    // The manifest's temporary file is the writer's own: the link goes.
    run.end();
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    assert_eq!(json(&run.folder().join("run.json"))["state"], "finished");
}

#[test]
fn a_linked_folder_of_output_is_not_followed() {
    let mut run = Run::begin(options());
    let elsewhere = tempfile::tempdir().unwrap();
    symlink(elsewhere.path(), run.folder().join("stderr")).unwrap();
    let output = SinkEvent::Output {
        instance: InstanceId::parse(CSV).unwrap(),
        stream: OutputStream::Stderr,
        bytes: b"evil".to_vec().into(),
    };
    run.sink.accept(&output).unwrap_err();
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    run.end();
    let entry = run.reader().manifest().instance(CSV).unwrap().clone();
    assert_eq!(entry.stderr.unwrap().cut_bytes, 4);
}

#[test]
fn the_manifest_follows_the_run() {
    let mut run = Run::begin(options());
    let manifest = run.reader().manifest().clone();
    assert_eq!(manifest.state, RunState::Running);
    assert_eq!(manifest.instances[0].info.name, "csv");
    assert_eq!(manifest.run.limits["segment_bytes"], 134_217_728);

    let mut ended = instance(CSV, "csv");
    ended.signal = Some(9);
    run.tell(SinkEvent::Instance(Arc::new(ended)));
    // The same ID again, begun at another time, is another attempt.
    let mut again = test(TEST);
    again.began_at = at(11);
    for info in [test(TEST), again.clone(), again] {
        run.tell(SinkEvent::Test(Arc::new(info)));
    }
    let loss = |name: &str, lost_records| SinkLoss {
        name: name.to_owned(),
        lost_records,
        error: None,
    };
    run.tell(SinkEvent::Losses([loss("tracing", 3)].into()));
    run.end();
    let manifest = run.reader().manifest().clone();
    assert_eq!(manifest.state, RunState::Finished);
    assert_eq!(manifest.ended_at, Some(at(10_000)));
    assert!(manifest.instances[0].died());
    assert_eq!(manifest.tests.len(), 2);
    assert_eq!(manifest.sinks, [loss("run-folder", 0), loss("tracing", 3)]);
}

#[test]
fn the_manifest_rests_while_thousands_of_tests_begin() {
    let mut run = Run::begin(plugobs_runfile::RunOptions::default());
    let path = run.folder().join("run.json");
    let mut writes = 0;
    let mut inode = path.metadata().unwrap().ino();
    for number in 0..2_000 {
        run.tell(SinkEvent::Test(Arc::new(test(&format!("test-{number}")))));
        let now = path.metadata().unwrap().ino();
        writes += u32::from(now != inode);
        inode = now;
    }
    assert!(writes < 1_000, "{writes} writes for 2,000 tests");
    run.end();
    assert_eq!(run.reader().manifest().tests.len(), 2_000);
}

fn failure() -> Arc<plugobs_driver::FailureReport> {
    let mut report = plugobs_driver::FailureReport::new(
        FailureCode::ExitedEarly,
        plugobs_driver::failure::FailedPlugin {
            name: "csv\u{1b}[2J".to_owned(),
            version: None,
            plugin_instance_id: Some(CSV.to_owned()),
            executable: None,
        },
        "the process ended before its handshake",
        at(5),
        18_000_000,
    );
    report.stderr_tail = vec!["cannot bind\r".to_owned()];
    report.last_records = vec![outside(1)];
    Arc::new(report)
}

#[test]
fn a_failure_has_a_file_and_an_entry() {
    let mut run = Run::begin(options());
    run.tell(SinkEvent::Failure(failure()));
    run.tell(SinkEvent::Failure(failure()));
    let text = fs::read_to_string(run.folder().join("failures/2.json")).unwrap();
    assert!(!text.contains('\u{1b}') && !text.contains('\r'), "{text}");
    let reader = run.reader();
    assert_eq!(reader.manifest().failures[1].file, "failures/2.json");
    assert_eq!(reader.manifest().failures[1].code, "exited_early");
    let failures = reader.failures().unwrap();
    let stored = failures[0].as_ref().unwrap();
    assert_eq!(stored, &plugobs_runfile::StoredFailure::from(&*failure()));
    assert_eq!(stored.last_records, [outside(1)]);
}

#[test]
fn raw_output_is_kept_byte_by_byte() {
    let mut run = Run::begin(options());
    run.output(OutputStream::Stderr, b"a\xff\0\r");
    run.output(OutputStream::Stderr, b"\nb");
    run.output(OutputStream::Stdout, b"stray");
    let mut ended = instance(CSV, "csv");
    ended.ended_at = Some(at(60));
    run.tell(SinkEvent::Instance(Arc::new(ended)));
    // What a child of the plugin wrote after the plugin's end.
    run.output(OutputStream::Stderr, b"late");
    run.end();
    let id = InstanceId::parse(CSV).unwrap();
    let mut bytes = Vec::new();
    let reader = run.reader();
    let mut stderr = reader.output(&id, OutputStream::Stderr).unwrap().unwrap();
    stderr.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, b"a\xff\0\r\nblate");
    let entry = reader.manifest().instance(CSV).unwrap();
    assert_eq!(entry.stderr.as_ref().unwrap().bytes, 10);
    assert_eq!(entry.stdout.as_ref().unwrap().bytes, 5);
    let other = InstanceId::parse(XML).unwrap();
    assert!(
        reader
            .output(&other, OutputStream::Stderr)
            .unwrap()
            .is_none()
    );
}

#[test]
fn the_newest_raw_output_is_kept_and_the_cut_is_counted() {
    let mut options = options();
    options.raw_output_bytes = 100;
    let mut run = Run::begin(options);
    let all: Vec<u8> = (0..=255).collect();
    for piece in all.chunks(7) {
        run.output(OutputStream::Stderr, piece);
    }
    run.end();
    let reader = run.reader();
    let entry = reader.manifest().instance(CSV).unwrap().clone();
    let entry = entry.stderr.unwrap();
    assert!((50..=100).contains(&entry.bytes), "{}", entry.bytes);
    assert_eq!(entry.bytes + entry.cut_bytes, 256);
    assert_eq!(entry.older_file, Some(format!("stderr/{CSV}.1.log")));
    let id = InstanceId::parse(CSV).unwrap();
    let mut kept = Vec::new();
    let mut output = reader.output(&id, OutputStream::Stderr).unwrap().unwrap();
    assert_eq!(output.total_bytes(), entry.bytes);
    output.read_to_end(&mut kept).unwrap();
    assert_eq!(kept, &all[256 - kept.len()..]);
    let output = reader.output(&id, OutputStream::Stderr).unwrap().unwrap();
    assert_eq!(output.tail(40).unwrap(), &all[216..]);
}

#[test]
fn one_error_concerns_one_event() {
    let mut run = Run::begin(options());
    // Nothing can be made in a folder that is no longer there.
    let moved = run.root.path().join("moved");
    let records: SinkEvent = SinkEvent::Records([log(1)].into());
    run.sink.accept(&records).unwrap();
    fs::rename(run.folder(), &moved).unwrap();
    // The folder is held open, so that a new name does not stop the writer.
    run.sink
        .accept(&SinkEvent::Records([log(2)].into()))
        .unwrap();
    run.end();
    let reader = RunFolder::open(&moved).unwrap();
    assert_eq!(reader.records().count(), 2);
}
