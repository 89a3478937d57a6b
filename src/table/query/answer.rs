//! The result of a query as rows, so that every writer and the terminal can print it.

use std::borrow::Cow;
use std::ops::Range;

use polars::prelude::{AnyValue, ChunkAgg, DataFrame, DataType, Field};

use crate::table::cell::Cell;
use crate::table::rows::Rows;
use crate::table::schema::{Column, EPOCH_NS, Kind, TABLES, Table};
use crate::table::write::GROUP_ROWS;

/// Earlier than any capture, and more nanoseconds than any span between two: 1973-03-03.
const FIRST_INSTANT: i64 = 100_000_000 * 1_000_000_000;

/// Rows with the columns that a query asked for.
#[derive(Debug)]
pub struct Answer {
    frame: DataFrame,
    table: &'static Table,
}

impl Answer {
    /// Describes the columns of a result. A [`Table`] lives as long as the program, and so does this
    /// description: a query more costs some hundred bytes for good.
    ///
    /// With `*` in the query a narrow terminal chooses columns as it does for the table itself.
    pub(super) fn new(frame: DataFrame, every_column: bool) -> Self {
        let columns: Vec<Column> = frame
            .columns()
            .iter()
            .map(|column| {
                let first = column.i64().ok().and_then(ChunkAgg::min);
                let known = TABLES
                    .iter()
                    .flat_map(|table| table.columns)
                    .find(|it| it.name == column.name().as_str());
                // A difference of instants has the name of its first one.
                let instant = known.is_some_and(|it| it.unit == EPOCH_NS) && first >= Some(FIRST_INSTANT);
                Column {
                    name: leaked(column.name()),
                    kind: kind(column.dtype()),
                    unit: if instant { EPOCH_NS } else { "" },
                    meaning: "a column of the query",
                    null_when: "the query gives no value",
                    rank: known.filter(|_| every_column).map_or(0, |it| it.rank),
                }
            })
            .collect();
        let table = Table { name: "query", meaning: "The rows of a query.", columns: Vec::leak(columns) };
        Self { frame, table: Box::leak(Box::new(table)) }
    }

    /// The columns.
    pub const fn table(&self) -> &'static Table {
        self.table
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.frame.height()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All rows, in parts that a writer takes at once.
    pub fn parts(&self) -> impl Iterator<Item = Rows> {
        // A part without rows still has the columns.
        let starts = (0..self.len().max(1)).step_by(GROUP_ROWS);
        starts.map(|start| self.rows(start..start + GROUP_ROWS))
    }

    /// Some of the rows.
    pub fn rows(&self, range: Range<usize>) -> Rows {
        let mut rows = Rows::new(self.table);
        let mut row: Vec<Cell<'_>> = Vec::with_capacity(self.table.columns.len());
        for at in range.start..range.end.min(self.len()) {
            row.extend(self.frame.columns().iter().map(|column| column.get(at).map_or(Cell::Null, cell)));
            rows.push(&row);
            row.clear();
        }
        rows
    }
}

/// The kind of column that takes the values of a type; those of other types are text.
fn kind(data_type: &DataType) -> Kind {
    match data_type {
        DataType::Boolean => Kind::Bool,
        DataType::UInt8 => Kind::U8,
        DataType::UInt16 => Kind::U16,
        DataType::UInt32 => Kind::U32,
        DataType::UInt64 => Kind::U64,
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => Kind::I64,
        DataType::Float32 | DataType::Float64 => Kind::F64,
        DataType::List(item) => Kind::List(Box::leak(Box::new(kind(item)))),
        DataType::Struct(fields) => {
            let field = |field: &Field| (leaked(field.name()), kind(field.dtype()));
            Kind::Struct(Vec::leak(fields.iter().map(field).collect()))
        }
        _ => Kind::Text,
    }
}

/// A value for the column that [`kind`] made for it.
fn cell(value: AnyValue<'_>) -> Cell<'_> {
    match value {
        AnyValue::Null => Cell::Null,
        AnyValue::Boolean(it) => Cell::Bool(it),
        AnyValue::UInt8(it) => Cell::U64(it.into()),
        AnyValue::UInt16(it) => Cell::U64(it.into()),
        AnyValue::UInt32(it) => Cell::U64(it.into()),
        AnyValue::UInt64(it) => Cell::U64(it),
        AnyValue::Int8(it) => Cell::I64(it.into()),
        AnyValue::Int16(it) => Cell::I64(it.into()),
        AnyValue::Int32(it) => Cell::I64(it.into()),
        AnyValue::Int64(it) => Cell::I64(it),
        AnyValue::Float32(it) => Cell::F64(it.into()),
        AnyValue::Float64(it) => Cell::F64(it),
        AnyValue::String(it) => Cell::Text(Cow::Borrowed(it)),
        AnyValue::StringOwned(it) => Cell::Text(Cow::Owned(it.to_string())),
        AnyValue::List(items) => Cell::List(items.iter().map(|item| cell(item.into_static())).collect()),
        AnyValue::Struct(..) => {
            Cell::Struct(value._iter_struct_av().map(|field| cell(field.into_static())).collect())
        }
        AnyValue::StructOwned(fields) => {
            Cell::Struct(fields.0.into_iter().map(|field| cell(field.into_static())).collect())
        }
        other => Cell::Text(Cow::Owned(other.to_string())),
    }
}

fn leaked(name: &str) -> &'static str {
    String::leak(name.to_owned())
}
