//! A directory of tables: every file appears complete or not at all.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::error::Error;
use super::rows::Rows;
use super::schema::Table;
use super::write::{Format, TableWriter};

/// Ends the name of a file that is still being written.
const PARTIAL: &str = ".partial";

/// A directory that tables are written to.
#[derive(Clone, Debug)]
pub struct Directory {
    path: PathBuf,
}

impl Directory {
    /// Makes the directory, with its parents.
    ///
    /// One with files in it is refused unless `force`; then tables of the same
    /// name and format are replaced and everything else stays. What an
    /// interrupted run left behind does not count.
    pub fn create(path: &Path, force: bool) -> Result<Self, Error> {
        if path.exists() && !path.is_dir() {
            return Err(Error::NotADirectory(path.to_owned()));
        }
        fs::create_dir_all(path).map_err(|e| Error::file("create", path, e))?;
        let entries = fs::read_dir(path).map_err(|e| Error::file("read", path, e))?;
        let used = |entry: io::Result<fs::DirEntry>| {
            entry.map_or(true, |entry| !entry.file_name().to_string_lossy().ends_with(PARTIAL))
        };
        if !force && entries.into_iter().any(used) {
            return Err(Error::NotEmpty(path.to_owned()));
        }
        Ok(Self { path: path.to_owned() })
    }

    /// Opens the file of a table, so that a bad path fails before the work and not after it.
    pub fn table(&self, table: &'static Table, format: Format) -> Result<TableFile, Error> {
        TableFile::create(self.path.join(format!("{}.{}", table.name, format.as_str())), table, format)
    }
}

/// Writes the tables to a directory, one file each.
pub fn write_all(path: &Path, force: bool, format: Format, tables: &[&Rows]) -> Result<(), Error> {
    let directory = Directory::create(path, force)?;
    let files: Vec<TableFile> =
        tables.iter().map(|rows| directory.table(rows.table(), format)).collect::<Result<_, _>>()?;
    for (mut file, rows) in files.into_iter().zip(tables) {
        file.write(rows)?;
        file.finish()?;
    }
    Ok(())
}

/// The file of one table; it takes its name when it is finished, and vanishes when it is dropped before.
pub struct TableFile {
    writer: TableWriter<File>,
    partial: Partial,
    target: PathBuf,
}

impl TableFile {
    /// Opens a file that takes this path when it is finished; its directory must be there.
    pub(super) fn create(target: PathBuf, table: &'static Table, format: Format) -> Result<Self, Error> {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let partial = Partial { path: target.with_file_name(format!(".{name}{PARTIAL}")) };
        let file = File::create(&partial.path).map_err(|e| Error::file("create", &partial.path, e))?;
        let writer = TableWriter::new(file, table, format).map_err(|e| partial.blame(e))?;
        Ok(Self { writer, partial, target })
    }

    /// As [`TableFile::finish`], and what has the name is on the disk.
    #[cfg(feature = "live")]
    pub(super) fn finish_for_good(self) -> Result<PathBuf, Error> {
        let path = self.finish()?;
        let synced = File::open(&path).and_then(|file| file.sync_all());
        synced.map_err(|e| Error::file("write", &path, e))?;
        Ok(path)
    }

    /// The table.
    pub const fn table(&self) -> &'static Table {
        self.writer.table()
    }

    /// Appends rows.
    pub fn write(&mut self, rows: &Rows) -> Result<(), Error> {
        self.writer.write(rows).map_err(|e| self.partial.blame(e))
    }

    /// Completes the file and gives it its name.
    pub fn finish(self) -> Result<PathBuf, Error> {
        self.writer.finish().map_err(|e| self.partial.blame(e))?;
        fs::rename(&self.partial.path, &self.target).map_err(|e| Error::file("create", &self.target, e))?;
        Ok(self.target)
    }
}

/// Removes its file when it is dropped; after the rename there is none to remove.
struct Partial {
    path: PathBuf,
}

impl Partial {
    /// The same error with the path that it concerns.
    #[cold]
    fn blame(&self, error: Error) -> Error {
        match error {
            Error::Stream(source) => Error::file("write", &self.path, source),
            other => other,
        }
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // There is nobody left to tell, and the name says what the file is.
        let _ = fs::remove_file(&self.path);
    }
}
