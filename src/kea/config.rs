//! What Kea's configuration files say, typed: kea-dhcp4.conf and kea-ctrl-agent.conf.
//!
//! Kea has hundreds of keys; only those that decide who answers are read, the
//! others are passed over. A value of the wrong kind in one of ours is an
//! error, as it is for Kea. What Kea loads but surely nobody meant (a misspelt
//! HA key, a hub's subnet that names no relationship) becomes a [`Remark`].
//! Every value keeps its place, so that two files can be compared line by line.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use super::document::{At, Document, FileError, Files, Value};
use super::field::Field;
use super::{control, dhcp4};
use crate::ha::topology::{Relationship, Subnet};

/// One of Kea's configuration files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeaFile {
    /// kea-dhcp4.conf.
    Dhcp4(Dhcp4File),
    /// kea-ctrl-agent.conf (Kea ≤ 3.0).
    ControlAgent(ControlAgent),
}

/// The parts of a kea-dhcp4.conf that decide who answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dhcp4File {
    /// Subnets in file order, shared networks unfolded.
    pub subnets: Vec<SubnetEntry>,
    /// The server's HA relationships with its own seat in each; empty without libdhcp_ha.so.
    pub seats: Vec<Seat>,
    /// `compatibility.ignore-dhcp-server-identifier`.
    pub ignore_server_id: bool,
    /// HTTP control sockets (`control-sockets`, Kea ≥ 2.7.2).
    pub http_sockets: Vec<HttpSocket>,
    /// The `socket-name` of every UNIX control socket.
    pub unix_sockets: Vec<String>,
    /// Addresses in `interfaces-config.interfaces` (`"eth0/192.168.4.4"`): the server's own.
    pub addresses: Vec<Ipv4Addr>,
    /// Whether every one of those interfaces is named with its address, so that no other is listened on.
    pub listens_there_only: bool,
    /// File names of the `hooks-libraries`, such as `libdhcp_ha.so`.
    pub hooks: Vec<String>,
    /// `multi-threading.enable-multi-threading`, which Kea takes for true from 2.4 on.
    pub multi_threading: Option<bool>,
    /// `client-classes` with their `test`; a class without one has the empty text.
    pub classes: BTreeMap<String, String>,
    /// What Kea accepts but surely nobody meant.
    pub remarks: Vec<Remark>,
    /// Where the server's keys stand.
    pub origin: Origin,
    /// Turns places into lines.
    pub files: Files,
}

/// Where a map and its keys stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Where the map begins.
    pub at: At,
    /// Its keys, in file order.
    pub keys: Vec<(String, At)>,
}

impl Origin {
    /// The place of a key, if the file has it.
    pub fn key(&self, key: &str) -> Option<At> {
        self.keys.iter().find(|(name, _)| name == key).map(|(_, at)| *at)
    }

    /// The place of a key, or of the whole map where Kea's default holds.
    pub fn of(&self, key: &str) -> At {
        self.key(key).unwrap_or(self.at)
    }
}

/// Something in a file that Kea loads, or would load but for this line, and that nobody meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// What it is.
    pub kind: RemarkKind,
    /// Where it stands.
    pub at: At,
    /// One sentence with the values.
    pub text: String,
}

/// The kinds of [`Remark`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemarkKind {
    /// An unknown key that resembles a known one.
    MisspeltKey,
    /// A peer's URL without a port.
    UrlWithoutPort,
    /// A hub's subnet that belongs to no relationship.
    UnrelatedSubnet,
    /// A pool that Kea refuses; the analysis does without it.
    BadPool,
}

/// A subnet with what matters for comparing files only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubnetEntry {
    /// The subnet.
    pub subnet: Subnet,
    /// Whether the file gives its `id`; Kea 2.6 and later insist on it.
    pub has_id: bool,
    /// Its pools, in file order.
    pub pools: Vec<Pool>,
    /// Client classes that a query must have one of; its own and its shared network's.
    pub classes: Vec<String>,
    /// Where it stands.
    pub at: At,
}

/// A range of addresses to give away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Its first address.
    pub first: Ipv4Addr,
    /// Its last address.
    pub last: Ipv4Addr,
    /// `client-class` or `client-classes`; empty for every client.
    pub classes: Vec<String>,
    /// Where it stands.
    pub at: At,
}

/// Where a Control Agent or a server takes commands over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpSocket {
    /// Address and port (default 127.0.0.1 and 8000).
    pub address: (IpAddr, u16),
    /// Whether a stranger is kept out: by a password, or by a certificate that clients need.
    pub authenticated: bool,
    /// Where the address stands, or the map when it is the default.
    pub at: At,
}

/// One entry of `high-availability`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// The server's own peer name in the relationship.
    pub this_server_name: String,
    /// The relationship as this file describes it; its peers have no machines yet.
    pub relationship: Relationship,
    /// `sync-leases`: whether it fetches its partner's leases when it starts.
    pub sync_leases: bool,
    /// Whether the file itself asks for HA's multi-threading or the dedicated listener.
    pub wants_listener: bool,
    /// Where the relationship's keys stand.
    pub origin: Origin,
    /// Where each peer's keys stand, in the order of the relationship's peers.
    pub peer_origins: Vec<Origin>,
}

/// A kea-ctrl-agent.conf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlAgent {
    /// `http-host` and `http-port`.
    pub http: HttpSocket,
    /// `control-sockets`: the service (`dhcp4`, `dhcp6`, `d2`) and its `socket-name`.
    pub sockets: Vec<(String, String)>,
    /// Where the agent's keys stand.
    pub origin: Origin,
    /// Turns places into lines.
    pub files: Files,
}

impl KeaFile {
    /// Reads a file and whatever it includes; which of Kea's files it is, is seen from what it holds.
    pub fn load(path: &Path) -> Result<Self, FileError> {
        Self::from_document(&Document::load_kea(path)?)
    }

    /// Reads a configuration from bytes; `path` is their name and the place that includes start from.
    pub fn parse(path: &Path, bytes: Vec<u8>) -> Result<Self, FileError> {
        Self::from_document(&Document::parse_kea(path, bytes)?)
    }

    /// Takes the typed parts out of a document.
    ///
    /// The answer of Kea's `config-get` command is taken as well.
    pub fn from_document(document: &Document) -> Result<Self, FileError> {
        let root = arguments(Field::root(document))?;
        if let Some(dhcp4) = root.get("Dhcp4")? {
            return Ok(Self::Dhcp4(Dhcp4File { files: document.files.clone(), ..dhcp4::read(dhcp4)? }));
        }
        if let Some(agent) = root.get("Control-agent")? {
            let agent = control::read_agent(agent)?;
            return Ok(Self::ControlAgent(ControlAgent { files: document.files.clone(), ..agent }));
        }
        for (key, what) in OTHER_FILES {
            if let Some(other) = root.get(key)? {
                return Err(other.error(format!("this is {what}; only Dhcp4 and Control-agent are read")));
            }
        }
        Err(root.error("neither \"Dhcp4\" nor \"Control-agent\" is in this file"))
    }
}

/// Kea's files that say nothing about who answers a DHCPv4 client.
const OTHER_FILES: [(&str, &str); 4] = [
    ("Dhcp6", "a DHCPv6 server's configuration"),
    ("DhcpDdns", "a D2 (dynamic DNS) configuration"),
    ("Netconf", "a NETCONF agent's configuration"),
    ("Logging", "a logging configuration of Kea before 1.6"),
];

/// The configuration inside an answer to `config-get`, or the map itself.
fn arguments(root: Field<'_>) -> Result<Field<'_>, FileError> {
    let map = match root.value() {
        Value::List(_) => root.items()?.next().unwrap_or(root),
        _ => root,
    };
    Ok(map.get("arguments")?.unwrap_or(map))
}

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
