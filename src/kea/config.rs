//! What Kea's configuration files say, typed: kea-dhcp4.conf and kea-ctrl-agent.conf.
//!
//! Kea has hundreds of keys; only those that decide who answers are read, the
//! others are passed over. A value of the wrong kind in one of ours is an
//! error, as it is for Kea. What Kea loads but surely nobody meant (a misspelt
//! HA key, a hub's subnet that names no relationship) becomes a warning.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use super::document::{Document, FileError, Value};
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
    pub subnets: Vec<Subnet>,
    /// The server's HA relationships with its own seat in each; empty without libdhcp_ha.so.
    pub seats: Vec<Seat>,
    /// `compatibility.ignore-dhcp-server-identifier`.
    pub ignore_server_id: bool,
    /// HTTP control sockets (`control-sockets`, Kea ≥ 2.7.2).
    pub http_sockets: Vec<(IpAddr, u16)>,
    /// Addresses in `interfaces-config.interfaces` (`"eth0/192.168.4.4"`): the server's own.
    pub addresses: Vec<Ipv4Addr>,
    /// What Kea accepts but surely nobody meant, each with file, line and column.
    pub warnings: Vec<String>,
}

/// One entry of `high-availability`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// The server's own peer name in the relationship.
    pub this_server_name: String,
    /// The relationship as this file describes it; its peers have no machines yet.
    pub relationship: Relationship,
}

/// A kea-ctrl-agent.conf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlAgent {
    /// `http-host` (default 127.0.0.1) and `http-port` (default 8000).
    pub http: (IpAddr, u16),
    /// `control-sockets`: the service (`dhcp4`, `dhcp6`, `d2`) and its `socket-name`.
    pub sockets: Vec<(String, String)>,
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
            return Ok(Self::Dhcp4(dhcp4::read(dhcp4)?));
        }
        if let Some(agent) = root.get("Control-agent")? {
            return Ok(Self::ControlAgent(control::read_agent(agent)?));
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
