//! Tunnels whose inner frame is easy to find: GRE with ERSPAN, VXLAN, Geneve, MPLS.

use etherparse::EtherType;

use super::bytes::{after, u8_at, u16_at, u32_at};
use super::ipv6::ipv6_skip;
use super::{Context, Decoded, Decoder, Skip};

pub(super) const VXLAN_PORT: u16 = 4789;
pub(super) const GENEVE_PORT: u16 = 6081;

/// Labels of an MPLS stack that are followed.
const MAX_LABELS: usize = 16;

impl Decoder {
    /// GRE (RFC 2784, RFC 2890) and its PPTP version (RFC 2637).
    pub(super) fn gre<'a>(&mut self, data: &'a [u8], context: Context) -> Result<Decoded<'a>, Skip> {
        let context = context.deeper()?;
        let flags = u16_at(data, 0).ok_or(Skip::TunnelTooShort)?;
        let protocol = u16_at(data, 2).ok_or(Skip::TunnelTooShort)?;
        // Checksum, key and sequence number take four bytes each; version 1 has
        // an acknowledgment number too. Source routing (0x4000) has no fixed size.
        let has = |bit: u16| if flags & bit != 0 { 4 } else { 0 };
        let version = flags & 7;
        if version > 1 || flags & 0x4000 != 0 {
            return Err(Skip::TunnelOther);
        }
        let acknowledgment = if version == 1 { has(0x0080) } else { 0 };
        let header = 4 + has(0x8000) + has(0x2000) + has(0x1000) + acknowledgment;
        let inner = data.get(header..).ok_or(Skip::TunnelTooShort)?;
        match protocol {
            0x880b => self.ppp(inner, context),
            // ERSPAN type I has no header of its own and no GRE sequence number.
            0x88be if flags & 0x1000 == 0 => self.ethernet(inner, context),
            0x88be => self.ethernet(inner.get(8..).ok_or(Skip::TunnelTooShort)?, context),
            0x22eb => {
                // ERSPAN type III: 12 bytes, and 8 more when the O bit is set.
                let extra = if u8_at(inner, 11).ok_or(Skip::TunnelTooShort)? & 1 != 0 { 8 } else { 0 };
                self.ethernet(inner.get(12 + extra..).ok_or(Skip::TunnelTooShort)?, context)
            }
            protocol if protocol < 0x0600 => Err(Skip::TunnelOther),
            protocol => self.ether_type(EtherType(protocol), inner, context),
        }
    }

    /// VXLAN (RFC 7348), the payload of a UDP datagram to its port.
    pub(super) fn vxlan<'a>(&mut self, data: &'a [u8], context: Context) -> Result<Decoded<'a>, Skip> {
        let flags = u8_at(data, 0).ok_or(Skip::TunnelTooShort)?;
        // Without a valid network identifier, or with the extension that
        // announces other content than Ethernet (VXLAN-GPE), it is not decoded.
        if flags & 0x08 == 0 || flags & 0x04 != 0 {
            return Err(Skip::TunnelOther);
        }
        self.ethernet(data.get(8..).ok_or(Skip::TunnelTooShort)?, context.deeper()?)
    }

    /// Geneve (RFC 8926), the payload of a UDP datagram to its port.
    pub(super) fn geneve<'a>(&mut self, data: &'a [u8], context: Context) -> Result<Decoded<'a>, Skip> {
        let first = u8_at(data, 0).ok_or(Skip::TunnelTooShort)?;
        let protocol = u16_at(data, 2).ok_or(Skip::TunnelTooShort)?;
        if first >> 6 != 0 {
            return Err(Skip::TunnelOther);
        }
        let header = 8 + 4 * usize::from(first & 0x3f);
        let inner = data.get(header..).ok_or(Skip::TunnelTooShort)?;
        self.ether_type(EtherType(protocol.max(0x0600)), inner, context.deeper()?)
    }

    /// An MPLS label stack (RFC 3032). The labels do not say what follows, so
    /// its first four bits decide, as routers guess too (RFC 4928).
    pub(super) fn mpls<'a>(&mut self, mut data: &'a [u8], context: Context) -> Result<Decoded<'a>, Skip> {
        let context = context.deeper()?;
        for _ in 0..MAX_LABELS {
            let label = u32_at(data, 0).ok_or(Skip::TunnelTooShort)?;
            data = after(data, 4);
            if label & 0x100 != 0 {
                return match u8_at(data, 0).ok_or(Skip::TunnelTooShort)? >> 4 {
                    4 => self.ipv4(data, context),
                    6 => Err(ipv6_skip(data)),
                    // A pseudowire control word (RFC 4448), then Ethernet.
                    0 => self.ethernet(after(data, 4), context),
                    _ => Err(Skip::TunnelOther),
                };
            }
        }
        Err(Skip::TooDeep)
    }
}
