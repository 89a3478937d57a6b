//! Which machine sent a reply: option 54, source address, source MAC, relay
//! and RFC 5107 override together, and never siaddr.

use std::collections::{HashMap, HashSet};
use std::net::Ipv4Addr;

use foldhash::fast::RandomState;

use super::{Answers, Exchange, Messages, Observed, of};
use crate::units::{ServerId, ZoneId};

/// One DHCP server machine as far as attribution needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Its name; the address where nothing better is known.
    pub name: String,
    /// Its addresses.
    pub addresses: Vec<Ipv4Addr>,
    /// Whether the topology knows it, or only the packets do.
    pub known: bool,
}

/// Every server machine, known and discovered, by [`ServerId`].
#[derive(Clone, Debug, Default)]
pub struct Machines {
    list: Vec<Machine>,
    /// By the address as a number, which is hashed faster than four bytes.
    by_address: HashMap<u32, ServerId, RandomState>,
    /// A MAC that two servers were seen behind is a router's and identifies none.
    by_mac: HashMap<[u8; 6], Option<ServerId>, RandomState>,
    /// Machines whose MAC address on a zone's wire is known.
    met: HashSet<(ServerId, ZoneId), RandomState>,
    /// What was learned last. Most replies show again what the one before showed.
    learned: Option<Shown>,
}

/// Source address, MAC address, zone, and whether that is the server's own wire.
type Shown = (Ipv4Addr, [u8; 6], ZoneId, bool);

/// Who sent a reply, and how we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The machine.
    pub server: ServerId,
    /// The address that named it: the source of a direct reply, else option 54.
    pub address: Ipv4Addr,
    /// Which evidence decided.
    pub by: AnsweredBy,
    /// Option 54 names another known machine than the one that sent the reply.
    pub contradicted: bool,
}

/// The evidence that named a replying server, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnsweredBy {
    /// Source address and option 54 agree.
    SourceAndServerId,
    /// The source address; option 54 is absent or of no known machine.
    Source,
    /// Option 54, in a reply that a relay forwarded.
    ServerId,
    /// The source MAC address of a server that was seen before.
    Mac,
}

impl Machines {
    /// The machines of a topology, in its order.
    pub fn new(known: impl IntoIterator<Item = (String, Vec<Ipv4Addr>)>) -> Self {
        let mut machines = Self::default();
        for (name, addresses) in known {
            machines.add(name, addresses, true);
        }
        machines
    }

    fn add(&mut self, name: String, addresses: Vec<Ipv4Addr>, known: bool) -> ServerId {
        let id = ServerId(self.list.len());
        for address in &addresses {
            self.by_address.entry(address.to_bits()).or_insert(id);
        }
        self.list.push(Machine { name, addresses, known });
        id
    }

    /// Every machine with its number.
    pub fn iter(&self) -> impl Iterator<Item = (ServerId, &Machine)> {
        self.list.iter().enumerate().map(|(at, machine)| (ServerId(at), machine))
    }

    /// The machine's name, `?` for a number that was never handed out.
    pub fn name(&self, id: ServerId) -> &str {
        self.list.get(id.0).map_or("?", |machine| &machine.name)
    }

    /// The machine.
    pub fn get(&self, id: ServerId) -> Option<&Machine> {
        self.list.get(id.0)
    }

    /// The machine with this address.
    pub fn at(&self, address: Ipv4Addr) -> Option<ServerId> {
        self.by_address.get(&address.to_bits()).copied()
    }

    /// Learns which MAC addresses the known machines have. Ask it of every message
    /// before [`Machines::attribute`], so that one learned late also helps early.
    pub fn learn(&mut self, reply: &Observed) {
        if !is_direct(reply) {
            return;
        }
        let Some(mac) = reply.link.src_mac else { return };
        let on_link = is_on_link(reply);
        let shown = Some((reply.src, mac, reply.zone, on_link));
        if self.learned == shown {
            return;
        }
        let Some(server) = self.at(reply.src) else { return };
        self.learned = shown;
        let seen = self.by_mac.entry(mac).or_insert(Some(server));
        if *seen != Some(server) {
            *seen = None;
        }
        if on_link {
            self.met.insert((server, reply.zone));
        }
    }

    /// Names the sender of every reply of an exchange.
    pub fn attribute(&mut self, exchange: &Exchange, messages: &Messages, answers: &mut Answers) {
        let overrides: Vec<Ipv4Addr> = exchange
            .queries
            .iter()
            .flat_map(super::Step::sightings)
            .filter_map(|id| of(messages, id).server_id_override())
            .collect();
        for step in &exchange.replies {
            let first = of(messages, step.first);
            // The copy that left the server itself says most.
            let best = step.sightings().map(|id| of(messages, id)).find(|m| is_direct(m)).unwrap_or(first);
            if let Some(answer) = self.name_sender(best, &overrides) {
                answers.insert(step.first, answer);
            }
        }
    }

    fn name_sender(&mut self, reply: &Observed, overrides: &[Ipv4Addr]) -> Option<Answer> {
        // With RFC 5107 option 54 holds the relay's address.
        let server_id = reply.server_id.filter(|id| !overrides.contains(id) && !id.is_unspecified());
        let named = server_id.and_then(|id| self.at(id));
        let answer = |server, address, by| Answer { server, address, by, contradicted: false };
        if !is_direct(reply) {
            let address = server_id?;
            // RFC 5107 where the query's copy with the override was not captured: the relay names itself.
            let relay = address == reply.giaddr || address == reply.src;
            if relay && named.is_none() {
                return None;
            }
            let server = named.unwrap_or_else(|| self.add(address.to_string(), vec![address], false));
            return Some(answer(server, address, AnsweredBy::ServerId));
        }
        if let Some(named) = named
            && server_id == Some(reply.src)
        {
            return Some(answer(named, reply.src, AnsweredBy::SourceAndServerId));
        }
        let by_mac = reply.link.src_mac.and_then(|mac| self.by_mac.get(&mac).copied().flatten());
        Some(match (self.at(reply.src), named) {
            (Some(source), Some(named)) if source == named => {
                answer(source, reply.src, AnsweredBy::SourceAndServerId)
            }
            (Some(source), named) => {
                Answer { contradicted: named.is_some(), ..answer(source, reply.src, AnsweredBy::Source) }
            }
            // An address that the topology does not list, or a stranger who claims to be a known server.
            (None, Some(named)) => {
                let new_mac = reply.link.src_mac.is_some_and(|mac| !self.by_mac.contains_key(&mac));
                let sender = match by_mac {
                    Some(machine) => machine,
                    // Neither the address nor the MAC address that this machine has on this wire.
                    None if new_mac && is_on_link(reply) && self.met.contains(&(named, reply.zone)) => {
                        self.add(reply.src.to_string(), vec![reply.src], false)
                    }
                    None => named,
                };
                Answer { contradicted: sender != named, ..answer(sender, reply.src, AnsweredBy::ServerId) }
            }
            (None, None) => match by_mac {
                Some(machine) => answer(machine, reply.src, AnsweredBy::Mac),
                None => {
                    let name = server_id.unwrap_or(reply.src);
                    let mut addresses = vec![name];
                    addresses.extend((reply.src != name && !reply.src.is_unspecified()).then_some(reply.src));
                    answer(self.add(name.to_string(), addresses, false), reply.src, AnsweredBy::Source)
                }
            },
        })
    }
}

/// Whether a reply's MAC address is the server's: neither a relay nor, as in
/// the answer to a unicast renewal, a router lies in between.
pub fn is_on_link(reply: &Observed) -> bool {
    reply.giaddr.is_unspecified() && (reply.ciaddr.is_unspecified() || reply.is_broadcast())
}

/// Whether a reply left the server itself: without a relay, or on its way to
/// the relay (`giaddr`, RFC 2131 §4.1). What a relay forwards to the client
/// carries the relay's source address.
fn is_direct(reply: &Observed) -> bool {
    reply.is_reply()
        && !reply.src.is_unspecified()
        && (reply.giaddr.is_unspecified() || (reply.dst == reply.giaddr && reply.src != reply.giaddr))
}
