//! The JSON form over all characters and over arbitrary records.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use plugobs_core::json::{from_json, to_json_line};
use plugobs_core::sanitise::is_deceptive;
use plugobs_core::{Record, Scalar, Severity, Timestamp, Value};
use proptest::prelude::*;
use serde_json::Value as Json;

use crate::arbitrary;
use crate::json::{TIME, read};

/// The members that the JSON form knows.
const MEMBERS: &[&str] = &[
    "timestamp",
    "level",
    "message",
    "target",
    "channel",
    "eventName",
    "pluginInstanceId",
    "testRunId",
    "callId",
    "epoch",
    "sequence",
    "severityNumber",
    "attributes",
    "exception",
    "traceContext",
    "marks",
    "truncatedBytes",
    "observedTimestamp",
    "runId",
    "pluginName",
    "pluginVersion",
    "source",
    "claimed",
    "unknownFields",
];

/// The deceptive characters by the table of `spec/security.md`.
fn deceptive_by_the_table() -> Vec<RangeInclusive<u32>> {
    let spec = concat!(env!("CARGO_MANIFEST_DIR"), "/../../spec/security.md");
    let spec = std::fs::read_to_string(spec).unwrap();
    let table = spec.split("| characters | why |").nth(1).unwrap();
    let rows = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let number =
        |text: &str| u32::from_str_radix(text.trim().trim_start_matches("U+"), 16).unwrap();
    rows.flat_map(|row| row.split('|').nth(1).unwrap().split(','))
        .map(|range| match range.split_once(" to ") {
            Some((first, last)) => number(first)..=number(last),
            None => number(range)..=number(range),
        })
        .collect()
}

#[test]
fn obs_json_22_and_29_every_character_is_escaped_or_itself_by_the_table() {
    let table = deceptive_by_the_table();
    assert!(table.len() >= 12, "{table:?}");
    for c in '\0'..=char::MAX {
        let deceptive = table.iter().any(|range| range.contains(&u32::from(c)));
        assert_eq!(is_deceptive(c), deceptive, "{c:?}");
    }
    // In chunks, because a test in debug mode writes a million lines slowly.
    let all: Vec<char> = ('\0'..=char::MAX).collect();
    for chunk in all.chunks(10_000) {
        let text: String = chunk.iter().collect();
        let line = to_json_line(&Record::new(
            Timestamp::default(),
            Severity::INFO,
            "t",
            &text,
        ));
        let raw: HashSet<char> = line.chars().collect();
        for c in chunk {
            let stands = raw.contains(c);
            assert_eq!(stands, !is_deceptive(*c), "{c:?}");
        }
        assert!(from_json(&line).unwrap().message == text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn obs_json_17_a_double_is_written_short_and_read_exactly(double in arbitrary::double()) {
        let record = read(r#","level":"INFO""#).with("k", double);
        let line = to_json_line(&record);
        let Value::Scalar(Scalar::Double(read)) = from_json(&line).unwrap().attributes[0].1 else {
            panic!("no double")
        };
        // A NaN is one, whatever its payload.
        prop_assert!(read.to_bits() == double.to_bits() || (read.is_nan() && double.is_nan()));
        if double.is_finite() {
            let digits = |text: &str| {
                let digits = text.split(['e', 'E']).next().unwrap_or_default();
                let digits: String = digits.chars().filter(char::is_ascii_digit).collect();
                digits.trim_matches('0').len()
            };
            let value = line.split(r#""attributes":{"k":"#).nth(1).unwrap().trim_end_matches('}');
            let value = value.trim_start_matches(r#"{"double":"#);
            prop_assert_eq!(digits(value), digits(&format!("{double:e}")), "{}", value);
            // Zeros that only fill are few.
            prop_assert!(value.len() <= 40, "{}", value);
        }
    }

    #[test]
    fn a_stored_record_is_written_and_read_whole(record in arbitrary::stored_record()) {
        let line = to_json_line(&record);
        prop_assert!(!line.chars().any(is_deceptive), "{}", line);
        prop_assert_eq!(from_json(&line).unwrap(), record);
    }

    #[test]
    fn obs_json_04_the_order_of_members_says_nothing(record in arbitrary::stored_record()) {
        let line = to_json_line(&record);
        let Json::Object(members) = serde_json::from_str(&line).unwrap() else { panic!("no object") };
        let reversed: serde_json::Map<_, _> = members.into_iter().rev().collect();
        let read = from_json(&Json::Object(reversed).to_string()).unwrap();
        // Unknown members keep the order in which they came.
        let sorted = |record: &Record| {
            let mut record = record.clone();
            record.unknown_members.sort_keys();
            record
        };
        prop_assert_eq!(sorted(&read), sorted(&record));
    }

    #[test]
    fn known_members_of_any_type_are_read_or_refused(
        members in proptest::collection::hash_map(proptest::sample::select(MEMBERS), arbitrary::json(), 0..4),
    ) {
        let mut document = serde_json::json!({"timestamp": TIME, "message": "m"});
        for (name, value) in members {
            document[name] = value;
        }
        if let Ok(record) = from_json(&document.to_string()) {
            // What was read is written so that it is read again as it was.
            prop_assert_eq!(from_json(&to_json_line(&record)).unwrap(), record);
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = from_json(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn writing_and_reading_is_the_identity(record in arbitrary::record()) {
        let line = to_json_line(&record);
        prop_assert!(!line.chars().any(is_deceptive), "{}", line);
        prop_assert_eq!(from_json(&line).unwrap(), record);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in ".{0,200}") {
        let _ = from_json(&text);
    }

    #[test]
    fn no_broken_record_makes_the_reader_panic(
        record in arbitrary::record(), cut in 0..400usize, put in any::<char>(),
    ) {
        let line = to_json_line(&record);
        let at = line.floor_char_boundary(cut.min(line.len()));
        let _ = from_json(&line[..at]);
        let _ = from_json(&format!("{}{put}{}", &line[..at], &line[at..]));
    }
}
