//! IPv6: only what kind of IPv6 frame it is, for the counters.

use etherparse::{
    Ipv6ExtensionsSlice, Ipv6FragmentHeaderSlice, Ipv6Header, Ipv6HeaderSlice, UdpHeaderSlice, ip_number,
};

use super::Skip;
use super::bytes::after;

/// The reason under which an IPv6 packet is counted.
pub(super) fn ipv6_skip(data: &[u8]) -> Skip {
    if is_dhcpv6(data) == Some(true) { Skip::Dhcpv6 } else { Skip::Ipv6 }
}

/// Whether the UDP ports are DHCPv6's; `None` when there are none.
fn is_dhcpv6(data: &[u8]) -> Option<bool> {
    let next = Ipv6HeaderSlice::from_slice(data).ok()?.next_header();
    let (extensions, next, payload, _) =
        Ipv6ExtensionsSlice::from_slice_lax(next, after(data, Ipv6Header::LEN));
    if next != ip_number::UDP {
        return None;
    }
    if extensions.is_fragmenting_payload() {
        // Only the first fragment has ports; its header is the last extension.
        let header = extensions.slice().last_chunk::<8>()?;
        let offset = Ipv6FragmentHeaderSlice::from_slice(header).ok()?.fragment_offset();
        (offset.value() == 0).then_some(())?;
    }
    let udp = UdpHeaderSlice::from_slice(payload).ok()?;
    Some([udp.source_port(), udp.destination_port()].iter().any(|port| matches!(port, 546 | 547)))
}
