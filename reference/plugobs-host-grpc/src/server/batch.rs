//! One batch of a record stream: whether it keeps the rules, and what is in it.

use bytes::Bytes;
use plugobs_core::registry::limit;
use plugobs_core::sanitise::cut;
use plugobs_core::{LogPosition, Record};
use plugobs_driver::intake::{DroppedRange, Malformed};
use plugobs_proto::convert::decode_into;
use plugobs_proto::observability::v1::{Batch, Dropped};
use tonic::Status;

use super::log_stream::Ended;

/// Records and ranges of one batch, whatever their size: an empty one costs
/// memory too. More than a batch of the smallest valid records has.
const MOST_ENTRIES: usize = 65_536;
/// What a record or a range costs beside its encoded bytes, about.
const ENTRY_BYTES: usize = 256;

/// Whether each record has its sequence, and the sequences ascend from those of
/// the batch before (OBS-STR-04).
pub(super) fn check(batch: &Batch, last: Option<u64>) -> Ended {
    let (records, sequences) = (batch.records.len(), batch.sequences.len());
    if records != sequences {
        return Err(invalid(&format!(
            "a batch has {records} records and {sequences} sequences; each record has one"
        )));
    }
    let entries = records + batch.dropped.len();
    if entries > MOST_ENTRIES {
        return Err(invalid(&format!(
            "a batch has {entries} records and ranges; at most {MOST_ENTRIES} are taken"
        )));
    }
    let mut before = last.unwrap_or(0);
    for sequence in &batch.sequences {
        if *sequence <= before {
            return Err(invalid(&format!(
                "sequence {sequence} came after {before}; they ascend over a stream, from 1"
            )));
        }
        before = *sequence;
    }
    let is_wrong = |range: &&Dropped| range.first == 0 || range.last < range.first;
    match batch.dropped.iter().find(is_wrong) {
        None => Ok(()),
        Some(range) => Err(invalid(&format!(
            "a dropped range goes from {} to {}; it goes upwards, from 1",
            range.first, range.last
        ))),
    }
}

pub(super) fn invalid(message: &str) -> Box<Status> {
    Box::new(Status::invalid_argument(message))
}

/// The bytes for which the plugin gave credit.
pub(super) fn record_bytes(batch: &Batch) -> usize {
    batch.records.iter().map(Bytes::len).sum()
}

/// What the batch costs while it waits in the driver.
pub(super) fn weight(batch: &Batch) -> usize {
    record_bytes(batch) + ENTRY_BYTES * (batch.records.len() + batch.dropped.len())
}

/// The epoch is the stream's and the sequence is the batch's, whatever the
/// record says (OBS-STR-03).
pub(super) fn decode(
    record: &mut Record,
    epoch: u64,
    sequence: u64,
    bytes: Bytes,
) -> Result<(), Malformed> {
    match decode_into(record, &bytes) {
        Ok(()) => {
            record.epoch = Some(epoch);
            record.sequence = Some(sequence);
            Ok(())
        }
        Err(rejection) => Err(Malformed {
            position: Some(LogPosition { epoch, sequence }),
            bytes,
            rejection,
        }),
    }
}

pub(super) fn dropped_range(range: Dropped) -> DroppedRange {
    DroppedRange {
        first: range.first,
        last: range.last,
        by_level: [
            range.trace,
            range.debug,
            range.info,
            range.warn,
            range.error,
        ],
        reason: cut(&range.reason, limit::NAME_BYTES_DEFAULT).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(sequences: &[u64]) -> Batch {
        Batch {
            records: vec![Bytes::new(); sequences.len()],
            sequences: sequences.to_vec(),
            dropped: Vec::new(),
        }
    }

    #[test]
    fn sequences_ascend_within_and_over_batches() {
        assert!(check(&batch(&[1, 2, 9]), None).is_ok());
        assert!(check(&batch(&[u64::MAX]), Some(9)).is_ok());
        assert!(check(&batch(&[]), Some(9)).is_ok());
        for (sequences, last) in [(&[0][..], None), (&[3, 3], None), (&[9], Some(9))] {
            assert!(check(&batch(sequences), last).is_err(), "{sequences:?}");
        }
    }

    #[test]
    fn dropped_ranges_go_upwards_from_one() {
        for (first, last, right) in [(1, 1, true), (2, 9, true), (0, 3, false), (4, 3, false)] {
            let mut batch = batch(&[]);
            batch.dropped.push(Dropped {
                first,
                last,
                ..Dropped::default()
            });
            assert_eq!(check(&batch, None).is_ok(), right, "{first} to {last}");
        }
    }

    #[test]
    fn empty_records_have_a_bound_and_a_weight() {
        let sequences: Vec<u64> = (1..=65_537).collect();
        assert!(check(&batch(&sequences), None).is_err());
        let most = batch(&sequences[1..]);
        assert!(check(&most, None).is_ok());
        assert_eq!(record_bytes(&most), 0);
        assert_eq!(weight(&most), 65_536 * 256);
    }
}
