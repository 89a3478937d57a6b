//! Whom an exchange belongs to.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

use crate::units::HwAddr;

/// Whom an exchange belongs to: `chaddr` and option 61 as the client sent them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Client {
    /// `chaddr` cut to `hlen`.
    pub chaddr: HwAddr,
    /// Option 61, absent when the client sent none.
    pub client_id: Option<ClientId>,
}

/// Bytes that are held in place: most identifiers are 7 (RFC 2132 §9.14) or 19 bytes
/// long (RFC 4361 §6.1 with the usual DUID).
const INLINE: usize = 22;

/// Option 61. It is compared, and looked at, as the bytes that it is.
#[derive(Clone)]
pub struct ClientId(Bytes);

#[derive(Clone)]
enum Bytes {
    Here(u8, [u8; INLINE]),
    Apart(Box<[u8]>),
}

impl ClientId {
    /// That of a client which names its Ethernet address, as nearly every one does: hardware type 1 and `chaddr`.
    pub fn of_hardware(chaddr: HwAddr) -> Self {
        let address = chaddr.as_bytes();
        let mut bytes = [1; INLINE];
        if let Some(room) = bytes.get_mut(1..=address.len()) {
            room.copy_from_slice(address);
        }
        Self::from(bytes.get(..=address.len()).unwrap_or_default())
    }
}

impl From<&[u8]> for ClientId {
    fn from(id: &[u8]) -> Self {
        let mut bytes = [0; INLINE];
        Self(match bytes.get_mut(..id.len()) {
            Some(room) => {
                room.copy_from_slice(id);
                Bytes::Here(id.len() as u8, bytes)
            }
            None => Bytes::Apart(id.into()),
        })
    }
}

impl Deref for ClientId {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Bytes::Here(len, bytes) => bytes.get(..usize::from(*len)).unwrap_or_default(),
            Bytes::Apart(bytes) => bytes,
        }
    }
}

impl fmt::Debug for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x?}", &**self)
    }
}

impl PartialEq for ClientId {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for ClientId {}

impl Hash for ClientId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl PartialOrd for ClientId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ClientId {
    fn cmp(&self, other: &Self) -> Ordering {
        (**self).cmp(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_their_bytes_whether_they_fit_in_place_or_not() {
        let ids: Vec<Vec<u8>> = (0..2 * INLINE).map(|len| vec![len as u8; len]).collect();
        for (one, id) in ids.iter().map(|bytes| (bytes, ClientId::from(bytes.as_slice()))) {
            assert_eq!(&*id, one.as_slice());
            for other in &ids {
                let theirs = ClientId::from(other.as_slice());
                assert_eq!((id == theirs, id.cmp(&theirs)), (one == other, one.cmp(other)));
            }
        }
    }
}
