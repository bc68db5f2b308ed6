//! Records over the deployed unary log (OBS-GRPC-27 to 34).

use plugobs_core::{Exception, Record, Scalar, Severity, Timestamp, Value};
use plugobs_proto::log_message::{from_log_message, to_log_message};
use plugobs_proto::pact::v2::LogMessage;
use proptest::prelude::*;

use crate::arbitrary;

const ARRIVED: Timestamp = Timestamp::from_unix_nanos(7_000_000);

fn read(level: &str, target: &str, timestamp_ms: i64) -> Record {
    let message = LogMessage {
        level: level.to_owned(),
        target: target.to_owned(),
        timestamp_ms,
        message: "m".to_owned(),
        ..LogMessage::default()
    };
    from_log_message(message, ARRIVED)
}

#[test]
fn a_missing_or_impossible_time_is_that_of_arrival() {
    assert_eq!(read("INFO", "t", 5).timestamp.unix_nanos(), 5_000_000);
    for impossible in [0, -1, i64::MIN, i64::MAX] {
        assert_eq!(
            read("INFO", "t", impossible).timestamp,
            ARRIVED,
            "{impossible}"
        );
    }
}

#[test]
fn the_level_is_that_of_its_name() {
    let level = |name: &str| {
        let record = read(name, "t", 5);
        (
            record.level.to_string(),
            record.severity.number(),
            record.marks.len(),
        )
    };
    assert_eq!(level("warning"), ("warning".to_owned(), 13, 0));
    assert_eq!(level("banana"), ("banana".to_owned(), 9, 1));
    assert_eq!(level(""), ("INFO".to_owned(), 9, 1));
}

#[test]
fn only_our_own_targets_tell_a_channel() {
    let read = |target: &str| {
        let record = read("INFO", target, 5);
        (
            record.channel.to_string(),
            record.event_name.map(String::from),
            record.target.to_string(),
        )
    };
    let is = |channel: &str, event: Option<&str>, target: &str| {
        (
            channel.to_owned(),
            event.map(str::to_owned),
            target.to_owned(),
        )
    };
    assert_eq!(read("plugobs.user"), is("user", None, ""));
    assert_eq!(read("plugobs.user.a.b"), is("user", None, "a.b"));
    assert_eq!(
        read("plugobs.users"),
        is("operational", None, "plugobs.users")
    );
    let ready = is("lifecycle", Some("plugin.ready"), "");
    assert_eq!(read("plugobs.lifecycle.plugin.ready"), ready);
    // A driver's event is no plugin's to set.
    let forged = "plugobs.lifecycle.test.end";
    assert_eq!(read(forged), is("operational", None, forged));
    assert_eq!(read("csv"), is("operational", None, "csv"));
}

#[test]
fn what_has_no_place_stands_behind_the_text() {
    let list = Value::List(vec![Scalar::Int(1), Scalar::Bytes(vec![0; 3])]);
    let mut record = Record::new(ARRIVED, Severity::WARN, "t", "said")
        .with("a", "b\n")
        .with("list", list);
    record.exception = Some(Exception {
        kind: Some("E".to_owned()),
        message: Some("why".to_owned()),
        stack_trace: None,
    });
    let message = to_log_message(&record).message;
    assert_eq!(message, "said a=\"b\\n\" list=[1, 3 bytes]\nE\nwhy");
}

proptest! {
    #[test]
    fn a_plain_record_survives_the_deployed_log(record in arbitrary::record()) {
        let message = to_log_message(&record);
        let read = from_log_message(message, ARRIVED);
        prop_assert_eq!(read.plugin_instance_id, record.plugin_instance_id);
        prop_assert_eq!(read.test_run_id, record.test_run_id);
        prop_assert_eq!(read.severity.shown(), record.severity.shown());
        prop_assert_eq!((read.epoch, read.sequence), (None, None));
        prop_assert!(read.message.starts_with(record.message.as_str()));
    }
}
