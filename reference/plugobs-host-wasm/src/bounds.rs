//! What a component may use up.

use std::time::Duration;

use plugobs_core::registry::limit;

/// Bounds of components (OBS-WASM-27). Each is there so that a component which
/// goes wrong harms itself alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bounds {
    /// Bytes of an instance's memory; more of them is a trap.
    pub memory_bytes: usize,
    /// How long one call of an export may run; longer is a trap.
    pub call_time: Duration,
    /// Bytes of the arguments of one call that a component makes to its host;
    /// more of them is a trap, before any is copied.
    pub host_call_bytes: usize,
    /// Records of one call of an export; those above are counted as dropped.
    pub call_records: u64,
    /// Instances at one time; no more are started.
    pub instances: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            memory_bytes: limit::COMPONENT_MEMORY_BYTES_DEFAULT,
            call_time: limit::COMPONENT_CALL_WAIT_DEFAULT,
            host_call_bytes: limit::COMPONENT_HOST_CALL_BYTES_DEFAULT,
            call_records: limit::COMPONENT_CALL_RECORDS_DEFAULT as u64,
            instances: limit::COMPONENT_INSTANCES_DEFAULT,
        }
    }
}
