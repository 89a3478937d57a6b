//! The text of a topology.toml, table by table. Writing to a String cannot fail.

use std::fmt::{Display, Write};
use std::net::{IpAddr, Ipv4Addr};

use crate::ha::topology::{Peer, ServerId, Topology, Zone};

pub(super) const ABOUT_ZONES: &str = "\
# A zone is one broadcast domain; inputs are named for it (ZONE=FILE). A server hears the
# broadcasts of every zone that it has an address in, so list all addresses of all servers.
";

pub(super) const ABOUT_CLIENTS: &str = "\n# Clients by name, for the reports and for expect.toml:\n";

/// A zone, with a remark about its subnets.
pub(super) fn zone(text: &mut String, zone: &Zone, remark: Option<&str>) {
    let _ = writeln!(text, "\n[[zone]]\nname = {}", quoted(&zone.name));
    if let Some(remark) = remark {
        comment(text, remark);
    }
    let subnets: Vec<String> = zone.subnets.iter().map(|subnet| quoted(&subnet.to_string())).collect();
    let _ = writeln!(text, "subnets = [{}]", subnets.join(", "));
}

/// The begin of a server's table, with its seats as remarks.
pub(super) fn server(text: &mut String, topology: &Topology, id: ServerId) {
    let name = topology.server(id).map(|server| server.name.as_str()).unwrap_or_default();
    let _ = writeln!(text, "\n[[server]]\nname = {}", quoted(name));
    for relationship in topology.relationships_of(id) {
        if let Some(there) = topology.relationship(relationship)
            && let Some(peer) = there.peer_of(id)
        {
            let pair = topology.relationship_name(relationship);
            comment(text, &format!("{} of {pair} ({})", peer.role.as_str(), there.mode.as_str()));
        }
    }
}

pub(super) fn addresses(text: &mut String, addresses: &[Ipv4Addr]) {
    let addresses: Vec<String> = addresses.iter().map(|address| quoted(&address.to_string())).collect();
    let _ = writeln!(text, "addresses = [{}]", addresses.join(", "));
}

/// A peer of a relationship, as an entry of its list.
pub(super) fn peer(text: &mut String, peer: &Peer) {
    let host = match peer.url.0 {
        IpAddr::V4(host) => host.to_string(),
        IpAddr::V6(host) => format!("[{host}]"),
    };
    let port = if peer.url.1 == 0 { String::new() } else { format!(":{}", peer.url.1) };
    let (name, role) = (quoted(&peer.name), peer.role.as_str());
    let _ = writeln!(text, "    {{ name = {name}, role = \"{role}\", url = \"http://{host}{port}/\" }},");
}

/// A client's table that only shows how to write one.
pub(super) fn example_client(text: &mut String, name: &str, mac: impl Display) {
    text.push_str("#\n");
    comment(text, "[[client]]");
    comment(text, &format!("name = {}", quoted(&printable(name))));
    comment(text, &format!("mac = \"{mac}\""));
}

/// A comment of one line: a name with a line feed must not end it.
pub(super) fn comment(text: &mut String, line: &str) {
    let _ = writeln!(text, "# {}", printable(line));
}

/// A TOML string.
pub(super) fn quoted(text: &str) -> String {
    ::toml::Value::from(text).to_string()
}

fn printable(text: &str) -> String {
    text.replace(char::is_control, " ")
}
