//! The transport does not log about itself without end.

use serde_json::json;

use crate::peer::{Driver, Offer};

#[tokio::test]
async fn at_trace_the_transport_makes_no_records_of_its_own() {
    let driver = Driver::with(|ways| ways.severity = 0).await;
    let plugin = Offer::of(&driver)
        .with("PLUGOBS_LEVEL", "TRACE")
        .start()
        .await;
    for n in 0..20 {
        let steps = json!([{"do": "log", "level": "TRACE", "message": format!("own {n}")}]);
        plugin.run(steps).await;
        driver.record(&format!("own {n}")).await;
    }
    // Carrying those records made none: the log stands still while flush,
    // flushed and acknowledgements go to and fro. The plugin's own server may
    // have something to say of the last call for a moment.
    let still = async {
        let mut flush_id = 1;
        let mut before = driver.flush(flush_id).await;
        let mut same = 0;
        while same < 20 {
            flush_id += 1;
            let now = driver.flush(flush_id).await;
            same = if now == before { same + 1 } else { 0 };
            before = now;
        }
    };
    tokio::time::timeout(crate::peer::SOON, still)
        .await
        .unwrap();
    // What the same libraries log while they serve the plugin's calls is there.
    let records = driver.seen().records();
    let of_server = records.iter().filter(|r| r.target.starts_with("h2"));
    assert!(of_server.count() > 0);
    // What they say as a client is the transport's alone.
    let of_client = records.iter().find(|r| {
        r.target.starts_with("h2::client")
            || r.target.contains("client::")
            || r.target.starts_with("tonic::transport::channel")
    });
    assert_eq!(of_client, None);
}
