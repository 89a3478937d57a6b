//! A column of text: every distinct text once, and a code for every row.

use std::fmt::{self, Display};
use std::hash::BuildHasher;
use std::io::Write as _;
use std::net::Ipv4Addr;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use ipnet::Ipv4Net;

use crate::units::{ExchangeId, FrameRef, HwAddr, Xid};

/// The code of a row without a text.
pub(super) const NULL: u32 = u32::MAX;
/// Keys whose codes are remembered, so that a text that just came is not written and hashed again.
const RECENT: usize = 1024;

/// A value that is stored as text.
pub(super) trait Text {
    /// Whether it is null instead.
    fn is_null(&self) -> bool {
        false
    }

    /// A number that only this text has among those of its column; `None` where finding it is no cheaper.
    fn key(&self) -> Option<u64> {
        None
    }

    /// The text, where it is at hand.
    fn bytes(&self) -> Option<&[u8]> {
        None
    }

    /// Whether the text is hardly ever repeated, so that looking for an earlier one is a waste.
    fn is_new(&self) -> bool {
        false
    }

    /// Appends the text.
    fn write(&self, out: &mut Vec<u8>);
}

/// Texts and the codes of rows.
#[derive(Clone, Default)]
pub(super) struct Texts {
    /// The distinct texts as Parquet's PLAIN encoding has them: length as four bytes, then the bytes.
    words: Vec<u8>,
    /// Where each of them starts.
    starts: Vec<usize>,
    codes: Vec<u32>,
    nulls: usize,
    /// Codes by text.
    index: HashTable<u32>,
    /// Keys with their codes, each in the slot that it hashes to.
    recent: Vec<(u64, u32)>,
    hasher: RandomState,
}

impl Texts {
    /// Appends a text.
    pub fn push(&mut self, text: &impl Text) {
        if text.is_null() {
            return self.push_null();
        }
        // A long text is told by a part of it, and then compared as a whole.
        let whole = text.bytes();
        let key = whole.map_or_else(|| text.key(), |bytes| Some(part_of(bytes)));
        let slot = key.map_or(0, |key| (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 54) as usize);
        if let (Some(key), Some((known, code))) = (key, self.recent.get(slot).copied())
            && key == known
            && whole.is_none_or(|bytes| self.word(code) == Some(bytes))
        {
            self.codes.push(code);
            return;
        }
        let code = self.enter(text);
        if let Some(key) = key {
            if self.recent.is_empty() {
                self.recent.resize(RECENT, (u64::MAX, NULL));
            }
            if let Some(recent) = self.recent.get_mut(slot) {
                *recent = (key, code);
            }
        }
        self.codes.push(code);
    }

    /// The code of a text, which is a new one unless the text was here before.
    fn enter(&mut self, text: &impl Text) -> u32 {
        let start = self.words.len();
        self.words.extend_from_slice(&[0; 4]);
        text.write(&mut self.words);
        let length = (self.words.len() - start - 4) as u32;
        if let Some(place) = self.words.get_mut(start..start + 4) {
            place.copy_from_slice(&length.to_le_bytes());
        }
        let code = self.starts.len() as u32;
        // This is also where the word before it ends.
        self.starts.push(start);
        if !text.is_new() {
            let Self { words, starts, index, hasher, .. } = self;
            let hash = |word: &[u8]| hasher.hash_one(word);
            let word = words.get(start..).unwrap_or_default();
            let of = |code: u32| at(words, starts, code).unwrap_or_default();
            match index.entry(hash(word), |known| of(*known) == word, |known| hash(of(*known))) {
                hashbrown::hash_table::Entry::Occupied(known) => {
                    let known = *known.get();
                    words.truncate(start);
                    starts.pop();
                    return known;
                }
                hashbrown::hash_table::Entry::Vacant(place) => {
                    place.insert(code);
                }
            }
        }
        code
    }

    /// Appends a null.
    pub fn push_null(&mut self) {
        self.codes.push(NULL);
        self.nulls += 1;
    }

    /// Forgets what keys stand for.
    pub fn forget(&mut self) {
        self.recent.clear();
    }

    /// Removes every row; what was allocated stays.
    pub fn clear(&mut self) {
        self.words.clear();
        self.starts.clear();
        self.codes.clear();
        self.nulls = 0;
        self.index.clear();
        self.forget();
    }

    /// The text of a row.
    pub fn get(&self, row: usize) -> Option<&str> {
        std::str::from_utf8(self.word(*self.codes.get(row)?)?).ok()
    }

    /// The text with this code.
    fn word(&self, code: u32) -> Option<&[u8]> {
        at(&self.words, &self.starts, code)?.get(4..)
    }

    /// Codes by row; [`NULL`] for null.
    pub fn codes(&self) -> &[u32] {
        &self.codes
    }

    /// Number of nulls.
    pub const fn nulls(&self) -> usize {
        self.nulls
    }

    /// Distinct texts in PLAIN encoding, and their number.
    pub fn words(&self) -> (&[u8], usize) {
        (&self.words, self.starts.len())
    }

    /// Bytes that texts and codes take.
    pub const fn size(&self) -> usize {
        self.words.len() + self.codes.len() * size_of::<u32>()
    }

    /// The first and the last text by bytes.
    pub fn bounds(&self) -> Option<(&[u8], &[u8])> {
        let mut words =
            (0..self.starts.len() as u32).filter_map(|code| at(&self.words, &self.starts, code)?.get(4..));
        let first = words.next()?;
        Some(words.fold(
            (first, first),
            |(min, max), word| {
                if word < min { (word, max) } else { (min, max.max(word)) }
            },
        ))
    }
}

impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries((0..self.codes.len()).map(|row| self.get(row))).finish()
    }
}

/// A word with its length before it.
fn at<'w>(words: &'w [u8], starts: &[usize], code: u32) -> Option<&'w [u8]> {
    let code = code as usize;
    words.get(*starts.get(code)?..starts.get(code + 1).copied().unwrap_or(words.len()))
}

/// The length and the last bytes of a text: what differs in sentences is mostly near the end.
fn part_of(bytes: &[u8]) -> u64 {
    let end = bytes.last_chunk::<8>().copied().unwrap_or_else(|| {
        let mut end = [0; 8];
        end.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        end
    });
    u64::from_le_bytes(end) ^ ((bytes.len() as u64) << 32)
}

/// Keys of different kinds of values differ in their highest bits.
const fn tagged(tag: u64, value: u64) -> Option<u64> {
    if value >> 60 == 0 { Some((tag << 60) | value) } else { None }
}

impl Text for &str {
    fn bytes(&self) -> Option<&[u8]> {
        Some(self.as_bytes())
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_bytes());
    }
}

impl Text for String {
    fn bytes(&self) -> Option<&[u8]> {
        Some(self.as_bytes())
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_bytes());
    }
}

impl Text for Ipv4Addr {
    fn key(&self) -> Option<u64> {
        tagged(1, self.to_bits().into())
    }

    fn write(&self, out: &mut Vec<u8>) {
        for (at, octet) in self.octets().into_iter().enumerate() {
            if at > 0 {
                out.push(b'.');
            }
            decimal(octet.into(), out);
        }
    }
}

impl Text for Ipv4Net {
    fn key(&self) -> Option<u64> {
        tagged(8, (u64::from(self.addr().to_bits()) << 8) | u64::from(self.prefix_len()))
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.addr().write(out);
        out.push(b'/');
        decimal(self.prefix_len().into(), out);
    }
}

impl Text for Xid {
    fn key(&self) -> Option<u64> {
        tagged(2, self.0.into())
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.0.to_be_bytes().into_iter().flat_map(hex));
    }
}

/// Bytes as colon hex.
pub(super) struct Hex<'a>(pub &'a [u8]);

impl Text for Hex<'_> {
    fn key(&self) -> Option<u64> {
        let packed = self.0.iter().fold(self.0.len() as u64, |key, byte| (key << 8) | u64::from(*byte));
        // Seven bytes and their number below 16.
        if self.0.len() <= 7 { tagged(3, packed) } else { None }
    }

    fn write(&self, out: &mut Vec<u8>) {
        for (at, byte) in self.0.iter().enumerate() {
            if at > 0 {
                out.push(b':');
            }
            out.extend(hex(*byte));
        }
    }
}

/// The empty address is null.
impl Text for HwAddr {
    fn is_null(&self) -> bool {
        self.is_empty()
    }

    fn key(&self) -> Option<u64> {
        Hex(self.as_bytes()).key()
    }

    fn write(&self, out: &mut Vec<u8>) {
        Hex(self.as_bytes()).write(out);
    }
}

impl Text for ExchangeId {
    fn key(&self) -> Option<u64> {
        tagged(4, self.0.into())
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.push(b'e');
        decimal(u64::from(self.0) + 1, out);
    }
}

/// A frame as `source#number`.
pub(super) struct FrameName<'a> {
    /// The source's name.
    pub source: &'a str,
    /// The frame.
    pub at: FrameRef,
    /// Whether the column hardly ever names a frame twice.
    pub once: bool,
}

impl Text for FrameName<'_> {
    fn key(&self) -> Option<u64> {
        let (source, number) = (u64::from(self.at.source.0), self.at.number);
        if self.once || number >> 40 != 0 { None } else { tagged(5, (source << 40) | number) }
    }

    fn is_new(&self) -> bool {
        self.once
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.source.as_bytes());
        out.push(b'#');
        decimal(self.at.number, out);
    }
}

/// A word that the program knows: it stays where it is, so its address is its key.
pub(super) struct Word(pub &'static str);

impl Text for Word {
    fn key(&self) -> Option<u64> {
        tagged(6, self.0.as_ptr().addr() as u64 ^ ((self.0.len() as u64) << 48))
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.0.as_bytes());
    }
}

/// What belongs to a number, in a column whose other texts do too.
pub(super) struct Numbered<T>(pub usize, pub T);

impl<T: Display> Text for Numbered<T> {
    fn key(&self) -> Option<u64> {
        tagged(7, self.0 as u64)
    }

    fn write(&self, out: &mut Vec<u8>) {
        // Writing into a vector cannot fail.
        let _ = write!(out, "{}", self.1);
    }
}

/// A number in decimal digits.
fn decimal(number: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// The two digits of a byte.
fn hex(byte: u8) -> [u8; 2] {
    [byte >> 4, byte & 0xf].map(|nibble| if nibble < 10 { b'0' + nibble } else { b'a' - 10 + nibble })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_one_code_however_many_come_between() {
        let mut texts = Texts::default();
        for round in 0..3 {
            for number in 0..500 {
                for _again in 0..2 {
                    texts.push(&format!("client {number}").as_str());
                    // What was just written is not remembered by a key.
                    texts.forget();
                }
            }
            assert_eq!(texts.words().1, 500, "round {round}");
        }
        let expected: Vec<u32> = (0..3).flat_map(|_| (0..1000).map(|at| at / 2)).collect();
        assert_eq!(texts.codes(), expected);
    }
}
