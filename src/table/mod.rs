//! Tables as data: what every column means, rows pushed one by one, and the
//! writers for Parquet, Arrow IPC, CSV, JSON Lines, JSON and the terminal.
//!
//! Reading order: [`schema`] (the contract with every reader of our files),
//! [`Rows`] (what the pipeline fills), [`TableWriter`] (files and streams, through
//! Polars), [`terminal`] (what a person sees).
//!
//! A column is only ever appended to a table, never inserted or renamed;
//! otherwise [`schema::VERSION`] grows.

mod cell;
mod directory;
mod encode;
mod error;
pub mod fill;
mod frame;
mod layout;
mod pages;
mod put;
#[cfg(feature = "sql")]
pub mod query;
mod rows;
pub mod schema;
mod scribe;
#[cfg(feature = "live")]
mod segments;
mod set;
mod stored;
mod stream;
#[cfg(test)]
mod stream_tests;
pub mod terminal;
#[cfg(test)]
mod tests;
mod text;
mod texts;
mod values;
mod words;
mod write;

pub use cell::Cell;
pub use directory::{Directory, TableFile, write_all};
pub use error::Error;
pub use rows::Rows;
pub use schema::{Column, Kind, Table};
#[cfg(feature = "live")]
pub use segments::Segments;
pub use set::TableSet;
pub use stored::Stored;
pub use stream::HELD_ROWS;
pub use text::{escape, utc};
pub use write::{Format, GROUP_ROWS, TableWriter};

/// An array of [`Cell`]s from values of any type that has a `From` conversion,
/// in the order of the table's columns.
///
/// ```
/// use dorascope::table::{Rows, schema};
///
/// let mut rows = Rows::new(&schema::HASH);
/// rows.push(&dorascope::cells!["08:00:27:a2:00:01", "hwaddr", 142u8, "primary"]);
/// assert_eq!(rows.len(), 1);
/// ```
#[macro_export]
macro_rules! cells {
    ($($value:expr),* $(,)?) => { [$($crate::table::Cell::from($value)),*] };
}
