//! The books of an instance's sequences: what was taken in, what was counted
//! as dropped, and what of it is with the durable sink.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use plugobs_core::SequenceSet;

use super::DroppedRange;
use super::instance::{InstanceState, lock};
use crate::info::EpochInfo;

/// One book for each epoch.
#[derive(Default)]
pub(crate) struct Accounts(Mutex<BTreeMap<u64, Epoch>>);

#[derive(Default)]
struct Epoch {
    /// Taken in, or counted.
    seen: SequenceSet,
    /// Of these, with the durable sink.
    settled: SequenceSet,
    /// Whether the emitter ended its path in order.
    clean: bool,
}

/// Sequences that wait for the durable sink.
pub(crate) struct Settle {
    instance: Arc<InstanceState>,
    /// Epoch, first, last.
    ranges: Vec<(u64, u64, u64)>,
}

impl Settle {
    pub(crate) fn new(instance: &Arc<InstanceState>) -> Self {
        Self {
            instance: instance.clone(),
            ranges: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, epoch: u64, first: u64, last: u64) {
        // A batch without a gap costs one entry.
        match self.ranges.last_mut() {
            Some((e, _, l)) if *e == epoch && l.checked_add(1) == Some(first) => *l = last,
            _ => self.ranges.push((epoch, first, last)),
        }
    }

    /// The sink has them, or they count as lost to it.
    pub(crate) fn done(self) {
        let mut epochs = lock(&self.instance.accounts.0);
        for (epoch, first, last) in self.ranges {
            let book = epochs.entry(epoch).or_default();
            book.settled.insert_range(first, last);
        }
        drop(epochs);
        self.instance.settled.send_modify(|changes| *changes += 1);
    }
}

/// The books while the records of one batch are written into them.
pub(crate) struct Booking<'a>(MutexGuard<'a, BTreeMap<u64, Epoch>>);

impl Booking<'_> {
    /// Books a sequence; `false` where it was booked before.
    pub(crate) fn take_in(&mut self, epoch: u64, sequence: u64) -> bool {
        self.0.entry(epoch).or_default().seen.insert(sequence)
    }
}

impl Accounts {
    /// Opens the books for the records of one batch.
    pub(crate) fn book(&self) -> Booking<'_> {
        Booking(lock(&self.0))
    }

    /// Books what of the range was not booked before, and tells it.
    pub(crate) fn take_in_missing(&self, epoch: u64, range: &DroppedRange) -> Vec<(u64, u64)> {
        if epoch == 0 || range.first == 0 || range.first > range.last {
            return Vec::new();
        }
        let mut epochs = lock(&self.0);
        let seen = &mut epochs.entry(epoch).or_default().seen;
        let missing = seen
            .missing(range.last)
            .into_iter()
            .map(|(first, last)| (first.max(range.first), last))
            .filter(|(first, last)| first <= last)
            .collect();
        seen.insert_range(range.first, range.last);
        missing
    }

    /// Each epoch with its highest sequence.
    pub(crate) fn highest(&self) -> Vec<(u64, u64)> {
        lock(&self.0)
            .iter()
            .map(|(epoch, book)| (*epoch, book.seen.highest()))
            .collect()
    }

    /// The highest n such that everything from `first` to n is settled.
    pub(crate) fn settled_through(&self, epoch: u64, first: u64) -> u64 {
        lock(&self.0)
            .get(&epoch)
            .and_then(|book| book.settled.range_of(first))
            .map_or(first.saturating_sub(1), |(_, last)| last)
    }

    /// The emitter ended its path in order: nothing came after.
    pub(crate) fn end_clean(&self, epoch: u64) {
        lock(&self.0).entry(epoch).or_default().clean = true;
    }

    /// What the manifest says of each epoch (OBS-FAIL-23).
    pub(crate) fn describe(&self) -> Vec<EpochInfo> {
        lock(&self.0)
            .iter()
            .map(|(epoch, book)| EpochInfo {
                epoch: *epoch,
                settled_through: book.settled.contiguous(),
                clean: book.clean,
            })
            .collect()
    }
}
