//! Writes a topology.toml from what captures show.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::net::IpAddr;

use super::write;
use crate::exchange::Messages;
use crate::ha::events::{EventKind, HaEvent};
use crate::ha::network::Network;
use crate::ha::topology::{Mode, Peer, Relationship, RelationshipId, ServerId, Topology, Zone};
use crate::units::{HwAddr, ZoneId};

/// Strangers and clients that are listed at most: anybody can forge them.
const MOST_LISTED: usize = 100;

/// What the captures show of the network, as the text of a topology.toml.
///
/// Loading it gives the servers and relationships of the network's own topology.
/// Remarks say what each thing was concluded from, and what the wire does not
/// show. Servers in no relationship and clients are remarks only: whether they
/// belong there, only the user knows.
pub fn inferred(network: &Network<'_>, events: &[HaEvent], messages: &Messages) -> String {
    let topology = network.topology.as_ref();
    let mut text = String::from(
        "# The network as dorascope concluded it from captures: read it before you rely on it.\n\
         # The kea-dhcp4.conf of a server (kea = \"FILE\") tells more than any capture, and wins.\n#\n",
    );
    text.push_str(write::ABOUT_ZONES);
    for (at, name) in network.zones.iter().enumerate() {
        zone(&mut text, name, network, ZoneId(u16::try_from(at).unwrap_or(u16::MAX)));
    }
    for (at, server) in topology.servers.iter().enumerate() {
        let id = ServerId(at);
        write::server(&mut text, topology, id);
        let called = |address| peers_of(topology, id).any(|peer| peer.url.0 == IpAddr::V4(address));
        let aliases = server.addresses.iter().filter(|address| !called(**address));
        for alias in aliases {
            let why = "it acknowledges as that the leases of the updates that it sends";
            write::comment(&mut text, &format!("{alias}: {why}"));
        }
        write::addresses(&mut text, &server.addresses);
        write::comment(&mut text, "Its subnets and pools are in no capture; name its own file for them:");
        write::comment(&mut text, "kea = \"kea-dhcp4.conf\"");
    }
    strangers(&mut text, network);
    for at in 0..topology.relationships.len() {
        relationship(&mut text, topology, RelationshipId(at), events);
    }
    if topology.relationships.is_empty() {
        text.push('\n');
        write::comment(
            &mut text,
            "No relationship shows: that takes heartbeats, not encrypted, of a pair at work.",
        );
    }
    clients(&mut text, messages);
    text
}

fn zone(text: &mut String, name: &str, network: &Network<'_>, id: ZoneId) {
    if name.is_empty() || name.trim() != name {
        // Such a name cannot be told from another in the file.
        return;
    }
    let mut subnets = network.prefixes(id).to_vec();
    subnets.sort_unstable();
    let remark = match subnets.len() {
        0 => "No reply on this wire tells its subnet; servers are known to hear it only with it.",
        _ => "From the subnet masks of replies on this wire; there may be more.",
    };
    let name = name.to_owned();
    write::zone(text, &Zone { name, subnets, interfaces: Vec::new() }, Some(remark));
}

fn peers_of(topology: &Topology, id: ServerId) -> impl Iterator<Item = &Peer> {
    topology.relationships.iter().filter_map(move |relationship| relationship.peer_of(id))
}

/// Servers that answered clients and are in no relationship.
fn strangers(text: &mut String, network: &Network<'_>) {
    let mut unknown =
        network.machines.iter().filter(|(_, machine)| !machine.known).take(MOST_LISTED).peekable();
    if unknown.peek().is_none() {
        return;
    }
    text.push('\n');
    write::comment(text, "Servers that answered too, and are in no relationship that shows. Keep those that");
    write::comment(text, "belong here, or add their addresses to the machine that has them:");
    for (_, machine) in unknown {
        text.push_str("#\n");
        write::comment(text, "[[server]]");
        write::comment(text, &format!("name = {}", write::quoted(&machine.name)));
        let mut addresses = String::new();
        write::addresses(&mut addresses, &machine.addresses);
        write::comment(text, addresses.trim_end());
    }
}

fn relationship(text: &mut String, topology: &Topology, id: RelationshipId, events: &[HaEvent]) {
    let Some(it) = topology.relationship(id) else { return };
    text.push_str("\n[[relationship]]\n");
    let (mut heartbeats, mut updates) = (0_usize, BTreeMap::new());
    for event in events.iter().filter(|event| event.relationship == Some(id)) {
        match event.kind {
            EventKind::Heartbeat if event.state.is_some() => heartbeats += 1,
            EventKind::LeaseUpdate => *updates.entry(event.peer).or_insert(0_usize) += 1,
            _ => {}
        }
    }
    let why = match it.mode {
        Mode::LoadBalancing => {
            "the hashes of the clients that each sends lease updates for tell who is primary"
        }
        Mode::HotStandby | Mode::PassiveBackup => "the primary serves its scope there, the standby none",
    };
    let mode = it.mode.as_str();
    write::comment(text, &format!("From {heartbeats} answered heartbeats: they name the state {mode};"));
    write::comment(text, &format!("{why}."));
    let sent = it.peers.iter().map(|peer| {
        let count = updates.get(&peer.server).copied().unwrap_or(0);
        format!("{count} from {}", peer.name)
    });
    write::comment(text, &format!("Lease updates: {}.", sent.collect::<Vec<_>>().join(", ")));
    let nameless = |peer: &&Peer| peer.name == peer.url.0.to_string();
    for peer in it.peers.iter().filter(nameless) {
        let name = &peer.name;
        write::comment(text, &format!("Nothing names the peer at {name}; give it its name in Kea's files."));
    }
    for peer in it.peers.iter().filter(|peer| peer.url.1 == 0) {
        write::comment(text, &format!("Nobody called {}: its port is not known.", peer.name));
    }
    table(text, it);
}

fn table(text: &mut String, it: &Relationship) {
    let _ = writeln!(text, "mode = \"{}\"\npeers = [", it.mode.as_str());
    it.peers.iter().for_each(|peer| write::peer(text, peer));
    let limits = it.limits;
    let _ = writeln!(
        text,
        "]\n# The distance of the heartbeats.\nheartbeat-delay = {}",
        limits.heartbeat_delay_ms
    );
    for line in [
        "Thresholds are in no capture, and nobody's death is foretold without them. These are".to_owned(),
        "Kea's defaults; write those of kea-dhcp4.conf:".to_owned(),
        format!("max-response-delay = {}", limits.max_response_delay_ms),
        format!("max-ack-delay = {}", limits.max_ack_delay_ms),
        format!("max-unacked-clients = {}", limits.max_unacked_clients),
    ] {
        write::comment(text, &line);
    }
}

/// Clients that told a host name, each name and address once.
fn clients(text: &mut String, messages: &Messages) {
    let mut names: BTreeMap<&str, HwAddr> = BTreeMap::new();
    let mut named = BTreeSet::new();
    let mut more = false;
    for query in messages.iter().filter(|message| !message.is_reply()) {
        if let Some(name) = query.hostname().filter(|name| !name.trim().is_empty())
            && !names.contains_key(name)
            && !named.contains(&query.chaddr)
        {
            if names.len() == MOST_LISTED {
                more = true;
                break;
            }
            named.insert(query.chaddr);
            names.insert(name, query.chaddr);
        }
    }
    text.push_str(write::ABOUT_CLIENTS);
    if names.is_empty() {
        write::example_client(text, "laptop", "08:00:27:a2:00:01");
    }
    for (name, mac) in names {
        write::example_client(text, name, mac);
    }
    if more {
        write::comment(text, &format!("There are more clients than these {MOST_LISTED}."));
    }
}
