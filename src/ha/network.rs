//! The topology joined with what the packets revealed: every server machine,
//! the prefixes of every zone, who could hear a query, which subnet Kea selects.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::net::Ipv4Addr;

use foldhash::fast::RandomState;
use ipnet::Ipv4Net;
use smallvec::SmallVec;

use super::topology::{Dhcp4, Subnet, Topology};
use crate::exchange::answer::{Answer, Machines, is_on_link};
use crate::exchange::{Messages, Observed, Step, of};
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
#[derive(Clone, Debug)]
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
    /// What follows from that, by [`ZoneId`].
    wires: Vec<Wire>,
}

/// A zone's wire.
#[derive(Clone, Debug, Default)]
struct Wire {
    /// Machines that hear its broadcasts: by an address there, or because they answered one; ascending.
    listening: Vec<ServerId>,
    /// The interfaces there of the topology's servers, in its order.
    interfaces: Vec<Interface>,
}

/// A server's interface on a wire.
#[derive(Clone, Copy, Debug)]
struct Interface {
    address: Option<Ipv4Addr>,
    /// The place of the subnet that holds the address in the server's own file.
    subnet: Option<usize>,
}

impl<'t> Network<'t> {
    /// A network of which no packet is known yet.
    pub fn new(topology: Cow<'t, Topology>) -> Self {
        let known = topology.servers.iter().map(|server| (server.name.clone(), server.addresses.clone()));
        let machines = Machines::new(known);
        let (zones, prefixes, answered, wires) = Default::default();
        Self { topology, machines, zones, prefixes, answered, wires }
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
            if !on_wire.contains(&subnet.prefix) && subnet.prefix.contains(&reply.yiaddr) {
                on_wire.push(subnet.prefix);
            }
        }
    }

    /// Works out who hears which zone, and by which interface, once more was learned.
    pub fn settle(&mut self) {
        let known = self.topology.servers.len();
        let mut wires = Vec::with_capacity(self.zones.len());
        // They are worked out anew.
        self.wires.clear();
        for at in 0..self.zones.len() {
            let zone = ZoneId(at as u16);
            let on_wire = self.machines.iter().map(|(id, _)| id);
            let mut here: BTreeSet<ServerId> = on_wire.filter(|id| self.listens_in(*id, zone)).collect();
            if let Some(answered) = self.answered.get(&zone) {
                // Numbers are in order of discovery, so a flood of forged servers leaves the first ones.
                let strangers = answered.iter().filter(|id| id.0 >= known).take(STRANGERS);
                here.extend(answered.iter().filter(|id| id.0 < known).chain(strangers));
            }
            let interfaces = (0..known).map(|at| self.interface(ServerId(at), zone)).collect();
            wires.push(Wire { listening: here.into_iter().collect(), interfaces });
        }
        self.wires = wires;
    }

    fn wire(&self, zone: ZoneId) -> Option<&Wire> {
        self.wires.get(usize::from(zone.0))
    }

    /// The server's interface on a zone's wire.
    fn interface(&self, server: ServerId, zone: ZoneId) -> Interface {
        if let Some(known) = self.wire(zone).and_then(|wire| wire.interfaces.get(server.0)) {
            return *known;
        }
        let prefixes = self.prefixes(zone);
        let addresses = self.machines.get(server).map(|it| it.addresses.as_slice()).unwrap_or_default();
        let on_wire = |address: &&Ipv4Addr| prefixes.iter().any(|prefix| prefix.contains(*address));
        let address = addresses.iter().find(on_wire).copied();
        let kea = self.topology.server(server).and_then(|server| server.kea.as_ref());
        let holding = |(kea, own): (&Dhcp4, Ipv4Addr)| {
            kea.subnets.iter().position(|subnet| subnet.prefix.contains(&own))
        };
        Interface { address, subnet: kea.zip(address).and_then(holding) }
    }

    /// The zone's name.
    pub fn zone(&self, zone: ZoneId) -> &str {
        self.zones.get(usize::from(zone.0)).map_or("?", String::as_str)
    }

    /// The server's address on a zone's wire, when the topology gives one.
    pub fn address_in(&self, server: ServerId, zone: ZoneId) -> Option<Ipv4Addr> {
        self.interface(server, zone).address
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
    fn hearers(&self, messages: &Messages, step: &Step, first: &Observed) -> Hearers {
        let mut hearers = Hearers::new();
        let mut add = |query: &Observed| {
            if query.is_broadcast() {
                hearers.extend_from_slice(
                    self.wire(query.zone).map(|wire| wire.listening.as_slice()).unwrap_or_default(),
                );
            } else {
                hearers.extend(self.machines.at(query.dst));
            }
        };
        add(first);
        if !step.again().is_empty() {
            step.again().iter().for_each(|id| add(of(messages, *id)));
            hearers.sort_unstable();
            hearers.dedup();
        }
        hearers
    }

    /// The copy of a query that reached `server`: the one sent to it, else the
    /// one on a wire it has an interface on, else the first.
    pub fn copy_for<'m>(
        &self,
        messages: &'m Messages,
        (step, first): (&Step, &'m Observed),
        server: ServerId,
    ) -> (MessageId, &'m Observed) {
        let first = (step.first, first);
        if step.again().is_empty() {
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
        match self.interface(server, query.zone) {
            Interface { address: Some(_), subnet } => found(subnet.and_then(|at| kea.subnets.get(at))),
            Interface { address: None, .. } => Selected::Unknown,
        }
    }

    /// The servers that a query of an exchange could have reached; `first` is its message, and
    /// `repliers` sent the replies of the exchange.
    pub fn audience(
        &self,
        messages: &Messages,
        (step, first): (&Step, &Observed),
        repliers: impl Iterator<Item = ServerId>,
    ) -> Hearers {
        let mut hearers = self.hearers(messages, step, first);
        // Who answered certainly heard some attempt; without an interface known, this is all we have.
        if first.is_broadcast() {
            for server in repliers {
                if !hearers.contains(&server) {
                    hearers.push(server);
                }
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
