//! Relays that treat the two servers of a pair differently (kea-ha §8.3 no. 18).

use std::collections::{BTreeMap, HashSet};
use std::net::Ipv4Addr;

use super::list::{About, Findings, Severity, Tally};
use super::view::View;
use crate::exchange::Observed;
use crate::ha::catalogue::FindingCode;
use crate::ha::network::Selected;
use crate::ha::topology::RelationshipId;
use crate::units::{SECOND, ServerId, ZoneId};

/// Queries in a row through one relay before their way means something: a lost frame or two do not.
const QUERIES: u64 = 5;
/// Copies for two servers that were captured in two places may be so far out of order.
const SKEW: i64 = SECOND;

/// What one relay sends to one server before it sends to another one again.
struct Run<'a> {
    server: ServerId,
    tally: Tally,
    sample: &'a Observed,
}

/// The longest run to each server of one relay, and the one that goes on.
#[derive(Default)]
struct Relay<'a> {
    now: Option<Run<'a>>,
    longest: BTreeMap<ServerId, Run<'a>>,
}

impl Relay<'_> {
    fn close(&mut self) {
        let Some(run) = self.now.take() else { return };
        if self.longest.get(&run.server).is_none_or(|other| other.tally.count < run.tally.count) {
            self.longest.insert(run.server, run);
        }
    }
}

pub(super) fn find(view: &View<'_>, findings: &mut Findings) {
    one_sided(view, findings);
    differing(view, findings);
}

/// A relay that forwards to one server of a pair only, always or for a time.
///
/// A capture beside one server looks the same, so the place where the copies
/// are seen must show traffic of the other server too.
fn one_sided(view: &View<'_>, findings: &mut Findings) {
    let machines = &view.analysis.network.machines;
    let mut relays: BTreeMap<(ZoneId, Ipv4Addr), Relay<'_>> = BTreeMap::new();
    let mut shown: HashSet<(ZoneId, ServerId)> = HashSet::new();
    for message in view.analysis.messages.iter().filter(|message| !message.giaddr.is_unspecified()) {
        if message.is_reply() {
            shown.extend(machines.at(message.src).map(|server| (message.zone, server)));
            continue;
        }
        let Some(server) = machines.at(message.dst) else { continue };
        shown.insert((message.zone, server));
        let relay = relays.entry((message.zone, message.giaddr)).or_default();
        if relay.now.as_ref().is_some_and(|run| run.server != server) {
            relay.close();
        }
        let start = || Run { server, tally: Tally::default(), sample: message };
        relay.now.get_or_insert_with(start).tally.add(message.time, message.at);
    }
    for ((zone, giaddr), mut relay) in relays {
        relay.close();
        for (server, run) in relay.longest {
            let partner = relationship(view, server, run.sample).and_then(|id| view.partner(id, server));
            let Some(partner) = partner else { continue };
            let long = run.tally.span().is_some_and(|(first, last)| last.since(first) >= SKEW);
            if run.tally.count < QUERIES || !long || !shown.contains(&(zone, partner)) {
                continue;
            }
            let text = format!(
                "the relay {giaddr} sent {} queries in a row to {} and none to its partner {}",
                run.tally.count,
                view.name(server),
                view.name(partner)
            );
            let about =
                About::new(FindingCode::RelayAsymmetry, Severity::Warning).zone(zone).server(Some(partner));
            findings.whole(about, run.tally, text);
        }
    }
}

/// A relay that gives the two copies of one query different origins, so that
/// the servers select different subnets.
fn differing(view: &View<'_>, findings: &mut Findings) {
    let machines = &view.analysis.network.machines;
    for step in view.analysis.exchanges.iter().flat_map(|exchange| &exchange.queries) {
        if step.again.is_empty() {
            continue;
        }
        let mut copies = step.sightings().map(|id| view.message(id)).filter_map(|copy| {
            let server = machines.at(copy.dst).filter(|_| !copy.giaddr.is_unspecified())?;
            Some((server, copy))
        });
        let Some((one, first)) = copies.next() else { continue };
        let other = copies.find(|(server, copy)| {
            *server != one && view.are_peers(one, *server) && differs(view, (one, first), (*server, copy))
        });
        let Some((other, copy)) = other else { continue };
        let about =
            About::new(FindingCode::RelayAsymmetry, Severity::Warning).zone(copy.zone).server(Some(other));
        findings.add(about, copy.time, copy.at, || {
            let place = |message: &Observed| {
                let link = message.link_selection().or(message.subnet_selection());
                link.unwrap_or(message.giaddr)
            };
            format!(
                "one query reached {} for {} and {} for {}: they select different subnets",
                view.name(one),
                place(first),
                view.name(other),
                place(copy)
            )
        });
    }
}

/// Whether two servers select different subnets for the copies that reached them.
fn differs(view: &View<'_>, one: (ServerId, &Observed), other: (ServerId, &Observed)) -> bool {
    let network = &view.analysis.network;
    match (network.subnet_for(one.0, one.1), network.subnet_for(other.0, other.1)) {
        // Without a server's file nobody knows what it selects.
        (Selected::Unknown, _) | (_, Selected::Unknown) => false,
        (Selected::Subnet(one), Selected::Subnet(other)) => one.prefix != other.prefix,
        (one, other) => one != other,
    }
}

/// The relationship that a relayed query belongs to on a server.
fn relationship(view: &View<'_>, server: ServerId, query: &Observed) -> Option<RelationshipId> {
    match view.analysis.network.subnet_for(server, query) {
        Selected::Subnet(subnet) => view.analysis.network.topology.relationship_of_subnet(server, subnet),
        Selected::None => None,
        Selected::Unknown => {
            let mut all = view.analysis.network.topology.relationships_of(server);
            all.next().filter(|_| all.next().is_none())
        }
    }
}
