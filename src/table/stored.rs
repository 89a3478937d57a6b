//! A directory that `analyze -o` wrote, found again.

use std::path::{Path, PathBuf};

use super::error::Error;
use super::schema::{self, Table};
use super::write::Format;

/// The tables of a directory, all in one format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    folder: PathBuf,
    format: Format,
}

impl Stored {
    /// Looks which format the tables are in. Several at once are refused: some would be those of another run.
    pub fn find(folder: &Path) -> Result<Self, Error> {
        let has = |format: &Format| schema::TABLES.iter().any(|it| file(folder, it, *format).is_file());
        let found: Vec<Format> = Format::ALL.into_iter().filter(has).collect();
        match found.as_slice() {
            [format] => Ok(Self { folder: folder.to_owned(), format: *format }),
            [] => Err(Error::NoTables(folder.to_owned())),
            many => {
                let words: Vec<&str> = many.iter().map(|format| format.as_str()).collect();
                Err(Error::ManyFormats { path: folder.to_owned(), formats: words.join(" and ") })
            }
        }
    }

    /// The format of the tables.
    pub const fn format(&self) -> Format {
        self.format
    }

    /// The file of a table, which may be missing.
    pub fn file(&self, table: &Table) -> PathBuf {
        file(&self.folder, table, self.format)
    }
}

/// The file of a table as [`super::Directory`] names it.
fn file(folder: &Path, table: &Table, format: Format) -> PathBuf {
    folder.join(format!("{}.{}", table.name, format.as_str()))
}
