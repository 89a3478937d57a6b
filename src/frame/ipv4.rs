//! IPv4 (RFC 791), UDP (RFC 768) and TCP (RFC 9293).

use std::borrow::Cow;
use std::net::Ipv4Addr;

use super::bytes::{after, array_at, u8_at, u16_at, u32_at};
use super::defrag::{Fragment, Key};
use super::ipv6::ipv6_skip;
use super::tunnel::{GENEVE_PORT, VXLAN_PORT};
use super::{Context, Datagram, Decoded, Decoder, Segment, Skip};

const TCP: u8 = 6;
const UDP: u8 = 17;

/// More-fragments flag and offset: anything but a whole datagram sets one of them.
const FRAGMENT_BITS: u16 = 0x3fff;
const MORE_FRAGMENTS: u16 = 0x2000;

/// BOOTP server and client, and PXE's boot server (RFC 951, RFC 2131 §4.1, PXE 2.1).
pub(super) const fn is_dhcp_port(port: u16) -> bool {
    matches!(port, 67 | 68 | 4011)
}

/// The part of an IPv4 header that the layers above need.
struct Header {
    src: Ipv4Addr,
    dst: Ipv4Addr,
    /// Whether fewer bytes were captured than the packet had.
    cut: bool,
}

impl Decoder {
    /// An IPv4 packet; bytes behind its total length are padding.
    #[inline]
    pub(super) fn ipv4<'a>(&mut self, data: &'a [u8], context: Context) -> Result<Decoded<'a>, Skip> {
        let fixed: &[u8; 20] = data.first_chunk().ok_or(Skip::Ipv4TooShort)?;
        let [first, _, l0, l1, i0, i1, f0, f1, _, protocol, _, _, rest @ ..] = *fixed;
        let [s0, s1, s2, s3, d0, d1, d2, d3] = rest;
        let header_len = usize::from(first & 0x0f) * 4;
        let announced = usize::from(u16::from_be_bytes([l0, l1]));
        // Segmentation offload leaves a total length of 0: the frame's end is meant.
        let total = if announced == 0 { data.len() } else { announced };
        if first >> 4 != 4 || header_len < 20 || total < header_len {
            return Err(Skip::Ipv4Malformed);
        }
        let captured = total.min(data.len());
        let payload = data.get(header_len..captured).ok_or(Skip::Ipv4TooShort)?;
        let header = Header {
            src: Ipv4Addr::new(s0, s1, s2, s3),
            dst: Ipv4Addr::new(d0, d1, d2, d3),
            cut: total > data.len(),
        };
        let fragment = u16::from_be_bytes([f0, f1]);
        if fragment & FRAGMENT_BITS == 0 {
            return match protocol {
                UDP => self.udp(&header, payload, context),
                TCP => tcp(&header, payload, context),
                _ => self.other(&header, protocol, payload, context),
            };
        }
        if protocol != UDP {
            return Err(if protocol == 1 { Skip::Icmp } else { Skip::FragmentOther });
        }
        let key = Key {
            source: context.source,
            src: header.src,
            dst: header.dst,
            id: u16::from_be_bytes([i0, i1]),
        };
        self.udp_fragment(&header, key, fragment, payload, context)
    }

    #[inline]
    fn udp<'a>(&mut self, ip: &Header, payload: &'a [u8], context: Context) -> Result<Decoded<'a>, Skip> {
        let [s0, s1, d0, d1, l0, l1, _, _] = *payload.first_chunk().ok_or(Skip::UdpTooShort)?;
        let (src_port, dst_port) = (u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1]));
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        if !is_dhcp_port(src_port) && !is_dhcp_port(dst_port) {
            return match dst_port {
                VXLAN_PORT => self.vxlan(after(payload, 8), context),
                GENEVE_PORT => self.geneve(after(payload, 8), context),
                _ => Err(Skip::UdpOther),
            };
        }
        if length < 8 {
            return Err(Skip::UdpMalformed);
        }
        Ok(Decoded::Udp(Datagram {
            link: context.link,
            src: ip.src,
            dst: ip.dst,
            src_port,
            dst_port,
            payload: Cow::Borrowed(payload.get(8..length).unwrap_or(after(payload, 8))),
            cut: length > payload.len(),
        }))
    }

    /// Holds a fragment, or gives the datagram that it completes.
    #[cold]
    fn udp_fragment<'a>(
        &mut self,
        ip: &Header,
        key: Key,
        bits: u16,
        payload: &'a [u8],
        context: Context,
    ) -> Result<Decoded<'a>, Skip> {
        let offset = usize::from(bits & 0x1fff) * 8;
        if ip.cut {
            // Its datagram can never be complete, but a first fragment shows
            // the ports and the DHCP header.
            return if offset == 0 { self.udp(ip, payload, context) } else { Err(Skip::FragmentCut) };
        }
        let fragment = Fragment { offset, more: bits & MORE_FRAGMENTS != 0, data: payload };
        let whole = self.defrag.add(key, fragment, context.time)?;
        let (src_port, dst_port, length) =
            (u16_at(&whole, 0), u16_at(&whole, 2), u16_at(&whole, 4).map(usize::from));
        let (Some(src_port), Some(dst_port), Some(length @ 8..)) = (src_port, dst_port, length) else {
            return Err(Skip::UdpMalformed);
        };
        let cut = length > whole.len();
        let mut payload = whole;
        payload.truncate(length);
        payload.drain(..payload.len().min(8));
        Ok(Decoded::Udp(Datagram {
            link: context.link,
            src: ip.src,
            dst: ip.dst,
            src_port,
            dst_port,
            payload: Cow::Owned(payload),
            cut,
        }))
    }

    /// Protocols that lead to another layer, and the names of the others.
    fn other<'a>(
        &mut self,
        ip: &Header,
        protocol: u8,
        payload: &'a [u8],
        context: Context,
    ) -> Result<Decoded<'a>, Skip> {
        match protocol {
            1 => Err(Skip::Icmp),
            4 => self.ipv4(payload, context.deeper()?),
            41 => Err(ipv6_skip(payload)),
            47 => self.gre(payload, context),
            50 => Err(Skip::EncryptedIpsec),
            // An authentication header (RFC 4302) leaves its content readable.
            51 => {
                let context = context.deeper()?;
                let [next, units] = array_at(payload, 0).ok_or(Skip::Ipv4TooShort)?;
                let inner = payload.get(8 + 4 * usize::from(units)..).ok_or(Skip::Ipv4TooShort)?;
                match next {
                    UDP => self.udp(ip, inner, context),
                    TCP => tcp(ip, inner, context),
                    _ => self.other(ip, next, inner, context),
                }
            }
            137 => self.mpls(payload, context),
            _ => Err(Skip::IpOther),
        }
    }
}

#[inline]
fn tcp<'a>(ip: &Header, payload: &'a [u8], context: Context) -> Result<Decoded<'a>, Skip> {
    let fixed = payload.get(..20).ok_or(Skip::TcpTooShort)?;
    let field = |offset| u16_at(fixed, offset).unwrap_or_default();
    let header_len = usize::from(u8_at(fixed, 12).unwrap_or_default() >> 4) * 4;
    if header_len < 20 {
        return Err(Skip::TcpMalformed);
    }
    let data =
        payload.get(header_len..).ok_or(if ip.cut { Skip::TcpTooShort } else { Skip::TcpMalformed })?;
    Ok(Decoded::Tcp(Segment {
        link: context.link,
        src: ip.src,
        dst: ip.dst,
        src_port: field(0),
        dst_port: field(2),
        seq: u32_at(fixed, 4).unwrap_or_default(),
        ack: u32_at(fixed, 8).unwrap_or_default(),
        flags: u8_at(fixed, 13).unwrap_or_default(),
        payload: data,
        cut: ip.cut,
    }))
}
