//! Who is primary, and what the peers are called.

use std::collections::HashSet;
use std::net::Ipv4Addr;

use super::{Pair, Seat};
use crate::ha::events::{EventKind, HaEvent};
use crate::ha::hash::{self, Owner};
use crate::ha::state::State;
use crate::ha::topology::{Mode, Role};

/// Clients whose lease updates must agree on who owns which parity. One would do
/// in a pair that balances; several show that nothing else (scopes set by hand
/// since the last heartbeat) decides who updates whom.
const ENOUGH_CLIENTS: usize = 3;

/// The roles of a pair, primary first.
pub(super) const fn of_mode(mode: Mode) -> [Role; 2] {
    match mode {
        Mode::LoadBalancing => [Role::Primary, Role::Secondary],
        Mode::HotStandby | Mode::PassiveBackup => [Role::Primary, Role::Standby],
    }
}

/// The peers' names: what they call themselves (Kea ≥ 2.5.5), else the one scope
/// that a server serves in its normal state, which bears its name (kea-ha §2.1),
/// else the address.
pub(super) fn names(pair: Pair, seats: &[Seat; 2]) -> [String; 2] {
    let name = |seat: &Seat, address: Ipv4Addr| {
        let said = seat.names.iter().filter(|(name, _)| is_name(name)).max_by_key(|(_, count)| **count);
        let said = said.map(|(name, _)| name.clone());
        let own = |(state, scopes): &(State, Vec<String>)| match (state, scopes.as_slice()) {
            (State::LoadBalancing | State::CommunicationRecovery | State::HotStandby, [own])
                if is_name(own) =>
            {
                Some(own.clone())
            }
            _ => None,
        };
        said.or_else(|| seat.answers.iter().find_map(own)).unwrap_or_else(|| address.to_string())
    };
    [name(&seats[0], pair.0), name(&seats[1], pair.1)]
}

/// Whether a text from the wire can stand for a name in topology.toml.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.trim() == text && !text.contains(char::is_control)
}

/// The place of the primary in the pair.
pub(super) fn primary(
    mode: Mode,
    pair: Pair,
    names: &[String; 2],
    seats: &[Seat; 2],
    events: &[HaEvent],
) -> Option<usize> {
    match mode {
        Mode::LoadBalancing => by_parity(pair, events),
        Mode::HotStandby | Mode::PassiveBackup => by_scope(names, seats),
    }
}

/// In hot-standby the primary serves its own scope and the standby none.
fn by_scope(names: &[String; 2], seats: &[Seat; 2]) -> Option<usize> {
    let serves = |at: usize| {
        let seat = seats.get(at)?;
        let normal = seat.answers.iter().filter(|(state, _)| *state == State::HotStandby);
        let own: Vec<bool> =
            normal.map(|(_, scopes)| names.get(at).is_some_and(|own| scopes.contains(own))).collect();
        let first = *own.first()?;
        // Scopes set by hand, or two machines behind one address: no telling.
        own.iter().all(|it| *it == first).then_some(first)
    };
    match (serves(0), serves(1)) {
        (Some(true), Some(false) | None) | (None, Some(false)) => Some(0),
        (Some(false) | None, Some(true)) | (Some(false), None) => Some(1),
        _ => None,
    }
}

/// In load-balancing a server sends updates for the leases that it gave, and those
/// are of its own parity: even hashes belong to the primary (kea-ha §1.3).
///
/// Only while it balances, though: maintenance and scopes set by hand give a server
/// both parities, so an update counts when the sender's last answer to a heartbeat
/// showed load-balancing with one scope, and nothing came since that changes it.
fn by_parity(pair: Pair, events: &[HaEvent]) -> Option<usize> {
    let mut balances = [false; 2];
    let mut seen = HashSet::new();
    let mut votes = [0_usize; 2];
    for event in events {
        if changes_scopes(event) && [pair.0, pair.1].contains(&event.server_ip) {
            balances = [false; 2];
        }
        let from = match (event.peer_ip, event.server_ip) {
            ends if ends == pair => 0,
            ends if ends == (pair.1, pair.0) => 1,
            _ => continue,
        };
        if event.kind == EventKind::Heartbeat
            && let (Some(state), Some(scopes)) = (&event.state, &event.scopes)
            && let Some(answering) = balances.get_mut(1 - from)
        {
            *answering = State::from_word(state) == Some(State::LoadBalancing) && scopes.len() == 1;
        }
        if event.kind != EventKind::LeaseUpdate || balances.get(from) != Some(&true) {
            continue;
        }
        let Some(chaddr) = event.chaddr else { continue };
        let key = event.client_id.as_deref().filter(|id| !id.is_empty()).unwrap_or(chaddr.as_bytes());
        if !seen.insert((from, key.to_vec())) {
            continue;
        }
        let primary = match Owner::of(hash::loadb_hash(key)) {
            Owner::Primary => from,
            Owner::Secondary => 1 - from,
        };
        if let Some(vote) = votes.get_mut(primary) {
            *vote += 1;
        }
    }
    match votes {
        [all, 0] if all >= ENOUGH_CLIENTS => Some(0),
        [0, all] if all >= ENOUGH_CLIENTS => Some(1),
        _ => None,
    }
}

/// Whether a command may give its receiver or its sender other scopes at once (kea-ha §2.4, §6).
fn changes_scopes(event: &HaEvent) -> bool {
    matches!(event.kind, EventKind::Maintenance | EventKind::Reset)
        || event.command.as_deref() == Some("ha-scopes")
}
