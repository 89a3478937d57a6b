//! What the replay knows about one scope on one server at one instant.

use super::Replay;
use crate::ha::timeline::{Service, Standing};
use crate::ha::topology::RelationshipId;
use crate::units::{CaptureTime, ServerId};

impl Replay {
    /// Whether a server serves a scope at an instant, as far as its replayed state tells.
    pub fn standing(
        &self,
        (server, relationship, scope): (ServerId, RelationshipId, usize),
        time: CaptureTime,
    ) -> Option<Standing> {
        let known = self.state_at(server, relationship, time)?;
        let span = known.span;
        let service = match span.state {
            None => Service::Down,
            Some(_) if span.service_on && span.scopes.contains(&scope) => Service::Serves,
            Some(_) => Service::Silent,
        };
        Some(Standing {
            service,
            state: Some(span.state.map_or("unavailable", |state| state.as_str()).to_owned()),
            basis: span.basis,
            confidence: known.confidence,
            evidence: span.evidence.clone(),
        })
    }
}
