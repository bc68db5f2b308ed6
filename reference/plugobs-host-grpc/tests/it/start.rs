//! Starts that fail, and what the report says.

use std::time::{Duration, Instant};

use plugobs_core::registry::{FailureCode, event};

use super::support::{
    attribute, driver, driver_with, events, failed_start, find_event, manifest, plugin, shell,
    wait_until_gone,
};

#[tokio::test]
async fn an_early_exit_is_reported_at_once_with_code_and_stderr() {
    let (driver, records) = driver();
    let begin = Instant::now();
    let script = "echo working; echo cannot bind port 80 >&2; exit 3";
    let failure = failed_start(&driver, shell(script)).await;
    assert!(begin.elapsed() < Duration::from_secs(1), "{begin:?}");
    let report = failure.report();
    assert_eq!(failure.code(), FailureCode::ExitedEarly);
    assert_eq!(report.stage, "handshake");
    assert_eq!(report.exit.unwrap().code, Some(3));
    assert_eq!(report.stderr_tail, ["cannot bind port 80"]);
    assert_eq!(report.stdout_tail, ["working"]);
    driver.shutdown().await;
    let exited = find_event(&records, event::INSTANCE_EXITED);
    assert_eq!(attribute(&exited, "process.exit_code"), 3);
    let all = events(&records);
    let at = |event| all.iter().position(|e| e == event);
    assert!(at(event::INSTANCE_SPAWNED) < at(event::INSTANCE_EXITED));
    assert!(at(event::INSTANCE_EXITED) < at(event::INSTANCE_FAILED));
}

#[tokio::test]
async fn a_signal_before_the_handshake_is_reported_with_its_number() {
    let (driver, _) = driver();
    let failure = failed_start(&driver, shell("kill -9 $$")).await;
    assert_eq!(failure.code(), FailureCode::ExitedEarly);
    let exit = failure.report().exit.unwrap();
    assert_eq!((exit.code, exit.signal), (None, Some(9)));
}

#[tokio::test]
async fn records_on_standard_error_are_kept_of_a_plugin_that_dies_before_it_connects() {
    let (driver, records) = driver();
    let dying = plugin(&["err-record:1:first words", "err:and raw ones", "exit:5"]);
    let failure = failed_start(&driver, dying).await;
    let report = failure.report();
    assert_eq!(report.exit.unwrap().code, Some(5));
    assert_eq!(report.stderr_tail, ["and raw ones"]);
    let said = |r: &plugobs_core::Record| r.message == "first words";
    assert!(report.last_records.iter().any(said));
    driver.shutdown().await;
    let record = records.all().into_iter().find(said).unwrap();
    assert_eq!(record.source.as_deref(), Some("stderr"));
    assert!(record.marks.is_empty(), "{:?}", record.marks);
}

#[tokio::test]
async fn a_plugin_without_a_handshake_is_killed_with_its_children() {
    let (driver, records) = driver_with(|b| b.handshake_timeout(Duration::from_millis(400)));
    let script = "sleep 600 & echo $!; echo '{ \"port\": 0 }'; wait";
    let begin = Instant::now();
    let failure = failed_start(&driver, shell(script)).await;
    assert!(begin.elapsed() >= Duration::from_millis(400));
    assert_eq!(failure.code(), FailureCode::HandshakeTimeout);
    let report = failure.report();
    assert_eq!(report.stdout_tail[1], "{ \"port\": 0 }");
    assert_eq!(report.exit.unwrap().signal, Some(9));
    wait_until_gone(report.stdout_tail[0].parse().unwrap());
    driver.shutdown().await;
    let killed = find_event(&records, event::INSTANCE_KILLED);
    assert_eq!(attribute(&killed, "stop.reason"), "no handshake");
}

#[tokio::test]
async fn a_child_that_holds_the_pipes_delays_no_report() {
    let (driver, _) = driver();
    let begin = Instant::now();
    let failure = failed_start(&driver, shell("sleep 600 & echo $!; exit 4")).await;
    assert!(begin.elapsed() < Duration::from_secs(1), "{begin:?}");
    let report = failure.report();
    assert_eq!(report.exit.unwrap().code, Some(4));
    wait_until_gone(report.stdout_tail[0].parse().unwrap());
}

#[tokio::test]
async fn a_program_that_cannot_be_started_is_named_with_the_reason() {
    let (driver, records) = driver();
    let failure = failed_start(&driver, manifest("bin/no-such-plugin", &[])).await;
    assert_eq!(failure.code(), FailureCode::CannotStart);
    let report = failure.report();
    assert_eq!((report.stage.as_str(), report.exit), ("spawn", None));
    assert!(report.message.contains("bin/no-such-plugin"), "{report}");
    assert!(report.message.contains("No such file"), "{report}");

    let failure = failed_start(&driver, manifest("Cargo.toml", &[])).await;
    assert_eq!(failure.code(), FailureCode::CannotStart);
    assert!(failure.to_string().contains("denied"), "{failure}");
    driver.shutdown().await;
    let all = events(&records);
    assert!(!all.iter().any(|e| e == event::INSTANCE_SPAWNED), "{all:?}");
}
