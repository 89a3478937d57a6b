//! The events of the control channel that are of use for the present batch.

use std::ops::Deref;

use crate::ha::events::HaEvent;
use crate::units::CaptureTime;

/// Events in time order. As a slice they are those that the present batch settles;
/// [`Events::all`] also has those before it that may still matter, and those read ahead.
#[derive(Debug, Default)]
pub struct Events {
    list: Vec<HaEvent>,
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
    fn from(list: Vec<HaEvent>) -> Self {
        let mut events = Self::default();
        events.add(list);
        events.settle(None);
        events
    }
}

impl Events {
    /// Every event that is kept.
    pub fn all(&self) -> &[HaEvent] {
        &self.list
    }

    /// Adds events that were read; those of an instant that was settled before belong to the next batch.
    pub(super) fn add(&mut self, mut events: Vec<HaEvent>) {
        self.list.append(&mut events);
        if let Some(ahead) = self.list.get_mut(self.to..) {
            ahead.sort_by_key(|event| (event.time, event.at));
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
        let old = self.list.get(..self.to).unwrap_or_default().partition_point(|event| event.time < before);
        self.list.drain(..old);
        self.from = self.from.saturating_sub(old);
        self.to -= old;
    }
}
