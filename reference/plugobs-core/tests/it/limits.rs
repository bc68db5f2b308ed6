//! What is over a limit is cut, marked and counted (OBS-LIM-05 to 12).

use plugobs_core::limits::size;
use plugobs_core::registry::mark;
use plugobs_core::{Exception, Limits, Record, Scalar, Severity, Timestamp, Value};
use proptest::prelude::*;

use crate::arbitrary;

fn record(message: &str) -> Record {
    Record::new(Timestamp::default(), Severity::INFO, "t", message)
}

fn enforced(mut record: Record) -> Record {
    Limits::default().enforce(&mut record);
    record
}

#[test]
fn a_record_within_the_limits_is_left_alone() {
    let mut whole = record(&"m".repeat(65_536)).with("k", "v".repeat(8_192));
    for n in 0..63 {
        whole = whole.with(&format!("{n}"), n);
    }
    assert_eq!(enforced(whole.clone()), whole);
}

#[test]
fn a_message_is_cut_at_a_character() {
    // The limit falls into the second byte of a two-byte character.
    let cut = enforced(record(&format!("x{}", "é".repeat(40_000))));
    assert_eq!(cut.message.len(), 65_535);
    assert!(cut.has_mark(mark::TRUNCATED));
    assert_eq!(cut.truncated_bytes, 80_001 - 65_535);
}

#[test]
fn attributes_are_cut_in_number_and_in_size() {
    let mut many = record("m");
    for n in 0..70 {
        many = many.with(&format!("{n:03}"), 1);
    }
    let many = enforced(many);
    assert_eq!(
        (many.attributes.len(), many.truncated_bytes),
        (64, 6 * (3 + 8))
    );
    let big = record("m")
        .with(&"k".repeat(200), "v".repeat(9_000))
        .with("bytes", vec![0; 9_000]);
    let big = enforced(big);
    let lengths: Vec<_> = big
        .attributes
        .iter()
        .map(|(k, v)| (k.len(), v.payload_len()))
        .collect();
    assert_eq!(lengths, [(128, 8_192), (5, 8_192)]);
    assert_eq!(big.truncated_bytes, 72 + 2 * 808);
}

#[test]
fn a_list_shares_one_limit() {
    let list = Value::List(vec![Scalar::String("v".repeat(5_000)); 3]);
    let cut = enforced(record("m").with("k", list));
    assert_eq!(cut.attributes[0].1.payload_len(), 8_192);
    let empties = Value::List(vec![Scalar::String(String::new()); 100_000]);
    let Value::List(kept) = enforced(record("m").with("k", empties))
        .attributes
        .remove(0)
        .1
    else {
        panic!("no list")
    };
    assert!(kept.len() <= 1_024, "{}", kept.len());
}

#[test]
fn obs_lim_12_keys_that_are_equal_once_cut_stand_once() {
    let prefix = "k".repeat(128);
    let cut = enforced(
        record("m")
            .with(&format!("{prefix}a"), 1)
            .with(&format!("{prefix}b"), 2),
    );
    assert_eq!(cut.attributes, [(prefix, 1.into())]);
    assert!(cut.has_mark(mark::TRUNCATED));
}

#[test]
fn the_whole_wins_over_its_parts() {
    let mut big = record(&"m".repeat(60_000));
    for n in 0..64 {
        big = big.with(&format!("{n}"), "v".repeat(8_000));
    }
    big.exception = Some(Exception {
        kind: Some("E".into()),
        message: Some("e".repeat(60_000)),
        stack_trace: Some("s".repeat(60_000)),
    });
    let cut = enforced(big);
    assert!(size(&cut) <= 262_144, "{}", size(&cut));
    // Attributes go first; what a person reads stays.
    assert_eq!(cut.message.len(), 60_000);
    assert!(cut.attributes.len() < 64);
    let small = Limits {
        record_bytes: 4_096,
        ..Limits::default()
    };
    let mut tiny = cut;
    small.enforce(&mut tiny);
    assert!(size(&tiny) <= 4_096, "{}", size(&tiny));
}

#[test]
fn counts_add_up_over_several_cuts() {
    let mut cut = enforced(record(&"m".repeat(70_000)));
    let limits = Limits {
        message_bytes: 10,
        ..Limits::default()
    };
    limits.enforce(&mut cut);
    assert_eq!(cut.truncated_bytes, 70_000 - 10);
    assert_eq!(cut.marks, [mark::TRUNCATED]);
}

proptest! {
    #[test]
    fn cutting_keeps_every_limit_and_is_done_once(
        record in arbitrary::record(),
        message_bytes in 0..60usize,
        attributes in 0..4usize,
        attribute_value_bytes in 1..40usize,
        record_bytes in 3_000..6_000usize,
    ) {
        let limits = Limits {
            message_bytes,
            attributes,
            attribute_key_bytes: 16,
            attribute_value_bytes,
            record_bytes,
            ..Limits::default()
        };
        let before = record.truncated_bytes;
        let mut once = record;
        limits.enforce(&mut once);
        prop_assert!(once.message.len() <= message_bytes);
        prop_assert!(once.attributes.len() <= attributes);
        prop_assert!(once.attributes.iter().all(|(k, v)| k.len() <= 16
            && (v.payload_len() <= attribute_value_bytes.max(8) || matches!(v, Value::List(_)))));
        prop_assert!(size(&once) <= record_bytes);
        prop_assert_eq!(once.has_mark(mark::TRUNCATED), once.truncated_bytes > before || once.marks.contains(&mark::TRUNCATED.to_owned()));
        let mut twice = once.clone();
        limits.enforce(&mut twice);
        prop_assert_eq!(twice, once);
    }
}
