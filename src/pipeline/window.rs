//! The events of the control channel that are of use for the present batch.

use std::ops::Deref;

use crate::ha::events::HaEvent;
use crate::units::CaptureTime;

/// Events in time order. As a slice they are those that the present batch settles;
/// [`Events::all`] also has those before it that may still matter, and those read ahead.
#[derive(Clone, Debug, Default)]
pub struct Events {
    /// Those before `kept` are forgotten, and dropped when they are half of the list.
    list: Vec<HaEvent>,
    kept: usize,
    from: usize,
    to: usize,
}

impl Deref for Events {
    type Target = [HaEvent];

    fn deref(&self) -> &[HaEvent] {
        self.list.get(self.from..self.to).unwrap_or_default()
    }
}

impl<'e> IntoIterator for &'e Events {
    type Item = &'e HaEvent;
    type IntoIter = std::slice::Iter<'e, HaEvent>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl From<Vec<HaEvent>> for Events {
    fn from(mut list: Vec<HaEvent>) -> Self {
        let mut events = Self::default();
        events.add(&mut list);
        events.settle(None);
        events
    }
}

impl Events {
    /// Every event that is kept.
    pub fn all(&self) -> &[HaEvent] {
        self.list.get(self.kept..).unwrap_or_default()
    }

    /// Adds events that were read, in time order; those of an instant that was settled before belong
    /// to the next batch.
    pub(super) fn add(&mut self, events: &mut Vec<HaEvent>) {
        let place = |event: &HaEvent| (event.time, event.at);
        let Some(first) = events.first().map(place) else { return };
        let ahead = self.list.get(self.to..).unwrap_or_default();
        let sorted = self.to + ahead.partition_point(|event| place(event) <= first);
        self.list.append(events);
        if let Some(mixed) = self.list.get_mut(sorted..) {
            mixed.sort_by_key(place);
        }
    }

    /// The present batch has those before this instant that no earlier batch had; without one, all of them.
    pub(super) fn settle(&mut self, until: Option<CaptureTime>) {
        self.from = self.to;
        let ahead = self.list.get(self.to..).unwrap_or_default();
        self.to += until.map_or(ahead.len(), |until| ahead.partition_point(|event| event.time < until));
    }

    /// Lets go of settled events that ended before an instant.
    pub(super) fn forget(&mut self, before: CaptureTime) {
        let settled = self.list.get(self.kept..self.to).unwrap_or_default();
        self.kept += settled.partition_point(|event| event.time < before);
        // What remains is moved, so that is not done for a few.
        if 2 * self.kept >= self.list.len() {
            self.list.drain(..self.kept);
            self.from = self.from.saturating_sub(self.kept);
            self.to -= self.kept;
            self.kept = 0;
        }
    }
}
