//! Which server served which scope when, and how we know.
//!
//! Evidence is a list of points per server, relationship and scope: heartbeats
//! say it outright, answers prove it, silence after a DISCOVER that others saw
//! suggests the opposite, a refused control connection says that the server is
//! not running. Between two points that agree the state is known; between two
//! that differ only the query's own fate can tell, and confidence drops.
//!
//! The evidence is collected here; `life` knows whether a machine ran, `standing`
//! says what is known about one scope at one instant, and `around` weighs it.

mod around;
mod life;
mod standing;
mod track;

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

pub use self::life::Life;

use self::life::{Sign, Span};
use self::track::{Fingers, Timed, Tracks};
use super::events::{EventKind, HaEvent};
use super::state::{State, Status};
use super::topology::{Mode, RelationshipId, Topology};
use crate::exchange::{Exchange, Observed};
use crate::units::{CaptureTime, ExchangeId, FrameRef, Frames, SECOND, ServerId};

/// What a decision rests on, best first (design: evidence for a server's HA state).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Basis {
    /// The server's own heartbeat answer.
    Heartbeat,
    /// Other control traffic, such as a refused connection.
    Control,
    /// Kea's log.
    Log,
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
            Self::Log => "log",
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

/// A server, one of its relationships, and the place of the peer whose scope it is there.
pub type Place = (ServerId, RelationshipId, usize);

/// The query that a standing is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked<'l> {
    /// When it was captured.
    pub time: CaptureTime,
    /// Its exchange, whose own behaviour is no evidence.
    pub exchange: ExchangeId,
    /// The query's own fate; it decides only where the evidence before and after differs.
    pub answered: bool,
    /// [`Asking::life`] of the server at that time.
    pub life: &'l Life,
}

/// One piece of evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Point {
    time: CaptureTime,
    service: Service,
    state: Option<State>,
    basis: Basis,
    at: FrameRef,
    exchange: Option<ExchangeId>,
}

/// What is known about one scope on one server at one instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// Whether it serves the scope.
    pub service: Service,
    /// Its state; absent where the evidence does not name one.
    pub state: Option<Status>,
    /// What this rests on.
    pub basis: Basis,
    /// From 0 to 1.
    pub confidence: f64,
    /// The frames that show it.
    pub evidence: Frames,
}

/// All evidence of a capture.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    points: Tracks<Place, Point>,
    /// Signs of life (`true`) and of absence per machine.
    life: Tracks<ServerId, Sign>,
    /// Spans in which something outside a relationship may have switched a
    /// machine's one DHCP service off, with the frame that began each.
    unsettled: HashMap<ServerId, Vec<Span>, RandomState>,
    /// Servers that answered some client.
    answering: HashSet<ServerId, RandomState>,
}

impl Timeline {
    /// Takes what the control channel says.
    pub fn add_events(&mut self, topology: &Topology, events: &[HaEvent]) {
        for event in events {
            if let Some(peer) = event.peer.filter(|_| event.relationship.is_some()) {
                self.alive(peer, event.request_time, event.request_at);
            }
            let Some(server) = event.server else { continue };
            self.switch(event, server);
            // The Control Agent is a process of its own: that it is down says nothing about
            // DHCP. And who is no peer may be refused by a firewall alone.
            let foreign = event.relationship.is_none() || is_agent(topology, server, event);
            if event.kind == EventKind::Refused && foreign {
                continue;
            }
            if event.kind == EventKind::Refused || is_agent_alone(event) {
                let sign = Sign { time: event.time, alive: false, at: event.at };
                self.life.push(server, sign, false);
                for relationship in topology.relationships_of(server) {
                    self.add_point(topology, server, relationship, event, |_| Service::Down);
                }
                continue;
            }
            // An answered command of no relationship may be the agent's own, or for DHCPv6.
            if event.result.is_some() && event.relationship.is_some() && event.kind != EventKind::Command {
                self.alive(server, event.time, event.at);
            }
            if let (EventKind::Heartbeat, Some(relationship), Some(scopes)) =
                (event.kind, event.relationship, &event.scopes)
                && fits(topology, relationship, event.state.as_deref(), scopes)
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
            self.points.push(
                (server, relationship, scope),
                Point {
                    time: event.time,
                    service: service(&peer.name),
                    state: event.state.as_deref().and_then(State::from_word),
                    basis,
                    at: event.at,
                    exchange: None,
                },
                false,
            );
        }
    }

    /// Records that a machine showed life.
    pub fn alive(&mut self, server: ServerId, time: CaptureTime, at: FrameRef) {
        self.life.push(server, Sign { time, alive: true, at }, false);
    }

    /// Takes a reply of a machine; `late` when the exchange had one before it.
    pub fn replied(&mut self, server: ServerId, reply: &Observed, late: bool) {
        self.life.push(server, Sign { time: reply.time, alive: true, at: reply.at }, late);
    }

    /// Takes what a server did with one client's query.
    pub fn add_behaviour(&mut self, place: Place, answered: bool, exchange: &Exchange, query: &Observed) {
        if answered {
            self.answering.insert(place.0);
        }
        self.points.push(
            place,
            Point {
                time: query.time,
                service: if answered { Service::Serves } else { Service::Silent },
                state: None,
                basis: Basis::Inferred,
                at: query.at,
                exchange: Some(exchange.id),
            },
            query.time > exchange.start,
        );
    }

    /// Puts the evidence in time order; call it after something was added.
    pub fn settle(&mut self) {
        self.points.settle();
        self.life.settle();
    }

    /// The instant up to which nothing much can be learned any more, as all evidence before `known` is there:
    /// everybody was heard of after it, or it is too far away.
    pub fn complete_until(&self, known: CaptureTime) -> CaptureTime {
        let heard = [self.points.heard_until(known), self.life.heard_until(known)];
        heard.into_iter().flatten().fold(known, Ord::min).max(known.plus(-FAR_NS))
    }

    /// Forgets what says nothing any more about whatever happens from an instant on.
    pub fn forget(&mut self, before: CaptureTime) {
        self.points.forget(before);
        self.life.forget(before);
    }
}

/// Somebody who asks a timeline about instants that follow each other closely, and
/// remembers where the last answers were. Each thread has its own.
#[derive(Debug)]
pub struct Asking<'t> {
    timeline: &'t Timeline,
    points: Vec<Fingers>,
    life: Vec<Fingers>,
}

impl Timeline {
    /// To ask it about many instants.
    pub fn ask(&self) -> Asking<'_> {
        Asking { timeline: self, points: self.points.fingers(), life: self.life.fingers() }
    }
}

impl Timed for Point {
    fn place(&self) -> (CaptureTime, FrameRef) {
        (self.time, self.at)
    }

    fn says_most(&self) -> bool {
        self.basis < Basis::Inferred
    }
}

/// Evidence further away than this, on both sides, leaves room for a whole
/// outage in between: Kea's default max-response-delay, five times.
const FAR_NS: i64 = 300 * SECOND;

/// Whether the called endpoint is the Control Agent's (or an HTTP control
/// socket) and not the DHCP server's own listener for its partners.
fn is_agent(topology: &Topology, server: ServerId, event: &HaEvent) -> bool {
    let control = topology.server(server).map(|it| it.control.as_slice()).unwrap_or_default();
    let listens = event
        .relationship
        .and_then(|id| topology.limits_of(server, id))
        .is_none_or(|it| it.dedicated_listener);
    control.contains(&(event.server_ip, event.server_port)) || !listens
}

/// Whether a Control Agent answered that the DHCP server behind it cannot be reached.
fn is_agent_alone(event: &HaEvent) -> bool {
    event.relationship.is_some()
        && event.result == Some(1)
        && event.text.starts_with("unable to forward command to the dhcp4 service")
}

/// Whether a heartbeat's answer can come from this relationship: a state that
/// its mode has (kea-ha §4.1), and scopes that are names of its peers.
fn fits(topology: &Topology, id: RelationshipId, state: Option<&str>, scopes: &[String]) -> bool {
    topology.relationship(id).is_some_and(|relationship| {
        let balanced = relationship.mode == Mode::LoadBalancing;
        let possible = match state {
            Some("load-balancing" | "communication-recovery") => balanced,
            Some("hot-standby") => relationship.mode == Mode::HotStandby,
            _ => true,
        };
        // In hot-standby there is the primary's scope only; another one means that the
        // configuration given here is not the one that runs.
        let exists = |scope: &String| match relationship.peer(scope) {
            Some((at, _)) => at == 0 || relationship.mode == Mode::LoadBalancing,
            None => false,
        };
        possible && scopes.iter().all(exists)
    })
}
