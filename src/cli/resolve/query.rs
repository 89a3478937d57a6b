//! The job of `dorascope query`.

use std::path::PathBuf;

use clap::Error;

use super::{Inputs, Shape, TopologySources, inputs, shape, usage};
use crate::cli::args::QueryArgs;

/// See [`QueryArgs`].
#[derive(Debug, PartialEq, Eq)]
pub struct QueryJob {
    pub sql: String,
    pub tables: TableSource,
    pub shape: Shape,
}

/// Where the tables of a query are.
#[derive(Debug, PartialEq, Eq)]
pub enum TableSource {
    /// Captures, which have to be analysed first.
    Captures(Inputs),
    /// A directory that `analyze -o` wrote.
    Directory(PathBuf),
}

/// Tells captures from a directory of tables, which says all that there is to know.
pub fn job(args: QueryArgs) -> Result<QueryJob, Error> {
    let QueryArgs { sql, input, format } = args;
    let mut inputs = inputs("query", input)?;
    // The tables are asked from files that nobody else sees.
    inputs.writes.push(std::env::temp_dir());
    let directory = inputs.captures.iter().find(|capture| capture.path.is_dir());
    let tables = match directory.map(|capture| capture.path.clone()) {
        None => TableSource::Captures(inputs),
        Some(path) => {
            if inputs.captures.len() > 1 || !inputs.is_only_captures() {
                let message = format!("{} is a directory of tables, which stands alone", path.display());
                return Err(usage("query", &message));
            }
            TableSource::Directory(path)
        }
    };
    Ok(QueryJob { sql, tables, shape: shape(format) })
}

impl Inputs {
    /// Whether nothing else is known than what the captures tell.
    fn is_only_captures(&self) -> bool {
        let zoned = self.captures.iter().any(|capture| capture.zone.is_some());
        self.topology == TopologySources::default()
            && self.logs.is_empty()
            && self.leases.is_empty()
            && !zoned
    }
}
