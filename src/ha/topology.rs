//! What is known about the network before the first frame: zones, servers,
//! clients and Kea's HA relationships.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::Ipv4Net;

use crate::units::HwAddr;

mod differences;
mod lookup;

pub use self::differences::Difference;
pub use crate::units::ServerId;

/// Index of a relationship in [`Topology::relationships`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelationshipId(pub usize);

/// Everything that topology.toml and Kea's configuration files say.
///
/// The default value knows nothing; the program still works with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topology {
    /// Broadcast domains that are captured.
    pub zones: Vec<Zone>,
    /// DHCP server machines.
    pub servers: Vec<Server>,
    /// Clients with names of their own.
    pub clients: Vec<Client>,
    /// HA relationships, merged over the files of their peers.
    pub relationships: Vec<Relationship>,
    /// What is odd but does not stop the analysis, each with the file it is about.
    pub warnings: Vec<String>,
    /// Servers and relationships were concluded from the packets, because no file names any.
    pub inferred: bool,
}

/// One broadcast domain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Zone {
    /// The name that inputs use (`zaldua1=FILE`).
    pub name: String,
    /// The prefixes on this wire; a server that listens at an address in one of them hears its broadcasts.
    pub subnets: Vec<Ipv4Net>,
    /// The capturing host's interfaces on this wire; empty when topology.toml names none.
    pub interfaces: Vec<String>,
}

/// A client that the user named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Client {
    /// The name to print.
    pub name: String,
    /// Its hardware address (`chaddr`).
    pub mac: HwAddr,
}

/// One DHCP server machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Server {
    /// The machine's name.
    pub name: String,
    /// Every IPv4 address it is known to have.
    pub addresses: Vec<Ipv4Addr>,
    /// The addresses whose interfaces Kea listens on, when its file names every interface with its
    /// address (`"eth1/192.168.4.4"`); empty when that is not known, so any address may be one.
    pub listens: Vec<Ipv4Addr>,
    /// Its kea-dhcp4.conf, when given.
    pub kea: Option<Dhcp4>,
    /// Address and port of its Control Agent or HTTP control socket, when known.
    pub control: Vec<(Ipv4Addr, u16)>,
}

/// The parts of a kea-dhcp4.conf that decide who answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dhcp4 {
    /// Subnets in file order, shared networks unfolded.
    pub subnets: Vec<Subnet>,
    /// The relationships this server takes part in, with its own name in each.
    pub memberships: Vec<Membership>,
    /// `compatibility.ignore-dhcp-server-identifier`: no server-identifier check.
    pub ignore_server_id: bool,
}

impl Dhcp4 {
    /// Whether this server is a hub: with several relationships Kea decides at
    /// subnet selection, after the server-identifier check (Kea ≥ 2.5.5).
    pub fn is_hub(&self) -> bool {
        self.memberships.len() > 1
    }
}

/// One server's seat in one relationship.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The relationship.
    pub relationship: RelationshipId,
    /// `this-server-name` there: the server's own peer name.
    pub this_server_name: String,
    /// The limits of this server's own file, which are the ones it works with.
    pub limits: Limits,
}

/// A subnet that a server is configured with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subnet {
    /// Kea's subnet id; numbered from 1 where the file has none, as Kea before 2.6 did.
    pub id: u32,
    /// Its prefix.
    pub prefix: Ipv4Net,
    /// `user-context.ha-server-name` of the subnet or of its shared network.
    pub ha_server_name: Option<String>,
    /// `interface`: the server's interface whose direct queries select this subnet.
    pub interface: Option<String>,
    /// The `name` of its shared network, when it is in one.
    pub shared_network: Option<String>,
    /// `relay.ip-addresses` that select it, its own or else its shared network's.
    pub relays: Vec<Ipv4Addr>,
    /// `dhcp-server-identifier` (option 54) set for the subnet, its shared network or globally.
    pub server_identifier: Option<Ipv4Addr>,
}

/// How the peers of a relationship share the work (Kea's `mode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Both peers answer, by hash.
    LoadBalancing,
    /// The primary answers.
    HotStandby,
    /// The primary answers and sends its leases to backups.
    PassiveBackup,
}

/// A peer's part in its relationship (Kea's `role`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Owner in hot-standby and passive-backup, of even hashes in load-balancing.
    Primary,
    /// Owner of odd hashes in load-balancing.
    Secondary,
    /// Silent partner in hot-standby.
    Standby,
    /// Receives lease updates, never serves by itself.
    Backup,
}

impl Mode {
    /// Kea's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LoadBalancing => "load-balancing",
            Self::HotStandby => "hot-standby",
            Self::PassiveBackup => "passive-backup",
        }
    }
}

impl Role {
    /// Kea's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Secondary => "secondary",
            Self::Standby => "standby",
            Self::Backup => "backup",
        }
    }
}

/// One HA relationship.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relationship {
    /// Its mode.
    pub mode: Mode,
    /// Peers in Kea's order: primary, then secondary or standby, then backups (kea-ha rule: file order is irrelevant).
    pub peers: Vec<Peer>,
    /// Times and thresholds.
    pub limits: Limits,
}

/// One peer entry of a relationship.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The peer's name in this relationship.
    pub name: String,
    /// Its role.
    pub role: Role,
    /// Address and port of its control URL; port 0 when the URL has none.
    pub url: (IpAddr, u16),
    /// Whether it takes over the partner's scope by itself; Kea reads it only from the peer's own file.
    pub auto_failover: bool,
    /// The machine behind it: the one that says `this-server-name`, or that has the URL's address,
    /// or one made for it; always set in a topology that was read from files.
    pub server: Option<ServerId>,
}

/// Failure-detection and lease-update settings of a relationship, with Kea's defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `heartbeat-delay`, milliseconds.
    pub heartbeat_delay_ms: u32,
    /// `max-response-delay`, milliseconds; communication is interrupted strictly after it.
    pub max_response_delay_ms: u32,
    /// `max-ack-delay`, milliseconds; a client is unacked strictly above it.
    pub max_ack_delay_ms: u32,
    /// `max-unacked-clients`; the partner is down strictly above it, or at once when 0.
    pub max_unacked_clients: u32,
    /// `delayed-updates-limit`; above 0 the communication-recovery state exists.
    pub delayed_updates_limit: u32,
    /// `max-rejected-lease-updates`; at this many rejected clients a server terminates, never when 0.
    pub max_rejected_lease_updates: u32,
    /// `send-lease-updates`: whether an ACK waits for the partner to store the lease.
    pub send_lease_updates: bool,
    /// Whether the DHCP server itself listens for its partners (`multi-threading` with
    /// `http-dedicated-listener`, on by default from Kea 2.4), and not the Control Agent for it.
    pub dedicated_listener: bool,
    /// Nobody said so: thresholds are not visible on the wire, and these are Kea's defaults.
    pub assumed: bool,
}

impl Limits {
    /// Kea's defaults for a mode.
    pub const fn defaults(mode: Mode) -> Self {
        Self {
            heartbeat_delay_ms: 10_000,
            max_response_delay_ms: 60_000,
            max_ack_delay_ms: 10_000,
            max_unacked_clients: 10,
            delayed_updates_limit: if matches!(mode, Mode::LoadBalancing) { 100 } else { 0 },
            max_rejected_lease_updates: 10,
            send_lease_updates: true,
            dedicated_listener: true,
            assumed: false,
        }
    }
}
