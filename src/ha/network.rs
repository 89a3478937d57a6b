//! The topology joined with what the packets revealed: every server machine,
//! the prefixes of every zone, who could hear a query, which subnet Kea selects.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::topology::{Subnet, Topology};
use crate::exchange::answer::{Answer, Machines, is_on_link};
use crate::exchange::{Exchange, Observed, Step, of};
use crate::units::{MessageId, ServerId, ZoneId};

/// Servers without a configuration that are asked about queries they did not
/// answer, per zone. Every query is held against every server that hears it,
/// and anybody can forge servers.
const STRANGERS: usize = 16;

/// Whether a server received a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Heard {
    /// Nothing shows that it could, or it was not running.
    Unknown,
    /// It has an interface on that wire, but nothing shows that it was running then.
    Likely,
    /// It answered, or it has an interface on that wire and showed life around that time.
    Yes,
}

impl Heard {
    /// The word of the tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Likely => "likely",
            Self::Yes => "yes",
        }
    }
}

/// What is known of the network after all packets were read.
#[derive(Debug)]
pub struct Network<'t> {
    /// What the user said, or where he named no server, what the packets say.
    pub topology: Cow<'t, Topology>,
    /// Every server machine.
    pub machines: Machines,
    /// Zone names by [`ZoneId`].
    pub zones: Vec<String>,
    prefixes: HashMap<ZoneId, Vec<Ipv4Net>>,
    /// Machines that hear a zone's broadcasts: by an address there, or because they answered one.
    listening: HashMap<ZoneId, Vec<ServerId>>,
}

impl<'t> Network<'t> {
    /// Joins the topology with the answers that were seen.
    pub fn new(
        topology: Cow<'t, Topology>,
        machines: Machines,
        zones: Vec<String>,
        messages: &[Observed],
        answers: &HashMap<MessageId, Answer>,
    ) -> Self {
        let mut prefixes: HashMap<ZoneId, Vec<Ipv4Net>> = HashMap::new();
        for (at, name) in zones.iter().enumerate() {
            if let Some(zone) = topology.zone_named(name) {
                prefixes.insert(ZoneId(at as u16), zone.subnets.clone());
            }
        }
        let mut answered_in: HashMap<ZoneId, BTreeSet<ServerId>> = HashMap::new();
        for (id, answer) in answers {
            let reply = of(messages, *id);
            if !is_on_link(reply) {
                continue;
            }
            answered_in.entry(reply.zone).or_default().insert(answer.server);
            // Who else has an address in the subnet that the client is told it is in, is on that wire too.
            if topology.inferred
                && let Some(told) =
                    reply.subnet_mask().and_then(|mask| Ipv4Net::with_netmask(reply.yiaddr, mask).ok())
                && !reply.yiaddr.is_unspecified()
            {
                let on_wire = prefixes.entry(reply.zone).or_default();
                if !on_wire.contains(&told.trunc()) {
                    on_wire.push(told.trunc());
                }
            }
            // Without a topology the addresses handed out on a wire tell which subnet it is.
            let on_wire = prefixes.entry(reply.zone).or_default();
            let subnets = topology.server(answer.server).and_then(|server| server.kea.as_ref());
            for subnet in subnets.iter().flat_map(|kea| &kea.subnets) {
                if subnet.prefix.contains(&reply.yiaddr) && !on_wire.contains(&subnet.prefix) {
                    on_wire.push(subnet.prefix);
                }
            }
        }
        let known = topology.servers.len();
        let mut network = Self { topology, machines, zones, prefixes, listening: HashMap::new() };
        for at in 0..network.zones.len() {
            let zone = ZoneId(at as u16);
            let on_wire = network.machines.iter().map(|(id, _)| id);
            let mut here: BTreeSet<ServerId> = on_wire.filter(|id| network.listens_in(*id, zone)).collect();
            let answered = answered_in.remove(&zone).unwrap_or_default();
            // Numbers are in order of discovery, so a flood of forged servers leaves the first ones.
            let strangers = answered.iter().filter(|id| id.0 >= known).take(STRANGERS);
            here.extend(answered.iter().filter(|id| id.0 < known).chain(strangers));
            network.listening.insert(zone, here.into_iter().collect());
        }
        network
    }

    /// The zone's name.
    pub fn zone(&self, zone: ZoneId) -> &str {
        self.zones.get(usize::from(zone.0)).map_or("?", String::as_str)
    }

    /// The server's address on a zone's wire, when the topology gives one.
    pub fn address_in(&self, server: ServerId, zone: ZoneId) -> Option<Ipv4Addr> {
        let prefixes = self.prefixes.get(&zone)?;
        let addresses = &self.machines.get(server)?.addresses;
        addresses.iter().copied().find(|address| prefixes.iter().any(|prefix| prefix.contains(address)))
    }

    /// The prefixes that are known to be on a zone's wire.
    pub fn prefixes(&self, zone: ZoneId) -> &[Ipv4Net] {
        self.prefixes.get(&zone).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether an address is on a zone's wire.
    pub fn is_on(&self, zone: ZoneId, address: Ipv4Addr) -> bool {
        self.prefixes.get(&zone).is_some_and(|prefixes| prefixes.iter().any(|it| it.contains(&address)))
    }

    /// The captured zone on whose wire an address is.
    pub fn zone_holding(&self, address: Ipv4Addr) -> Option<ZoneId> {
        (0..self.zones.len()).map(|at| ZoneId(at as u16)).find(|zone| self.is_on(*zone, address))
    }

    /// Whether the server listens on a zone's wire, as far as its addresses and its file tell.
    fn listens_in(&self, server: ServerId, zone: ZoneId) -> bool {
        let prefixes = self.prefixes.get(&zone).map(Vec::as_slice).unwrap_or_default();
        match self.topology.server(server) {
            Some(told) if !told.listens.is_empty() => {
                told.hears(|address| prefixes.iter().any(|prefix| prefix.contains(&address)))
            }
            _ => self.address_in(server, zone).is_some(),
        }
    }

    /// Every server that a message could have reached, and whether that is
    /// certain as far as the wire goes (an interface there, or the packet's own destination).
    pub fn hearers(&self, messages: &[Observed], step: &Step) -> Vec<ServerId> {
        let mut hearers = Vec::new();
        for query in step.sightings().map(|id| of(messages, id)) {
            if !query.is_broadcast() {
                hearers.extend(self.machines.at(query.dst));
                continue;
            }
            hearers.extend(self.listening.get(&query.zone).into_iter().flatten());
        }
        hearers.sort_unstable();
        hearers.dedup();
        hearers
    }

    /// The copy of a query that reached `server`: the one sent to it, else the
    /// one on a wire it has an interface on, else the first.
    pub fn copy_for<'m>(&self, messages: &'m [Observed], step: &Step, server: ServerId) -> &'m Observed {
        let copies = || step.sightings().map(|id| of(messages, id));
        copies()
            .find(|query| self.machines.at(query.dst) == Some(server))
            .or_else(|| copies().find(|query| self.address_in(server, query.zone).is_some()))
            .unwrap_or_else(|| of(messages, step.first))
    }

    /// The subnet that Kea selects for a query on this server.
    ///
    /// Order of kea-ha §5: link selection (82.5), option 118, a configured relay
    /// address, giaddr, then ciaddr and source address of what came by unicast,
    /// then the interface.
    pub fn subnet_for(&self, server: ServerId, query: &Observed) -> Selected<'_> {
        let Some(kea) = self.topology.server(server).and_then(|server| server.kea.as_ref()) else {
            return Selected::Unknown;
        };
        let holding = |address: Ipv4Addr| kea.subnets.iter().find(|subnet| subnet.prefix.contains(&address));
        let found = |subnet: Option<_>| subnet.map_or(Selected::None, Selected::Subnet);
        let set = |address: Ipv4Addr| (!address.is_unspecified()).then_some(address);
        if let Some(address) = query.link_selection().or(query.subnet_selection()) {
            return found(holding(address));
        }
        if let Some(giaddr) = set(query.giaddr) {
            let relayed = kea.subnets.iter().find(|subnet| subnet.relays.contains(&giaddr));
            return found(relayed.or_else(|| holding(giaddr)));
        }
        if !query.is_broadcast()
            && let Some(subnet) = set(query.ciaddr).or_else(|| set(query.src)).map(holding)
        {
            return found(subnet);
        }
        match self.address_in(server, query.zone) {
            Some(own) => found(holding(own)),
            None => Selected::Unknown,
        }
    }

    /// Every query of an exchange with the servers that it could have reached.
    pub fn audience<'e>(
        &self,
        messages: &[Observed],
        exchange: &'e Exchange,
        answers: &HashMap<MessageId, Answer>,
    ) -> Vec<(&'e Step, Vec<ServerId>)> {
        exchange
            .queries
            .iter()
            .map(|step| {
                let mut hearers = self.hearers(messages, step);
                // Who answered certainly heard some attempt; without an interface known, this is all we have.
                for reply in &exchange.replies {
                    if let Some(answer) = answers.get(&reply.first)
                        && of(messages, step.first).is_broadcast()
                        && !hearers.contains(&answer.server)
                    {
                        hearers.push(answer.server);
                    }
                }
                (step, hearers)
            })
            .collect()
    }
}

/// The outcome of subnet selection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selected<'t> {
    /// This subnet.
    Subnet(&'t Subnet),
    /// The server has no subnet for the query.
    None,
    /// The server's configuration or its interfaces are not known.
    Unknown,
}
