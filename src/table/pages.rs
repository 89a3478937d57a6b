//! Columns to the pages of a Parquet file.
//!
//! [`Rows`] hold every column nearly as Parquet wants it: numbers that stand for
//! texts, lists as offsets. So pages are written from there; Polars' own way
//! starts from one text per row and has to find out again which are the same.

use polars::prelude::*;
use polars_parquet::parquet::CowBuffer;
use polars_parquet::parquet::compression::Compression;
use polars_parquet::parquet::encoding::hybrid_rle::{Encoder as _, encode};
use polars_parquet::parquet::metadata::Descriptor;
use polars_parquet::parquet::page::{
    CompressedDataPage, CompressedDictPage, CompressedPage, DataPageHeader, DataPageHeaderV1, FormatEncoding,
};
use polars_parquet::parquet::schema::types::PrimitiveType;
use polars_parquet::parquet::statistics::ParquetStatistics;
use zstd::bulk::Compressor;
use zstd::zstd_safe::compress_bound;

use super::encode::{Encoder, width};
use super::rows::Rows;
use super::texts::NULL;
use super::values::{Lists, Values};

/// Dictionaries have taken out what a higher level would find.
const LEVEL: i32 = 1;

/// Makes compressed pages of columns; what it allocated stays.
pub(super) struct Pages {
    encoder: Encoder,
    compressor: Compressor<'static>,
    page: Vec<u8>,
    compressed: Vec<u8>,
}

impl Pages {
    pub fn new() -> PolarsResult<Self> {
        let compressor = Compressor::new(LEVEL)?;
        Ok(Self { encoder: Encoder::default(), compressor, page: Vec::new(), compressed: Vec::new() })
    }

    /// The columns of some rows, one list of pages for each leaf of the schema.
    pub fn of(&mut self, rows: &Rows, types: &[PrimitiveType]) -> PolarsResult<Vec<Vec<CompressedPage>>> {
        let mut leaves = Vec::with_capacity(types.len());
        for values in &rows.columns {
            leaves_of(values, None, false, &mut leaves);
        }
        debug_assert_eq!(leaves.len(), types.len(), "leaves of {}", rows.table().name);
        leaves.iter().zip(types).map(|(leaf, kind)| self.of_leaf(leaf, kind, rows.len())).collect()
    }

    fn of_leaf(
        &mut self,
        leaf: &Leaf<'_>,
        kind: &PrimitiveType,
        rows: usize,
    ) -> PolarsResult<Vec<CompressedPage>> {
        let Self { encoder, compressor, page, compressed } = self;
        encoder.clear();
        page.clear();
        let nulls = leaf.values.nulls();
        let count = leaf.levels(rows, nulls, page)?;
        let encoded = encoder.encode(leaf.values, kind, page)?;
        let mut compress = |bytes: &[u8]| -> PolarsResult<CowBuffer> {
            compressed.clear();
            compressed.reserve(compress_bound(bytes.len()));
            compressor.compress_to_buffer(bytes, compressed)?;
            Ok(CowBuffer::Owned(compressed.clone()))
        };
        let (min_value, max_value) = encoded.bounds.unzip();
        let statistics = ParquetStatistics {
            max: None,
            min: None,
            null_count: i64::try_from(nulls).ok(),
            distinct_count: None,
            max_value,
            min_value,
            is_max_value_exact: None,
            is_min_value_exact: None,
        };
        let header = DataPageHeader::V1(DataPageHeaderV1 {
            num_values: i32::try_from(count)
                .map_err(|e| polars_err!(ComputeError: "values of a page: {e}"))?,
            encoding: encoded.encoding,
            definition_level_encoding: FormatEncoding::RLE,
            repetition_level_encoding: FormatEncoding::RLE,
            statistics: Some(statistics),
        });
        let descriptor = Descriptor { primitive_type: kind.clone(), max_def_level: 0, max_rep_level: 0 };
        let mut pages = Vec::with_capacity(2);
        if let Some(count) = encoded.dictionary {
            let words = &encoder.dictionary;
            let page =
                CompressedDictPage::new(compress(words)?, Compression::Zstd, words.len(), count, false);
            pages.push(CompressedPage::Dict(page));
        }
        let (size, bytes) = (page.len(), compress(page)?);
        let page = CompressedDataPage::new(header, bytes, Compression::Zstd, size, descriptor, rows);
        pages.push(CompressedPage::Data(page));
        Ok(pages)
    }
}

/// Values that are stored side by side, and the list they are in.
struct Leaf<'a> {
    values: &'a Values,
    lists: Option<&'a Lists>,
    in_struct: bool,
}

/// The leaves of a column, in the order of the schema. A list in a list does not occur.
fn leaves_of<'a>(values: &'a Values, lists: Option<&'a Lists>, in_struct: bool, leaves: &mut Vec<Leaf<'a>>) {
    match values {
        Values::List(inner) => leaves_of(&inner.items, Some(inner), in_struct, leaves),
        Values::Struct { fields, .. } => {
            for field in fields {
                leaves_of(field, lists, true, leaves);
            }
        }
        _ => leaves.push(Leaf { values, lists, in_struct }),
    }
}

impl Leaf<'_> {
    /// Which values are there, and where lists begin; says how many values and gaps these are.
    fn levels(&self, rows: usize, nulls: usize, out: &mut Vec<u8>) -> PolarsResult<usize> {
        let Some(lists) = self.lists else {
            sized(out, |out| match self.values {
                _ if nulls == 0 => bool::run_length_encode(out, rows, true, 1),
                _ if nulls == rows => bool::run_length_encode(out, rows, false, 1),
                Values::Text(texts) => {
                    encode::<bool, _, _>(out, texts.numbers().iter().map(|number| *number != NULL), 1)
                }
                values => encode::<bool, _, _>(out, (0..rows).map(|row| values.is_valid(row)), 1),
            })?;
            return Ok(rows);
        };
        // A list that is null, one that is empty, (a struct in it that is null,) an item that is null, an item.
        let item = if self.in_struct { 4 } else { 3 };
        let mut begins: Vec<bool> = Vec::with_capacity(lists.items.len() + rows);
        let mut levels: Vec<u32> = Vec::with_capacity(lists.items.len() + rows);
        for row in 0..rows {
            match lists.span(row) {
                Some(span) if !span.is_empty() => {
                    begins.push(true);
                    begins.resize(begins.len() + span.len() - 1, false);
                    if nulls == 0 {
                        levels.resize(levels.len() + span.len(), item);
                    } else {
                        levels.extend(span.map(|at| item - u32::from(!self.values.is_valid(at))));
                    }
                }
                empty => {
                    begins.push(true);
                    levels.push(empty.is_some().into());
                }
            }
        }
        sized(out, |out| encode::<bool, _, _>(out, begins.iter().map(|begins| !begins), 1))?;
        sized(out, |out| encode::<u32, _, _>(out, levels.iter().copied(), width(item as usize)))?;
        Ok(levels.len())
    }
}

/// Writes something with its length in four bytes before it.
fn sized(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> PolarsResult<()> {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    write(out)?;
    let length = (out.len() - start - 4) as u32;
    if let Some(place) = out.get_mut(start..start + 4) {
        place.copy_from_slice(&length.to_le_bytes());
    }
    Ok(())
}
