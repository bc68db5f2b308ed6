//! Lines that are torn or broken, and drivers that were killed.

use std::fs;
use std::io::Write;

use plugobs_runfile::check::Code;
use plugobs_runfile::read::records::Damage;
use plugobs_runfile::{RunFolder, check};

use crate::support::*;

#[test]
fn a_driver_that_is_killed_within_a_write_leaves_a_readable_prefix() {
    let mut run = Run::begin(options());
    run.records([log(1), log(2), log(3)]);
    let folder = run.folder();
    let root = run.killed();
    let path = folder.join("records.ndjson");
    let whole = fs::read(&path).unwrap();
    let ends: Vec<usize> = whole
        .iter()
        .enumerate()
        .filter_map(|(at, byte)| (*byte == b'\n').then_some(at + 1))
        .collect();
    // The last two lines, cut at every byte.
    for length in ends[0]..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let reader = RunFolder::open(&folder).unwrap();
        let entries: Vec<_> = reader.records().map(Result::unwrap).collect();
        let records = entries.iter().filter(|entry| entry.record.is_ok()).count();
        assert_eq!(records, ends.iter().filter(|end| **end <= length).count());
        let torn = !ends.contains(&length);
        assert_eq!(entries.len() - records, usize::from(torn), "{length}");
        if torn {
            let damage = entries.last().unwrap().record.as_ref().unwrap_err();
            assert!(matches!(damage, Damage::Torn { .. }), "{damage}");
        }
        let report = check(&reader).unwrap();
        assert_eq!(report.count(Code::TornLine), u64::from(torn));
        assert!(report.findings.iter().any(|finding| {
            finding.code == Code::UnknownAfter
                && finding
                    .message
                    .contains(&format!("sequence {records} is unknown"))
        }));
        assert_eq!(report.state, "left");
    }
    drop(root);
}

#[test]
fn reading_goes_on_after_a_line_that_is_no_record() {
    let run = finished_with(sound_records(), 0);
    let path = run.folder().join("records.ndjson");
    let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"half a li\n\n\xff\xfe\n{\"timestamp\":null}\n[]\n")
        .unwrap();
    let mut line = plugobs_core::json::to_json_line(&outside(6));
    line.push('\n');
    file.write_all(line.as_bytes()).unwrap();
    let entries: Vec<_> = run.reader().records().map(Result::unwrap).collect();
    let first = sound_records().len() as u64 + 1;
    let damaged: Vec<_> = entries
        .iter()
        .filter(|entry| entry.record.is_err())
        .map(|entry| entry.at.line)
        .collect();
    assert_eq!(damaged, (first..first + 5).collect::<Vec<_>>());
    assert_eq!(entries.last().unwrap().record, Ok(outside(6)));
}
