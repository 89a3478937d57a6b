//! Files, and folders of files, that appear whole or not at all.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use tempfile::{NamedTempFile, TempDir};

/// Begins the names of what is being written.
const PREFIX: &str = ".dorascope-";

/// A file in the making, under a name of its own until it is whole; without [`Pending::put`] nothing stays of it.
pub struct Pending {
    place: Place,
    target: PathBuf,
}

enum Place {
    /// Beside the target, whose name it takes in the end.
    Beside(NamedTempFile),
    /// Straight into a pipe or a device, which is no file that could be replaced.
    Through(File),
}

impl Pending {
    /// Creates it, so that a path that cannot be written to fails before the work and not after it.
    pub fn create(target: &Path) -> Result<Self> {
        let cannot = || format!("cannot write {}", target.display());
        // A link stays one, and what it leads to is replaced; a shell's pipe leads to nothing with a name.
        let target = fs::canonicalize(target).unwrap_or_else(|_| target.into());
        let place = match fs::metadata(&target) {
            Ok(there) if there.is_dir() => Err(anyhow::anyhow!("it is a directory")).with_context(cannot)?,
            Ok(there) if !there.is_file() => {
                Place::Through(File::options().write(true).open(&target).with_context(cannot)?)
            }
            there => {
                let mut builder = tempfile::Builder::new();
                builder.prefix(PREFIX);
                match there {
                    Ok(there) => _ = builder.permissions(there.permissions()),
                    Err(_) => usual(&mut builder, 0o666),
                }
                Place::Beside(builder.tempfile_in(folder_of(&target)).with_context(cannot)?)
            }
        };
        Ok(Self { place, target })
    }

    /// Writes the content and gives the file its name.
    pub fn put(self, content: &[u8]) -> Result<()> {
        let written = match self.place {
            Place::Through(mut file) => file.write_all(content),
            Place::Beside(mut file) => file
                .write_all(content)
                .and_then(|()| file.persist(&self.target).map(drop).map_err(|error| error.error)),
        };
        written.with_context(|| format!("cannot write {}", self.target.display()))
    }
}

/// The folder that holds a path.
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// What a new file may, less what the user's mask takes away; a temporary one would be for its owner alone.
#[cfg(unix)]
fn usual(builder: &mut tempfile::Builder<'_, '_>, mode: u32) {
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode));
}

/// Elsewhere the folder decides.
#[cfg(not(unix))]
fn usual(_: &mut tempfile::Builder<'_, '_>, _: u32) {}

/// A folder in the making; without [`Folder::put`] nothing stays of it.
pub struct Folder {
    /// Where its files are written first: in the folder that is there, else beside it.
    partial: TempDir,
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
        if !target.exists() && target.file_name().is_none() {
            return Err(anyhow::anyhow!("it does not end in a name")).with_context(cannot);
        }
        if !force && target.exists() && fs::read_dir(target).with_context(cannot)?.next().is_some() {
            return Err(anyhow::anyhow!("it is not empty; use --force to replace the files in it"))
                .with_context(cannot);
        }
        let place = if target.exists() { target } else { folder_of(target) };
        fs::create_dir_all(place).with_context(cannot)?;
        let mut builder = tempfile::Builder::new();
        usual(builder.prefix(PREFIX), 0o777);
        let partial = builder.tempdir_in(place).with_context(cannot)?;
        Ok(Self { partial, target: target.to_owned() })
    }

    /// Writes every file, and gives them their place when all are written. Files of which `is_old` says so go.
    pub fn put<'f>(
        self,
        files: impl Iterator<Item = (&'f str, &'f [u8])>,
        is_old: impl Fn(&Path) -> bool,
    ) -> Result<()> {
        let cannot = || format!("cannot write {}", self.target.display());
        let mut names: Vec<PathBuf> = Vec::new();
        for (name, content) in files {
            let path = self.partial.path().join(name);
            fs::create_dir_all(folder_of(&path))
                .and_then(|()| fs::write(&path, content))
                .with_context(cannot)?;
            names.push(name.into());
        }
        if !self.target.exists() {
            return fs::rename(self.partial.keep(), &self.target).with_context(cannot);
        }
        // What is in the way is found before the first file has moved.
        for name in &names {
            let path = self.target.join(name);
            let folder = folder_of(&path);
            if path.is_dir() || (folder.exists() && !folder.is_dir()) {
                bail!("{}: {} is in the way", cannot(), path.display());
            }
        }
        for name in &names {
            let path = self.target.join(name);
            fs::create_dir_all(folder_of(&path))
                .and_then(|()| fs::rename(self.partial.path().join(name), &path))
                .with_context(cannot)?;
        }
        let mut folders: Vec<PathBuf> =
            names.iter().map(|name| folder_of(&self.target.join(name)).to_owned()).collect();
        folders.sort_unstable();
        folders.dedup();
        for folder in &folders {
            for entry in fs::read_dir(folder).with_context(cannot)?.flatten() {
                let path = entry.path();
                let name = path.strip_prefix(&self.target).unwrap_or(&path);
                if is_old(name) && !names.iter().any(|new| new == name) {
                    fs::remove_file(&path).with_context(cannot)?;
                }
            }
        }
        Ok(())
    }
}
