//! Raw output: every byte of it, whatever it is, within bounded memory.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::time::Duration;

use plugobs_core::registry::event;
use plugobs_driver::sink::{OutputStream, Sink, SinkError, SinkEvent};
use serde_json::json;

use super::support::{
    attribute, command, driver, driver_with, failed_start, find, find_event, plugin, raw,
    run_alone, shell, shell_around_plugin, wait_for_raw,
};

#[tokio::test]
async fn bytes_that_are_no_text_harm_nobody() {
    let (driver, records) = driver();
    let steps = ["err-hex:62616420ff fe00 c328 0d 0a f09f 0a", "serve"];
    let plugin = driver.load_manifest(plugin(&steps)).await.unwrap();
    command(&plugin, "stderr", json!({"text": "still here"})).await;
    let expected = b"bad \xff\xfe\0\xc3(\r\n\xf0\x9f\nstill here\n";
    let raw = wait_for_raw(&records, &plugin, OutputStream::Stderr, b"still here\n");
    assert_eq!(raw, expected);
    driver.shutdown().await;
}

#[tokio::test]
async fn record_lines_are_records_and_stay_in_the_raw_output() {
    let (driver, records) = driver();
    let steps = [
        "err-record:1:structured",
        "err:{\"plugobs\":1,broken",
        "serve",
    ];
    let plugin = driver.load_manifest(plugin(&steps)).await.unwrap();
    let record = find(&records, "structured");
    assert_eq!(record.source.as_deref(), Some("stderr"));
    assert_eq!((record.epoch, record.sequence), (Some(9), Some(1)));
    let instance = plugin.instance_id().as_str();
    assert_eq!(record.plugin_instance_id.as_deref(), Some(instance));
    assert!(record.marks.is_empty(), "{:?}", record.marks);

    let broken = b"{\"plugobs\":1,broken\n";
    let raw = wait_for_raw(&records, &plugin, OutputStream::Stderr, broken);
    assert!(raw.starts_with(b"{\"plugobs\":1,\"timestamp\""));
    driver.shutdown().await;
    let of_pipes = |r: &&plugobs_core::Record| r.source.as_deref() == Some("stderr");
    assert_eq!(records.all().iter().filter(of_pipes).count(), 1);
}

#[tokio::test]
async fn a_record_line_over_the_limit_is_raw_output() {
    let (driver, records) = driver();
    let text = "long ".repeat(8_000);
    let line = format!(
        "err:{{\"plugobs\":1,\"timestamp\":\"2026-01-01T00:00:00Z\",\"message\":\"{text}\"}}"
    );
    let plugin = driver
        .load_manifest(plugin(&[&line, "serve"]))
        .await
        .unwrap();
    wait_for_raw(&records, &plugin, OutputStream::Stderr, b"long \"}\n");
    driver.shutdown().await;
    assert!(
        !records
            .all()
            .iter()
            .any(|r| r.source.as_deref() == Some("stderr"))
    );
}

#[tokio::test]
async fn the_last_words_of_a_plugin_are_read() {
    // Killed for want of a handshake, it says nothing more; what it said is in.
    let (driver, _) = driver_with(|b| b.handshake_timeout(Duration::from_millis(400)));
    let script = "printf 'no line feed' >&2; exec sleep 600";
    let failure = failed_start(&driver, shell(script)).await;
    assert_eq!(failure.report().stderr_tail, ["no line feed"]);
    driver.shutdown().await;
}

#[tokio::test]
async fn what_a_plugin_says_when_it_is_terminated_is_read() {
    let (driver, records) = driver();
    let script = "trap 'echo asked to end >&2; printf \"and gone\" >&2; exit 0' TERM";
    let plugin = driver
        .load_manifest(shell_around_plugin(script, &["serve"]))
        .await
        .unwrap();
    plugin.stop().await;
    let said = wait_for_raw(&records, &plugin, OutputStream::Stderr, b"gone");
    assert_eq!(said, b"asked to end\nand gone");
    let exited = find_event(&records, event::INSTANCE_EXITED);
    assert_eq!(attribute(&exited, "process.exit_code"), 0);
    driver.shutdown().await;
}

/// In a process of its own, because other tests use memory too.
#[test]
fn a_line_of_200_mb_costs_no_memory() {
    const HERE: &str = "HOSTED_MEMORY_TEST";
    if std::env::var_os(HERE).is_some() {
        return long_line();
    }
    run_alone("output::a_line_of_200_mb_costs_no_memory", HERE);
}

fn long_line() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let spool = Spool(file.reopen().unwrap());
    let (driver, records) = driver_with(|b| b.sink(spool));
    let before = resident_kib("VmRSS");
    let steps = ["err-mib:200", "err:", "err:after it", "serve"];
    let plugin = driver.wait(driver.load_manifest(plugin(&steps))).unwrap();
    // The memory sink keeps the beginning only.
    assert_eq!(raw(&records, &plugin, OutputStream::Stderr)[..3], *b"xxx");
    let told = driver.wait(command(&plugin, "tell", json!({})));
    assert!(told["environment"].is_object());
    driver.wait(driver.shutdown());
    let grown = resident_kib("VmHWM") - before;
    assert!(grown < 64 * 1024, "memory grew by {grown} KiB");

    let length = 200 * 1024 * 1024 + "\nafter it\n".len() as u64;
    assert_eq!(file.as_file().metadata().unwrap().len(), length);
    file.seek(SeekFrom::End(-12)).unwrap();
    let mut end = String::new();
    file.read_to_string(&mut end).unwrap();
    assert_eq!(end, "xx\nafter it\n");
}

/// Keeps raw output in a file, as a run folder does.
struct Spool(File);

impl Sink for Spool {
    fn name(&self) -> &str {
        "spool"
    }

    fn accept(&mut self, event: &SinkEvent) -> Result<(), SinkError> {
        if let SinkEvent::Output { bytes, .. } = event {
            self.0.write_all(bytes).unwrap();
        }
        Ok(())
    }

    fn is_durable(&self) -> bool {
        true
    }
}

/// A line of this process's status, in KiB.
#[cfg(target_os = "linux")]
fn resident_kib(line: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with(line)).unwrap();
    let number = line.split_ascii_whitespace().nth(1).unwrap();
    number.parse().unwrap()
}

/// Elsewhere the system tells it another way; the rest of the test holds.
#[cfg(not(target_os = "linux"))]
fn resident_kib(_line: &str) -> u64 {
    0
}
