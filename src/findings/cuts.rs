//! Times without heartbeats so long that the servers take each other for gone
//! (kea-ha §3.7: `max-response-delay`).

use std::collections::HashMap;

use crate::ha::events::{EventKind, HaEvent};
use crate::ha::topology::RelationshipId;
use crate::pipeline::Analysis;
use crate::units::{CaptureTime, FrameRef, SECOND};

/// Heartbeats in a row that a capture may have lost.
const MISSED: i64 = 3;

/// A time between two answered heartbeats of a pair, or behind its last one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    /// The heartbeat before.
    pub(super) from: CaptureTime,
    pub(super) at: FrameRef,
    /// From here on the servers may act as if the other were gone.
    pub(super) alone: CaptureTime,
    /// The heartbeat behind it, or the end of the capture.
    pub(super) to: CaptureTime,
    /// Whether there is one.
    pub(super) over: bool,
}

impl Cut {
    pub(super) fn seconds(&self) -> i64 {
        self.to.since(self.from) / SECOND
    }
}

/// The cuts of each relationship, in order of time.
///
/// Both heartbeats must be in one capture file, which then goes on in between.
pub(super) fn cuts(analysis: &Analysis<'_>) -> HashMap<RelationshipId, Vec<Cut>> {
    let mut last: HashMap<RelationshipId, &HaEvent> = HashMap::new();
    let mut cuts: HashMap<RelationshipId, Vec<Cut>> = HashMap::new();
    let answered = |event: &&HaEvent| event.kind == EventKind::Heartbeat && event.result == Some(0);
    for event in analysis.events.iter().filter(answered) {
        let Some(id) = event.relationship else { continue };
        if let Some(before) = last.insert(id, event)
            && before.at.source == event.at.source
        {
            cuts.entry(id).or_default().extend(cut(analysis, id, before, event.time, true));
        }
    }
    for (id, event) in last {
        let source = analysis.sources.get(event.at.source.0 as usize);
        if let Some(end) = source.and_then(|source| source.last) {
            cuts.entry(id).or_default().extend(cut(analysis, id, event, end, false));
        }
    }
    cuts
}

fn cut(
    analysis: &Analysis<'_>,
    id: RelationshipId,
    before: &HaEvent,
    to: CaptureTime,
    over: bool,
) -> Option<Cut> {
    let limits = analysis.network.topology.limits_of(before.server?, id)?;
    let ms = |ms: u32| i64::from(ms) * (SECOND / 1000);
    let patience = ms(limits.max_response_delay_ms).max(MISSED * ms(limits.heartbeat_delay_ms));
    let alone = before.time.plus(patience);
    (limits.heartbeat_delay_ms > 0 && to > alone).then_some(Cut {
        from: before.time,
        at: before.at,
        alone,
        to,
        over,
    })
}
