//! For whose clients pools are kept: the classes `HA_` with a peer's name (kea-ha §1.3).

use std::collections::{BTreeMap, BTreeSet};

use super::{Member, Report};
use crate::ha::catalogue::LintCode;
use crate::ha::topology::{Mode, Role};
use crate::kea::config::{Dhcp4File, SubnetEntry};
use crate::kea::document::At;

/// Checks the classes of a relationship's subnets.
pub(super) fn check(member: &Member<'_>, report: &mut Report) {
    unknown_names(member, report);
    let is_active = member.own().is_some_and(|own| own.role != Role::Backup);
    if member.relationship().mode == Mode::LoadBalancing && is_active {
        let mut wires: BTreeMap<String, Vec<&SubnetEntry>> = BTreeMap::new();
        for entry in member.subnets().filter(|entry| !entry.pools.is_empty()) {
            // Kea moves on to another subnet of a shared network when the classes of one do not fit.
            let network = entry.subnet.shared_network.clone();
            wires.entry(network.unwrap_or_else(|| entry.subnet.prefix.to_string())).or_default().push(entry);
        }
        for wire in wires.values() {
            split(member, wire, report);
        }
    }
}

/// The peers for whose clients a class is: by its name, or by the names in its test.
///
/// Follows tests that ask for other classes (`member('other')`).
fn peers_of<'a>(class: &'a str, file: &'a Dhcp4File) -> BTreeSet<&'a str> {
    let (mut peers, mut seen, mut open) = (BTreeSet::new(), BTreeSet::new(), vec![class]);
    while let Some(class) = open.pop() {
        if let Some(peer) = class.strip_prefix("HA_") {
            peers.insert(peer);
        } else if seen.insert(class) {
            // What stands between single quotes is a string of Kea's expressions.
            open.extend(
                file.classes.get(class).into_iter().flat_map(|test| test.split('\'').skip(1).step_by(2)),
            );
        }
    }
    peers
}

/// The peers that each pool of a subnet is for; the empty set is everybody.
fn pool_peers<'a>(member: &Member<'a>, entry: &'a SubnetEntry) -> Vec<BTreeSet<&'a str>> {
    let of = |classes: &'a [String]| classes.iter().flat_map(|class| peers_of(class, member.file));
    entry.pools.iter().map(|pool| of(&pool.classes).chain(of(&entry.classes)).collect()).collect()
}

/// Whether the subnets of one wire are split between the two servers of a load-balancing pair.
fn split(member: &Member<'_>, wire: &[&SubnetEntry], report: &mut Report) {
    let mut served: BTreeSet<&str> = BTreeSet::new();
    let mut is_split = true;
    for entry in wire {
        let sets = pool_peers(member, entry);
        let shared = entry.pools.iter().zip(&sets).find(|(_, peers)| peers.is_empty());
        if let Some((pool, _)) = shared {
            is_split = false;
            let text = format!(
                "the pool {} - {} of {} is for the clients of both servers",
                pool.first, pool.last, entry.subnet.prefix
            );
            report.about(LintCode::PoolsNotSplit, member, pool.at, text);
        }
        served.extend(sets.into_iter().flatten());
    }
    let Some(entry) = wire.first().filter(|_| is_split) else {
        return;
    };
    let active = member.relationship().peers.iter().filter(|peer| peer.role != Role::Backup);
    for peer in active.filter(|peer| !served.contains(peer.name.as_str())) {
        let name = &peer.name;
        let text =
            format!("no pool of {} is for the clients of \"{name}\" (class HA_{name})", entry.subnet.prefix);
        report.about(LintCode::PeerWithoutPool, member, entry.at, text);
    }
}

/// Classes that no query ever has, because no peer of that name owns clients.
fn unknown_names(member: &Member<'_>, report: &mut Report) {
    let owns = |peer: &str| {
        member.file.seats.iter().any(|seat| {
            let relationship = &seat.relationship;
            let is_owner = |role| match relationship.mode {
                Mode::LoadBalancing => role != Role::Backup,
                Mode::HotStandby | Mode::PassiveBackup => role == Role::Primary,
            };
            relationship.peer(peer).is_some_and(|(_, peer)| is_owner(peer.role))
        })
    };
    let mut look = |classes: &[String], at: At, what: &str| {
        for class in classes {
            for peer in peers_of(class, member.file).into_iter().filter(|peer| !owns(peer)) {
                let text = format!("{what} is for the class HA_{peer}, but no peer \"{peer}\" owns clients");
                report.about(LintCode::ClassOfNoPeer, member, at, text);
            }
        }
    };
    for entry in member.subnets() {
        look(&entry.classes, entry.at, &entry.subnet.prefix.to_string());
        for pool in &entry.pools {
            look(&pool.classes, pool.at, &format!("the pool {} - {}", pool.first, pool.last));
        }
    }
}
