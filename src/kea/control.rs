//! The Control Agent and the control sockets of Kea's servers.

use std::net::{IpAddr, Ipv4Addr};

use super::config::ControlAgent;
use super::document::FileError;
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
    Ok(ControlAgent { http, sockets })
}

/// The HTTP sockets of a server: `control-sockets` (a list, Kea ≥ 2.7.2) and `control-socket`.
pub(super) fn http_sockets(server: Field<'_>) -> Result<Vec<(IpAddr, u16)>, FileError> {
    let mut all = server.list("control-sockets")?;
    all.extend(server.get("control-socket")?);
    let mut found = Vec::new();
    for socket in all {
        let kind = socket.need("socket-type")?;
        match kind.text()? {
            "http" | "https" => found.push(http(socket, "socket-address", "socket-port")?),
            "unix" => {}
            other => {
                return Err(
                    kind.error(format!("\"socket-type\" must be unix, http or https, not \"{other}\""))
                );
            }
        }
    }
    Ok(found)
}

fn http(map: Field<'_>, host: &'static str, port: &'static str) -> Result<(IpAddr, u16), FileError> {
    let host =
        map.get(host)?.map_or(Ok(IpAddr::V4(Ipv4Addr::LOCALHOST)), |host| host.parsed("an IP address"))?;
    let port = map.get(port)?.map_or(Ok(DEFAULT_PORT), |port| port.integer(0..=u16::MAX))?;
    Ok((host, port))
}
