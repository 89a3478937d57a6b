//! The captures that the bars are measured on: made when they are needed, kept while they are small.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nix::sys::statvfs::statvfs;

use crate::generate::{self, Kind, Mode, Plan, Precision};

/// Bytes that stay free on the disk whatever is made.
const RESERVE: u64 = 8 << 30;
/// Larger files go as soon as their bar is measured.
const GIANT: u64 = 2 << 30;

/// A folder of captures.
pub struct Inputs {
    pub folder: PathBuf,
}

impl Inputs {
    /// The folder, with the topologies that go with the captures.
    pub fn new(folder: &Path) -> Result<Self> {
        generate::write_topology(&folder.join("plain"), Mode::HotStandby, false)?;
        generate::write_topology(&folder.join("updates"), Mode::HotStandby, true)?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// topology.toml for captures of a kind.
    pub fn topology(&self, kind: Kind) -> PathBuf {
        let folder = if kind == Kind::Control { "updates" } else { "plain" };
        self.folder.join(folder).join("topology.toml")
    }

    /// A capture; `None`, and a word on standard output, when the disk has no room for it.
    pub fn get(&self, kind: Kind, clients: u32, frames: u64, suffix: &str) -> Result<Option<PathBuf>> {
        let path = self.folder.join(format!("{kind:?}-{clients}-{frames}.{suffix}").to_lowercase());
        if path.exists() {
            return Ok(Some(path));
        }
        let per_frame = match kind {
            Kind::Control => 580,
            Kind::Mixed => 380,
            Kind::LongOptions => 1200,
            Kind::Fragments => 1520,
            _ => 380,
        };
        let disk = statvfs(&self.folder)?;
        let free = disk.blocks_available() * disk.fragment_size();
        let needed = frames * per_frame;
        if needed + RESERVE > free {
            println!(
                "SKIPPED: {}: it needs {} GB, {} GB of disk are free and {} stay so",
                path.display(),
                needed >> 30,
                free >> 30,
                RESERVE >> 30
            );
            return Ok(None);
        }
        // Under another name until it is whole: a run that was stopped leaves no half a capture.
        let unfinished = self.folder.join(format!("unfinished.{suffix}"));
        let plan = Plan { kind, mode: Mode::HotStandby, clients, frames, precision: Precision::Microseconds };
        let made = generate::write(&plan, &unfinished).with_context(|| path.display().to_string())?;
        // Or the disk would be busy with it while others are timed.
        File::open(&unfinished)?.sync_all()?;
        std::fs::rename(&unfinished, &path)?;
        println!("    {} frames in {}", made.frames, path.display());
        Ok(Some(path))
    }

    /// Removes the giants.
    pub fn tidy(&self) -> Result<()> {
        for entry in self.folder.read_dir()?.flatten() {
            if entry.metadata()?.len() > GIANT && entry.metadata()?.is_file() {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}
