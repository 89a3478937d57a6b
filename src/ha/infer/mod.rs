//! A topology out of the packets alone, for captures that come without any configuration.
//!
//! Heartbeats carry the sender's peer name, the state and the scopes, so a pair
//! names itself, its mode and (by what it serves or updates) its roles. What the
//! wire does not show (subnets, pools, thresholds) stays unknown, and a pair
//! whose mode or roles nothing shows is left out.

mod machines;
mod roles;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use self::machines::Aliases;
use super::events::{EventKind, HaEvent};
use super::state::State;
use super::topology::{Limits, Mode, Peer, Relationship, Server, ServerId, Topology};
use crate::exchange::Messages;
use crate::units::{CaptureTime, SECOND};

/// Heartbeats that a pair must have answered to be taken for one.
const ENOUGH_HEARTBEATS: usize = 2;

/// What the heartbeats to one address of a pair show.
#[derive(Debug, Default)]
struct Seat {
    /// Peer names that it called itself by, with how often.
    names: BTreeMap<String, usize>,
    /// Ports that it was called on, with how often.
    ports: BTreeMap<u16, usize>,
    /// Its answers: state and scopes.
    answers: Vec<(State, Vec<String>)>,
    /// When it sent heartbeats that were answered.
    sent: Vec<CaptureTime>,
}

/// Two addresses that exchange heartbeats, in ascending order.
type Pair = (Ipv4Addr, Ipv4Addr);

/// The machines and relationships that the control channel shows; zones and clients stay the user's.
///
/// `events` need no attribution yet; `messages` tell by which addresses a
/// machine that sends lease updates answers its clients.
pub fn infer(given: &Topology, events: &[HaEvent], messages: &Messages) -> Topology {
    let mut topology = Topology { inferred: true, ..given.clone() };
    let aliases = Aliases::find(events, messages);
    for (pair, seats) in pairs(events) {
        if aliases.of(pair.0).contains(&pair.1) {
            // A machine is not its own partner; whoever made it look so is not to be believed.
            continue;
        }
        let Some(relationship) = relationship(pair, &seats, events) else { continue };
        let place = relationship.peers.iter().map(|peer| {
            let IpAddr::V4(address) = peer.url.0 else { return None };
            Some(machine(&mut topology, &peer.name, address, &aliases))
        });
        let servers: Vec<Option<ServerId>> = place.collect();
        let peers = relationship.peers.into_iter().zip(servers);
        let peers = peers.map(|(peer, server)| Peer { server, ..peer }).collect();
        topology.relationships.push(Relationship { peers, ..relationship });
    }
    topology
}

/// Whether there is anything to infer: the user named no server.
pub fn is_needed(given: &Topology) -> bool {
    given.servers.is_empty() && given.relationships.is_empty()
}

fn pairs(events: &[HaEvent]) -> BTreeMap<Pair, [Seat; 2]> {
    let mut pairs: BTreeMap<Pair, [Seat; 2]> = BTreeMap::new();
    for event in events.iter().filter(|event| event.kind == EventKind::Heartbeat) {
        let (caller, called) = (event.peer_ip, event.server_ip);
        let (Some(state), Some(scopes)) = (event.state.as_deref().and_then(State::from_word), &event.scopes)
        else {
            continue;
        };
        if caller == called {
            continue;
        }
        let [first, second] = pairs.entry((caller.min(called), caller.max(called))).or_default();
        let (from, to) = if caller < called { (first, second) } else { (second, first) };
        if let Some(name) = &event.sender_name {
            *from.names.entry(name.clone()).or_default() += 1;
        }
        from.sent.push(event.request_time);
        *to.ports.entry(event.server_port).or_default() += 1;
        to.answers.push((state, scopes.clone()));
    }
    pairs
}

/// The relationship of a pair, primary first, if its mode and roles can be told.
fn relationship(pair: Pair, seats: &[Seat; 2], events: &[HaEvent]) -> Option<Relationship> {
    if seats.iter().map(|seat| seat.answers.len()).sum::<usize>() < ENOUGH_HEARTBEATS {
        return None;
    }
    let states = || seats.iter().flat_map(|seat| &seat.answers).map(|(state, _)| *state);
    let balanced = states().any(|it| matches!(it, State::LoadBalancing | State::CommunicationRecovery));
    let standby = states().any(|it| it == State::HotStandby);
    let mode = match (balanced, standby) {
        (true, false) => Mode::LoadBalancing,
        (false, true) => Mode::HotStandby,
        // No peer was ever in its normal state, or a third party talks on these addresses.
        _ => return None,
    };
    let names = roles::names(pair, seats);
    if names[0] == names[1] {
        return None;
    }
    let primary = roles::primary(mode, pair, &names, seats, events)?;
    let roles = roles::of_mode(mode);
    let addresses = [pair.0, pair.1];
    let peers = [primary, 1 - primary].into_iter().zip(roles).filter_map(|(at, role)| {
        let (seat, address) = (seats.get(at)?, addresses.get(at)?);
        let port = seat.ports.iter().max_by_key(|(_, count)| **count).map_or(0, |(port, _)| *port);
        let name = names.get(at)?.clone();
        Some(Peer { name, role, url: (IpAddr::V4(*address), port), auto_failover: true, server: None })
    });
    let limits =
        Limits { heartbeat_delay_ms: heartbeat_delay(seats), assumed: true, ..Limits::defaults(mode) };
    Some(Relationship { mode, peers: peers.collect(), limits })
}

/// The shortest usual distance of a server's own heartbeats, milliseconds in whole
/// seconds: the delay runs from the end of one to the begin of the next.
fn heartbeat_delay(seats: &[Seat; 2]) -> u32 {
    let median = |seat: &Seat| {
        let mut gaps: Vec<i64> = seat.sent.windows(2).map(|pair| pair[1].since(pair[0])).collect();
        gaps.sort_unstable();
        gaps.get(gaps.len() / 2).copied()
    };
    let shortest = seats.iter().filter_map(median).min();
    let seconds = shortest.map_or(10, |gap| (gap / SECOND).clamp(1, 65));
    u32::try_from(seconds * 1000).unwrap_or(10_000)
}

/// The machine with this address or one of its aliases; made, and given the address, where there is none.
fn machine(topology: &mut Topology, name: &str, address: Ipv4Addr, aliases: &Aliases) -> ServerId {
    let all = aliases.of(address);
    let known = all.iter().find_map(|alias| topology.server_by_address(*alias));
    let taken = topology.server_named(name).is_some();
    let id = known.unwrap_or_else(|| {
        let name = if taken { format!("{name}@{address}") } else { name.to_owned() };
        topology.servers.push(Server { name, ..Server::default() });
        ServerId(topology.servers.len() - 1)
    });
    if let Some(server) = topology.servers.get_mut(id.0) {
        for alias in all {
            if !server.addresses.contains(&alias) {
                server.addresses.push(alias);
            }
        }
        // A hub has one name per relationship, and the longer ones are made from the machine's.
        if !taken && name.len() < server.name.len() {
            name.clone_into(&mut server.name);
        }
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_have_names_of_their_own() {
        let (mut topology, none) = (Topology::default(), Aliases::default());
        // Two pairs may use the same peer names.
        let mut name = |peer: &str, address: [u8; 4]| {
            let id = machine(&mut topology, peer, Ipv4Addr::from(address), &none);
            topology.server(id).unwrap().name.clone()
        };
        assert_eq!(name("hub-north", [192, 0, 2, 1]), "hub-north");
        assert_eq!(name("server1", [192, 0, 2, 2]), "server1");
        assert_eq!(name("server1", [192, 0, 2, 3]), "server1@192.0.2.3");
        assert_eq!(name("server1", [192, 0, 2, 1]), "hub-north");
        assert_eq!(name("hub", [192, 0, 2, 1]), "hub");
    }
}
