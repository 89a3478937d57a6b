//! Names for machines whose files came without one.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use crate::kea::config::{Dhcp4File, KeaFile};
use crate::kea::document::FileError;

/// Gives every file its machine's name; a file that gives no hint is an error.
pub(in crate::ha::topology_file) fn complete(
    files: Vec<(Option<String>, PathBuf, KeaFile)>,
) -> Result<Vec<(String, PathBuf, KeaFile)>, FileError> {
    let mut named: Vec<(String, PathBuf, KeaFile)> = Vec::new();
    let mut agents = Vec::new();
    for (name, path, file) in files {
        match (name.or_else(|| from_file_name(&path)), &file) {
            (Some(name), _) => named.push((name, path, file)),
            (None, KeaFile::Dhcp4(dhcp4)) => {
                let name = dhcp4.seats.first().map(|seat| seat.this_server_name.clone());
                let name = name.or_else(|| folder(&path)).ok_or_else(|| no_name(&path))?;
                named.push((name, path, file));
            }
            (None, KeaFile::ControlAgent(agent)) => agents.push((path, agent.http.address.0, file)),
        }
    }
    for (path, host, file) in agents {
        let servers = named.iter().filter_map(|(name, path, file)| match file {
            KeaFile::Dhcp4(file) => Some((name, path, file)),
            KeaFile::ControlAgent(_) => None,
        });
        let mut in_folder = servers.clone().filter(|(_, other, _)| other.parent() == path.parent());
        let alone = in_folder.next().filter(|_| in_folder.next().is_none());
        let name = alone.or_else(|| servers.clone().find(|(_, _, file)| has_address(file, host)));
        let name =
            name.map(|(name, ..)| name.clone()).or_else(|| folder(&path)).ok_or_else(|| no_name(&path))?;
        named.push((name, path, file));
    }
    Ok(named)
}

/// What stands before `.kea-dhcp4.conf` or `.kea-ctrl-agent.conf`.
pub(in crate::ha::topology_file) fn from_file_name(path: &Path) -> Option<String> {
    let file = path.file_name()?.to_str()?;
    let name = ["kea-dhcp4", "kea-ctrl-agent"]
        .iter()
        .find_map(|kind| file.split_once(kind))
        .map(|(name, _)| name)?;
    let name = name.trim_end_matches(['.', '-', '_']);
    (!name.is_empty()).then(|| name.to_owned())
}

/// The folder that a file is in, unless it is one of those that every machine has.
fn folder(path: &Path) -> Option<String> {
    let names = path.ancestors().skip(1).filter_map(|folder| folder.file_name()?.to_str());
    names.into_iter().find(|name| !matches!(*name, "kea" | "etc" | "." | "..")).map(str::to_owned)
}

fn has_address(file: &Dhcp4File, host: IpAddr) -> bool {
    let own = |seat: &crate::kea::config::Seat| {
        seat.relationship.peer(&seat.this_server_name).is_some_and(|(_, peer)| peer.url.0 == host)
    };
    file.seats.iter().any(own) || file.addresses.iter().any(|address| IpAddr::V4(*address) == host)
}

fn no_name(path: &Path) -> FileError {
    FileError::whole(path, "gives no hint which machine it is of; write NAME=FILE")
}
