//! What is remembered per client, within bounds: captures may be longer than
//! memory, and a hostile one has a new client in every frame.
//!
//! The hash maps are seeded at random, so nobody can choose clients that
//! collide; their order never reaches a finding.

use std::hash::{BuildHasher, Hash};

use foldhash::HashSet;
use foldhash::quality::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use crate::exchange::Client;

/// Entries of one generation: what a table of 32,768 places takes before it grows.
const GENERATION: usize = 28_672;
/// Distinct clients that are counted for one finding.
const DISTINCT: usize = 114_688;

/// A client as a number: its hardware address and identifier, hashed. Two
/// clients of a capture agree in it by chance in one of some thousand million captures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct ClientKey(u64);

/// Makes keys; others in every run.
#[derive(Clone, Debug, Default)]
pub(super) struct Keys(RandomState);

impl Keys {
    pub(super) fn client(&self, client: &Client) -> ClientKey {
        ClientKey(self.0.hash_one(client))
    }

    pub(super) fn bytes(&self, bytes: &[u8]) -> ClientKey {
        ClientKey(self.0.hash_one(bytes))
    }
}

/// A map that forgets what was not used for long: it remembers at least the
/// 28,672 entries that were used last, and at most twice as many.
#[derive(Clone, Debug)]
pub(super) struct Recent<K, V> {
    seed: foldhash::fast::RandomState,
    young: HashTable<(K, V)>,
    old: HashTable<(K, V)>,
    /// Entries that are gone.
    pub(super) forgotten: u64,
}

impl<K, V> Default for Recent<K, V> {
    fn default() -> Self {
        Self {
            seed: foldhash::fast::RandomState::default(),
            young: HashTable::new(),
            old: HashTable::new(),
            forgotten: 0,
        }
    }
}

impl<K: Copy + Eq + Hash, V> Recent<K, V> {
    pub(super) fn is_empty(&self) -> bool {
        self.young.is_empty() && self.old.is_empty()
    }

    /// The entry, made if it is not there.
    pub(super) fn entry(&mut self, key: K, new: impl FnOnce() -> V) -> &mut V {
        self.age();
        let Self { seed, young, old, .. } = self;
        let hash = seed.hash_one(key);
        let entry = match young.entry(hash, |it| it.0 == key, |it| seed.hash_one(it.0)) {
            Entry::Occupied(entry) => entry,
            Entry::Vacant(place) => {
                let before = take(old, hash, &key);
                place.insert((key, before.unwrap_or_else(new)))
            }
        };
        &mut entry.into_mut().1
    }

    /// Puts a value in; gives the one before.
    pub(super) fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.age();
        let Self { seed, young, old, .. } = self;
        let hash = seed.hash_one(key);
        match young.entry(hash, |it| it.0 == key, |it| seed.hash_one(it.0)) {
            Entry::Occupied(entry) => Some(std::mem::replace(&mut entry.into_mut().1, value)),
            Entry::Vacant(place) => {
                place.insert((key, value));
                take(old, hash, &key)
            }
        }
    }

    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let hash = self.seed.hash_one(key);
        let of = |it: &(K, V)| it.0 == *key;
        let entry = self.young.find_mut(hash, of).or_else(|| self.old.find_mut(hash, of));
        entry.map(|it| &mut it.1)
    }

    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        let hash = self.seed.hash_one(key);
        take(&mut self.young, hash, key).or_else(|| take(&mut self.old, hash, key))
    }

    /// All that is remembered, in no order.
    pub(super) fn into_iter(self) -> impl Iterator<Item = (K, V)> {
        self.young.into_iter().chain(self.old)
    }

    fn age(&mut self) {
        if self.young.len() >= GENERATION {
            self.forgotten += self.old.len() as u64;
            self.old.clear();
            std::mem::swap(&mut self.young, &mut self.old);
        }
    }
}

fn take<K: Eq, V>(table: &mut HashTable<(K, V)>, hash: u64, key: &K) -> Option<V> {
    if table.is_empty() {
        return None;
    }
    Some(table.find_entry(hash, |it| it.0 == *key).ok()?.remove().0.1)
}

/// Distinct things, counted as far as there is room.
#[derive(Clone, Debug)]
pub(super) struct Distinct<T>(HashSet<T>);

impl<T> Default for Distinct<T> {
    fn default() -> Self {
        Self(HashSet::default())
    }
}

impl<T: Eq + Hash> Distinct<T> {
    /// Counts a thing unless it was counted, or too many were; whether it was new.
    pub(super) fn insert(&mut self, thing: T) -> bool {
        self.0.len() < DISTINCT && self.0.insert(thing)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// How many, in words.
    pub(super) fn words(&self) -> String {
        let at_least = if self.0.len() < DISTINCT { "" } else { "at least " };
        format!("{at_least}{}", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entries_used_last_are_remembered() {
        let mut recent: Recent<usize, usize> = Recent::default();
        for at in 0..3 * GENERATION {
            *recent.entry(at, || at) += 1;
            // Whoever is in use stays.
            assert_eq!(*recent.entry(0, || usize::MAX), 1);
        }
        assert_eq!(recent.insert(3 * GENERATION - 1, 7), Some(3 * GENERATION));
        assert_eq!(recent.remove(&(3 * GENERATION - 1)), Some(7));
        assert_eq!(recent.remove(&1), None);
        assert!(recent.forgotten > 0);
        assert!(recent.into_iter().count() <= 2 * GENERATION);
    }

    #[test]
    fn a_count_that_is_full_says_so() {
        let mut distinct = Distinct::default();
        assert!((0..DISTINCT).all(|at| distinct.insert(at) && !distinct.insert(at)));
        assert!(!distinct.insert(DISTINCT));
        assert_eq!(distinct.words(), "at least 114688");
    }
}
