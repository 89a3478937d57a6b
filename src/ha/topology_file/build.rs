//! Adds the files of all machines up to one topology.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use super::Described;
use super::machine::ReadMachine;
use crate::ha::topology::{Dhcp4, Membership, RelationshipId, Server, ServerId, Topology};
use crate::kea::config::{Remark, Seat};

mod same;

use same::is_same;

/// Adds machines and their relationships to a topology of zones and clients, then the relationships
/// that no file of a machine describes.
pub(super) fn add_up(topology: Topology, machines: Vec<ReadMachine>, described: Vec<Described>) -> Topology {
    let mut sum = Sum { topology, given: machines.len(), described_in: Vec::new() };
    let mut controls = Vec::new();
    for machine in &machines {
        // All declared addresses first: they decide when two files claim one address.
        let (name, addresses) = (machine.name.clone(), machine.addresses.clone());
        sum.topology.servers.push(Server { name, addresses, ..Server::default() });
    }
    for (at, machine) in machines.into_iter().enumerate() {
        controls.push(sum.add_machine(ServerId(at), machine));
    }
    for described in described {
        sum.add_described(described);
    }
    sum.seat_the_rest();
    for (server, sockets) in sum.topology.servers.iter_mut().zip(controls) {
        server.control = reachable(&sockets, &server.addresses);
    }
    sum.warn_shared_prefixes();
    sum.topology
}

struct Sum {
    topology: Topology,
    /// How many machines the user named; those after them were made for peers.
    given: usize,
    /// The file that first described each relationship.
    described_in: Vec<PathBuf>,
}

impl Sum {
    fn warn(&mut self, file: &Path, text: &str) {
        self.topology.warnings.push(format!("{}: {text}", file.display()));
    }

    /// Adds what the files of a machine say; returns its control sockets.
    fn add_machine(&mut self, id: ServerId, machine: ReadMachine) -> Vec<(IpAddr, u16)> {
        let mut sockets = Vec::new();
        let mut addresses = Vec::new();
        let own_urls = machine.dhcp4.iter().flat_map(|(path, file)| {
            let seats = file.seats.iter();
            seats
                .filter_map(move |seat| Some((path, seat.relationship.peer(&seat.this_server_name)?.1.url.0)))
        });
        addresses.extend(own_urls.map(|(path, address)| (path.clone(), address)));
        if let Some((path, file)) = &machine.dhcp4 {
            addresses.extend(file.addresses.iter().map(|address| (path.clone(), IpAddr::V4(*address))));
            addresses.extend(file.http_sockets.iter().map(|socket| (path.clone(), socket.address.0)));
            sockets.extend(file.http_sockets.iter().map(|socket| socket.address));
        }
        if let Some((path, file)) = &machine.agent {
            addresses.push((path.clone(), file.http.address.0));
            sockets.push(file.http.address);
        }
        for (path, address) in addresses {
            self.own_address(id, address, &path);
        }
        if let Some((path, file)) = machine.dhcp4 {
            let remark = |it: &Remark| file.files.error(it.at, it.text.as_str()).to_string();
            self.topology.warnings.extend(file.remarks.iter().map(remark));
            let seats = file.seats.into_iter();
            let memberships = seats.map(|seat| self.take_seat(id, seat, &path)).collect();
            let subnets = file.subnets.into_iter().map(|entry| entry.subnet).collect();
            let kea = Dhcp4 { subnets, memberships, ignore_server_id: file.ignore_server_id };
            if let Some(server) = self.topology.servers.get_mut(id.0) {
                if file.listens_there_only {
                    server.listens = file.addresses;
                }
                server.kea = Some(kea);
            }
        }
        sockets
    }

    /// Gives a machine an address that its own file calls its own.
    fn own_address(&mut self, id: ServerId, address: IpAddr, file: &Path) {
        let Some(address) = on_the_wire(address) else {
            return;
        };
        match self.topology.server_by_address(address) {
            Some(owner) if owner == id => {}
            Some(owner) => {
                let name =
                    |id| self.topology.server(id).map(|server| server.name.as_str()).unwrap_or_default();
                let text = format!("{} takes {address} for its own, but {} has it", name(id), name(owner));
                self.warn(file, &text);
            }
            None => {
                if let Some(server) = self.topology.servers.get_mut(id.0) {
                    server.addresses.push(address);
                }
            }
        }
    }

    /// Puts a machine into the relationship that its file describes.
    fn take_seat(&mut self, id: ServerId, seat: Seat, file: &Path) -> Membership {
        let limits = seat.relationship.limits;
        let relationship = self.find_or_add(&seat, file);
        let own = seat.relationship.peer(&seat.this_server_name);
        let auto_failover = own.is_some_and(|(_, peer)| peer.auto_failover);
        if let Some(there) = self.topology.relationships.get_mut(relationship.0)
            && let Some(peer) = there.peers.iter_mut().find(|peer| peer.name == seat.this_server_name)
        {
            peer.server = Some(id);
            peer.auto_failover = auto_failover;
        }
        Membership { relationship, this_server_name: seat.this_server_name, limits }
    }

    /// The relationship that `seat` is in, new if no file before described it.
    fn find_or_add(&mut self, seat: &Seat, file: &Path) -> RelationshipId {
        let mut taken = None;
        for (at, relationship) in self.topology.relationships.iter().enumerate() {
            if !is_same(relationship, &seat.relationship) {
                continue;
            }
            let holder = relationship.peer(&seat.this_server_name).and_then(|(_, peer)| peer.server);
            let Some(holder) = holder else {
                self.warn_differences(at, &seat.relationship, file, |_| true);
                return RelationshipId(at);
            };
            taken = Some((at, holder));
        }
        if let Some((at, holder)) = taken {
            let holder = self.topology.server(holder).map(|server| server.name.clone()).unwrap_or_default();
            let first = self.described_in.get(at).map(|path| path.display().to_string()).unwrap_or_default();
            let this = &seat.this_server_name;
            let text = format!(
                "this-server-name \"{this}\" is already {holder}'s ({first}); taken as another relationship"
            );
            self.warn(file, &text);
        }
        self.topology.relationships.push(seat.relationship.clone());
        self.described_in.push(file.to_path_buf());
        RelationshipId(self.topology.relationships.len() - 1)
    }

    /// Finds or makes a machine for every peer whose own file is not known.
    fn seat_the_rest(&mut self) {
        for at in 0..self.topology.relationships.len() {
            let Some(relationship) = self.topology.relationships.get(at).cloned() else {
                continue;
            };
            for (place, peer) in relationship.peers.iter().enumerate() {
                if peer.server.is_some() {
                    continue;
                }
                let address = on_the_wire(peer.url.0);
                let id = self.machine_of(RelationshipId(at), &peer.name, address);
                if let Some(peer) =
                    self.topology.relationships.get_mut(at).and_then(|it| it.peers.get_mut(place))
                {
                    peer.server = Some(id);
                }
            }
        }
    }

    /// The machine of a peer that no file claims.
    fn machine_of(
        &mut self,
        relationship: RelationshipId,
        name: &str,
        address: Option<Ipv4Addr>,
    ) -> ServerId {
        let topology = &self.topology;
        let free =
            |id: &ServerId| topology.relationship(relationship).is_some_and(|it| it.peer_of(*id).is_none());
        let owner = address.and_then(|address| topology.server_by_address(address)).filter(free);
        if let Some(owner) = owner {
            if let Some(server) = self.topology.server(owner).filter(|server| server.kea.is_some()) {
                let text = format!(
                    "peer \"{name}\" has an address of {}, whose own file lacks this relationship",
                    server.name
                );
                let file = self.described_in.get(relationship.0).cloned().unwrap_or_default();
                self.warn(&file, &text);
            }
            return owner;
        }
        let address = address.filter(|address| topology.server_by_address(*address).is_none());
        let namesake = topology.server_named(name).filter(|id| id.0 < self.given && free(id));
        if let Some(server) = namesake.and_then(|id| self.topology.servers.get_mut(id.0))
            && server.kea.is_none()
            && let Some(id) = namesake
        {
            server.addresses.extend(address);
            return id;
        }
        let name = self.unused_name(name, address);
        self.topology.servers.push(Server {
            name,
            addresses: address.into_iter().collect(),
            ..Server::default()
        });
        ServerId(self.topology.servers.len() - 1)
    }

    fn unused_name(&self, name: &str, address: Option<Ipv4Addr>) -> String {
        let mut candidate = name.to_owned();
        let mut number = 1;
        while self.topology.server_named(&candidate).is_some() {
            candidate = match (number, address) {
                (1, Some(address)) => format!("{name}@{address}"),
                _ => format!("{name}@{number}"),
            };
            number += 1;
        }
        candidate
    }

    /// Warns of a prefix in two zones: an address in it would be heard in both.
    fn warn_shared_prefixes(&mut self) {
        let zones = &self.topology.zones;
        let mut warnings = Vec::new();
        for (at, zone) in zones.iter().enumerate() {
            for other in zones.iter().skip(at + 1) {
                for prefix in zone.subnets.iter().filter(|prefix| other.subnets.contains(prefix)) {
                    warnings
                        .push(format!("zones \"{}\" and \"{}\" both have {prefix}", zone.name, other.name));
                }
            }
        }
        self.topology.warnings.extend(warnings);
    }
}

/// The IPv4 address if other machines can see it.
fn on_the_wire(address: IpAddr) -> Option<Ipv4Addr> {
    match address {
        IpAddr::V4(address) if !address.is_loopback() && !address.is_unspecified() => Some(address),
        IpAddr::V4(_) | IpAddr::V6(_) => None,
    }
}

/// Control sockets with `0.0.0.0` spelt out as the machine's addresses; IPv6 is not captured.
fn reachable(sockets: &[(IpAddr, u16)], addresses: &[Ipv4Addr]) -> Vec<(Ipv4Addr, u16)> {
    let mut control = Vec::new();
    for (host, port) in sockets {
        match host {
            IpAddr::V4(host) if host.is_unspecified() && !addresses.is_empty() => {
                control.extend(addresses.iter().map(|address| (*address, *port)));
            }
            IpAddr::V4(host) => control.push((*host, *port)),
            IpAddr::V6(_) => {}
        }
    }
    control
}
