//! Records over the stream: order, loss, resends, credit.

use std::sync::mpsc;
use std::time::Duration;

use plugobs_core::registry::{event, mark};
use plugobs_core::{Record, Severity};
use plugobs_driver::sink::memory::MemoryRecords;
use plugobs_driver::sink::{Sink, SinkError, SinkEvent};
use plugobs_driver::{CallOptions, Driver, Plugin, TestRun};
use serde_json::{Value as Json, json};

use super::support::{
    SOON, attribute, command, command_for, driver_with, find, find_event, find_where, plugin,
    serving,
};

async fn stream(plugin: &Plugin, what: &str, mut arguments: Json) -> Json {
    arguments["do"] = json!(what);
    if arguments.get("name").is_none() {
        arguments["name"] = json!("a");
    }
    command(plugin, "stream", arguments).await
}

async fn send(plugin: &Plugin, batch: Json) {
    stream(plugin, "send", json!({"batch": batch})).await;
}

/// Waits for the acknowledgement and gives all that was heard.
async fn acknowledged(plugin: &Plugin, through: u64) -> Json {
    let wait = json!({"member": "through", "least": through});
    stream(plugin, "await", wait).await
}

async fn ended(plugin: &Plugin, name: &str) -> Json {
    let all = stream(plugin, "await", json!({"name": name, "member": "end"})).await;
    all.as_array().unwrap().last().unwrap().clone()
}

async fn streaming() -> (Driver, Plugin, MemoryRecords) {
    let (driver, plugin, records) = serving().await;
    stream(&plugin, "open", json!({"token": "own"})).await;
    (driver, plugin, records)
}

/// Waits until so many records of streams are in memory, which can be a moment
/// after their acknowledgement, and gives them.
fn of_stream(records: &MemoryRecords, count: usize) -> Vec<Record> {
    let is = |r: &&Record| r.source.as_deref() == Some("stream");
    records.wait_for(SOON, |all| all.iter().filter(is).count() >= count);
    let all: Vec<_> = records.all().iter().filter(is).cloned().collect();
    assert_eq!(all.len(), count);
    all
}

#[tokio::test]
async fn records_arrive_once_in_order_and_are_acknowledged_with_their_credit() {
    let (driver, plugin, records) = streaming().await;
    let test = driver.begin_test(TestRun::new("t-1"));
    command_for(&plugin, CallOptions::for_test(&test), "tell", json!({})).await;
    send(
        &plugin,
        json!({"records": [
            {"sequence": 1, "text": "one"},
            {"sequence": 2, "text": "two", "testRunId": "t-1"},
        ]}),
    )
    .await;
    send(
        &plugin,
        json!({"records": [{"sequence": 3, "text": "three"}]}),
    )
    .await;
    let heard = acknowledged(&plugin, 3).await;
    let credit: u64 = heard
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|e| e["credit"].as_u64())
        .sum();
    assert!(credit > 3 * 60, "{heard}");
    let all = of_stream(&records, 3);
    let texts: Vec<_> = all.iter().map(|r| r.message.as_str()).collect();
    assert_eq!(texts, ["one", "two", "three"]);
    for (record, sequence) in all.iter().zip(1..) {
        // Whatever the record itself says.
        assert_eq!((record.epoch, record.sequence), (Some(7), Some(sequence)));
        assert!(record.marks.is_empty(), "{:?}", record.marks);
    }
    assert_eq!(all[1].test_run_id.as_deref(), Some("t-1"));
    stream(&plugin, "half-close", json!({})).await;
    assert_eq!(ended(&plugin, "a").await, json!({"end": "Ok"}));
    let closed = find_event(&records, event::INSTANCE_STREAM_CLOSED);
    assert_eq!(attribute(&closed, "stream.clean"), true);
    assert_eq!(attribute(&closed, "stream.last_sequence"), 3);
    driver.shutdown().await;
}

#[tokio::test]
async fn a_record_that_cannot_be_decoded_harms_no_other() {
    let (driver, plugin, records) = streaming().await;
    send(
        &plugin,
        json!({"records": [
            {"sequence": 1, "text": "before"},
            {"sequence": 2, "hex": "0a ff ff ff"},
            {"sequence": 3, "hex": "3a 02 ff fe"},
            {"sequence": 4, "text": "after"},
        ]}),
    )
    .await;
    acknowledged(&plugin, 4).await;
    let all = of_stream(&records, 4);
    assert_eq!(all.len(), 4);
    assert_eq!(
        (all[0].message.as_str(), all[3].message.as_str()),
        ("before", "after")
    );
    for (record, code) in [(&all[1], "malformed_protobuf"), (&all[2], "invalid_utf8")] {
        assert!(record.has_mark(mark::MALFORMED));
        assert_eq!(attribute(record, "malformed.code"), code);
    }
    assert_eq!(all[2].sequence, Some(3));
    driver.shutdown().await;
}

#[tokio::test]
async fn what_is_shed_or_missing_is_counted() {
    let (driver, plugin, records) = streaming().await;
    send(
        &plugin,
        json!({
            "records": [{"sequence": 1, "text": "one"}, {"sequence": 5, "text": "five"}],
            "dropped": [{"first": 2, "last": 3, "debug": 1, "info": 1}],
        }),
    )
    .await;
    acknowledged(&plugin, 5).await;
    let dropped = |first: u64| {
        find_where(&records, &format!("range from {first}"), move |r| {
            r.event_name.as_deref() == Some(event::RECORDS_DROPPED)
                && attribute(r, "dropped.first") == first
        })
    };
    let told = dropped(2);
    assert_eq!(attribute(&told, "dropped.last"), 3);
    assert_eq!(attribute(&told, "dropped.debug"), 1);
    assert_eq!(attribute(&told, "dropped.reason"), "as it was told");
    let missing = dropped(4);
    assert_eq!(attribute(&missing, "dropped.last"), 4);
    assert_eq!(
        attribute(&missing, "dropped.reason"),
        "missing in the record stream"
    );
    assert_eq!((missing.epoch, missing.sequence), (Some(7), None));

    // A range ahead of its place, and the end of a stream, are no gap.
    send(
        &plugin,
        json!({"dropped": [{"first": 7, "last": 8, "info": 2}]}),
    )
    .await;
    send(
        &plugin,
        json!({"records": [{"sequence": 6, "text": "six"}]}),
    )
    .await;
    stream(&plugin, "half-close", json!({})).await;
    let heard = acknowledged(&plugin, 8).await;
    assert!(heard.is_array());
    assert_eq!(ended(&plugin, "a").await["end"], "Ok");
    driver.shutdown().await;
    let ranges = records
        .all()
        .into_iter()
        .filter(|r| r.event_name.as_deref() == Some(event::RECORDS_DROPPED));
    assert_eq!(ranges.count(), 3);
}

#[tokio::test]
async fn a_message_against_the_rules_ends_the_stream_and_says_which() {
    let (driver, plugin, records) = serving().await;
    let one = json!([{"text": "x"}]);
    let two = json!([{"text": "x"}, {"text": "y"}]);
    let cases = [
        (
            json!({"records": two, "sequences": [1]}),
            "2 records and 1 sequences",
        ),
        (
            json!({"records": one, "sequences": [1, 2]}),
            "1 records and 2 sequences",
        ),
        (
            json!({"records": two, "sequences": [2, 2]}),
            "2 came after 2",
        ),
        (json!({"records": one, "sequences": [0]}), "0 came after 0"),
        (json!({"dropped": [{"first": 0, "last": 3}]}), "from 0 to 3"),
        (json!({"dropped": [{"first": 4, "last": 3}]}), "from 4 to 3"),
    ];
    for (n, (batch, text)) in cases.into_iter().enumerate() {
        let name = n.to_string();
        stream(
            &plugin,
            "open",
            json!({"name": name, "token": "own", "epoch": n + 1}),
        )
        .await;
        stream(&plugin, "send", json!({"name": name, "batch": batch})).await;
        let end = ended(&plugin, &name).await;
        assert_eq!(end["end"], "InvalidArgument", "{end}");
        assert!(end["message"].as_str().unwrap().contains(text), "{end}");
    }
    driver.shutdown().await;
    of_stream(&records, 0);
}

#[tokio::test]
async fn after_a_reconnect_every_record_is_kept_once() {
    let (driver, plugin, records) = streaming().await;
    let batch = json!({"records": [
        {"sequence": 1, "text": "one"}, {"sequence": 2, "text": "two"},
    ]});
    send(&plugin, batch).await;
    acknowledged(&plugin, 2).await;
    stream(&plugin, "break", json!({})).await;
    find_event(&records, event::INSTANCE_STREAM_CLOSED);

    let hello = json!({"token": "own", "firstSequence": 2});
    let heard = stream(&plugin, "open", hello).await;
    assert_eq!(heard[0]["welcome"]["acknowledged"], 2);
    send(
        &plugin,
        json!({"records": [
            {"sequence": 2, "text": "two again"}, {"sequence": 3, "text": "three"},
        ]}),
    )
    .await;
    acknowledged(&plugin, 3).await;
    let texts: Vec<_> = of_stream(&records, 3)
        .into_iter()
        .map(|r| r.message)
        .collect();
    assert_eq!(texts, ["one", "two", "three"]);

    // Another epoch has numbers of its own.
    stream(
        &plugin,
        "open",
        json!({"name": "b", "token": "own", "epoch": 8}),
    )
    .await;
    let batch = json!({"records": [{"sequence": 1, "text": "of the child"}]});
    stream(&plugin, "send", json!({"name": "b", "batch": batch})).await;
    find(&records, "of the child");
    driver.shutdown().await;
}

#[tokio::test]
async fn a_second_stream_of_an_epoch_ends_the_first() {
    let (driver, plugin, records) = streaming().await;
    send(
        &plugin,
        json!({"records": [{"sequence": 1, "text": "one"}]}),
    )
    .await;
    acknowledged(&plugin, 1).await;
    let heard = stream(&plugin, "open", json!({"name": "b", "token": "own"})).await;
    assert_eq!(heard[0]["welcome"]["acknowledged"], 1);
    assert_eq!(ended(&plugin, "a").await["end"], "Aborted");
    let batch = json!({"records": [{"sequence": 2, "text": "two"}]});
    stream(&plugin, "send", json!({"name": "b", "batch": batch})).await;
    find(&records, "two");
    driver.shutdown().await;
}

#[tokio::test]
async fn records_of_another_instance_test_or_call_are_quarantined() {
    let (driver, plugin, records) = streaming().await;
    send(
        &plugin,
        json!({"records": [
            {"sequence": 1, "text": "instance", "instance": "0b5f2d0e-6c52-4b0e-9d0a-2f5c8a1d7e31"},
            {"sequence": 2, "text": "test", "testRunId": "of somebody else"},
            {"sequence": 3, "text": "call", "callId": "019ab3f2-7c1a-7d30-8a55-1c0e5b6f9a02"},
        ]}),
    )
    .await;
    acknowledged(&plugin, 3).await;
    for record in of_stream(&records, 3) {
        assert!(record.is_quarantined(), "{record:?}");
        assert_eq!(record.plugin_instance_id, None);
    }
    driver.shutdown().await;
}

#[tokio::test]
async fn the_level_changes_while_the_plugin_runs() {
    let (driver, plugin, _) = streaming().await;
    plugin.set_level(Severity::TRACE);
    let heard = stream(&plugin, "await", json!({"member": "level"})).await;
    assert_eq!(heard[1], json!({"level": 1}));
    driver.set_level(Severity::ERROR);
    let later = stream(
        &plugin,
        "open",
        json!({"name": "b", "token": "own", "epoch": 2}),
    )
    .await;
    assert_eq!(later[0]["welcome"]["severityNumber"], 17);
    driver.shutdown().await;
}

#[tokio::test]
async fn a_flush_waits_for_everything_that_was_emitted() {
    let (driver, plugin, records) = streaming().await;
    let flood = json!({"from": 1, "batches": 20, "records": 50, "bytes": 100});
    stream(&plugin, "flood", flood).await;
    assert!(plugin.flush(SOON).await);
    of_stream(&records, 1000);
    driver.shutdown().await;

    // Who has no stream cannot tell.
    let (driver, plugin, _) = serving().await;
    assert!(!plugin.flush(Duration::from_millis(50)).await);
    driver.shutdown().await;
}

/// A run folder on a disk that stands still until it is let go.
struct Gate(Option<mpsc::Receiver<()>>);

impl Sink for Gate {
    fn name(&self) -> &str {
        "gate"
    }

    fn accept(&mut self, event: &SinkEvent) -> Result<(), SinkError> {
        let holds = matches!(event, SinkEvent::Records(records)
            if records.iter().any(|r| r.source.as_deref() == Some("stream")));
        if let (true, Some(open)) = (holds, &self.0) {
            // Closed is open.
            let _ = open.recv();
            self.0 = None;
        }
        Ok(())
    }

    fn is_durable(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn a_plugin_that_overdraws_its_credit_is_held_back() {
    let (open, closed) = mpsc::channel();
    let (driver, records) = driver_with(|b| b.sink(Gate(Some(closed))));
    let plugin = driver.load_manifest(plugin(&["serve"])).await.unwrap();
    let heard = stream(&plugin, "open", json!({"token": "own"})).await;
    let credit = heard[0]["welcome"]["creditBytes"].as_u64().unwrap();
    // 32 batches of half a MiB: four times the credit.
    let flood = json!({"from": 1, "batches": 32, "records": 64, "bytes": 8000});
    let sent = stream(&plugin, "flood", flood).await;
    let record_bytes = sent["recordBytes"].as_u64().unwrap();
    let batch_bytes = 64 * record_bytes;
    // What a record costs beside its bytes counts too, so a little less than
    // the credit is taken.
    let (least, most) = (credit * 9 / 10, credit + batch_bytes);
    let taken = |all: &[Record]| {
        let records = all.iter();
        let records = records.filter(|r| r.source.as_deref() == Some("stream"));
        records.count() as u64 * record_bytes
    };
    let filled = records.wait_for(SOON, |all| taken(all) > least);
    assert!(filled, "{} of {credit}", taken(&records.all()));
    let overdrawn = records.wait_for(Duration::from_millis(300), |all| taken(all) > most);
    assert!(!overdrawn, "{} of {credit}", taken(&records.all()));
    // The plugin is not harmed, and nothing is lost once the disk moves.
    command(&plugin, "tell", json!({})).await;
    open.send(()).unwrap();
    let last = sent["last"].as_u64().unwrap();
    acknowledged(&plugin, last).await;
    of_stream(&records, usize::try_from(last).unwrap());
    driver.shutdown().await;
}
