//! topology.toml, and what it and Kea's own files add up to.
//!
//! ```toml
//! [[zone]]
//! name = "zaldua2"
//! subnets = ["192.168.4.0/24"]
//! interfaces = ["br2"]                      # optional: where this host captures the zone
//!
//! [[server]]
//! name = "zaldua2zerb1"
//! addresses = ["192.168.4.5"]
//! kea = "zaldua2zerb1.kea-dhcp4.conf"       # relative to this file
//! ctrl-agent = "zaldua2zerb1.kea-ctrl-agent.conf"
//!
//! [[client]]
//! name = "zaldua2bez1"
//! mac = "08:00:27:a2:00:01"
//! ```
//!
//! A relationship comes from the Kea file of one of its peers; where there is
//! none, a table of its own says the same in Kea's own keys:
//!
//! ```toml
//! [[relationship]]
//! mode = "hot-standby"
//! peers = [
//!     { name = "zaldua2zerb1", role = "primary", url = "http://192.168.4.5:8001/" },
//!     { name = "zaldua1zerb1-zaldua2", role = "standby", url = "http://192.168.4.4:8001/", auto-failover = false },
//! ]
//! heartbeat-delay = 1000                    # optional, as are the other times and limits
//! ```
//!
//! Every table may be left out, and of a server's keys all but the name.

use std::path::{Path, PathBuf};

use super::topology::{Client, Relationship, Topology, Zone};
use crate::kea::config::{ControlAgent, Dhcp4File, KeaFile, Origin};
use crate::kea::document::{Document, FileError};

mod build;
mod each;
mod import;
mod inferred;
mod machine;
mod toml;
mod write;

pub(super) use each::read_each;
pub use import::import;
pub use inferred::inferred;
pub(super) use machine::ReadMachine;

/// Collects topology.toml and Kea's files, in any order, and adds them up.
#[derive(Clone, Debug, Default)]
pub struct TopologyFiles {
    zones: Vec<Zone>,
    clients: Vec<Client>,
    machines: Vec<Machine>,
    relationships: Vec<Described>,
}

/// A relationship of topology.toml.
#[derive(Clone, Debug)]
struct Described {
    relationship: Relationship,
    /// The keys that are written.
    origin: Origin,
    /// The file.
    path: PathBuf,
}

/// A server machine with its files.
#[derive(Clone, Debug, Default)]
struct Machine {
    name: String,
    addresses: Vec<std::net::Ipv4Addr>,
    dhcp4: Option<Source<Dhcp4File>>,
    agent: Option<Source<ControlAgent>>,
}

/// A Kea file of a machine.
#[derive(Clone, Debug)]
enum Source<T> {
    /// Named in topology.toml and read at the end, because `--kea` may replace it.
    Named { path: PathBuf, place: FileError },
    /// Given by `--kea`.
    Read { path: PathBuf, file: T },
}

impl Topology {
    /// Reads a topology.toml with the Kea files that it names.
    pub fn load(path: &Path) -> Result<Self, FileError> {
        Self::load_with(Some(path), &[])
    }

    /// Reads an optional topology.toml and Kea files given as machine name and path (`--kea NAME=FILE`).
    pub fn load_with(path: Option<&Path>, kea: &[(String, PathBuf)]) -> Result<Self, FileError> {
        let mut files = TopologyFiles::default();
        if let Some(path) = path {
            files.read_topology(path)?;
        }
        for (name, path) in kea {
            files.add_kea(name, path)?;
        }
        files.build()
    }
}

impl TopologyFiles {
    /// Reads a topology.toml; the Kea files that it names are read by [`Self::build`].
    pub fn read_topology(&mut self, path: &Path) -> Result<(), FileError> {
        self.read_document(&Document::load_toml(path)?)
    }

    /// Adds a kea-dhcp4.conf or kea-ctrl-agent.conf of the machine `name`.
    ///
    /// Which of the two it is, is seen from what it holds. It replaces the one
    /// that topology.toml names; a second one of the same kind is an error.
    pub fn add_kea(&mut self, name: &str, path: &Path) -> Result<(), FileError> {
        let file = KeaFile::load(path)?;
        self.add_kea_file(name, path, file)
    }

    /// Adds everything up.
    ///
    /// - A relationship is the same in two files when the set of its peer names is
    ///   the same, at least one peer has the same address, and the files do not
    ///   both claim the same peer. Differences become warnings; the first file's
    ///   values stay, except that a server keeps its own limits and `auto-failover`.
    /// - A relationship of topology.toml is the same as one of Kea's files by the same
    ///   rule, or when all URLs are the same; Kea's file wins, differences become warnings.
    /// - A peer is the machine whose file says `this-server-name`; else the machine
    ///   that has the URL's address; else a machine of the peer's name without a
    ///   Kea file; else a new machine with the peer's name (`NAME@ADDRESS` when
    ///   that is taken) and the URL's address, so that it can be talked about.
    /// - A machine has the addresses of topology.toml, then those that its own files
    ///   name: the URLs of its own peer entries, `interfaces-config`, control sockets.
    pub fn build(self) -> Result<Topology, FileError> {
        let machines = self.machines.into_iter().map(machine::read).collect::<Result<Vec<_>, _>>()?;
        let topology = Topology { zones: self.zones, clients: self.clients, ..Topology::default() };
        Ok(build::add_up(topology, machines, self.relationships))
    }

    fn add_kea_file(&mut self, name: &str, path: &Path, file: KeaFile) -> Result<(), FileError> {
        let path_buf = path.to_path_buf();
        let machine = self.machine(name);
        let taken = match file {
            KeaFile::Dhcp4(file) => machine::put(&mut machine.dhcp4, path_buf, file),
            KeaFile::ControlAgent(file) => machine::put(&mut machine.agent, path_buf, file),
        };
        match taken {
            Some(first) => {
                let text =
                    format!("is the second file of its kind for \"{name}\", after {}", first.display());
                Err(FileError::whole(path, text))
            }
            None => Ok(()),
        }
    }

    /// The machine called `name`, new if there is none.
    fn machine(&mut self, name: &str) -> &mut Machine {
        let at = self.machines.iter().position(|machine| machine.name == name).unwrap_or_else(|| {
            self.machines.push(Machine { name: name.to_owned(), ..Machine::default() });
            self.machines.len() - 1
        });
        &mut self.machines[at]
    }
}

#[cfg(test)]
mod tests;
