//! The map `Dhcp4`.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::config::{Dhcp4File, Remark, Seat};
use super::document::{FileError, Files};
use super::field::Field;
use super::{control, relationship, subnet};

/// Reads the map `Dhcp4`; its files are added by the caller.
pub(super) fn read(dhcp4: Field<'_>) -> Result<Dhcp4File, FileError> {
    let mut remarks = Vec::new();
    let multi_threading = match dhcp4.get("multi-threading")? {
        Some(threads) => threads.get("enable-multi-threading")?.map(Field::flag).transpose()?,
        None => None,
    };
    let (seats, hooks) = hooks(dhcp4, multi_threading != Some(false), &mut remarks)?;
    let subnets = subnet::read_all(dhcp4, &seats, &mut remarks)?;
    let ignore_server_id = match dhcp4.get("compatibility")? {
        Some(compatibility) => {
            compatibility.get("ignore-dhcp-server-identifier")?.map_or(Ok(false), Field::flag)?
        }
        None => false,
    };
    let (addresses, listens_there_only) = interface_addresses(dhcp4)?;
    let (http_sockets, unix_sockets) = control::sockets(dhcp4)?;
    Ok(Dhcp4File {
        subnets,
        seats,
        ignore_server_id,
        http_sockets,
        unix_sockets,
        addresses,
        listens_there_only,
        hooks,
        multi_threading,
        classes: classes(dhcp4)?,
        remarks,
        origin: dhcp4.origin()?,
        files: Files::default(),
    })
}

/// The file names of all hook libraries, and the relationships in the parameters of libdhcp_ha.so.
///
/// `threads`: whether the server itself is multi-threaded, without which HA is not either.
fn hooks(
    dhcp4: Field<'_>,
    threads: bool,
    remarks: &mut Vec<Remark>,
) -> Result<(Vec<Seat>, Vec<String>), FileError> {
    let (mut seats, mut names) = (Vec::new(), Vec::new());
    for entry in dhcp4.list("hooks-libraries")? {
        let name = entry.need("library")?.text()?.rsplit('/').next().unwrap_or_default();
        if name == "libdhcp_ha.so" && seats.is_empty() {
            let list = entry.need("parameters")?.need("high-availability")?;
            seats = relationship::read_all(list, threads, remarks)?;
        }
        names.push(name.to_owned());
    }
    Ok((seats, names))
}

/// The tests of the server's own client classes.
fn classes(dhcp4: Field<'_>) -> Result<BTreeMap<String, String>, FileError> {
    let mut classes = BTreeMap::new();
    for class in dhcp4.list("client-classes")? {
        let test = class.get("test")?.map(Field::text).transpose()?.unwrap_or_default();
        classes.insert(class.need("name")?.text()?.to_owned(), test.to_owned());
    }
    Ok(classes)
}

/// The addresses that the server is told to listen on, given as `INTERFACE/ADDRESS`, and whether
/// all of its interfaces are given so.
fn interface_addresses(dhcp4: Field<'_>) -> Result<(Vec<Ipv4Addr>, bool), FileError> {
    let Some(config) = dhcp4.get("interfaces-config")? else {
        return Ok((Vec::new(), false));
    };
    let interfaces = config.list("interfaces")?;
    let mut addresses = Vec::new();
    for interface in &interfaces {
        let text = interface.text()?;
        if let Some((_, address)) = text.split_once('/') {
            let bad = |_| interface.error(format!("\"{text}\" does not end in an IPv4 address"));
            addresses.push(address.trim().parse().map_err(bad)?);
        }
    }
    let all = !addresses.is_empty() && addresses.len() == interfaces.len();
    Ok((addresses, all))
}
