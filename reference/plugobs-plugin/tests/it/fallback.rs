//! Which path a plugin takes where the stream is not to be had.

use serde_json::json;
use tonic::Code;

use crate::peer::{Driver, Offer, Plugin, Seen};

fn logged(seen: &Seen, message: &str) -> bool {
    seen.logged
        .iter()
        .any(|logged| logged.message.message.starts_with(message))
}

async fn log(plugin: &Plugin, message: &str) {
    let steps = json!([{"do": "log", "level": "INFO", "message": message}]);
    plugin.run_for(&[], Some("t-1"), steps).await;
}

#[tokio::test]
async fn where_the_stream_is_not_there_the_deployed_log_is_taken() {
    for code in [Code::Unimplemented, Code::FailedPrecondition] {
        let driver = Driver::with(|ways| ways.refuse = Some((code, "not here"))).await;
        let plugin = Offer::of(&driver).start().await;
        log(&plugin, "one").await;
        let seen = driver.wait("a unary log", |seen| logged(seen, "one")).await;
        let faults = seen
            .logged
            .iter()
            .filter(|logged| logged.message.target == "plugobs.lifecycle.plugin.transport_fault");
        // The fall back is told once.
        assert_eq!(faults.count(), 1);
        assert_eq!(seen.streams.len(), 1);
        assert_eq!(
            plugin.record_lines().len(),
            1,
            "only the start is on standard error"
        );
    }
}

#[tokio::test]
async fn a_driver_without_the_service_is_sent_the_deployed_log() {
    let driver = Driver::deployed(|_| {}).await;
    let plugin = Offer::of(&driver).start().await;
    // Until then, records are on standard error.
    let told = "records go over the deployed log: Unimplemented";
    driver.wait("the fault", |seen| logged(seen, told)).await;
    log(&plugin, "one").await;
    let seen = driver.wait("a unary log", |seen| logged(seen, "one")).await;
    assert!(seen.streams.is_empty());
}

#[tokio::test]
async fn without_a_host_the_rest_is_standard_error() {
    let driver = Driver::with(|ways| ways.refuse = Some((Code::Unimplemented, "no"))).await;
    let offer = Offer::of(&driver).without("PACT_PLUGIN_HOST");
    let mut plugin = offer.start().await;
    log(&plugin, "one").await;
    plugin.line_of("one").await;
    assert_eq!(driver.seen().logged.len(), 0);
}

#[tokio::test]
async fn a_refusal_is_taken_as_one_and_not_tried_again() {
    for code in [Code::PermissionDenied, Code::InvalidArgument] {
        let driver = Driver::with(|ways| ways.refuse = Some((code, "no"))).await;
        refused(&driver, Offer::of(&driver)).await;
        assert_eq!(driver.seen().streams.len(), 1);
    }
    let driver = Driver::new().await;
    let wrong = Offer::of(&driver)
        .without("PLUGOBS_TOKEN")
        .with("PLUGOBS_TOKEN", "wrong")
        .at_once();
    refused(&driver, wrong).await;
    refused(
        &driver,
        Offer::of(&driver).without("PLUGOBS_TOKEN").at_once(),
    )
    .await;
    assert_eq!(driver.seen().streams.len(), 0);
}

async fn refused(driver: &Driver, offer: Offer) {
    let mut plugin = offer.start().await;
    let taken = driver.wire.taken();
    log(&plugin, "one").await;
    let line = plugin.line_of("one").await;
    assert_eq!(line.test_run_id.as_deref(), Some("t-1"));
    plugin
        .line("the fault", |record| {
            record.event_name.as_deref() == Some("plugin.transport_fault")
        })
        .await;
    plugin.terminate();
    assert!(plugin.exit().await.success());
    // Every record is there once, in order.
    let lines = plugin.record_lines();
    let sequences: Vec<_> = lines.iter().filter_map(|r| r.sequence).collect();
    assert_eq!(sequences, (1..=sequences.len() as u64).collect::<Vec<_>>());
    let faults = lines
        .iter()
        .filter(|r| r.event_name.as_deref() == Some("plugin.transport_fault"));
    assert_eq!(faults.count(), 1);
    assert_eq!(driver.seen().logged.len(), 0);
    assert!(driver.wire.taken() <= taken + 1, "it tried again");
}

#[tokio::test]
async fn where_nothing_listens_the_plugin_works_and_writes_to_standard_error() {
    // A port that was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    for host in [Some(&address), None] {
        let mut offer = Offer::default()
            .with("PLUGOBS_ENDPOINT", &address)
            .with("PLUGOBS_TOKEN", "t");
        if let Some(host) = host {
            offer = offer.with("PACT_PLUGIN_HOST", host);
        }
        let mut plugin = offer.start().await;
        plugin.init().await.unwrap();
        log(&plugin, "one").await;
        plugin.terminate();
        assert!(plugin.exit().await.success());
        let lines = plugin.record_lines();
        let sequences: Vec<_> = lines.iter().filter_map(|r| r.sequence).collect();
        assert_eq!(sequences, (1..=sequences.len() as u64).collect::<Vec<_>>());
        assert!(lines.iter().any(|r| r.message == "one"));
        assert_eq!(
            lines.last().unwrap().event_name.as_deref(),
            Some("plugin.stopping")
        );
    }
}

#[tokio::test]
async fn an_endpoint_that_is_no_address_harms_nothing() {
    for endpoint in ["no address", "http://[::", "127.0.0.1:0"] {
        let mut plugin = Offer::default()
            .with("PLUGOBS_ENDPOINT", endpoint)
            .start()
            .await;
        log(&plugin, "one").await;
        plugin.terminate();
        assert!(plugin.exit().await.success());
        assert!(plugin.record_lines().iter().any(|r| r.message == "one"));
    }
}
