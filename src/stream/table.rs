//! A map that cannot grow without end.

use std::collections::BTreeMap;

use crate::units::CaptureTime;

/// A map with at most so many entries; a full one gives up the quarter that was
/// used longest ago. Its order is that of its keys, so that a run can be repeated.
#[derive(Clone, Debug)]
pub struct AgedTable<K, V> {
    entries: BTreeMap<K, (CaptureTime, V)>,
    cap: usize,
}

impl<K: Ord + Copy, V> AgedTable<K, V> {
    /// An empty table for `cap` entries, at least one.
    pub fn new(cap: usize) -> Self {
        Self { entries: BTreeMap::new(), cap: cap.max(1) }
    }

    /// Puts an entry in. What had to go for it, and whether that was for want of room.
    pub fn insert(&mut self, key: K, value: V, now: CaptureTime) -> (Vec<V>, bool) {
        let full = self.entries.len() >= self.cap && !self.entries.contains_key(&key);
        let mut gone = if full { self.evict() } else { Vec::new() };
        gone.extend(self.entries.insert(key, (now, value)).map(|(_, value)| value));
        (gone, full)
    }

    /// Takes out the quarter (at least one) that was used longest ago.
    pub fn evict(&mut self) -> Vec<V> {
        let mut ages: Vec<(CaptureTime, K)> =
            self.entries.iter().map(|(key, (last, _))| (*last, *key)).collect();
        ages.sort_unstable();
        ages.truncate(self.entries.len().div_ceil(4));
        ages.iter().filter_map(|(_, key)| self.remove(key)).collect()
    }

    /// The entry of a key.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key).map(|(_, value)| value)
    }

    /// The entry of a key, used now.
    pub fn touch(&mut self, key: &K, now: CaptureTime) -> Option<&mut V> {
        let (last, value) = self.entries.get_mut(key)?;
        *last = now;
        Some(value)
    }

    /// Takes an entry out.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        self.entries.remove(key).map(|(_, value)| value)
    }

    /// Keeps the entries for which `keep` says so; it is given when each was used last.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, CaptureTime, &mut V) -> bool) {
        self.entries.retain(|key, (last, value)| keep(key, *last, value));
    }

    /// Every key, in order.
    pub fn keys(&self) -> impl Iterator<Item = K> + '_ {
        self.entries.keys().copied()
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}
