//! The map `Dhcp4`.

use std::net::Ipv4Addr;

use super::config::{Dhcp4File, Seat};
use super::document::FileError;
use super::field::Field;
use super::{control, relationship, subnet};

/// Reads the map `Dhcp4`.
pub(super) fn read(dhcp4: Field<'_>) -> Result<Dhcp4File, FileError> {
    let mut warnings = Vec::new();
    let seats = seats(dhcp4, &mut warnings)?;
    let subnets = subnet::read_all(dhcp4, &seats, &mut warnings)?;
    let ignore_server_id = match dhcp4.get("compatibility")? {
        Some(compatibility) => {
            compatibility.get("ignore-dhcp-server-identifier")?.map_or(Ok(false), Field::flag)?
        }
        None => false,
    };
    Ok(Dhcp4File {
        subnets,
        seats,
        ignore_server_id,
        http_sockets: control::http_sockets(dhcp4)?,
        addresses: interface_addresses(dhcp4)?,
        warnings,
    })
}

/// The relationships in the parameters of libdhcp_ha.so.
fn seats(dhcp4: Field<'_>, warnings: &mut Vec<String>) -> Result<Vec<Seat>, FileError> {
    for entry in dhcp4.list("hooks-libraries")? {
        let library = entry.need("library")?;
        if library.text()?.rsplit('/').next() == Some("libdhcp_ha.so") {
            let list = entry.need("parameters")?.need("high-availability")?;
            return relationship::read_all(list, warnings);
        }
    }
    Ok(Vec::new())
}

/// The addresses that the server is told to listen on, given as `INTERFACE/ADDRESS`.
fn interface_addresses(dhcp4: Field<'_>) -> Result<Vec<Ipv4Addr>, FileError> {
    let Some(config) = dhcp4.get("interfaces-config")? else {
        return Ok(Vec::new());
    };
    let mut addresses = Vec::new();
    for interface in config.list("interfaces")? {
        let text = interface.text()?;
        if let Some((_, address)) = text.split_once('/') {
            let bad = |_| interface.error(format!("\"{text}\" does not end in an IPv4 address"));
            addresses.push(address.trim().parse().map_err(bad)?);
        }
    }
    Ok(addresses)
}
