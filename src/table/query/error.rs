//! What can be wrong with a query.

use std::path::{Path, PathBuf};

use polars::prelude::PolarsError;

/// A query that cannot be answered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// It is no SQL.
    #[error("the query cannot be read: {0}")]
    Syntax(String),
    /// It is SQL, but no question to our tables.
    #[error("{0}")]
    Refused(String),
    /// It names something that is not there; the text lists what is.
    #[error("{0}")]
    Unknown(String),
    /// It does not fit the types of the columns, or is more than Polars knows.
    #[error("the query cannot be answered: {0}")]
    Plan(String),
    /// It failed over the rows.
    #[error("the query failed: {0}")]
    Run(String),
    /// A table could not be read.
    #[error("cannot read {}: {text}", .path.display())]
    Read {
        /// Its file.
        path: PathBuf,
        /// What the system or Polars said.
        text: String,
    },
}

impl QueryError {
    /// Whether the query itself is wrong, whatever the tables hold.
    pub const fn is_usage(&self) -> bool {
        !matches!(self, Self::Run(_) | Self::Read { .. })
    }

    #[cold]
    pub(super) fn run(error: &PolarsError) -> Self {
        Self::Run(words(error))
    }

    #[cold]
    pub(super) fn read(path: &Path, error: &impl ToString) -> Self {
        Self::Read { path: path.to_owned(), text: error.to_string() }
    }
}

/// What Polars says, without the plan that it may draw below.
pub(super) fn words(error: &PolarsError) -> String {
    let text = error.to_string();
    text.split("\n\n").next().unwrap_or_default().trim().to_owned()
}
