//! What the end of a component is called.

use wasmtime::Trap;

use crate::bounds::Bounds;

/// What happened, in one line.
pub(crate) fn describe(error: &wasmtime::Error, bounds: &Bounds) -> String {
    match error.downcast_ref::<Trap>() {
        Some(Trap::Interrupt) => {
            let time = bounds.call_time;
            format!("the call ran for more than {time:?}, the bound of one call")
        }
        Some(Trap::UnreachableCodeReached) => {
            "it gave up, as by a panic; its last records say why where its SDK logged it".to_owned()
        }
        Some(trap) => trap.to_string(),
        // A host function's or a bound's own words.
        None => {
            let told = error.root_cause().to_string();
            if told.contains("fuel") {
                let bytes = bounds.host_call_bytes;
                format!("a call to the host had more than {bytes} bytes of arguments ({told})")
            } else if told.contains("growing memory") {
                let bytes = bounds.memory_bytes;
                format!("it needed more than {bytes} bytes of memory ({told})")
            } else {
                told
            }
        }
    }
}
