//! The topology joined with what the packets revealed: every server machine,
//! the prefixes of every zone, who could hear a query, which subnet Kea selects.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::net::Ipv4Addr;

use foldhash::fast::RandomState;
use ipnet::Ipv4Net;
use smallvec::SmallVec;

use super::topology::{Subnet, Topology};
use crate::exchange::answer::{Answer, Machines, is_on_link};
use crate::exchange::{Answers, Exchange, Messages, Observed, Step, of};
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
    prefixes: HashMap<ZoneId, Vec<Ipv4Net>, RandomState>,
    /// Machines that answered clients of a zone on its own wire.
    answered: HashMap<ZoneId, BTreeSet<ServerId>, RandomState>,
    /// Machines that hear a zone's broadcasts: by an address there, or because they answered one.
    listening: HashMap<ZoneId, Vec<ServerId>, RandomState>,
}

impl<'t> Network<'t> {
    /// A network of which no packet is known yet.
    pub fn new(topology: Cow<'t, Topology>) -> Self {
        let known = topology.servers.iter().map(|server| (server.name.clone(), server.addresses.clone()));
        let machines = Machines::new(known);
        let (zones, prefixes, answered, listening) = Default::default();
        Self { topology, machines, zones, prefixes, answered, listening }
    }

    /// The names of all zones that were found, by [`ZoneId`].
    pub fn name_zones(&mut self, names: &[String]) {
        for (at, name) in names.iter().enumerate().skip(self.zones.len()) {
            if let Some(zone) = self.topology.zone_named(name) {
                self.prefixes.insert(ZoneId(at as u16), zone.subnets.clone());
            }
            self.zones.push(name.clone());
        }
    }

    /// Learns from a reply who is on a zone's wire, and which subnets are.
    pub fn learn(&mut self, reply: &Observed, answer: &Answer) {
        if !is_on_link(reply) {
            return;
        }
        self.answered.entry(reply.zone).or_default().insert(answer.server);
        let topology = &*self.topology;
        let on_wire = self.prefixes.entry(reply.zone).or_default();
        // Who else has an address in the subnet that the client is told it is in, is on that wire too.
        if topology.inferred
            && !reply.yiaddr.is_unspecified()
            && let Some(told) =
                reply.subnet_mask().and_then(|mask| Ipv4Net::with_netmask(reply.yiaddr, mask).ok())
            && !on_wire.contains(&told.trunc())
        {
            on_wire.push(told.trunc());
        }
        // Without a topology the addresses handed out on a wire tell which subnet it is.
        let subnets = topology.server(answer.server).and_then(|server| server.kea.as_ref());
        for subnet in subnets.iter().flat_map(|kea| &kea.subnets) {
            if subnet.prefix.contains(&reply.yiaddr) && !on_wire.contains(&subnet.prefix) {
                on_wire.push(subnet.prefix);
            }
        }
    }

    /// Works out who hears which zone, once more was learned.
    pub fn settle(&mut self) {
        let known = self.topology.servers.len();
        for at in 0..self.zones.len() {
            let zone = ZoneId(at as u16);
            let on_wire = self.machines.iter().map(|(id, _)| id);
            let mut here: BTreeSet<ServerId> = on_wire.filter(|id| self.listens_in(*id, zone)).collect();
            if let Some(answered) = self.answered.get(&zone) {
                // Numbers are in order of discovery, so a flood of forged servers leaves the first ones.
                let strangers = answered.iter().filter(|id| id.0 >= known).take(STRANGERS);
                here.extend(answered.iter().filter(|id| id.0 < known).chain(strangers));
            }
            self.listening.insert(zone, here.into_iter().collect());
        }
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

    /// Every server that a message could have reached: by an interface there, or as
    /// the packet's own destination.
    fn hearers(&self, messages: &Messages, step: &Step) -> Hearers {
        let mut hearers = Hearers::new();
        for query in step.sightings().map(|id| of(messages, id)) {
            if query.is_broadcast() {
                hearers.extend_from_slice(
                    self.listening.get(&query.zone).map(Vec::as_slice).unwrap_or_default(),
                );
            } else {
                hearers.extend(self.machines.at(query.dst));
            }
        }
        hearers.sort_unstable();
        hearers.dedup();
        hearers
    }

    /// The copy of a query that reached `server`: the one sent to it, else the
    /// one on a wire it has an interface on, else the first.
    pub fn copy_for<'m>(
        &self,
        messages: &'m Messages,
        step: &Step,
        server: ServerId,
    ) -> (MessageId, &'m Observed) {
        let first = (step.first, of(messages, step.first));
        if step.again.is_empty() {
            return first;
        }
        let copies = || step.sightings().map(|id| (id, of(messages, id)));
        copies()
            .find(|(_, query)| self.machines.at(query.dst) == Some(server))
            .or_else(|| copies().find(|(_, query)| self.address_in(server, query.zone).is_some()))
            .unwrap_or(first)
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

    /// The servers that a query of an exchange could have reached.
    pub fn audience(
        &self,
        messages: &Messages,
        exchange: &Exchange,
        step: &Step,
        answers: &Answers,
    ) -> Hearers {
        let mut hearers = self.hearers(messages, step);
        // Who answered certainly heard some attempt; without an interface known, this is all we have.
        for reply in &exchange.replies {
            if let Some(answer) = answers.get(&reply.first)
                && !hearers.contains(&answer.server)
                && of(messages, step.first).is_broadcast()
            {
                hearers.push(answer.server);
            }
        }
        hearers
    }
}

/// Servers that could hear a query; most pairs are two.
pub type Hearers = SmallVec<[ServerId; 4]>;

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
