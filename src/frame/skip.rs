//! Why a frame is neither a DHCP candidate nor a TCP segment.

use std::ops::{Add, AddAssign};

/// Declares the enum, its names and its list in one place, so that none can be forgotten.
macro_rules! skips {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// The reason why a frame gave neither a datagram nor a segment.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Skip {
            $($(#[$doc])* $variant,)*
        }

        impl Skip {
            /// Every reason, in the order of [`Skip::index`].
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The stable kebab-case name, as tables and reports print it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

skips! {
    /// ARP or RARP.
    Arp = "arp",
    /// IPv6 other than DHCPv6, also inside a tunnel.
    Ipv6 = "ipv6",
    /// DHCPv6 (UDP port 546 or 547 over IPv6), which this program does not analyse.
    Dhcpv6 = "dhcpv6",
    /// UDP over IPv4 on other ports than 67, 68 and 4011.
    UdpOther = "udp-other",
    /// ICMP, also where it quotes a DHCP message that could not be delivered.
    Icmp = "icmp",
    /// IPv4 with a protocol that is none of the others here.
    IpOther = "ip-other",
    /// A fragment of a UDP datagram whose other fragments are still missing, or
    /// that was complete before (a fragment seen twice).
    FragmentHeld = "fragment-held",
    /// A later fragment of a UDP datagram that is not DHCP, or any fragment but
    /// the first of another protocol.
    FragmentOther = "fragment-other",
    /// Fragments that overlap with different content or exceed 65,535 bytes;
    /// the datagram was dropped, since it has no single meaning.
    FragmentConflict = "fragment-conflict",
    /// A later fragment that a snap length cut, so its datagram cannot be put together.
    FragmentCut = "fragment-cut",
    /// The capture's link type is not decoded.
    LinkTypeUnsupported = "link-type-unsupported",
    /// The frame ends inside its link-layer header.
    LinkTooShort = "link-too-short",
    /// An EtherType that is none of the others here (LLDP, 802.1X, PROFINET, …).
    EtherTypeOther = "ethertype-other",
    /// An LLC frame that carries no IP (spanning tree, CDP, IS-IS, …).
    LlcOther = "llc-other",
    /// PPPoE discovery.
    PppoeDiscovery = "pppoe-discovery",
    /// A PPP frame that carries no IP (LCP, IPCP, …), or compressed PPP.
    PppOther = "ppp-other",
    /// An 802.11 frame without data (management, control, null), or a fragment of one.
    WlanOther = "wlan-other",
    /// An 802.11 A-MSDU, which carries several frames in one; not decoded.
    WlanAggregate = "wlan-aggregate",
    /// Encrypted 802.11 data. Capture behind the access point to see DHCP.
    EncryptedWlan = "encrypted-wlan",
    /// MACsec (IEEE 802.1AE).
    EncryptedMacsec = "encrypted-macsec",
    /// IPsec ESP.
    EncryptedIpsec = "encrypted-ipsec",
    /// A tunnel header of an unknown version, or one whose content is not decoded.
    TunnelOther = "tunnel-other",
    /// A frame that ends inside a tunnel header.
    TunnelTooShort = "tunnel-too-short",
    /// More layers of tags and tunnels than [`super::MAX_DEPTH`].
    TooDeep = "too-deep",
    /// The frame ends inside the IPv4 header.
    Ipv4TooShort = "ipv4-too-short",
    /// An IPv4 header that contradicts itself (version, header length, total length).
    Ipv4Malformed = "ipv4-malformed",
    /// The frame ends inside the UDP header.
    UdpTooShort = "udp-too-short",
    /// A datagram to or from a DHCP port with less than two bytes in it.
    UdpEmpty = "udp-empty",
    /// A UDP length below 8.
    UdpMalformed = "udp-malformed",
    /// The frame ends inside the TCP header.
    TcpTooShort = "tcp-too-short",
    /// A TCP data offset below 5, or beyond the segment.
    TcpMalformed = "tcp-malformed",
}

impl Skip {
    /// How many reasons there are.
    pub const COUNT: usize = Self::ALL.len();

    /// Position in [`Skip::ALL`], for tables of counters.
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// One counter for each reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SkipCounts([u64; Skip::COUNT]);

impl Default for SkipCounts {
    fn default() -> Self {
        Self([0; Skip::COUNT])
    }
}

impl SkipCounts {
    /// Counts one frame.
    #[inline]
    pub fn count(&mut self, skip: Skip) {
        if let Some(counter) = self.0.get_mut(skip.index()) {
            *counter += 1;
        }
    }

    /// Frames of one reason.
    pub fn get(&self, skip: Skip) -> u64 {
        self.0.get(skip.index()).copied().unwrap_or_default()
    }

    /// Frames of all reasons.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Every reason's name and count, in the order of [`Skip::ALL`], zeros included.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        Skip::ALL.iter().map(|skip| (skip.name(), self.get(*skip)))
    }
}

impl AddAssign for SkipCounts {
    fn add_assign(&mut self, other: Self) {
        for (to, from) in self.0.iter_mut().zip(other.0) {
            *to += from;
        }
    }
}

impl Add for SkipCounts {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        self += other;
        self
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_distinct_kebab_case_and_indices_follow_the_list() {
        let names: HashSet<_> = Skip::ALL.iter().map(|skip| skip.name()).collect();
        assert_eq!(names.len(), Skip::COUNT);
        for (index, skip) in Skip::ALL.iter().enumerate() {
            assert_eq!(skip.index(), index);
            assert!(skip.name().bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
        }
    }

    #[test]
    fn counters_add_up() {
        let (mut a, mut b) = (SkipCounts::default(), SkipCounts::default());
        a.count(Skip::Arp);
        b.count(Skip::Arp);
        b.count(Skip::TcpMalformed);
        let sum = a + b;
        assert_eq!((sum.get(Skip::Arp), sum.total()), (2, 3));
        assert_eq!(
            sum.iter().filter(|(_, n)| *n > 0).collect::<Vec<_>>(),
            [("arp", 2), ("tcp-malformed", 1)]
        );
    }
}
