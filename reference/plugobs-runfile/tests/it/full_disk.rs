//! A disk that is full, and has room again.
//!
//! A limit on the size of files stands in for the disk: a write fails there
//! after a part of it, too. It holds for a whole process, so the test runs
//! itself again in one of its own.

use std::fs;
use std::process::Command;

use plugobs_driver::sink::{Sink, SinkEvent};
use plugobs_runfile::check;
use plugobs_runfile::check::Code;
use rustix::process::{Resource, getrlimit, setrlimit};

use crate::support::*;

#[test]
fn a_full_disk_tears_no_line_and_later_records_are_written() {
    let script = r#"trap "" XFSZ && ulimit -S -f 16 && exec "$0" "$@""#;
    let output = Command::new("sh")
        .args(["-c", script])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "full_disk::with_small_files", "--ignored"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("1 passed"), "{text}");
}

#[test]
#[ignore = "run by the test above, with a limit on the size of files"]
fn with_small_files() {
    let limit = getrlimit(Resource::Fsize);
    assert!(limit.current.is_some_and(|bytes| bytes <= 16 * 1024));
    let mut run = Run::begin(options());
    let (mut taken, mut refused) = (0, 0);
    for sequence in 1..=30 {
        let records = [
            log(3 * sequence - 2),
            log(3 * sequence - 1),
            log(3 * sequence),
        ];
        match run.sink.accept(&SinkEvent::Records(records.into())) {
            Ok(()) => taken += 3,
            Err(error) => {
                assert!(error.to_string().contains("records.ndjson"), "{error}");
                refused += 3;
            }
        }
    }
    assert!(taken > 0 && refused > 0, "{taken} {refused}");
    let text = fs::read_to_string(run.folder().join("records.ndjson")).unwrap();
    assert!(text.ends_with('\n'));
    assert_eq!(text.lines().count(), taken);

    let mut more = limit;
    more.current = more.maximum;
    setrlimit(Resource::Fsize, more).unwrap();
    run.records([log(91)]);
    run.end();
    let reader = run.reader();
    assert_eq!(reader.manifest().lost_records(), refused);
    assert!(reader.records().all(|entry| entry.unwrap().record.is_ok()));
    let report = check(&reader).unwrap();
    assert_eq!(report.count(Code::Lost), 1);
    // As many are missing as the sink said that it lost.
    assert_eq!(report.counts.missing, refused);
    assert_eq!(report.count(Code::Missing), 1);
    assert_eq!(report.count(Code::DamagedLine), 0);
}
