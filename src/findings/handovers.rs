//! Times around the return of a server, from heartbeats: for about a heartbeat
//! both may serve, or neither (kea-ha §2.1).

use foldhash::HashMap;

use super::view::{Batch, state_of};
use crate::ha::events::EventKind;
use crate::ha::state::State;
use crate::ha::topology::RelationshipId;
use crate::units::{CaptureTime, SECOND, ServerId};

/// Handovers remembered per relationship, the latest ones.
const KEPT: usize = 4096;

/// Begin and end of each.
type Spans = Vec<(CaptureTime, CaptureTime)>;

/// The handovers so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Handovers {
    /// The last reported state of each server.
    last: HashMap<(RelationshipId, ServerId), (CaptureTime, State)>,
    spans: HashMap<RelationshipId, Spans>,
}

impl Handovers {
    /// From the last heartbeat that showed a server or its partner out of the
    /// normal state to one heartbeat after the first that showed it back.
    pub(super) fn learn(&mut self, batch: &Batch<'_>) {
        for event in batch.events.iter().filter(|event| event.kind == EventKind::Heartbeat) {
            let (Some(id), Some(server)) = (event.relationship, event.server) else { continue };
            let Some(state) = state_of(event) else { continue };
            let before = self.last.insert((id, server), (event.time, state));
            if let Some((time, _)) = before.filter(|(_, before)| *before != state && is_apart(*before)) {
                let limits = batch.analysis.network.topology.limits_of(server, id);
                let delay = limits.map_or(0, |it| i64::from(it.heartbeat_delay_ms) * SECOND / 1000);
                self.spans.entry(id).or_default().push((time, event.time.plus(delay)));
            }
        }
        self.spans.values_mut().for_each(join);
    }

    pub(super) fn contain(&self, id: RelationshipId, time: CaptureTime) -> bool {
        let spans = self.spans.get(&id).map(Vec::as_slice).unwrap_or_default();
        let after = spans.partition_point(|(from, _)| *from <= time);
        after.checked_sub(1).and_then(|at| spans.get(at)).is_some_and(|(_, to)| time <= *to)
    }
}

/// Puts spans in order and joins those that touch.
fn join(spans: &mut Spans) {
    spans.sort_unstable();
    spans.dedup_by(|next, kept| {
        let touch = next.0 <= kept.1;
        if touch {
            kept.1 = kept.1.max(next.1);
        }
        touch
    });
    spans.drain(..spans.len().saturating_sub(KEPT));
}

/// Whether a server in this state does not share the work with its partner.
const fn is_apart(state: State) -> bool {
    matches!(
        state,
        State::PartnerDown
            | State::PartnerInMaintenance
            | State::InMaintenance
            | State::Waiting
            | State::Syncing
            | State::Ready
    )
}
