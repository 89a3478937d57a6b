//! Files that appear whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// A file in the making, under a name of its own until it is whole; without [`Pending::put`] nothing stays of it.
pub struct Pending {
    file: File,
    partial: PathBuf,
    target: PathBuf,
}

impl Pending {
    /// Creates it, so that a path that cannot be written to fails before the work and not after it.
    pub fn create(target: &Path) -> Result<Self> {
        let cannot = || format!("cannot write {}", target.display());
        if target.is_dir() {
            return Err(anyhow::anyhow!("it is a directory")).with_context(cannot);
        }
        let mut name = OsString::from(".");
        name.push(target.file_name().unwrap_or_default());
        name.push(".partial");
        let partial = target.with_file_name(name);
        let file = File::create(&partial).with_context(cannot)?;
        Ok(Self { file, partial, target: target.to_owned() })
    }

    /// Writes the content and gives the file its name.
    pub fn put(mut self, content: &[u8]) -> Result<()> {
        let written = self.file.write_all(content).and_then(|()| fs::rename(&self.partial, &self.target));
        written.with_context(|| format!("cannot write {}", self.target.display()))
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        // It has its name already, or there is an error to report that came first.
        let _ = fs::remove_file(&self.partial);
    }
}
