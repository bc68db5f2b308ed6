//! The queue of records between the plugin and its transport: it numbers,
//! bounds, sheds and counts. It does no I/O and knows no clock.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use plugobs_core::Record;
use plugobs_core::registry::limit;

/// Bytes of one piece of memory for records. It goes when the last of them does,
/// so it is small beside the queue.
const CHUNK_BYTES: usize = 32 * 1024;

/// Bounds of a queue, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// All of it, encoded.
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
    level: usize,
    /// Whether the reserve is for it.
    reserved: bool,
}

impl Class {
    /// Of the SDK's own records.
    pub(crate) const RESERVED: Self = Self {
        level: 3,
        reserved: true,
    };

    pub(crate) fn of(record: &Record) -> Self {
        Self {
            level: usize::from((record.severity.number() - 1) / 4).min(4),
            reserved: record.is_reserved(),
        }
    }
}

#[derive(Debug)]
struct Entry {
    sequence: u64,
    /// `None` once it arrived, while one before it has not.
    encoded: Option<Bytes>,
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
///
/// What is in it stays until it is acknowledged; what is shed is shed when it
/// comes, by a threshold for each level, so that nothing is ever searched
/// (OBS-LIM-22).
#[derive(Debug, Default)]
pub(crate) struct Queue {
    bounds: Bounds,
    entries: VecDeque<Entry>,
    /// How many entries, from the front, are on the current path.
    sent: usize,
    dropped: VecDeque<Dropped>,
    dropped_sent: usize,
    bytes: usize,
    /// Of these, in the entries that are on the current path.
    sent_bytes: usize,
    last_sequence: u64,
    /// The rest of the piece of memory that the newest records are in.
    chunk: BytesMut,
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

    /// Bytes that the queue takes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes that wait to go on the current path.
    pub(crate) fn unsent_bytes(&self) -> usize {
        self.bytes - self.sent_bytes
    }

    /// Whether a record of that many bytes would be taken.
    pub(crate) fn has_room(&self, bytes: usize, class: Class) -> bool {
        let ordinary = self.bounds.queue.saturating_sub(self.bounds.reserve);
        let ceiling = match class {
            Class { reserved: true, .. } => self.bounds.queue,
            Class { level: 0, .. } => ordinary / 2,
            Class { level: 1, .. } => ordinary / 4 * 3,
            _ => ordinary,
        };
        self.bytes + bytes <= ceiling
    }

    /// Takes a record that was numbered last, or counts it as dropped.
    pub(crate) fn push(&mut self, sequence: u64, encoded: &[u8], class: Class) {
        if !self.has_room(encoded.len(), class) {
            self.count_dropped(sequence, class);
            return;
        }
        self.bytes += encoded.len();
        let encoded = self.store(encoded);
        self.entries.push_back(Entry {
            sequence,
            encoded: Some(encoded),
        });
    }

    /// Copies a record behind the one before, so that hundreds are in one
    /// piece of memory.
    fn store(&mut self, encoded: &[u8]) -> Bytes {
        if self.chunk.capacity() < encoded.len() {
            self.chunk = BytesMut::with_capacity(CHUNK_BYTES.max(encoded.len()));
        }
        self.chunk.extend_from_slice(encoded);
        self.chunk.split().freeze()
    }

    /// Counts a record that was numbered last as dropped.
    pub(crate) fn count_dropped(&mut self, sequence: u64, class: Class) {
        let mut by_level = [0; 5];
        by_level[class.level] = 1;
        // Only a range that is not yet on the stream can grow.
        if self.dropped.len() > self.dropped_sent
            && let Some(range) = self.dropped.back_mut()
            && range.last + 1 == sequence
        {
            range.last = sequence;
            range.by_level[class.level] += 1;
        } else {
            self.dropped.push_back(Dropped {
                first: sequence,
                last: sequence,
                by_level,
            });
        }
    }

    /// Whether there is something that is not on the current stream.
    pub(crate) fn has_unsent(&self) -> bool {
        self.sent < self.entries.len() || self.dropped_sent < self.dropped.len()
    }

    /// Whether everything is acknowledged.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.dropped.is_empty()
    }

    /// The next batch of at most `max` bytes of records, and of no more than
    /// `enough` where it has several; `None` where there is nothing that may be
    /// sent now.
    pub(crate) fn next_batch(&mut self, max: usize, enough: usize) -> Option<Batch> {
        let mut batch = Batch::default();
        while let Some(entry) = self.entries.get(self.sent) {
            if let Some(encoded) = &entry.encoded {
                let bytes = batch.bytes + encoded.len();
                if bytes > max || (bytes > enough && batch.bytes > 0) {
                    break;
                }
                batch.bytes += encoded.len();
                self.sent_bytes += encoded.len();
                batch.records.push((entry.sequence, encoded.clone()));
            }
            self.sent += 1;
        }
        // Ranges need no credit. So that a driver which acknowledges nothing is
        // not sent one for each record that is shed, a range goes alone only
        // while no other is on its way: until then it grows.
        if batch.records.is_empty() && self.dropped_sent > 0 {
            return None;
        }
        // A range goes with, or before, the batch of the next higher sequence
        // (OBS-STR-18).
        let next = self.entries.get(self.sent);
        let through = next.map_or(u64::MAX, |next| next.sequence);
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
            let was_sent = self.sent > 0;
            self.forget(entry.encoded.as_ref(), was_sent);
            self.sent = self.sent.saturating_sub(1);
        }
        while self.dropped.pop_front_if(|d| d.last <= through).is_some() {
            self.dropped_sent = self.dropped_sent.saturating_sub(1);
        }
    }

    fn forget(&mut self, encoded: Option<&Bytes>, was_sent: bool) {
        let bytes = encoded.map_or(0, Bytes::len);
        self.bytes -= bytes;
        if was_sent {
            self.sent_bytes -= bytes;
        }
    }

    /// A new stream: what is not acknowledged has to be sent again.
    pub(crate) fn rewind(&mut self) {
        self.sent = 0;
        self.sent_bytes = 0;
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

    /// The next record for a path that settles each on its own.
    pub(crate) fn next_single(&mut self) -> Option<(u64, Bytes)> {
        loop {
            let entry = self.entries.get(self.sent)?;
            self.sent += 1;
            if let Some(encoded) = &entry.encoded {
                self.sent_bytes += encoded.len();
                return Some((entry.sequence, encoded.clone()));
            }
        }
    }

    /// That record arrived, in whatever order.
    pub(crate) fn settle(&mut self, sequence: u64) {
        let at = self.entries.partition_point(|e| e.sequence < sequence);
        let found = self.entries.get_mut(at).filter(|e| e.sequence == sequence);
        let encoded = found.and_then(|entry| entry.encoded.take());
        self.forget(encoded.as_ref(), at < self.sent);
        while self.entries.front().is_some_and(|e| e.encoded.is_none()) {
            self.entries.pop_front();
            self.sent = self.sent.saturating_sub(1);
        }
    }

    /// Takes out what was shed, for a path that has no place for ranges.
    pub(crate) fn take_dropped(&mut self) -> Vec<Dropped> {
        self.dropped_sent = 0;
        self.dropped.drain(..).collect()
    }

    /// Puts back what was shed and is not reported.
    pub(crate) fn put_back_dropped(&mut self, dropped: Vec<Dropped>) {
        for range in dropped.into_iter().rev() {
            self.dropped.push_front(range);
        }
    }

    /// Takes out every record, for a path without acknowledgements.
    pub(crate) fn drain(&mut self) -> Vec<Bytes> {
        self.rewind();
        self.bytes = 0;
        self.entries.drain(..).filter_map(|e| e.encoded).collect()
    }

    /// Encodes every record anew.
    pub(crate) fn recode(&mut self, recode: impl Fn(&Bytes) -> Bytes) {
        for encoded in self.entries.iter_mut().filter_map(|e| e.encoded.as_mut()) {
            let recoded = recode(encoded);
            self.bytes = self.bytes - encoded.len() + recoded.len();
            *encoded = recoded;
        }
        let sent = self.entries.iter().take(self.sent);
        self.sent_bytes = sent
            .filter_map(|e| e.encoded.as_ref())
            .map(Bytes::len)
            .sum();
    }
}

#[cfg(test)]
mod tests;
