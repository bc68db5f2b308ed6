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
    let list = |list: Vec<Scalar>| enforced(record("m").with("k", Value::List(list)));
    // The last values go, whole; one alone that is too long is cut.
    let cut = list(vec![Scalar::String("v".repeat(5_000)); 3]);
    assert_eq!(cut.attributes[0].1.payload_len(), 5_000);
    assert_eq!(cut.truncated_bytes, 10_000);
    let cut = list(vec![Scalar::String("v".repeat(9_000)), 1.into()]);
    assert_eq!(cut.attributes[0].1.payload_len(), 8_192);
    assert_eq!(cut.truncated_bytes, 808 + 8);
    let cut = list(vec![Scalar::String("v".repeat(8_185)), 1.into()]);
    assert_eq!(cut.attributes[0].1.payload_len(), 8_185);
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
    // Nor do keys stand twice that never differed.
    let same = enforced(record("m").with("k", 1).with("k", 2));
    assert_eq!(same.attributes, [("k".to_owned(), 1.into())]);
    assert_eq!(same.truncated_bytes, 1 + 8);
}

#[test]
fn obs_lim_08_of_sixteen_marks_one_says_that_others_went() {
    let mut marked = record("m");
    marked.marks = (0..20).map(|n| format!("mark-{n:02}")).collect();
    let cut = enforced(marked);
    assert_eq!(cut.marks.len(), 16);
    assert_eq!(cut.marks[14..], ["mark-14", mark::TRUNCATED]);
    assert_eq!(cut.truncated_bytes, 5 * 7);
    // Each hop cuts; what is within the limits is left alone.
    assert_eq!(enforced(cut.clone()), cut);
    let mut full = record("m");
    full.marks = (0..16).map(|n| format!("mark-{n:02}")).collect();
    assert_eq!(enforced(full.clone()), full);
    let mut equal = record("m");
    equal.marks = ["a", "b"].map(|end| "x".repeat(256) + end).to_vec();
    assert_eq!(
        enforced(equal).marks,
        ["x".repeat(256).as_str(), mark::TRUNCATED]
    );
}

#[test]
fn obs_lim_06_no_part_is_left_out_of_the_whole() {
    let smallest = Limits {
        record_bytes: 4_096,
        ..Limits::default()
    };
    let mut typed = record("m");
    typed.exception = Some(Exception {
        kind: Some("T".repeat(60_000)),
        ..Exception::default()
    });
    smallest.enforce(&mut typed);
    assert!(size(&typed) <= 4_096, "{}", size(&typed));
    let mut marked = record("m");
    marked.marks = (0..16)
        .map(|n| format!("{n:02}{}", "x".repeat(254)))
        .collect();
    smallest.enforce(&mut marked);
    assert!(size(&marked) <= 4_096 && marked.has_mark(mark::TRUNCATED));
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
    assert_eq!(
        cut.exception
            .as_ref()
            .unwrap()
            .stack_trace
            .as_ref()
            .unwrap()
            .len(),
        60_000
    );
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

/// What a value counts against its limit; a number alone is never cut.
fn cost(value: &Value) -> usize {
    match value {
        Value::Scalar(_) => value.payload_len(),
        Value::List(list) => list.iter().map(|s| s.payload_len().max(8)).sum(),
    }
}

/// The bytes that cutting can take, but for those of lists.
fn weight(record: &Record) -> usize {
    let exception = record.exception.clone().unwrap_or_default();
    let optional = [
        record.event_name.as_deref(),
        record.plugin_instance_id.as_deref(),
        record.test_run_id.as_deref(),
        record.call_id.as_deref(),
        exception.kind.as_deref(),
        exception.message.as_deref(),
        exception.stack_trace.as_deref(),
    ];
    let names = [
        record.level.as_str(),
        record.channel.as_str(),
        record.target.as_str(),
        record.message.as_str(),
    ];
    let marks = record.marks.iter().map(String::as_str);
    let marks = marks.filter(|m| *m != mark::TRUNCATED);
    names
        .into_iter()
        .chain(optional.into_iter().flatten())
        .chain(marks)
        .map(str::len)
        .sum::<usize>()
        + record
            .attributes
            .iter()
            .map(|(k, v)| k.len() + v.payload_len())
            .sum::<usize>()
}

fn is_start(part: Option<&str>, whole: Option<&str>) -> bool {
    match (part, whole) {
        (Some(part), Some(whole)) => whole.starts_with(part),
        (part, whole) => part == whole,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn obs_lim_10_and_11_a_hostile_record_is_cut_to_size_and_counted(
        record in arbitrary::hostile_record(),
        record_bytes in prop_oneof![4_096..40_000usize, Just(262_144)],
    ) {
        let record = Record {
            truncated_bytes: 0,
            attributes: record.attributes.into_iter().filter(|(_, v)| matches!(v, Value::Scalar(_))).collect(),
            ..record
        };
        let limits = Limits { record_bytes, ..Limits::default() };
        let mut cut = record.clone();
        limits.enforce(&mut cut);
        prop_assert!(size(&cut) <= record_bytes, "{} > {}", size(&cut), record_bytes);
        prop_assert!(cut.marks.len() <= 16 && cut.attributes.len() <= 64);
        prop_assert!(is_start(Some(&cut.message), Some(&record.message)));
        let empty = |e: &Exception| e.clone().non_empty().as_ref() != Some(e);
        prop_assert!(!cut.exception.as_ref().is_some_and(empty));
        prop_assert!(is_start(cut.test_run_id.as_deref(), record.test_run_id.as_deref()));
        prop_assert!(cut.test_run_id.as_ref().is_none_or(|id| id.len() <= 256));
        prop_assert_eq!(cut.truncated_bytes, (weight(&record) - weight(&cut)) as u64);
        prop_assert_eq!(cut.truncated_bytes > 0, cut.has_mark(mark::TRUNCATED));
        let mut twice = cut.clone();
        limits.enforce(&mut twice);
        prop_assert_eq!(twice, cut);
    }

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
            && cost(v) <= attribute_value_bytes.max(8)));
        prop_assert!(size(&once) <= record_bytes);
        prop_assert_eq!(once.has_mark(mark::TRUNCATED), once.truncated_bytes > before || once.marks.contains(&mark::TRUNCATED.to_owned()));
        let mut twice = once.clone();
        limits.enforce(&mut twice);
        prop_assert_eq!(twice, once);
    }
}
