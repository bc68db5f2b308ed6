//! A panic as a record (OBS-REC-31).

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::PanicHookInfo;

use plugobs_core::{Exception, Record, Severity, Text, Timestamp};

/// The record of a panic, for a hook that emits it before the panic takes its
/// course. With a backtrace where `RUST_BACKTRACE` asks for one.
pub fn record_of_panic(info: &PanicHookInfo<'_>, target: Text, now: Timestamp) -> Record {
    let text = info.payload_as_str().unwrap_or("a panic without a text");
    let mut record = Record::new(now, Severity::ERROR, target, "");
    record.message = format!("panicked: {text}").into();
    let mut stack = String::new();
    if let Some(location) = info.location() {
        stack = format!("at {location}\n");
        record = record
            .with("code.file.path", location.file())
            .with("code.line.number", location.line());
    }
    let backtrace = Backtrace::capture();
    if backtrace.status() == BacktraceStatus::Captured {
        stack.push_str(&backtrace.to_string());
    }
    record.exception = Some(Exception {
        kind: Some("panic".to_owned()),
        message: Some(text.to_owned()),
        stack_trace: Some(stack).filter(|stack| !stack.is_empty()),
    });
    record
}
