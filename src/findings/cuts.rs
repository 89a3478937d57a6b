//! Times without heartbeats so long that the servers take each other for gone
//! (kea-ha §3.7: `max-response-delay`).

use foldhash::HashMap;

use super::view::Batch;
use crate::ha::events::{EventKind, HaEvent};
use crate::ha::topology::RelationshipId;
use crate::pipeline::Analysis;
use crate::units::{CaptureTime, FrameRef, SECOND, ServerId};

/// Heartbeats in a row that a capture may have lost.
const MISSED: i64 = 3;
/// Cuts remembered per relationship, the first ones.
const KEPT: usize = 4096;

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

/// An answered heartbeat.
#[derive(Clone, Copy, Debug)]
struct Beat {
    time: CaptureTime,
    at: FrameRef,
    server: Option<ServerId>,
}

/// The cuts of one relationship, in order of time.
#[derive(Clone, Debug)]
struct Pair {
    last: Beat,
    /// From when on the servers may act alone unless another heartbeat comes.
    alone: Option<CaptureTime>,
    cuts: Vec<Cut>,
}

/// The cuts so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Cuts(HashMap<RelationshipId, Pair>);

impl Cuts {
    /// Adds the cuts of a batch.
    ///
    /// Both heartbeats must be in one capture file, which then goes on in between.
    pub(super) fn learn(&mut self, batch: &Batch<'_>) {
        for pair in self.0.values_mut() {
            // It was the end of what was read, not of the capture.
            pair.cuts.pop_if(|cut| !cut.over);
        }
        let answered = |event: &&HaEvent| event.kind == EventKind::Heartbeat && event.result == Some(0);
        for event in batch.events.iter().filter(answered) {
            let Some(id) = event.relationship else { continue };
            let beat = Beat { time: event.time, at: event.at, server: event.server };
            let pair = self.0.entry(id).or_insert_with(|| Pair { last: beat, alone: None, cuts: Vec::new() });
            let before = std::mem::replace(&mut pair.last, beat);
            if before.at.source == beat.at.source && pair.cuts.len() < KEPT {
                pair.cuts.extend(cut(batch.analysis, id, before, beat.time, true));
            }
        }
        for (id, Pair { last, alone, cuts }) in &mut self.0 {
            *alone = self::alone(batch.analysis, *id, *last);
            let source = batch.analysis.sources.get(last.at.source.0 as usize);
            if let Some(end) = source.and_then(|source| source.last) {
                cuts.extend(cut(batch.analysis, *id, *last, end, false));
            }
        }
    }

    /// The cuts of a relationship, in order of time.
    pub(super) fn of(&self, id: RelationshipId) -> &[Cut] {
        self.0.get(&id).map(|pair| pair.cuts.as_slice()).unwrap_or_default()
    }

    /// The begin of the time without heartbeats that an instant lies in, late enough
    /// for the servers to act alone; how long it will be may not be known yet.
    pub(super) fn begun(&self, id: RelationshipId, time: CaptureTime) -> Option<CaptureTime> {
        let pair = self.0.get(&id)?;
        if pair.alone.is_some_and(|alone| time > alone) {
            return Some(pair.last.time);
        }
        self.around(id, time).filter(|cut| time > cut.alone).map(|cut| cut.from)
    }

    /// The cut that an instant lies in.
    pub(super) fn around(&self, id: RelationshipId, time: CaptureTime) -> Option<&Cut> {
        let cuts = self.of(id);
        let after = cuts.partition_point(|cut| cut.from < time);
        after.checked_sub(1).and_then(|at| cuts.get(at)).filter(|cut| time < cut.to)
    }
}

fn cut(
    analysis: &Analysis<'_>,
    id: RelationshipId,
    before: Beat,
    to: CaptureTime,
    over: bool,
) -> Option<Cut> {
    let alone = alone(analysis, id, before).filter(|alone| to > *alone)?;
    Some(Cut { from: before.time, at: before.at, alone, to, over })
}

/// When the servers lose patience after a heartbeat; never without heartbeats by configuration.
fn alone(analysis: &Analysis<'_>, id: RelationshipId, beat: Beat) -> Option<CaptureTime> {
    let limits = analysis.network.topology.limits_of(beat.server?, id)?;
    let ms = |ms: u32| i64::from(ms) * (SECOND / 1000);
    let patience = ms(limits.max_response_delay_ms).max(MISSED * ms(limits.heartbeat_delay_ms));
    (limits.heartbeat_delay_ms > 0).then(|| beat.time.plus(patience))
}
