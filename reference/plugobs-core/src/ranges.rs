//! Which sequence numbers have been seen.

use std::collections::BTreeMap;

/// A set of sequence numbers, kept as ranges: a stream without gaps costs one
/// entry, whatever its length. They count from 1 (OBS-ID-41); 0 is never in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SequenceSet {
    // First to last, both included; ranges neither overlap nor touch.
    ranges: BTreeMap<u64, u64>,
}

impl SequenceSet {
    /// Adds one number. `false` where it was in the set already, or is 0.
    pub fn insert(&mut self, sequence: u64) -> bool {
        // Nearly always it is the one after the highest.
        if let Some(mut highest) = self.ranges.last_entry()
            && highest.get().checked_add(1) == Some(sequence)
        {
            highest.insert(sequence);
            return true;
        }
        if sequence == 0 || self.contains(sequence) {
            return false;
        }
        self.insert_range(sequence, sequence);
        true
    }

    /// Adds `first..=last`. Numbers that are in the set already stay once.
    pub fn insert_range(&mut self, first: u64, last: u64) {
        let (mut first, mut last) = (first.max(1), last);
        if first > last {
            return;
        }
        // A range that overlaps or touches is taken into the new one. Those
        // before it are found by looking back from the end.
        while let Some((&f, &l)) = self.ranges.range(..=last.saturating_add(1)).next_back() {
            if l.saturating_add(1) < first {
                break;
            }
            self.ranges.remove(&f);
            first = first.min(f);
            last = last.max(l);
        }
        self.ranges.insert(first, last);
    }

    /// Whether the number is in the set.
    pub fn contains(&self, sequence: u64) -> bool {
        self.ranges
            .range(..=sequence)
            .next_back()
            .is_some_and(|(_, &last)| last >= sequence)
    }

    /// The highest n such that all of 1 to n are in the set; 0 for none.
    pub fn contiguous(&self) -> u64 {
        self.ranges.get(&1).copied().unwrap_or(0)
    }

    /// The range that holds the number.
    pub fn range_of(&self, sequence: u64) -> Option<(u64, u64)> {
        self.ranges
            .range(..=sequence)
            .next_back()
            .map(|(&first, &last)| (first, last))
            .filter(|(_, last)| *last >= sequence)
    }

    /// The highest number; 0 for none.
    pub fn highest(&self) -> u64 {
        self.ranges.last_key_value().map_or(0, |(_, &last)| last)
    }

    /// The ranges, ascending, both ends included.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.ranges.iter().map(|(&first, &last)| (first, last))
    }

    /// What is missing of 1 to `through`, as ranges.
    pub fn missing(&self, through: u64) -> Vec<(u64, u64)> {
        let mut missing = Vec::new();
        let mut next = 1;
        for (first, last) in self.iter().take_while(|(first, _)| *first <= through) {
            if first > next {
                missing.push((next, first - 1));
            }
            match last.checked_add(1) {
                Some(after) => next = after,
                // There is no number above it.
                None => return missing,
            }
        }
        if next <= through {
            missing.push((next, through));
        }
        missing
    }

    /// How many numbers are in the set.
    pub fn len(&self) -> u64 {
        self.iter().map(|(first, last)| last - first + 1).sum()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }
}
