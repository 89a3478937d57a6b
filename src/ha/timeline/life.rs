//! Whether a machine ran, and whether its DHCP service was on.

use super::track::Timed;
use super::{Asking, FAR_NS, Timeline};
use crate::ha::events::{EventKind, HaEvent};
use crate::ha::state::State;
use crate::units::{CaptureTime, FrameRef, SECOND, ServerId};

/// How long a sign of life says something when none follows (or precedes) it:
/// Kea's default interval between heartbeats, and a half.
const LASTING_NS: i64 = 15 * SECOND;

/// A sign that a machine's Kea ran, or that it did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sign {
    pub(super) time: CaptureTime,
    pub(super) alive: bool,
    pub(super) at: FrameRef,
}

/// When a machine's service may have been off: begin, end, the frame that began it.
pub(super) type Span = (CaptureTime, Option<CaptureTime>, FrameRef);

impl Timeline {
    /// A machine has one DHCP service for all its relationships. A partner's
    /// `dhcp-disable` switches it off until the machine's own next heartbeat to
    /// that partner, and a relationship that is not settled may hold it off
    /// while another one reports its normal state (measured; Kea only registers
    /// a disable while the service is on, so the order of events decides).
    pub(super) fn switch(&mut self, event: &HaEvent, server: ServerId) {
        let close = |spans: &mut Vec<Span>, time| {
            spans.iter_mut().filter(|span| span.1.is_none()).for_each(|span| span.1 = Some(time));
        };
        match (event.kind, event.state.as_deref()) {
            (EventKind::Disable, _) => {
                self.unsettled.entry(server).or_default().push((event.request_time, None, event.at));
            }
            (EventKind::Heartbeat, Some(state)) => {
                if let Some(spans) = event.peer.and_then(|peer| self.unsettled.get_mut(&peer)) {
                    close(spans, event.time);
                }
                let spans = self.unsettled.entry(server).or_default();
                if State::from_word(state).is_some_and(|state| !state.is_service_on()) {
                    spans.push((event.request_time, None, event.at));
                }
            }
            _ => {}
        }
    }

    /// The frame that began a span in which the machine's service may have been off.
    pub(super) fn unsettled(&self, server: ServerId, time: CaptureTime) -> Option<FrameRef> {
        let spans = self.unsettled.get(&server)?;
        let covers = |span: &&Span| span.0 <= time && span.1.is_none_or(|end| time <= end);
        spans.iter().find(covers).map(|span| span.2)
    }
}

impl Asking<'_> {
    /// The signs of life before and after an instant.
    pub fn life(&self, server: ServerId, time: CaptureTime) -> Life {
        let (past, future) = self.timeline.life.around(&server, time, &self.life);
        Life { time, last: past.last().copied(), next: future.first().copied() }
    }

    /// Whether the machine ran with its DHCP service on, as far as the evidence says.
    pub fn serving(&self, server: ServerId, time: CaptureTime) -> Option<bool> {
        match (self.life(server, time).running(), self.timeline.unsettled(server, time)) {
            (Some(true), Some(_)) => None,
            (running, _) => running,
        }
    }
}

/// What showed a machine to be alive or gone, before and after an instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Life {
    time: CaptureTime,
    last: Option<Sign>,
    next: Option<Sign>,
}

impl Life {
    fn near(&self, sign: &Sign) -> bool {
        self.time.since(sign.time).saturating_abs() <= FAR_NS
    }

    /// Whether the machine ran; `None` where the signs around it differ or are missing.
    pub fn running(&self) -> Option<bool> {
        match (&self.last, &self.next) {
            (Some(last), Some(next)) => {
                (last.alive == next.alive && (self.near(last) || self.near(next))).then_some(last.alive)
            }
            (one, other) => one
                .or(*other)
                .filter(|sign| self.time.since(sign.time).saturating_abs() <= LASTING_NS)
                .map(|sign| sign.alive),
        }
    }

    /// The refused connections that show a machine to be down when a query
    /// stayed unanswered, and how sure that is: refusals on both sides of the
    /// instant, or one after a last sign of life.
    pub fn down(&self) -> Option<(f64, FrameRef)> {
        match (&self.last, &self.next) {
            (Some(last), Some(next)) if !last.alive && !next.alive => {
                Some((if self.near(last) || self.near(next) { 0.98 } else { 0.7 }, last.at))
            }
            (Some(last), None) if !last.alive => Some((0.88, last.at)),
            (Some(last), Some(next)) if last.alive && !next.alive => Some((0.7, next.at)),
            (Some(last), Some(next)) if !last.alive && next.alive => Some((0.7, last.at)),
            _ => None,
        }
    }
}

impl Timed for Sign {
    fn place(&self) -> (CaptureTime, FrameRef) {
        (self.time, self.at)
    }

    fn says_most(&self) -> bool {
        !self.alive
    }
}
