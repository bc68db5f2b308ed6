//! Connections that break, and drivers that come back.

use std::collections::BTreeSet;

use serde_json::json;
use tonic::Code;

use crate::peer::{Driver, Offer, Plugin};

#[tokio::test]
async fn a_cut_in_the_middle_of_a_burst_loses_and_doubles_nothing() {
    // Little credit, so that the burst takes many round trips.
    let driver = Driver::with(|ways| {
        ways.limits.batch_bytes = 8_192;
        ways.limits.record_bytes = 4_096;
        ways.credit = 32_768;
    })
    .await;
    let plugin = Offer::of(&driver).start().await;
    let burst = json!([{"do": "burst", "level": "INFO", "count": 10_000, "bytes": 50}]);
    let call = plugin.try_run(&[], Some("t-1"), burst);
    let cuts = async {
        for many in [500, 3_000, 6_000] {
            driver
                .wait("some of it", |seen| seen.account().records.len() >= many)
                .await;
            driver.wire.cut();
        }
    };
    let (response, ()) = tokio::join!(call, cuts);
    let position = Plugin::position(response.unwrap().metadata());
    let seen = driver
        .wait("all of it", |seen| {
            seen.account().through() >= position.sequence
        })
        .await;
    assert!(seen.streams.len() > 3, "{} streams", seen.streams.len());
    assert!(seen.account().dropped.is_empty());
    // In order on each stream, and nothing again that was acknowledged.
    for stream in &seen.streams {
        let sequences = stream.sequences();
        assert!(sequences.is_sorted_by(|a, b| a < b));
        let Some(welcome) = &stream.welcome else {
            continue;
        };
        let acknowledged = welcome.acknowledged_sequence;
        assert!(sequences.iter().all(|sequence| *sequence > acknowledged));
        let first = stream.hello.as_ref().unwrap().first_sequence;
        assert!(sequences.iter().all(|sequence| *sequence >= first));
    }
    let epochs: BTreeSet<_> = seen
        .streams
        .iter()
        .filter_map(|s| s.hello.as_ref())
        .collect::<Vec<_>>()
        .iter()
        .map(|hello| hello.epoch)
        .collect();
    assert_eq!(epochs.len(), 1);
    // Each message once, after duplicates are taken away by their key.
    let mut records = seen.records();
    records.sort_by_key(|record| record.sequence);
    records.dedup_by_key(|record| record.sequence);
    let bursts = records.iter().filter(|r| r.message.starts_with("burst"));
    let filler = "x".repeat(50);
    let mut count = 0;
    for (n, record) in bursts.enumerate() {
        assert_eq!(record.message, format!("burst {n} {filler}"));
        assert_eq!(record.test_run_id.as_deref(), Some("t-1"));
        count += 1;
    }
    assert_eq!(count, 10_000);
    // Each fault is told when it begins and when it ends.
    let faults = records
        .iter()
        .filter(|r| r.event_name.as_deref() == Some("plugin.transport_fault"));
    assert_eq!(faults.count() % 2, 0);
}

#[tokio::test]
async fn what_was_acknowledged_is_not_sent_again() {
    let driver = Driver::new().await;
    let plugin = Offer::of(&driver).start().await;
    plugin
        .run(json!([{"do": "burst", "level": "INFO", "count": 50}]))
        .await;
    driver.record("burst 49 ").await;
    driver.flush(1).await;
    // Its answer came after the acknowledgements.
    let through = driver.seen().account().through();
    driver.end_stream(Code::Unavailable).await;
    let is_back = |seen: &crate::peer::Seen| seen.streams.get(1).is_some_and(|s| s.hello.is_some());
    driver.wait("another stream", is_back).await;
    plugin
        .run(json!([{"do": "log", "level": "INFO", "message": "again"}]))
        .await;
    driver.record("again").await;
    let seen = driver.seen();
    assert_eq!(
        seen.streams[1].hello.as_ref().unwrap().first_sequence,
        through + 1
    );
    assert_eq!(seen.streams[1].sequences()[0], through + 1);
}

#[tokio::test]
async fn what_was_not_acknowledged_is_sent_again() {
    let driver = Driver::with(|ways| ways.acknowledge = false).await;
    let plugin = Offer::of(&driver).start().await;
    plugin
        .run(json!([{"do": "burst", "level": "INFO", "count": 50}]))
        .await;
    driver.record("burst 49 ").await;
    let first = driver.seen().streams[0].sequences();
    driver.wire.cut();
    let seen = driver
        .wait("all of it again", |seen| {
            seen.streams
                .get(1)
                .is_some_and(|stream| stream.sequences().len() >= first.len())
        })
        .await;
    assert!(seen.streams[1].sequences().starts_with(&first));
}

#[tokio::test]
async fn a_driver_that_comes_late_gets_the_rest() {
    let driver = Driver::new().await;
    driver.wire.go_down();
    let mut plugin = Offer::of(&driver).at_once().start().await;
    plugin
        .run(json!([{"do": "burst", "level": "INFO", "count": 50}]))
        .await;
    plugin
        .line("a fault", |record| {
            record.event_name.as_deref() == Some("plugin.transport_fault")
        })
        .await;
    driver.wire.go_up();
    plugin
        .run(json!([{"do": "log", "level": "INFO", "message": "later"}]))
        .await;
    let later = async {
        // The stream may have come after the record.
        loop {
            plugin
                .run(json!([{"do": "log", "level": "INFO", "message": "much later"}]))
                .await;
            if driver.seen().record("much later").is_some() {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(crate::peer::SOON, later)
        .await
        .unwrap();
    let response = plugin.try_run(&[], None, json!([])).await.unwrap();
    let position = Plugin::position(response.metadata());
    let seen = driver
        .wait("all of it", |seen| {
            seen.account().through() >= position.sequence
        })
        .await;
    // Each record came on one path, and none on none.
    let first = seen.account().first.unwrap();
    let lines: BTreeSet<_> = plugin
        .record_lines()
        .iter()
        .filter_map(|r| r.sequence)
        .collect();
    let below: BTreeSet<_> = (1..first).collect();
    assert_eq!(lines, below);
    assert!(
        seen.streams
            .iter()
            .flat_map(|s| s.sequences())
            .all(|n| n >= first)
    );
}

#[tokio::test]
async fn a_stream_that_was_accepted_before_is_not_followed_by_another_path() {
    for code in [Code::Unimplemented, Code::FailedPrecondition] {
        let driver = Driver::with(|ways| ways.acknowledge = false).await;
        let mut plugin = Offer::of(&driver).start().await;
        plugin
            .run(json!([{"do": "log", "level": "INFO", "message": "sent, not acknowledged"}]))
            .await;
        driver.record("sent, not acknowledged").await;
        driver.change(|ways| ways.refuse = Some((code, "gone")));
        driver.wire.cut();
        plugin.line_of("sent, not acknowledged").await;
        plugin
            .run(json!([{"do": "log", "level": "INFO", "message": "later"}]))
            .await;
        plugin.line_of("later").await;
        assert_eq!(driver.seen().logged.len(), 0);
    }
}

#[tokio::test]
async fn a_plugin_that_ends_while_it_is_cut_off_leaves_all_on_standard_error() {
    let driver = Driver::with(|ways| ways.acknowledge = false).await;
    let mut plugin = Offer::of(&driver).start().await;
    plugin
        .run(json!([{"do": "log", "level": "INFO", "message": "before"}]))
        .await;
    driver.record("before").await;
    driver.wire.go_down();
    plugin
        .run(json!([{"do": "burst", "level": "INFO", "count": 50}]))
        .await;
    plugin.terminate();
    assert!(plugin.exit().await.success());
    let lines = plugin.record_lines();
    let sequences: Vec<_> = lines.iter().filter_map(|record| record.sequence).collect();
    let all: Vec<_> = (1..=sequences.len() as u64).collect();
    assert_eq!(sequences, all);
    let last = lines.iter().any(|record| record.message == "burst 49 ");
    assert!(last && lines.iter().any(|record| record.message == "before"));
}
