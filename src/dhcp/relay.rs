//! Relay agent information, option 82 (RFC 3046).

use std::borrow::Cow;
use std::net::Ipv4Addr;

/// The sub-options of option 82, unknown ones too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayInfo<'a> {
    bytes: Cow<'a, [u8]>,
}

impl<'a> RelayInfo<'a> {
    /// Of the joined option.
    pub const fn new(bytes: Cow<'a, [u8]>) -> Self {
        Self { bytes }
    }

    /// Every sub-option in order, code and data, up to the one inside which the option ends.
    pub fn sub_options(&self) -> impl Iterator<Item = (u8, &[u8])> {
        let mut bytes = &*self.bytes;
        std::iter::from_fn(move || {
            let (code, data, rest) = split(bytes)?;
            bytes = rest;
            Some((code, data))
        })
    }

    /// Whether the option ends inside a sub-option.
    pub fn is_cut(&self) -> bool {
        let mut bytes = &*self.bytes;
        while let Some((_, _, rest)) = split(bytes) {
            bytes = rest;
        }
        !bytes.is_empty()
    }

    /// The data of the first sub-option with this code.
    pub fn get(&self, code: u8) -> Option<&[u8]> {
        self.sub_options().find(|(c, _)| *c == code).map(|(_, data)| data)
    }

    fn address(&self, code: u8) -> Option<Ipv4Addr> {
        <[u8; 4]>::try_from(self.get(code)?).ok().map(Ipv4Addr::from)
    }

    /// Sub-option 1, circuit id.
    pub fn circuit_id(&self) -> Option<&[u8]> {
        self.get(1)
    }

    /// Sub-option 2, remote id.
    pub fn remote_id(&self) -> Option<&[u8]> {
        self.get(2)
    }

    /// Sub-option 5, link selection (RFC 3527).
    pub fn link_selection(&self) -> Option<Ipv4Addr> {
        self.address(5)
    }

    /// Sub-option 11, server identifier override (RFC 5107).
    pub fn server_id_override(&self) -> Option<Ipv4Addr> {
        self.address(11)
    }
}

fn split(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let [code, len, rest @ ..] = bytes else { return None };
    let (data, rest) = rest.split_at_checked(usize::from(*len))?;
    Some((*code, data, rest))
}
