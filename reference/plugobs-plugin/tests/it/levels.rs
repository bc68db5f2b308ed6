//! Which operational records are made, and that the rest always are.

use serde_json::json;

use crate::peer::{Driver, Offer, Plugin};

const ALL: [&str; 5] = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR"];

/// Logs once at each level, and gives the levels that arrived.
async fn logged(driver: &Driver, plugin: &Plugin, round: &str) -> Vec<String> {
    let mut steps: Vec<_> = ALL
        .iter()
        .map(|level| json!({"do": "log", "level": level, "message": round}))
        .collect();
    steps.push(json!({"do": "user_message", "text": format!("{round} is over")}));
    plugin.run(json!(steps)).await;
    driver.record(&format!("{round} is over")).await;
    let records = driver.seen().records().into_iter();
    records
        .filter(|record| record.message == round)
        .map(|record| record.level.into())
        .collect()
}

#[tokio::test]
async fn the_welcome_and_then_set_level_decide() {
    let driver = Driver::with(|ways| ways.severity = 13).await;
    let plugin = Offer::of(&driver)
        .with("PLUGOBS_LEVEL", "TRACE")
        .start()
        .await;
    driver.wait("a welcome", |seen| seen.has_welcome()).await;
    // What the driver says next is heard after the welcome.
    driver.flush(1).await;
    assert_eq!(logged(&driver, &plugin, "one").await, ALL[3..]);
    for (number, from) in [(0, 0), (5, 1), (17, 4), (9, 2)] {
        driver.set_level(number).await;
        driver.flush(100 + u64::from(number)).await;
        let round = format!("level {number}");
        assert_eq!(logged(&driver, &plugin, &round).await, ALL[from..]);
    }
    // Above every name: still the user's messages, and no log record.
    driver.set_level(24).await;
    driver.flush(2).await;
    assert_eq!(logged(&driver, &plugin, "off").await, [""; 0]);
}

#[tokio::test]
async fn user_messages_are_on_their_channel_whatever_the_level() {
    let driver = Driver::with(|ways| ways.severity = 17).await;
    let plugin = Offer::of(&driver).start().await;
    let steps = json!([
        {"do": "user_message", "text": "row 3 has a date"},
        {"do": "user_markdown", "text": "*row* 3"},
    ]);
    plugin.run_for(&[], Some("t-1"), steps).await;
    let plain = driver.record("row 3 has a date").await;
    assert_eq!(plain.channel, "user");
    assert_eq!(plain.attribute("message.format"), None);
    assert_eq!(plain.test_run_id.as_deref(), Some("t-1"));
    let marked = driver.record("*row* 3").await;
    assert_eq!(marked.channel, "user");
    assert_eq!(
        marked.attribute("message.format"),
        Some(&"commonmark".into())
    );
}

#[tokio::test]
async fn the_environment_says_the_first_level() {
    for (name, value, expected) in [
        ("PLUGOBS_LEVEL", "WARN", &ALL[3..]),
        ("LOG_LEVEL", "debug", &ALL[1..]),
        ("LOG_LEVEL", "", &ALL[2..]),
    ] {
        let mut plugin = Offer::default().with(name, value).start().await;
        let steps: Vec<_> = ALL
            .iter()
            .map(|level| json!({"do": "log", "level": level, "message": "one"}))
            .collect();
        plugin.run(json!(steps)).await;
        plugin
            .run(json!([{"do": "user_message", "text": "over"}]))
            .await;
        plugin.line_of("over").await;
        let lines = plugin.record_lines().into_iter();
        let levels: Vec<_> = lines
            .filter(|record| record.message == "one")
            .map(|record| record.level.to_string())
            .collect();
        assert_eq!(levels, expected, "{name}={value}");
    }
}

#[tokio::test]
async fn the_log_crate_is_bridged_with_its_own_target() {
    let driver = Driver::new().await;
    let plugin = Offer::of(&driver).start().await;
    let steps = json!([
        {"do": "log_crate", "level": "WARN", "message": "by log"},
        {"do": "log_crate", "level": "DEBUG", "message": "too low"},
        {"do": "log", "level": "INFO", "message": "by tracing"},
    ]);
    plugin.run_for(&[], Some("t-1"), steps.clone()).await;
    let record = driver.record("by log").await;
    assert_eq!(record.target, "a::log::target");
    assert_eq!(
        (record.level.as_str(), record.channel.as_str()),
        ("WARN", "operational")
    );
    assert_eq!(record.test_run_id.as_deref(), Some("t-1"));
    assert_eq!(record.attributes, Vec::new());
    driver.record("by tracing").await;
    assert_eq!(driver.seen().record("too low"), None);
    driver.set_level(5).await;
    driver.flush(1).await;
    plugin.run(steps).await;
    driver.record("too low").await;
}

#[tokio::test]
async fn a_plugin_with_a_subscriber_of_its_own_keeps_its_log_level() {
    let driver = Driver::new().await;
    let plugin = Offer::of(&driver).argument("own-subscriber").start().await;
    plugin
        .run(json!([{"do": "log", "level": "INFO", "message": "one"}]))
        .await;
    driver.record("one").await;
    driver.set_level(1).await;
    driver.flush(1).await;
    let steps = json!([
        {"do": "log", "level": "TRACE", "message": "two"},
        {"do": "log_max_level"},
    ]);
    let answer = plugin.run(steps).await;
    driver.record("two").await;
    assert_eq!(answer["level"], "WARN");
}
