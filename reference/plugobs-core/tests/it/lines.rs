//! Record lines on standard error (OBS-JSON-23 to 28).

use plugobs_core::registry::{RejectionCode as Code, mark};
use plugobs_core::sanitise::is_deceptive;
use plugobs_core::stderr_line::{PREFIX, is_record_line, parse_stderr_line, to_stderr_line};
use plugobs_core::{Exception, Record, Severity, Timestamp};
use proptest::prelude::*;

use crate::arbitrary;

fn record(message: &str) -> Record {
    let mut record = Record::new(Timestamp::default(), Severity::INFO, "t", message);
    (record.epoch, record.sequence) = (Some(7), Some(8));
    record
}

#[test]
fn a_line_begins_with_its_version() {
    let line = to_stderr_line(&record("hello"));
    assert!(line.starts_with(PREFIX));
    assert!(is_record_line(line.as_bytes()));
    assert_eq!(parse_stderr_line(&line).unwrap(), record("hello"));
    assert!(!is_record_line(b"{\"message\":1}"));
    assert!(!is_record_line(b" {\"plugobs\":1,"));
}

#[test]
fn a_long_record_is_cut_to_fit() {
    // Each of these is written as six bytes.
    let line = to_stderr_line(&record(&"\u{1b}".repeat(60_000)));
    assert!(line.len() <= 32_768, "{}", line.len());
    let read = parse_stderr_line(&line).unwrap();
    assert!(read.has_mark(mark::TRUNCATED));
    assert_eq!(read.truncated_bytes, 60_000 - read.message.len() as u64);
    assert_eq!((read.epoch, read.sequence), (Some(7), Some(8)));
    let mut wide = record("m");
    for n in 0..64 {
        wide = wide.with(&format!("{n}"), "v".repeat(8_000));
    }
    assert!(to_stderr_line(&wide).len() <= 32_768);
}

#[test]
fn another_version_is_refused_and_so_is_a_line_without_a_key() {
    let line = to_stderr_line(&record("m"));
    let code = |line: &str| parse_stderr_line(line).unwrap_err().code;
    assert_eq!(code(&line.replacen(":1,", ":2,", 1)), Code::UnknownVersion);
    assert_eq!(
        code(&line.replacen(":1,", ":\"1\",", 1)),
        Code::UnknownVersion
    );
    assert_eq!(
        code(&line.replacen("\"plugobs\":1,", "", 1)),
        Code::UnknownVersion
    );
    assert_eq!(code(&line[..line.len() - 1]), Code::InvalidJson);
    assert_eq!(code(&line.replace(",\"epoch\":7", "")), Code::MissingField);
    assert_eq!(
        code(&line.replace(",\"sequence\":8", "")),
        Code::MissingField
    );
    let padded = format!("{}{}}}", &line[..line.len() - 1], " ".repeat(33_000));
    assert_eq!(code(&padded), Code::TooLong);
}

#[test]
fn a_member_of_that_name_is_not_written_twice() {
    let mut odd = record("m");
    odd.unknown_members.insert("plugobs".to_owned(), 2.into());
    odd.unknown_members.insert("later".to_owned(), 3.into());
    let read = parse_stderr_line(&to_stderr_line(&odd)).unwrap();
    odd.unknown_members.shift_remove("plugobs");
    assert_eq!(read, odd);
}

#[test]
fn obs_json_24_names_are_cut_too_where_they_alone_are_too_long() {
    let name = "\u{1b}".repeat(256);
    let mut named = record("what happened");
    named.level = name.as_str().into();
    named.channel = name.as_str().into();
    named.target = name.as_str().into();
    for id in [
        &mut named.event_name,
        &mut named.plugin_instance_id,
        &mut named.test_run_id,
        &mut named.call_id,
    ] {
        *id = Some(name.clone().into());
    }
    named.marks = (0..16).map(|n| format!("{n:02}{}", &name[..254])).collect();
    let line = to_stderr_line(&named);
    assert!(line.len() <= 32_768, "{}", line.len());
    let read = parse_stderr_line(&line).unwrap();
    // An identity that was cut could be another's.
    assert_eq!(read.test_run_id.as_deref(), Some(name.as_str()));
    assert_eq!(read.message, "what happened");
    assert!(read.has_mark(mark::TRUNCATED));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn obs_json_24_a_hostile_record_fits_a_line_and_keeps_its_key(record in arbitrary::hostile_record()) {
        let record = Record { epoch: Some(u64::MAX), sequence: Some(2), truncated_bytes: 0, ..record };
        let line = to_stderr_line(&record);
        prop_assert!(line.len() <= 32_768, "{}", line.len());
        prop_assert!(!line.chars().any(is_deceptive));
        let read = parse_stderr_line(&line).unwrap();
        prop_assert_eq!((read.epoch, read.sequence), (Some(u64::MAX), Some(2)));
        prop_assert!(record.message.starts_with(read.message.as_str()));
        let exception = record.exception.clone().and_then(Exception::non_empty);
        let whole = Record { exception, ..record };
        prop_assert!(read.has_mark(mark::TRUNCATED) || read == whole);
    }

    #[test]
    fn no_line_makes_the_reader_panic(record in arbitrary::record(), at in 0..400usize, put in any::<char>()) {
        let line = to_stderr_line(&record);
        let at = line.floor_char_boundary(at.min(line.len()));
        let _ = parse_stderr_line(&line[..at]);
        let _ = parse_stderr_line(&format!("{}{put}{}", &line[..at], &line[at..]));
    }

    #[test]
    fn every_record_fits_a_line_and_keeps_its_key(record in arbitrary::record()) {
        let record = Record { epoch: Some(1), sequence: Some(2), ..record };
        let line = to_stderr_line(&record);
        prop_assert!(line.len() <= 32_768 && !line.contains('\n'));
        prop_assert_eq!(parse_stderr_line(&line).unwrap(), record);
    }
}
