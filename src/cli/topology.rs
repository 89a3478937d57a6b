//! `dorascope topology`, and the topology of every other command.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use dorascope::ha::topology::Topology;
use dorascope::ha::topology_file;

use super::exit::Exit;
use super::output::{Output, text};
use super::resolve::{ImportJob, TopologySources};

/// Everything that the topology file and Kea's files say; knows nothing without them.
pub fn load(sources: &TopologySources, output: &Output) -> Result<Topology> {
    let topology = Topology::load_with(sources.file.as_deref(), &sources.kea)?;
    topology.warnings.iter().for_each(|warning| output.note(warning));
    Ok(topology)
}

/// Writes topology.toml from Kea's files.
pub fn import(job: &ImportJob, output: &Output) -> Result<Exit> {
    let Some(path) = &job.output else {
        text(&topology_file::import(&job.files, Path::new(""))?)?;
        return Ok(Exit::Done);
    };
    if path.exists() && !job.force {
        bail!("{} exists; use --force to replace it", path.display());
    }
    let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
    let text = topology_file::import(&job.files, &folder)?;
    replace(path, &text).with_context(|| format!("cannot write {}", path.display()))?;
    output.note(&format!("wrote {}", path.display()));
    Ok(Exit::Done)
}

/// Writes a file that appears complete or not at all.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let mut partial = PathBuf::from(path).into_os_string();
    partial.push(".partial");
    let written = fs::File::create(&partial)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .and_then(|()| fs::rename(&partial, path));
    if written.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&partial);
    }
    written
}
