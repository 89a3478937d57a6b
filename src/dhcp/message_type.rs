//! Option 53.

use std::fmt;

/// A DHCP message type (option 53, RFC 2132 §9.6 and later RFCs).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageType(pub u8);

impl MessageType {
    /// DHCPDISCOVER.
    pub const DISCOVER: Self = Self(1);
    /// DHCPOFFER.
    pub const OFFER: Self = Self(2);
    /// DHCPREQUEST.
    pub const REQUEST: Self = Self(3);
    /// DHCPDECLINE.
    pub const DECLINE: Self = Self(4);
    /// DHCPACK.
    pub const ACK: Self = Self(5);
    /// DHCPNAK.
    pub const NAK: Self = Self(6);
    /// DHCPRELEASE.
    pub const RELEASE: Self = Self(7);
    /// DHCPINFORM.
    pub const INFORM: Self = Self(8);

    /// The name without its DHCP prefix, as in design and Kea's logs.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            1 => "DISCOVER",
            2 => "OFFER",
            3 => "REQUEST",
            4 => "DECLINE",
            5 => "ACK",
            6 => "NAK",
            7 => "RELEASE",
            8 => "INFORM",
            9 => "FORCERENEW",
            10 => "LEASEQUERY",
            11 => "LEASEUNASSIGNED",
            12 => "LEASEUNKNOWN",
            13 => "LEASEACTIVE",
            14 => "BULKLEASEQUERY",
            15 => "LEASEQUERYDONE",
            16 => "ACTIVELEASEQUERY",
            17 => "LEASEQUERYSTATUS",
            18 => "TLS",
            _ => return None,
        })
    }

    /// Whether the type is one of the registered ones.
    pub const fn is_known(self) -> bool {
        self.name().is_some()
    }

    /// Whether a server sends it (BOOTREPLY).
    pub const fn is_reply(self) -> bool {
        matches!(self.0, 2 | 5 | 6 | 9 | 11 | 12 | 13 | 15 | 17)
    }
}

impl fmt::Display for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "type {}", self.0),
        }
    }
}
