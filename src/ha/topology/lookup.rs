//! Questions that the analysis asks a topology.

use std::net::Ipv4Addr;

use super::{Client, Limits, Relationship, RelationshipId, Server, ServerId, Subnet, Topology, Zone};
use crate::units::HwAddr;

impl Topology {
    /// The machine behind an id.
    pub fn server(&self, id: ServerId) -> Option<&Server> {
        self.servers.get(id.0)
    }

    /// Whether a machine's own file makes it a hub; see [`super::Dhcp4::is_hub`].
    pub fn is_hub(&self, id: ServerId) -> bool {
        self.server(id).and_then(|server| server.kea.as_ref()).is_some_and(super::Dhcp4::is_hub)
    }

    /// The relationship behind an id.
    pub fn relationship(&self, id: RelationshipId) -> Option<&Relationship> {
        self.relationships.get(id.0)
    }

    /// The machine that has `address`.
    pub fn server_by_address(&self, address: Ipv4Addr) -> Option<ServerId> {
        self.servers.iter().position(|server| server.addresses.contains(&address)).map(ServerId)
    }

    /// The machine called `name`.
    pub fn server_named(&self, name: &str) -> Option<ServerId> {
        self.servers.iter().position(|server| server.name == name).map(ServerId)
    }

    /// The machine behind the peer name `name`, as heartbeats and log lines give it.
    ///
    /// A name that stands for two machines (in unrelated relationships) gives none.
    pub fn server_by_peer_name(&self, name: &str) -> Option<ServerId> {
        let peers = self.relationships.iter().flat_map(|relationship| &relationship.peers);
        let mut behind = peers.filter(|peer| peer.name == name).filter_map(|peer| peer.server);
        let first = behind.next()?;
        behind.all(|other| other == first).then_some(first)
    }

    /// The client called `name`.
    pub fn client_named(&self, name: &str) -> Option<&Client> {
        self.clients.iter().find(|client| client.name == name)
    }

    /// The client with this hardware address.
    pub fn client_by_mac(&self, mac: HwAddr) -> Option<&Client> {
        self.clients.iter().find(|client| client.mac == mac)
    }

    /// The zone called `name`.
    pub fn zone_named(&self, name: &str) -> Option<&Zone> {
        self.zones.iter().find(|zone| zone.name == name)
    }

    /// The zone whose prefixes hold `address`.
    pub fn zone_of(&self, address: Ipv4Addr) -> Option<&Zone> {
        self.zones.iter().find(|zone| zone.contains(address))
    }

    /// The machines that listen at an address in `zone`: those that hear its broadcasts.
    pub fn servers_in_zone<'a>(&'a self, zone: &'a Zone) -> impl Iterator<Item = ServerId> + 'a {
        self.servers
            .iter()
            .enumerate()
            .filter(|(_, server)| server.hears(|address| zone.contains(address)))
            .map(|(at, _)| ServerId(at))
    }

    /// The relationship that decides about queries for `subnet` on `server`.
    ///
    /// With one relationship all subnets belong to it. On a hub Kea goes by the
    /// subnet's `ha-server-name`, which may be any peer name of the relationship;
    /// `None` there means that Kea drops every query for the subnet.
    pub fn relationship_of_subnet(&self, server: ServerId, subnet: &Subnet) -> Option<RelationshipId> {
        let memberships = &self.server(server)?.kea.as_ref()?.memberships;
        if let [only] = memberships.as_slice() {
            return Some(only.relationship);
        }
        let name = subnet.ha_server_name.as_deref()?;
        let names_it = |id: &RelationshipId| self.relationship(*id).is_some_and(|it| it.peer(name).is_some());
        memberships.iter().map(|membership| membership.relationship).find(names_it)
    }

    /// The relationships that have `server` as a peer, also when its own file is not known.
    pub fn relationships_of(&self, server: ServerId) -> impl Iterator<Item = RelationshipId> + '_ {
        self.relationships
            .iter()
            .enumerate()
            .filter(move |(_, relationship)| {
                relationship.peers.iter().any(|peer| peer.server == Some(server))
            })
            .map(|(at, _)| RelationshipId(at))
    }

    /// The limits that `server` works with in `relationship`: those of its own
    /// file, or the partner's when its own file is not known.
    pub fn limits_of(&self, server: ServerId, relationship: RelationshipId) -> Option<Limits> {
        let own = self.server(server).and_then(|it| it.kea.as_ref()).and_then(|kea| {
            let seat = kea.memberships.iter().find(|membership| membership.relationship == relationship)?;
            Some(seat.limits)
        });
        own.or_else(|| Some(self.relationship(relationship)?.limits))
    }

    /// A name to print: the machines in peer order, such as `zaldua2zerb1 + zaldua1zerb1`.
    ///
    /// A peer without a machine goes by its peer name; an unknown relationship is the empty text.
    pub fn relationship_name(&self, id: RelationshipId) -> String {
        let peers = self.relationship(id).map(|it| it.peers.as_slice()).unwrap_or_default();
        let names: Vec<&str> = peers
            .iter()
            .map(|peer| {
                let machine = peer.server.and_then(|server| self.server(server));
                machine.map_or(peer.name.as_str(), |server| server.name.as_str())
            })
            .collect();
        names.join(" + ")
    }

    /// The places of the peers that have these names in a relationship, ascending.
    pub fn scopes_named(&self, id: RelationshipId, names: &[String]) -> Vec<usize> {
        let peers = self.relationship(id).map(|it| it.peers.as_slice()).unwrap_or_default();
        (0..peers.len()).filter(|at| peers.get(*at).is_some_and(|peer| names.contains(&peer.name))).collect()
    }

    /// Every TCP port of a control URL or control socket, ascending.
    pub fn control_ports(&self) -> Vec<u16> {
        let peers = self.relationships.iter().flat_map(|relationship| &relationship.peers);
        let sockets = self.servers.iter().flat_map(|server| &server.control);
        let mut ports: Vec<u16> = peers
            .map(|peer| peer.url.1)
            .chain(sockets.map(|socket| socket.1))
            .filter(|port| *port != 0)
            .collect();
        ports.sort_unstable();
        ports.dedup();
        ports
    }
}

impl Server {
    /// Whether Kea listens at one of the machine's addresses that are on a wire.
    pub fn hears(&self, is_on_wire: impl Fn(Ipv4Addr) -> bool) -> bool {
        let listens = if self.listens.is_empty() { &self.addresses } else { &self.listens };
        listens.iter().any(|address| is_on_wire(*address))
    }
}

impl Zone {
    /// Whether `address` is in one of the zone's prefixes.
    pub fn contains(&self, address: Ipv4Addr) -> bool {
        self.subnets.iter().any(|subnet| subnet.contains(&address))
    }
}

impl Relationship {
    /// The peer called `name`, with its place in Kea's order.
    pub fn peer(&self, name: &str) -> Option<(usize, &super::Peer)> {
        self.peers.iter().enumerate().find(|(_, peer)| peer.name == name)
    }

    /// The peer that `server` is.
    pub fn peer_of(&self, server: ServerId) -> Option<&super::Peer> {
        self.peers.iter().find(|peer| peer.server == Some(server))
    }

    /// The peer that shares the work with `name`; `None` for a backup or an unknown name.
    ///
    /// In load-balancing and hot-standby these are the first two peers.
    pub fn partner_of(&self, name: &str) -> Option<&super::Peer> {
        let active = |peer: &&super::Peer| peer.role != super::Role::Backup;
        let own = self.peers.iter().filter(active).any(|peer| peer.name == name);
        self.peers.iter().filter(active).find(|peer| own && peer.name != name)
    }
}
