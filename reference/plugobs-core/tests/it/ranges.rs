//! Sets of sequences, against a set that keeps every number.

use std::collections::BTreeSet;

use plugobs_core::SequenceSet;
use proptest::collection::vec;
use proptest::prelude::*;

#[test]
fn the_ends_of_the_numbers_are_numbers() {
    let mut set = SequenceSet::default();
    assert!(set.insert(u64::MAX));
    assert!(!set.insert(u64::MAX));
    set.insert_range(u64::MAX - 1, u64::MAX);
    assert_eq!(set.iter().collect::<Vec<_>>(), [(u64::MAX - 1, u64::MAX)]);
    assert_eq!(set.missing(u64::MAX), [(1, u64::MAX - 2)]);
    set.insert_range(9, 3);
    assert_eq!(
        (set.len(), set.contiguous(), set.highest()),
        (2, 0, u64::MAX)
    );
}

#[test]
fn obs_id_41_there_is_no_number_0() {
    let mut set = SequenceSet::default();
    assert!(!set.insert(0));
    set.insert_range(0, 0);
    assert!(set.is_empty());
    set.insert_range(0, 5);
    assert_eq!((set.contiguous(), set.len()), (5, 5));
    set.insert_range(0, u64::MAX);
    assert_eq!((set.contiguous(), set.len()), (u64::MAX, u64::MAX));
    assert!(set.missing(u64::MAX).is_empty() && !set.contains(0));
}

proptest! {
    #[test]
    fn it_is_a_set(operations in vec((1..60u64, 0..8u64), 0..40), through in 0..70u64) {
        let (mut set, mut naive) = (SequenceSet::default(), BTreeSet::new());
        for (first, more) in operations {
            if more == 0 {
                prop_assert_eq!(set.insert(first), naive.insert(first));
            } else {
                set.insert_range(first, first + more);
                naive.extend(first..=first + more);
            }
        }
        let all: Vec<u64> = set.iter().flat_map(|(first, last)| first..=last).collect();
        prop_assert_eq!(&all, &naive.iter().copied().collect::<Vec<_>>());
        prop_assert_eq!(set.len(), naive.len() as u64);
        prop_assert_eq!(set.is_empty(), naive.is_empty());
        prop_assert_eq!(set.highest(), naive.last().copied().unwrap_or(0));
        prop_assert!((0..70).all(|n| set.contains(n) == naive.contains(&n)));
        let missing: Vec<u64> = set.missing(through).into_iter().flat_map(|(a, b)| a..=b).collect();
        let expected: Vec<u64> = (1..=through).filter(|n| !naive.contains(n)).collect();
        prop_assert_eq!(missing, expected);
        let contiguous = (1..).take_while(|n| naive.contains(n)).last().unwrap_or(0);
        prop_assert_eq!(set.contiguous(), contiguous);
        for n in 0..70 {
            let range = set.range_of(n);
            prop_assert_eq!(range.is_some(), naive.contains(&n));
            prop_assert!(range.is_none_or(|(a, b)| a <= n && n <= b));
        }
    }
}
