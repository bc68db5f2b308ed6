//! Which records there are, by instance and epoch.

use std::collections::BTreeMap;

use plugobs_core::registry::{attribute, event};
use plugobs_core::{Record, SequenceSet};

use crate::manifest::{Eviction, Range};

/// What is known of the records of one instance and epoch.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeyTally {
    /// Sequences of records.
    pub(crate) seen: SequenceSet,
    /// Sequences that `records.dropped` counts.
    pub(crate) dropped: SequenceSet,
    /// Records without a sequence.
    pub(crate) unsequenced: u64,
}

/// Records by the instance that accounts for them, "" for none, and by epoch.
/// It grows with gaps and epochs, not with records.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    instances: BTreeMap<String, BTreeMap<Option<u64>, KeyTally>>,
}

impl Tally {
    /// Counts a record. `false` where its key was counted before.
    pub(crate) fn add(&mut self, record: &Record) -> bool {
        let entry = self.entry(
            record.accounted_instance().unwrap_or_default(),
            record.epoch,
        );
        if let Some((first, last)) = dropped_range(record) {
            entry.dropped.insert_range(first, last);
        }
        match record.sequence {
            Some(sequence) => entry.seen.insert(sequence),
            None => {
                entry.unsequenced += 1;
                true
            }
        }
    }

    /// Takes over what `other` counted.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (instance, epoch, key) in other.iter() {
            let entry = self.entry(instance, epoch);
            key.seen
                .iter()
                .for_each(|(f, l)| entry.seen.insert_range(f, l));
            key.dropped
                .iter()
                .for_each(|(f, l)| entry.dropped.insert_range(f, l));
            entry.unsequenced = entry.unsequenced.saturating_add(key.unsequenced);
        }
    }

    /// By instance and epoch; the instance is "" for none.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Option<u64>, &KeyTally)> {
        self.instances.iter().flat_map(|(instance, epochs)| {
            epochs
                .iter()
                .map(|(epoch, key)| (instance.as_str(), *epoch, key))
        })
    }

    pub(crate) fn entry(&mut self, instance: &str, epoch: Option<u64>) -> &mut KeyTally {
        // Looked up first, because nearly always it is there and a key of its
        // own would be made for nothing.
        if !self.instances.contains_key(instance) {
            self.instances.insert(instance.to_owned(), BTreeMap::new());
        }
        self.instances
            .get_mut(instance)
            .expect("it was inserted where it was missing")
            .entry(epoch)
            .or_default()
    }

    /// As the manifest states what was evicted.
    pub(crate) fn to_evictions(&self) -> Vec<Eviction> {
        self.iter()
            .map(|(instance, epoch, key)| Eviction {
                plugin_instance_id: (!instance.is_empty()).then(|| instance.to_owned()),
                // The schema has no epoch without an instance.
                epoch: epoch.filter(|_| !instance.is_empty()),
                ranges: Range::list(&key.seen),
                dropped_ranges: Range::list(&key.dropped),
                unsequenced_records: key.unsequenced,
            })
            .collect()
    }

    /// From what a manifest states.
    pub(crate) fn from_evictions(evictions: &[Eviction]) -> Self {
        let mut tally = Self::default();
        for eviction in evictions {
            let instance = eviction.plugin_instance_id.as_deref().unwrap_or_default();
            let entry = tally.entry(instance, eviction.epoch);
            for range in &eviction.ranges {
                entry.seen.insert_range(range.first, range.last);
            }
            for range in &eviction.dropped_ranges {
                entry.dropped.insert_range(range.first, range.last);
            }
            entry.unsequenced = entry
                .unsequenced
                .saturating_add(eviction.unsequenced_records);
        }
        tally
    }
}

/// The sequences that a record counts as dropped. Only the driver's word
/// counts: a plugin's own report comes to it first.
pub(crate) fn dropped_range(record: &Record) -> Option<(u64, u64)> {
    if !record.is_from_driver() || record.event_name.as_deref() != Some(event::RECORDS_DROPPED) {
        return None;
    }
    let number = |name| u64::try_from(record.attribute(name)?.as_int()?).ok();
    let (first, last) = (
        number(attribute::DROPPED_FIRST)?,
        number(attribute::DROPPED_LAST)?,
    );
    (1 <= first && first <= last).then_some((first, last))
}
