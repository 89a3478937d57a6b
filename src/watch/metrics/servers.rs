//! What the replay says of every server in every relationship now.

use std::collections::BTreeMap;

use super::families::Servers;
use super::names::Names;
use super::seconds;
use crate::ha::events::EventKind;
use crate::ha::replay::Span;
use crate::ha::state::{State, Status};
use crate::ha::topology::{Mode, RelationshipId, Role};
use crate::pipeline::Analysis;
use crate::units::{CaptureTime, ServerId};

/// Relationships that are told apart where the packets tell them; anybody can forge heartbeats.
const MOST_INFERRED: usize = 32;
/// The state of a server of which nothing shows it.
const UNKNOWN: &str = "unknown";

/// One server in one relationship.
type Seat = (ServerId, RelationshipId);

/// When each server last answered a heartbeat.
pub(super) type Beats = BTreeMap<Seat, CaptureTime>;

/// Every state's word, the one of a server that does not run and the one of no knowledge.
fn words() -> impl Iterator<Item = &'static str> {
    State::ALL.into_iter().map(State::as_str).chain([Status::Unavailable.as_str(), UNKNOWN])
}

pub(super) fn set(servers: &Servers, beats: &mut Beats, names: &mut Names, peek: &Analysis<'_>) {
    let topology = &*peek.network.topology;
    let answered =
        peek.events.all().iter().filter(|it| it.kind == EventKind::Heartbeat && it.state.is_some());
    for event in answered {
        if let Some(seat) = event.server.zip(event.relationship) {
            let last = beats.entry(seat).or_insert(event.time);
            *last = event.time.max(*last);
        }
    }
    // By server, relationship and time, so that the present one of each seat stays.
    let spans: BTreeMap<Seat, &Span> =
        peek.replay.spans.iter().map(|span| ((span.server, span.relationship), span)).collect();
    let unacked: BTreeMap<Seat, u32> =
        peek.replay.unacked.iter().map(|(server, id, clients)| ((*server, *id), *clients)).collect();

    // A name that the packets told may have changed.
    servers.state.clear();
    servers.serves.clear();
    for series in [&servers.unacked, &servers.limit, &servers.heartbeat] {
        series.clear();
    }
    let most = if topology.inferred { MOST_INFERRED } else { usize::MAX };
    for (at, relationship) in topology.relationships.iter().enumerate().take(most) {
        let id = RelationshipId(at);
        let label = topology.relationship_name(id);
        for peer in relationship.peers.iter().filter(|peer| peer.role != Role::Backup) {
            let Some(server) = peer.server else { continue };
            let name = names.of(&peek.network, server);
            let seat = [name.as_str(), label.as_str()];
            let span = spans.get(&(server, id)).copied();
            let state =
                span.map_or(UNKNOWN, |span| span.state.map_or(Status::Unavailable, Status::In).as_str());
            for word in words() {
                servers.state.set([seat[0], seat[1], word], f64::from(u8::from(word == state)));
            }
            // Hot-standby and passive-backup have the primary's scope only (kea-ha §2.1).
            let scopes = if relationship.mode == Mode::LoadBalancing { 2 } else { 1 };
            for (place, owner) in relationship.peers.iter().enumerate().take(scopes) {
                let Some(span) = span else { continue };
                let serves = span.state.is_some() && span.service_on && span.scopes.contains(&place);
                let owner = owner.server.map_or_else(|| owner.name.clone(), |it| names.of(&peek.network, it));
                servers.serves.set([seat[0], seat[1], &owner], f64::from(u8::from(serves)));
            }
            if let Some(limits) = topology.limits_of(server, id) {
                servers.limit.set(seat, f64::from(limits.max_unacked_clients));
            }
            if let Some(clients) = unacked.get(&(server, id)) {
                servers.unacked.set(seat, f64::from(*clients));
            }
            if let Some(last) = beats.get(&(server, id)) {
                servers.heartbeat.set(seat, seconds(*last));
            }
        }
    }
}
