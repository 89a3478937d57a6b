//! What is known about one scope on one server at one instant.

use super::around::{Around, Normal};
use super::{Asked, Asking, Basis, Place, Point, Service, Standing};
use crate::ha::state::Status;
use crate::ha::topology::{RelationshipId, Topology};
use crate::units::{CaptureTime, Frames, ServerId};

impl<'t> Asking<'t> {
    /// Whether the captures show any answer of a server, so that its silence shows as well.
    pub fn answers_seen(&self, server: ServerId) -> bool {
        self.timeline.answering.contains(&server)
    }

    /// What is known about a scope on a server when a query arrived.
    pub fn standing(&self, topology: &Topology, place: Place, asked: Asked<'_>) -> Standing {
        let (server, time, answered) = (place.0, asked.time, asked.answered);
        let mut standing = self.undisturbed(topology, place, asked);
        if !answered
            && standing.state.is_none()
            && standing.service == Service::Silent
            && let Some((confidence, refused)) = asked.life.down()
        {
            return Standing {
                service: Service::Down,
                state: Some(Status::Unavailable),
                basis: Basis::Control,
                confidence,
                evidence: Frames::from_slice(&[refused]),
            };
        }
        if let Some(frame) =
            self.timeline.unsettled(server, time).filter(|_| standing.service == Service::Serves)
        {
            standing.confidence = standing.confidence.min(0.6);
            standing.basis = Basis::Inferred;
            standing.evidence.push(frame);
            if !answered {
                standing.service = Service::Silent;
                standing.state = None;
            }
        }
        standing
    }

    /// The standing without regard to what switches the whole service off.
    fn undisturbed(&self, topology: &Topology, place: Place, asked: Asked<'_>) -> Standing {
        let (server, relationship, scope) = place;
        let (last, next) = self.neighbours(place, asked);
        let around = Around {
            last,
            next,
            asked,
            normal: Normal::of(topology, place),
            heartbeat_ns: heartbeat_ns(topology, relationship),
            response_ns: response_ns(topology, server, relationship),
            running: asked.life.running(),
        };
        if around.is_unexpected_answer() {
            if let Some(owner) = self.owner_at_work(topology, (relationship, scope), asked.time) {
                return around.build(Service::Silent, None, Basis::Inferred, 0.9, &owner);
            }
            // A pair split in two or a server that should be silent: without heartbeats it looks the same.
            if let Some(owner) = self.owner_serves(topology, (relationship, scope), asked) {
                let silent = around.build(Service::Silent, None, Basis::Inferred, 0.5, &owner);
                return Standing { state: None, ..silent };
            }
        }
        around.judge()
    }

    /// The heartbeat by which a scope's owner told its partner that it serves the
    /// scope, so shortly before that the partner cannot have taken over: that takes
    /// `max-response-delay` without a good heartbeat (kea-ha §3.7). That both serve
    /// clients shows nothing, because in a split pair both do.
    fn owner_at_work(
        &self,
        topology: &Topology,
        (relationship, scope): (RelationshipId, usize),
        time: CaptureTime,
    ) -> Option<[&'t Point; 1]> {
        let owner = topology.relationship(relationship)?.peers.get(scope)?.server?;
        let place = (owner, relationship, scope);
        let (past, _) = self.timeline.points.around(&place, time, &self.points);
        let last = past.iter().rev().find(|point| point.basis == Basis::Heartbeat)?;
        let recent = time.since(last.time) <= response_ns(topology, owner, relationship);
        (recent && last.service == Service::Serves).then_some([last])
    }

    /// The two answers around an instant that show a scope's owner serving clients, too close
    /// together for an outage and a takeover in between.
    fn owner_serves(
        &self,
        topology: &Topology,
        (relationship, scope): (RelationshipId, usize),
        asked: Asked<'_>,
    ) -> Option<[&'t Point; 2]> {
        let owner = topology.relationship(relationship)?.peers.get(scope)?.server?;
        let (last, next) = self.neighbours((owner, relationship, scope), asked);
        let around = [last?, next?];
        let [last, next] = around;
        let close = next.time.since(last.time) <= response_ns(topology, owner, relationship);
        (close && around.iter().all(|point| point.service == Service::Serves)).then_some(around)
    }

    /// The evidence right before and after a query, other than its own exchange.
    fn neighbours(&self, place: Place, asked: Asked<'_>) -> (Option<&'t Point>, Option<&'t Point>) {
        let (past, future) = self.timeline.points.around(&place, asked.time, &self.points);
        let foreign = |point: &&Point| point.exchange != Some(asked.exchange);
        (past.iter().rev().find(foreign), future.iter().find(foreign))
    }
}

/// How long a server's heartbeats must fail before it takes over (`max-response-delay`);
/// 0 where nobody says, because any outage may then have been long enough.
fn response_ns(topology: &Topology, server: ServerId, relationship: RelationshipId) -> i64 {
    let limits = topology.limits_of(server, relationship).filter(|limits| !limits.assumed);
    limits.map_or(0, |limits| i64::from(limits.max_response_delay_ms)) * 1_000_000
}

fn heartbeat_ns(topology: &Topology, relationship: RelationshipId) -> i64 {
    let limits = topology.relationship(relationship).map(|it| it.limits);
    limits.map_or(10_000, |limits| i64::from(limits.heartbeat_delay_ms)) * 1_000_000
}
