//! The evidence before and after an instant, weighed.
//!
//! Two points that agree hold in between, as surely as nothing can have happened
//! between them that the capture hides. Where they differ, or one is missing,
//! the query's own fate is what is left.

use super::{Asked, Basis, FAR_NS, Place, Point, Service, Standing};
use crate::ha::state::{State, Status};
use crate::ha::topology::{Mode, Role, Topology};
use crate::units::Frames;

/// The evidence around a query.
pub(super) struct Around<'t> {
    pub(super) last: Option<&'t Point>,
    pub(super) next: Option<&'t Point>,
    pub(super) asked: Asked<'t>,
    pub(super) normal: Normal,
    /// `heartbeat-delay`, nanoseconds.
    pub(super) heartbeat_ns: i64,
    /// `max-response-delay`, nanoseconds; 0 where it is not known.
    pub(super) response_ns: i64,
    /// Whether the machine ran, where that is known.
    pub(super) running: Option<bool>,
}

impl Around<'_> {
    pub(super) fn build(
        &self,
        service: Service,
        state: Option<State>,
        basis: Basis,
        confidence: f64,
        points: &[&Point],
    ) -> Standing {
        let mut evidence = Frames::new();
        for point in points {
            evidence.push(point.at);
        }
        Standing {
            service,
            state: state.map(Status::In).or_else(|| self.normal.name(service)),
            basis,
            confidence,
            evidence,
        }
    }

    fn away(&self, point: &Point) -> i64 {
        self.asked.time.since(point.time).saturating_abs()
    }

    /// Far from both points, a whole outage may lie between them.
    fn is_far(&self, point: &Point) -> bool {
        self.away(point) > FAR_NS
    }

    fn is_distant(&self, point: &Point) -> bool {
        self.away(point) > self.heartbeat_ns
    }

    /// A silence that a lossy capture also shows, or that is long ago.
    fn is_weak_silence(&self, point: &Point) -> bool {
        point.service == Service::Silent && (point.basis == Basis::Inferred || self.is_far(point))
    }

    /// It answered for a scope that is not its own, and nothing shows that it took over.
    pub(super) fn is_unexpected_answer(&self) -> bool {
        let points = [self.last, self.next];
        let silent = points.into_iter().flatten().all(|point| self.is_weak_silence(point));
        self.asked.answered && !self.normal.own && silent
    }

    pub(super) fn judge(&self) -> Standing {
        match (self.last, self.next) {
            (Some(last), Some(next)) => self.between(last, next),
            (Some(one), None) | (None, Some(one)) => self.beside(one),
            // Kea answers in no other scope than those it serves; a server without the hook would.
            (None, None) if self.asked.answered && !self.normal.own => {
                self.build(Service::Serves, None, Basis::Inferred, 0.6, &[])
            }
            (None, None) => {
                let service = if self.normal.own { Service::Serves } else { Service::Silent };
                self.build(service, None, Basis::Assumed, 0.75, &[])
            }
        }
    }

    fn between(&self, last: &Point, next: &Point) -> Standing {
        // Its own answer outweighs such silences around it.
        if self.asked.answered && self.is_weak_silence(last) && self.is_weak_silence(next) {
            return self.build(Service::Serves, None, Basis::Inferred, 0.7, &[last, next]);
        }
        if last.service == next.service { self.agreeing(last, next) } else { self.differing(last, next) }
    }

    fn agreeing(&self, last: &Point, next: &Point) -> Standing {
        let passing = |state: Option<State>| state.is_some_and(|state| !state.is_service_on());
        let (before, after) = (last.state, next.state);
        let changed = before != after && before.is_some() && after.is_some();
        // The state changed without a change of what is served, at an unknown
        // instant; a passing state that nothing confirms may have ended too.
        if changed || passing(before) != passing(after) {
            return self.build(last.service, None, Basis::Inferred, 0.85, &[last, next]);
        }
        let best = if next.basis < last.basis { next } else { last };
        let state = last.state.or(next.state);
        self.build(last.service, state, best.basis, self.sureness(last, next, best), &[best])
    }

    /// How surely nothing happened between two points that agree.
    fn sureness(&self, last: &Point, next: &Point, best: &Point) -> f64 {
        let gap = next.time.since(last.time);
        let observed = last.basis < Basis::Inferred || next.basis < Basis::Inferred;
        // A takeover and its end need at least this long, and the capture may have missed them;
        // maintenance begins and ends at once, so between heartbeats no further one may be missing.
        let room = gap > self.response_ns || (observed && gap > 5 * self.heartbeat_ns / 2);
        // A server that does not run is as silent.
        let idle = last.service == Service::Silent && !self.normal.own && self.running != Some(true);
        match (last.basis, next.basis) {
            _ if room || (self.is_far(last) && self.is_far(next)) => 0.85,
            (Basis::Inferred, Basis::Inferred) if idle => 0.85,
            (Basis::Inferred, Basis::Inferred) => 0.92,
            // A silence is no confirmation of a distant heartbeat: the capture may have lost an answer.
            (Basis::Inferred, _) | (_, Basis::Inferred) if self.is_distant(best) => 0.85,
            (Basis::Inferred, _) | (_, Basis::Inferred) => 0.97,
            _ => 0.99,
        }
    }

    /// It changed in between; only the query's own fate tells on which side it fell.
    fn differing(&self, last: &Point, next: &Point) -> Standing {
        let answered = self.asked.answered;
        let wanted = |point: &Point| (point.service == Service::Serves) == answered;
        let down = |point: &Point| point.service == Service::Down;
        let chosen = match (wanted(last), wanted(next)) {
            (true, false) => last,
            (false, true) => next,
            // Silent or down, and the query unanswered: a server that showed life before and after it
            // was not gone, and otherwise one that is gone explains more.
            _ if self.running == Some(true) => {
                if down(last) {
                    next
                } else {
                    last
                }
            }
            _ if down(next) => next,
            _ => last,
        };
        // Its own answer shows that it serves; another client's answer beside it makes that no accident.
        let confidence = if answered && chosen.service == Service::Serves { 0.9 } else { 0.7 };
        self.build(chosen.service, chosen.state, Basis::Inferred, confidence, &[last, next])
    }

    /// Evidence on one side only.
    fn beside(&self, one: &Point) -> Standing {
        let answered = self.asked.answered;
        if one.basis == Basis::Inferred && (one.service == Service::Serves) != answered {
            // That it changed in between explains as much.
            return match (answered, self.normal.own) {
                (_, true) => self.build(Service::Serves, None, Basis::Inferred, 0.85, &[one]),
                (true, false) => self.build(Service::Serves, None, Basis::Inferred, 0.6, &[one]),
                (false, false) => {
                    let silent = self.build(Service::Silent, None, Basis::Inferred, 0.6, &[one]);
                    Standing { state: None, ..silent }
                }
            };
        }
        // A passing state is soon over, and nothing shows that it was not.
        let passing = one.state.is_some_and(|state| !state.is_service_on());
        // What a heartbeat shows may have begun right before it, and not hold for the query.
        let before = self.last.is_some();
        let denied = answered && one.service != Service::Serves;
        let sure = one.basis == Basis::Heartbeat && before && !self.is_distant(one) && !passing && !denied;
        self.build(one.service, one.state, one.basis, if sure { 0.97 } else { 0.85 }, &[one])
    }
}

/// How a server behaves towards a scope while nothing is wrong.
pub(super) struct Normal {
    mode: Mode,
    /// A backup is never asked to serve.
    backup: bool,
    /// Whether the scope is this server's own and served in the normal state.
    own: bool,
}

impl Normal {
    /// The state that behaviour suggests, where it can name one.
    fn name(&self, service: Service) -> Option<Status> {
        match (service, self.own) {
            (Service::Silent, _) if self.backup => Some(Status::In(State::Backup)),
            (Service::Serves, true) | (Service::Silent, false) => Some(Status::In(State::normal(self.mode))),
            (Service::Serves, false) => Some(Status::In(State::PartnerDown)),
            // It may be waiting, syncing, in maintenance or unable to lease: behaviour cannot tell.
            (Service::Silent, true) => None,
            (Service::Down, _) => Some(Status::Unavailable),
        }
    }

    /// The normal behaviour of a server towards a scope.
    pub(super) fn of(topology: &Topology, (server, id, scope): Place) -> Self {
        let Some(relationship) = topology.relationship(id) else {
            return Self { mode: Mode::HotStandby, backup: false, own: false };
        };
        let own_scope = relationship.peers.iter().position(|peer| peer.server == Some(server));
        // In hot-standby and passive-backup there is one scope, the primary's.
        let serves = match relationship.mode {
            Mode::LoadBalancing => scope < 2,
            Mode::HotStandby | Mode::PassiveBackup => scope == 0,
        };
        let backup = relationship.peer_of(server).is_some_and(|peer| peer.role == Role::Backup);
        Self { mode: relationship.mode, backup, own: serves && own_scope == Some(scope) }
    }
}
