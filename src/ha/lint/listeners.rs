//! Who listens where on one machine, and whether somebody does where the partners expect it.

use std::net::{IpAddr, SocketAddr};

use super::{Member, Report, members};
use crate::ha::catalogue::LintCode;
use crate::ha::topology_file::ReadMachine;
use crate::kea::document::{At, Files};

/// One listening TCP port.
struct Listener<'a> {
    what: String,
    address: (IpAddr, u16),
    files: &'a Files,
    at: At,
}

/// Checks the listeners of a machine against each other and against its own URLs.
pub(super) fn check(machine: &ReadMachine, report: &mut Report) {
    let mut listeners = control_sockets(machine);
    for member in members(machine) {
        let Some(own) = member.own() else { continue };
        if member.relationship().limits.dedicated_listener {
            // Before 2.4 Kea had none unless the file asked for it, and the agent stood in its place.
            let since = if member.seat.wants_listener { "" } else { " (Kea 2.4 and later)" };
            let what = format!("the HA listener of \"{}\"{since}", own.name);
            let at = member.at_peer(&own.name, "url");
            listeners.push(Listener { what, address: own.url, files: &member.file.files, at });
            not_own(&member, own.url.0, report);
        } else {
            unserved(&member, own.url, &control_sockets(machine), report);
        }
    }
    for (at, listener) in listeners.iter().enumerate() {
        if let Some(other) = listeners.iter().take(at).find(|other| collide(listener.address, other.address))
        {
            let text = format!(
                "{} listens at {}, which {} takes ({})",
                listener.what,
                SocketAddr::from(listener.address),
                other.what,
                SocketAddr::from(other.address)
            );
            report.add(LintCode::PortCollision, &machine.name, listener.files, listener.at, text);
        }
    }
}

/// The Control Agent and the server's HTTP control sockets.
fn control_sockets(machine: &ReadMachine) -> Vec<Listener<'_>> {
    let agent = machine.agent.iter().map(|(_, agent)| ("the Control Agent", &agent.http, &agent.files));
    let own = machine.dhcp4.iter().flat_map(|(_, file)| {
        file.http_sockets.iter().map(|socket| ("the HTTP control socket", socket, &file.files))
    });
    agent
        .chain(own)
        .map(|(what, socket, files)| Listener {
            what: what.to_owned(),
            address: socket.address,
            files,
            at: socket.at,
        })
        .collect()
}

/// Whether two listeners want the same port; the unspecified address takes it on all addresses,
/// `::` (Linux listens on both families) also on those of IPv4.
fn collide(one: (IpAddr, u16), other: (IpAddr, u16)) -> bool {
    let same_address = one.0 == other.0 || one.0.is_unspecified() || other.0.is_unspecified();
    one.1 == other.1 && one.1 != 0 && same_address
}

/// A listener on an address that topology.toml does not list for the machine.
fn not_own(member: &Member<'_>, address: IpAddr, report: &mut Report) {
    let known = &member.machine.addresses;
    let IpAddr::V4(address) = address else { return };
    if known.is_empty() || known.contains(&address) || address.is_unspecified() {
        return;
    }
    let list: Vec<String> = known.iter().map(ToString::to_string).collect();
    let text = format!("the URL has {address}, but the topology gives {} {}", member.name(), list.join(", "));
    let at = member.at_peer(&member.seat.this_server_name, "url");
    report.about(LintCode::UrlNotOwn, member, at, text);
}

/// A URL without the server's own listener, and nobody else there.
fn unserved(member: &Member<'_>, url: (IpAddr, u16), sockets: &[Listener<'_>], report: &mut Report) {
    let served = sockets
        .iter()
        .any(|it| it.address.1 == url.1 && (it.address.0 == url.0 || it.address.0.is_unspecified()));
    if served {
        return;
    }
    let at = member.at_peer(&member.seat.this_server_name, "url");
    let url = SocketAddr::from(url);
    if sockets.is_empty() {
        let text = format!(
            "who listens at {url} is not known: {}'s kea-ctrl-agent.conf was not given",
            member.name()
        );
        report.about(LintCode::FileNotGiven, member, at, text);
        return;
    }
    let listen: Vec<String> =
        sockets.iter().map(|it| format!("{} at {}", it.what, SocketAddr::from(it.address))).collect();
    let text = format!("the dedicated listener is off, and nobody listens at {url}: {}", listen.join(", "));
    report.about(LintCode::UrlUnserved, member, at, text);
}
