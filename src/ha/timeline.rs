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
use crate::units::{CaptureTime, ExchangeId, FrameRef, ServerId};

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

/// All evidence of a capture.
#[derive(Debug, Default)]
pub struct Timeline {
    points: HashMap<(ServerId, RelationshipId, usize), Vec<Point>>,
    /// Signs of life (`true`) and of absence per machine.
    life: HashMap<ServerId, Vec<(CaptureTime, bool, FrameRef)>>,
}

impl Timeline {
    /// Takes what the control channel says.
    pub fn add_events(&mut self, topology: &Topology, events: &[HaEvent]) {
        for event in events {
            if let Some(peer) = event.peer {
                self.alive(peer, event.request_time, event.request_at);
            }
            let Some(server) = event.server else { continue };
            if event.kind == EventKind::Refused {
                self.life.entry(server).or_default().push((event.time, false, event.at));
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
        self.life.entry(server).or_default().push((time, true, at));
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
        self.life.values_mut().for_each(|signs| signs.sort_by_key(|(time, _, at)| (*time, *at)));
    }

    /// Whether the machine ran at an instant; `None` where the signs around it differ or are missing.
    pub fn running(&self, server: ServerId, time: CaptureTime) -> Option<bool> {
        let signs = self.life.get(&server)?;
        let after = signs.partition_point(|(at, ..)| *at <= time);
        let last = after.checked_sub(1).and_then(|at| signs.get(at)).map(|sign| sign.1);
        let next = signs.get(after).map(|sign| sign.1);
        match (last, next) {
            (Some(last), Some(next)) => (last == next).then_some(last),
            (one, other) => one.or(other),
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
                // Two heartbeats may name different states that serve the same; the earlier one holds.
                let state = last.state.clone().or_else(|| next.state.clone());
                build(last.service, state, best.basis, confidence, &[best])
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
                build(chosen.service, chosen.state.clone(), Basis::Inferred, 0.7, &[last, next])
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
