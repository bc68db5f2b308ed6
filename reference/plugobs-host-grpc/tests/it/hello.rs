//! Who may open a record stream, and how it is welcomed.

use plugobs_core::registry::event;
use serde_json::{Value as Json, json};

use super::support::{attribute, command, driver_with, events, find_event, plugin, serving};

/// Opens a stream and gives the first thing that the driver says.
async fn open(plugin: &plugobs_driver::Plugin, mut arguments: Json) -> Json {
    arguments["do"] = json!("open");
    command(plugin, "stream", arguments).await[0].clone()
}

#[tokio::test]
async fn a_hello_is_refused_with_the_status_that_says_why() {
    let (driver, plugin, records) = serving().await;
    let cases = [
        (json!({}), "Unauthenticated"),
        (json!({"token": "wrong"}), "Unauthenticated"),
        (
            json!({"token": "own", "instance": "0b5f2d0e-6c52-4b0e-9d0a-2f5c8a1d7e31"}),
            "PermissionDenied",
        ),
        (json!({"token": "own", "instance": ""}), "PermissionDenied"),
        (json!({"token": "own", "epoch": 0}), "InvalidArgument"),
        (
            json!({"token": "own", "versions": [2, 3]}),
            "FailedPrecondition",
        ),
        (
            json!({"token": "own", "versions": []}),
            "FailedPrecondition",
        ),
        (json!({"token": "own", "first": "batch"}), "InvalidArgument"),
    ];
    for (arguments, status) in cases {
        let first = open(&plugin, arguments.clone()).await;
        assert_eq!(first["end"], status, "{arguments}: {first}");
    }
    driver.shutdown().await;
    let all = events(&records);
    assert!(!all.iter().any(|e| e == event::INSTANCE_STREAM_OPENED));
}

#[tokio::test]
async fn a_welcome_says_what_the_driver_takes() {
    let (driver, records) = driver_with(|b| b.level(plugobs_core::Severity::WARN));
    let plugin = driver.load_manifest(plugin(&["serve"])).await.unwrap();
    let hello = json!({"name": "a", "token": "own", "versions": [7, 1], "epoch": 12});
    let first = open(&plugin, hello).await;
    let expected = json!({
        "version": 1,
        "recordBytes": 262_144,
        "severityNumber": 13,
        "creditBytes": 4_194_304,
        "acknowledged": 0,
        "runId": driver.run_id().as_str(),
    });
    assert_eq!(first["welcome"], expected);
    let opened = find_event(&records, event::INSTANCE_STREAM_OPENED);
    assert_eq!(attribute(&opened, "stream.epoch"), 12);
    assert_eq!(attribute(&opened, "sdk.name"), "by hand");
    assert_eq!(attribute(&opened, "sdk.language"), "rust");
    driver.shutdown().await;
    let closed = find_event(&records, event::INSTANCE_STREAM_CLOSED);
    assert_eq!(attribute(&closed, "stream.clean"), false);
}

#[tokio::test]
async fn streams_of_many_epochs_share_the_credit_of_an_instance() {
    let (driver, plugin, _) = serving().await;
    let mut given = Vec::new();
    for epoch in 1.. {
        let hello = json!({"name": epoch.to_string(), "token": "own", "epoch": epoch});
        let first = open(&plugin, hello).await;
        match first["welcome"]["creditBytes"].as_u64() {
            Some(credit) => given.push(credit),
            None => {
                assert_eq!(first["end"], "ResourceExhausted");
                break;
            }
        }
    }
    assert!(given.len() >= 8, "{given:?}");
    assert!(given.iter().all(|credit| *credit >= 1_048_576), "{given:?}");
    assert!(given.iter().sum::<u64>() <= 16 * 1_048_576, "{given:?}");
    // The next stream of an epoch takes the place, and the credit, of the last.
    let again = json!({"name": "1", "token": "own", "epoch": 1});
    assert!(open(&plugin, again).await["welcome"].is_object());
    driver.shutdown().await;
}
