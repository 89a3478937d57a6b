//! IPv4 (RFC 791), UDP (RFC 768) and TCP (RFC 9293).

use std::borrow::Cow;

use etherparse::err::{ipv4, tcp};
use etherparse::{
    IpAuthHeaderSlice, IpNumber, Ipv4HeaderSlice, TcpHeader, TcpHeaderSlice, UdpHeader, UdpHeaderSlice,
};

use super::bytes::{after, u8_at};
use super::defrag::{Fragment, Key};
use super::ipv6::ipv6_skip;
use super::tunnel::{GENEVE_PORT, VXLAN_PORT};
use super::{Context, Datagram, Decoded, Decoder, Segment, Skip};

/// BOOTP server and client, and PXE's boot server (RFC 951, RFC 2131 §4.1, PXE 2.1).
pub(super) const fn is_dhcp_port(port: u16) -> bool {
    matches!(port, 67 | 68 | 4011)
}

/// What the layers above need of an IPv4 packet.
#[derive(Clone, Copy)]
struct Ip<'a> {
    header: Ipv4HeaderSlice<'a>,
    /// Whether fewer bytes were captured than the packet had.
    cut: bool,
}

impl Decoder {
    /// An IPv4 packet; bytes behind its total length are padding. Checksums are
    /// not verified: offloading leaves them unset where the sender captures.
    #[inline]
    pub(super) fn ipv4<'a>(&mut self, data: &'a [u8], context: Context) -> Result<Decoded<'a>, Skip> {
        let header = Ipv4HeaderSlice::from_slice(data).map_err(|error| match error {
            ipv4::HeaderSliceError::Len(_) => Skip::Ipv4TooShort,
            ipv4::HeaderSliceError::Content(_) => Skip::Ipv4Malformed,
        })?;
        // Segmentation offload leaves a total length of 0: the frame's end is meant.
        let total = match header.total_len() {
            0 => data.len(),
            total => total.into(),
        };
        let captured = header.slice().len()..total.min(data.len());
        let payload = data.get(captured).ok_or(Skip::Ipv4Malformed)?;
        let ip = Ip { header, cut: total > data.len() };
        match header.protocol() {
            protocol if !header.is_fragmenting_payload() => self.ip_payload(ip, protocol, payload, context),
            IpNumber::UDP => self.udp_fragment(ip, payload, context),
            IpNumber::ICMP => Err(Skip::Icmp),
            _ => Err(Skip::FragmentOther),
        }
    }

    #[inline]
    fn ip_payload<'a>(
        &mut self,
        ip: Ip<'_>,
        protocol: IpNumber,
        payload: &'a [u8],
        context: Context,
    ) -> Result<Decoded<'a>, Skip> {
        match protocol {
            IpNumber::UDP => self.udp(ip, payload, context),
            IpNumber::TCP => tcp(ip, payload, context),
            _ => self.other(ip, protocol, payload, context),
        }
    }

    #[inline]
    fn udp<'a>(&mut self, ip: Ip<'_>, data: &'a [u8], context: Context) -> Result<Decoded<'a>, Skip> {
        let header = UdpHeaderSlice::from_slice(data).map_err(|_| Skip::UdpTooShort)?;
        let payload = after(data, UdpHeader::LEN);
        if is_dhcp_port(header.source_port()) || is_dhcp_port(header.destination_port()) {
            return datagram(ip, &header.to_header(), Cow::Borrowed(payload), context);
        }
        match header.destination_port() {
            VXLAN_PORT => self.vxlan(payload, context),
            GENEVE_PORT => self.geneve(payload, context),
            _ => Err(Skip::UdpOther),
        }
    }

    /// Holds a fragment, or gives the datagram that it completes.
    #[cold]
    fn udp_fragment<'a>(
        &mut self,
        ip: Ip<'_>,
        data: &'a [u8],
        context: Context,
    ) -> Result<Decoded<'a>, Skip> {
        let offset = ip.header.fragments_offset().byte_offset().into();
        if ip.cut {
            // Its datagram can never be complete, but a first fragment shows
            // the ports and the DHCP header.
            return if offset == 0 { self.udp(ip, data, context) } else { Err(Skip::FragmentCut) };
        }
        let key = Key {
            source: context.source,
            src: ip.header.source_addr(),
            dst: ip.header.destination_addr(),
            id: ip.header.identification(),
        };
        let fragment = Fragment { offset, more: ip.header.more_fragments(), data };
        let mut whole = self.defrag.add(key, fragment, context.time)?;
        let header = UdpHeaderSlice::from_slice(&whole).map_err(|_| Skip::UdpMalformed)?.to_header();
        whole.drain(..UdpHeader::LEN);
        datagram(ip, &header, Cow::Owned(whole), context)
    }

    /// Protocols that lead to another layer, and the names of the others.
    fn other<'a>(
        &mut self,
        ip: Ip<'_>,
        protocol: IpNumber,
        payload: &'a [u8],
        context: Context,
    ) -> Result<Decoded<'a>, Skip> {
        match protocol {
            IpNumber::ICMP => Err(Skip::Icmp),
            IpNumber::IPV4 => self.ipv4(payload, context.deeper()?),
            IpNumber::IPV6 => Err(ipv6_skip(payload)),
            IpNumber::GRE => self.gre(payload, context),
            IpNumber::ENCAPSULATING_SECURITY_PAYLOAD => Err(Skip::EncryptedIpsec),
            // It leaves its content readable (RFC 4302).
            IpNumber::AUTHENTICATION_HEADER => {
                let header = IpAuthHeaderSlice::from_slice(payload).map_err(|_| Skip::Ipv4TooShort)?;
                let inner = after(payload, header.slice().len());
                self.ip_payload(ip, header.next_header(), inner, context.deeper()?)
            }
            IpNumber::MPLS_IN_IP => self.mpls(payload, context),
            _ => Err(Skip::IpOther),
        }
    }
}

/// The datagram of a UDP header and what was captured behind it.
#[inline]
fn datagram<'a>(
    ip: Ip<'_>,
    udp: &UdpHeader,
    captured: Cow<'a, [u8]>,
    context: Context,
) -> Result<Decoded<'a>, Skip> {
    let length = usize::from(udp.length).checked_sub(UdpHeader::LEN).ok_or(Skip::UdpMalformed)?;
    let cut = length > captured.len();
    let payload = match captured {
        Cow::Borrowed(bytes) => Cow::Borrowed(bytes.get(..length).unwrap_or(bytes)),
        Cow::Owned(mut bytes) => {
            bytes.truncate(length);
            Cow::Owned(bytes)
        }
    };
    Ok(Decoded::Udp(Datagram {
        link: context.link,
        src: ip.header.source_addr(),
        dst: ip.header.destination_addr(),
        src_port: udp.source_port,
        dst_port: udp.destination_port,
        payload,
        cut,
    }))
}

#[inline]
fn tcp<'a>(ip: Ip<'_>, data: &'a [u8], context: Context) -> Result<Decoded<'a>, Skip> {
    let header = TcpHeaderSlice::from_slice(data).map_err(|error| match error {
        // Options beyond the end of a whole segment are the header's own fault.
        tcp::HeaderSliceError::Len(_) if ip.cut || data.len() < TcpHeader::MIN_LEN => Skip::TcpTooShort,
        _ => Skip::TcpMalformed,
    })?;
    Ok(Decoded::Tcp(Segment {
        link: context.link,
        src: ip.header.source_addr(),
        dst: ip.header.destination_addr(),
        src_port: header.source_port(),
        dst_port: header.destination_port(),
        seq: header.sequence_number(),
        ack: header.acknowledgment_number(),
        flags: u8_at(header.slice(), 13).unwrap_or_default(),
        payload: after(data, header.slice().len()),
        cut: ip.cut,
    }))
}
