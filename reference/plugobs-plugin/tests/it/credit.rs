//! Credit, limits and shedding.

use std::collections::BTreeMap;

use plugobs_proto::observability::v1 as proto;
use serde_json::json;

use crate::peer::{Driver, Offer, Plugin};

/// Everything that one record takes in a batch at most.
const RECORD: u64 = 2_000;

fn small_limits() -> proto::Limits {
    proto::Limits {
        record_bytes: 4_096,
        batch_bytes: 8_192,
        ..proto::Limits::default()
    }
}

#[tokio::test]
async fn never_more_is_sent_than_there_is_credit() {
    let driver = Driver::with(|ways| {
        ways.limits = small_limits();
        ways.credit = 8_192;
        ways.acknowledge = false;
    })
    .await;
    let plugin = Offer::of(&driver).start().await;
    let steps = json!([{"do": "burst", "level": "INFO", "count": 100, "bytes": 1000}]);
    plugin.run(steps).await;
    let last = format!("burst 99 {}", "x".repeat(1000));
    let mut given = 8_192;
    loop {
        // It goes on until no other record fits, or there is none.
        let seen = driver
            .wait("credit used", |seen| {
                seen.streams[0].bytes() + RECORD > given || seen.record(&last).is_some()
            })
            .await;
        let stream = &seen.streams[0];
        assert!(stream.bytes() <= given, "{} of {given}", stream.bytes());
        for batch in &stream.batches {
            let bytes: usize = batch.records.iter().map(|record| record.len()).sum();
            assert!(bytes <= 8_192);
            assert_eq!(batch.records.len(), batch.sequences.len());
        }
        if seen.record(&last).is_some() {
            break;
        }
        given += 10_000;
        driver.acknowledge(10_000).await;
    }
    let sequences = driver.seen().streams[0].sequences();
    assert!(sequences.is_sorted_by(|a, b| a + 1 == *b), "{sequences:?}");
}

#[tokio::test]
async fn records_that_waited_are_cut_to_the_limits_of_the_welcome() {
    let driver = Driver::with(|ways| {
        ways.limits = small_limits();
        ways.credit = 8_192;
        ways.mute = true;
    })
    .await;
    let plugin = Offer::of(&driver).start().await;
    driver
        .wait("hello", |seen| {
            seen.streams.iter().any(|s| s.hello.is_some())
        })
        .await;
    let steps = json!([
        {"do": "log_big", "level": "INFO", "bytes": 60_000},
        {"do": "log", "level": "INFO", "message": "behind it"},
    ]);
    plugin.run(steps).await;
    // The next stream is welcomed.
    driver.change(|ways| ways.mute = false);
    driver.wire.cut();
    let later = json!([
        {"do": "log_big", "level": "INFO", "bytes": 60_000},
        {"do": "log", "level": "INFO", "message": "and later"},
    ]);
    driver.wait("a welcome", |seen| seen.has_welcome()).await;
    plugin.run(later).await;
    driver.record("and later").await;
    let seen = driver.seen();
    let records = seen.streams.iter().flat_map(|s| &s.batches);
    let mut sizes = records.flat_map(|b| &b.records).map(|record| record.len());
    assert!(sizes.all(|size| size <= 4_096));
    let cut = seen
        .records()
        .into_iter()
        .filter(|r| r.has_mark("truncated"));
    assert!(cut.count() > 0);
}

/// Everything that a plugin emitted: as records, in ranges, and on standard
/// error before the stream.
fn assert_accounted(driver: &Driver, through: u64) {
    let account = driver.seen().account();
    assert!(account.through() >= through, "{}", driver.seen().to_text());
    for (first, last) in account.dropped.iter() {
        for sequence in first..=last {
            assert!(!account.records.contains(sequence), "{sequence} is both");
        }
    }
    for range in driver.seen().streams.iter().flat_map(|s| s.dropped()) {
        let by_level = range.trace + range.debug + range.info + range.warn + range.error;
        assert_eq!(by_level, range.last - range.first + 1);
        assert!(!range.reason.is_empty());
    }
}

#[tokio::test]
async fn without_credit_the_lowest_levels_go_first_and_every_number_is_told() {
    let driver = Driver::with(|ways| {
        ways.credit = 1;
        ways.acknowledge = false;
        ways.severity = 0;
    })
    .await;
    let offer = Offer::of(&driver).argument("queue=400000,100000");
    let plugin = offer.with("PLUGOBS_LEVEL", "TRACE").start().await;
    driver.wait("a welcome", |seen| seen.has_welcome()).await;
    driver.set_level(1).await;
    let burst = |level: &str, count: usize| json!({"do": "burst", "level": level, "count": count, "bytes": 500});
    let steps = json!([
        burst("TRACE", 300), burst("DEBUG", 300), burst("INFO", 1000),
        burst("TRACE", 100), burst("WARN", 60),
        {"do": "user_message", "text": "for the user"},
        burst("INFO", 100), burst("ERROR", 20),
    ]);
    let response = plugin.try_run(&[], Some("t-1"), steps).await.unwrap();
    let position = Plugin::position(response.metadata());
    driver.change(|ways| ways.acknowledge = true);
    driver.acknowledge(10 << 20).await;
    driver
        .wait("all of it", |seen| {
            seen.account().through() >= position.sequence
        })
        .await;
    assert_accounted(&driver, position.sequence);
    let mut by_level: BTreeMap<String, usize> = BTreeMap::new();
    let seen = driver.seen();
    for record in seen.records() {
        if record.message.starts_with("burst") {
            *by_level.entry(record.level.to_string()).or_default() += 1;
        }
    }
    // WARN and above, and the user's, fit into the reserve: all are there.
    assert_eq!(by_level.get("WARN"), Some(&60));
    assert_eq!(by_level.get("ERROR"), Some(&20));
    assert!(seen.record("for the user").is_some());
    // The queue has room for some INFO; no INFO went while lower ones stayed.
    assert!(by_level["INFO"] > 100, "{by_level:?}");
    let dropped = seen.streams.iter().flat_map(|s| s.dropped());
    let lost = dropped.fold([0; 5], |mut sum, range| {
        let levels = [
            range.trace,
            range.debug,
            range.info,
            range.warn,
            range.error,
        ];
        sum.iter_mut().zip(levels).for_each(|(sum, n)| *sum += n);
        sum
    });
    assert!(lost[2] > 0, "the burst was too small: {lost:?}");
    assert_eq!((lost[3], lost[4]), (0, 0));
}

#[tokio::test]
async fn what_is_shed_does_not_become_traffic_of_its_own() {
    let driver = Driver::with(|ways| {
        ways.credit = 1;
        ways.acknowledge = false;
    })
    .await;
    let plugin = Offer::of(&driver)
        .argument("queue=20000,10000")
        .start()
        .await;
    driver.wait("a welcome", |seen| seen.has_welcome()).await;
    for _ in 0..50 {
        let steps = json!([{"do": "burst", "level": "INFO", "count": 100, "bytes": 200}]);
        plugin.run(steps).await;
    }
    driver.change(|ways| ways.acknowledge = true);
    let response = plugin.try_run(&[], None, json!([])).await.unwrap();
    let position = Plugin::position(response.metadata());
    let batches = driver.seen().streams[0].batches.len();
    assert!(batches < 60, "{batches} batches without credit");
    driver.acknowledge(1 << 20).await;
    driver
        .wait("all of it", |seen| {
            seen.account().through() >= position.sequence
        })
        .await;
    assert_accounted(&driver, position.sequence);
}
