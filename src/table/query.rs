//! SQL over the tables, through Polars.
//!
//! A [`Query`] is one SELECT statement that was checked before anything is read: [`statement`] parses
//! it and refuses whatever is no question to our tables, and Polars plans it over tables without a row,
//! which have the columns and types of the schema. Only then [`Query::run`] reads the columns that it
//! names. [`read`] reads files, [`answer`] makes rows of the result.

mod answer;
mod error;
mod read;
mod statement;
#[cfg(test)]
mod tests;

use std::any::Any;
use std::thread;

use polars::prelude::*;
use polars_lazy::prelude::{IntoLazy as _, LazyFrame};
use polars_sql::SQLContext;

pub use answer::Answer;
pub use error::QueryError;
use statement::Statement;

use super::frame::{Nested, polars_schema};
use super::schema::Table;
use super::stored::Stored;
use super::write::Format;

/// The longest query. Parser and planner descend into it, so its length bounds the depth of their stack.
const LONGEST: usize = 16 * 1024;

/// The stack of a query's thread; memory that is not used is not taken.
const STACK: usize = 512 << 20;

/// One statement that can be run over the tables of a directory.
#[derive(Clone, Debug)]
pub struct Query {
    text: String,
    statement: Statement,
}

impl Query {
    /// Checks a statement for tables of a format: CSV has text where other formats have lists.
    pub fn new(text: &str, format: Format) -> Result<Self, QueryError> {
        if text.len() > LONGEST {
            return Err(QueryError::Refused(format!("a query has at most {LONGEST} bytes")));
        }
        let text = text.to_owned();
        guarded(move || {
            let statement = Statement::new(&text)?;
            let tables = statement.tables.iter().map(|table| Ok((*table, empty(table, format)?)));
            let tables = tables.collect::<PolarsResult<Vec<_>>>().map_err(|error| QueryError::run(&error))?;
            let mut plan = planned(&text, tables).map_err(|error| statement.explain(&error))?;
            plan.collect_schema().map_err(|error| statement.explain(&error))?;
            Ok(Self { text, statement })
        })
    }

    /// The tables that it names, in the order of the schema.
    pub fn tables(&self) -> &[&'static Table] {
        &self.statement.tables
    }

    /// Reads the columns that the query names and answers it.
    pub fn run(&self, stored: &Stored) -> Result<Answer, QueryError> {
        let (query, stored) = (self.clone(), stored.clone());
        guarded(move || {
            let Self { text, statement } = query;
            let tables = statement.tables.iter().map(|table| {
                let frame = read::table(&stored, table, &statement.columns(table))?;
                Ok((*table, frame))
            });
            let tables = tables.collect::<Result<Vec<_>, QueryError>>()?;
            let frame = planned(&text, tables)
                .and_then(LazyFrame::collect)
                .map_err(|error| QueryError::run(&error))?;
            Ok(Answer::new(frame, statement.every_column()))
        })
    }
}

/// The plan of a query over these tables.
fn planned(text: &str, tables: Vec<(&Table, DataFrame)>) -> PolarsResult<LazyFrame> {
    let mut context = SQLContext::new();
    for (table, frame) in tables {
        context.register(table.name, frame.lazy());
    }
    context.execute(text)
}

/// A table without a row.
fn empty(table: &'static Table, format: Format) -> PolarsResult<DataFrame> {
    Ok(DataFrame::empty_with_schema(&*polars_schema(table, nested(format))?))
}

/// What a format makes of lists.
fn nested(format: Format) -> Nested {
    if format == Format::Csv { Nested::Join } else { Nested::Keep }
}

/// Runs a step of a query on a stack that is deep enough; a panic in Polars, which knows some, is an error.
fn guarded<T: Send>(step: impl FnOnce() -> Result<T, QueryError> + Send) -> Result<T, QueryError> {
    thread::scope(|scope| {
        let worker = thread::Builder::new().name("query".to_owned()).stack_size(STACK);
        match worker.spawn_scoped(scope, step).map(thread::ScopedJoinHandle::join) {
            Ok(Ok(result)) => result,
            Ok(Err(panic)) => Err(QueryError::Run(format!("Polars gave up: {}", message(panic.as_ref())))),
            Err(error) => Err(QueryError::Run(format!("no thread for the query: {error}"))),
        }
    })
}

/// What a panic says.
fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a word")
}
