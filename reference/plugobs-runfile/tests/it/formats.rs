//! Run folders of every format that was ever written.

use std::fs;
use std::path::PathBuf;

use plugobs_runfile::manifest::FormatVersion;
use plugobs_runfile::{Life, RunFolder, check};

use crate::support::*;

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

#[test]
fn every_readable_format_has_a_fixture_and_every_fixture_is_readable() {
    let mut found: Vec<String> = fs::read_dir(fixtures())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    assert_eq!(found, FormatVersion::READABLE);
    for version in found {
        let reader = RunFolder::open(&fixtures().join(version).join(RUN)).unwrap();
        let report = check(&reader).unwrap();
        assert!(report.sound, "{:#?}", report.findings);
        assert_eq!(reader.life(), Life::Finished);
        assert_eq!(reader.records().count(), sound_records().len());
        let story = reader.story(TEST).unwrap();
        assert_eq!((story.log.iter().count(), story.calls.len()), (5, 1));
    }
}
