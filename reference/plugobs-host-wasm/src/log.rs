//! The host's functions: what a component says, and what it is told to say.

use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;

use plugobs_core::registry::source;
use plugobs_core::{Record, Severity, Text, Timestamp};
use plugobs_driver::intake::{DroppedRange, InstanceIntake, Path};
use wasmtime::component::{Linker, WasmStr};
use wasmtime::{Result, StoreContextMut, StoreLimits};

use crate::bounds::Bounds;
use crate::entry::Entry;
use crate::record::{Memory, Shared};
#[cfg(feature = "wasi")]
use crate::wasi::Wasi;

/// An instance numbers its records in one epoch (OBS-WASM-23).
pub(crate) const EPOCH: u64 = 1;

/// Records that are handed to the driver together: one by one, most of a log
/// call would be spent on handing over.
const GATHERED: usize = 256;
/// And their bytes, by the texts that can be large.
const GATHERED_BYTES: usize = 64 * 1024;

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
    /// When the call has run for too long.
    deadline: Instant,
    dropped: Option<DroppedRange>,
    /// Taken in, and not handed over yet.
    gathered: Vec<Record>,
    gathered_bytes: usize,
    pub(crate) shared: Shared,
    #[cfg(feature = "wasi")]
    pub(crate) wasi: Wasi,
}

impl Speaker {
    pub(crate) fn new(intake: InstanceIntake, limits: StoreLimits, level: Arc<AtomicU8>) -> Self {
        Self {
            #[cfg(feature = "wasi")]
            wasi: Wasi::new(&intake),
            intake,
            limits,
            sequence: 0,
            level,
            level_of_call: 0,
            left: 0,
            deadline: Instant::now(),
            dropped: None,
            gathered: Vec::new(),
            gathered_bytes: 0,
            shared: Shared::default(),
        }
    }

    /// A call of an export begins, with these bounds.
    pub(crate) fn begin_call(&mut self, bounds: &Bounds) {
        self.left = bounds.call_records;
        self.deadline = Instant::now() + bounds.call_time;
        self.level_of_call = self.level.load(Ordering::Relaxed);
    }

    /// Comes by while the call runs; `false` where it has run for too long.
    pub(crate) fn tick(&mut self) -> bool {
        self.hand_over();
        Instant::now() < self.deadline
    }

    /// It has returned or trapped.
    pub(crate) fn end_call(&mut self) {
        self.hand_over();
        if let Some(range) = self.dropped.take() {
            self.intake.receive(PATH, Vec::new(), &[(EPOCH, range)]);
        }
    }

    /// Hands over what was gathered (OBS-WASM-44).
    fn hand_over(&mut self) {
        if self.gathered.is_empty() {
            return;
        }
        self.gathered_bytes = 0;
        let next = self.intake.vector(GATHERED);
        let gathered = mem::replace(&mut self.gathered, next);
        self.intake.receive_made(PATH, gathered);
    }

    /// Takes in the last record, which the host's `log` was called with.
    fn take_in(&mut self) {
        self.left -= 1;
        if let Some(record) = self.gathered.last_mut() {
            record.epoch = Some(EPOCH);
            record.sequence = Some(self.sequence);
            if record.plugin_instance_id.is_none() {
                // Code that runs before `init` cannot know better (OBS-WASM-02).
                let own = self.intake.instance_id().as_str();
                record.plugin_instance_id = Some(own.into());
            }
            self.gathered_bytes += record.message.len() + 64 * record.attributes.len();
        }
        if self.gathered.len() >= GATHERED || self.gathered_bytes >= GATHERED_BYTES {
            self.hand_over();
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

/// Gives components what they import: the functions of the interface `logging`.
pub(crate) fn link(linker: &mut Linker<Speaker>) -> Result<()> {
    // It has no functions, and stands among a component's imports all the same.
    linker.instance("plugobs:observability/types@0.1.0")?;
    let mut logging = linker.instance("plugobs:observability/logging@0.1.0")?;
    logging.func_wrap("log", log)?;
    logging.func_wrap("enabled", |store, (severity_number,): (u8,)| {
        Ok((severity_number >= store.data().level_of_call,))
    })
}

fn log(
    mut store: StoreContextMut<'_, Speaker>,
    (plugin_instance_id, test_run_id, entry): (WasmStr, Option<WasmStr>, Entry),
) -> Result<()> {
    let speaker = store.data_mut();
    // Numbered before anything is given up.
    speaker.sequence += 1;
    let is_over = speaker.left == 0;
    let mut memory = Memory::new(store);
    if is_over {
        let severity = memory.severity(&entry)?;
        memory.speaker().drop_one(severity);
    } else {
        // Records are made where they stay, which nobody else looks at meanwhile.
        let mut gathered = mem::take(&mut memory.speaker().gathered);
        gathered.push(Record::new(
            now(),
            Severity::INFO,
            Text::default(),
            Text::default(),
        ));
        let filled = gathered.last_mut().map_or(Ok(()), |record| {
            memory.fill(record, &plugin_instance_id, test_run_id.as_ref(), &entry)
        });
        if filled.is_err() {
            gathered.pop();
        }
        memory.speaker().gathered = gathered;
        filled?;
        memory.speaker().take_in();
    }
    Ok(())
}

/// The time by the driver's clock.
pub(crate) fn now() -> Timestamp {
    Timestamp::try_from(std::time::SystemTime::now()).unwrap_or_default()
}
