//! One table to one stream, in batches, through Polars.

use std::io::{self, Write};
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use polars::io::json::BatchedWriter as JsonBatches;
use polars::io::parquet::write::{BatchedWriter as ParquetBatches, KeyValueMetadata};
use polars::prelude::*;
use polars_parquet::parquet::schema::types::PrimitiveType;

use super::error::Error;
use super::frame::{Nested, data_frame, polars_schema};
use super::pages::Pages;
use super::rows::Rows;
use super::schema::{Table, VERSION};

/// Rows that are turned into a data frame at once, and rows of a Parquet row group.
pub const GROUP_ROWS: usize = 65_536;

/// What a table is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// One array of objects, one object per line.
    Json,
    /// One object per line.
    JsonLines,
    /// RFC 4180 with a header; null is an empty field, the empty text is `""`. Control characters are
    /// escaped, and text that a spreadsheet would calculate begins with an apostrophe; other formats
    /// have every text as it was sent.
    Csv,
    /// Parquet with zstd pages and dictionary-encoded text.
    Parquet,
    /// Arrow's IPC file format.
    Arrow,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 5] = [Self::Json, Self::JsonLines, Self::Csv, Self::Parquet, Self::Arrow];

    /// Its word on the command line, which is also the extension of its files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::JsonLines => "jsonl",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
            Self::Arrow => "arrow",
        }
    }

    /// Whether its bytes would disturb a terminal.
    pub const fn is_binary(self) -> bool {
        matches!(self, Self::Parquet | Self::Arrow)
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|format| format.as_str() == s)
            .ok_or_else(|| format!("\"{s}\" is not a format (json, jsonl, csv, parquet or arrow)"))
    }
}

/// Writes the rows of one table, batch by batch.
///
/// JSON, JSON Lines, CSV and Parquet hold one batch in memory; Arrow's file
/// format collects the batches until [`TableWriter::finish`].
pub struct TableWriter<W: Write> {
    table: &'static Table,
    sink: Sink<Watched<W>>,
    trouble: Trouble,
}

/// The first error of the stream itself: the encoders wrap or lose it.
type Trouble = Arc<Mutex<Option<io::Error>>>;

/// The encoder of each format.
enum Sink<W: Write> {
    Json { out: W, any: bool },
    JsonLines(W),
    Csv(Box<polars::io::csv::write::BatchedWriter<W>>),
    Parquet(Box<Parquet<W>>),
    Arrow { out: W, frame: DataFrame },
}

impl<W: Write> TableWriter<W> {
    /// A writer of `table` to `out`.
    pub fn new(out: W, table: &'static Table, format: Format) -> Result<Self, Error> {
        let trouble = Trouble::default();
        let out = Watched { out, trouble: Arc::clone(&trouble) };
        match Sink::new(out, table, format) {
            Ok(sink) => Ok(Self { table, sink, trouble }),
            Err(source) => Err(error(&trouble, table, source)),
        }
    }

    /// The table.
    pub const fn table(&self) -> &'static Table {
        self.table
    }

    /// Appends rows.
    pub fn write(&mut self, rows: &Rows) -> Result<(), Error> {
        debug_assert_eq!(rows.table(), self.table, "rows of another table");
        if let Sink::Parquet(parquet) = &mut self.sink {
            return parquet.write(rows).map_err(|source| error(&self.trouble, self.table, source));
        }
        let mut start = 0;
        while start < rows.len() {
            let range = start..rows.len().min(start + GROUP_ROWS);
            start = range.end;
            data_frame(rows, range, self.sink.nested())
                .and_then(|frame| self.sink.write(&frame))
                .map_err(|source| error(&self.trouble, self.table, source))?;
        }
        Ok(())
    }

    /// Writes what comes after the last row. Nothing is buffered here; flushing `out` is its owner's business.
    pub fn finish(mut self) -> Result<(), Error> {
        self.sink.finish(self.table).map_err(|source| error(&self.trouble, self.table, source))
    }
}

impl<W: Write> Sink<W> {
    fn new(out: W, table: &'static Table, format: Format) -> PolarsResult<Self> {
        Ok(match format {
            Format::Json => Self::Json { out, any: false },
            Format::JsonLines => Self::JsonLines(out),
            Format::Csv => {
                Self::Csv(Box::new(CsvWriter::new(out).batched(&*polars_schema(table, Nested::Join)?)?))
            }
            Format::Parquet => Self::Parquet(Box::new(Parquet::new(out, table)?)),
            Format::Arrow => Self::Arrow { out, frame: data_frame(&Rows::new(table), 0..0, Nested::Keep)? },
        })
    }

    const fn nested(&self) -> Nested {
        if matches!(self, Self::Csv(_)) { Nested::Join } else { Nested::Keep }
    }

    fn write(&mut self, frame: &DataFrame) -> PolarsResult<()> {
        match self {
            Self::Json { out, any } => {
                let mut array = Vec::new();
                // A raw line feed in JSON only ever separates our objects.
                for line in json_lines(frame)?.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                    array.extend_from_slice(if *any { b",\n" } else { b"[\n" });
                    array.extend_from_slice(line);
                    *any = true;
                }
                Ok(out.write_all(&array)?)
            }
            Self::JsonLines(out) => Ok(out.write_all(&json_lines(frame)?)?),
            Self::Csv(writer) => writer.write_batch(frame),
            Self::Parquet(_) => Ok(()),
            Self::Arrow { frame: all, .. } => all.vstack_mut(frame).map(|_| ()),
        }
    }

    fn finish(&mut self, table: &Table) -> PolarsResult<()> {
        match self {
            Self::Json { out, any } => Ok(out.write_all(if *any { b"\n]\n" } else { b"[]\n" })?),
            Self::JsonLines(_) => Ok(()),
            Self::Csv(writer) => writer.finish(),
            Self::Parquet(parquet) => parquet.batches.finish().map(|_| ()),
            Self::Arrow { out, frame } => {
                // The oldest level has plain strings, which every Arrow reader knows.
                let mut writer = IpcWriter::new(out).with_compat_level(CompatLevel::oldest());
                let pairs = metadata(table).into_iter().map(|(key, value)| (key.into(), value.into()));
                writer.set_custom_schema_metadata(Arc::new(pairs.collect()));
                writer.finish(frame)
            }
        }
    }
}

/// The row groups of a Parquet file.
struct Parquet<W: Write> {
    batches: ParquetBatches<W>,
    /// Types of the leaves.
    types: Vec<PrimitiveType>,
    pages: Pages,
}

impl<W: Write> Parquet<W> {
    fn new(out: W, table: &'static Table) -> PolarsResult<Self> {
        let mut batches = ParquetWriter::new(out)
            .with_key_value_metadata(Some(KeyValueMetadata::from_static(metadata(table))))
            .batched(&*polars_schema(table, Nested::Keep)?)?;
        let leaves = batches.parquet_schema().columns();
        let types = leaves.iter().map(|leaf| leaf.descriptor.primitive_type.clone()).collect();
        Ok(Self { batches, types, pages: Pages::new()? })
    }

    /// Writes rows as one row group.
    fn write(&mut self, rows: &Rows) -> PolarsResult<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let pages = self.pages.of(rows, &self.types)?;
        self.batches.write_row_group(rows.len() as u64, &pages)
    }
}

/// One object per row and line. In memory, because Polars writes every row by itself.
fn json_lines(frame: &DataFrame) -> PolarsResult<Vec<u8>> {
    let mut lines = Vec::new();
    JsonBatches::new(&mut lines).write_batch(frame)?;
    Ok(lines)
}

/// What Parquet and Arrow files say about themselves: versions and the meaning of every column.
fn metadata(table: &Table) -> Vec<(String, String)> {
    let mut pairs = vec![
        ("dorascope.version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ("dorascope.schema_version".to_owned(), VERSION.to_string()),
        ("dorascope.table".to_owned(), table.name.to_owned()),
        ("dorascope.meaning".to_owned(), table.meaning.to_owned()),
    ];
    for column in table.columns {
        let unit = if column.unit.is_empty() { String::new() } else { format!(" [{}]", column.unit) };
        let text = format!("{}{unit}; null: {}", column.meaning, column.null_when);
        pairs.push((format!("dorascope.column.{}", column.name), text));
    }
    pairs
}

/// The stream's own error where there is one, else the encoder's.
#[cold]
fn error(trouble: &Trouble, table: &Table, source: PolarsError) -> Error {
    match trouble.lock().unwrap_or_else(PoisonError::into_inner).take() {
        Some(io) => Error::Stream(io),
        None => Error::Encode { table: table.name, source },
    }
}

/// A stream that remembers its first error.
struct Watched<W> {
    out: W,
    trouble: Trouble,
}

impl<W> Watched<W> {
    /// Keeps a copy of an error and passes it on.
    fn note<T>(&self, result: io::Result<T>) -> io::Result<T> {
        result.inspect_err(|error| {
            let copy = io::Error::new(error.kind(), error.to_string());
            self.trouble.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(copy);
        })
    }
}

impl<W: Write> Write for Watched<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let result = self.out.write(bytes);
        self.note(result)
    }

    fn flush(&mut self) -> io::Result<()> {
        let result = self.out.flush();
        self.note(result)
    }
}
