//! The query is answered here.

use std::panic;

use anyhow::{Context, Result};
use dorascope::table::query::{Answer, Query, QueryError};
use dorascope::table::{Format, Stored, TableSet};

use crate::cli::analyze::fill;
use crate::cli::exit::Exit;
use crate::cli::output::{FIRST_ROWS, Output, stream};
use crate::cli::resolve::{QueryJob, Shape, TableSource, usage};
use crate::cli::topology;

/// Checks the query, reads the tables or the captures, prints the rows.
pub fn run(job: &QueryJob, output: &Output) -> Result<Exit> {
    let (answer, exit) = match &job.tables {
        TableSource::Directory(path) => {
            let stored = Stored::find(path)?;
            (answered(&checked(&job.sql, stored.format())?, &stored)?, Exit::Done)
        }
        TableSource::Captures(inputs) => {
            let query = checked(&job.sql, Format::Parquet)?;
            let topology = topology::load(&inputs.topology, output)?;
            let place = tempfile::Builder::new().prefix("dorascope-").tempdir();
            let place = place.context("cannot make a directory for the tables")?;
            // Tables on disk keep memory as small as the columns that the query reads.
            let set = TableSet::create(place.path(), false, Format::Parquet, inputs.threads)?;
            let (totals, exit) = fill(set, inputs, &topology, output)?;
            if totals.is_none() {
                return Ok(exit);
            }
            (answered(&query, &Stored::find(place.path())?)?, exit)
        }
    };
    match job.shape {
        Shape::Table => output.first_of(&answer.rows(0..FIRST_ROWS), answer.len(), &[])?,
        Shape::Data(format) => stream(answer.table(), answer.parts(), format)?,
    }
    Ok(exit)
}

fn answered(query: &Query, stored: &Stored) -> Result<Answer> {
    Ok(silenced(|| query.run(stored))?)
}

/// The query, or the usage error that it is.
fn checked(sql: &str, format: Format) -> Result<Query> {
    silenced(|| Query::new(sql, format)).map_err(|error: QueryError| {
        if error.is_usage() { usage("query", &error.to_string()).into() } else { error.into() }
    })
}

/// Lets Polars panic without a word of its own: what it says comes back as an error.
fn silenced<T>(step: impl FnOnce() -> T) -> T {
    let loud = panic::take_hook();
    panic::set_hook(Box::new(|_| ()));
    let result = step();
    panic::set_hook(loud);
    result
}
