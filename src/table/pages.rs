//! Columns to the pages of a Parquet file.
//!
//! [`Rows`] hold every column as Parquet wants it: texts once with a code per
//! row, lists as offsets. So pages are written from there; Polars' own way
//! starts from one text per row and has to find out again which are the same.

use polars::prelude::*;
use polars_parquet::parquet::CowBuffer;
use polars_parquet::parquet::encoding::hybrid_rle::{Encoder as _, bitpacked_encode, encode};
use polars_parquet::parquet::metadata::Descriptor;
use polars_parquet::parquet::page::{DataPage, DataPageHeader, DataPageHeaderV1, DictPage, FormatEncoding};
use polars_parquet::parquet::schema::Repetition;
use polars_parquet::parquet::schema::types::PrimitiveType;
use polars_parquet::parquet::statistics::ParquetStatistics;
use polars_parquet::write::{
    CompressedPage, CompressionOptions, Encoding, Page, StatisticsOptions, Version, WriteOptions,
    array_to_page_simple, compress,
};

use super::rows::Rows;
use super::texts::{NULL, Texts};
use super::values::{Lists, Numbers, Values};

/// Whole numbers with a span below this get a dictionary of the whole span.
const NARROW: u64 = 1024;
/// More floats than these get no dictionary.
const FEW: usize = 256;
/// Longer texts are no bounds in the statistics.
const LONGEST_BOUND: usize = 64;

/// The columns of some rows as compressed pages, one list of pages for each leaf of the schema.
pub(super) fn encode_rows(
    rows: &Rows,
    types: &[PrimitiveType],
    compression: CompressionOptions,
) -> PolarsResult<Vec<Vec<CompressedPage>>> {
    let mut leaves = Vec::with_capacity(types.len());
    for values in &rows.columns {
        leaves_of(values, None, false, &mut leaves);
    }
    debug_assert_eq!(leaves.len(), types.len(), "leaves of {}", rows.table().name);
    let pages = |(leaf, kind): (Leaf<'_>, &PrimitiveType)| {
        let pages = leaf.pages(kind, rows.len())?;
        let compressed = pages.into_iter().map(|page| Ok(compress(page, Vec::new(), compression)?));
        compressed.collect::<PolarsResult<Vec<_>>>()
    };
    leaves.into_iter().zip(types).map(pages).collect()
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

/// What the values of a page are encoded as.
struct Encoded {
    encoding: FormatEncoding,
    /// The dictionary and how many values it has.
    dictionary: Option<(Vec<u8>, usize)>,
    values: Vec<u8>,
    nulls: usize,
    /// The smallest and the largest value.
    bounds: Option<(Vec<u8>, Vec<u8>)>,
}

impl Leaf<'_> {
    fn pages(&self, kind: &PrimitiveType, rows: usize) -> PolarsResult<Vec<Page>> {
        let encoded = match self.values {
            Values::Bool(numbers) => booleans(numbers)?,
            Values::U8(numbers) => whole::<_, 4>(numbers, i64::from, kind)?,
            Values::U16(numbers) => whole::<_, 4>(numbers, i64::from, kind)?,
            Values::U32(numbers) => whole::<_, 4>(numbers, i64::from, kind)?,
            Values::U64(numbers) => whole::<_, 8>(numbers, u64::cast_signed, kind)?,
            Values::I64(numbers) => whole::<_, 8>(numbers, |v| v, kind)?,
            Values::F64(numbers) => floats(numbers)?,
            Values::Text(texts) => text(texts)?,
            Values::List(_) | Values::Struct { .. } => {
                polars_bail!(ComputeError: "a list or struct is no leaf")
            }
        };
        let mut buffer = Vec::with_capacity(encoded.values.len() + 64);
        let count = self.levels(rows, encoded.nulls, &mut buffer)?;
        buffer.extend_from_slice(&encoded.values);
        let (min_value, max_value) = encoded.bounds.unzip();
        let statistics = ParquetStatistics {
            max: None,
            min: None,
            null_count: i64::try_from(encoded.nulls).ok(),
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
        let data = Page::Data(DataPage::new(header, CowBuffer::Owned(buffer), descriptor, rows));
        let dictionary = encoded.dictionary;
        let dictionary =
            dictionary.map(|(words, count)| Page::Dict(DictPage::new(CowBuffer::Owned(words), count, false)));
        Ok(dictionary.into_iter().chain([data]).collect())
    }

    /// Which values are there, and where lists begin; says how many values and gaps these are.
    fn levels(&self, rows: usize, nulls: usize, out: &mut Vec<u8>) -> PolarsResult<usize> {
        let Some(lists) = self.lists else {
            sized(out, |out| match self.values {
                _ if nulls == 0 => bool::run_length_encode(out, rows, true, 1),
                _ if nulls == rows => bool::run_length_encode(out, rows, false, 1),
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
                    levels.extend(span.map(|at| item - u32::from(nulls > 0 && !self.values.is_valid(at))));
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

/// Bits that numbers up to this one need.
const fn width(largest: usize) -> u32 {
    usize::BITS - largest.leading_zeros()
}

/// The values that are there.
fn present<T: Copy>(numbers: &Numbers<T>) -> impl Iterator<Item = T> {
    numbers.values.iter().zip(&numbers.valid).filter(|(_, valid)| **valid).map(|(value, _)| *value)
}

/// Places in a dictionary of so many values.
fn places(keys: impl Iterator<Item = u32>, count: usize) -> PolarsResult<Vec<u8>> {
    let bits = width(count.saturating_sub(1));
    let mut values = vec![bits as u8];
    encode::<u32, _, _>(&mut values, keys, bits)?;
    Ok(values)
}

fn booleans(numbers: &Numbers<bool>) -> PolarsResult<Encoded> {
    let there: Vec<bool> = present(numbers).collect();
    let mut values = Vec::new();
    bitpacked_encode(&mut values, there.into_iter())?;
    Ok(Encoded {
        encoding: FormatEncoding::PLAIN,
        dictionary: None,
        values,
        nulls: numbers.nulls,
        bounds: None,
    })
}

/// Whole numbers of `BYTES` bytes: a dictionary of what lies between the smallest and the
/// largest where that is little, else differences (eight bytes, in our tables mostly ascending) or as they are.
fn whole<T: Copy + Ord, const BYTES: usize>(
    numbers: &Numbers<T>,
    wide: impl Fn(T) -> i64,
    kind: &PrimitiveType,
) -> PolarsResult<Encoded> {
    let nulls = numbers.nulls;
    let little = |v: i64| v.to_le_bytes().into_iter().take(BYTES);
    let bounds = present(numbers).fold(None, |bounds: Option<(T, T)>, v| {
        Some(bounds.map_or((v, v), |(min, max)| (min.min(v), max.max(v))))
    });
    let Some((min, max)) = bounds.map(|(min, max)| (wide(min), wide(max))) else {
        return Ok(Encoded {
            encoding: FormatEncoding::PLAIN,
            dictionary: None,
            values: Vec::new(),
            nulls,
            bounds: None,
        });
    };
    let bounds = Some((little(min).collect(), little(max).collect()));
    let span = max.wrapping_sub(min).cast_unsigned();
    if span < NARROW {
        let count = span as usize + 1;
        let words = (0..=span.cast_signed()).flat_map(|step| little(min.wrapping_add(step))).collect();
        let values =
            places(present(numbers).map(|v| wide(v).wrapping_sub(min).cast_unsigned() as u32), count)?;
        return Ok(Encoded {
            encoding: FormatEncoding::RLE_DICTIONARY,
            dictionary: Some((words, count)),
            values,
            nulls,
            bounds,
        });
    }
    let wide = present(numbers).map(wide);
    let (encoding, values) = if BYTES == 8 {
        (FormatEncoding::DELTA_BINARY_PACKED, differences(wide.collect(), kind)?)
    } else {
        (FormatEncoding::PLAIN, wide.flat_map(little).collect())
    };
    Ok(Encoded { encoding, dictionary: None, values, nulls, bounds })
}

/// Polars' encoding of differences, of which we take what follows the levels.
fn differences(values: Vec<i64>, kind: &PrimitiveType) -> PolarsResult<Vec<u8>> {
    let array =
        Int64Chunked::from_vec(PlSmallStr::EMPTY, values).into_series().to_arrow(0, CompatLevel::newest());
    let mut required = kind.clone();
    required.field_info.repetition = Repetition::Required;
    let options = WriteOptions {
        statistics: StatisticsOptions::empty(),
        version: Version::V1,
        compression: CompressionOptions::Uncompressed,
        data_page_size: None,
    };
    match array_to_page_simple(array.as_ref(), required, options, Encoding::DeltaBinaryPacked)? {
        Page::Data(mut page) => Ok(std::mem::take(page.buffer_mut())),
        Page::Dict(_) => polars_bail!(ComputeError: "differences have no dictionary"),
    }
}

/// Floats: in our tables confidences, which are few.
fn floats(numbers: &Numbers<f64>) -> PolarsResult<Encoded> {
    let nulls = numbers.nulls;
    let mut words: Vec<f64> = Vec::new();
    let mut keys = Vec::with_capacity(numbers.values.len());
    for value in present(numbers) {
        let known = words.iter().position(|word| word.to_bits() == value.to_bits());
        let place = known.unwrap_or_else(|| {
            words.push(value);
            words.len() - 1
        });
        keys.push(place as u32);
        if words.len() > FEW {
            let values = present(numbers).flat_map(f64::to_le_bytes).collect();
            return Ok(Encoded {
                encoding: FormatEncoding::PLAIN,
                dictionary: None,
                values,
                nulls,
                bounds: None,
            });
        }
    }
    let values = places(keys.into_iter(), words.len())?;
    let dictionary = Some((words.iter().copied().flat_map(f64::to_le_bytes).collect(), words.len()));
    Ok(Encoded { encoding: FormatEncoding::RLE_DICTIONARY, dictionary, values, nulls, bounds: None })
}

/// Texts that all differ are written one after the other; else each once, and its place for every row.
fn text(texts: &Texts) -> PolarsResult<Encoded> {
    let (words, count) = texts.words();
    let (codes, nulls) = (texts.codes(), texts.nulls());
    let fits = |bound: &[u8]| (bound.len() <= LONGEST_BOUND).then(|| bound.to_vec());
    let bounds = texts.bounds().and_then(|(min, max)| fits(min).zip(fits(max)));
    if codes.len() - nulls == count {
        return Ok(Encoded {
            encoding: FormatEncoding::PLAIN,
            dictionary: None,
            values: words.to_vec(),
            nulls,
            bounds,
        });
    }
    let values = match nulls {
        0 => places(codes.iter().copied(), count)?,
        _ => places(codes.iter().copied().filter(|code| *code != NULL), count)?,
    };
    let dictionary = Some((words.to_vec(), count));
    Ok(Encoded { encoding: FormatEncoding::RLE_DICTIONARY, dictionary, values, nulls, bounds })
}
