//! What can go wrong while tables are written.

use std::io;
use std::path::{Path, PathBuf};

use polars::prelude::PolarsError;

/// A table could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The output directory has files in it and nobody asked to replace them.
    #[error("{} is not empty; choose another directory, or use --force to replace the tables in it", .0.display())]
    NotEmpty(PathBuf),
    /// The output path is a file.
    #[error("{} is a file, not a directory", .0.display())]
    NotADirectory(PathBuf),
    /// A directory holds no table.
    #[error("there is no table in {}; analyze -o writes them", .0.display())]
    NoTables(PathBuf),
    /// A directory holds tables of several runs, it seems.
    #[error("{} has tables in several formats ({formats}); keep those of one run", .path.display())]
    ManyFormats {
        /// The directory.
        path: PathBuf,
        /// The formats.
        formats: String,
    },
    /// The file system refused.
    #[error("cannot {action} {}: {source}", .path.display())]
    File {
        /// What was tried, as a verb.
        action: &'static str,
        /// With which file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The stream broke.
    #[error("cannot write the rows: {0}")]
    Stream(#[source] io::Error),
    /// The encoder refused.
    #[error("cannot encode the table {table}: {source}")]
    Encode {
        /// The table's name.
        table: &'static str,
        /// What Polars said.
        source: PolarsError,
    },
}

impl Error {
    /// Whether the reader of the output went away, which ends a program well.
    pub fn is_broken_pipe(&self) -> bool {
        let (Self::File { source, .. } | Self::Stream(source)) = self else { return false };
        source.kind() == io::ErrorKind::BrokenPipe
    }

    /// An error of the file system with the path that it concerns.
    #[cold]
    pub(super) fn file(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::File { action, path: path.to_owned(), source }
    }
}
