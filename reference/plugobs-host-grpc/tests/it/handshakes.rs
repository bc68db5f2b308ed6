//! The handshake line among everything else on standard output.

use std::io::{Read, Write};
use std::net::TcpListener;

use plugobs_core::registry::{FailureCode, event};
use plugobs_driver::sink::OutputStream;
use serde_json::json;

use super::support::{
    attribute, command, driver, exists, failed_start, find, find_event, plugin, shell, wait_for_raw,
};

#[tokio::test]
async fn stray_lines_never_break_the_start() {
    let (driver, records) = driver();
    let stray = [
        "say:{ not JSON",
        "say:{}",
        "say:{\"port\": 0, \"serverKey\": \"x\"}",
        "say:{\"port\": 1234}",
        "say:[1, 2]",
        "say:",
        "say-hex:ff00fe7b0a",
        "say-record:3:said on standard output",
        "serve",
    ];
    let plugin = driver.load_manifest(plugin(&stray)).await.unwrap();
    let handshake = find_event(&records, event::INSTANCE_HANDSHAKE);
    assert_eq!(attribute(&handshake, "handshake.stray_lines"), 8);
    assert!(attribute(&handshake, "handshake.duration_ns").as_u64() > Some(0));
    let record = find(&records, "said on standard output");
    assert_eq!(record.source.as_deref(), Some("stdout"));

    command(
        &plugin,
        "stdout",
        json!({"text": "{\"port\": 1, \"serverKey\": \"late\"}"}),
    )
    .await;
    let raw = wait_for_raw(&records, &plugin, OutputStream::Stdout, b"late\"}\n");
    let text = String::from_utf8_lossy(&raw);
    assert!(text.starts_with("{ not JSON\n{}\n{\"port\": 0,"), "{text}");
    assert!(memchr::memmem::find(&raw, b"\xff\0\xfe{\n{\"plugobs\":1,").is_some());
    assert!(!text.contains("key: of"), "the handshake is no raw output");
    driver.shutdown().await;
}

#[tokio::test]
async fn a_plugin_may_print_its_handshake_a_moment_before_it_listens() {
    let (driver, _) = driver();
    let plugin = driver.load_manifest(plugin(&["serve-late"])).await.unwrap();
    let told = command(&plugin, "tell", json!({})).await;
    assert_eq!(told["metadata"]["authorization"], "key: of \"this\" plugin");
    driver.shutdown().await;
}

#[tokio::test]
async fn a_handshake_whose_port_does_not_answer_is_a_failure_to_connect() {
    let (driver, _) = driver();
    // Without a line feed: the end of the output ends the line.
    let script = "printf '{\"port\": 1, \"serverKey\": \"\"}'; exec 1>&-; exec sleep 600";
    let failure = failed_start(&driver, shell(script)).await;
    assert_eq!(failure.code(), FailureCode::ConnectFailed);
    let report = failure.report();
    assert_eq!(report.stage, "connect");
    assert!(report.message.contains("[::1]: "), "{report}");
    assert!(report.message.contains("127.0.0.1: "), "{report}");
    assert_eq!(report.exit.unwrap().signal, Some(9));
    driver.shutdown().await;
}

#[tokio::test]
async fn a_process_that_ends_after_its_handshake_is_not_waited_for() {
    let (driver, _) = driver();
    let script = "echo '{\"port\": 1, \"serverKey\": \"\"}'; exit 6";
    let failure = failed_start(&driver, shell(script)).await;
    assert_eq!(failure.code(), FailureCode::ConnectFailed);
    assert_eq!(failure.report().exit.unwrap().code, Some(6));
    assert!(failure.to_string().contains("right after its handshake"));
}

#[tokio::test]
async fn a_key_that_cannot_be_sent_is_a_failure_to_connect() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (driver, _) = driver();
    let script = format!(
        "echo '{{\"port\": {port}, \"serverKey\": \"two\\u000alines\"}}' | sed 's/x/x/'; exec sleep 600"
    );
    let failure = failed_start(&driver, shell(&script)).await;
    assert_eq!(failure.code(), FailureCode::ConnectFailed);
    assert!(failure.to_string().contains("serverKey"), "{failure}");
}

/// Something listens that speaks another language.
#[tokio::test]
async fn a_port_that_speaks_no_grpc_fails_the_init() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let stranger = std::thread::spawn(move || {
        while let Ok((mut connection, _)) = listener.accept() {
            let mut heard = [0; 1];
            if connection.read(&mut heard).unwrap_or(0) == 0 || heard == *b"q" {
                return;
            }
            let _ = connection.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let (driver, _) = driver();
    let script = format!("echo '{{\"port\": {port}, \"serverKey\": \"k\"}}'; exec sleep 600");
    let failure = failed_start(&driver, shell(&script)).await;
    let code = failure.code();
    let known = [FailureCode::InitRefused, FailureCode::ConnectionLost];
    assert!(known.contains(&code), "{failure}");
    assert_eq!(failure.report().operation.as_deref(), Some("InitPlugin"));
    driver.shutdown().await;
    std::net::TcpStream::connect(("127.0.0.1", port))
        .and_then(|mut connection| connection.write_all(b"q"))
        .unwrap();
    stranger.join().unwrap();
}

#[tokio::test]
async fn a_driver_that_goes_without_a_word_leaves_no_process() {
    let (driver, records) = driver();
    let plugin = driver.load_manifest(plugin(&["serve"])).await.unwrap();
    let pid = plugin.info().pid.unwrap();
    assert!(exists(pid));
    let spawned = find_event(&records, event::INSTANCE_SPAWNED);
    assert_eq!(attribute(&spawned, "process.pid"), pid);
    drop(plugin);
    tokio::task::spawn_blocking(move || drop(driver))
        .await
        .unwrap();
    super::support::wait_until_gone(pid);
}
