//! What a decoder refuses, and what a run keeps (OBS-REC-01 to 33).

use plugobs_core::registry::{RejectionCode as Code, channel, mark, source};
use plugobs_core::validate::{fields, from_plugin, in_run};
use plugobs_core::{Record, Rejection, Severity, Timestamp};

const INSTANCE: &str = "0b5f2d0e-6c52-4b0e-9d0a-2f5c8a1d7e31";
const RUN: &str = "019ab3f2-7000-7a10-9c00-5d1e2f3a4b5c";

fn valid() -> Record {
    let mut record = Record::new(Timestamp::default(), Severity::INFO, "t", "m");
    record.plugin_instance_id = Some(INSTANCE.into());
    record.test_run_id = Some("t1".into());
    record.call_id = Some(RUN.into());
    (record.epoch, record.sequence) = (Some(1), Some(1));
    record
}

fn in_a_run() -> Record {
    Record {
        observed_timestamp: Some(Timestamp::default()),
        run_id: Some(RUN.into()),
        source: Some(source::STREAM.into()),
        ..valid()
    }
}

type Check = fn(&Record) -> Result<(), Rejection>;

#[track_caller]
fn refuses(check: Check, record: Record, code: Code, field: &str) {
    let rejection = check(&record).unwrap_err();
    assert_eq!(
        (rejection.code, rejection.field.as_str()),
        (code, field),
        "{rejection}"
    );
}

#[test]
fn the_near_misses_are_accepted() {
    from_plugin(&valid()).unwrap();
    in_run(&in_a_run()).unwrap();
    fields(&Record {
        plugin_instance_id: None,
        ..valid()
    })
    .unwrap();
    from_plugin(&Record {
        call_id: None,
        test_run_id: None,
        ..valid()
    })
    .unwrap();
    let mut named = valid();
    (named.message, named.event_name) = ("".into(), Some("e".into()));
    from_plugin(&named).unwrap();
    let mut marked = valid();
    marked.test_run_id = Some("a b".into());
    marked.mark(mark::INVALID_TEST_RUN_ID);
    from_plugin(&marked).unwrap();
}

#[test]
fn each_rule_has_its_code_and_its_field() {
    let change = |change: &dyn Fn(&mut Record)| {
        let mut record = valid();
        change(&mut record);
        record
    };
    let cases: [(Record, Code, &str); 14] = [
        (
            change(&|r| r.plugin_instance_id = None),
            Code::MissingField,
            "pluginInstanceId",
        ),
        (
            change(&|r| r.plugin_instance_id = Some("x".into())),
            Code::InvalidInstanceId,
            "pluginInstanceId",
        ),
        (
            change(&|r| r.call_id = Some("x".into())),
            Code::InvalidCallId,
            "callId",
        ),
        (
            change(&|r| r.test_run_id = Some("a b".into())),
            Code::InvalidTestRunId,
            "testRunId",
        ),
        (change(&|r| r.epoch = None), Code::MissingField, "epoch"),
        (
            change(&|r| r.sequence = None),
            Code::MissingField,
            "sequence",
        ),
        (change(&|r| r.epoch = Some(0)), Code::OutOfRange, "epoch"),
        (
            change(&|r| r.sequence = Some(0)),
            Code::OutOfRange,
            "sequence",
        ),
        (
            change(&|r| r.message = "".into()),
            Code::MissingField,
            "message",
        ),
        (
            change(&|r| r.channel = channel::LIFECYCLE.into()),
            Code::MissingField,
            "eventName",
        ),
        (
            change(&|r| (r.channel, r.event_name) = (channel::LIFECYCLE.into(), Some("x".into()))),
            Code::UnknownEvent,
            "eventName",
        ),
        (
            change(&|r| r.attributes = vec![(String::new(), 1.into())]),
            Code::MissingField,
            "attributes",
        ),
        (
            change(&|r| r.attributes = vec![("k".into(), 1.into()), ("k".into(), 2.into())]),
            Code::DuplicateKey,
            "attributes.k",
        ),
        (
            change(&|r| (r.epoch, r.sequence) = (None, Some(3))),
            Code::MissingField,
            "epoch",
        ),
    ];
    for (record, code, field) in cases {
        refuses(from_plugin, record, code, field);
    }
}

#[test]
fn a_hundred_thousand_attributes_are_checked() {
    // Comparing each with each would not end.
    let mut many = valid();
    many.attributes = (0..100_000).map(|n| (format!("{n}"), 1.into())).collect();
    fields(&many).unwrap();
    many.attributes.push(("0".to_owned(), 1.into()));
    refuses(fields, many, Code::DuplicateKey, "attributes.0");
}

#[test]
fn a_run_says_who_spoke_and_keeps_what_was_said() {
    let without = |remove: &dyn Fn(&mut Record)| {
        let mut record = in_a_run();
        remove(&mut record);
        record
    };
    refuses(
        in_run,
        without(&|r| r.observed_timestamp = None),
        Code::MissingField,
        "observedTimestamp",
    );
    refuses(
        in_run,
        without(&|r| r.run_id = None),
        Code::MissingField,
        "runId",
    );
    refuses(
        in_run,
        without(&|r| r.source = None),
        Code::MissingField,
        "source",
    );
    refuses(
        in_run,
        without(&|r| r.plugin_instance_id = None),
        Code::MissingField,
        "pluginInstanceId",
    );
    let driver = without(&|r| (r.plugin_instance_id, r.source) = (None, Some("driver".into())));
    in_run(&driver).unwrap();
    let quarantined = without(&|r| {
        r.plugin_instance_id = None;
        r.mark(mark::QUARANTINED);
    });
    in_run(&quarantined).unwrap();
    // Content that a decoder refuses is kept as it came (OBS-REC-33).
    in_run(&without(&|r| r.message = "".into())).unwrap();
    in_run(&without(&|r| {
        (r.channel, r.event_name) = ("lifecycle".into(), Some("x".into()));
    }))
    .unwrap();
}
