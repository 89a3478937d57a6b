//! `dorascope topology`, and the topology of every other command.

use std::path::Path;

use anyhow::{Result, bail};
use dorascope::ha::topology::Topology;
use dorascope::ha::topology_file;

use super::exit::Exit;
use super::files::Pending;
use super::output::{Output, text};
use super::reading::read;
use super::resolve::{ImportJob, InferJob, TopologySources};

/// Everything that the topology file and Kea's files say; knows nothing without them.
pub fn load(sources: &TopologySources, output: &Output) -> Result<Topology> {
    let topology = Topology::load_with(sources.file.as_deref(), &sources.kea)?;
    topology.warnings.iter().for_each(|warning| output.note(warning));
    Ok(topology)
}

/// Says which zones the topology does not know; `what` an input is on the command line.
pub fn unknown_zones<'z>(
    topology: &Topology,
    zones: impl Iterator<Item = &'z str>,
    what: &str,
    output: &Output,
) {
    let known: Vec<&str> = topology.zones.iter().map(|zone| zone.name.as_str()).collect();
    for zone in zones.filter(|zone| !known.is_empty() && !known.contains(zone)) {
        output.note(&format!(
            "zone {zone} is not in the topology, so nobody is known to hear it; ZONE={what} names an input, and the \
             topology has {}",
            known.join(", ")
        ));
    }
}

/// Writes topology.toml from Kea's files.
pub fn import(job: &ImportJob, output: &Output) -> Result<Exit> {
    let target = Target::new(job.output.as_deref(), job.force)?;
    target.put(&topology_file::import(&job.files, target.folder())?, output)?;
    Ok(Exit::Done)
}

/// Writes topology.toml from captures.
pub fn infer(job: &InferJob, output: &Output) -> Result<Exit> {
    let target = Target::new(job.output.as_deref(), job.force)?;
    let nothing = Topology::default();
    let (analysis, exit) = read(&job.inputs, &nothing, output)?;
    if exit != Exit::Failed {
        target
            .put(&topology_file::inferred(&analysis.network, &analysis.events, &analysis.messages), output)?;
    }
    Ok(exit)
}

/// Where a topology.toml goes: to a file, or to standard output.
struct Target<'a>(Option<&'a Path>);

impl<'a> Target<'a> {
    /// Refuses a file that exists, before any work is done.
    fn new(path: Option<&'a Path>, force: bool) -> Result<Self> {
        if let Some(path) = path.filter(|path| !force && path.exists()) {
            bail!("{} exists; use --force to replace it", path.display());
        }
        Ok(Self(path))
    }

    /// The folder that the file will be in.
    fn folder(&self) -> &'a Path {
        self.0.and_then(Path::parent).unwrap_or(Path::new(""))
    }

    fn put(&self, content: &str, output: &Output) -> Result<()> {
        let Some(path) = self.0 else { return text(content) };
        Pending::create(path)?.put(content.as_bytes())?;
        output.note(&format!("wrote {}", path.display()));
        Ok(())
    }
}
