//! Link layers: from the capture's link type to an EtherType and its payload.

use etherparse::{
    EtherType, Ethernet2Header, Ethernet2HeaderSlice, LaxMacsecPayloadSlice, LaxMacsecSlice,
    SingleVlanHeader, SingleVlanHeaderSlice, ether_type,
};

use super::bytes::{after, array_at, u8_at, u16_at, u32_at};
use super::ipv6::ipv6_skip;
use super::{Context, Decoded, Decoder, Skip};
use crate::capture::LinkType;

/// Below this value the field behind the MAC addresses is a length (IEEE 802.3).
const FIRST_ETHERTYPE: EtherType = EtherType(0x0600);

impl Decoder {
    /// Reads the header that `link` prescribes.
    #[inline]
    pub(super) fn link_layer<'a>(
        &mut self,
        link: LinkType,
        data: &'a [u8],
        mut context: Context,
    ) -> Result<Decoded<'a>, Skip> {
        match link.0 {
            1 => self.ethernet(data, context),
            0 | 108 => self.bsd_loopback(data, context),
            9 | 50 => self.ppp(data, context),
            12 | 14 | 101 => self.raw_ip(data, context),
            51 => self.pppoe_session(data, context),
            // Cisco HDLC: address, control, EtherType.
            104 => {
                let protocol = u16_at(data, 2).ok_or(Skip::LinkTooShort)?;
                self.ether_type(EtherType(protocol), after(data, 4), context)
            }
            105 => self.wlan(data, 0, context),
            // Own reading: etherparse's slice refuses every hardware type but
            // five, and with them what Linux captures on tunnels, PPP and loopback.
            113 => {
                let protocol = u16_at(data, 14).ok_or(Skip::LinkTooShort)?;
                if u16_at(data, 4) == Some(6) {
                    context.link.src_mac = array_at(data, 6);
                }
                self.cooked(protocol, after(data, 16), context)
            }
            127 => self.radiotap(data, context),
            228 => self.ipv4(data, context),
            229 => Err(ipv6_skip(data)),
            276 => {
                let protocol = u16_at(data, 0).filter(|_| data.len() >= 20).ok_or(Skip::LinkTooShort)?;
                if u8_at(data, 11) == Some(6) {
                    context.link.src_mac = array_at(data, 12);
                }
                self.cooked(protocol, after(data, 20), context)
            }
            _ => Err(Skip::LinkTypeUnsupported),
        }
    }

    /// An Ethernet frame: two MAC addresses, then an EtherType or a length.
    #[inline]
    pub(super) fn ethernet<'a>(&mut self, data: &'a [u8], mut context: Context) -> Result<Decoded<'a>, Skip> {
        let header = Ethernet2HeaderSlice::from_slice(data).map_err(|_| Skip::LinkTooShort)?;
        context.link.dst_mac = Some(header.destination());
        context.link.src_mac = Some(header.source());
        let payload = after(data, Ethernet2Header::LEN);
        if header.ether_type() == ether_type::IPV4 {
            return self.ipv4(payload, context);
        }
        self.ether_type(header.ether_type(), payload, context)
    }

    /// What an EtherType announces, VLAN tags and tunnels included.
    pub(super) fn ether_type<'a>(
        &mut self,
        ether_type: EtherType,
        payload: &'a [u8],
        context: Context,
    ) -> Result<Decoded<'a>, Skip> {
        match ether_type {
            ether_type::IPV4 => self.ipv4(payload, context),
            ether_type::IPV6 => Err(ipv6_skip(payload)),
            ether_type::ARP | EtherType(0x8035) => Err(Skip::Arp),
            // 802.1Q, 802.1ad (QinQ) and its two older numbers.
            ether_type::VLAN_TAGGED_FRAME
            | ether_type::PROVIDER_BRIDGING
            | ether_type::VLAN_DOUBLE_TAGGED_FRAME
            | EtherType(0x9200) => {
                let mut context = context.deeper()?;
                let tag = SingleVlanHeaderSlice::from_slice(payload).map_err(|_| Skip::LinkTooShort)?;
                context.link.vlan = Some(tag.vlan_identifier().value());
                self.ether_type(tag.ether_type(), after(payload, SingleVlanHeader::LEN), context)
            }
            EtherType(0x8847 | 0x8848) => self.mpls(payload, context),
            EtherType(0x8863) => Err(Skip::PppoeDiscovery),
            EtherType(0x8864) => self.pppoe_session(payload, context),
            // 802.1ah provider backbone: a service tag, then the customer's whole frame.
            EtherType(0x88e7) => {
                self.ethernet(payload.get(4..).ok_or(Skip::TunnelTooShort)?, context.deeper()?)
            }
            // MACsec may authenticate without encrypting; then its content is readable.
            ether_type::MACSEC => match LaxMacsecSlice::from_slice(payload).map(|frame| frame.payload) {
                Ok(LaxMacsecPayloadSlice::Unmodified(inner)) => {
                    self.ether_type(inner.ether_type, inner.payload, context.deeper()?)
                }
                _ => Err(Skip::EncryptedMacsec),
            },
            // Transparent Ethernet bridging.
            EtherType(0x6558) => self.ethernet(payload, context.deeper()?),
            length if length < FIRST_ETHERTYPE => self.llc(payload, context),
            _ => Err(Skip::EtherTypeOther),
        }
    }

    /// An LLC header (IEEE 802.2), as in 802.3 and 802.11 frames; IP follows
    /// behind a SNAP header (RFC 1042) or, rarely, the IP service access point.
    pub(super) fn llc<'a>(&mut self, data: &'a [u8], context: Context) -> Result<Decoded<'a>, Skip> {
        match array_at(data, 0).ok_or(Skip::LinkTooShort)? {
            [0xaa, 0xaa, 0x03] => match array_at(data, 3).ok_or(Skip::LinkTooShort)? {
                // The encapsulated Ethernet codes of RFC 1042 and of bridge tunnels (802.1H).
                [0, 0, 0 | 0xf8] => {
                    let ether_type = EtherType(u16_at(data, 6).ok_or(Skip::LinkTooShort)?);
                    if ether_type < FIRST_ETHERTYPE {
                        return Err(Skip::LlcOther);
                    }
                    self.ether_type(ether_type, after(data, 8), context)
                }
                _ => Err(Skip::LlcOther),
            },
            [0x06, 0x06, 0x03] => self.ipv4(after(data, 3), context),
            _ => Err(Skip::LlcOther),
        }
    }

    /// The protocol of a Linux cooked header, mostly an EtherType.
    fn cooked<'a>(
        &mut self,
        protocol: u16,
        payload: &'a [u8],
        context: Context,
    ) -> Result<Decoded<'a>, Skip> {
        match EtherType(protocol) {
            EtherType(4) => self.llc(payload, context),
            protocol if protocol < FIRST_ETHERTYPE => Err(Skip::EtherTypeOther),
            protocol => self.ether_type(protocol, payload, context),
        }
    }

    /// BSD loopback: an address family in the byte order of the capturing
    /// machine (NULL) or of the network (LOOP). Families are small numbers, so
    /// the order shows, and one reading serves both link types.
    fn bsd_loopback<'a>(&mut self, data: &'a [u8], context: Context) -> Result<Decoded<'a>, Skip> {
        let family = u32_at(data, 0).ok_or(Skip::LinkTooShort)?;
        let family = if family > 0xffff { family.swap_bytes() } else { family };
        match family {
            2 => self.ipv4(after(data, 4), context),
            // Linux; BSD/OS and NetBSD; FreeBSD; Darwin; Windows.
            10 | 23 | 24 | 28 | 30 => Err(ipv6_skip(after(data, 4))),
            _ => Err(Skip::EtherTypeOther),
        }
    }

    /// IP without a link layer: the version decides.
    pub(super) fn raw_ip<'a>(&mut self, data: &'a [u8], context: Context) -> Result<Decoded<'a>, Skip> {
        match u8_at(data, 0).ok_or(Skip::LinkTooShort)? >> 4 {
            4 => self.ipv4(data, context),
            6 => Err(ipv6_skip(data)),
            _ => Err(Skip::Ipv4Malformed),
        }
    }

    /// A PPPoE session header (RFC 2516): version and type 1, code 0.
    pub(super) fn pppoe_session<'a>(
        &mut self,
        data: &'a [u8],
        context: Context,
    ) -> Result<Decoded<'a>, Skip> {
        match array_at(data, 0).ok_or(Skip::LinkTooShort)? {
            [0x11, 0] => self.ppp(data.get(6..).ok_or(Skip::LinkTooShort)?, context.deeper()?),
            _ => Err(Skip::PppOther),
        }
    }

    /// A PPP frame (RFC 1661, RFC 1662): address and control bytes if they were
    /// not negotiated away, then a protocol of one or two bytes.
    pub(super) fn ppp<'a>(&mut self, data: &'a [u8], context: Context) -> Result<Decoded<'a>, Skip> {
        let data = if data.starts_with(&[0xff, 0x03]) { after(data, 2) } else { data };
        let first = u8_at(data, 0).ok_or(Skip::LinkTooShort)?;
        // An odd first byte is a compressed protocol field.
        let (protocol, payload) = if first & 1 == 1 {
            (u16::from(first), after(data, 1))
        } else {
            (u16_at(data, 0).ok_or(Skip::LinkTooShort)?, after(data, 2))
        };
        match protocol {
            0x0021 => self.ipv4(payload, context),
            0x0057 => Err(ipv6_skip(payload)),
            0x0281 | 0x0283 => self.mpls(payload, context),
            _ => Err(Skip::PppOther),
        }
    }
}
