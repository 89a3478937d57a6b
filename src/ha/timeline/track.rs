//! A list in time order that is asked about instants which follow each other closely.

use std::cell::Cell;
use std::collections::HashMap;
use std::hash::Hash;

use foldhash::fast::RandomState;

use super::FAR_NS;
use crate::units::{CaptureTime, FrameRef, sort_nearly_sorted};

/// What a track holds.
pub(super) trait Timed {
    /// When, and in which frame, to put things of one instant in order.
    fn place(&self) -> (CaptureTime, FrameRef);

    /// Whether it says so much that it is kept for a while after its time.
    fn says_most(&self) -> bool;
}

/// How many old entries are kept as the last ones before an instant; the last alone
/// may belong to the exchange that asks.
const LAST: usize = 16;
/// Where the last two answers were: a client's first query and its next one are asked for in turn.
#[derive(Clone, Debug, Default)]
pub(super) struct Fingers([Cell<(CaptureTime, usize)>; 2]);

impl Fingers {
    /// The one that was nearer to an instant.
    fn nearer(&self, time: CaptureTime) -> &Cell<(CaptureTime, usize)> {
        let [one, other] = &self.0;
        let away = |finger: &Cell<(CaptureTime, usize)>| time.since(finger.get().0).unsigned_abs();
        if away(one) <= away(other) { one } else { other }
    }
}

/// How far from the place of the last answer the next one is looked for.
const NEAR: usize = 32;

#[derive(Debug)]
struct Track<T> {
    list: Vec<T>,
    /// So many of the first are in order.
    sorted: usize,
}

impl<T> Default for Track<T> {
    fn default() -> Self {
        Self { list: Vec::new(), sorted: 0 }
    }
}

/// Tracks by what they are about.
#[derive(Debug)]
pub(super) struct Tracks<K, T> {
    places: HashMap<K, usize, RandomState>,
    tracks: Vec<Track<T>>,
}

impl<K, T> Default for Tracks<K, T> {
    fn default() -> Self {
        Self { places: HashMap::default(), tracks: Vec::new() }
    }
}

impl<K: Hash + Eq, T: Timed + Copy> Tracks<K, T> {
    pub(super) fn push(&mut self, key: K, entry: T) {
        let place = *self.places.entry(key).or_insert_with(|| {
            self.tracks.push(Track::default());
            self.tracks.len() - 1
        });
        if let Some(track) = self.tracks.get_mut(place) {
            track.list.push(entry);
        }
    }

    pub(super) fn settle(&mut self) {
        self.tracks.iter_mut().for_each(Track::settle);
    }

    pub(super) fn forget(&mut self, before: CaptureTime) {
        self.tracks.iter_mut().for_each(|track| track.forget(before));
    }

    /// A finger for each track.
    pub(super) fn fingers(&self) -> Vec<Fingers> {
        vec![Fingers::default(); self.tracks.len()]
    }

    /// What was about something until an instant, and what came after it.
    pub(super) fn around(&self, key: &K, time: CaptureTime, fingers: &[Fingers]) -> (&[T], &[T]) {
        let Some(place) = self.places.get(key) else { return Default::default() };
        let found = self.tracks.get(*place).zip(fingers.get(*place));
        found.map(|(track, fingers)| track.around(time, fingers)).unwrap_or_default()
    }
}

impl<T: Timed + Copy> Track<T> {
    /// Puts what was pushed since the last call in its place.
    fn settle(&mut self) {
        let new = self.list.get(self.sorted..).unwrap_or_default();
        let Some(first) = new.iter().map(Timed::place).min() else { return };
        // What is in order before the first new entry stays where it is.
        let from = self.list.get(..self.sorted).unwrap_or_default().partition_point(|it| it.place() <= first);
        if let Some(mixed) = self.list.get_mut(from..) {
            sort_nearly_sorted(mixed, Timed::place);
        }
        self.sorted = self.list.len();
    }

    /// What was until an instant, and what came after it. `fingers` are where the last answers were.
    fn around(&self, time: CaptureTime, fingers: &Fingers) -> (&[T], &[T]) {
        let is_past = |at: usize| self.list.get(at).is_some_and(|it| it.place().0 <= time);
        let finger = fingers.nearer(time);
        let from = finger.get().1.min(self.list.len());
        let mut at = from;
        while at < from + NEAR && is_past(at) {
            at += 1;
        }
        while at > 0 && at + NEAR > from && !is_past(at - 1) {
            at -= 1;
        }
        if is_past(at) || (at > 0 && !is_past(at - 1)) {
            at = self.list.partition_point(|it| it.place().0 <= time);
        }
        finger.set((time, at));
        self.list.split_at_checked(at).unwrap_or_default()
    }

    /// Drops the entries before an instant but for the last ones, and of those that say most what is not too old.
    fn forget(&mut self, before: CaptureTime) {
        let old = self.list.partition_point(|it| it.place().0 < before).saturating_sub(LAST);
        let mut at = 0;
        self.list.retain(|entry| {
            at += 1;
            at > old || (entry.says_most() && before.since(entry.place().0) <= 2 * FAR_NS)
        });
        self.sorted = self.list.len();
    }
}
