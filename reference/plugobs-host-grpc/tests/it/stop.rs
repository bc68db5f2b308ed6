//! Stops: asked, terminated, killed; and nothing is left.

use std::time::{Duration, Instant};

use plugobs_core::registry::{FailureCode, event};
use plugobs_driver::CallOptions;
use plugobs_driver::sink::OutputStream;
use serde_json::json;

use super::support::{
    SOON, attribute, command, driver, driver_with, events, exists, find_event, plugin, request,
    serving, shell_then_plugin, wait_for_raw, wait_until_gone,
};

#[tokio::test]
async fn a_plugin_with_a_stream_is_asked_and_ends_by_itself() {
    let (driver, records) = driver_with(|b| b.stop_grace(SOON));
    let plugin = driver.load_manifest(plugin(&["serve"])).await.unwrap();
    let hello = json!({"do": "open", "name": "a", "token": "own", "obeys": true});
    command(&plugin, "stream", hello).await;
    let flood =
        json!({"do": "flood", "name": "a", "from": 1, "batches": 100, "records": 10, "bytes": 10});
    command(&plugin, "stream", flood).await;
    plugin.stop().await;
    let exited = find_event(&records, event::INSTANCE_EXITED);
    assert_eq!(attribute(&exited, "process.exit_code"), 0);
    let asked = find_event(&records, event::INSTANCE_STOP_REQUESTED);
    assert_eq!(attribute(&asked, "stop.deadline_ns"), 20_000_000_000_u64);
    driver.shutdown().await;
    let all = events(&records);
    let at = |event| all.iter().position(|e| e == event).unwrap();
    assert!(at(event::INSTANCE_STOP_REQUESTED) < at(event::INSTANCE_STREAM_CLOSED));
    assert!(at(event::INSTANCE_STREAM_CLOSED) < at(event::INSTANCE_EXITED));
    assert!(!all.iter().any(|e| e == event::INSTANCE_KILLED));
}

#[tokio::test]
async fn a_deployed_plugin_is_terminated_at_once() {
    let (driver, plugin, records) = serving().await;
    let pid = plugin.info().pid.unwrap();
    let begin = Instant::now();
    plugin.stop().await;
    assert!(begin.elapsed() < Duration::from_secs(5), "{begin:?}");
    assert!(!exists(pid), "it is reaped");
    let exited = find_event(&records, event::INSTANCE_EXITED);
    assert_eq!(attribute(&exited, "process.signal"), 15);
    driver.shutdown().await;
    assert!(records.failures().is_empty());
    let exits = events(&records)
        .into_iter()
        .filter(|e| e == event::INSTANCE_EXITED);
    assert_eq!(exits.count(), 1);
}

#[tokio::test]
async fn one_that_does_not_follow_is_terminated_after_its_time() {
    let (driver, records) = driver();
    let plugin = driver.load_manifest(plugin(&["serve"])).await.unwrap();
    let hello = json!({"do": "open", "name": "a", "token": "own"});
    command(&plugin, "stream", hello).await;
    let begin = Instant::now();
    plugin.stop().await;
    assert!(begin.elapsed() >= Duration::from_millis(300));
    let exited = find_event(&records, event::INSTANCE_EXITED);
    assert_eq!(attribute(&exited, "process.signal"), 15);
    driver.shutdown().await;
    assert!(!events(&records).iter().any(|e| e == event::INSTANCE_KILLED));
}

#[tokio::test]
async fn one_that_ignores_every_word_is_killed_with_its_children() {
    let (driver, records) = driver();
    let script = "trap '' TERM; sleep 600 & echo child $!";
    let manifest = shell_then_plugin(script, &["serve"]);
    let plugin = driver.load_manifest(manifest).await.unwrap();
    let output = wait_for_raw(&records, &plugin, OutputStream::Stdout, b"\n");
    let output = String::from_utf8(output).unwrap();
    let child = output.trim_start_matches("child ").trim().parse().unwrap();
    plugin.stop().await;
    let exited = find_event(&records, event::INSTANCE_EXITED);
    assert_eq!(attribute(&exited, "process.signal"), 9);
    let killed = find_event(&records, event::INSTANCE_KILLED);
    assert_eq!(attribute(&killed, "stop.reason"), "it did not stop in time");
    wait_until_gone(child);
    driver.shutdown().await;
    let report = records.failures().remove(0);
    assert_eq!(report.code, FailureCode::ShutdownOverrun);
}

#[tokio::test]
async fn children_that_a_plugin_leaves_behind_end_with_it() {
    let (driver, records) = driver();
    let manifest = shell_then_plugin("sleep 600 & echo child $!", &["serve"]);
    let plugin = driver.load_manifest(manifest).await.unwrap();
    let made = plugin.call(request("exit", json!({})), CallOptions::default());
    let begin = Instant::now();
    let failure = made.await.result.unwrap_err();
    assert!(begin.elapsed() < Duration::from_secs(1), "{begin:?}");
    assert_eq!(failure.code(), FailureCode::Crashed);
    let output = wait_for_raw(&records, &plugin, OutputStream::Stdout, b"\n");
    let output = String::from_utf8(output).unwrap();
    wait_until_gone(output.trim_start_matches("child ").trim().parse().unwrap());
    driver.shutdown().await;
}

#[tokio::test]
async fn the_port_of_an_instance_is_closed_when_it_has_ended() {
    let (driver, plugin, _) = serving().await;
    let told = command(&plugin, "tell", json!({})).await;
    let host = told["environment"]["PACT_PLUGIN_HOST"]
        .as_str()
        .unwrap()
        .to_owned();
    plugin.stop().await;
    let until = Instant::now() + SOON;
    while std::net::TcpStream::connect(&host).is_ok() {
        assert!(Instant::now() < until, "{host} still accepts");
    }
    driver.shutdown().await;
}
