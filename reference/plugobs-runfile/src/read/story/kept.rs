//! Records for people, in bounded memory: the first and the last of many.

use std::collections::VecDeque;

use plugobs_core::Record;
use plugobs_core::limits::size;

const FIRST_BYTES: usize = 8 << 20;
const LAST_BYTES: usize = 24 << 20;

/// The first records and the last ones; those between them are counted when
/// there are more than a person reads.
#[derive(Debug, Default)]
pub struct Kept {
    first: Vec<Record>,
    first_bytes: usize,
    last: VecDeque<Record>,
    last_bytes: usize,
    left_out: u64,
}

impl Kept {
    pub(super) fn push(&mut self, record: Record) {
        let bytes = size(&record);
        if self.last.is_empty() && self.first_bytes + bytes <= FIRST_BYTES {
            self.first_bytes += bytes;
            self.first.push(record);
            return;
        }
        self.last_bytes += bytes;
        self.last.push_back(record);
        while self.last_bytes > LAST_BYTES
            && self.last.len() > 1
            && let Some(record) = self.last.pop_front()
        {
            self.last_bytes -= size(&record);
            self.left_out += 1;
        }
    }

    pub(super) fn retain(&mut self, keep: impl Fn(&Record) -> bool) {
        self.first.retain(&keep);
        self.last.retain(&keep);
    }

    /// Whether there was none.
    pub fn is_empty(&self) -> bool {
        self.first.is_empty() && self.last.is_empty()
    }

    /// The records before those that were left out; all, where none was.
    pub fn first(&self) -> impl Iterator<Item = &Record> {
        let rest = (self.left_out == 0).then_some(&self.last);
        self.first.iter().chain(rest.into_iter().flatten())
    }

    /// The records after those that were left out.
    pub fn last(&self) -> impl Iterator<Item = &Record> {
        let rest = (self.left_out > 0).then_some(&self.last);
        rest.into_iter().flatten()
    }

    /// Those that are kept.
    pub fn iter(&self) -> impl Iterator<Item = &Record> {
        self.first.iter().chain(&self.last)
    }

    /// How many were left out between [`Self::first`] and [`Self::last`].
    pub fn left_out(&self) -> u64 {
        self.left_out
    }
}

#[cfg(test)]
mod tests {
    use plugobs_core::{Severity, Timestamp};

    use super::*;

    #[test]
    fn the_first_and_the_last_are_kept_of_many() {
        let mut kept = Kept::default();
        let text = "x".repeat(1 << 20);
        for number in 0..100 {
            let time = Timestamp::from_unix_nanos(number);
            kept.push(Record::new(time, Severity::INFO, "t", &text));
        }
        let times = |records: &mut dyn Iterator<Item = &Record>| {
            records
                .map(|record| record.timestamp.unix_nanos())
                .collect::<Vec<_>>()
        };
        let (first, last) = (times(&mut kept.first()), times(&mut kept.last()));
        assert_eq!((first[0], *last.last().unwrap()), (0, 99));
        assert_eq!(
            first.len() as u64 + last.len() as u64 + kept.left_out(),
            100
        );
        assert!(kept.left_out() > 60, "{}", kept.left_out());
    }
}
