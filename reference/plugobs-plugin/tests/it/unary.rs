//! The deployed unary log, under a driver that has nothing else.

use std::time::Duration;

use serde_json::json;
use tonic::Code;

use crate::peer::{Driver, INSTANCE, Offer};

#[tokio::test]
async fn channel_and_event_are_in_the_target() {
    const CALL: &str = "019ab3f2-7c1a-7d30-8a55-1c0e5b6f9a02";
    let driver = Driver::deployed(|_| {}).await;
    let plugin = Offer::of_deployed(&driver).start().await;
    plugin.init().await.unwrap();
    let steps = json!([
        {"do": "log_crate", "level": "WARN", "message": "one"},
        {"do": "user_message", "text": "for the user"},
        {"do": "log_fields"},
    ]);
    let metadata = [("plugin-call-id", CALL)];
    plugin.run_for(&metadata, Some("t-1"), steps).await;
    let wanted = |text: &str| {
        let text = text.to_owned();
        move |seen: &crate::peer::Seen| {
            seen.logged
                .iter()
                .any(|logged| logged.message.message.starts_with(&text))
        }
    };
    for text in ["one", "for the user", "fields"] {
        driver.wait(text, wanted(text)).await;
    }
    let seen = driver
        .wait("ready", |seen| {
            seen.logged
                .iter()
                .any(|l| l.message.target == "plugobs.lifecycle.plugin.ready")
        })
        .await;
    let find = |text: &str| {
        let mut logged = seen.logged.iter();
        logged
            .find(|l| l.message.message.starts_with(text))
            .unwrap()
    };
    let one = find("one");
    assert_eq!(one.message.target, "a::log::target");
    assert_eq!(one.message.level, "WARN");
    assert_eq!(one.message.plugin_instance_id, INSTANCE);
    assert_eq!(one.message.test_run_id, "t-1");
    assert!(one.message.timestamp_ms > 1_700_000_000_000);
    let call = one.metadata.iter().find(|(key, _)| key == "plugin-call-id");
    assert_eq!(call.map(|(_, value)| value.as_str()), Some(CALL));
    assert!(
        find("for the user")
            .message
            .target
            .starts_with("plugobs.user")
    );
    assert!(find("fields").message.message.contains("row"));
    let targets: Vec<_> = seen
        .logged
        .iter()
        .map(|l| l.message.target.as_str())
        .collect();
    for event in ["started", "init_received", "catalogue_registered"] {
        let target = format!("plugobs.lifecycle.plugin.{event}");
        assert!(targets.contains(&target.as_str()), "{targets:?}");
    }
    // Nothing went two ways, and an old driver is no fault.
    assert_eq!(plugin.stderr(), [""; 0]);
    assert!(!targets.iter().any(|target| target.contains("fault")));
}

#[tokio::test]
async fn an_end_in_order_sends_everything() {
    let driver = Driver::deployed(|_| {}).await;
    let mut plugin = Offer::of_deployed(&driver).start().await;
    let steps = json!([{"do": "burst", "level": "INFO", "count": 1000}]);
    let response = plugin.try_run(&[], None, steps).await.unwrap();
    // The driver could not tell when it has come so far (OBS-LIFE-24).
    assert!(response.metadata().get("plugin-log-sequence").is_none());
    plugin.terminate();
    assert!(plugin.exit().await.success());
    let logged = driver.seen().logged;
    let of_burst = logged
        .iter()
        .filter(|l| l.message.message.starts_with("burst"));
    assert_eq!(of_burst.count(), 1000);
    let stops = logged
        .iter()
        .filter(|l| l.message.target == "plugobs.lifecycle.plugin.stopping");
    assert_eq!(stops.count(), 1);
    assert_eq!(plugin.stderr(), [""; 0]);
}

#[tokio::test]
async fn a_host_that_has_no_log_is_left_for_standard_error() {
    let driver = Driver::deployed(|ways| ways.refuse_log = Some(Code::Unimplemented)).await;
    let mut plugin = Offer::of_deployed(&driver).start().await;
    let steps = json!([{"do": "burst", "level": "INFO", "count": 100}]);
    plugin.run(steps).await;
    let is_fault =
        |r: &plugobs_core::Record| r.event_name.as_deref() == Some("plugin.transport_fault");
    plugin.line("the fault", is_fault).await;
    plugin.terminate();
    assert!(plugin.exit().await.success());
    let lines = plugin.record_lines();
    let bursts = lines.iter().filter(|r| r.message.starts_with("burst"));
    assert_eq!(bursts.count(), 100);
    assert_eq!(lines.iter().filter(|r| is_fault(r)).count(), 1);
}

#[tokio::test]
async fn a_host_that_does_not_answer_does_not_keep_the_plugin_from_its_end() {
    let driver = Driver::deployed(|ways| ways.hang_log = true).await;
    let mut plugin = Offer::of_deployed(&driver).start().await;
    let steps = json!([{"do": "burst", "level": "INFO", "count": 200}]);
    plugin.run(steps).await;
    plugin.terminate();
    let begun = std::time::Instant::now();
    assert!(plugin.exit().await.success());
    assert!(begun.elapsed() < Duration::from_secs(8));
    // What nobody answered for is on standard error: every record.
    let mut sequences: Vec<_> = plugin
        .record_lines()
        .iter()
        .filter_map(|record| record.sequence)
        .collect();
    sequences.sort_unstable();
    assert_eq!(sequences, (1..=sequences.len() as u64).collect::<Vec<_>>());
    assert!(sequences.len() > 200);
}

#[tokio::test]
async fn what_is_shed_is_told_once_and_not_for_ever() {
    let driver = Driver::deployed(|ways| ways.hang_log = true).await;
    let offer = Offer::of_deployed(&driver).argument("queue=40000,10000");
    let mut plugin = offer.start().await;
    let burst = |level: &str, count: usize| json!([{"do": "burst", "level": level, "count": count, "bytes": 200}]);
    plugin.run(burst("INFO", 1000)).await;
    // The reserve is used up as well.
    plugin.run(burst("WARN", 1000)).await;
    // Time for it to go on and on, if it does.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    plugin.terminate();
    assert!(plugin.exit().await.success());
    // The host took nothing, so all that is left is on standard error.
    let lines = plugin.record_lines();
    let last = lines.iter().filter_map(|record| record.sequence).max();
    let last = last.unwrap();
    assert!(last < 2_010, "{last} records");
    // Every number that is missing is told, by its level (OBS-LIM-28).
    let of_faults = lines.iter().filter_map(|record| {
        let (_, counts) = record.message.split_once("records were dropped: ")?;
        Some(
            counts
                .split(' ')
                .filter_map(|word| word.parse::<u64>().ok()),
        )
    });
    let told: Vec<u64> = of_faults.flatten().collect();
    assert!(
        matches!(told[..], [0, 0, info, warn, 0] if info > 0 && warn > 0),
        "{told:?}"
    );
    assert_eq!(told.iter().sum::<u64>() + lines.len() as u64, last);
}

#[tokio::test]
async fn a_burst_over_a_slow_host_costs_few_records_of_the_sdks_own() {
    let driver = Driver::deployed(|_| {}).await;
    let offer = Offer::of_deployed(&driver).argument("queue=40000,10000");
    let mut plugin = offer.start().await;
    let steps = json!([{"do": "burst", "level": "INFO", "count": 20_000, "bytes": 100}]);
    plugin.run(steps).await;
    plugin.terminate();
    assert!(plugin.exit().await.success());
    let logged = driver.seen().logged;
    let of_burst = logged
        .iter()
        .filter(|l| l.message.message.starts_with("burst"));
    let of_burst = of_burst.count();
    assert!(of_burst < 20_000, "the burst was too small");
    let told = logged
        .iter()
        .filter(|l| l.message.target.ends_with("transport_fault"));
    let told = told.count();
    assert!((1..20).contains(&told), "{told} of {}", logged.len());
}

#[tokio::test]
async fn on_request_it_is_mirrored_as_text() {
    let driver = Driver::deployed(|_| {}).await;
    let offer = Offer::of_deployed(&driver).argument("mirror");
    let mut plugin = offer.start().await;
    let steps = json!([{"do": "log_crate", "level": "INFO", "message": "here\u{1b}[31m"}]);
    plugin.run(steps).await;
    plugin.terminate();
    assert!(plugin.exit().await.success());
    assert!(plugin.record_lines().is_empty());
    let lines = plugin.stderr();
    let line = lines.iter().find(|line| line.contains("here")).unwrap();
    // No terminal obeys what a plugin says.
    assert!(line.ends_with(r"here\u{1b}[31m"), "{line}");
    assert!(line.contains(" INFO a::log::target"), "{line}");
    let logged = driver.seen().logged;
    assert!(logged.iter().any(|l| l.message.message.starts_with("here")));
}
