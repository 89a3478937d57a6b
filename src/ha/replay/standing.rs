//! What the replay knows about one scope on one server at one instant.

use super::Replay;
use crate::ha::timeline::{Basis, Service, Standing};
use crate::ha::topology::RelationshipId;
use crate::units::{CaptureTime, FrameRef, ServerId};

/// What the replay says of one scope on one server; the fields are those of [`Standing`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Replayed<'r> {
    /// Whether it serves the scope.
    pub service: Service,
    /// Kea's state word.
    pub state: Option<&'static str>,
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
        Self { service, state, basis, confidence, evidence: evidence.into() }
    }
}

impl Replay {
    /// Whether a server serves a scope at an instant, as far as its replayed state tells.
    pub fn standing(
        &self,
        (server, relationship, scope): (ServerId, RelationshipId, usize),
        time: CaptureTime,
    ) -> Option<Replayed<'_>> {
        let known = self.state_at(server, relationship, time)?;
        let span = known.span;
        let service = match span.state {
            None => Service::Down,
            Some(_) if span.service_on && span.scopes.contains(&scope) => Service::Serves,
            Some(_) => Service::Silent,
        };
        Some(Replayed {
            service,
            state: Some(span.state.map_or("unavailable", |state| state.as_str())),
            basis: span.basis,
            confidence: known.confidence,
            evidence: &span.evidence,
        })
    }
}
