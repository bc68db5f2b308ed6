//! The engine that all components of a host share, and its clock.

use std::thread;
use std::time::Duration;

use wasmtime::{Config, Engine};

/// A call that runs too long is ended at most this much later than its bound.
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

/// Ticks in which that much time has passed for sure.
pub(crate) fn ticks(time: Duration) -> u64 {
    // The first tick can come at once.
    u64::try_from(time.as_millis().div_ceil(TICK.as_millis())).map_or(u64::MAX / 2, |n| n + 1)
}
