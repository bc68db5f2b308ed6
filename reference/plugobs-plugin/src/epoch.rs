//! Numbers for emitters.

use std::hash::{BuildHasher, RandomState};
use std::time::SystemTime;

/// The most that is a plain number in JSON.
const MAX: u64 = (1 << 53) - 1;

/// A random number from 1 to 9007199254740991 (OBS-ID-40).
///
/// The standard library's keyed hash is the source of randomness. A child of a
/// fork has its parent's keys, so that time and process are hashed with them.
pub(crate) fn take(pid: u32) -> u64 {
    let time = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    (RandomState::new().hash_one((pid, time)) & MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_differ_and_are_plain_numbers() {
        let epochs: std::collections::HashSet<_> = (0..1000).map(take).collect();
        assert_eq!(epochs.len(), 1000);
        assert!(epochs.iter().all(|epoch| (1..=MAX).contains(epoch)));
    }
}
