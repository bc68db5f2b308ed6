//! The queue of records between the plugin and its transport: it numbers,
//! bounds, sheds and counts. It does no I/O and knows no clock.

use std::collections::VecDeque;

use bytes::Bytes;
use plugobs_core::registry::limit;

/// Bytes that the framing of a record in the queue takes beside its encoding.
const ENTRY_OVERHEAD: usize = 64;

/// Bounds of a queue, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// All of it.
    pub(crate) queue: usize,
    /// The part that is kept for WARN and above, lifecycle and user records.
    pub(crate) reserve: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            queue: limit::PLUGIN_QUEUE_BYTES_DEFAULT,
            reserve: limit::PLUGIN_RESERVE_BYTES_DEFAULT,
        }
    }
}

/// How a record is treated when there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Class {
    /// 0 for TRACE to 4 for ERROR.
    pub(crate) level: usize,
    /// Whether the reserve is for it.
    pub(crate) reserved: bool,
}

#[derive(Debug)]
struct Entry {
    sequence: u64,
    encoded: Bytes,
    class: Class,
    in_reserve: bool,
    /// Sent once: it is kept until it is acknowledged.
    was_sent: bool,
}

impl Entry {
    fn weight(&self) -> usize {
        self.encoded.len() + ENTRY_OVERHEAD
    }
}

/// Sequences that were shed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Dropped {
    pub(crate) first: u64,
    pub(crate) last: u64,
    /// TRACE, DEBUG, INFO, WARN, ERROR.
    pub(crate) by_level: [u64; 5],
}

/// What goes into one message.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Batch {
    pub(crate) records: Vec<(u64, Bytes)>,
    pub(crate) dropped: Vec<Dropped>,
    /// Of the records' encodings.
    pub(crate) bytes: usize,
}

/// Records that were emitted and not yet acknowledged, in order of emission.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    bounds: Bounds,
    entries: VecDeque<Entry>,
    /// How many entries, from the front, are on the current stream.
    sent: usize,
    dropped: VecDeque<Dropped>,
    dropped_sent: usize,
    ordinary_bytes: usize,
    reserve_bytes: usize,
    last_sequence: u64,
}

impl Queue {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            ..Self::default()
        }
    }

    /// Numbers a record: before anything is shed (OBS-ID-41).
    pub(crate) fn number(&mut self) -> u64 {
        self.last_sequence += 1;
        self.last_sequence
    }

    /// The highest sequence so far; 0 for none.
    pub(crate) fn last_sequence(&self) -> u64 {
        self.last_sequence
    }

    /// Takes a record that was numbered, or counts it as dropped.
    pub(crate) fn push(&mut self, sequence: u64, encoded: Bytes, class: Class) {
        let weight = encoded.len() + ENTRY_OVERHEAD;
        let Some(in_reserve) = self.make_room(weight, class) else {
            self.count_dropped(sequence, class.level);
            return;
        };
        *self.pool(in_reserve) += weight;
        self.entries.push_back(Entry {
            sequence,
            encoded,
            class,
            in_reserve,
            was_sent: false,
        });
    }

    fn pool(&mut self, in_reserve: bool) -> &mut usize {
        if in_reserve {
            &mut self.reserve_bytes
        } else {
            &mut self.ordinary_bytes
        }
    }

    /// Finds room, at the expense of lower operational levels: TRACE goes
    /// first, then DEBUG, then INFO (OBS-LIM-22). Tells whether it is in the
    /// reserve.
    fn make_room(&mut self, weight: usize, class: Class) -> Option<bool> {
        let ordinary = self.bounds.queue.saturating_sub(self.bounds.reserve);
        if class.reserved && self.reserve_bytes + weight <= self.bounds.reserve {
            return Some(true);
        }
        // What has the reserve displaces every ordinary level.
        let below = if class.reserved { 3 } else { class.level };
        for level in 0..=below {
            if self.ordinary_bytes + weight <= ordinary {
                return Some(false);
            }
            if level < below {
                self.shed(level);
            }
        }
        None
    }

    /// Drops what has not been sent of one operational level.
    fn shed(&mut self, level: usize) {
        let mut shed = Vec::new();
        self.entries.retain(|entry| {
            let goes = !entry.was_sent && !entry.class.reserved && entry.class.level == level;
            if goes {
                shed.push((entry.sequence, entry.weight()));
            }
            !goes
        });
        for (sequence, weight) in shed {
            self.ordinary_bytes -= weight;
            self.count_dropped(sequence, level);
        }
    }

    /// Adds a sequence to the ranges, which stay in order.
    fn count_dropped(&mut self, sequence: u64, level: usize) {
        let at = self
            .dropped
            .partition_point(|range| range.first <= sequence);
        let mut by_level = [0; 5];
        by_level[level] = 1;
        // Only a range that is not yet on the stream can grow.
        let before = at
            .checked_sub(1)
            .filter(|before| *before >= self.dropped_sent);
        if let Some(before) = before
            && self.dropped[before].last + 1 == sequence
        {
            let range = &mut self.dropped[before];
            range.last = sequence;
            range.by_level[level] += 1;
        } else {
            let range = Dropped {
                first: sequence,
                last: sequence,
                by_level,
            };
            self.dropped.insert(at, range);
        }
    }

    /// Whether there is something that is not on the current stream.
    pub(crate) fn has_unsent(&self) -> bool {
        self.sent < self.entries.len() || self.dropped_sent < self.dropped.len()
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.dropped.is_empty()
    }

    /// The next batch of at most `max` bytes of records; `None` where there is
    /// nothing that fits.
    pub(crate) fn next_batch(&mut self, max: usize) -> Option<Batch> {
        let mut batch = Batch::default();
        while let Some(entry) = self.entries.get_mut(self.sent)
            && batch.bytes + entry.encoded.len() <= max
        {
            entry.was_sent = true;
            batch.bytes += entry.encoded.len();
            batch.records.push((entry.sequence, entry.encoded.clone()));
            self.sent += 1;
        }
        // A range goes with, or before, the batch of the next higher sequence
        // (OBS-STR-18).
        let through = match self.entries.get(self.sent) {
            Some(next) => next.sequence,
            None => u64::MAX,
        };
        while let Some(range) = self.dropped.get(self.dropped_sent)
            && range.first < through
        {
            batch.dropped.push(range.clone());
            self.dropped_sent += 1;
        }
        (batch != Batch::default()).then_some(batch)
    }

    /// Everything up to here is stored or counted by the driver.
    pub(crate) fn acknowledge(&mut self, through: u64) {
        while let Some(entry) = self.entries.pop_front_if(|e| e.sequence <= through) {
            *self.pool(entry.in_reserve) -= entry.weight();
            self.sent = self.sent.saturating_sub(1);
        }
        while self.dropped.pop_front_if(|d| d.last <= through).is_some() {
            self.dropped_sent = self.dropped_sent.saturating_sub(1);
        }
    }

    /// A new stream: what is not acknowledged has to be sent again.
    pub(crate) fn rewind(&mut self) {
        self.sent = 0;
        self.dropped_sent = 0;
    }

    /// The lowest sequence that can still be sent.
    pub(crate) fn first_sequence(&self) -> u64 {
        let entry = self.entries.front().map(|e| e.sequence);
        let dropped = self.dropped.front().map(|d| d.first);
        match (entry, dropped) {
            (Some(a), Some(b)) => a.min(b),
            (a, b) => a.or(b).unwrap_or(self.last_sequence + 1),
        }
    }

    /// Takes out everything, for a path without acknowledgements. The dropped
    /// ranges are forgotten: that path has no place for them.
    pub(crate) fn drain(&mut self) -> Vec<Bytes> {
        self.rewind();
        self.dropped.clear();
        (self.ordinary_bytes, self.reserve_bytes) = (0, 0);
        self.entries.drain(..).map(|entry| entry.encoded).collect()
    }

    /// Takes out the first record, for a path without acknowledgements.
    pub(crate) fn pop(&mut self) -> Option<Bytes> {
        self.rewind();
        self.dropped.clear();
        let entry = self.entries.pop_front()?;
        *self.pool(entry.in_reserve) -= entry.weight();
        Some(entry.encoded)
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.ordinary_bytes + self.reserve_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds {
        queue: 10_000,
        reserve: 2_000,
    };

    fn class(level: usize) -> Class {
        Class {
            level,
            reserved: level >= 3,
        }
    }

    fn emit(queue: &mut Queue, level: usize, bytes: usize) -> u64 {
        let sequence = queue.number();
        queue.push(sequence, Bytes::from(vec![0; bytes]), class(level));
        sequence
    }

    /// Every sequence that the queue would still send.
    fn everything(queue: &mut Queue) -> Vec<u64> {
        queue.rewind();
        let mut all = Vec::new();
        while let Some(batch) = queue.next_batch(1 << 20) {
            all.extend(batch.records.iter().map(|(sequence, _)| *sequence));
            for range in batch.dropped {
                assert_eq!(
                    range.by_level.iter().sum::<u64>(),
                    range.last - range.first + 1
                );
                all.extend(range.first..=range.last);
            }
        }
        all.sort_unstable();
        all
    }

    #[test]
    fn batches_keep_order_and_bound() {
        let mut queue = Queue::new(BOUNDS);
        for _ in 0..5 {
            emit(&mut queue, 2, 100);
        }
        assert_eq!(queue.next_batch(99), None);
        let batch = queue.next_batch(250).unwrap();
        let sequences: Vec<_> = batch.records.iter().map(|r| r.0).collect();
        assert_eq!((sequences, batch.bytes), (vec![1, 2], 200));
        queue.acknowledge(1);
        assert_eq!(queue.next_batch(1000).unwrap().records[0].0, 3);
        assert!(!queue.has_unsent());
        queue.rewind();
        assert_eq!(queue.first_sequence(), 2);
        assert_eq!(queue.next_batch(1000).unwrap().records[0].0, 2);
        queue.acknowledge(5);
        assert!(queue.is_empty());
        assert_eq!(queue.bytes(), 0);
        assert_eq!(queue.first_sequence(), 6);
    }

    #[test]
    fn trace_goes_first_then_debug_then_info_and_the_reserve_stays() {
        let mut queue = Queue::new(BOUNDS);
        for level in [0, 1, 2, 0, 1, 2] {
            emit(&mut queue, level, 1_200);
        }
        // No room is left: INFO displaces both TRACE, and has room for two.
        emit(&mut queue, 2, 1_200);
        emit(&mut queue, 2, 1_200);
        let ranges: Vec<_> = queue.dropped.iter().map(|d| (d.first, d.last)).collect();
        assert_eq!(ranges, [(1, 1), (4, 4)]);
        // TRACE displaces nobody.
        let trace = emit(&mut queue, 0, 1_200);
        assert_eq!(queue.dropped.back().map(|d| d.first), Some(trace));
        // WARN has the reserve, and beyond it displaces what is lower.
        let warn: Vec<_> = (0..5).map(|_| emit(&mut queue, 3, 900)).collect();
        assert!(queue.entries.iter().filter(|e| e.class.level == 3).count() == 5);
        assert!(queue.bytes() <= BOUNDS.queue);
        let last = *warn.last().unwrap();
        assert_eq!(everything(&mut queue), (1..=last).collect::<Vec<_>>());
    }

    #[test]
    fn what_was_sent_is_kept_until_it_is_acknowledged() {
        let mut queue = Queue::new(BOUNDS);
        for _ in 0..6 {
            emit(&mut queue, 0, 1_200);
        }
        queue.next_batch(1 << 20);
        let refused = emit(&mut queue, 2, 1_200);
        assert_eq!(queue.dropped.front().map(|d| d.first), Some(refused));
        assert_eq!(queue.entries.len(), 6);
    }

    #[test]
    fn every_sequence_is_a_record_or_in_a_range_whatever_happens() {
        // A small generator: the same walk on every machine.
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut random = move |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        for _ in 0..200 {
            let mut queue = Queue::new(BOUNDS);
            let mut arrived = plugobs_core::SequenceSet::default();
            for _ in 0..400 {
                match random(10) {
                    0..=6 => {
                        let level = usize::try_from(random(5)).unwrap();
                        emit(&mut queue, level, usize::try_from(random(1_500)).unwrap());
                        assert!(queue.bytes() <= BOUNDS.queue);
                    }
                    7 => {
                        if let Some(batch) = queue.next_batch(3_000) {
                            let highest = batch.records.last().map_or(0, |r| r.0);
                            for (sequence, _) in batch.records {
                                arrived.insert(sequence);
                            }
                            for range in batch.dropped {
                                arrived.insert_range(range.first, range.last);
                            }
                            // Ordered: nothing below is still to come.
                            assert!(arrived.contiguous() >= highest);
                        }
                    }
                    8 => queue.acknowledge(arrived.contiguous()),
                    _ => queue.rewind(),
                }
            }
            for sequence in everything(&mut queue) {
                arrived.insert(sequence);
            }
            assert_eq!(arrived.contiguous(), queue.last_sequence());
        }
    }
}
