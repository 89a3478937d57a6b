//! Relays that treat the two servers of a pair differently (kea-ha §8.3 no. 18).

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use foldhash::{HashMap, HashSet};

use super::list::{About, Findings, Severity, Tally};
use super::view::{Case, View};
use crate::exchange::Observed;
use crate::ha::catalogue::FindingCode;
use crate::ha::network::Selected;
use crate::ha::topology::RelationshipId;
use crate::units::{SECOND, ServerId, ZoneId};

/// Queries in a row through one relay before their way means something: a lost frame or two do not.
const QUERIES: u64 = 5;
/// Copies for two servers that were captured in two places may be so far out of order.
const SKEW: i64 = SECOND;
/// Relays that are watched, the first ones; a network has some hundreds.
const RELAYS: usize = 16_384;

/// What one relay sends to one server before it sends to another one again.
#[derive(Clone, Debug)]
struct Run {
    server: ServerId,
    tally: Tally,
    /// The server that shares the work for what the relay sends.
    partner: Option<ServerId>,
}

/// Where a relay's queries for one server belong.
#[derive(Clone, Copy, Debug)]
struct Way {
    server: ServerId,
    link: Option<Ipv4Addr>,
    partner: Option<ServerId>,
}

/// The longest run to each server of one relay, and the one that goes on.
#[derive(Clone, Debug, Default)]
struct Relay {
    now: Option<Run>,
    longest: BTreeMap<ServerId, Run>,
    /// Worked out for each server once.
    ways: Vec<Way>,
}

impl Relay {
    fn query(&mut self, view: &View<'_>, server: ServerId, query: &Observed) {
        match &mut self.now {
            Some(run) if run.server == server => run.tally.add(query.time, query.at),
            _ => {
                self.close();
                let mut run =
                    Run { server, tally: Tally::default(), partner: self.partner(view, server, query) };
                run.tally.add(query.time, query.at);
                self.now = Some(run);
            }
        }
    }

    fn close(&mut self) {
        let Some(run) = self.now.take() else { return };
        if run.tally.count >= QUERIES
            && self.longest.get(&run.server).is_none_or(|other| other.tally.count < run.tally.count)
        {
            self.longest.insert(run.server, run);
        }
    }

    fn partner(&mut self, view: &View<'_>, server: ServerId, query: &Observed) -> Option<ServerId> {
        let link = link(query);
        let way = self.ways.iter_mut().find(|way| way.server == server);
        if let Some(way) = way.as_deref().filter(|way| way.link == link) {
            return way.partner;
        }
        let partner = relationship(view, server, query).and_then(|id| view.partner(id, server));
        let new = Way { server, link, partner };
        match way {
            Some(way) => *way = new,
            None => self.ways.push(new),
        }
        partner
    }
}

/// What the relays send where.
#[derive(Clone, Debug, Default)]
pub(super) struct Relays {
    relays: HashMap<(ZoneId, Ipv4Addr), Relay>,
    /// Servers whose relayed traffic a zone's captures show.
    shown: HashSet<(ZoneId, ServerId)>,
}

impl Relays {
    /// A relay that forwards to one server of a pair only, always or for a time.
    ///
    /// A capture beside one server looks the same, so the place where the copies
    /// are seen must show traffic of the other server too.
    pub(super) fn message(&mut self, view: &View<'_>, message: &Observed) {
        if message.giaddr.is_unspecified() {
            return;
        }
        let reply = message.is_reply();
        let far = if reply { message.src } else { message.dst };
        let Some(server) = view.analysis.network.machines.at(far) else { return };
        if self.shown.len() < RELAYS {
            self.shown.insert((message.zone, server));
        }
        let key = (message.zone, message.giaddr);
        if !reply && (self.relays.len() < RELAYS || self.relays.contains_key(&key)) {
            self.relays.entry(key).or_default().query(view, server, message);
        }
    }

    /// A relay that gives the two copies of one query different origins, so that
    /// the servers select different subnets.
    pub(super) fn case(view: &View<'_>, case: &Case<'_>, findings: &mut Findings) {
        let machines = &view.analysis.network.machines;
        for step in case.exchange.queries.iter().filter(|step| !step.again().is_empty()) {
            let mut copies = step.sightings().map(|id| view.message(id)).filter_map(|copy| {
                let server = machines.at(copy.dst).filter(|_| !copy.giaddr.is_unspecified())?;
                Some((server, copy))
            });
            let Some((one, first)) = copies.next() else { continue };
            let other = copies.find(|(server, copy)| {
                *server != one && view.are_peers(one, *server) && differs(view, (one, first), (*server, copy))
            });
            let Some((other, copy)) = other else { continue };
            let about = About::new(FindingCode::RelayAsymmetry, Severity::Warning)
                .zone(copy.zone)
                .server(Some(other));
            findings.add(about, copy.time, copy.at, || {
                let place = |message: &Observed| link(message).unwrap_or(message.giaddr);
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

    pub(super) fn finish(self, view: &View<'_>, findings: &mut Findings) {
        let mut relays: Vec<_> = self.relays.into_iter().collect();
        relays.sort_unstable_by_key(|(key, _)| *key);
        for ((zone, giaddr), mut relay) in relays {
            relay.close();
            for (server, run) in relay.longest {
                let Some(partner) = run.partner.filter(|it| self.shown.contains(&(zone, *it))) else {
                    continue;
                };
                if run.tally.span().is_none_or(|(first, last)| last.since(first) < SKEW) {
                    continue;
                }
                let text = format!(
                    "the relay {giaddr} sent {} queries in a row to {} and none to its partner {}",
                    run.tally.count,
                    view.name(server),
                    view.name(partner)
                );
                let about = About::new(FindingCode::RelayAsymmetry, Severity::Warning)
                    .zone(zone)
                    .server(Some(partner));
                findings.whole(about, run.tally, text);
            }
        }
    }
}

/// The link that the relay or the client names.
fn link(query: &Observed) -> Option<Ipv4Addr> {
    query.link_selection().or_else(|| query.subnet_selection())
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
