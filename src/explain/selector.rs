//! Which exchanges somebody asks about.

use std::fmt;
use std::net::Ipv4Addr;

use crate::exchange::{Exchange, of};
use crate::pipeline::Analysis;
use crate::units::{HwAddr, Xid};

/// Which exchanges are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// By client: a name of the topology wins over an address that reads the same (`beef`), and both over a host name.
    Client {
        /// What was asked for.
        text: String,
        /// The same as an address, if it is one.
        mac: Option<HwAddr>,
    },
    /// By transaction identifier.
    Xid(Xid),
    /// By address.
    Ip(Ipv4Addr),
}

impl Selector {
    /// Whether an exchange of this batch is meant.
    pub fn means(&self, analysis: &Analysis<'_>, exchange: &Exchange) -> bool {
        let messages = || {
            let steps = exchange.queries.iter().chain(&exchange.replies);
            steps.map(|step| of(&analysis.messages, step.first))
        };
        match self {
            Self::Client { text, mac } => match analysis.network.topology.client_named(text) {
                Some(client) => client.mac == exchange.client.chaddr,
                None if *mac == Some(exchange.client.chaddr) => true,
                None => messages().any(|message| message.hostname() == Some(text)),
            },
            Self::Xid(xid) => messages().any(|message| message.xid == *xid),
            Self::Ip(ip) => messages().any(|message| {
                let addresses = [Some(message.yiaddr), Some(message.ciaddr), message.requested_ip];
                addresses.contains(&Some(*ip)) && *ip != Ipv4Addr::UNSPECIFIED
            }),
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client { text, .. } => write!(f, "client {text}"),
            Self::Xid(xid) => write!(f, "transaction {xid}"),
            Self::Ip(ip) => write!(f, "address {ip}"),
        }
    }
}
