//! Heartbeats in which a server that works as usual serves more than its own
//! scope: somebody set its scopes by hand.

use foldhash::HashMap;

use super::view::{View, state_of};
use crate::ha::events::{EventKind, HaEvent};
use crate::ha::state::State;
use crate::ha::topology::RelationshipId;
use crate::pipeline::Analysis;
use crate::units::CaptureTime;

/// Heartbeats before and behind an instant that tell about it: the last of each of the two servers, and the next.
const NEAR: usize = 2;

/// One heartbeat, and what it says when it is an unusual one.
#[derive(Clone, Debug)]
struct Beat {
    time: CaptureTime,
    told: Option<String>,
}

/// The heartbeats around the exchanges of this batch, and the last ones before them, in order of time.
#[derive(Clone, Debug, Default)]
pub(super) struct Beats {
    beats: HashMap<RelationshipId, Vec<Beat>>,
    /// No exchange from this batch on began before that.
    from: Option<CaptureTime>,
}

impl Beats {
    pub(super) fn begin(&mut self, batch: &Analysis<'_>) {
        // A batch may bring heartbeats from behind the exchanges that it settles.
        if let Some(from) = self.from {
            for beats in self.beats.values_mut() {
                let before = beats.partition_point(|beat| beat.time <= from);
                beats.drain(..before.saturating_sub(NEAR));
            }
        }
        self.from = batch.watermark;
    }

    pub(super) fn event(&mut self, view: &View<'_>, event: &HaEvent) {
        let (EventKind::Heartbeat, Some(id)) = (event.kind, event.relationship) else { return };
        let beat = Beat { time: event.time, told: unusual(view, id, event) };
        self.beats.entry(id).or_default().push(beat);
    }

    /// What the heartbeats around an instant say of scopes that were set by hand.
    pub(super) fn by_hand(&self, id: RelationshipId, time: CaptureTime) -> Option<&str> {
        let beats = self.beats.get(&id)?;
        let (before, after) = beats.split_at(beats.partition_point(|beat| beat.time <= time));
        let mut near = before.iter().rev().take(NEAR).chain(after.iter().take(NEAR));
        near.find_map(|beat| beat.told.as_deref())
    }
}

fn unusual(view: &View<'_>, id: RelationshipId, event: &HaEvent) -> Option<String> {
    let relationship = view.relationship(Some(id))?;
    let server = event.server?;
    let own = relationship.peer_of(server)?;
    let scopes = event.scopes.as_deref()?;
    if state_of(event)? != State::normal(relationship.mode) || scopes.iter().all(|scope| *scope == own.name) {
        return None;
    }
    let (name, state) = (view.name(server), event.state.as_deref().unwrap_or_default());
    Some(format!("{name} reports {state} and the scopes {}", scopes.join(", ")))
}
