//! Following a run that goes on.

use plugobs_runfile::read::follow::Follow;
use plugobs_runfile::{Filter, RunFolder};
use std::io::Write;

use crate::support::*;

fn arrived(follow: &mut Follow) -> Vec<u64> {
    let mut sequences = Vec::new();
    while let Some(entry) = follow.try_next().unwrap() {
        sequences.push(entry.record.unwrap().sequence.unwrap());
    }
    sequences
}

#[test]
fn records_come_as_they_arrive() {
    let mut run = Run::begin(options());
    let mut follow = run.reader().follow(Vec::new());
    assert!(arrived(&mut follow).is_empty());
    run.records([log(1), log(2)]);
    assert_eq!(arrived(&mut follow), [1, 2]);
    assert!(arrived(&mut follow).is_empty());
    run.records([log(3)]);
    assert_eq!(arrived(&mut follow), [3]);
}

#[test]
fn rotation_loses_and_repeats_nothing() {
    let mut options = options();
    options.segment_bytes = 1_500;
    let mut run = Run::begin(options);
    let mut follow = run.reader().follow(vec![Filter::new().instance(CSV)]);
    let mut seen = Vec::new();
    for sequence in 1..=200 {
        run.records([log(sequence)]);
        // Sometimes several rotations pass between two looks.
        if sequence % 23 == 0 || sequence < 30 {
            seen.extend(arrived(&mut follow));
        }
    }
    seen.extend(arrived(&mut follow));
    assert_eq!(seen, (1..=200).collect::<Vec<_>>());
}

#[test]
fn what_is_evicted_before_it_is_read_is_passed_over() {
    let mut options = options();
    options.segment_bytes = 1_500;
    options.run_records_bytes = 4_500;
    let mut run = Run::begin(options);
    let mut follow = run.reader().follow(Vec::new());
    run.records([log(1)]);
    assert_eq!(arrived(&mut follow), [1]);
    for sequence in 2..=100 {
        run.records([log(sequence)]);
    }
    let seen = arrived(&mut follow);
    assert_eq!(*seen.last().unwrap(), 100);
    assert!(
        seen.windows(2)
            .filter(|pair| pair[1] != pair[0] + 1)
            .count()
            <= 1,
        "{seen:?}"
    );
    assert!(arrived(&mut follow).is_empty());
}

#[test]
fn a_line_that_is_not_whole_is_waited_for() {
    let run = Run::begin(options());
    let path = run.folder().join("records.ndjson");
    let root = run.killed();
    let reader = RunFolder::open(&root.path().join(RUN)).unwrap();
    let mut follow = reader.follow(Vec::new());
    let line = plugobs_core::json::to_json_line(&log(1));
    let (first, second) = line.as_bytes().split_at(40);
    let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(first).unwrap();
    assert!(follow.try_next().unwrap().is_none());
    file.write_all(second).unwrap();
    assert!(follow.try_next().unwrap().is_none());
    file.write_all(b"\n").unwrap();
    assert_eq!(arrived(&mut follow), [1]);
}
