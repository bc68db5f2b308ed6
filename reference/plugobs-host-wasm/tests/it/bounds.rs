//! Components that go wrong: each is stopped within its bound, its last records
//! are in the report, and nobody else is harmed.

use std::time::{Duration, Instant};

use plugobs_core::registry::{FailureCode, event};
use plugobs_driver::{CallOptions, PluginFailure, TestRun};
use plugobs_host_wasm::Bounds;
use serde_json::{Value as Json, json};

use crate::support::{
    command, driver, driver_with, find, find_event, guest, integer, manifest, of_guest, scripted,
};

/// What the command does to its instance, while another one works on.
async fn trapped(bounds: impl FnOnce(&mut Bounds), name: &str, arguments: Json) -> PluginFailure {
    let (driver, records) = driver_with(bounds, |b| b);
    let plugin = driver.load_manifest(scripted()).await.unwrap();
    let other = driver.load_manifest(scripted()).await.unwrap();
    let test = driver.begin_test(TestRun::new("t-1"));
    let begun = Instant::now();
    let made = command(&plugin, CallOptions::for_test(&test), name, arguments).await;
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
    let failure = made.unwrap_err();
    let report = failure.report();
    assert_eq!(report.code, FailureCode::Trapped, "{report:?}");
    assert_eq!(report.operation.as_deref(), Some("ConfigureInteraction"));
    assert_eq!(report.test_run_id.as_deref(), Some("t-1"));
    // One report, however often it is asked for, and it is not called again.
    let again = command(&plugin, CallOptions::for_test(&test), "say", json!({})).await;
    assert_eq!(again.unwrap_err().code(), FailureCode::Trapped);
    find_event(&records, event::INSTANCE_EXITED);
    // Another instance works on, and so does one that is started now.
    command(&other, CallOptions::default(), "say", json!({}))
        .await
        .unwrap();
    let anew = driver.load_manifest(scripted()).await.unwrap();
    assert_ne!(anew.instance_id(), plugin.instance_id());
    command(&anew, CallOptions::default(), "say", json!({}))
        .await
        .unwrap();
    driver.shutdown().await;
    assert_eq!(records.failures().len(), 1);
    failure
}

fn last_words(failure: &PluginFailure) -> Vec<String> {
    let records = failure.report().last_records.iter();
    records.map(|record| record.message.to_string()).collect()
}

#[tokio::test]
async fn one_that_loops_is_stopped() {
    let bounds = |bounds: &mut Bounds| bounds.call_time = Duration::from_millis(300);
    let failure = trapped(bounds, "loop", json!({})).await;
    assert!(failure.to_string().contains("300ms"), "{failure}");
    assert!(last_words(&failure).contains(&"before the loop".to_owned()));
}

#[tokio::test]
async fn one_that_allocates_without_bound_is_stopped() {
    let bounds = |bounds: &mut Bounds| bounds.memory_bytes = 64 << 20;
    let failure = trapped(bounds, "allocate", json!({})).await;
    assert!(
        failure.to_string().contains("67108864 bytes of memory"),
        "{failure}"
    );
    assert!(last_words(&failure).contains(&"before the memory".to_owned()));
}

#[tokio::test]
async fn one_that_says_too_much_at_once_is_stopped_before_it_is_copied() {
    let failure = trapped(|_| {}, "raw-big", json!({"bytes": 8 << 20})).await;
    assert!(
        failure.to_string().contains("1048576 bytes of arguments"),
        "{failure}"
    );
    assert!(last_words(&failure).contains(&"before the big one".to_owned()));
}

#[tokio::test]
async fn a_panic_is_told_before_it_is_a_trap() {
    let failure = trapped(|_| {}, "panic", json!({"text": "row 3 is no row"})).await;
    let said = last_words(&failure);
    assert!(
        said.contains(&"panicked: row 3 is no row".to_owned()),
        "{said:?}"
    );
    let report = failure.report();
    let panic = report
        .last_records
        .iter()
        .find(|r| r.message.starts_with("panicked"));
    let exception = panic.unwrap().exception.clone().unwrap();
    assert_eq!(exception.kind.as_deref(), Some(guest().panic_kind));
    assert_eq!(panic.unwrap().test_run_id.as_deref(), Some("t-1"));
}

#[tokio::test]
async fn records_above_the_bound_of_a_call_are_counted() {
    let bounds = |bounds: &mut Bounds| {
        bounds.call_records = 1_000;
        bounds.call_time = Duration::from_millis(500);
    };
    let (driver, records) = driver_with(bounds, |b| b);
    let plugin = driver.load_manifest(scripted()).await.unwrap();
    let count = json!({"count": 1_500});
    command(&plugin, CallOptions::default(), "burst", count.clone())
        .await
        .unwrap();
    // The bound is of one call.
    command(
        &plugin,
        CallOptions::default(),
        "burst",
        json!({"count": 10}),
    )
    .await
    .unwrap();
    let failure = command(
        &plugin,
        CallOptions::default(),
        "log-without-end",
        json!({}),
    )
    .await;
    assert_eq!(failure.unwrap_err().code(), FailureCode::Trapped);
    driver.shutdown().await;
    let mut dropped = records.all();
    dropped.retain(|r| r.event_name.as_deref() == Some(event::RECORDS_DROPPED));
    assert_eq!(dropped.len(), 2);
    assert_eq!(integer(&dropped[0], "dropped.info"), 500);
    let endless = integer(&dropped[1], "dropped.last") - integer(&dropped[1], "dropped.first") + 1;
    assert!(endless > 1_000, "{endless}");
    let burst = of_guest(&records)
        .iter()
        .filter(|r| r.message.starts_with("burst"))
        .count();
    assert_eq!(burst, 1_010);
    let again = of_guest(&records)
        .iter()
        .filter(|r| r.message == "and again")
        .count();
    assert_eq!(again, 1_000);
}

#[tokio::test]
async fn a_caller_that_waits_less_is_told_and_the_call_goes_on() {
    let bounds = |bounds: &mut Bounds| bounds.call_time = Duration::from_millis(1_500);
    let (driver, records) = driver_with(bounds, |b| b.call_timeout(Duration::from_millis(200)));
    let plugin = driver.load_manifest(scripted()).await.unwrap();
    let made = command(&plugin, CallOptions::default(), "loop", json!({})).await;
    assert_eq!(made.unwrap_err().code(), FailureCode::CallTimeout);
    find(&records, "before the loop");
    find_event(&records, event::INSTANCE_EXITED);
    driver.shutdown().await;
}

#[tokio::test]
async fn a_record_is_there_while_its_call_runs() {
    let bounds = |bounds: &mut Bounds| bounds.call_time = Duration::from_secs(3);
    let (driver, records) = driver_with(bounds, |b| b);
    let plugin = driver.load_manifest(scripted()).await.unwrap();
    let begun = Instant::now();
    let seen = tokio::task::spawn_blocking(move || {
        find(&records, "before the loop");
        begun.elapsed()
    });
    let made = command(&plugin, CallOptions::default(), "loop", json!({})).await;
    assert_eq!(made.unwrap_err().code(), FailureCode::Trapped);
    let (seen, ended) = (seen.await.unwrap(), begun.elapsed());
    assert!(
        seen + Duration::from_secs(1) < ended,
        "{seen:?} of {ended:?}"
    );
    driver.shutdown().await;
}

#[tokio::test]
async fn no_more_instances_than_are_allowed() {
    let (driver, _) = driver_with(|bounds| bounds.instances = 2, |b| b);
    let first = driver.load_manifest(scripted()).await.unwrap();
    let _second = driver.load_manifest(scripted()).await.unwrap();
    let failure = driver.load_manifest(scripted()).await.err().unwrap();
    assert_eq!(failure.code(), FailureCode::CannotStart);
    assert!(failure.to_string().contains("2 instances"), "{failure}");
    first.stop().await;
    driver.load_manifest(scripted()).await.unwrap();
    driver.shutdown().await;
}

#[tokio::test]
async fn what_is_no_component_cannot_start() {
    let (driver, _) = driver();
    let text = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    for (file, told) in [
        ("no-such-file.wasm", "No such file"),
        (text, "no valid component"),
    ] {
        let failure = driver.load_manifest(manifest(file)).await.err().unwrap();
        assert_eq!(failure.code(), FailureCode::CannotStart);
        assert!(failure.to_string().contains(told), "{failure}");
        assert!(failure.to_string().contains(file), "{failure}");
    }
    driver.shutdown().await;
}
