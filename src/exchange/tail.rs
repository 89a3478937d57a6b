//! The fields that not every message has, packed behind one another.
//!
//! A run holds many messages at once, and most options are absent from most of
//! them. Here an absent field costs a bit, a present one its bytes and a
//! length, and up to [`INLINE`] bytes cost no allocation.

use std::borrow::Cow;
use std::fmt;

/// Bytes that are held in place: options 61, 12, 55 and 60 of most clients fit.
const INLINE: usize = 54;
/// A length byte that says that four bytes of length follow.
const LONG: u8 = u8::MAX;

/// The fields, in the order in which they are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Field {
    ClientId,
    Hostname,
    ParamList,
    VendorClass,
    SubnetMask,
    T1,
    T2,
    CircuitId,
    RemoteId,
    LinkSelection,
    ServerIdOverride,
    SubnetSelection,
    StatusText,
    Anomalies,
}

impl Field {
    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// Which fields are there, and their bytes with a length before each.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Tail {
    present: u16,
    bytes: Bytes,
}

#[derive(Clone, PartialEq, Eq)]
enum Bytes {
    /// Unused bytes are zero.
    Here(u8, [u8; INLINE]),
    Apart(Box<[u8]>),
}

impl Default for Tail {
    fn default() -> Self {
        Self { present: 0, bytes: Bytes::Here(0, [0; INLINE]) }
    }
}

impl Tail {
    fn bytes(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Here(len, bytes) => bytes.get(..usize::from(*len)).unwrap_or_default(),
            Bytes::Apart(bytes) => bytes,
        }
    }

    /// The bytes of a field.
    #[inline]
    pub(super) fn get(&self, field: Field) -> Option<&[u8]> {
        if self.present & field.bit() == 0 { None } else { self.find(field) }
    }

    fn find(&self, field: Field) -> Option<&[u8]> {
        let mut rest = self.bytes();
        let mut before = (self.present & (field.bit() - 1)).count_ones();
        loop {
            let (data, behind) = split(rest)?;
            if before == 0 {
                return Some(data);
            }
            before -= 1;
            rest = behind;
        }
    }

    /// A field of four bytes.
    #[inline]
    pub(super) fn four(&self, field: Field) -> Option<[u8; 4]> {
        self.get(field)?.try_into().ok()
    }
}

/// The first field of packed ones, and what is behind it.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&len, rest) = bytes.split_first()?;
    if len < LONG {
        return rest.split_at_checked(usize::from(len));
    }
    let (len, rest) = rest.split_first_chunk()?;
    rest.split_at_checked(u32::from_le_bytes(*len) as usize)
}

/// Prints the fields that are there.
impl fmt::Debug for Tail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#06x} {:02x?}", self.present, self.bytes())
    }
}

/// What can be a field.
pub(super) trait Bytewise {
    fn bytewise(&self) -> &[u8];
}

impl<const N: usize> Bytewise for [u8; N] {
    fn bytewise(&self) -> &[u8] {
        self
    }
}

impl Bytewise for &[u8] {
    fn bytewise(&self) -> &[u8] {
        self
    }
}

impl Bytewise for Cow<'_, [u8]> {
    fn bytewise(&self) -> &[u8] {
        self
    }
}

impl Bytewise for Cow<'_, str> {
    fn bytewise(&self) -> &[u8] {
        self.as_bytes()
    }
}

/// Packs fields, in their order.
pub(super) struct Packer {
    present: u16,
    len: usize,
    here: [u8; INLINE],
    apart: Vec<u8>,
}

impl Packer {
    pub(super) const fn new() -> Self {
        Self { present: 0, len: 0, here: [0; INLINE], apart: Vec::new() }
    }

    /// Appends a field that is present; fields come in the order of [`Field`].
    #[inline]
    pub(super) fn put(&mut self, field: Field, data: &[u8]) {
        debug_assert!(self.present < field.bit(), "fields are packed in their order");
        self.present |= field.bit();
        let end = self.len + 1 + data.len();
        if self.apart.is_empty()
            && data.len() < usize::from(LONG)
            && let Some([len, room @ ..]) = self.here.get_mut(self.len..end)
        {
            *len = data.len() as u8;
            room.copy_from_slice(data);
            self.len = end;
            return;
        }
        self.put_apart(data);
    }

    /// Appends a field where it is there.
    #[inline]
    pub(super) fn put_some(&mut self, field: Field, data: Option<impl Bytewise>) {
        if let Some(data) = data {
            self.put(field, data.bytewise());
        }
    }

    #[cold]
    fn put_apart(&mut self, data: &[u8]) {
        if self.apart.is_empty() {
            self.apart.reserve_exact(4 * INLINE);
            self.apart.extend_from_slice(self.here.get(..self.len).unwrap_or_default());
        }
        match u8::try_from(data.len()) {
            Ok(len) if len < LONG => self.apart.push(len),
            _ => {
                self.apart.push(LONG);
                self.apart.extend_from_slice(&u32::try_from(data.len()).unwrap_or(u32::MAX).to_le_bytes());
            }
        }
        self.apart.extend_from_slice(data);
    }

    pub(super) fn finish(self) -> Tail {
        let Self { present, len, here, apart } = self;
        let bytes = if apart.is_empty() {
            Bytes::Here(len as u8, here)
        } else {
            Bytes::Apart(apart.into_boxed_slice())
        };
        Tail { present, bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_back_whether_they_fit_in_place_or_not() {
        for long in [0, 1, 20, 33, 34, 35, 254, 255, 256, 70_000] {
            let text = vec![b'x'; long];
            let mut packer = Packer::new();
            packer.put(Field::ClientId, &[1, 2, 3]);
            packer.put(Field::ParamList, &text);
            packer.put(Field::T1, &[0, 0, 14, 16]);
            packer.put(Field::Anomalies, b"end");
            let tail = packer.finish();
            assert_eq!(tail.get(Field::ClientId), Some(&[1, 2, 3][..]));
            assert_eq!(tail.get(Field::ParamList), Some(&text[..]));
            assert_eq!(tail.four(Field::T1), Some([0, 0, 14, 16]));
            assert_eq!((tail.four(Field::T2), tail.get(Field::Hostname)), (None, None));
            assert_eq!(tail.get(Field::Anomalies), Some(&b"end"[..]));
            // 4 + 1 + 5 + 4 bytes around it.
            assert_eq!(matches!(tail.bytes, Bytes::Here(..)), long <= INLINE - 14, "{long}");
        }
        assert_eq!(Tail::default().get(Field::ClientId), None);
    }
}
