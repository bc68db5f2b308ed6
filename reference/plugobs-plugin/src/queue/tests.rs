use plugobs_core::SequenceSet;

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
    queue.push(sequence, &vec![0; bytes], class(level));
    sequence
}

fn sequences(batch: &Batch) -> Vec<u64> {
    batch.records.iter().map(|record| record.0).collect()
}

/// The bytes that are held, counted anew.
fn weight(queue: &Queue) -> usize {
    let held = queue.entries.iter().filter_map(|e| e.encoded.as_ref());
    held.map(Bytes::len).sum()
}

#[test]
fn batches_keep_order_and_bound() {
    let mut queue = Queue::new(BOUNDS);
    for _ in 0..5 {
        emit(&mut queue, 2, 100);
    }
    assert_eq!(queue.next_batch(99, usize::MAX), None);
    let batch = queue.next_batch(250, usize::MAX).unwrap();
    assert_eq!((sequences(&batch), batch.bytes), (vec![1, 2], 200));
    queue.acknowledge(1);
    assert_eq!(
        sequences(&queue.next_batch(1000, usize::MAX).unwrap()),
        [3, 4, 5]
    );
    assert!(!queue.has_unsent());
    queue.rewind();
    assert_eq!(queue.first_sequence(), 2);
    assert_eq!(
        sequences(&queue.next_batch(1000, usize::MAX).unwrap()),
        [2, 3, 4, 5]
    );
    queue.acknowledge(5);
    assert!(queue.is_empty());
    assert_eq!(queue.bytes, 0);
    assert_eq!(queue.first_sequence(), 6);
}

#[test]
fn each_level_has_its_threshold_and_the_reserve_is_for_what_matters() {
    // Of 8,000 bytes: half for TRACE, three quarters for DEBUG.
    let taken = |level: usize| {
        let mut queue = Queue::new(BOUNDS);
        for _ in 0..100 {
            emit(&mut queue, level, 200);
        }
        assert!(queue.bytes <= BOUNDS.queue);
        queue.entries.len()
    };
    assert_eq!([0, 1, 2, 3, 4].map(taken), [20, 30, 40, 50, 50]);

    // However full of others it is, the reserve is there.
    let mut queue = Queue::new(BOUNDS);
    for _ in 0..100 {
        emit(&mut queue, 2, 200);
    }
    for _ in 0..10 {
        assert!(queue.has_room(200, class(3)));
        emit(&mut queue, 3, 200);
    }
    assert!(!queue.has_room(200, class(4)));
    let ranges: Vec<_> = queue.dropped.iter().map(|d| (d.first, d.last)).collect();
    assert_eq!(ranges, [(41, 100)]);
    assert_eq!(queue.dropped[0].by_level, [0, 0, 60, 0, 0]);
}

#[test]
fn a_range_goes_before_the_next_record_and_alone_only_once() {
    let mut queue = Queue::new(BOUNDS);
    for _ in 0..8 {
        emit(&mut queue, 2, 936);
    }
    let shed = emit(&mut queue, 2, 936);
    let warning = emit(&mut queue, 3, 100);
    assert_eq!(
        sequences(&queue.next_batch(8 * 936, usize::MAX).unwrap()).len(),
        8
    );
    // That batch had the range with it, because the warning is higher.
    assert_eq!(queue.dropped_sent, 1);
    assert_eq!(
        sequences(&queue.next_batch(1000, usize::MAX).unwrap()),
        [warning]
    );

    let first = emit(&mut queue, 2, 936);
    assert_eq!(
        queue.next_batch(1000, usize::MAX),
        None,
        "one is on its way"
    );
    emit(&mut queue, 2, 936);
    queue.acknowledge(shed);
    let batch = queue.next_batch(1000, usize::MAX).unwrap();
    assert_eq!(
        (batch.dropped[0].first, batch.dropped[0].last),
        (first, first + 1)
    );
}

#[test]
fn single_records_settle_in_any_order() {
    let mut queue = Queue::new(BOUNDS);
    for _ in 0..4 {
        emit(&mut queue, 2, 100);
    }
    let taken: Vec<_> = (0..3).map(|_| queue.next_single().unwrap().0).collect();
    assert_eq!(taken, [1, 2, 3]);
    queue.settle(2);
    queue.settle(2);
    assert_eq!(queue.bytes, weight(&queue));
    queue.settle(1);
    assert_eq!(queue.entries.len(), 2);
    assert_eq!(queue.next_single().unwrap().0, 4);
    assert_eq!(queue.next_single(), None);
    queue.settle(4);
    assert_eq!(queue.drain().len(), 1);
    assert!(queue.is_empty());
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
    for _ in 0..300 {
        let mut queue = Queue::new(BOUNDS);
        let mut arrived = SequenceSet::default();
        let take = |batch: Batch, arrived: &mut SequenceSet| {
            let highest = batch.records.last().map_or(0, |r| r.0);
            for (sequence, _) in batch.records {
                arrived.insert(sequence);
            }
            for range in batch.dropped {
                let counted: u64 = range.by_level.iter().sum();
                assert_eq!(counted, range.last - range.first + 1);
                arrived.insert_range(range.first, range.last);
            }
            // In order: nothing below is still to come.
            assert!(arrived.contiguous() >= highest);
        };
        for _ in 0..400 {
            match random(10) {
                0..=6 => {
                    let level = usize::try_from(random(5)).unwrap();
                    emit(&mut queue, level, usize::try_from(random(1_500)).unwrap());
                    assert!(queue.bytes <= BOUNDS.queue);
                }
                7 => {
                    if let Some(batch) = queue.next_batch(3_000, usize::MAX) {
                        take(batch, &mut arrived);
                    }
                }
                8 => queue.acknowledge(arrived.contiguous()),
                _ => queue.rewind(),
            }
            assert_eq!(queue.bytes, weight(&queue));
        }
        while queue.has_unsent() {
            match queue.next_batch(3_000, usize::MAX) {
                Some(batch) => take(batch, &mut arrived),
                None => queue.acknowledge(arrived.contiguous()),
            }
        }
        assert_eq!(arrived.contiguous(), queue.last_sequence());
        queue.acknowledge(arrived.contiguous());
        assert!(queue.is_empty());
    }
}

#[test]
fn what_waits_to_be_sent_is_weighed() {
    let mut queue = Queue::new(BOUNDS);
    for _ in 0..5 {
        emit(&mut queue, 2, 100);
    }
    let unsent = |queue: &Queue| queue.unsent_bytes() / 100;
    assert_eq!(unsent(&queue), 5);
    queue.next_batch(300, usize::MAX).unwrap();
    assert_eq!(unsent(&queue), 2);
    // Acknowledged are two that were sent, then one of them and one that was not.
    queue.acknowledge(2);
    assert_eq!(unsent(&queue), 2);
    queue.acknowledge(4);
    assert_eq!(unsent(&queue), 1);
    queue.next_single().unwrap();
    assert_eq!(unsent(&queue), 0);
    queue.rewind();
    assert_eq!(unsent(&queue), 1);
    queue.next_single().unwrap();
    queue.recode(|_| Bytes::from_static(b"shorter"));
    assert_eq!(queue.unsent_bytes(), 0);
    queue.settle(5);
    assert_eq!((queue.unsent_bytes(), queue.bytes()), (0, 0));
}
