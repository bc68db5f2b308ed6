//! Keys, ranges, late records, and what a record becomes before it is stored.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use plugobs_core::registry::{RejectionCode, attribute, channel, event, mark, source};
use plugobs_core::{LogPosition, Record, Rejection, Value};
use plugobs_driver::intake::{DroppedRange, InstanceIntake, Malformed, Path, Received};
use plugobs_driver::sink::memory::MemoryRecords;
use plugobs_driver::{CallOptions, Driver, Plugin, TestRun};

use super::fake::{Fake, SOON, any_request, builder, find, find_event, loaded, manifest, plain};

/// A loaded instance and its own way into the driver.
async fn intake() -> (Driver, Plugin, MemoryRecords, InstanceIntake) {
    let held = Arc::new(Mutex::new(None));
    let theirs = held.clone();
    let fake = Fake::new(move |connection, call| {
        *theirs.lock().unwrap() = Some(connection.launch.intake.clone());
        Ok(plain(call))
    });
    let (driver, plugin, records) = loaded(&fake).await;
    let intake = held.lock().unwrap().clone().unwrap();
    (driver, plugin, records, intake)
}

const STREAM: Path = Path {
    source: source::STREAM,
    verified: true,
};

fn numbered(intake: &InstanceIntake, epoch: u64, sequence: u64, text: &str) -> Received {
    let mut record = Record::new(
        plugobs_core::Timestamp::from_unix_nanos(1),
        plugobs_core::Severity::INFO,
        "t",
        text,
    );
    record.plugin_instance_id = Some(intake.instance_id().to_string().into());
    (record.epoch, record.sequence) = (Some(epoch), Some(sequence));
    Received::Record(Box::new(record))
}

fn dropped_ranges(records: &MemoryRecords) -> Vec<(i64, i64)> {
    let of = |r: &Record, key| r.attribute(key).and_then(Value::as_int);
    records
        .all()
        .iter()
        .filter(|r| r.event_name.as_deref() == Some(event::RECORDS_DROPPED))
        .filter_map(|r| {
            Some((
                of(r, attribute::DROPPED_FIRST)?,
                of(r, attribute::DROPPED_LAST)?,
            ))
        })
        .collect()
}

#[tokio::test]
async fn a_key_is_stored_once_whatever_path_it_comes_on() {
    let (driver, _plugin, records, intake) = intake().await;
    intake.receive(STREAM, vec![numbered(&intake, 7, 1, "one")], &[]);
    let stderr = Path {
        source: source::STDERR,
        verified: true,
    };
    intake.receive(stderr, vec![numbered(&intake, 7, 1, "one")], &[]);
    // The same sequence of another epoch is another record.
    intake.receive(STREAM, vec![numbered(&intake, 8, 1, "other")], &[]);
    find(&records, "other");
    driver.shutdown().await;
    assert_eq!(
        records.all().iter().filter(|r| r.message == "one").count(),
        1
    );
}

#[tokio::test]
async fn ranges_and_gaps_are_counted_once() {
    let (driver, _plugin, records, intake) = intake().await;
    let range = |first, last, by_level| DroppedRange {
        first,
        last,
        by_level,
        reason: "queue full".to_owned(),
    };
    let batch = vec![
        numbered(&intake, 7, 1, "one"),
        numbered(&intake, 7, 5, "five"),
    ];
    intake.receive(STREAM, batch, &[(7, range(2, 3, [1, 1, 0, 0, 0]))]);
    assert_eq!(intake.settled_through(7, 1), 3);
    // Told again, and overlapping what is there: only what is new counts.
    intake.receive(STREAM, Vec::new(), &[(7, range(2, 4, [0, 0, 3, 0, 0]))]);
    assert_eq!(intake.settled_through(7, 1), 5);
    intake.count_missing(7, 1, 8, "gap");
    assert_eq!(intake.settled_through(7, 1), 8);
    // Nonsense harms nothing.
    intake.receive(
        STREAM,
        Vec::new(),
        &[(7, range(9, 8, [0; 5])), (0, range(1, 1, [0; 5]))],
    );
    driver.shutdown().await;
    assert_eq!(dropped_ranges(&records), [(2, 3), (4, 4), (6, 8)]);
    let first = find_event(&records, event::RECORDS_DROPPED);
    assert_eq!(first.epoch, Some(7));
    assert_eq!(
        first.attribute(attribute::DROPPED_TRACE),
        Some(&1u64.into())
    );
}

#[tokio::test]
async fn what_is_missing_at_the_end_is_counted() {
    let (driver, plugin, records, intake) = intake().await;
    intake.receive(STREAM, vec![numbered(&intake, 7, 3, "three")], &[]);
    assert_eq!(intake.settled_through(7, 1), 0);
    plugin.stop().await;
    driver.shutdown().await;
    assert_eq!(dropped_ranges(&records), [(1, 2)]);
    let epochs = plugin.info().epochs;
    assert_eq!((epochs[0].epoch, epochs[0].settled_through), (7, 3));
    // The end of the instance comes after its last records (OBS-LIFE-17).
    let all = records.all();
    let at = |name: &str| {
        all.iter()
            .position(|r| r.event_name.as_deref() == Some(name))
    };
    assert!(at(event::RECORDS_DROPPED) < at(event::INSTANCE_EXITED));
}

#[tokio::test]
async fn bytes_that_are_no_record_are_kept() {
    let (driver, _plugin, records, intake) = intake().await;
    let malformed = Received::Malformed(Malformed {
        position: Some(LogPosition {
            epoch: 7,
            sequence: 1,
        }),
        bytes: Bytes::from_static(&[0xff; 10_000]),
        rejection: Rejection::new(RejectionCode::MalformedProtobuf, "$", "not one"),
    });
    intake.receive(STREAM, vec![malformed, numbered(&intake, 7, 2, "two")], &[]);
    find(&records, "two");
    driver.shutdown().await;
    let all = records.all();
    let record = all.iter().find(|r| r.has_mark(mark::MALFORMED)).unwrap();
    assert_eq!(record.sequence, Some(1));
    assert!(record.has_mark(mark::TRUNCATED));
    assert_eq!(
        record.attribute("malformed.length"),
        Some(&10_000u64.into())
    );
    assert_eq!(
        record.attribute("malformed.code").and_then(Value::as_str),
        Some("malformed_protobuf")
    );
    assert_eq!(
        record.attribute("malformed.bytes").unwrap().payload_len(),
        8192
    );
    assert!(dropped_ranges(&records).is_empty());
}

#[tokio::test]
async fn a_record_after_its_tests_end_is_late() {
    let fake = Fake::new(|connection, call| {
        if call.identity.test_run_id.is_some() {
            connection.send(call, 1, "in time");
        }
        Ok(plain(call))
    });
    let (driver, plugin, records) = loaded(&fake).await;
    let test = driver.begin_test(TestRun::new("t"));
    plugin
        .call(any_request(), CallOptions::for_test(&test))
        .await
        .result
        .unwrap();
    let report = test.end("passed").await;
    assert_eq!(report.by_level, [0, 0, 1, 0, 0]);
    let again = driver.begin_test(TestRun::new("u"));
    let scoped =
        TestRun::new("u").scope(async { plugin.call(any_request(), CallOptions::default()).await });
    scoped.await.result.unwrap();
    drop(again);
    assert_eq!(find(&records, "in time").marks, Vec::<String>::new());
}

#[tokio::test]
async fn late_is_marked() {
    let (driver, plugin, records, intake) = intake().await;
    let test = driver.begin_test(TestRun::new("t"));
    plugin
        .call(any_request(), CallOptions::for_test(&test))
        .await
        .result
        .unwrap();
    test.end("passed").await;
    let Received::Record(mut record) = numbered(&intake, 7, 1, "afterwards") else {
        unreachable!()
    };
    record.test_run_id = Some("t".into());
    intake.receive(STREAM, vec![Received::Record(record)], &[]);
    let record = find(&records, "afterwards");
    assert_eq!(record.marks, [mark::LATE]);
    assert_eq!(record.test_run_id.as_deref(), Some("t"));
}

#[tokio::test]
async fn what_a_decoder_would_refuse_is_kept_as_the_table_says() {
    let (driver, _plugin, records, intake) = intake().await;
    let with = |sequence, change: &dyn Fn(&mut Record)| {
        let Received::Record(mut record) = numbered(&intake, 7, sequence, "x") else {
            unreachable!()
        };
        change(&mut record);
        Received::Record(record)
    };
    let lifecycle = |r: &mut Record| r.channel = channel::LIFECYCLE.into();
    let batch = vec![
        with(1, &|r| r.message = "".into()),
        with(2, &lifecycle),
        with(3, &|r| {
            lifecycle(r);
            r.event_name = Some("not.registered".into());
        }),
        with(4, &|r| r.channel = "of a later version".into()),
        with(5, &|r| {
            r.attributes = vec![
                ("k".into(), 1.into()),
                ("k".into(), 2.into()),
                (String::new(), 3.into()),
            ];
        }),
    ];
    intake.receive(STREAM, batch, &[]);
    driver.shutdown().await;
    let of = |sequence| {
        let mut all = records.all();
        all.retain(|r| r.sequence == Some(sequence));
        assert_eq!(all.len(), 1);
        plugobs_core::validate::in_run(&all[0]).unwrap();
        all.remove(0)
    };
    assert_eq!(of(1).message, "");
    assert_eq!(of(2).channel, channel::OPERATIONAL);
    assert_eq!(of(3).event_name.as_deref(), Some("not.registered"));
    assert_eq!(of(4).marks, [mark::UNKNOWN_CHANNEL]);
    assert_eq!(of(5).attributes, [("k".to_owned(), 1.into())]);
}

#[tokio::test]
async fn what_the_user_names_never_reaches_a_sink() {
    let fake = Fake::new(|connection, call| {
        if let Some(test) = &call.identity.test_run_id {
            let mut record = connection
                .record(1, "login with s3cret ok")
                .with("Password", "s3cret")
                .with("note", "it was s3cret")
                .with("count", 3);
            record.test_run_id = Some(test.clone());
            record.exception = Some(plugobs_core::Exception {
                kind: None,
                message: Some("s3cret refused".into()),
                stack_trace: None,
            });
            connection.receive(record, true);
        }
        Ok(plain(call))
    });
    let (builder, records) = builder(&fake);
    let pattern = regex::Regex::new("s3[a-z]+").unwrap();
    let driver = builder
        .redact_key("password")
        .redact_pattern(pattern)
        .build()
        .unwrap();
    let plugin = driver.load_manifest(manifest()).await.unwrap();
    let test = driver.begin_test(TestRun::new("t"));
    plugin
        .call(any_request(), CallOptions::for_test(&test))
        .await
        .result
        .unwrap();
    let record = find(&records, "login with [redacted] ok");
    assert!(record.has_mark(mark::REDACTED));
    assert!(!plugobs_core::json::to_json_line(&record).contains("s3cret"));
    assert_eq!(record.attribute("count"), Some(&3.into()));
    assert_eq!(
        record.attribute("Password").and_then(Value::as_str),
        Some("[redacted]")
    );
}

#[tokio::test]
async fn waiting_for_a_position_ends_when_it_is_settled_or_late() {
    let (_driver, _plugin, _records, intake) = intake().await;
    let at = |sequence| LogPosition { epoch: 7, sequence };
    assert!(!intake.wait_settled(at(1), Duration::from_millis(20)).await);
    assert!(intake.wait_settled(at(0), SOON).await);
    let waiting = intake.clone();
    let wait = tokio::spawn(async move { waiting.wait_settled(at(2), SOON).await });
    intake.receive(STREAM, vec![numbered(&intake, 7, 2, "two")], &[]);
    intake.receive(STREAM, vec![numbered(&intake, 7, 1, "one")], &[]);
    assert!(wait.await.unwrap());
}
