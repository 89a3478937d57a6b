//! Tables of a directory, as data frames.

use std::fs::File;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use polars::prelude::*;

use super::super::frame::polars_schema;
use super::super::schema::Table;
use super::super::stored::Stored;
use super::super::write::Format;
use super::error::QueryError;
use super::nested;

/// Some columns of a table, with the types of the schema.
pub(super) fn table(
    stored: &Stored,
    table: &'static Table,
    columns: &[&str],
) -> Result<DataFrame, QueryError> {
    let path = stored.file(table);
    let file = File::open(&path).map_err(|error| QueryError::read(&path, &error))?;
    frame(file, &path, stored.format(), table, columns).map_err(|error| QueryError::read(&path, &error))
}

fn frame(
    file: File,
    path: &Path,
    format: Format,
    table: &'static Table,
    columns: &[&str],
) -> PolarsResult<DataFrame> {
    let names = || columns.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let schema = polars_schema(table, nested(format))?;
    let frame = match format {
        Format::Parquet => ParquetReader::new(file).with_columns(Some(names())).finish()?,
        Format::Arrow => IpcReader::new(file).with_columns(Some(names())).finish()?,
        Format::Csv => CsvReadOptions::default()
            .with_schema(Some(schema))
            .with_columns(Some(names().into_iter().map(Into::into).collect()))
            .into_reader_with_file_handle(file)
            .finish()?,
        Format::JsonLines => json(path, JsonFormat::JsonLines, &schema)?,
        Format::Json => json(path, JsonFormat::Json, &schema)?,
    };
    frame.select(columns.iter().copied())
}

fn json(path: &Path, format: JsonFormat, schema: &SchemaRef) -> PolarsResult<DataFrame> {
    let bytes = std::fs::read(path)?;
    // Polars takes a document without an object for a damaged one.
    if matches!(bytes.trim_ascii(), b"" | b"[]") {
        return Ok(DataFrame::empty_with_schema(schema));
    }
    let wide: Schema = schema.iter().map(|(name, it)| Field::new(name.clone(), widened(it))).collect();
    let mut frame =
        JsonReader::new(Cursor::new(bytes)).with_json_format(format).with_schema(Arc::new(wide)).finish()?;
    for (name, data_type) in schema.iter() {
        let column = frame.column(name)?.strict_cast(data_type)?;
        frame.replace(name, column)?;
    }
    Ok(frame)
}

/// The type that Polars reads from JSON Lines for this one: it panics at the small integers.
fn widened(data_type: &DataType) -> DataType {
    match data_type {
        DataType::UInt8 | DataType::UInt16 => DataType::UInt32,
        DataType::List(item) => DataType::List(Box::new(widened(item))),
        DataType::Struct(fields) => {
            let wide = |field: &Field| Field::new(field.name().clone(), widened(field.dtype()));
            DataType::Struct(fields.iter().map(wide).collect())
        }
        other => other.clone(),
    }
}
