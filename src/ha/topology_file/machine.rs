//! The Kea files of one machine, wherever they were named.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use super::{Machine, Source};
use crate::kea::config::{ControlAgent, Dhcp4File, KeaFile};
use crate::kea::document::FileError;

/// A machine with its files read.
pub(in crate::ha) struct ReadMachine {
    pub(in crate::ha) name: String,
    pub(in crate::ha) addresses: Vec<Ipv4Addr>,
    pub(in crate::ha) dhcp4: Option<(PathBuf, Dhcp4File)>,
    pub(in crate::ha) agent: Option<(PathBuf, ControlAgent)>,
}

/// Stores a file given by `--kea`; returns the path of an earlier one.
pub(super) fn put<T>(slot: &mut Option<Source<T>>, path: PathBuf, file: T) -> Option<PathBuf> {
    match slot.replace(Source::Read { path, file }) {
        Some(Source::Read { path, .. }) => Some(path),
        Some(Source::Named { .. }) | None => None,
    }
}

/// Reads the files that topology.toml named.
pub(super) fn read(machine: Machine) -> Result<ReadMachine, FileError> {
    read_each(machine, &mut Err)
}

/// Reads the files that topology.toml named; `keep` may go on without one that has an error.
pub(super) fn read_each(
    machine: Machine,
    keep: &mut dyn FnMut(FileError) -> Result<(), FileError>,
) -> Result<ReadMachine, FileError> {
    let dhcp4 = open(machine.dhcp4, |file| match file {
        KeaFile::Dhcp4(file) => Ok(file),
        KeaFile::ControlAgent(_) => {
            Err("\"kea\" names a Control-agent file, which belongs in \"ctrl-agent\"")
        }
    });
    let agent = open(machine.agent, |file| match file {
        KeaFile::ControlAgent(file) => Ok(file),
        KeaFile::Dhcp4(_) => Err("\"ctrl-agent\" names a Dhcp4 file, which belongs in \"kea\""),
    });
    Ok(ReadMachine {
        name: machine.name,
        addresses: machine.addresses,
        dhcp4: dhcp4.or_else(|error| keep(error).map(|()| None))?,
        agent: agent.or_else(|error| keep(error).map(|()| None))?,
    })
}

fn open<T>(
    source: Option<Source<T>>,
    kind: impl Fn(KeaFile) -> Result<T, &'static str>,
) -> Result<Option<(PathBuf, T)>, FileError> {
    let (path, place) = match source {
        None => return Ok(None),
        Some(Source::Read { path, file }) => return Ok(Some((path, file))),
        Some(Source::Named { path, place }) => (path, place),
    };
    let at_its_name = |text: String| FileError { text, ..place.clone() };
    let file = KeaFile::load(&path).map_err(|error| match error.place {
        None if error.file == path => at_its_name(format!("{} {}", shown(&path), error.text)),
        _ => error,
    })?;
    match kind(file) {
        Ok(file) => Ok(Some((path, file))),
        Err(text) => Err(at_its_name(text.to_owned())),
    }
}

fn shown(path: &Path) -> std::path::Display<'_> {
    path.display()
}
