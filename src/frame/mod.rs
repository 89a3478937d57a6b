//! Frames to UDP datagrams and TCP segments: link types, tunnels, fragments.
//! Knows neither libpcap nor a clock nor DHCP.
//!
//! [`Decoder::decode`] looks at one frame and says exactly one of three things:
//! a datagram that may be DHCP ([`Decoded::Udp`]), a TCP segment
//! ([`Decoded::Tcp`]), or why it is neither ([`Skip`]). Most frames of a busy
//! network are neither, so the common way out is a few loads at fixed offsets.
//!
//! ```text
//! quick    the plain case: UDP over IPv4 over Ethernet, in a few loads
//! link     the header that the capture's link type prescribes, VLAN tags, LLC, PPP
//! wlan     radiotap and 802.11 data frames
//! tunnel   GRE, ERSPAN, VXLAN, Geneve, MPLS: the frame inside
//! ipv4     IPv4 and what it carries; IPv6 only as far as its name in the counters
//! defrag   IPv4 fragments of UDP, with hard limits
//! skip     the reasons, and their counters
//! ```
//!
//! Headers are read through etherparse's header slices: a slice is the checked
//! bytes and nothing more, so a field costs what a load at an offset costs, and
//! a frame that a snap length cut behind the header is as good as a whole one.
//! (`LaxSlicedPacket` would build 328 bytes for every frame, `SlicedPacket`
//! refuses cut ones; `tests/frame_layers/oracle.rs` holds the result against
//! the former.) Own code reads what etherparse has no slice for: 802.2 and
//! 802.11, radiotap, SLL2, NULL and LOOP, PPP and PPPoE, MPLS and the tunnels.
//!
//! Nothing here trusts a length: each slice is bounded by what was captured,
//! and layers nest at most [`MAX_DEPTH`] deep.

#![warn(clippy::indexing_slicing)]

mod bytes;
mod defrag;
mod ipv4;
mod ipv6;
mod link;
mod quick;
mod skip;
mod tunnel;
mod wlan;

use std::borrow::Cow;
use std::net::Ipv4Addr;

pub use defrag::FragmentCounts;
pub use skip::{Skip, SkipCounts};

use crate::capture::{Frame, LinkType};
use crate::units::{CaptureTime, SourceId};
use defrag::Defrag;

/// Layers below IP that are followed: tags, tunnels and IP in IP each count as one.
pub const MAX_DEPTH: u8 = 12;

/// Link-layer facts of a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// Source MAC address; absent where the link type carries none.
    pub src_mac: Option<[u8; 6]>,
    /// Destination MAC address; absent where the link type carries none.
    pub dst_mac: Option<[u8; 6]>,
    /// Innermost VLAN identifier.
    pub vlan: Option<u16>,
}

/// A UDP datagram over IPv4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// Link-layer facts of the (last) frame that carried it.
    pub link: Link,
    /// IPv4 source address.
    pub src: Ipv4Addr,
    /// IPv4 destination address.
    pub dst: Ipv4Addr,
    /// UDP source port.
    pub src_port: u16,
    /// UDP destination port.
    pub dst_port: u16,
    /// UDP payload; owned when it was put together from fragments.
    pub payload: Cow<'a, [u8]>,
    /// Whether fewer payload bytes were captured than the headers announce, as
    /// when a snap length cut the frame.
    pub cut: bool,
}

/// A TCP segment over IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    /// Link-layer facts of the frame.
    pub link: Link,
    /// IPv4 source address.
    pub src: Ipv4Addr,
    /// IPv4 destination address.
    pub dst: Ipv4Addr,
    /// TCP source port.
    pub src_port: u16,
    /// TCP destination port.
    pub dst_port: u16,
    /// Sequence number of the first payload byte.
    pub seq: u32,
    /// Acknowledgment number.
    pub ack: u32,
    /// The flag byte: FIN 0x01, SYN 0x02, RST 0x04, PSH 0x08, ACK 0x10.
    pub flags: u8,
    /// The payload, as far as it was captured.
    pub payload: &'a [u8],
    /// Whether fewer payload bytes were captured than the headers announce, as
    /// when a snap length cut the frame.
    pub cut: bool,
}

/// What a frame turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decoded<'a> {
    /// A DHCPv4 candidate: UDP from or to port 67, 68 or 4011.
    Udp(Datagram<'a>),
    /// Any TCP segment over IPv4; the pipeline decides whether it is control traffic.
    Tcp(Segment<'a>),
}

/// Turns frames into datagrams and segments; owns the fragments that wait for
/// the rest of their datagram.
#[derive(Debug, Default)]
pub struct Decoder {
    defrag: Defrag,
}

/// What the layers above need to know of the layers below.
#[derive(Clone, Copy)]
struct Context {
    time: CaptureTime,
    source: SourceId,
    link: Link,
    depth: u8,
}

impl Context {
    /// The context one layer further in.
    fn deeper(mut self) -> Result<Self, Skip> {
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err(Skip::TooDeep) } else { Ok(self) }
    }
}

impl Decoder {
    /// A decoder that holds no fragments yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// What `frame` carries. Frames are to be given in the order of the
    /// capture; `frame.time` ages the fragments that are held.
    #[inline]
    pub fn decode<'a>(&mut self, frame: &Frame<'a>) -> Result<Decoded<'a>, Skip> {
        if frame.link == LinkType(1)
            && let Some(decoded) = quick::udp(frame.data)
        {
            return decoded;
        }
        let context = Context { time: frame.time, source: frame.at.source, link: Link::default(), depth: 0 };
        self.link_layer(frame.link, frame.data, context)
    }

    /// What became of the fragments so far.
    pub const fn fragments(&self) -> FragmentCounts {
        self.defrag.counts()
    }
}
