//! Every file by itself, so that one which Kea refuses does not hide the others.

use std::path::{Path, PathBuf};

use super::machine::{self, ReadMachine};
use super::{TopologyFiles, import};
use crate::kea::config::KeaFile;
use crate::kea::document::FileError;

/// A file that Kea refuses: its machine's name, where that is known, and the place that is wrong.
pub(in crate::ha) type Refused = (Option<String>, FileError);

/// Reads the files that a topology.toml names, and `files`, which replace them.
///
/// A mistake inside one of Kea's files is returned with the machines; a file
/// that cannot be read, or a mistake in topology.toml, is an error.
pub(in crate::ha) fn read_each(
    topology: Option<&Path>,
    files: &[(Option<String>, PathBuf)],
) -> Result<(Vec<ReadMachine>, Vec<Refused>), FileError> {
    let mut all = TopologyFiles::default();
    if let Some(path) = topology {
        all.read_topology(path)?;
    }
    let (mut read, mut refused) = (Vec::new(), Vec::new());
    for (name, path) in files {
        match KeaFile::load(path) {
            Ok(file) => read.push((name.clone(), path.clone(), file)),
            Err(error) if error.place.is_some() => {
                refused.push((name.clone().or_else(|| import::from_file_name(path)), error));
            }
            Err(error) => return Err(error),
        }
    }
    for (name, path, file) in import::complete(read)? {
        all.add_kea_file(&name, &path, file)?;
    }
    let mut machines = Vec::new();
    for machine in all.machines {
        let name = machine.name.clone();
        let mut keep = |error: FileError| match (error.place, topology) {
            (Some(_), Some(path)) if error.file != path => {
                refused.push((Some(name.clone()), error));
                Ok(())
            }
            _ => Err(error),
        };
        machines.push(machine::read_each(machine, &mut keep)?);
    }
    Ok((machines, refused))
}
