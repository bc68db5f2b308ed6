//! Reading: filters, damage, manifests that are missing or foreign.

use std::fs;
use std::os::unix::fs::symlink;

use plugobs_core::InstanceId;
use plugobs_core::registry::{channel, event, mark};
use plugobs_core::{Claimed, Severity};
use plugobs_driver::sink::OutputStream;
use plugobs_runfile::{Filter, Life, ReadError, RunFolder};

use crate::support::*;

fn messages(run: &Run, filters: Vec<Filter>) -> Vec<String> {
    run.reader()
        .select(filters)
        .map(|entry| entry.unwrap().record.unwrap().message.into())
        .collect()
}

#[test]
fn records_come_back_as_they_were_written() {
    let records = sound_records();
    let run = finished_with(records.clone(), 0);
    let read: Vec<_> = run.reader().records().map(Result::unwrap).collect();
    for (number, (entry, written)) in read.iter().zip(&records).enumerate() {
        assert_eq!(
            entry.at.to_string(),
            format!("records.ndjson:{}", number + 1)
        );
        assert_eq!(entry.record.as_ref().unwrap(), written);
    }
    assert_eq!(read.len(), records.len());
}

#[test]
fn filters_take_what_they_name() {
    let mut run = Run::begin(options());
    let mut other = log(2);
    other.test_run_id = Some(OTHER_TEST.into());
    other.severity = Severity::WARN;
    let mut user = log(3);
    user.channel = channel::USER.into();
    let mut odd = log(4);
    odd.channel = "metrics".into();
    odd.severity = Severity::DEBUG;
    let mut stolen = outside(5);
    stolen.plugin_instance_id = None;
    stolen.mark(mark::QUARANTINED);
    stolen.claimed = Some(Box::new(Claimed {
        test_run_id: Some(TEST.into()),
        via: Some(CSV.into()),
        ..Claimed::default()
    }));
    run.records([
        log(1),
        other,
        user,
        odd,
        stolen,
        driver(event::INSTANCE_SPAWNED, 1),
    ]);

    let all = |filter| messages(&run, vec![filter]);
    assert_eq!(
        all(Filter::new().test(TEST)),
        ["record 1", "record 3", "record 4"]
    );
    assert_eq!(all(Filter::new().instance(CSV)).len(), 5);
    assert_eq!(all(Filter::new().call(CALL)).len(), 4);
    let warnings = Filter::new().min_severity(Severity::WARN);
    assert_eq!(all(warnings), ["record 2", "record 3"]);
    let operational = Filter::new().channel(channel::OPERATIONAL).test(TEST);
    assert_eq!(all(operational), ["record 1", "record 4"]);
    assert_eq!(all(Filter::new().claiming_test(TEST)), ["record 5"]);
    assert_eq!(all(Filter::new().outside_tests()).len(), 2);
    assert_eq!(all(Filter::new().driver_events("instance.")), [""]);
    let either = vec![
        Filter::new().test(OTHER_TEST),
        Filter::new().claiming_test(TEST),
    ];
    assert_eq!(messages(&run, either), ["record 2", "record 5"]);
    assert_eq!(messages(&run, vec![]).len(), 6);
}

#[test]
fn life_is_known_from_the_folder() {
    let mut run = Run::begin(options());
    let reader = run.reader();
    assert_eq!(reader.life(), Life::Running);
    run.end();
    assert_eq!(reader.life(), Life::Finished);

    let root = Run::begin(options()).killed();
    let reader = RunFolder::open(&root.path().join(RUN)).unwrap();
    assert_eq!(reader.life(), Life::Left);
}

#[test]
fn a_folder_without_a_manifest_is_read_all_the_same() {
    // Killed before the first event, and after records.
    let mut run = Run::create(options());
    assert_eq!(run.reader().records().count(), 0);
    run.records([log(1)]);
    let reader = run.reader();
    assert!(reader.manifest_problem().is_some());
    assert_eq!(reader.manifest().run.run_id, RUN);
    assert_eq!(reader.records().count(), 1);
}

#[test]
fn a_damaged_manifest_does_not_hide_the_records() {
    let run = finished_with(sound_records(), 0);
    fs::write(run.folder().join("run.json"), "{\"formatVersion\":\"0.1\"").unwrap();
    let reader = run.reader();
    let problem = reader.manifest_problem().unwrap();
    assert!(matches!(problem, ReadError::BadJson { .. }), "{problem}");
    assert_eq!(reader.records().count(), sound_records().len());
}

#[test]
fn a_format_that_is_not_known_is_refused() {
    let run = finished_with(sound_records(), 0);
    fs::write(
        run.folder().join("run.json"),
        "{\"formatVersion\":\"0.2\",\"segments\":7}",
    )
    .unwrap();
    let error = RunFolder::open(&run.folder()).unwrap_err();
    assert!(matches!(error, ReadError::UnknownFormat { .. }));
    assert!(
        error.to_string().starts_with("unknown_version: "),
        "{error}"
    );
}

#[test]
fn a_folder_of_something_else_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("Cargo.toml"), "").unwrap();
    let error = RunFolder::open(folder.path()).unwrap_err();
    assert!(matches!(error, ReadError::NotARunFolder { .. }), "{error}");
    let error = RunFolder::open(&folder.path().join("nowhere")).unwrap_err();
    assert!(matches!(error, ReadError::File(_)), "{error}");
}

#[test]
fn links_in_a_folder_are_not_followed() {
    let run = finished_with(sound_records(), 0);
    let secret = run.root.path().join("secret");
    fs::write(&secret, "secret\n").unwrap();
    for name in ["records.000001.ndjson", "records.ndjson", "run.json"] {
        let path = run.folder().join(name);
        let _ = fs::remove_file(&path);
        symlink(&secret, &path).unwrap();
    }
    let log = run.folder().join(format!("stderr/{CSV}.log"));
    fs::remove_file(&log).unwrap();
    symlink(&secret, &log).unwrap();
    let reader = run.reader();
    assert!(matches!(
        reader.manifest_problem(),
        Some(ReadError::File(_))
    ));
    let mut records = reader.records();
    records.next().unwrap().unwrap_err();
    assert!(records.next().is_none());
    let id = InstanceId::parse(CSV).unwrap();
    reader.output(&id, OutputStream::Stderr).unwrap_err();
}

#[test]
fn a_pipe_in_a_folder_does_not_hold_the_reader() {
    let run = finished_with(sound_records(), 0);
    let path = run.folder().join("records.ndjson");
    fs::remove_file(&path).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &path,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    run.reader().records().next().unwrap().unwrap_err();
}
