//! Heartbeats that were seen, for as long as they matter.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::ha::events::{EventKind, HaEvent};
use crate::ha::topology::RelationshipId;
use crate::units::{CaptureTime, SECOND, ServerId};

/// A heartbeat without an answer is on its way for so long; afterwards it counts as failed.
const ON_ITS_WAY_NS: i64 = 2 * SECOND;

/// The last of each kind, of every server in each relationship.
#[derive(Clone, Debug, Default)]
pub(super) struct Beats(HashMap<(ServerId, RelationshipId), Beat, RandomState>);

/// Of one server in one relationship.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Beat {
    /// When it last answered a heartbeat.
    pub(super) answered: Option<CaptureTime>,
    /// When its own heartbeat was last answered well: that starts Kea's communication clock.
    pub(super) good: Option<CaptureTime>,
    /// When its own call last failed.
    pub(super) failed: Option<CaptureTime>,
    /// When its last heartbeat left that has no answer yet.
    asked: Option<CaptureTime>,
}

impl Beats {
    pub(super) fn take(&mut self, events: &[HaEvent]) {
        for event in events {
            let Some(relationship) = event.relationship else { continue };
            let answers = event.kind == EventKind::Heartbeat && event.result.is_some();
            if let Some(server) = event.server.filter(|_| answers) {
                let beat = self.0.entry((server, relationship)).or_default();
                beat.answered = beat.answered.max(Some(event.time));
            }
            let Some(peer) = event.peer else { continue };
            let beat = self.0.entry((peer, relationship)).or_default();
            match (event.kind, event.result) {
                (EventKind::Heartbeat, Some(0)) => beat.good = beat.good.max(Some(event.time)),
                (EventKind::Heartbeat, None) => beat.asked = beat.asked.max(Some(event.request_time)),
                (EventKind::Refused | EventKind::Timeout, _) | (EventKind::Heartbeat, Some(_)) => {
                    beat.failed = beat.failed.max(Some(event.time));
                }
                _ => {}
            }
        }
    }

    pub(super) fn of(&self, server: ServerId, relationship: RelationshipId) -> Beat {
        self.0.get(&(server, relationship)).copied().unwrap_or_default()
    }
}

impl Beat {
    /// The last sign of its own, an answer or a question.
    pub(super) fn last(&self) -> Option<CaptureTime> {
        self.answered.max(self.good).max(self.failed).max(self.asked)
    }

    /// When its partner last answered well, if its calls failed since.
    pub(super) fn lost_since(&self, now: CaptureTime) -> Option<CaptureTime> {
        let good = self.good?;
        let gone = self.asked.is_some_and(|asked| asked > good && now.since(asked) > ON_ITS_WAY_NS);
        (gone || self.failed > Some(good)).then_some(good)
    }
}
