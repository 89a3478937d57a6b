//! Servers in their relationships: state, scopes, and how far a takeover is.

use super::beats::Beats;
use crate::explain::text::Role as Look;
use crate::ha::replay::{Cause, Span};
use crate::ha::state::{State, Status};
use crate::ha::timeline::Basis;
use crate::ha::topology::{Mode, Peer, RelationshipId, Role, Topology};
use crate::pipeline::Analysis;
use crate::table::escape;
use crate::units::{CaptureTime, ServerId};

/// Relationships that are shown.
const MOST_GROUPS: usize = 64;
/// Servers without a relationship that are named.
const MOST_STRANGERS: usize = 16;

/// One relationship.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Its machines.
    pub name: String,
    /// Its mode.
    pub mode: Mode,
    /// Its peers, in Kea's order.
    pub seats: Vec<Seat>,
}

/// One server in one relationship.
#[derive(Clone, Debug, PartialEq)]
pub struct Seat {
    /// The machine.
    pub server: String,
    /// Its role.
    pub role: Role,
    /// Its state; absent where nothing shows it.
    pub state: Option<Status>,
    /// The owners whose clients it serves.
    pub serves: String,
    /// Since when it is in this state; false where it may have been before.
    pub since: Option<(CaptureTime, bool)>,
    /// What this rests on.
    pub basis: Option<Basis>,
    /// Nanoseconds since it last answered a heartbeat.
    pub heartbeat: Option<i64>,
    /// It was asked since then, and did not answer.
    pub is_late: bool,
    /// Neither it nor its partner was heard of for three heartbeats: its state was so when it was last shown.
    pub is_stale: bool,
    /// Its partner does not answer it.
    pub countdown: Option<Countdown>,
}

/// How far a server is on its way to partner-down.
#[derive(Clone, Debug, PartialEq)]
pub struct Countdown {
    /// The silent partner.
    pub partner: String,
    /// Nanoseconds since its last answer to a heartbeat of this server.
    pub silent: i64,
    /// `max-response-delay`, nanoseconds; communication is interrupted after it.
    pub delay: i64,
    /// Whether clients are counted: a standby and both servers in load-balancing do.
    pub counts: bool,
    /// Unacked clients so far.
    pub unacked: u32,
    /// `max-unacked-clients`: more than so many are needed.
    pub most: u32,
    /// Nobody gave the limits; these are Kea's defaults.
    pub assumed: bool,
    /// It is in partner-down already.
    pub over: bool,
}

impl Countdown {
    /// Clients that are still missing, as Kea counts them.
    pub const fn left(&self) -> u32 {
        self.most.saturating_add(1).saturating_sub(self.unacked)
    }

    /// Whether the communication counts as interrupted.
    pub const fn is_interrupted(&self) -> bool {
        self.silent > self.delay
    }
}

impl Group {
    /// Whether everything is as it is every day.
    pub fn is_normal(&self) -> bool {
        let as_usual = |seat: &Seat| {
            let normal = if seat.role == Role::Backup { State::Backup } else { State::normal(self.mode) };
            seat.countdown.is_none() && !seat.is_stale && seat.state == Some(Status::In(normal))
        };
        self.seats.iter().all(as_usual)
    }
}

/// How a state looks: green serves its own scope, yellow is on its way, red serves for two or has given up.
pub(super) const fn look(state: Option<Status>) -> Look {
    match state {
        None => Look::Weak,
        Some(Status::Unavailable | Status::In(State::PartnerDown | State::Terminated)) => Look::Bad,
        Some(Status::In(State::HotStandby | State::LoadBalancing | State::PassiveBackup | State::Backup)) => {
            Look::Good
        }
        Some(Status::In(_)) => Look::Notable,
    }
}

/// Every relationship at an instant.
pub(super) fn groups(peek: &Analysis<'_>, beats: &Beats, clock: CaptureTime) -> Vec<Group> {
    let topology = &*peek.network.topology;
    let group = |(at, relationship): (usize, &crate::ha::topology::Relationship)| {
        let id = RelationshipId(at);
        let peers = relationship.peers.iter().filter_map(|peer| Some((peer, peer.server?)));
        let seats = peers.map(|(peer, server)| seat(peek, beats, clock, (peer, server, id))).collect();
        Group { name: escape(&topology.relationship_name(id)).into_owned(), mode: relationship.mode, seats }
    };
    topology.relationships.iter().enumerate().take(MOST_GROUPS).map(group).collect()
}

/// Servers that are in no relationship, each with its address.
pub(super) fn strangers(peek: &Analysis<'_>) -> Vec<String> {
    let topology = &*peek.network.topology;
    let alone =
        peek.network.machines.iter().filter(|(id, _)| topology.relationships_of(*id).next().is_none());
    let word = |(id, machine): (ServerId, &crate::exchange::answer::Machine)| {
        let name = escape(peek.network.machines.name(id)).into_owned();
        match machine.addresses.first().map(ToString::to_string) {
            Some(address) if address != name => format!("{name} {address}"),
            _ => name,
        }
    };
    alone.take(MOST_STRANGERS).map(word).collect()
}

fn seat(
    peek: &Analysis<'_>,
    beats: &Beats,
    clock: CaptureTime,
    (peer, server, id): (&Peer, ServerId, RelationshipId),
) -> Seat {
    let topology = &*peek.network.topology;
    let spans: Vec<&Span> = peek
        .replay
        .spans
        .iter()
        .rev()
        .skip_while(|span| (span.server, span.relationship) != (server, id))
        .take_while(|span| (span.server, span.relationship) == (server, id))
        .collect();
    let last = spans.first().copied();
    let state = last.map(|span| span.state);
    // Other evidence, or other scopes, are no other state.
    let first = spans.iter().take_while(|span| Some(span.state) == state).last();
    let began = first.map(|span| {
        let change = peek.replay.transitions.iter().rev().find(|change| {
            (change.server, change.relationship) == (server, id) && change.instant() <= span.from
        });
        (span.from, change.is_some_and(|change| change.cause != Cause::FirstSeen))
    });
    let beat = beats.of(server, id);
    let heartbeat = beat.answered.map(|time| clock.since(time).max(0));
    Seat {
        server: escape(peek.network.machines.name(server)).into_owned(),
        role: peer.role,
        state: state.map(|state| state.map_or(Status::Unavailable, Status::In)),
        serves: serves(peek, last, server, id),
        since: began,
        basis: last.map(|span| span.basis),
        heartbeat,
        is_late: partner(topology, peer, id).is_some_and(|it| beats.of(it, id).lost_since(clock).is_some()),
        is_stale: is_stale(topology, beats, clock, (peer, server, id)),
        countdown: countdown(peek, beats, clock, (peer, server, id), last),
    }
}

/// Whether nothing was seen of a server for so long that it may be in another state by now.
fn is_stale(
    topology: &Topology,
    beats: &Beats,
    clock: CaptureTime,
    (peer, server, id): (&Peer, ServerId, RelationshipId),
) -> bool {
    // That it does not run is shown by its partner's calls.
    let called = partner(topology, peer, id).and_then(|partner| beats.of(partner, id).failed);
    let delay = topology.limits_of(server, id).map_or(0, |limits| i64::from(limits.heartbeat_delay_ms));
    let last = beats.of(server, id).last().max(called);
    delay > 0 && last.is_some_and(|last| clock.since(last) > 3 * delay * 1_000_000)
}

/// Whose clients a server serves, in words.
fn serves(peek: &Analysis<'_>, span: Option<&Span>, server: ServerId, id: RelationshipId) -> String {
    let Some(span) = span else { return String::new() };
    let peers = peek.network.topology.relationship(id).map(|it| it.peers.as_slice()).unwrap_or_default();
    let owners = span.scopes.iter().filter_map(|at| peers.get(*at)).filter_map(|peer| peer.server);
    let own = |owner: ServerId| {
        if owner == server { "its own".to_owned() } else { escape(peek.network.machines.name(owner)).into() }
    };
    let owners: Vec<String> = owners.map(own).collect();
    match owners.as_slice() {
        _ if !span.service_on || span.state.is_none() => "nobody".to_owned(),
        [] => "no scope".to_owned(),
        owners => owners.join(" + "),
    }
}

fn partner(topology: &Topology, peer: &Peer, id: RelationshipId) -> Option<ServerId> {
    topology.relationship(id)?.partner_of(&peer.name)?.server
}

fn countdown(
    peek: &Analysis<'_>,
    beats: &Beats,
    clock: CaptureTime,
    (peer, server, id): (&Peer, ServerId, RelationshipId),
    span: Option<&Span>,
) -> Option<Countdown> {
    let topology = &*peek.network.topology;
    let relationship = topology.relationship(id)?;
    let state = span?.state?;
    let since = beats.of(server, id).lost_since(clock)?;
    let limits = topology.limits_of(server, id)?;
    let partner = partner(topology, peer, id)?;
    let counted = peek.replay.counted.iter().rev().take_while(|it| it.time > since);
    let unacked = counted
        .filter(|it| (it.server, it.relationship) == (server, id))
        .map(|it| it.total_unacked)
        .next()
        .unwrap_or_default();
    Some(Countdown {
        partner: escape(peek.network.machines.name(partner)).into_owned(),
        silent: clock.since(since),
        delay: i64::from(limits.max_response_delay_ms) * 1_000_000,
        // The primary of a hot-standby pair serves everybody anyway, and in states without service nobody is heard.
        counts: limits.max_unacked_clients > 0
            && (relationship.mode == Mode::LoadBalancing || peer.role == Role::Standby)
            && state.is_service_on(),
        unacked,
        most: limits.max_unacked_clients,
        assumed: limits.assumed,
        over: state == State::PartnerDown,
    })
}
