//! Segments: rotating, evicting, and counting what was evicted.

use std::fs;
use std::path::Path;

use plugobs_runfile::manifest::Range;
use plugobs_runfile::{Manifest, RunOptions, check};

use crate::support::*;

fn small() -> RunOptions {
    let mut options = options();
    options.segment_bytes = 4_000;
    options.run_records_bytes = 16_000;
    options
}

fn segments(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("records"))
        .collect();
    names.sort();
    names
}

fn sequences(run: &Run) -> Vec<u64> {
    run.reader()
        .records()
        .filter_map(|entry| entry.unwrap().record.unwrap().sequence)
        .collect()
}

fn evicted(manifest: &Manifest, epoch: Option<u64>) -> (Vec<Range>, Vec<Range>, u64) {
    let mut found = manifest.evicted.iter().filter(|e| e.epoch == epoch);
    let eviction = found.next().unwrap();
    assert!(found.next().is_none());
    assert_eq!(eviction.plugin_instance_id.as_deref(), Some(CSV));
    (
        eviction.ranges.clone(),
        eviction.dropped_ranges.clone(),
        eviction.unsequenced_records,
    )
}

#[test]
fn segments_are_rotated_before_they_grow_too_large() {
    let mut run = Run::begin(small());
    for sequence in 1..=25 {
        run.records([outside(sequence)]);
    }
    let names = segments(&run.folder());
    assert_eq!(
        names,
        [
            "records.000001.ndjson",
            "records.000002.ndjson",
            "records.ndjson"
        ]
    );
    for name in names {
        let bytes = run.folder().join(name).metadata().unwrap().len();
        assert!(bytes <= 4_000, "{bytes}");
    }
    assert_eq!(sequences(&run), (1..=25).collect::<Vec<_>>());
    run.end();
    let manifest = run.reader().manifest().clone();
    assert_eq!(manifest.segments.iter().map(|s| s.records).sum::<u64>(), 25);
    assert_eq!(manifest.segments[0].first_observed, Some(at(21)));
    assert_eq!(manifest.segments[2].last_observed, Some(at(45)));
    assert!(manifest.evicted.is_empty());
    assert!(check(&run.reader()).unwrap().sound);
}

#[test]
fn a_batch_is_never_split() {
    let mut options = small();
    options.run_records_bytes = 1 << 20;
    let mut run = Run::begin(options);
    run.records((1..=40).map(outside).collect::<Vec<_>>());
    run.records([outside(41)]);
    assert_eq!(segments(&run.folder()).len(), 2);
    assert_eq!(sequences(&run).len(), 41);
}

#[test]
fn what_is_evicted_is_counted() {
    let mut run = Run::begin(small());
    run.records([outside(1), dropped(2, 9), unary("hello")]);
    for sequence in 10..=100 {
        run.records([outside(sequence)]);
        let total: u64 = segments(&run.folder())
            .iter()
            .map(|name| run.folder().join(name).metadata().unwrap().len())
            .sum();
        assert!(total <= 16_000, "{total}");
    }
    run.end();
    let names = segments(&run.folder());
    assert_eq!(names.last().unwrap(), "records.ndjson");
    assert!(!names.contains(&"records.000001.ndjson".to_owned()));

    let kept = sequences(&run);
    let first = kept[0];
    assert_eq!(kept, (first..=100).collect::<Vec<_>>());
    let manifest = run.reader().manifest().clone();
    let (ranges, dropped, unsequenced) = evicted(&manifest, Some(EPOCH));
    assert_eq!(
        ranges,
        [
            Range { first: 1, last: 1 },
            Range {
                first: 10,
                last: first - 1
            }
        ]
    );
    assert_eq!(dropped, [Range { first: 2, last: 9 }]);
    // The record that counted the dropped ones had none itself.
    assert_eq!(unsequenced, 1);
    assert_eq!(evicted(&manifest, None), (vec![], vec![], 1));

    let report = check(&run.reader()).unwrap();
    assert!(report.sound, "{:#?}", report.findings);
    let counts = report.counts;
    assert_eq!(counts.missing, 0);
    assert_eq!(counts.dropped, 8);
    assert_eq!(counts.records + counts.evicted, 94);
}

#[test]
fn evictions_are_in_the_manifest_before_the_segment_is_gone() {
    let mut run = Run::begin(small());
    for sequence in 1..=60 {
        run.records([outside(sequence)]);
        // Whenever the driver is killed here, nothing is uncounted.
        let report = check(&run.reader()).unwrap();
        assert!(report.sound, "{:#?}", report.findings);
        assert_eq!(report.counts.missing, 0);
        assert_eq!(report.counts.records + report.counts.evicted, sequence);
    }
}

#[test]
fn a_segment_stays_until_the_manifest_that_counts_it_is_written() {
    let mut run = Run::begin(small());
    // A folder in the place of the next manifest: none can be written.
    let in_the_way = run.folder().join(".run.json.new");
    fs::create_dir(&in_the_way).unwrap();
    for sequence in 1..=100 {
        run.records([outside(sequence)]);
    }
    let oldest = "records.000001.ndjson".to_owned();
    assert!(segments(&run.folder()).contains(&oldest));
    let report = check(&run.reader()).unwrap();
    assert_eq!((report.counts.records, report.counts.missing), (100, 0));

    fs::remove_dir(&in_the_way).unwrap();
    run.end();
    assert!(!segments(&run.folder()).contains(&oldest));
    let counts = check(&run.reader()).unwrap().counts;
    assert_eq!(counts.missing, 0);
    assert_eq!(counts.records + counts.evicted, 100);
}

#[test]
fn a_hundred_thousand_records_are_all_accounted_for() {
    let mut options = options();
    options.segment_bytes = 4 << 20;
    options.run_records_bytes = 16 << 20;
    let mut run = Run::begin(options);
    for batch in 0..1_000 {
        let first = batch * 100 + 1;
        run.records((first..first + 100).map(outside).collect::<Vec<_>>());
    }
    run.end();
    let reader = run.reader();
    let stored = reader.records().count() as u64;
    let evicted: u64 = reader.manifest().evicted.iter().map(|e| e.records()).sum();
    assert!(stored > 20_000 && evicted > 20_000, "{stored} {evicted}");
    assert_eq!(stored + evicted, 100_000);
}
