//! Relay agent information, option 82 (RFC 3046).

use std::net::Ipv4Addr;

/// The sub-options of option 82; unknown ones are kept too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RelayInfo {
    /// Every sub-option in order: code and data.
    pub sub_options: Vec<(u8, Vec<u8>)>,
}

impl RelayInfo {
    /// Reads the joined option; the flag says that it was cut inside a sub-option.
    pub fn parse(mut bytes: &[u8]) -> (Self, bool) {
        let mut sub_options = Vec::new();
        while let Some((&code, rest)) = bytes.split_first() {
            let Some((&len, rest)) = rest.split_first() else { return (Self { sub_options }, true) };
            let Some((data, rest)) = rest.split_at_checked(usize::from(len)) else {
                return (Self { sub_options }, true);
            };
            sub_options.push((code, data.to_vec()));
            bytes = rest;
        }
        (Self { sub_options }, false)
    }

    /// The data of the first sub-option with this code.
    pub fn get(&self, code: u8) -> Option<&[u8]> {
        self.sub_options.iter().find(|(c, _)| *c == code).map(|(_, data)| data.as_slice())
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
