//! Files, and folders of files, that appear whole or not at all.

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

/// A folder in the making; without [`Folder::put`] nothing stays of it.
pub struct Folder {
    /// Where its files are written first.
    partial: PathBuf,
    target: PathBuf,
}

impl Folder {
    /// Looks for a place to write, so that one that cannot be written to fails before the work and not after it.
    ///
    /// A folder with files in it is refused unless `force`; then files of the same name are replaced and others stay.
    pub fn create(target: &Path, force: bool) -> Result<Self> {
        let cannot = || format!("cannot write {}", target.display());
        if target.exists() && !target.is_dir() {
            return Err(anyhow::anyhow!("it is not a directory")).with_context(cannot);
        }
        // Inside a folder that is there, whose parent may be somebody else's; beside one that is not.
        let partial = if target.exists() {
            target.join(".report.partial")
        } else {
            let mut name = OsString::from(".");
            name.push(target.file_name().unwrap_or_default());
            name.push(".partial");
            target.with_file_name(name)
        };
        if partial.exists() {
            fs::remove_dir_all(&partial).with_context(cannot)?;
        }
        if !force && target.exists() && fs::read_dir(target).with_context(cannot)?.next().is_some() {
            return Err(anyhow::anyhow!("it is not empty; use --force to replace the files in it"))
                .with_context(cannot);
        }
        fs::create_dir_all(&partial).with_context(cannot)?;
        Ok(Self { partial, target: target.to_owned() })
    }

    /// Writes every file, and gives them their place when all are written.
    pub fn put<'f>(self, files: impl Iterator<Item = (&'f str, &'f [u8])>) -> Result<()> {
        let cannot = || format!("cannot write {}", self.target.display());
        let mut names = Vec::new();
        for (name, content) in files {
            let path = self.partial.join(name);
            path.parent()
                .map_or(Ok(()), fs::create_dir_all)
                .and_then(|()| fs::write(&path, content))
                .with_context(cannot)?;
            names.push(name);
        }
        if !self.target.exists() {
            return fs::rename(&self.partial, &self.target).with_context(cannot);
        }
        for name in names {
            let path = self.target.join(name);
            let moved = path
                .parent()
                .map_or(Ok(()), fs::create_dir_all)
                .and_then(|()| fs::rename(self.partial.join(name), &path));
            moved.with_context(cannot)?;
        }
        Ok(())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Its files have their place already, or there is an error to report that came first.
        let _ = fs::remove_dir_all(&self.partial);
    }
}
