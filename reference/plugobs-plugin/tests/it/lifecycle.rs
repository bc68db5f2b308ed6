//! The least that a plugin says of its life, and in which order.

use serde_json::json;

use crate::peer::{Driver, INSTANCE, Offer};

const OF_INIT: [&str; 3] = [
    "plugin.init_received",
    "plugin.catalogue_registered",
    "plugin.ready",
];

#[tokio::test]
async fn started_first_then_init_then_ready() {
    let driver = Driver::new().await;
    let mut plugin = Offer::of(&driver).start().await;
    // It is said before there is a connection: on standard error.
    let started = plugin
        .line("plugin.started", |record| {
            record.event_name.as_deref() == Some("plugin.started")
        })
        .await;
    assert_eq!(started.sequence, Some(1));
    assert_eq!(started.plugin_instance_id.as_deref(), Some(INSTANCE));
    assert_eq!(started.attribute("sdk.language"), Some(&"rust".into()));
    assert!(started.attribute("process.pid").is_some());
    plugin.init().await.unwrap();
    let seen = driver
        .wait("ready", |seen| seen.event("plugin.ready").is_some())
        .await;
    assert_eq!(seen.events(), OF_INIT);
    let first = seen.streams[0].hello.as_ref().unwrap().first_sequence;
    assert_eq!(first, plugin.record_lines().len() as u64 + 1);
    let init = seen.event(OF_INIT[0]).unwrap();
    assert_eq!(
        init.attribute("host.implementation"),
        Some(&"a test".into())
    );
    assert_eq!(init.attribute("host.version"), Some(&"1.2.3".into()));
    assert_eq!(init.epoch, started.epoch);
    let entries = seen.event(OF_INIT[1]).unwrap();
    assert_eq!(entries.attribute("catalogue.entries"), Some(&2_i64.into()));
}

#[tokio::test]
async fn an_init_that_fails_makes_nothing_ready() {
    for how in ["init=error", "init=failure"] {
        let driver = Driver::new().await;
        let plugin = Offer::of(&driver).argument(how).start().await;
        let answer = plugin.init().await;
        assert_eq!(answer.is_err(), how == "init=error");
        plugin
            .run(json!([{"do": "log", "level": "INFO", "message": "later"}]))
            .await;
        driver.record("later").await;
        assert_eq!(driver.seen().events(), ["plugin.init_received"], "{how}");
    }
}

#[tokio::test]
async fn every_epoch_is_another() {
    let driver = Driver::new().await;
    let mut epochs = std::collections::BTreeSet::new();
    for _ in 0..5 {
        let mut plugin = Offer::of(&driver).argument("just-end").spawn();
        plugin.exit().await;
        let all: Vec<_> = plugin.record_lines();
        let on_stream = driver.seen().records();
        let epoch = all.iter().chain(&on_stream).last().unwrap().epoch.unwrap();
        assert!(epoch > 0 && epoch <= 9_007_199_254_740_991);
        epochs.insert(all.first().unwrap().epoch.unwrap());
    }
    assert_eq!(epochs.len(), 5);
}
