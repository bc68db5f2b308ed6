//! A panic as a record, before it takes its course (OBS-REC-31).

use std::time::Duration;

use plugobs_core::Text;
use plugobs_tracing::record_of_panic;

use crate::context::Context;
use crate::emitter::{SDK_TARGET, SharedEmitter, now};
use crate::transport::is_transport_thread;

/// How long a process that aborts on a panic waits for its last records.
const ABORT_WAIT: Duration = Duration::from_millis(500);

/// Emits each panic, then does what was done before.
pub(crate) fn install(emitter: SharedEmitter) {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let mut record = record_of_panic(info, Text::from_static(SDK_TARGET), now());
        emitter.emit(&mut record, Context::current().as_ref());
        if cfg!(panic = "abort") && !is_transport_thread() {
            // There is no other moment: nothing is unwound, no guard dropped.
            emitter.flush_before_abort(ABORT_WAIT);
        }
        before(info);
    }));
}
