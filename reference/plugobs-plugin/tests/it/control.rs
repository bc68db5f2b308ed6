//! What the driver asks of a plugin, and how a plugin ends.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::peer::{Driver, Offer, Plugin, SOON};

/// The plugin has ended in order, and said so before all else ended.
async fn ended_in_order(driver: &Driver, plugin: &mut Plugin, reason: &str) {
    let status = plugin.exit().await;
    let said = plugin.stderr().join("\n");
    assert!(status.success(), "{status}: {said}");
    let seen = driver
        .wait("half-close", |seen| {
            seen.streams.iter().any(|stream| stream.end == Some(true))
        })
        .await;
    let stopping = seen.event("plugin.stopping").unwrap();
    assert_eq!(stopping.attribute("stop.reason"), Some(&reason.into()));
    let stops = seen.events().into_iter().filter(|e| e == "plugin.stopping");
    assert_eq!(stops.count(), 1);
    // Everything went over the stream, but for what came before it.
    let account = seen.account();
    let lines = plugin.record_lines();
    assert!(
        lines.iter().all(|record| record.sequence < account.first),
        "{said}"
    );
    assert_eq!(account.through(), account.records.highest());
}

#[tokio::test]
async fn stop_ends_it_in_order_and_the_running_call_is_finished() {
    let driver = Driver::new().await;
    let mut plugin = Offer::of(&driver).start().await;
    // A connection that is being closed takes no other call, so that nobody can
    // let this one go on but the clock. Nothing fails where that is too quick.
    let steps = json!([
        {"do": "log", "level": "INFO", "message": "it began"},
        {"do": "sleep_ms", "ms": 500},
        {"do": "log", "level": "INFO", "message": "it is finished"},
    ]);
    let call = plugin.try_run(&[], Some("t-1"), steps);
    let meanwhile = async {
        driver.record("it began").await;
        driver.stop().await;
        driver.event("plugin.stopping").await;
    };
    let (answer, ()) = tokio::join!(call, meanwhile);
    answer.unwrap();
    ended_in_order(&driver, &mut plugin, "the driver asked").await;
    let last = driver.seen().record("it is finished").unwrap();
    assert_eq!(last.test_run_id.as_deref(), Some("t-1"));
}

#[tokio::test]
async fn a_call_that_does_not_end_keeps_no_plugin_over_its_deadline() {
    let driver = Driver::new().await;
    let mut plugin = Offer::of(&driver).start().await;
    let steps = json!([
        {"do": "log", "level": "INFO", "message": "it began"},
        {"do": "sleep_ms", "ms": 60_000},
    ]);
    let call = plugin.try_run(&[], Some("t-1"), steps);
    let stopped = async {
        driver.record("it began").await;
        driver.stop_within(700).await;
        Instant::now()
    };
    let (answer, told) = tokio::join!(call, stopped);
    assert!(answer.is_err());
    let status = plugin.exit().await;
    let took = told.elapsed();
    assert!(took >= Duration::from_millis(600), "{took:?}");
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert_eq!(status.code(), Some(1));
    let fault = "the plugin had not ended by the driver's deadline";
    let mut said = driver.seen().records();
    said.extend(plugin.record_lines());
    assert!(said.iter().any(|record| record.message == fault));
}

#[tokio::test]
async fn what_is_not_acknowledged_by_the_deadline_is_on_standard_error() {
    let driver = Driver::with(|ways| ways.deaf = true).await;
    let mut plugin = Offer::of(&driver).start().await;
    driver.wait("a welcome", |seen| seen.has_welcome()).await;
    plugin
        .run(json!([{"do": "log", "level": "INFO", "message": "one"}]))
        .await;
    let told = Instant::now();
    // Longer than a plugin waits that was given no deadline.
    driver.stop_within(4_000).await;
    let status = plugin.exit().await;
    assert!(status.success(), "{status}");
    let took = told.elapsed();
    assert!(took >= Duration::from_secs(3), "{took:?}");
    assert!(took < Duration::from_secs(4), "{took:?}");
    assert!(plugin.record_lines().iter().any(|r| r.message == "one"));
}

#[tokio::test]
async fn a_termination_signal_ends_it_in_order() {
    let driver = Driver::new().await;
    let mut plugin = Offer::of(&driver).start().await;
    plugin
        .run(json!([{"do": "burst", "level": "INFO", "count": 500}]))
        .await;
    plugin.terminate();
    ended_in_order(&driver, &mut plugin, "a termination signal").await;
    assert_eq!(driver.seen().account().dropped.len(), 0);
    driver.record("burst 499 ").await;
}

#[tokio::test]
async fn without_a_call_of_shutdown_the_guard_keeps_the_records() {
    let driver = Driver::new().await;
    let mut plugin = Offer::of(&driver).argument("no-shutdown").start().await;
    plugin
        .run(json!([{"do": "burst", "level": "INFO", "count": 500}]))
        .await;
    driver.stop().await;
    ended_in_order(&driver, &mut plugin, "the driver asked").await;
    driver.record("burst 499 ").await;
}

#[tokio::test]
async fn a_plugin_that_ends_at_once_loses_nothing() {
    let driver = Driver::new().await;
    let mut plugin = Offer::of(&driver).argument("just-end").spawn();
    assert!(plugin.exit().await.success());
    let mut all = plugin.record_lines();
    all.extend(driver.seen().records());
    all.sort_by_key(|record| record.sequence);
    all.dedup_by_key(|record| record.sequence);
    let sequences: Vec<_> = all.iter().filter_map(|record| record.sequence).collect();
    assert_eq!(sequences, (1..=sequences.len() as u64).collect::<Vec<_>>());
    let said: Vec<_> = all.iter().map(|record| record.message.as_str()).collect();
    assert!(said.contains(&"the last words"), "{said:?}");
    assert_eq!(
        all.last().unwrap().event_name.as_deref(),
        Some("plugin.stopping")
    );
}

#[tokio::test]
async fn flushed_comes_after_everything_before_it() {
    let driver = Driver::new().await;
    let plugin = Offer::of(&driver).start().await;
    let mut flush_id = 0;
    for _ in 0..20 {
        let steps = json!([{"do": "burst", "level": "INFO", "count": 100}]);
        let response = plugin.try_run(&[], None, steps).await.unwrap();
        let position = Plugin::position(response.metadata());
        flush_id += 1;
        let through = driver.flush(flush_id).await;
        assert!(through >= position.sequence);
        // It was there when the answer came.
        assert!(driver.seen().account().through() >= position.sequence);
    }
}

#[tokio::test]
async fn flush_needs_only_what_came_before_it() {
    // No credit comes back: one record that is too big waits for ever.
    let driver = Driver::with(|ways| {
        ways.credit = 20_000;
        ways.acknowledge = false;
    })
    .await;
    let plugin = Offer::of(&driver).start().await;
    plugin
        .run(json!([{"do": "log_big", "level": "INFO", "bytes": 15_000}]))
        .await;
    assert!(driver.flush(1).await > 0);
    plugin
        .run(json!([{"do": "log_big", "level": "INFO", "bytes": 15_000}]))
        .await;
    // What waits is sent before it is flushed.
    let flushed = tokio::time::timeout(Duration::from_millis(300), driver.flush(2)).await;
    assert!(flushed.is_err());
    driver.acknowledge(20_000).await;
    driver
        .wait("the second flushed", |seen| seen.flushed(2).is_some())
        .await;
}

#[tokio::test]
async fn a_driver_that_reads_nothing_does_not_keep_the_plugin_from_its_end() {
    for argument in ["no-shutdown", "queue=8388608,1048576"] {
        let driver = Driver::with(|ways| ways.deaf = true).await;
        let mut plugin = Offer::of(&driver).argument(argument).start().await;
        driver.wait("a welcome", |seen| seen.has_welcome()).await;
        // More than the connection holds.
        let steps = json!([{"do": "burst", "level": "INFO", "count": 2000, "bytes": 1000}]);
        plugin.run(steps).await;
        plugin.terminate();
        let begun = Instant::now();
        assert!(plugin.exit().await.success());
        assert!(begun.elapsed() < SOON / 2);
        // Nothing was acknowledged, so that all of it is on standard error.
        let lines = plugin.record_lines();
        let sequences: Vec<_> = lines.iter().filter_map(|r| r.sequence).collect();
        let all: Vec<_> = (1..=sequences.len() as u64).collect();
        assert_eq!(sequences, all);
        assert!(all.len() > 2000);
    }
}
