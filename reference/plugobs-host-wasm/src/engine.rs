//! The engine that all components of a host share, and its clock.

use std::thread;
use std::time::Duration;

use wasmtime::{Config, Engine};

/// How often a host comes by a call that runs: one that runs too long is ended
/// about this much later than its bound, and its records wait no longer.
const TICK: Duration = Duration::from_millis(10);

/// Makes the engine, and the thread that tells it the time.
pub(crate) fn start() -> Result<Engine, String> {
    let mut config = Config::new();
    config.epoch_interruption(true);
    let engine = Engine::new(&config).map_err(|error| format!("no engine: {error:#}"))?;
    let weak = engine.weak();
    thread::Builder::new()
        .name("plugobs-wasm-clock".to_owned())
        .spawn(move || {
            // The thread ends with the engine.
            while let Some(engine) = weak.upgrade() {
                engine.increment_epoch();
                drop(engine);
                thread::sleep(TICK);
            }
        })
        .map_err(|error| format!("no thread for the engine's clock: {error}"))?;
    Ok(engine)
}
