//! Addresses that belong to one machine.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::Ipv4Addr;

use crate::dhcp::MessageType;
use crate::exchange::Messages;
use crate::ha::events::{EventKind, HaEvent};
use crate::units::{CaptureTime, HwAddr, SECOND};

/// Which addresses a machine has besides the one on the control channel.
///
/// A server sends its partner a lease update and, once it is stored, the ACK for
/// the same client and address (kea-ha §2.2). So the update's source and the
/// ACK's server identifier are one machine, on whatever wires the two were seen.
/// When the partner refuses the update there is no ACK; then the REQUEST that
/// caused it names the server that it was for.
#[derive(Debug, Default)]
pub(super) struct Aliases(BTreeMap<Ipv4Addr, BTreeSet<Ipv4Addr>>);

/// When a message named which server, by client and address.
type Named = HashMap<(HwAddr, Ipv4Addr), Vec<(CaptureTime, Ipv4Addr)>>;

impl Aliases {
    pub(super) fn find(events: &[HaEvent], messages: &Messages) -> Self {
        let (mut acks, mut requests) = (Named::new(), Named::new());
        for message in messages {
            let (named, ip) = match message.message_type {
                Some(MessageType::ACK) => (&mut acks, Some(message.yiaddr)),
                Some(MessageType::REQUEST) => (&mut requests, message.requested_ip),
                _ => continue,
            };
            // With RFC 5107 option 54 is the relay's address.
            if let Some(server) = message.server_id.filter(|id| *id != message.giaddr)
                && let Some(ip) = ip
            {
                named.entry((message.chaddr, ip)).or_default().push((message.time, server));
            }
        }
        // Whoever sent the updates for a server identifier: more than one sender proves nothing.
        let mut senders: BTreeMap<Ipv4Addr, BTreeSet<Ipv4Addr>> = BTreeMap::new();
        for event in events.iter().filter(|event| event.kind == EventKind::LeaseUpdate) {
            let named = match event.result {
                Some(0) => &acks,
                Some(_) => &requests,
                None => continue,
            };
            let Some(list) = event.chaddr.zip(event.ip).and_then(|lease| named.get(&lease)) else { continue };
            let caused = |time: CaptureTime| match event.result {
                Some(0) => (0..=SECOND).contains(&time.since(event.time)),
                _ => (0..=SECOND).contains(&event.request_time.since(time)),
            };
            let mut servers = list.iter().filter(|(time, _)| caused(*time)).map(|(_, server)| *server);
            if let Some(server) = servers.next()
                && servers.all(|other| other == server)
            {
                senders.entry(server).or_default().insert(event.peer_ip);
            }
        }
        let mut aliases = Self::default();
        for (server, senders) in senders {
            let mut senders = senders.into_iter();
            if let (Some(sender), None) = (senders.next(), senders.next()) {
                aliases.0.entry(sender).or_default().insert(server);
            }
        }
        aliases
    }

    /// Every address of the machine with this one, itself first.
    pub(super) fn of(&self, address: Ipv4Addr) -> Vec<Ipv4Addr> {
        let mut all = vec![address];
        let mut next = 0;
        while let Some(known) = all.get(next).copied() {
            next += 1;
            let from = self.0.get(&known).into_iter().flatten().copied();
            let to = self.0.iter().filter(|(_, aliases)| aliases.contains(&known)).map(|(sender, _)| *sender);
            for other in from.chain(to) {
                if !all.contains(&other) {
                    all.push(other);
                }
            }
        }
        all
    }
}
