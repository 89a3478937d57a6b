//! Rows to a Polars data frame, the one form that every writer starts from.

use std::ops::Range;

use polars::prelude::*;

use super::rows::Rows;
use super::schema::{Kind, Table};
use super::text::for_csv;
use super::values::{Lists, Numbers, Values};

/// Whether lists and structs stay what they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nested {
    /// For formats that know lists and structs.
    Keep,
    /// For CSV: one text, as [`super::Cell::plain`] writes it.
    Join,
}

/// Some of the rows as a data frame with the columns of their table.
pub(super) fn data_frame(rows: &Rows, range: Range<usize>, nested: Nested) -> PolarsResult<DataFrame> {
    let range = range.start.min(rows.len())..range.end.min(rows.len());
    let columns = rows
        .table()
        .columns
        .iter()
        .zip(&rows.columns)
        .map(|(column, values)| {
            let name = PlSmallStr::from_static(column.name);
            let series = match values {
                Values::List(_) | Values::Struct { .. } | Values::Text(_) if nested == Nested::Join => {
                    plain(name, values, &range)
                }
                _ => series(name, &column.kind, values, &range)?,
            };
            Ok(series.into())
        })
        .collect::<PolarsResult<Vec<Column>>>()?;
    DataFrame::new(range.len(), columns)
}

/// The schema of [`data_frame`]'s result, for writers that need it before the first row.
pub(super) fn polars_schema(table: &'static Table, nested: Nested) -> PolarsResult<SchemaRef> {
    data_frame(&Rows::new(table), 0..0, nested).map(|frame| frame.schema().clone())
}

/// Texts, lists or structs as text that is safe in a CSV file.
fn plain(name: PlSmallStr, values: &Values, range: &Range<usize>) -> Series {
    let text = |row| {
        let cell = values.get(row);
        (!cell.is_null()).then(|| for_csv(&cell.plain()).into_owned())
    };
    let texts: Vec<Option<String>> = range.clone().map(text).collect();
    Series::new(name, texts)
}

/// Part of a column as a Polars series.
fn series(name: PlSmallStr, kind: &Kind, values: &Values, range: &Range<usize>) -> PolarsResult<Series> {
    /// The values of some rows.
    fn part<T: Copy + Default>(numbers: &Numbers<T>, range: &Range<usize>) -> Vec<Option<T>> {
        range.clone().map(|row| numbers.get(row)).collect()
    }
    Ok(match values {
        Values::Bool(v) => Series::new(name, part(v, range)),
        Values::U8(v) => Series::new(name, part(v, range)),
        Values::U16(v) => Series::new(name, part(v, range)),
        Values::U32(v) => Series::new(name, part(v, range)),
        Values::U64(v) => Series::new(name, part(v, range)),
        Values::I64(v) => Series::new(name, part(v, range)),
        Values::F64(v) => Series::new(name, part(v, range)),
        Values::Text(texts) => {
            StringChunked::from_iter_options(name, range.clone().map(|row| texts.get(row))).into_series()
        }
        Values::List(lists) => {
            let Kind::List(item) = kind else { polars_bail!(ComputeError: "{name} is not a list") };
            list_series(name, item, lists, range)?
        }
        Values::Struct { fields, .. } => {
            let Kind::Struct(kinds) = kind else { polars_bail!(ComputeError: "{name} is not a struct") };
            let fields = kinds
                .iter()
                .zip(fields)
                .map(|((name, kind), values)| series(PlSmallStr::from_static(name), kind, values, range))
                .collect::<PolarsResult<Vec<Series>>>()?;
            StructChunked::from_series(name, range.len(), fields.iter())?.into_series()
        }
    })
}

/// Part of a list column: its items are copied once, the lists are offsets into them.
fn list_series(name: PlSmallStr, item: &Kind, lists: &Lists, range: &Range<usize>) -> PolarsResult<Series> {
    let mut spans = range.clone().map(|row| lists.span(row));
    let first = range.clone().find_map(|row| lists.span(row)).map_or(0, |span| span.start);
    let mut last = first;
    let mut offsets: Vec<i64> = Vec::with_capacity(range.len() + 1);
    let mut valid: Vec<bool> = Vec::with_capacity(range.len());
    offsets.push(0);
    for span in &mut spans {
        valid.push(span.is_some());
        last = span.map_or(last, |span| span.end);
        offsets.push(i64::try_from(last - first).unwrap_or(i64::MAX));
    }
    let items = series(PlSmallStr::from_static("item"), item, &lists.items, &(first..last))?.rechunk();
    let array = LargeListArray::try_new(
        DataType::List(Box::new(items.dtype().clone())).to_arrow(CompatLevel::newest()),
        offsets.try_into()?,
        items.to_arrow(0, CompatLevel::newest()),
        Some(valid.into_iter().collect()),
    )?;
    Series::try_from((name, Box::new(array) as ArrayRef))
}
