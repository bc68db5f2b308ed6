//! Records on standard error.

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use plugobs_core::{Record, sanitise, stderr_line};
use plugobs_proto::convert::decode_record;
use plugobs_proto::log_message::to_log_message;

/// What a pipe that says it can be written takes without a wait: `PIPE_BUF`.
const PIPE_BYTES: usize = 4096;
/// How long a reader of standard error may pause once, before lines are given up.
const PATIENCE: Duration = Duration::from_millis(100);

/// Lines that were given up since the last that was written.
static LOST: AtomicU64 = AtomicU64::new(0);

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

/// One line, under the lock of standard error. A reader that has stopped to
/// read holds up no log call (OBS-LIM-17): the line is given up, and counted.
fn write(mut line: String) {
    let mut stderr = std::io::stderr().lock();
    let lost = LOST.load(Ordering::Relaxed);
    if lost > 0 && is_writable(&stderr, Duration::ZERO) {
        LOST.store(0, Ordering::Relaxed);
        // Below what is left of a line. Where this fails, nobody is left to tell.
        let _ = writeln!(
            stderr,
            "\nplugobs: nobody read standard error, {lost} lines are lost"
        );
    }
    line.push('\n');
    // Who did not read the last line is not waited for again.
    let patience = if lost > 0 { Duration::ZERO } else { PATIENCE };
    for part in line.as_bytes().chunks(PIPE_BYTES) {
        if !is_writable(&stderr, patience) {
            LOST.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let _ = stderr.write_all(part);
    }
}

/// Whether a part of a line would be taken at once, or within `patience`.
#[cfg(unix)]
fn is_writable(stderr: &impl std::os::fd::AsFd, patience: Duration) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let timeout = Timespec::try_from(patience).ok();
    let mut polled = [PollFd::new(stderr, PollFlags::OUT)];
    // Where it cannot be asked, the write says what is wrong.
    poll(&mut polled, timeout.as_ref()).map_or(true, |ready| ready > 0)
}

/// A pipe cannot be asked here.
#[cfg(not(unix))]
fn is_writable(_: &impl Sized, _: Duration) -> bool {
    true
}
