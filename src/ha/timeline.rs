//! Which server served which scope when, and how we know.
//!
//! Evidence is a list of points per server, relationship and scope: heartbeats
//! say it outright, answers prove it, silence after a DISCOVER that others saw
//! suggests the opposite, a refused control connection says that the server is
//! not running. Between two points that agree the state is known; between two
//! that differ only the query's own fate can tell, and confidence drops.

use std::collections::HashMap;

use super::events::{EventKind, HaEvent};
use super::topology::{Mode, RelationshipId, Topology};
use crate::units::{CaptureTime, ExchangeId, FrameRef, SECOND, ServerId};

/// What a decision rests on, best first (design: evidence for a server's HA state).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Basis {
    /// The server's own heartbeat answer.
    Heartbeat,
    /// Other control traffic, such as a refused connection.
    Control,
    /// What it answered and ignored.
    Inferred,
    /// The normal state of its mode.
    Assumed,
}

impl Basis {
    /// The word of the tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Heartbeat => "heartbeat",
            Self::Control => "control",
            Self::Inferred => "inferred",
            Self::Assumed => "assumed",
        }
    }
}

/// What a point says about one scope on one server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// The server answers for the scope.
    Serves,
    /// It runs and does not.
    Silent,
    /// It does not run.
    Down,
}

/// One piece of evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Point {
    time: CaptureTime,
    service: Service,
    state: Option<String>,
    basis: Basis,
    at: FrameRef,
    exchange: Option<ExchangeId>,
}

/// What is known about one scope on one server at one instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// Whether it serves the scope.
    pub service: Service,
    /// Kea's state word; absent where the evidence does not name one.
    pub state: Option<String>,
    /// What this rests on.
    pub basis: Basis,
    /// From 0 to 1.
    pub confidence: f64,
    /// The frames that show it.
    pub evidence: Vec<FrameRef>,
}

/// How long a sign of life says something when none follows (or precedes) it:
/// Kea's default interval between heartbeats, and a half.
const LASTING_NS: i64 = 15 * SECOND;

/// A sign that a machine's Kea ran, or that it did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sign {
    time: CaptureTime,
    alive: bool,
    at: FrameRef,
}

/// All evidence of a capture.
#[derive(Debug, Default)]
pub struct Timeline {
    points: HashMap<(ServerId, RelationshipId, usize), Vec<Point>>,
    /// Signs of life (`true`) and of absence per machine.
    life: HashMap<ServerId, Vec<Sign>>,
    /// Spans in which something outside a relationship may have switched a
    /// machine's one DHCP service off, with the frame that began each.
    unsettled: HashMap<ServerId, Vec<(CaptureTime, Option<CaptureTime>, FrameRef)>>,
}

impl Timeline {
    /// Takes what the control channel says.
    pub fn add_events(&mut self, topology: &Topology, events: &[HaEvent]) {
        for event in events {
            if let Some(peer) = event.peer {
                self.alive(peer, event.request_time, event.request_at);
            }
            let Some(server) = event.server else { continue };
            self.settle(event, server);
            if event.kind == EventKind::Refused {
                let sign = Sign { time: event.time, alive: false, at: event.at };
                self.life.entry(server).or_default().push(sign);
                for relationship in topology.relationships_of(server) {
                    self.add_point(topology, server, relationship, event, |_| Service::Down);
                }
                continue;
            }
            if event.result.is_some() {
                self.alive(server, event.time, event.at);
            }
            if let (EventKind::Heartbeat, Some(relationship), Some(scopes)) =
                (event.kind, event.relationship, &event.scopes)
            {
                self.add_point(topology, server, relationship, event, |peer| {
                    if scopes.iter().any(|scope| scope == peer) { Service::Serves } else { Service::Silent }
                });
            }
        }
    }

    /// A machine has one DHCP service for all its relationships. A partner's
    /// `dhcp-disable` switches it off until the machine's own next heartbeat to
    /// that partner, and a relationship that is not settled may hold it off
    /// while another one reports its normal state (measured; Kea only registers
    /// a disable while the service is on, so the order of events decides).
    fn settle(&mut self, event: &HaEvent, server: ServerId) {
        let close = |spans: &mut Vec<(CaptureTime, Option<CaptureTime>, FrameRef)>, time| {
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
                if is_service_off(state) {
                    spans.push((event.request_time, None, event.at));
                }
            }
            _ => {}
        }
    }

    /// The frame that began a span in which the machine's service may have been off.
    fn unsettled(&self, server: ServerId, time: CaptureTime) -> Option<FrameRef> {
        let spans = self.unsettled.get(&server)?;
        let covers = |span: &&(CaptureTime, Option<CaptureTime>, FrameRef)| {
            span.0 <= time && span.1.is_none_or(|end| time <= end)
        };
        spans.iter().find(covers).map(|span| span.2)
    }

    /// Whether the machine ran with its DHCP service on, as far as the evidence says.
    pub fn serving(&self, server: ServerId, time: CaptureTime) -> Option<bool> {
        match (self.running(server, time), self.unsettled(server, time)) {
            (Some(true), Some(_)) => None,
            (running, _) => running,
        }
    }

    fn add_point(
        &mut self,
        topology: &Topology,
        server: ServerId,
        relationship: RelationshipId,
        event: &HaEvent,
        service: impl Fn(&str) -> Service,
    ) {
        let peers = topology.relationship(relationship).map(|it| it.peers.as_slice()).unwrap_or_default();
        let basis = if event.kind == EventKind::Heartbeat { Basis::Heartbeat } else { Basis::Control };
        for (scope, peer) in peers.iter().enumerate() {
            self.points.entry((server, relationship, scope)).or_default().push(Point {
                time: event.time,
                service: service(&peer.name),
                state: event.state.clone(),
                basis,
                at: event.at,
                exchange: None,
            });
        }
    }

    /// Records that a machine showed life.
    pub fn alive(&mut self, server: ServerId, time: CaptureTime, at: FrameRef) {
        self.life.entry(server).or_default().push(Sign { time, alive: true, at });
    }

    /// Takes what a server did with one client's query.
    pub fn add_behaviour(
        &mut self,
        server: ServerId,
        relationship: RelationshipId,
        scope: usize,
        answered: bool,
        (time, at, exchange): (CaptureTime, FrameRef, ExchangeId),
    ) {
        self.points.entry((server, relationship, scope)).or_default().push(Point {
            time,
            service: if answered { Service::Serves } else { Service::Silent },
            state: None,
            basis: Basis::Inferred,
            at,
            exchange: Some(exchange),
        });
    }

    /// Puts the evidence in time order; call once after everything was added.
    pub fn sort(&mut self) {
        self.points.values_mut().for_each(|points| points.sort_by_key(|point| (point.time, point.at)));
        self.life.values_mut().for_each(|signs| signs.sort_by_key(|sign| (sign.time, sign.at)));
    }

    /// The signs of life before and after an instant.
    fn signs(&self, server: ServerId, time: CaptureTime) -> (Option<&Sign>, Option<&Sign>) {
        let signs = self.life.get(&server).map(Vec::as_slice).unwrap_or_default();
        let after = signs.partition_point(|sign| sign.time <= time);
        (after.checked_sub(1).and_then(|at| signs.get(at)), signs.get(after))
    }

    /// Whether the machine ran at an instant; `None` where the signs around it differ or are missing.
    pub fn running(&self, server: ServerId, time: CaptureTime) -> Option<bool> {
        match self.signs(server, time) {
            (Some(last), Some(next)) => (last.alive == next.alive).then_some(last.alive),
            (one, other) => {
                one.or(other).filter(|sign| time.since(sign.time).abs() <= LASTING_NS).map(|sign| sign.alive)
            }
        }
    }

    /// The refused connections that show a machine to be down when a query
    /// stayed unanswered, and how sure that is: refusals on both sides of the
    /// instant, or one after a last sign of life.
    pub fn down(&self, server: ServerId, time: CaptureTime) -> Option<(f64, FrameRef)> {
        match self.signs(server, time) {
            (Some(last), Some(next)) if !last.alive && !next.alive => Some((0.98, last.at)),
            (Some(last), None) if !last.alive => Some((0.9, last.at)),
            (Some(last), Some(next)) if last.alive && !next.alive => Some((0.7, next.at)),
            (Some(last), Some(next)) if !last.alive && next.alive => Some((0.7, last.at)),
            _ => None,
        }
    }

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
        match (last, next) {
            (Some(last), Some(next)) if last.service == next.service => {
                let best = if next.basis < last.basis { next } else { last };
                let confidence = match (last.basis, next.basis) {
                    (Basis::Inferred, Basis::Inferred) => 0.92,
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
            (Some(one), None) | (None, Some(one)) => {
                let near = time.since(one.time).abs() <= 3 * heartbeat_ns(topology, relationship);
                let confidence = match (one.basis, near) {
                    (Basis::Heartbeat | Basis::Control, true) => 0.97,
                    _ => 0.85,
                };
                build(one.service, one.state.clone(), one.basis, confidence, &[one])
            }
            (None, None) => {
                let service = if normal.own { Service::Serves } else { Service::Silent };
                build(service, None, Basis::Assumed, 0.75, &[])
            }
        }
    }
}

/// The states in which Kea switches the DHCP service off (kea-ha §2.1).
pub fn is_service_off(state: &str) -> bool {
    matches!(state, "waiting" | "syncing" | "ready" | "in-maintenance" | "backup")
}

fn heartbeat_ns(topology: &Topology, relationship: RelationshipId) -> i64 {
    let limits = topology.relationship(relationship).map(|it| it.limits);
    limits.map_or(10_000, |limits| i64::from(limits.heartbeat_delay_ms)) * 1_000_000
}

/// How a server behaves towards a scope while nothing is wrong.
struct Normal {
    mode: Mode,
    /// Whether the scope is this server's own and served in the normal state.
    own: bool,
}

impl Normal {
    /// The state that behaviour suggests, where it can name one.
    fn name(&self, service: Service) -> Option<&'static str> {
        match (service, self.own) {
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
        return Normal { mode: Mode::HotStandby, own: false };
    };
    let own_scope = relationship.peers.iter().position(|peer| peer.server == Some(server));
    // In hot-standby and passive-backup there is one scope, the primary's.
    let serves = match relationship.mode {
        Mode::LoadBalancing => scope < 2,
        Mode::HotStandby | Mode::PassiveBackup => scope == 0,
    };
    Normal { mode: relationship.mode, own: serves && own_scope == Some(scope) }
}
