//! Writes a topology.toml from Kea's configuration files.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::{Source, TopologyFiles, write};
use crate::ha::topology::{Server, ServerId, Topology};
use crate::kea::config::KeaFile;
use crate::kea::document::FileError;

mod names;
mod zones;

pub(super) use names::{complete, from_file_name};

/// Turns Kea configuration files into the text of a topology.toml.
///
/// A file may come with its machine's name. Without one the name is taken from
/// the file's own (`zaldua1zerb1.kea-dhcp4.conf`), else from the first
/// `this-server-name`, else from the folder; a Control Agent belongs to the
/// machine whose kea-dhcp4.conf is in the same folder or has its `http-host`.
/// `base` is the folder that the text will be kept in: files are named relative
/// to it where they are below it.
///
/// Loading the text gives the topology that the files give by themselves, plus
/// zones: one for every shared network or other subnet (see `zones`).
pub fn import(files: &[(Option<String>, PathBuf)], base: &Path) -> Result<String, FileError> {
    let mut read = Vec::new();
    for (name, path) in files {
        read.push((name.clone(), path.clone(), KeaFile::load(path)?));
    }
    let mut all = TopologyFiles::default();
    for (name, path, file) in names::complete(read)? {
        all.add_kea_file(&name, &path, file)?;
    }
    let paths: Vec<Paths> = all
        .machines
        .iter()
        .map(|machine| Paths { kea: path_of(machine.dhcp4.as_ref()), agent: path_of(machine.agent.as_ref()) })
        .collect();
    let mut topology = all.build()?;
    topology.zones = zones::from_subnets(&topology);
    Ok(write_all(&topology, &paths, base))
}

/// The files of a machine.
struct Paths {
    kea: Option<PathBuf>,
    agent: Option<PathBuf>,
}

fn path_of<T>(source: Option<&Source<T>>) -> Option<PathBuf> {
    source.map(|source| match source {
        Source::Named { path, .. } | Source::Read { path, .. } => path.clone(),
    })
}

fn write_all(topology: &Topology, paths: &[Paths], base: &Path) -> String {
    let mut text =
        String::from("# The network as dorascope sees it, imported from Kea's configuration files.\n#\n");
    text.push_str(write::ABOUT_ZONES);
    for zone in &topology.zones {
        write::zone(&mut text, zone, None);
    }
    for (at, server) in topology.servers.iter().enumerate() {
        write_server(&mut text, topology, (ServerId(at), server), paths.get(at), base);
    }
    text.push_str(write::ABOUT_CLIENTS);
    write::example_client(&mut text, "laptop", "08:00:27:a2:00:01");
    text
}

fn write_server(
    text: &mut String,
    topology: &Topology,
    (id, server): (ServerId, &Server),
    paths: Option<&Paths>,
    base: &Path,
) {
    write::server(text, topology, id);
    let missing = missing_addresses(topology, server);
    if !missing.is_empty() {
        let _ = writeln!(
            text,
            "# Has subnets without an address of its own here; add those that it has: {missing}"
        );
    }
    write::addresses(text, &server.addresses);
    for (key, path) in paths.into_iter().flat_map(|paths| [("kea", &paths.kea), ("ctrl-agent", &paths.agent)])
    {
        if let Some(path) = path {
            let _ = writeln!(text, "{key} = {}", write::quoted(&relative(path, base)));
        }
    }
}

/// Subnets of a server that none of its known addresses is in and no relay selects.
fn missing_addresses(topology: &Topology, server: &Server) -> String {
    let zones = &topology.zones;
    let subnets = server.kea.iter().flat_map(|kea| &kea.subnets).filter(|subnet| subnet.relays.is_empty());
    let missing: Vec<String> = subnets
        .filter(|subnet| {
            let zone = zones.iter().find(|zone| zone.subnets.contains(&subnet.prefix));
            !server.addresses.iter().any(|address| zone.is_some_and(|zone| zone.contains(*address)))
        })
        .map(|subnet| subnet.prefix.to_string())
        .collect();
    missing.join(", ")
}

/// A path as the topology file in `base` should name it.
fn relative(path: &Path, base: &Path) -> String {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    // The empty path is the working directory, which `absolute` does not take.
    let base = if base.as_os_str().is_empty() { Path::new(".") } else { base };
    let path = absolute(path);
    path.strip_prefix(absolute(base)).unwrap_or(&path).display().to_string()
}
