//! IPv6: only what kind of IPv6 frame it is, for the counters.

use super::Skip;
use super::bytes::{after, u8_at, u16_at};

/// Extension headers that are followed (RFC 8200 §4).
const MAX_EXTENSIONS: usize = 8;

/// The reason under which an IPv6 packet is counted.
pub(super) fn ipv6_skip(data: &[u8]) -> Skip {
    let Some(mut next) = u8_at(data, 6) else { return Skip::Ipv6 };
    let mut rest = after(data, 40);
    for _ in 0..MAX_EXTENSIONS {
        let length = match next {
            17 => {
                let dhcp = |port| matches!(port, Some(546 | 547));
                let is_dhcp = dhcp(u16_at(rest, 0)) || dhcp(u16_at(rest, 2));
                return if is_dhcp { Skip::Dhcpv6 } else { Skip::Ipv6 };
            }
            // Hop-by-hop, routing and destination options count in units of 8 bytes.
            0 | 43 | 60 => u8_at(rest, 1).map(|units| 8 + 8 * usize::from(units)),
            // Only the first fragment has ports.
            44 if u16_at(rest, 2).is_some_and(|offset| offset & 0xfff8 == 0) => Some(8),
            51 => u8_at(rest, 1).map(|units| 8 + 4 * usize::from(units)),
            _ => None,
        };
        let (Some(length), Some(following)) = (length, u8_at(rest, 0)) else { break };
        next = following;
        rest = after(rest, length);
    }
    Skip::Ipv6
}
