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
/// Where the last two answers were, the last one first: a client's first query and its next one
/// are asked for in turn.
#[derive(Clone, Debug, Default)]
pub(super) struct Fingers(Cell<[usize; 2]>);

/// How far from the place of an earlier answer the next one is looked for.
const NEAR: usize = 8;

#[derive(Clone, Debug)]
struct Track<T> {
    list: Vec<T>,
    /// So many of the first are in order.
    sorted: usize,
    /// New entries that are of a later instant than what is pushed around them.
    late: Vec<T>,
}

impl<T> Default for Track<T> {
    fn default() -> Self {
        Self { list: Vec::new(), sorted: 0, late: Vec::new() }
    }
}

/// Tracks by what they are about.
#[derive(Clone, Debug)]
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
    /// Adds an entry; what is later than the entries pushed around it is better told so, because
    /// then either kind is nearly in order.
    pub(super) fn push(&mut self, key: K, entry: T, late: bool) {
        let place = *self.places.entry(key).or_insert_with(|| {
            self.tracks.push(Track::default());
            self.tracks.len() - 1
        });
        if let Some(track) = self.tracks.get_mut(place) {
            if late { &mut track.late } else { &mut track.list }.push(entry);
        }
    }

    pub(super) fn settle(&mut self) {
        self.tracks.iter_mut().for_each(Track::settle);
    }

    pub(super) fn forget(&mut self, before: CaptureTime) {
        self.tracks.iter_mut().for_each(|track| track.forget(before));
    }

    /// When the track that has been silent longest before an instant had its last entry.
    pub(super) fn heard_until(&self, before: CaptureTime) -> Option<CaptureTime> {
        let last = |track: &Track<T>| {
            let at = track.list.partition_point(|it| it.place().0 < before);
            let last = at.checked_sub(1).and_then(|at| track.list.get(at));
            last.map_or(CaptureTime(i64::MIN), |it| it.place().0)
        };
        self.tracks.iter().map(last).min()
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
        let Some((known, new)) = self.list.split_at_mut_checked(self.sorted) else { return };
        sort_nearly_sorted(new, Timed::place);
        sort_nearly_sorted(&mut self.late, Timed::place);
        let firsts = new.first().into_iter().chain(self.late.first());
        let Some(first) = firsts.map(Timed::place).min() else { return };
        // What is in order before the first new entry stays where it is.
        let from = known.partition_point(|it| it.place() <= first);
        self.list.append(&mut self.late);
        // A few lists in order, one behind the other, which this sort only merges.
        self.list.get_mut(from..).unwrap_or_default().sort_by_key(Timed::place);
        self.sorted = self.list.len();
    }

    /// What was until an instant, and what came after it. `fingers` are where the last answers were.
    fn around(&self, time: CaptureTime, fingers: &Fingers) -> (&[T], &[T]) {
        let [last, before] = fingers.0.get();
        let (at, kept) = if let Some(at) = self.near(before, time) {
            (at, last)
        } else if let Some(at) = self.near(last, time) {
            (at, before)
        } else {
            (self.list.partition_point(|it| it.place().0 <= time), last)
        };
        fingers.0.set([at, kept]);
        self.list.split_at_checked(at).unwrap_or_default()
    }

    /// How many entries are until an instant, if that is near a place.
    fn near(&self, place: usize, time: CaptureTime) -> Option<usize> {
        let is_past = |it: &T| it.place().0 <= time;
        let from = place.saturating_sub(NEAR);
        let to = (place + NEAR).min(self.list.len());
        let near = self.list.get(from..to)?;
        let follows = from == 0 || near.first().is_some_and(is_past);
        let ends = to == self.list.len() || !near.last().is_some_and(is_past);
        (follows && ends).then(|| from + near.partition_point(is_past))
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

#[cfg(test)]
mod tests {
    use super::*;

    impl Timed for (i64, u64) {
        fn place(&self) -> (CaptureTime, FrameRef) {
            (CaptureTime(self.0), FrameRef { number: self.1, ..FrameRef::default() })
        }

        fn says_most(&self) -> bool {
            false
        }
    }

    /// Clients whose second query comes while others send their first, some of it at one instant, in rounds
    /// that overlap.
    #[test]
    fn entries_are_in_order_however_they_came_and_are_found_from_anywhere() {
        let mut tracks = Tracks::<u8, (i64, u64)>::default();
        let mut all = Vec::new();
        for round in 0..3 {
            for client in 0..500 {
                let first = 900 * round + 2 * client + client * 7919 % 5;
                for (time, late) in [(first, false), (first + 90 + client * 31 % 40, true)] {
                    let entry = (time, all.len() as u64);
                    all.push(entry);
                    tracks.push(0, entry, late);
                }
            }
            tracks.settle();
        }
        all.sort_by_key(Timed::place);
        let fingers = tracks.fingers();
        let one_by_one = (-5..3500).flat_map(|time| [time, time + 110]);
        for time in one_by_one.chain((0..3500).map(|at| at * 1777 % 3500)) {
            let (past, future) = tracks.around(&0, CaptureTime(time), &fingers);
            let at = all.partition_point(|entry| entry.0 <= time);
            assert_eq!((past, future), all.split_at(at), "{time}");
        }
        assert_eq!(tracks.around(&1, CaptureTime(0), &fingers), (&[][..], &[][..]));
    }
}
