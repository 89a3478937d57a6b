//! A column of text: a number for every row that says what its text is.
//!
//! Most texts are addresses, identifiers and frames, and those fit into a number.
//! So a row costs a store, and only the texts that differ are ever written out,
//! by whoever writes the file. The other texts are [`Words`].

use std::borrow::Cow;
use std::fmt;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::words::Words;
use crate::units::{ExchangeId, FrameRef, HwAddr, Xid};

/// A row without a text.
pub(super) const NULL: u64 = u64::MAX;

/// Bits of a number that say what the text says; those above say what it is.
const BITS: u32 = 60;
/// The text is a word, and the number its code.
const WORD: u64 = 0;
const IP: u64 = 1;
const PREFIX: u64 = 2;
const XID: u64 = 3;
const HEX: u64 = 4;
const EXCHANGE: u64 = 5;
const FRAME: u64 = 6;
const LEASE: u64 = 7;

/// Bytes of colon hex that fit, with their number.
const SHORT: usize = 7;
/// Bits of a frame's number; above them is the code of its source's name.
const FRAME_BITS: u32 = 40;

const fn packed(kind: u64, value: u64) -> u64 {
    debug_assert!(value >> BITS == 0, "it does not fit");
    (kind << BITS) | value
}

/// A value that is stored as text.
pub(super) trait Text {
    /// The number that stands for the text in a column with these words; [`NULL`] for none.
    fn number(&self, words: &mut Words) -> u64;
}

/// The texts of rows.
#[derive(Clone, Default)]
pub(super) struct Texts {
    numbers: Vec<u64>,
    nulls: usize,
    words: Words,
}

impl Texts {
    /// Appends a text.
    #[inline]
    pub fn push(&mut self, text: &impl Text) {
        let number = text.number(&mut self.words);
        self.nulls += usize::from(number == NULL);
        self.numbers.push(number);
    }

    /// Appends a null.
    #[inline]
    pub fn push_null(&mut self) {
        self.numbers.push(NULL);
        self.nulls += 1;
    }

    /// Appends the text of another column's row.
    pub fn push_from(&mut self, other: &Self, row: usize) {
        let number = other.numbers.get(row).copied().unwrap_or(NULL);
        let value = number & ((1 << BITS) - 1);
        let number = match number >> BITS {
            WORD => self.words.text(other.words.get(value)),
            FRAME => {
                let source = self.words.text(other.words.get(value >> FRAME_BITS));
                FrameName::of(source, value & ((1 << FRAME_BITS) - 1)).unwrap_or_else(|| {
                    let mut text = Vec::new();
                    other.write(number, &mut text);
                    self.words.text(&text)
                })
            }
            _ => number,
        };
        self.nulls += usize::from(number == NULL);
        self.numbers.push(number);
    }

    /// Forgets what keys of words stand for.
    pub fn forget(&mut self) {
        self.words.forget();
    }

    /// Removes every row; what was allocated stays.
    pub fn clear(&mut self) {
        self.numbers.clear();
        self.nulls = 0;
        self.words.clear();
    }

    /// The text of a row.
    pub fn get(&self, row: usize) -> Option<Cow<'_, str>> {
        let number = *self.numbers.get(row)?;
        match number >> BITS {
            _ if number == NULL => None,
            WORD => std::str::from_utf8(self.words.get(number)).ok().map(Cow::Borrowed),
            _ => {
                let mut text = Vec::new();
                self.write(number, &mut text);
                String::from_utf8(text).ok().map(Cow::Owned)
            }
        }
    }

    /// What stands for the text of each row; [`NULL`] for none.
    pub fn numbers(&self) -> &[u64] {
        &self.numbers
    }

    /// The same of the rows that have a text.
    pub fn present(&self) -> impl Iterator<Item = u64> {
        self.numbers.iter().copied().filter(|number| *number != NULL)
    }

    /// Number of nulls.
    pub const fn nulls(&self) -> usize {
        self.nulls
    }

    /// Bytes that rows and words take.
    pub const fn size(&self) -> usize {
        self.words.size() + self.numbers.len() * size_of::<u64>()
    }

    /// Appends the text that a number stands for.
    pub fn write(&self, number: u64, out: &mut Vec<u8>) {
        let value = number & ((1 << BITS) - 1);
        match number >> BITS {
            WORD => out.extend_from_slice(self.words.get(value)),
            IP => ip(value as u32, out),
            PREFIX => {
                ip((value >> 8) as u32, out);
                out.push(b'/');
                decimal(value & 0xff, out);
            }
            XID => out.extend((value as u32).to_be_bytes().into_iter().flat_map(hex)),
            HEX => {
                let length = (value >> (8 * SHORT)) as usize;
                colon_hex(value.to_be_bytes().get(8 - length..).unwrap_or_default(), out);
            }
            EXCHANGE => {
                out.push(b'e');
                decimal(value + 1, out);
            }
            FRAME => {
                out.extend_from_slice(self.words.get(value >> FRAME_BITS));
                out.push(b'#');
                decimal(value & ((1 << FRAME_BITS) - 1), out);
            }
            LEASE => {
                out.push(b'l');
                decimal(value + 1, out);
            }
            _ => {}
        }
    }
}

impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries((0..self.numbers.len()).map(|row| self.get(row))).finish()
    }
}

impl Text for &str {
    fn number(&self, words: &mut Words) -> u64 {
        words.text(self.as_bytes())
    }
}

impl Text for String {
    fn number(&self, words: &mut Words) -> u64 {
        words.text(self.as_bytes())
    }
}

impl Text for Ipv4Addr {
    #[inline]
    fn number(&self, _: &mut Words) -> u64 {
        packed(IP, self.to_bits().into())
    }
}

impl Text for Ipv4Net {
    fn number(&self, _: &mut Words) -> u64 {
        packed(PREFIX, (u64::from(self.addr().to_bits()) << 8) | u64::from(self.prefix_len()))
    }
}

impl Text for Xid {
    #[inline]
    fn number(&self, _: &mut Words) -> u64 {
        packed(XID, self.0.into())
    }
}

/// Bytes as colon hex.
pub(super) struct Hex<'a>(pub &'a [u8]);

impl Text for Hex<'_> {
    #[inline]
    fn number(&self, words: &mut Words) -> u64 {
        if self.0.len() > SHORT {
            let mut text = Vec::with_capacity(3 * self.0.len());
            colon_hex(self.0, &mut text);
            return words.text(&text);
        }
        let bytes = self.0.iter().fold(0, |bytes, byte| (bytes << 8) | u64::from(*byte));
        packed(HEX, ((self.0.len() as u64) << (8 * SHORT)) | bytes)
    }
}

/// The empty address is null.
impl Text for HwAddr {
    #[inline]
    fn number(&self, words: &mut Words) -> u64 {
        if self.is_empty() { NULL } else { Hex(self.as_bytes()).number(words) }
    }
}

impl Text for ExchangeId {
    #[inline]
    fn number(&self, _: &mut Words) -> u64 {
        packed(EXCHANGE, self.0.into())
    }
}

/// The name of a lease: the number of the exchange that created it, which creates no other.
pub(super) struct LeaseName(pub ExchangeId);

impl Text for LeaseName {
    fn number(&self, _: &mut Words) -> u64 {
        packed(LEASE, self.0.0.into())
    }
}

/// A frame as `source#number`.
pub(super) struct FrameName<'a> {
    /// The source's name.
    pub source: &'a str,
    /// The frame.
    pub at: FrameRef,
}

impl FrameName<'_> {
    /// What stands for a frame of the source whose name has this code, where it fits.
    #[inline]
    fn of(source: u64, frame: u64) -> Option<u64> {
        let fits = source >> (BITS - FRAME_BITS) == 0 && frame >> FRAME_BITS == 0;
        fits.then(|| packed(FRAME, (source << FRAME_BITS) | frame))
    }
}

impl Text for FrameName<'_> {
    #[inline]
    fn number(&self, words: &mut Words) -> u64 {
        let source = Numbered(self.at.source.0 as usize, self.source).number(words);
        Self::of(source, self.at.number)
            .unwrap_or_else(|| words.text(format!("{}#{}", self.source, self.at.number).as_bytes()))
    }
}

/// A word that the program knows: it stays where it is, so its address is its key.
pub(super) struct Word(pub &'static str);

impl Text for Word {
    #[inline]
    fn number(&self, words: &mut Words) -> u64 {
        let key = self.0.as_ptr().addr() as u64 ^ ((self.0.len() as u64) << 48);
        words.known(key, self.0)
    }
}

/// What belongs to a number, in a column whose other texts do too.
pub(super) struct Numbered<T>(pub usize, pub T);

impl<T: AsRef<str>> Text for Numbered<T> {
    #[inline]
    fn number(&self, words: &mut Words) -> u64 {
        words.known((1 << 62) | self.0 as u64, self.1.as_ref())
    }
}

/// A number in decimal digits.
fn decimal(number: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

fn ip(bits: u32, out: &mut Vec<u8>) {
    for (at, octet) in bits.to_be_bytes().into_iter().enumerate() {
        if at > 0 {
            out.push(b'.');
        }
        if octet >= 100 {
            out.push(b'0' + octet / 100);
        }
        if octet >= 10 {
            out.push(b'0' + octet / 10 % 10);
        }
        out.push(b'0' + octet % 10);
    }
}

fn colon_hex(bytes: &[u8], out: &mut Vec<u8>) {
    out.reserve(3 * bytes.len());
    for byte in bytes {
        let [high, low] = hex(*byte);
        out.extend_from_slice(&[high, low, b':']);
    }
    if !bytes.is_empty() {
        out.pop();
    }
}

/// The two digits of a byte.
fn hex(byte: u8) -> [u8; 2] {
    [byte >> 4, byte & 0xf].map(|nibble| if nibble < 10 { b'0' + nibble } else { b'a' - 10 + nibble })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::SourceId;

    #[test]
    fn numbers_are_written_as_the_values_that_they_stand_for() {
        let mut texts = Texts::default();
        let mut expected: Vec<Option<String>> = Vec::new();
        for address in [0, 0x0a64_09ff, 0x0102_030a, u32::MAX].map(Ipv4Addr::from) {
            texts.push(&address);
            texts.push(&Ipv4Net::new_assert(address, 23));
            expected.extend([Some(address.to_string()), Some(format!("{address}/23"))]);
        }
        for length in 0..10 {
            let bytes: Vec<u8> = (0..length).map(|at| 0xf0 | at).collect();
            let address = HwAddr::new(&bytes);
            texts.push(&Hex(&bytes));
            texts.push(&address);
            expected.push(Some(address.to_string()));
            expected.push(Some(address.to_string()).filter(|text| !text.is_empty()));
        }
        texts.push(&Xid(0x1a));
        texts.push(&ExchangeId(9));
        texts.push(&LeaseName(ExchangeId(0)));
        expected.extend(["0000001a", "e10", "l1"].map(|text| Some(text.to_owned())));
        // The last two numbers do not fit.
        for (source, number) in [("a", 1), ("b", (1 << 40) - 1), ("b", 1 << 40), ("b", u64::MAX)] {
            let at = FrameRef { source: SourceId(source.len() as u32 + number as u32 % 2), number };
            texts.push(&FrameName { source, at });
            texts.forget();
            texts.push_null();
            expected.extend([Some(format!("{source}#{number}")), None]);
        }
        let mut copied = Texts::default();
        copied.push(&Word("another word"));
        for (row, expected) in expected.iter().enumerate() {
            assert_eq!(texts.get(row).as_deref(), expected.as_deref(), "{row}");
            copied.push_from(&texts, row);
            assert_eq!(copied.get(row + 1).as_deref(), expected.as_deref(), "{row}, copied");
        }
        assert_eq!((texts.nulls(), copied.nulls()), (5, 5));
    }
}
