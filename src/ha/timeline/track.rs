//! A list in time order that is asked about instants which follow each other closely.

use std::sync::atomic::{AtomicUsize, Ordering};

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
/// How far from the place of the last answer the next one is looked for.
const NEAR: usize = 32;

#[derive(Debug)]
pub(super) struct Track<T> {
    list: Vec<T>,
    /// So many of the first are in order.
    sorted: usize,
    /// Where the last answer was. Only a hint, so threads may overwrite each other's.
    hint: AtomicUsize,
}

impl<T> Default for Track<T> {
    fn default() -> Self {
        Self { list: Vec::new(), sorted: 0, hint: AtomicUsize::new(0) }
    }
}

impl<T: Timed + Copy> Track<T> {
    pub(super) fn push(&mut self, entry: T) {
        self.list.push(entry);
    }

    /// Puts what was pushed since the last call in its place.
    pub(super) fn settle(&mut self) {
        let new = self.list.get(self.sorted..).unwrap_or_default();
        let Some(first) = new.iter().map(Timed::place).min() else { return };
        // What is in order before the first new entry stays where it is.
        let from = self.list.get(..self.sorted).unwrap_or_default().partition_point(|it| it.place() <= first);
        if let Some(mixed) = self.list.get_mut(from..) {
            sort_nearly_sorted(mixed, Timed::place);
        }
        self.sorted = self.list.len();
    }

    /// What was until an instant, and what came after it.
    pub(super) fn around(&self, time: CaptureTime) -> (&[T], &[T]) {
        let is_past = |at: usize| self.list.get(at).is_some_and(|it| it.place().0 <= time);
        let hint = self.hint.load(Ordering::Relaxed).min(self.list.len());
        let mut at = hint;
        while at < hint + NEAR && is_past(at) {
            at += 1;
        }
        while at > 0 && at + NEAR > hint && !is_past(at - 1) {
            at -= 1;
        }
        if is_past(at) || (at > 0 && !is_past(at - 1)) {
            at = self.list.partition_point(|it| it.place().0 <= time);
        }
        self.hint.store(at, Ordering::Relaxed);
        self.list.split_at_checked(at).unwrap_or_default()
    }

    /// Drops the entries before an instant but for the last ones, and of those that say most what is not too old.
    pub(super) fn forget(&mut self, before: CaptureTime) {
        let old = self.around(before).0.len().saturating_sub(LAST);
        let mut at = 0;
        self.list.retain(|entry| {
            at += 1;
            at > old || (entry.says_most() && before.since(entry.place().0) <= 2 * FAR_NS)
        });
        self.sorted = self.list.len();
    }
}
