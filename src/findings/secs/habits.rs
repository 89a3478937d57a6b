//! How many clients of each place have which habit.

use std::collections::BTreeMap;

use super::wait::Habit;
use crate::findings::list::Tally;
use crate::ha::topology::RelationshipId;
use crate::units::{CaptureTime, FrameRef, ZoneId};

/// What is known of one client in one zone.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::findings) struct Known {
    pub(super) heard: bool,
    habits: u8,
    /// When it was last answered: it cannot have waited since before that.
    pub(super) answered: Option<CaptureTime>,
    pub(super) relationship: Option<RelationshipId>,
}

impl Known {
    const fn has(&self, habit: Habit) -> bool {
        self.habits & habit.bit() != 0
    }
}

/// Clients of one place by what Kea can make of them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Crowd {
    /// Clients that asked again late enough to show a habit.
    pub(super) judged: u64,
    /// Those of them that Kea comes to count as unacked.
    pub(super) counting: u64,
}

/// The clients of one zone and relationship that have one habit.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) tally: Tally,
    pub(super) example: String,
}

pub(super) type Place = (ZoneId, Option<RelationshipId>);

/// The clients by place and habit.
#[derive(Clone, Debug, Default)]
pub(super) struct Habits {
    pub(super) seen: BTreeMap<(Place, Habit), Seen>,
    pub(super) crowds: BTreeMap<Place, Crowd>,
}

impl Habits {
    /// A client belongs to the relationship that its last exchange names.
    pub(super) fn moves(&mut self, known: &mut Known, zone: ZoneId, to: Option<RelationshipId>) {
        if to.is_some() && to != known.relationship {
            self.change(known, zone, |known| known.relationship = to);
        }
    }

    /// Notes a client's habit; whether it is new.
    pub(super) fn learn(&mut self, known: &mut Known, zone: ZoneId, habit: Habit) -> bool {
        let new = !known.has(habit);
        if new {
            self.change(known, zone, |known| known.habits |= habit.bit());
        }
        new
    }

    /// Counts a client whose habit is shown.
    pub(super) fn show(
        &mut self,
        place: Place,
        habit: Habit,
        (time, at): (CaptureTime, FrameRef),
        example: impl FnOnce() -> String,
    ) {
        let seen = self.seen.entry((place, habit)).or_default();
        seen.tally.add(time, at);
        if seen.example.is_empty() {
            seen.example = example();
        }
    }

    /// Changes a client, and the crowd that it belongs to.
    fn change(&mut self, known: &mut Known, zone: ZoneId, change: impl FnOnce(&mut Known)) {
        if known.habits != 0 {
            let crowd = self.crowds.entry((zone, known.relationship)).or_default();
            let (judged, counting) = parts(known);
            crowd.judged -= judged;
            crowd.counting -= counting;
        }
        change(known);
        if known.habits != 0 {
            let crowd = self.crowds.entry((zone, known.relationship)).or_default();
            let (judged, counting) = parts(known);
            crowd.judged += judged;
            crowd.counting += counting;
        }
    }
}

/// What a client adds to those that are judged, and to those that count.
const fn parts(known: &Known) -> (u64, u64) {
    let counting = known.has(Habit::Counts) || known.has(Habit::Swapped);
    let judged = counting || known.has(Habit::Zero) || known.has(Habit::Stuck);
    (judged as u64, counting as u64)
}
