//! Small value types that every stage shares: instants, identifiers and
//! addresses that must not be swapped for one another.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

/// An instant of capture time: nanoseconds since 1970-01-01 00:00:00 UTC.
///
/// Only captures produce these values; nothing below `pipeline` reads a clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaptureTime(pub i64);

impl CaptureTime {
    /// Nanoseconds from `earlier` to `self`; negative when `self` is earlier.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// This instant moved by `ns` nanoseconds.
    #[must_use]
    pub const fn plus(self, ns: i64) -> Self {
        Self(self.0.saturating_add(ns))
    }
}

/// Nanoseconds in one second.
pub const SECOND: i64 = 1_000_000_000;

/// DHCP transaction identifier (RFC 2131 §2), printed as eight hexadecimal digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Xid(pub u32);

impl fmt::Display for Xid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl FromStr for Xid {
    type Err = String;

    /// Reads `764a5874`, `0x764a5874` and the unpadded form of Kea's logs.
    fn from_str(s: &str) -> Result<Self, String> {
        let digits = s.strip_prefix("0x").or_else(|| s.strip_prefix("0X")).unwrap_or(s);
        u32::from_str_radix(digits, 16)
            .map(Self)
            .map_err(|_| format!("\"{s}\" is not a transaction id (up to eight hexadecimal digits)"))
    }
}

/// A hardware address of up to 16 bytes, stored inline.
///
/// For a DHCP message this is `chaddr` cut to `hlen` (RFC 2131 §2). The empty
/// address stands for `hlen` 0.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct HwAddr {
    len: u8,
    /// Zero behind `len`.
    bytes: [u8; 16],
}

/// All bytes as one number, which is hashed faster than a list of them.
impl Hash for HwAddr {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u128(u128::from_ne_bytes(self.bytes));
        state.write_u8(self.len);
    }
}

impl HwAddr {
    /// The first 16 bytes of `bytes`.
    pub fn new(bytes: &[u8]) -> Self {
        // Nearly every address is an Ethernet one, of a length known at compile time.
        if let Ok(mac) = <[u8; 6]>::try_from(bytes) {
            let mut address = Self { len: 6, bytes: [0; 16] };
            if let Some(room) = address.bytes.first_chunk_mut() {
                *room = mac;
            }
            return address;
        }
        let mut address = Self::default();
        for (to, from) in address.bytes.iter_mut().zip(bytes) {
            *to = *from;
            address.len += 1;
        }
        address
    }

    /// The bytes that belong to the address.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// Whether there is no address at all (`hlen` 0).
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl fmt::Display for HwAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&colon_hex(self.as_bytes()))
    }
}

impl fmt::Debug for HwAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for HwAddr {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        match read_hex(s) {
            Some(bytes) if (1..=16).contains(&bytes.len()) => Ok(Self::new(&bytes)),
            _ => Err(format!("\"{s}\" is not a hardware address such as 08:00:27:a2:00:01")),
        }
    }
}

/// Lower-case hexadecimal bytes joined by colons; empty for no bytes.
pub fn colon_hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 3);
    for (i, byte) in bytes.iter().enumerate() {
        if i > 0 {
            text.push(':');
        }
        for nibble in [byte >> 4, byte & 0xf] {
            text.extend(char::from_digit(u32::from(nibble), 16));
        }
    }
    text
}

/// Bytes of which there are few, such as a client identifier.
pub type Bytes = smallvec::SmallVec<[u8; 16]>;

/// Reads hexadecimal bytes written with colons, dashes, dots or no separator.
///
/// With colons or dashes a byte may be one digit (`8:0:27:a2:0:1`), as some
/// systems print it.
pub fn parse_hex(s: &str) -> Option<Vec<u8>> {
    read_hex(s).map(Bytes::into_vec)
}

/// The same without an allocation.
pub fn read_hex(s: &str) -> Option<Bytes> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let mut bytes = Bytes::new();
    if s.bytes().any(|byte| matches!(byte, b':' | b'-')) {
        // The value of a byte so far, and its digits.
        let (mut value, mut digits) = (0, 0);
        for byte in s.bytes() {
            if matches!(byte, b':' | b'-') {
                bytes.push(Some(value).filter(|_| digits > 0)?);
                (value, digits) = (0, 0);
            } else {
                (value, digits) = (value << 4 | digit(byte)?, digits + 1);
                if digits > 2 {
                    return None;
                }
            }
        }
        bytes.push(Some(value).filter(|_| digits > 0)?);
        return Some(bytes);
    }
    let mut digits = s.bytes().filter(|byte| *byte != b'.');
    while let Some(high) = digits.next() {
        bytes.push(digit(high)? << 4 | digit(digits.next()?)?);
    }
    Some(bytes)
}

/// Index of a capture source in [`crate::capture::Sources`]: one file, or one
/// interface of a pcapng file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u32);

/// Where a captured frame is found again: its source and its number in the
/// file, counted from 1 as Wireshark shows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameRef {
    /// The source that holds the frame.
    pub source: SourceId,
    /// The frame's number in its file, from 1.
    pub number: u64,
}

/// Frames that show something; few, so they are kept inline.
pub type Frames = smallvec::SmallVec<[FrameRef; 4]>;

/// Index of a DHCP server machine: first those of the topology in its order,
/// then those that only the packets revealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerId(pub usize);

/// Index of a zone in [`crate::capture::Sources`] order of appearance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ZoneId(pub u16);

/// Index of a message in the order it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub u32);

/// Number of an exchange, in the order their first messages were captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExchangeId(pub u32);

/// As every table names it: `e1` is the first exchange.
impl fmt::Display for ExchangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "e{}", u64::from(self.0) + 1)
    }
}

/// Sorts a list in which everything is near its place, as what was captured by time and
/// grouped by client is; stable. Other lists are sorted as usual.
pub fn sort_nearly_sorted<T: Copy, K: Ord>(list: &mut [T], key: impl Fn(&T) -> K) {
    // So many steps an entry, on average, are still cheaper than a merge sort.
    let mut steps = 16 * list.len();
    for at in 1..list.len() {
        let Some((sorted, [entry, ..])) = list.split_at_mut_checked(at) else { return };
        let own = key(entry);
        let behind = sorted.iter().rev().take(steps + 1).take_while(|before| key(before) > own).count();
        if behind == 0 {
            continue;
        }
        if behind > steps {
            return list.sort_by_key(key);
        }
        steps -= behind;
        if let Some(moved) = list.get_mut(at - behind..=at) {
            moved.rotate_right(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearly_sorted_lists_and_others_are_sorted_and_stable() {
        for distance in [1, 3, 10, 1000] {
            // Numbers that are at most so far from their place, with equal keys among them.
            let list: Vec<(u32, u32)> =
                (0..2000u32).map(|at| (at.midpoint(at * 7919 % distance), at)).collect();
            let (mut ours, mut theirs) = (list.clone(), list);
            sort_nearly_sorted(&mut ours, |entry| entry.0);
            theirs.sort_by_key(|entry| entry.0);
            assert_eq!(ours, theirs, "{distance}");
        }
    }
}
