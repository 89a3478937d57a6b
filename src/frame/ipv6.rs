//! IPv6: only what kind of IPv6 frame it is, for the counters.

use etherparse::{
    Ipv6ExtensionsSlice, Ipv6FragmentHeader, Ipv6FragmentHeaderSlice, Ipv6Header, Ipv6HeaderSlice,
    UdpHeaderSlice, ip_number,
};

use super::Skip;
use super::bytes::after;

/// The reason under which an IPv6 packet is counted.
pub(super) fn ipv6_skip(data: &[u8]) -> Skip {
    if is_dhcpv6(data).unwrap_or_default() { Skip::Dhcpv6 } else { Skip::Ipv6 }
}

/// `None` when the packet has no UDP header.
fn is_dhcpv6(data: &[u8]) -> Option<bool> {
    let mut next = Ipv6HeaderSlice::from_slice(data).ok()?.next_header();
    let mut payload = after(data, Ipv6Header::LEN);
    // Most packets have no extensions, and `LaxIpv6Slice`, which would look for
    // them in each, made reading a file of IPv6 a quarter slower.
    if next.is_ipv6_ext_header_value() {
        let extensions;
        (extensions, next, payload, _) = Ipv6ExtensionsSlice::from_slice_lax(next, payload);
        if extensions.is_fragmenting_payload() {
            // Only the first fragment has ports; its header is the last extension.
            let header = extensions.slice().last_chunk::<{ Ipv6FragmentHeader::LEN }>()?;
            let header = Ipv6FragmentHeaderSlice::from_slice(header).ok()?;
            if header.fragment_offset().value() != 0 {
                return None;
            }
        }
    }
    if next != ip_number::UDP {
        return None;
    }
    let udp = UdpHeaderSlice::from_slice(payload).ok()?;
    Some([udp.source_port(), udp.destination_port()].iter().any(|port| matches!(port, 546 | 547)))
}
