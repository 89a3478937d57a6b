//! The Control Agent and the control sockets of Kea's servers.

use std::net::{IpAddr, Ipv4Addr};

use super::config::{ControlAgent, HttpSocket};
use super::document::{FileError, Files};
use super::field::Field;

/// Kea's port for control over HTTP.
const DEFAULT_PORT: u16 = 8000;

/// Reads the map `Control-agent`.
pub(super) fn read_agent(agent: Field<'_>) -> Result<ControlAgent, FileError> {
    let http = http(agent, "http-host", "http-port")?;
    let mut sockets = Vec::new();
    for service in ["dhcp4", "dhcp6", "d2"] {
        let socket = match agent.get("control-sockets")? {
            Some(all) => all.get(service)?,
            None => None,
        };
        if let Some(socket) = socket {
            sockets.push((service.to_owned(), socket.need("socket-name")?.text()?.to_owned()));
        }
    }
    Ok(ControlAgent { http, sockets, origin: agent.origin()?, files: Files::default() })
}

/// The HTTP sockets of a server, and the names of its UNIX sockets: `control-sockets` (a list,
/// Kea ≥ 2.7.2) and `control-socket`.
pub(super) fn sockets(server: Field<'_>) -> Result<(Vec<HttpSocket>, Vec<String>), FileError> {
    let mut all = server.list("control-sockets")?;
    all.extend(server.get("control-socket")?);
    let (mut found, mut unix) = (Vec::new(), Vec::new());
    for socket in all {
        let kind = socket.need("socket-type")?;
        match kind.text()? {
            "http" | "https" => found.push(http(socket, "socket-address", "socket-port")?),
            "unix" => {
                unix.extend(socket.get("socket-name")?.map(Field::text).transpose()?.map(str::to_owned));
            }
            other => {
                return Err(
                    kind.error(format!("\"socket-type\" must be unix, http or https, not \"{other}\""))
                );
            }
        }
    }
    Ok((found, unix))
}

fn http(map: Field<'_>, host: &'static str, port: &'static str) -> Result<HttpSocket, FileError> {
    let at = map.get(host)?.map_or(map.at(), Field::at);
    let host =
        map.get(host)?.map_or(Ok(IpAddr::V4(Ipv4Addr::LOCALHOST)), |host| host.parsed("an IP address"))?;
    let port = map.get(port)?.map_or(Ok(DEFAULT_PORT), |port| port.integer(0..=u16::MAX))?;
    Ok(HttpSocket { address: (host, port), authenticated: is_authenticated(map)?, at })
}

/// Whether clients need a password (an empty list of them asks for none) or a certificate.
fn is_authenticated(map: Field<'_>) -> Result<bool, FileError> {
    let passwords = match map.get("authentication")? {
        Some(authentication) => !authentication.list("clients")?.is_empty(),
        None => false,
    };
    let has_anchor =
        map.get("trust-anchor")?.is_some_and(|anchor| anchor.text().is_ok_and(|it| !it.is_empty()));
    let certificates = has_anchor && map.get("cert-required")?.map_or(Ok(true), Field::flag)?;
    Ok(passwords || certificates)
}
