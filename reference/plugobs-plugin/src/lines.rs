//! Records on standard error.

use std::io::Write;

use plugobs_core::{Record, sanitise, stderr_line};
use plugobs_proto::convert::decode_record;
use plugobs_proto::log_message::to_log_message;

/// Writes a record line (OBS-JSON-25).
pub(crate) fn write_line(record: &Record) {
    write(stderr_line::to_stderr_line(record));
}

/// Writes a record that was encoded for another path.
pub(crate) fn write_encoded(encoded: &[u8]) {
    // What this process encoded decodes.
    if let Ok(record) = decode_record(encoded) {
        write_line(&record);
    }
}

/// Writes a record as text for people. It is no record line: the record takes
/// another path.
pub(crate) fn write_text(record: &Record) {
    let message = to_log_message(record);
    write(format!(
        "{} {} {}: {}",
        record.timestamp,
        message.level,
        sanitise::line(&message.target),
        sanitise::line(&message.message),
    ));
}

/// One line, in one write, under the lock of standard error.
fn write(mut line: String) {
    line.push('\n');
    // Nobody is left to tell where this fails.
    let _ = std::io::stderr().lock().write_all(line.as_bytes());
}
