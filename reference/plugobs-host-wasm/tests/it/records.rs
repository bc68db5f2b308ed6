//! What a component says, as its driver has it.

use plugobs_core::registry::{attribute, event, mark};
use plugobs_core::{Severity, Value};
use plugobs_driver::{CallOptions, TestRun};
use serde_json::json;

use crate::support::{answer, command, find, find_event, guest, of_guest, scripted, serving};

#[tokio::test]
async fn every_record_has_both_ids_the_call_and_a_sequence() {
    let (driver, plugin, records) = serving().await;
    plugin.set_level(Severity::TRACE);
    let test = driver.begin_test(TestRun::new("t-1"));
    let made = command(&plugin, CallOptions::for_test(&test), "say", json!({})).await;
    made.unwrap();
    driver.shutdown().await;
    let all = of_guest(&records);
    let id = plugin.instance_id().as_str();
    for (n, record) in all.iter().enumerate() {
        assert_eq!(record.plugin_instance_id.as_deref(), Some(id), "{record:?}");
        assert_eq!(record.epoch, Some(1));
        assert_eq!(record.sequence, Some(n as u64 + 1));
        assert!(record.timestamp.unix_nanos() > 1_700_000_000_000_000_000);
        assert!(record.marks.is_empty(), "{record:?}");
    }
    let said = |text: &str| all.iter().find(|r| r.message == text).unwrap().clone();
    let call = said("an event").call_id.unwrap();
    for text in [
        "a trace",
        "a debug message",
        "an event",
        "by another logger",
        "it failed",
        "for the user",
    ] {
        let record = said(text);
        assert_eq!(record.test_run_id.as_deref(), Some("t-1"), "{text}");
        assert_eq!(record.call_id.as_ref(), Some(&call), "{text}");
    }
    assert_eq!(said("an event").attribute("row"), Some(&Value::from(3)));
    assert_eq!(said("an event").attribute("ratio"), Some(&Value::from(0.5)));
    assert_eq!(said("by another logger").severity, Severity::WARN);
    let (exception, guest) = (said("it failed").exception.unwrap(), guest());
    assert_eq!(exception.message.as_deref(), Some(guest.error_message));
    assert_eq!(exception.kind.as_deref(), guest.error_kind);
    assert_eq!(said("for the user").channel, "user");
}

#[tokio::test]
async fn the_lifecycle_is_told_in_order() {
    let (driver, plugin, records) = serving().await;
    plugin.stop().await;
    driver.shutdown().await;
    let of_instance = records.all();
    let events = of_instance.iter().filter_map(|r| r.event_name.as_deref());
    let events: Vec<_> = events.filter(|e| !e.starts_with("call.")).collect();
    assert_eq!(
        events,
        [
            event::INSTANCE_SPAWNED,
            event::PLUGIN_STARTED,
            event::PLUGIN_INIT_RECEIVED,
            event::PLUGIN_CATALOGUE_REGISTERED,
            event::PLUGIN_READY,
            event::INSTANCE_INITIALISED,
            event::INSTANCE_STOP_REQUESTED,
            event::INSTANCE_EXITED,
        ]
    );
    let spawned = find_event(&records, event::INSTANCE_SPAWNED);
    assert!(spawned.attribute(attribute::PROCESS_PID).is_none());
    let path = spawned.attribute(attribute::PROCESS_EXECUTABLE).unwrap();
    assert!(path.as_str().unwrap().ends_with(&guest().file));
    let exited = find_event(&records, event::INSTANCE_EXITED);
    assert!(exited.attribute(attribute::PROCESS_EXIT_CODE).is_none());
}

#[tokio::test]
async fn a_level_holds_for_the_length_of_a_call() {
    let (driver, plugin, records) = serving().await;
    command(&plugin, CallOptions::default(), "say", json!({}))
        .await
        .unwrap();
    plugin.set_level(Severity::ERROR);
    command(&plugin, CallOptions::default(), "say", json!({}))
        .await
        .unwrap();
    plugin.set_level(Severity::TRACE);
    command(&plugin, CallOptions::default(), "say", json!({}))
        .await
        .unwrap();
    driver.shutdown().await;
    let said = |text: &str| {
        of_guest(&records)
            .iter()
            .filter(|r| r.message == text)
            .count()
    };
    // At INFO, at ERROR and at TRACE; user messages at any level.
    assert_eq!(
        (said("a trace"), said("an event"), said("it failed")),
        (1, 2, 3)
    );
    assert_eq!(said("for the user"), 3);
}

#[tokio::test]
async fn a_burst_is_there_to_the_last_and_in_order() {
    let (driver, plugin, records) = serving().await;
    command(
        &plugin,
        CallOptions::default(),
        "burst",
        json!({"count": 10_000}),
    )
    .await
    .unwrap();
    driver.shutdown().await;
    let all = of_guest(&records);
    let burst = all.iter().filter(|r| r.message.starts_with("burst "));
    for (n, record) in burst.clone().enumerate() {
        assert_eq!(record.message, format!("burst {n}"));
    }
    assert_eq!(burst.count(), 10_000);
}

#[tokio::test]
async fn another_instance_or_test_is_quarantined() {
    let (driver, plugin, records) = serving().await;
    let other = driver.load_manifest(scripted()).await.unwrap();
    let test = driver.begin_test(TestRun::new("t-1"));
    let theirs = other.instance_id().as_str();
    let own = plugin.instance_id().as_str();
    for (name, arguments) in [
        ("forge-instance", json!({"id": theirs})),
        ("forge-test", json!({"own": own, "test": "t-2"})),
    ] {
        command(&plugin, CallOptions::for_test(&test), name, arguments)
            .await
            .unwrap();
    }
    driver.shutdown().await;
    let forged = find(&records, "as another instance");
    assert!(forged.has_mark(mark::QUARANTINED));
    assert_eq!(forged.plugin_instance_id, None);
    let claimed = forged.claimed.unwrap();
    assert_eq!(claimed.plugin_instance_id.as_deref(), Some(theirs));
    assert_eq!(claimed.via.as_deref(), Some(own));
    let forged = find(&records, "as another test");
    assert!(forged.has_mark(mark::QUARANTINED));
    assert_eq!(forged.test_run_id, None);
    assert_eq!(forged.claimed.unwrap().test_run_id.as_deref(), Some("t-2"));
}

#[tokio::test]
async fn what_the_package_has_no_place_for_is_kept() {
    let (driver, plugin, records) = serving().await;
    command(
        &plugin,
        CallOptions::default(),
        "forge-instance",
        json!({"id": ""}),
    )
    .await
    .unwrap();
    driver.shutdown().await;
    let record = find(&records, "as another instance");
    // An empty ID is that of the instance which calls.
    assert!(record.marks.is_empty(), "{record:?}");
    assert_eq!(
        record.plugin_instance_id.as_deref(),
        Some(plugin.instance_id().as_str())
    );
    assert_eq!(record.unknown_members["later"], json!(7));
}

#[tokio::test]
async fn a_call_has_its_context() {
    let (driver, plugin, _) = serving().await;
    let test = driver.begin_test(TestRun::new("t-1"));
    let mut answers = Vec::new();
    for _ in 0..2 {
        let made = command(&plugin, CallOptions::for_test(&test), "context", json!({})).await;
        answers.push(answer(made.unwrap()));
    }
    driver.shutdown().await;
    assert_eq!(answers[0]["testRunId"], "t-1");
    let context: serde_json::Value =
        serde_json::from_str(answers[0]["testContext"].as_str().unwrap()).unwrap();
    assert_eq!(context["testRunId"], "t-1");
    assert!(answers[0]["timeUnixNano"].as_u64() <= answers[1]["timeUnixNano"].as_u64());
    assert_ne!(answers[0]["randomSeed"], answers[1]["randomSeed"]);
    assert_ne!(answers[0]["callId"], answers[1]["callId"]);
}

#[tokio::test]
async fn work_that_outlives_its_call_keeps_its_identities() {
    let (driver, plugin, records) = serving().await;
    for (test, name) in [("t-1", "keep"), ("t-2", "speak")] {
        let test = driver.begin_test(TestRun::new(test));
        let made = command(&plugin, CallOptions::for_test(&test), name, json!({})).await;
        made.unwrap();
    }
    driver.shutdown().await;
    let before = find(&records, "of the call before");
    let own = find(&records, "of this call");
    assert_eq!(before.test_run_id.as_deref(), Some("t-1"));
    assert_eq!(own.test_run_id.as_deref(), Some("t-2"));
    assert_ne!(before.call_id, own.call_id);
    assert!(!before.is_quarantined(), "{before:?}");
}

#[tokio::test]
async fn a_long_text_is_cut_and_says_so() {
    let (driver, plugin, records) = serving().await;
    command(
        &plugin,
        CallOptions::default(),
        "big",
        json!({"bytes": 100_000}),
    )
    .await
    .unwrap();
    driver.shutdown().await;
    let all = of_guest(&records);
    let cut = all.iter().find(|r| r.has_mark(mark::TRUNCATED)).unwrap();
    assert_eq!(cut.message.len(), 65_536);
    assert_eq!(cut.truncated_bytes, 100_000 - 65_536);
}
