//! What the replay knows about one scope on one server at one instant.

use std::cell::Cell;

use super::stretch::Stretch;
use super::{Known, Replay};
use crate::ha::state::Status;
use crate::ha::timeline::{Basis, Service, Standing};
use crate::ha::topology::RelationshipId;
use crate::units::{CaptureTime, FrameRef, Frames, ServerId};

/// What the replay says of one scope on one server; the fields are those of [`Standing`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Replayed<'r> {
    /// Whether it serves the scope.
    pub service: Service,
    /// Its state.
    pub state: Option<Status>,
    /// What this rests on.
    pub basis: Basis,
    /// From 0 to 1.
    pub confidence: f64,
    /// The frames that show it.
    pub evidence: &'r [FrameRef],
}

impl From<Replayed<'_>> for Standing {
    fn from(replayed: Replayed<'_>) -> Self {
        let Replayed { service, state, basis, confidence, evidence } = replayed;
        Self { service, state, basis, confidence, evidence: Frames::from_slice(evidence) }
    }
}

/// Somebody who asks a replay about instants that follow each other closely, and remembers
/// how long the last answers hold. Each thread has its own.
#[derive(Debug)]
pub struct Follower<'r> {
    replay: &'r Replay,
    /// The last answer about each seat, in the order of the seats.
    seats: Vec<(Seat, Cell<Option<Answer<'r>>>)>,
}

type Seat = (ServerId, RelationshipId);

#[derive(Clone, Copy, Debug)]
struct Answer<'r> {
    known: Option<Known<'r>>,
    holds: Stretch,
}

impl Replay {
    /// To ask it about many instants.
    pub fn follow(&self) -> Follower<'_> {
        let mut seats: Vec<Seat> = self.spans.iter().map(|span| (span.server, span.relationship)).collect();
        seats.dedup();
        Follower { replay: self, seats: seats.into_iter().map(|seat| (seat, Cell::default())).collect() }
    }
}

impl<'r> Follower<'r> {
    /// What is known about a seat at an instant.
    fn known(&self, seat: Seat, time: CaptureTime) -> Option<Known<'r>> {
        let at = self.seats.binary_search_by_key(&seat, |known| known.0).ok()?;
        let (_, last) = self.seats.get(at)?;
        if let Some(answer) = last.get().filter(|answer| answer.holds.has(time)) {
            return answer.known;
        }
        let mut holds = Stretch::around(time);
        let known = self.replay.known(seat, &mut holds);
        last.set(Some(Answer { known, holds }));
        known
    }

    /// Whether a server serves a scope at an instant, as far as its replayed state tells.
    pub fn standing(
        &self,
        (server, relationship, scope): (ServerId, RelationshipId, usize),
        time: CaptureTime,
    ) -> Option<Replayed<'r>> {
        let known = self.known((server, relationship), time)?;
        let span = known.span;
        let service = match span.state {
            None => Service::Down,
            Some(_) if span.service_on && span.scopes.contains(&scope) => Service::Serves,
            Some(_) => Service::Silent,
        };
        Some(Replayed {
            service,
            state: Some(span.state.map_or(Status::Unavailable, Status::In)),
            basis: span.basis,
            confidence: known.confidence,
            evidence: &span.evidence,
        })
    }
}
