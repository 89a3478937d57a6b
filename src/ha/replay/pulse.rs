//! How closely a capture follows a server: what it is seen to do, in time order.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::Span;
use super::stretch::Stretch;
use crate::ha::topology::RelationshipId;
use crate::units::{CaptureTime, SECOND, ServerId};

type Place = (ServerId, RelationshipId);

/// What was seen of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beat {
    /// It showed its state.
    Shown,
    /// Its heartbeat or lease update was refused: its machine ran, and the rules say what came of it.
    Failed,
    /// It refused a connection.
    Refused,
}

/// The beats of every seat.
///
/// Partners speak once per `heartbeat-delay` and a second later at most
/// (measured). While beats follow each other that closely none is missing,
/// and nothing can have happened in between that the replay does not know.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Pulses(HashMap<Place, Pulse, RandomState>);

#[derive(Clone, Debug, Default, PartialEq)]
struct Pulse {
    /// Two heartbeats: beats further apart leave room for one that is missing.
    apart: i64,
    beats: Vec<(CaptureTime, Beat)>,
    /// Commands whose end is not in the capture.
    holes: Vec<CaptureTime>,
}

/// Where the end of a command is missing, more may be missing this long before and after.
const REACH: i64 = 30 * SECOND;

impl Pulses {
    pub(super) fn watch(&mut self, place: Place, heartbeat_delay_ms: u32) {
        self.0.entry(place).or_default().apart = 2 * i64::from(heartbeat_delay_ms) * 1_000_000;
    }

    pub(super) fn beat(&mut self, place: Place, time: CaptureTime, beat: Beat) {
        if let Some(pulse) = self.0.get_mut(&place) {
            pulse.beats.push((time, beat));
        }
    }

    pub(super) fn hole(&mut self, place: Place, time: CaptureTime) {
        if let Some(pulse) = self.0.get_mut(&place) {
            pulse.holes.push(time);
        }
    }

    /// Whether an instant lies between two like beats of its span that leave no
    /// room for a missing one; a replayed change counts as a beat beside a seen one.
    pub(super) fn covers(&self, span: &Span, next: Option<&Span>, time: &mut Stretch) -> bool {
        let Some(pulse) = self.0.get(&(span.server, span.relationship)) else { return false };
        let after = pulse.beats.partition_point(|beat| time.reached(beat.0));
        let last = after.checked_sub(1).and_then(|at| pulse.beats.get(at)).filter(|beat| beat.0 >= span.from);
        let next_beat = pulse.beats.get(after).filter(|beat| beat.0 < span.to);
        let begin = last.map(|beat| beat.0).or(span.exact.then_some(span.from));
        let end = next_beat.map(|beat| beat.0).or(next.filter(|next| next.exact).map(|_| span.to));
        let (Some(begin), Some(end)) = (begin, end) else { return false };
        let alike = match (last, next_beat) {
            (Some(last), Some(next)) => last.1 == next.1,
            (last, next) => last.or(next).is_some(),
        };
        // A failure says that the state goes on, not which one it is.
        let before = pulse.beats.get(..after).unwrap_or_default().iter().rev();
        let shown = before
            .take_while(|beat| beat.0 >= span.from)
            .chain(next_beat)
            .any(|beat| matches!(beat.1, Beat::Shown | Beat::Refused));
        alike && shown && end.since(begin) < pulse.apart && !pulse.near_hole(time)
    }

    /// Forgets what is too old for whatever happens from an instant on.
    pub(super) fn forget(&mut self, before: CaptureTime) {
        for pulse in self.0.values_mut() {
            let kept = before.plus(-10 * REACH);
            pulse.beats.drain(..pulse.beats.partition_point(|beat| beat.0 < kept));
            pulse.holes.retain(|hole| *hole >= kept);
        }
    }

    /// Whether the end of a command is missing around an instant.
    pub(super) fn near_hole(&self, place: Place, time: CaptureTime) -> bool {
        self.0.get(&place).is_some_and(|pulse| pulse.near_hole(&mut Stretch::around(time)))
    }
}

impl Pulse {
    fn near_hole(&self, time: &mut Stretch) -> bool {
        let hole = self.holes.get(self.holes.partition_point(|hole| time.passed(hole.plus(REACH))));
        hole.is_some_and(|hole| time.reached(hole.plus(-REACH)))
    }
}
