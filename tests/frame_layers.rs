//! Every link layer and tunnel that is decoded, frame by frame, and all of them
//! against tshark.

mod fragments;
mod oracle;

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::process::Command;

use dorascope::capture::{Frame, LinkType};
use dorascope::frame::{Datagram, Decoded, Decoder, Skip};
use dorascope::units::{CaptureTime, FrameRef};

use crate::support::files::{Order, PcapngFile};
use crate::support::frames::{CLIENT, dhcp_frame, dhcp_packet, ethernet, ipv4, tcp, udp};
use crate::support::temp::TempDir;

/// What a case expects: the VLAN of a DHCP candidate, or a reason.
type Expected = Result<Option<u16>, Skip>;

/// A BOOTP header with the DHCP cookie and message type 1.
fn message() -> Vec<u8> {
    let mut bytes = vec![1, 1, 6, 0, 1, 2, 3, 4];
    bytes.resize(236, 0);
    bytes.extend([99, 130, 83, 99, 53, 1, 1, 255]);
    bytes
}

fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// Name, link type, frame, expectation.
#[expect(clippy::too_many_lines, reason = "one line for each case")]
fn cases() -> Vec<(&'static str, u16, Vec<u8>, Expected)> {
    let (packet, frame) = (dhcp_packet(&message()), dhcp_frame(&message()));
    let dhcp = Ok(None);
    let snap = [0xaa, 0xaa, 3, 0, 0, 0, 8, 0];
    let a = [2, 0, 0, 0, 0, 9];
    let wlan = |control: [u8; 2], tail: &[u8]| {
        join(&[&control, &[0, 0], &CLIENT, &a, &CLIENT, &[0, 0], tail, &snap, &packet])
    };
    let ipv6 =
        |next: u8, rest: &[u8]| join(&[&[0x60, 0, 0, 0, 0, rest.len() as u8, next, 64], &[0; 32], rest]);
    let label = [0, 1, 0x01, 64];
    vec![
        ("ethernet", 1, frame.clone(), dhcp),
        ("ethernet trailer", 1, join(&[&frame, &[0; 20]]), dhcp),
        ("802.1Q", 1, ethernet(0x8100, &join(&[&[0x20, 7, 8, 0], &packet])), Ok(Some(7))),
        ("QinQ", 1, ethernet(0x88a8, &join(&[&[0, 7, 0x81, 0, 0x0f, 0xff, 8, 0], &packet])), Ok(Some(4095))),
        ("old QinQ", 1, ethernet(0x9100, &join(&[&[0, 7, 0x81, 0, 0, 8, 8, 0], &packet])), Ok(Some(8))),
        ("802.3 SNAP", 1, ethernet(8 + packet.len() as u16, &join(&[&snap, &packet])), dhcp),
        ("spanning tree", 1, ethernet(38, &[0x42; 38]), Err(Skip::LlcOther)),
        ("arp", 1, ethernet(0x0806, &[0; 28]), Err(Skip::Arp)),
        ("lldp", 1, ethernet(0x88cc, &[0; 28]), Err(Skip::EtherTypeOther)),
        ("macsec", 1, ethernet(0x88e5, &[0x0c; 28]), Err(Skip::EncryptedMacsec)),
        (
            "macsec, not encrypted",
            1,
            ethernet(0x88e5, &join(&[&[0; 5], &[1, 0x81, 0, 0, 9, 8, 0], &packet, &[0xcc; 16]])),
            Ok(Some(9)),
        ),
        ("no frame", 1, vec![], Err(Skip::LinkTooShort)),
        ("sll", 113, join(&[&[0, 0, 0, 1, 0, 6], &CLIENT, &[0, 0, 8, 0], &packet]), dhcp),
        ("sll tag", 113, join(&[&[0; 14], &[0x81, 0, 0, 5, 8, 0], &packet]), Ok(Some(5))),
        ("sll2", 276, join(&[&[8, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0, 6], &CLIENT, &[0, 0], &packet]), dhcp),
        ("raw", 101, packet.clone(), dhcp),
        ("ipv4", 228, packet.clone(), dhcp),
        ("null little", 0, join(&[&[2, 0, 0, 0], &packet]), dhcp),
        ("null big", 0, join(&[&[0, 0, 0, 2], &packet]), dhcp),
        ("loop", 108, join(&[&[0, 0, 0, 2], &packet]), dhcp),
        ("ppp", 9, join(&[&[0xff, 3, 0, 0x21], &packet]), dhcp),
        ("ppp compressed", 9, join(&[&[0x21], &packet]), dhcp),
        ("lcp", 9, vec![0xff, 3, 0xc0, 0x21, 1, 1, 0, 4], Err(Skip::PppOther)),
        (
            "pppoe",
            1,
            ethernet(0x8864, &join(&[&[0x11, 0, 0, 1], &pppoe_length(&packet), &[0, 0x21], &packet])),
            dhcp,
        ),
        ("pppoe discovery", 1, ethernet(0x8863, &[0x11, 9, 0, 0, 0, 0]), Err(Skip::PppoeDiscovery)),
        ("gre", 1, ethernet(0x0800, &ipv4(47, &join(&[&[0, 0, 8, 0], &packet]))), dhcp),
        (
            "gre with key",
            1,
            ethernet(0x0800, &ipv4(47, &join(&[&[0x20, 0, 0x65, 0x58, 0, 0, 0, 1], &frame]))),
            dhcp,
        ),
        (
            "erspan 2",
            1,
            ethernet(
                0x0800,
                &ipv4(47, &join(&[&[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 1, 0, 1, 0, 0, 0, 0], &frame])),
            ),
            dhcp,
        ),
        (
            "erspan 3",
            1,
            ethernet(
                0x0800,
                &ipv4(47, &join(&[&[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 1, 0, 1], &[0; 8], &frame])),
            ),
            dhcp,
        ),
        (
            "vxlan",
            1,
            ethernet(0x0800, &ipv4(17, &udp(9999, 4789, &join(&[&[8, 0, 0, 0, 0, 0, 9, 0], &frame])))),
            dhcp,
        ),
        (
            "geneve",
            1,
            ethernet(
                0x0800,
                &ipv4(17, &udp(9999, 6081, &join(&[&[1, 0, 0x65, 0x58, 0, 0, 9, 0, 0, 0, 0, 0], &frame]))),
            ),
            dhcp,
        ),
        ("ip in ip", 1, ethernet(0x0800, &ipv4(4, &packet)), dhcp),
        (
            "ah",
            1,
            ethernet(0x0800, &ipv4(51, &join(&[&[17, 4, 0, 0], &[0; 20], &udp(68, 67, &message())]))),
            dhcp,
        ),
        ("esp", 1, ethernet(0x0800, &ipv4(50, &[1; 40])), Err(Skip::EncryptedIpsec)),
        ("mpls", 1, ethernet(0x8847, &join(&[&[0, 1, 0, 64], &label, &packet])), dhcp),
        ("mpls pseudowire", 1, ethernet(0x8847, &join(&[&label, &[0; 4], &frame])), dhcp),
        ("provider backbone", 1, ethernet(0x88e7, &join(&[&[0, 0, 0, 1], &frame])), dhcp),
        ("802.11", 105, wlan([8, 2], &[]), dhcp),
        ("802.11 QoS", 105, wlan([0x88, 1], &[0, 0]), dhcp),
        ("802.11 four addresses", 105, wlan([8, 3], &CLIENT), dhcp),
        ("802.11 encrypted", 105, wlan([8, 0x42], &[1, 0, 0, 0x20, 0, 0, 0, 0]), Err(Skip::EncryptedWlan)),
        ("802.11 beacon", 105, wlan([0x80, 0], &[]), Err(Skip::WlanOther)),
        ("radiotap", 127, join(&[&[0, 0, 8, 0, 0, 0, 0, 0], &wlan([8, 2], &[])]), dhcp),
        (
            "radiotap padded",
            127,
            join(&[&[0, 0, 9, 0, 2, 0, 0, 0, 0x20], &wlan([0x88, 2], &[0, 0, 0, 0])]),
            dhcp,
        ),
        ("dhcpv6", 1, ethernet(0x86dd, &ipv6(17, &udp(546, 547, &[1, 0, 0, 0]))), Err(Skip::Dhcpv6)),
        (
            "dhcpv6 behind options",
            1,
            ethernet(0x86dd, &ipv6(0, &join(&[&[17, 0, 1, 4, 0, 0, 0, 0], &udp(546, 547, &[1, 0, 0, 0])]))),
            Err(Skip::Dhcpv6),
        ),
        (
            "dhcpv6 first fragment",
            101,
            ipv6(44, &join(&[&[17, 0, 0, 1], &[0; 4], &udp(547, 546, &[7; 8])])),
            Err(Skip::Dhcpv6),
        ),
        (
            "dhcpv6 later fragment",
            101,
            ipv6(44, &join(&[&[17, 0, 0, 8], &[0; 4], &udp(547, 546, &[7; 8])])),
            Err(Skip::Ipv6),
        ),
        ("ipv6", 101, ipv6(58, &[128, 0, 0, 0]), Err(Skip::Ipv6)),
        ("dns", 1, ethernet(0x0800, &ipv4(17, &udp(53, 5353, &[0; 12]))), Err(Skip::UdpOther)),
        ("pxe", 1, ethernet(0x0800, &ipv4(17, &udp(4011, 68, &message()))), dhcp),
        ("ospf", 1, ethernet(0x0800, &ipv4(89, &[2; 24])), Err(Skip::IpOther)),
        (
            "udp length 0",
            1,
            ethernet(0x0800, &ipv4(17, &[0, 68, 0, 67, 0, 0, 0, 0, 1])),
            Err(Skip::UdpMalformed),
        ),
        ("udp cut", 1, ethernet(0x0800, &ipv4(17, &[0, 68, 0, 67])), Err(Skip::UdpTooShort)),
        (
            "ip version 5",
            1,
            ethernet(0x0800, &[&[0x55][..], &packet[1..]].concat()),
            Err(Skip::Ipv4Malformed),
        ),
        (
            "ip header of 16 bytes",
            1,
            ethernet(0x0800, &[&[0x44][..], &packet[1..]].concat()),
            Err(Skip::Ipv4Malformed),
        ),
        ("ip too short", 1, ethernet(0x0800, &packet[..19]), Err(Skip::Ipv4TooShort)),
        ("tcp offset 0", 1, ethernet(0x0800, &ipv4(6, &[0; 20])), Err(Skip::TcpMalformed)),
        ("bluetooth", 187, frame, Err(Skip::LinkTypeUnsupported)),
    ]
}

fn pppoe_length(packet: &[u8]) -> [u8; 2] {
    (packet.len() as u16 + 2).to_be_bytes()
}

/// Decodes a frame that was captured at `time`.
fn decode<'a>(decoder: &mut Decoder, link: u16, time: i64, data: &'a [u8]) -> Result<Decoded<'a>, Skip> {
    let (link, original_len) = (LinkType(link), data.len() as u32);
    decoder.decode(&Frame { time: CaptureTime(time), at: FrameRef::default(), link, original_len, data })
}

/// The datagram of a result that is no segment.
fn datagram(result: Result<Decoded<'_>, Skip>) -> Result<Datagram<'_>, Skip> {
    match result? {
        Decoded::Udp(datagram) => Ok(datagram),
        Decoded::Tcp(segment) => panic!("a segment: {segment:?}"),
    }
}

#[test]
fn every_layer_leads_to_the_datagram_or_to_its_reason() {
    for (name, link, frame, expected) in cases() {
        let found = datagram(decode(&mut Decoder::new(), link, 0, &frame));
        if let Ok(datagram) = &found {
            assert_eq!(*datagram.payload, *message(), "{name}");
            assert!(!datagram.cut, "{name}");
            assert_eq!(datagram.src, Ipv4Addr::new(10, 0, 0, 1), "{name}");
        }
        assert_eq!(found.map(|datagram| datagram.link.vlan), expected, "{name}");
    }
}

#[test]
fn every_layer_agrees_with_tshark() {
    let mut file = PcapngFile::default().section(Order::Little);
    for (_, link, ..) in cases() {
        file = file.interface(link, 0, &[]);
    }
    for (index, (_, _, frame, _)) in cases().iter().enumerate() {
        file = file.packet(index as u32, index as u64, frame);
    }
    let dir = TempDir::new("layers");
    let path = dir.file("layers.pcapng", &file.bytes);
    let output = Command::new("tshark")
        .args(["-n", "-Y", "dhcp", "-T", "fields", "-e", "frame.number", "-r"])
        .arg(&path)
        .output();
    let Ok(output) = output else {
        println!("SKIPPED: tshark is not installed");
        return;
    };
    let text = String::from_utf8_lossy(&output.stdout);
    let theirs: BTreeSet<usize> = text.lines().map(|line| line.parse().unwrap()).collect();
    let named = |numbers: &mut dyn Iterator<Item = usize>| {
        numbers.map(|number| cases()[number - 1].0).collect::<Vec<_>>()
    };
    let ours: BTreeSet<_> = (1..).zip(cases()).filter(|(_, case)| case.3.is_ok()).map(|(n, _)| n).collect();
    assert_eq!(named(&mut theirs.difference(&ours).copied()), [""; 0], "only tshark");
    assert_eq!(named(&mut ours.difference(&theirs).copied()), [""; 0], "only we");
}

#[test]
fn mac_addresses_follow_the_link_type() {
    let a = Some([2, 0, 0, 0, 0, 9]);
    for (name, link, src, dst) in [
        ("ethernet", 1, Some(CLIENT), Some([0xff; 6])),
        ("sll", 113, Some(CLIENT), None),
        ("sll2", 276, Some(CLIENT), None),
        ("raw", 101, None, None),
        // From the distribution system: the third address is the source.
        ("802.11", 105, Some(CLIENT), Some(CLIENT)),
        // To it: the second is the source.
        ("802.11 QoS", 105, a, Some(CLIENT)),
    ] {
        let frame = cases().into_iter().find(|case| case.0 == name).unwrap().2;
        let link = datagram(decode(&mut Decoder::new(), link, 0, &frame)).unwrap().link;
        assert_eq!((link.src_mac, link.dst_mac), (src, dst), "{name}");
    }
}

#[test]
fn a_frame_cut_by_a_snap_length_is_kept_and_flagged() {
    let frame = dhcp_frame(&message());
    for length in 42..frame.len() {
        let found = datagram(decode(&mut Decoder::new(), 1, 0, &frame[..length])).unwrap();
        assert!(found.cut && *found.payload == frame[42..length], "{length} bytes");
    }
    let frame = ethernet(0x0800, &ipv4(6, &tcp(8000, 4000, b"body")));
    for (length, body, cut) in [(frame.len(), &b"body"[..], false), (frame.len() - 2, b"bo", true)] {
        let Ok(Decoded::Tcp(segment)) = decode(&mut Decoder::new(), 1, 0, &frame[..length]) else { panic!() };
        assert_eq!((segment.payload, segment.cut, segment.flags), (body, cut, 0x18));
        assert_eq!((segment.src_port, segment.seq, segment.ack), (8000, 7, 9));
    }
}

#[test]
fn layers_nest_only_so_deep() {
    let frame = (0..40).fold(dhcp_packet(b"x"), |inner, _| ipv4(4, &inner));
    assert_eq!(decode(&mut Decoder::new(), 101, 0, &frame), Err(Skip::TooDeep));
}
