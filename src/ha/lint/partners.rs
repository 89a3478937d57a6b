//! Which files describe one relationship, and what they disagree in.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::{Member, Report, subnets};
use crate::ha::catalogue::LintCode;
use crate::ha::topology_file::ReadMachine;

/// Checks every relationship that is in more than one file, and those that are in one only.
pub(super) fn check(machines: &[ReadMachine], members: &[Member<'_>], report: &mut Report) {
    let groups = groups(members);
    for group in &groups {
        if let [first, others @ ..] = group.as_slice() {
            for (at, other) in others.iter().enumerate() {
                compare(first, other, report);
                let before = group.iter().take(at + 1);
                same_name(before, other, report);
            }
        }
        for member in group {
            absent(machines, group, member, report);
        }
    }
}

/// The members by relationship, in file order.
fn groups<'a>(members: &[Member<'a>]) -> Vec<Vec<Member<'a>>> {
    let mut groups: Vec<Vec<Member<'a>>> = Vec::new();
    for member in members {
        let meant = |group: &&mut Vec<Member<'a>>| {
            // A machine sits in a relationship once.
            group.iter().all(|other| !std::ptr::eq(other.machine, member.machine))
                && group.iter().any(|other| is_same(other, member))
        };
        match groups.iter_mut().find(meant) {
            Some(group) => group.push(*member),
            None => groups.push(vec![*member]),
        }
    }
    groups
}

/// Whether two files mean the same relationship: they share a peer's name and a peer's address, or
/// each has the other's own address among its peers'.
///
/// More generous than the merging of a topology, so that misnamed peers are noticed.
fn is_same(one: &Member<'_>, other: &Member<'_>) -> bool {
    let names = |it: &Member<'_>| -> BTreeSet<String> {
        it.relationship().peers.iter().map(|peer| peer.name.clone()).collect()
    };
    let addresses = |it: &Member<'_>| -> BTreeSet<IpAddr> {
        it.relationship().peers.iter().map(|peer| peer.url.0).collect()
    };
    let knows = |it: &Member<'_>, whom: &Member<'_>| {
        let mut others = it.relationship().peers.iter().filter(|peer| peer.name != it.seat.this_server_name);
        whom.own().is_some_and(|own| others.any(|peer| peer.url.0 == own.url.0))
    };
    let shares = !names(one).is_disjoint(&names(other)) && !addresses(one).is_disjoint(&addresses(other));
    shares || (knows(one, other) && knows(other, one))
}

/// Everything in which `other` differs from the first file of its relationship.
fn compare(first: &Member<'_>, other: &Member<'_>, report: &mut Report) {
    let there = first.name();
    let names = |it: &Member<'_>| -> BTreeSet<String> {
        it.relationship().peers.iter().map(|peer| peer.name.clone()).collect()
    };
    let (here, meant) = (names(other), names(first));
    if here != meant {
        let list = |names: BTreeSet<String>| names.into_iter().collect::<Vec<_>>().join(", ");
        let text = format!("the peers are {}, but {} in the file of {there}", list(here), list(meant));
        report.about(LintCode::PeerNamesDiffer, other, other.seat.origin.of("peers"), text);
    }
    for difference in first.relationship().differences(other.relationship()) {
        let code = match difference.key {
            "mode" => LintCode::ModeDiffers,
            "role" => LintCode::RoleDiffers,
            "url" => LintCode::UrlDiffers,
            _ => LintCode::LimitsDiffer,
        };
        let at = match &difference.peer {
            Some(peer) => other.at_peer(peer, difference.key),
            None => other.seat.origin.of(difference.key),
        };
        let text = format!(
            "{} is {}, but {} in the file of {there}",
            difference.what(),
            difference.there,
            difference.here
        );
        report.about(code, other, at, text);
    }
    subnets::compare(first, other, report);
}

/// A name that an earlier file of the relationship has taken.
fn same_name<'a>(mut before: impl Iterator<Item = &'a Member<'a>>, other: &Member<'_>, report: &mut Report) {
    let name = &other.seat.this_server_name;
    if let Some(holder) = before.find(|member| member.seat.this_server_name == *name) {
        let text = format!("this-server-name is \"{name}\", which {} has, too", holder.name());
        report.about(LintCode::ThisServerNameTwice, other, other.seat.origin.of("this-server-name"), text);
    }
}

/// Peers of `member` that no file of the relationship speaks for.
fn absent(machines: &[ReadMachine], group: &[Member<'_>], member: &Member<'_>, report: &mut Report) {
    let own = &member.seat.this_server_name;
    for peer in member.relationship().peers.iter().filter(|peer| peer.name != *own) {
        let is_in_group = group.iter().any(|it| {
            let is_other = !std::ptr::eq(it.machine, member.machine);
            it.seat.this_server_name == peer.name || (is_other && has_address(it.machine, peer.url.0))
        });
        // The first of several members who miss the peer says so.
        let said = group
            .iter()
            .take_while(|it| !std::ptr::eq(it.seat, member.seat))
            .any(|it| it.relationship().peer(&peer.name).is_some() && it.seat.this_server_name != peer.name);
        if is_in_group || said {
            continue;
        }
        let at = member.at_peer(&peer.name, "name");
        let is_meant = |machine: &&ReadMachine| {
            !std::ptr::eq(*machine, member.machine) && has_address(machine, peer.url.0)
        };
        let machine = machines.iter().find(is_meant);
        match machine.and_then(|machine| machine.dhcp4.as_ref().map(|_| machine)) {
            Some(machine) => {
                let text = format!(
                    "the peer \"{}\" is {}, whose own file does not have this relationship",
                    peer.name, machine.name
                );
                report.about(LintCode::RelationshipOneSided, member, at, text);
            }
            None => {
                let text = format!(
                    "the peer \"{}\" could not be compared: no usable file of it was given",
                    peer.name
                );
                report.about(LintCode::FileNotGiven, member, at, text);
            }
        }
    }
}

/// Whether a machine has an address, by the topology or by its own files.
fn has_address(machine: &ReadMachine, address: IpAddr) -> bool {
    let declared = machine.addresses.iter().any(|own| IpAddr::V4(*own) == address);
    let files = machine.dhcp4.iter().map(|(_, file)| file);
    let mut named = files.flat_map(|file| {
        let urls = file.seats.iter().filter_map(|seat| seat.relationship.peer(&seat.this_server_name));
        let sockets = file.http_sockets.iter().map(|socket| socket.address.0);
        let interfaces = file.addresses.iter().map(|own| IpAddr::V4(*own));
        urls.map(|(_, peer)| peer.url.0).chain(sockets).chain(interfaces)
    });
    let agent = machine.agent.as_ref().is_some_and(|(_, agent)| agent.http.address.0 == address);
    !address.is_unspecified() && (declared || agent || named.any(|own| own == address))
}
