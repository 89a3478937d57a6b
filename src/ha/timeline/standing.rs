//! What is known about one scope on one server at one instant.

use super::{Basis, FAR_NS, Point, Service, Standing, Timeline, is_service_off};
use crate::ha::topology::{Mode, RelationshipId, Role, Topology};
use crate::units::{CaptureTime, ExchangeId, ServerId};

impl Timeline {
    /// What is known about `scope` on `server` when a query of `exchange`
    /// arrived. `answered` is the query's own fate; it only decides where the
    /// evidence before and after differs.
    pub fn standing(
        &self,
        topology: &Topology,
        (server, relationship, scope): (ServerId, RelationshipId, usize),
        time: CaptureTime,
        exchange: ExchangeId,
        answered: bool,
    ) -> Standing {
        let mut standing =
            self.undisturbed(topology, (server, relationship, scope), time, exchange, answered);
        if !answered
            && standing.state.is_none()
            && standing.service == Service::Silent
            && let Some((confidence, refused)) = self.down(server, time)
        {
            return Standing {
                service: Service::Down,
                state: Some("unavailable".to_owned()),
                basis: Basis::Control,
                confidence,
                evidence: vec![refused],
            };
        }
        if let Some(frame) = self.unsettled(server, time).filter(|_| standing.service == Service::Serves) {
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
    fn undisturbed(
        &self,
        topology: &Topology,
        (server, relationship, scope): (ServerId, RelationshipId, usize),
        time: CaptureTime,
        exchange: ExchangeId,
        answered: bool,
    ) -> Standing {
        let all = self.points.get(&(server, relationship, scope)).map(Vec::as_slice).unwrap_or_default();
        let split = all.partition_point(|point| point.time <= time);
        let (past, future) = all.split_at(split);
        let foreign = |point: &&Point| point.exchange != Some(exchange);
        let last = past.iter().rev().find(foreign);
        let next = future.iter().find(foreign);
        let normal = normal_state(topology, relationship, server, scope);
        let build = |service, state: Option<String>, basis, confidence, points: &[&Point]| Standing {
            service,
            state: state.or_else(|| normal.name(service).map(str::to_owned)),
            basis,
            confidence,
            evidence: points.iter().map(|point| point.at).collect(),
        };
        // Far from both, a whole outage may lie between them.
        let far = |point: &Point| time.since(point.time).saturating_abs() > FAR_NS;
        let distant =
            |point: &Point| time.since(point.time).saturating_abs() > heartbeat_ns(topology, relationship);
        let weak = |point: &Point| point.basis == Basis::Inferred || far(point);
        let silent = |point: &&Point| point.service == Service::Silent && weak(point);
        if answered && !normal.own && [last, next].into_iter().flatten().all(|point| silent(&point)) {
            if let Some(owner) = self.owner_at_work(topology, (relationship, scope), time) {
                return build(Service::Silent, None, Basis::Inferred, 0.9, &owner);
            }
            // A pair split in two or a server that should be silent: without heartbeats it looks the same.
            if let Some(owner) = self.owner_serves(topology, (relationship, scope), time, exchange) {
                return Standing {
                    state: None,
                    ..build(Service::Silent, None, Basis::Inferred, 0.5, &owner)
                };
            }
        }
        match (last, next) {
            // Its own answer outweighs silences around it that a lossy capture also shows, or that are long ago.
            (Some(last), Some(next)) if answered && [last, next].iter().all(silent) => {
                build(Service::Serves, None, Basis::Inferred, 0.7, &[last, next])
            }
            (Some(last), Some(next)) if last.service == next.service => {
                let best = if next.basis < last.basis { next } else { last };
                // A takeover and its end need at least this long, and the capture may have missed them;
                // maintenance begins and ends at once, so between heartbeats no further one may be missing.
                let room = next.time.since(last.time) > response_ns(topology, server, relationship)
                    || next.time.since(last.time) > 5 * heartbeat_ns(topology, relationship) / 2
                        && [last, next].iter().any(|point| point.basis < Basis::Inferred);
                // A server that does not run is as silent.
                let alive = normal.own || self.running(server, time) == Some(true);
                let confidence = match (last.basis, next.basis) {
                    _ if room || (far(last) && far(next)) => 0.85,
                    (Basis::Inferred, Basis::Inferred) if !alive && last.service == Service::Silent => 0.85,
                    (Basis::Inferred, Basis::Inferred) => 0.92,
                    // A silence is no confirmation of a distant heartbeat: the capture may have lost an answer.
                    (Basis::Inferred, _) | (_, Basis::Inferred) if distant(best) => 0.85,
                    (Basis::Inferred, _) | (_, Basis::Inferred) => 0.97,
                    _ => 0.99,
                };
                let passing = |state: &Option<String>| state.as_deref().is_some_and(is_service_off);
                match (&last.state, &next.state) {
                    // The state changed without a change of what is served, at an unknown
                    // instant; a passing state that nothing confirms may have ended too.
                    (a, b) if (a != b && a.is_some() && b.is_some()) || (passing(a) != passing(b)) => {
                        build(last.service, None, Basis::Inferred, 0.85, &[last, next])
                    }
                    (state, other) => build(
                        last.service,
                        state.clone().or_else(|| other.clone()),
                        best.basis,
                        confidence,
                        &[best],
                    ),
                }
            }
            (Some(last), Some(next)) => {
                // It changed in between; only the query's own fate tells on which side it fell.
                let wanted = |point: &Point| (point.service == Service::Serves) == answered;
                let chosen = if wanted(last) && !wanted(next) {
                    last
                } else if wanted(next) && !wanted(last) {
                    next
                } else {
                    // Silent or down, and the query unanswered: a server that is gone explains more.
                    if next.service == Service::Down { next } else { last }
                };
                // Its own answer shows that it serves; another client's answer beside it makes that no accident.
                let confidence = if answered && chosen.service == Service::Serves { 0.9 } else { 0.7 };
                build(chosen.service, chosen.state.clone(), Basis::Inferred, confidence, &[last, next])
            }
            (Some(one), None) | (None, Some(one))
                if one.basis == Basis::Inferred && (one.service == Service::Serves) != answered =>
            {
                // Evidence on one side only: that it changed in between explains as much.
                match (answered, normal.own) {
                    (_, true) => build(Service::Serves, None, Basis::Inferred, 0.85, &[one]),
                    (true, false) => build(Service::Serves, None, Basis::Inferred, 0.6, &[one]),
                    (false, false) => {
                        Standing { state: None, ..build(Service::Silent, None, Basis::Inferred, 0.6, &[one]) }
                    }
                }
            }
            (Some(one), None) | (None, Some(one)) => {
                let near = !distant(one);
                // A passing state is soon over, and nothing shows that it was not.
                let passing = one.state.as_deref().is_some_and(is_service_off);
                let confidence = match (one.basis, near) {
                    (Basis::Heartbeat, true) if !passing => 0.97,
                    _ => 0.85,
                };
                build(one.service, one.state.clone(), one.basis, confidence, &[one])
            }
            // Kea answers in no other scope than those it serves; a server without the hook would.
            (None, None) if answered && !normal.own => {
                build(Service::Serves, None, Basis::Inferred, 0.6, &[])
            }
            (None, None) => {
                let service = if normal.own { Service::Serves } else { Service::Silent };
                build(service, None, Basis::Assumed, 0.75, &[])
            }
        }
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
    ) -> Option<[&Point; 1]> {
        let owner = topology.relationship(relationship)?.peers.get(scope)?.server?;
        let points = self.points.get(&(owner, relationship, scope))?;
        let past = points.get(..points.partition_point(|point| point.time <= time))?;
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
        time: CaptureTime,
        exchange: ExchangeId,
    ) -> Option<[&Point; 2]> {
        let owner = topology.relationship(relationship)?.peers.get(scope)?.server?;
        let points = self.points.get(&(owner, relationship, scope))?;
        let (past, future) = points.split_at(points.partition_point(|point| point.time <= time));
        let foreign = |point: &&Point| point.exchange != Some(exchange);
        let around = [past.iter().rev().find(foreign)?, future.iter().find(foreign)?];
        let [last, next] = around;
        let close = next.time.since(last.time) <= response_ns(topology, owner, relationship);
        (close && around.iter().all(|point| point.service == Service::Serves)).then_some(around)
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

/// How a server behaves towards a scope while nothing is wrong.
struct Normal {
    mode: Mode,
    /// A backup is never asked to serve.
    backup: bool,
    /// Whether the scope is this server's own and served in the normal state.
    own: bool,
}

impl Normal {
    /// The state that behaviour suggests, where it can name one.
    fn name(&self, service: Service) -> Option<&'static str> {
        match (service, self.own) {
            (Service::Silent, _) if self.backup => Some("backup"),
            (Service::Serves, true) | (Service::Silent, false) => Some(self.mode.normal_state()),
            (Service::Serves, false) => Some("partner-down"),
            // It may be waiting, syncing, in maintenance or unable to lease: behaviour cannot tell.
            (Service::Silent, true) => None,
            (Service::Down, _) => Some("unavailable"),
        }
    }
}

fn normal_state(topology: &Topology, id: RelationshipId, server: ServerId, scope: usize) -> Normal {
    let Some(relationship) = topology.relationship(id) else {
        return Normal { mode: Mode::HotStandby, backup: false, own: false };
    };
    let own_scope = relationship.peers.iter().position(|peer| peer.server == Some(server));
    // In hot-standby and passive-backup there is one scope, the primary's.
    let serves = match relationship.mode {
        Mode::LoadBalancing => scope < 2,
        Mode::HotStandby | Mode::PassiveBackup => scope == 0,
    };
    let backup = relationship.peer_of(server).is_some_and(|peer| peer.role == Role::Backup);
    Normal { mode: relationship.mode, backup, own: serves && own_scope == Some(scope) }
}
