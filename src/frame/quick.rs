//! The plain case in a few loads at fixed offsets: an untagged Ethernet frame
//! with IPv4 without options, not fragmented, that carries UDP. Everything else
//! goes the long way, and a test holds both ways against each other.

use std::borrow::Cow;

use super::ipv4::is_dhcp_port;
use super::tunnel::{GENEVE_PORT, VXLAN_PORT};
use super::{Datagram, Decoded, Link, Skip};

/// Ethernet, IPv4 and UDP headers.
const HEADERS: usize = 14 + 20 + 8;
const UDP: u8 = 17;

/// The datagram of a plain frame, or that it is no DHCP; `None` for a frame that is not plain.
#[inline]
pub(super) fn udp(data: &[u8]) -> Option<Result<Decoded<'_>, Skip>> {
    let [
        d0,
        d1,
        d2,
        d3,
        d4,
        d5,
        s0,
        s1,
        s2,
        s3,
        s4,
        s5,
        0x08,
        0x00, //
        0x45,
        _,
        t0,
        t1,
        _,
        _,
        f0,
        f1,
        _,
        UDP,
        _,
        _, //
        i0,
        i1,
        i2,
        i3,
        j0,
        j1,
        j2,
        j3, //
        p0,
        p1,
        q0,
        q1,
        l0,
        l1,
        _,
        _,
    ] = *data.first_chunk::<HEADERS>()?
    else {
        return None;
    };
    // More fragments, or an offset.
    if f0 & 0x3f != 0 || f1 != 0 {
        return None;
    }
    let (src_port, dst_port) = (u16::from_be_bytes([p0, p1]), u16::from_be_bytes([q0, q1]));
    let total = usize::from(u16::from_be_bytes([t0, t1]));
    let length = usize::from(u16::from_be_bytes([l0, l1]));
    // Lengths that contradict one another, or an offloaded one that is not filled in.
    let content = length.checked_sub(8)?;
    let behind = total.checked_sub(20 + 8)?;
    if !is_dhcp_port(src_port) && !is_dhcp_port(dst_port) {
        return if matches!(dst_port, VXLAN_PORT | GENEVE_PORT) { None } else { Some(Err(Skip::UdpOther)) };
    }
    let captured = data.get(HEADERS..)?;
    let captured = captured.get(..behind).unwrap_or(captured);
    Some(Ok(Decoded::Udp(Datagram {
        link: Link {
            src_mac: Some([s0, s1, s2, s3, s4, s5]),
            dst_mac: Some([d0, d1, d2, d3, d4, d5]),
            vlan: None,
        },
        src: [i0, i1, i2, i3].into(),
        dst: [j0, j1, j2, j3].into(),
        src_port,
        dst_port,
        payload: Cow::Borrowed(captured.get(..content).unwrap_or(captured)),
        cut: content > captured.len(),
    })))
}

#[cfg(test)]
mod tests {
    use super::super::{Context, Decoder};
    use super::*;
    use crate::capture::LinkType;
    use crate::units::{CaptureTime, SourceId};

    /// What the long way says.
    fn long_way(data: &[u8]) -> Result<Decoded<'_>, Skip> {
        let context = Context { time: CaptureTime(0), source: SourceId(0), link: Link::default(), depth: 0 };
        Decoder::new().link_layer(LinkType(1), data, context)
    }

    #[test]
    fn both_ways_say_the_same() {
        let mut frame = vec![0; HEADERS + 30];
        frame[..12].copy_from_slice(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
        frame[12..24].copy_from_slice(&[8, 0, 0x45, 0, 0, 58, 0, 0, 0x40, 0, 64, UDP]);
        frame[26..40].copy_from_slice(&[10, 0, 0, 1, 10, 0, 0, 2, 0, 67, 0, 68, 0, 38]);
        assert!(matches!(udp(&frame), Some(Ok(Decoded::Udp(_)))));
        let mut plain = 0;
        // Each byte of the headers with every value, in frames of several lengths.
        for length in [0, 20, HEADERS - 1, HEADERS, HEADERS + 1, HEADERS + 20, HEADERS + 30] {
            for at in 0..HEADERS.min(length) {
                for value in 0..=255 {
                    let mut other = frame[..length].to_vec();
                    other[at] = value;
                    if let Some(quick) = udp(&other) {
                        assert_eq!(quick, long_way(&other), "byte {at} is {value}, {length} bytes");
                        plain += 1;
                    }
                }
            }
        }
        assert!(plain > 10_000, "{plain}");
    }
}
