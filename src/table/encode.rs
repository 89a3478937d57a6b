//! Values to the bytes of a Parquet page.

use std::borrow::Cow;
use std::collections::HashMap;

use foldhash::fast::RandomState;
use polars::prelude::*;
use polars_parquet::parquet::encoding::hybrid_rle::{Encoder as _, bitpacked_encode, encode};
use polars_parquet::parquet::page::FormatEncoding;
use polars_parquet::parquet::schema::Repetition;
use polars_parquet::parquet::schema::types::PrimitiveType;
use polars_parquet::write::{
    CompressionOptions, Encoding, Page, StatisticsOptions, Version, WriteOptions, array_to_page_simple,
};

use super::texts::{NULL, Texts};
use super::values::{Numbers, Values};

/// Whole numbers with a span below this get a dictionary of the whole span.
const NARROW: u64 = 1024;
/// More floats than these get no dictionary.
const FEW: usize = 256;
/// After so many texts it is seen whether they repeat.
const PROBE: usize = 4096;
/// More texts than these have no bounds in the statistics.
const MANY: usize = 1024;
/// Longer texts are no bounds in the statistics.
const LONGEST_BOUND: usize = 64;

/// What the values of a page became.
pub(super) struct Encoded {
    pub encoding: FormatEncoding,
    /// How many values the dictionary has that they are places in.
    pub dictionary: Option<usize>,
    /// The smallest and the largest value.
    pub bounds: Option<(Vec<u8>, Vec<u8>)>,
}

impl Encoded {
    const fn plain(bounds: Option<(Vec<u8>, Vec<u8>)>) -> Self {
        Self { encoding: FormatEncoding::PLAIN, dictionary: None, bounds }
    }

    const fn places(count: usize, bounds: Option<(Vec<u8>, Vec<u8>)>) -> Self {
        Self { encoding: FormatEncoding::RLE_DICTIONARY, dictionary: Some(count), bounds }
    }
}

/// Encodes columns one after the other; what it allocated stays.
#[derive(Default)]
pub(super) struct Encoder {
    /// The dictionary of the last column that has one.
    pub dictionary: Vec<u8>,
    /// Place in the dictionary of each value.
    places: Vec<u32>,
    /// Places of texts by what stands for them.
    known: HashMap<u64, u32, RandomState>,
}

impl Encoder {
    /// Appends the values that are there.
    pub fn encode(
        &mut self,
        values: &Values,
        kind: &PrimitiveType,
        out: &mut Vec<u8>,
    ) -> PolarsResult<Encoded> {
        match values {
            Values::Bool(numbers) => {
                bitpacked_encode(out, present(numbers).iter().copied())?;
                Ok(Encoded::plain(None))
            }
            Values::U8(numbers) => self.whole::<_, 4>(numbers, i64::from, kind, out),
            Values::U16(numbers) => self.whole::<_, 4>(numbers, i64::from, kind, out),
            Values::U32(numbers) => self.whole::<_, 4>(numbers, i64::from, kind, out),
            Values::U64(numbers) => self.whole::<_, 8>(numbers, u64::cast_signed, kind, out),
            Values::I64(numbers) => self.whole::<_, 8>(numbers, |v| v, kind, out),
            Values::F64(numbers) => self.floats(numbers, out),
            Values::Text(texts) => self.texts(texts, out),
            Values::List(_) | Values::Struct { .. } => {
                polars_bail!(ComputeError: "a list or struct is no leaf")
            }
        }
    }

    /// Whole numbers of `BYTES` bytes: a dictionary of what lies between the smallest and the
    /// largest where that is little, else differences (eight bytes, in our tables mostly ascending) or as they are.
    fn whole<T: Copy + Ord, const BYTES: usize>(
        &mut self,
        numbers: &Numbers<T>,
        wide: impl Fn(T) -> i64,
        kind: &PrimitiveType,
        out: &mut Vec<u8>,
    ) -> PolarsResult<Encoded> {
        let little = |v: i64| v.to_le_bytes().into_iter().take(BYTES);
        let present = present(numbers);
        let Some(first) = present.first() else { return Ok(Encoded::plain(None)) };
        let (min, max) = present.iter().fold((first, first), |(min, max), v| (min.min(v), max.max(v)));
        let (min, max) = (wide(*min), wide(*max));
        let bounds = Some((little(min).collect(), little(max).collect()));
        let span = max.wrapping_sub(min).cast_unsigned();
        let present = present.iter().copied().map(wide);
        if span < NARROW {
            self.dictionary.extend((0..=span.cast_signed()).flat_map(|step| little(min.wrapping_add(step))));
            self.places.extend(present.map(|v| v.wrapping_sub(min).cast_unsigned() as u32));
            let count = span as usize + 1;
            self.put_places(count, out)?;
            return Ok(Encoded::places(count, bounds));
        }
        if BYTES == 8 {
            out.append(&mut differences(present.collect(), kind)?);
            return Ok(Encoded { encoding: FormatEncoding::DELTA_BINARY_PACKED, dictionary: None, bounds });
        }
        out.extend(present.flat_map(little));
        Ok(Encoded::plain(bounds))
    }

    /// Floats: in our tables confidences, which are few.
    fn floats(&mut self, numbers: &Numbers<f64>, out: &mut Vec<u8>) -> PolarsResult<Encoded> {
        let mut words: Vec<f64> = Vec::new();
        let present = present(numbers);
        for value in present.iter() {
            let known = words.iter().position(|word| word.to_bits() == value.to_bits());
            let place = known.unwrap_or_else(|| {
                words.push(*value);
                words.len() - 1
            });
            self.places.push(place as u32);
            if words.len() > FEW {
                out.extend(present.iter().copied().flat_map(f64::to_le_bytes));
                return Ok(Encoded::plain(None));
            }
        }
        self.dictionary.extend(words.iter().copied().flat_map(f64::to_le_bytes));
        self.put_places(words.len(), out)?;
        Ok(Encoded::places(words.len(), None))
    }

    /// Texts that hardly repeat are written one after the other; else each once, and its place for every row.
    fn texts(&mut self, texts: &Texts, out: &mut Vec<u8>) -> PolarsResult<Encoded> {
        let mut present = texts.present();
        self.known.clear();
        let mut count = 0;
        let mut last = (NULL, 0);
        for number in present.by_ref() {
            if number != last.0 {
                last = (number, *self.known.entry(number).or_insert(count));
                if last.1 == count {
                    count += 1;
                    put_text(texts, number, &mut self.dictionary);
                }
            }
            self.places.push(last.1);
            if self.places.len() == PROBE && count as usize > PROBE / 8 * 7 {
                break;
            }
        }
        let repeat = self.places.len() > count as usize;
        if repeat && self.places.len() + texts.nulls() == texts.numbers().len() {
            self.put_places(count as usize, out)?;
            return Ok(Encoded::places(count as usize, bounds(&self.dictionary, count as usize)));
        }
        let start = out.len();
        if repeat {
            present = texts.present();
        } else {
            out.extend_from_slice(&self.dictionary);
        }
        for number in present {
            put_text(texts, number, out);
        }
        let written = out.get(start..).unwrap_or_default();
        Ok(Encoded::plain(bounds(written, count as usize)))
    }

    /// Appends places in a dictionary of so many values.
    fn put_places(&mut self, count: usize, out: &mut Vec<u8>) -> PolarsResult<()> {
        let bits = width(count.saturating_sub(1));
        out.push(bits as u8);
        let places = self.places.iter().copied();
        match (bits, places.len()) {
            (_, 0) => {}
            (0, rows) => u32::run_length_encode(out, rows, 0, 0)?,
            // Places in a big dictionary have no runs worth looking for.
            (9.., _) => u32::bitpacked_encode(out, places, bits as usize)?,
            _ => encode::<u32, _, _>(out, places, bits)?,
        }
        Ok(())
    }

    /// Forgets the last column.
    pub fn clear(&mut self) {
        self.dictionary.clear();
        self.places.clear();
    }
}

/// Appends a text in PLAIN encoding: its length in four bytes, then its bytes.
fn put_text(texts: &Texts, number: u64, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    texts.write(number, out);
    let length = (out.len() - start - 4) as u32;
    if let Some(place) = out.get_mut(start..start + 4) {
        place.copy_from_slice(&length.to_le_bytes());
    }
}

/// The first and the last by bytes of so many texts in PLAIN encoding; many span nearly everything.
fn bounds(mut texts: &[u8], count: usize) -> Option<(Vec<u8>, Vec<u8>)> {
    if count > MANY {
        return None;
    }
    let mut words = std::iter::from_fn(|| {
        let (length, rest) = texts.split_first_chunk()?;
        let (word, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        texts = rest;
        Some(word)
    });
    let first = words.next()?;
    let (min, max) = words.fold(
        (first, first),
        |(min, max), word| {
            if word < min { (word, max) } else { (min, max.max(word)) }
        },
    );
    let fits = |bound: &[u8]| (bound.len() <= LONGEST_BOUND).then(|| bound.to_vec());
    fits(min).zip(fits(max))
}

/// Bits that numbers up to this one need.
pub(super) const fn width(largest: usize) -> u32 {
    usize::BITS - largest.leading_zeros()
}

/// The values that are there.
fn present<T: Copy>(numbers: &Numbers<T>) -> Cow<'_, [T]> {
    if numbers.nulls == 0 {
        return Cow::Borrowed(&numbers.values);
    }
    let there = numbers.values.iter().zip(&numbers.valid).filter(|(_, valid)| **valid);
    Cow::Owned(there.map(|(value, _)| *value).collect())
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
