//! The end of a process that was asked to stop and does not.

use std::time::Instant;

use crate::emitter::SharedEmitter;

/// Ends the process at the driver's deadline, whatever it is still doing
/// (OBS-STR-15).
pub(super) fn end_by(emitter: &SharedEmitter, deadline: Instant) {
    let emitter = emitter.clone();
    // Beside everything that may hang. Without it, the driver ends the process.
    let _ = std::thread::Builder::new()
        .name("plugobs-stop".to_owned())
        .spawn(move || {
            std::thread::sleep(deadline.saturating_duration_since(Instant::now()));
            emitter.record_fault("the plugin had not ended by the driver's deadline");
            emitter.go_direct();
            std::process::exit(1);
        });
}
