//! Keys seen before, in bounded memory: two generations, the older forgotten when the younger is full.

use std::collections::HashSet;
use std::hash::{BuildHasher, Hasher, RandomState};

/// The latest keys, as 64-bit fingerprints: at least `remember` of them, at most twice as many.
/// (Two of a million remembered keys share a fingerprint with a probability of 3 in 100 million.)
#[derive(Debug)]
pub struct SeenKeys {
    young: HashSet<u64, Already>,
    old: HashSet<u64, Already>,
    remember: usize,
}

/// A fingerprint is a hash already: hashing it again would only cost.
#[derive(Debug, Clone, Copy, Default)]
struct Already(u64);

impl BuildHasher for Already {
    type Hasher = Self;

    fn build_hasher(&self) -> Self {
        Self(0)
    }
}

impl Hasher for Already {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, fingerprint: u64) {
        self.0 = fingerprint;
    }
}

impl SeenKeys {
    /// Remember at least the latest `remember` keys.
    #[must_use]
    pub fn new(remember: usize) -> Self {
        let empty = || HashSet::with_capacity_and_hasher(remember, Already::default());
        Self { young: empty(), old: empty(), remember }
    }

    /// Remember this key; is it new?
    pub fn is_new(&mut self, fingerprint: u64) -> bool {
        if self.old.contains(&fingerprint) {
            return false;
        }
        if self.young.len() >= self.remember {
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
        }
        self.young.insert(fingerprint)
    }
}

/// Makes fingerprints that nobody outside can foresee.
#[derive(Debug, Default)]
pub struct Fingerprints(RandomState);

impl Fingerprints {
    /// Of a key sent to one route: the same key at another route is another command.
    #[must_use]
    pub fn of(&self, route: usize, key: &[u8]) -> u64 {
        self.0.hash_one((route, key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_key_is_new_once() {
        let mut seen = SeenKeys::new(10);
        assert_eq!([seen.is_new(1), seen.is_new(1), seen.is_new(2)], [true, false, true]);
    }

    #[test]
    fn the_same_key_at_another_route_is_another_command() {
        let prints = Fingerprints::default();
        assert_ne!(prints.of(1, b"key"), prints.of(2, b"key"));
        assert_eq!(prints.of(1, b"key"), prints.of(1, b"key"));
    }

    proptest! {
        #[test]
        fn the_latest_keys_are_remembered_and_memory_is_bounded(remember in 1usize..50, keys in 1u64..300) {
            let mut seen = SeenKeys::new(remember);
            for key in 0..keys {
                prop_assert!(seen.is_new(key));
                prop_assert!(seen.young.len() + seen.old.len() <= 2 * remember);
            }
            for key in keys.saturating_sub(remember as u64)..keys {
                prop_assert!(seen.young.contains(&key) || seen.old.contains(&key));
            }
        }
    }
}
