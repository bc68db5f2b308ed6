//! A panic as a record, before it takes its course (OBS-REC-31).

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::PanicHookInfo;
use std::time::Duration;

use plugobs_core::{Exception, Record, Severity};

use crate::context::Context;
use crate::emitter::{SDK_TARGET, SharedEmitter, now};
use crate::transport::is_transport_thread;

/// How long a process that aborts on a panic waits for its last records.
const ABORT_WAIT: Duration = Duration::from_millis(500);

/// Emits each panic, then does what was done before.
pub(crate) fn install(emitter: SharedEmitter) {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        emitter.emit(&mut record_of(info), Context::current().as_ref());
        if cfg!(panic = "abort") && !is_transport_thread() {
            // There is no other moment: nothing is unwound, no guard dropped.
            emitter.flush_before_abort(ABORT_WAIT);
        }
        before(info);
    }));
}

fn record_of(info: &PanicHookInfo<'_>) -> Record {
    let text = info.payload_as_str().unwrap_or("a panic without a text");
    let mut record = Record::new(now(), Severity::ERROR, SDK_TARGET, "");
    record.message = format!("panicked: {text}").into();
    let mut stack = String::new();
    if let Some(location) = info.location() {
        stack = format!("at {location}\n");
        record = record
            .with("code.file.path", location.file())
            .with("code.line.number", location.line());
    }
    // As RUST_BACKTRACE says.
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
