//! Record lines on standard error (OBS-JSON-23 to 28).

use plugobs_core::registry::{RejectionCode as Code, mark};
use plugobs_core::stderr_line::{PREFIX, is_record_line, parse_stderr_line, to_stderr_line};
use plugobs_core::{Record, Severity, Timestamp};
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

proptest! {
    #[test]
    fn every_record_fits_a_line_and_keeps_its_key(record in arbitrary::record()) {
        let record = Record { epoch: Some(1), sequence: Some(2), ..record };
        let line = to_stderr_line(&record);
        prop_assert!(line.len() <= 32_768 && !line.contains('\n'));
        prop_assert_eq!(parse_stderr_line(&line).unwrap(), record);
    }
}
