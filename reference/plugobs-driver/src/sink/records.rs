//! Records as sinks get them, and the memory that they are in.

use std::mem;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use plugobs_core::Record;

/// Vectors that wait to be used again: as many as are filled, queued and
/// written at the same time where records come as fast as they can.
const SPARE: usize = 4;
/// A longer one is of a rare batch, and its memory is given back.
const LONGEST_SPARE: usize = 1024;

/// Records that came together, shared by all sinks.
#[derive(Debug, Clone)]
pub struct Records(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    // The vector is shared as it is: its records are large, and copying them
    // would cost more than all else that a driver does to them.
    records: Vec<Record>,
    home: Option<SpareRecords>,
}

/// Vectors whose records are gone. Memory for a batch is large enough that the
/// system would be asked for it, and would clear it, each time anew.
#[derive(Debug, Clone, Default)]
pub(crate) struct SpareRecords(Arc<Mutex<Vec<Vec<Record>>>>);

impl SpareRecords {
    /// An empty vector with room for so many.
    pub(crate) fn take(&self, room: usize) -> Vec<Record> {
        let spare = self.lock(Vec::pop);
        let mut records = spare.unwrap_or_default();
        records.reserve(room);
        records
    }

    /// Records whose vector comes back here.
    pub(crate) fn share(&self, records: Vec<Record>) -> Records {
        Records(Arc::new(Shared {
            records,
            home: Some(self.clone()),
        }))
    }

    fn give_back(&self, mut records: Vec<Record>) {
        if records.capacity() <= LONGEST_SPARE {
            records.clear();
            self.lock(|spare| {
                if spare.len() < SPARE {
                    spare.push(records);
                }
            });
        }
    }

    fn lock<T>(&self, act: impl FnOnce(&mut Vec<Vec<Record>>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(home) = &self.home {
            home.give_back(mem::take(&mut self.records));
        }
    }
}

impl From<Vec<Record>> for Records {
    fn from(records: Vec<Record>) -> Self {
        Self(Arc::new(Shared {
            records,
            home: None,
        }))
    }
}

impl<const N: usize> From<[Record; N]> for Records {
    fn from(records: [Record; N]) -> Self {
        Vec::from(records).into()
    }
}

impl Deref for Records {
    type Target = [Record];

    fn deref(&self) -> &[Record] {
        &self.0.records
    }
}

#[cfg(test)]
mod tests {
    use plugobs_core::{Severity, Timestamp};

    use super::*;

    fn records(room: usize) -> Vec<Record> {
        let mut records = SpareRecords::default().take(room);
        records.push(Record::new(Timestamp::default(), Severity::INFO, "t", "m"));
        records
    }

    #[test]
    fn a_vector_is_used_again_once_nobody_has_its_records() {
        let spare = SpareRecords::default();
        let shared = spare.share(records(100));
        let (place, second) = (shared.as_ptr(), shared.clone());
        drop(shared);
        let other = spare.take(100);
        assert_ne!(other.as_ptr(), place);
        drop(second);
        let again = spare.take(100);
        assert_eq!((again.as_ptr(), again.len()), (place, 0));
    }

    #[test]
    fn few_and_small_ones_are_kept() {
        let spare = SpareRecords::default();
        let shared: Vec<_> = (0..10).map(|_| spare.share(records(1))).collect();
        drop(shared);
        drop(spare.share(records(LONGEST_SPARE + 1)));
        assert_eq!(spare.lock(|spare| spare.len()), SPARE);
    }
}
