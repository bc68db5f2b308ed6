//! The host's functions: what a component says, and what it is told to say.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use plugobs_core::registry::source;
use plugobs_core::{Severity, Timestamp};
use plugobs_driver::intake::{DroppedRange, InstanceIntake, Path, Received};
use wasmtime::StoreLimits;

use crate::bindings::plugobs::observability::{logging, types};
use crate::record;

/// An instance numbers its records in one epoch (OBS-WASM-23).
pub(crate) const EPOCH: u64 = 1;

/// What is known to an instance's store is the driver's side of it: a component
/// has no hold on it.
pub(crate) struct Speaker {
    intake: InstanceIntake,
    pub(crate) limits: StoreLimits,
    sequence: u64,
    /// The least severity wanted, as it is set now.
    level: Arc<AtomicU8>,
    /// As it was when the call began (OBS-WASM-09).
    level_of_call: u8,
    /// Records that the call may still log.
    left: u64,
    dropped: Option<DroppedRange>,
}

impl Speaker {
    pub(crate) fn new(intake: InstanceIntake, limits: StoreLimits, level: Arc<AtomicU8>) -> Self {
        Self {
            intake,
            limits,
            sequence: 0,
            level,
            level_of_call: 0,
            left: 0,
            dropped: None,
        }
    }

    /// A call of an export begins, which may log so many records.
    pub(crate) fn begin_call(&mut self, records: u64) {
        self.left = records;
        self.level_of_call = self.level.load(Ordering::Relaxed);
    }

    /// It has returned or trapped.
    pub(crate) fn end_call(&mut self) {
        if let Some(range) = self.dropped.take() {
            self.intake.receive(PATH, Vec::new(), &[(EPOCH, range)]);
        }
    }

    /// The highest sequence so far; 0 for none.
    pub(crate) fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Counts a record above the bound of its call (OBS-WASM-30).
    fn drop_one(&mut self, severity: Severity) {
        let range = self.dropped.get_or_insert_with(|| DroppedRange {
            first: self.sequence,
            reason: "over the bound of records of one call".to_owned(),
            ..DroppedRange::default()
        });
        range.last = self.sequence;
        range.by_level[usize::from((severity.number() - 1) / 4).min(4)] += 1;
    }
}

/// A call of the host is made by the instance in whose store it was made
/// (OBS-WASM-03).
const PATH: Path = Path {
    source: source::WASM,
    verified: true,
};

/// The instance is gone, with all that it could say (OBS-WASM-41).
impl Drop for Speaker {
    fn drop(&mut self) {
        if self.sequence > 0 {
            self.intake.end_clean(EPOCH);
        }
    }
}

impl types::Host for Speaker {}

impl logging::Host for Speaker {
    fn log(
        &mut self,
        plugin_instance_id: String,
        test_run_id: Option<String>,
        entry: logging::LogRecord,
    ) {
        // Numbered before anything is given up.
        self.sequence += 1;
        let mut record = record::from_guest(plugin_instance_id, test_run_id, entry, now);
        if self.left == 0 {
            self.drop_one(record.severity);
            return;
        }
        self.left -= 1;
        record.epoch = Some(EPOCH);
        record.sequence = Some(self.sequence);
        if record.plugin_instance_id.is_none() {
            // Code that runs before `init` cannot know better (OBS-WASM-02).
            let own = self.intake.instance_id().as_str();
            record.plugin_instance_id = Some(own.into());
        }
        let received = Received::Record(Box::new(record));
        self.intake.receive(PATH, vec![received], &[]);
    }

    fn enabled(&mut self, severity_number: u8) -> bool {
        severity_number >= self.level_of_call
    }
}

/// The time by the driver's clock.
pub(crate) fn now() -> Timestamp {
    Timestamp::try_from(std::time::SystemTime::now()).unwrap_or_default()
}
