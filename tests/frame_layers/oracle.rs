//! `Decoder` against `etherparse::LaxSlicedPacket`, over frames that
//! etherparse built itself, whole and damaged.

use std::net::Ipv4Addr;

use dorascope::frame::{Decoded, Decoder, Skip};
use etherparse::{LaxNetSlice, LaxSlicedPacket, LinkSlice, PacketBuilder, TransportSlice, VlanId};

use super::decode;
use crate::support::random::Xorshift;

/// What both sides say of a frame that carries UDP from or to a DHCP port, or TCP.
#[derive(Debug, PartialEq)]
struct Seen<'a> {
    macs: [Option<[u8; 6]>; 2],
    vlan: Option<u16>,
    addresses: [Ipv4Addr; 2],
    ports: [u16; 2],
    payload: &'a [u8],
    cut: bool,
}

fn ours<'a>(result: &'a Result<Decoded<'a>, Skip>) -> Option<Seen<'a>> {
    Some(match result.as_ref().ok()? {
        Decoded::Udp(udp) => Seen {
            macs: [udp.link.src_mac, udp.link.dst_mac],
            vlan: udp.link.vlan,
            addresses: [udp.src, udp.dst],
            ports: [udp.src_port, udp.dst_port],
            payload: &udp.payload,
            cut: udp.cut,
        },
        Decoded::Tcp(tcp) => Seen {
            macs: [tcp.link.src_mac, tcp.link.dst_mac],
            vlan: tcp.link.vlan,
            addresses: [tcp.src, tcp.dst],
            ports: [tcp.src_port, tcp.dst_port],
            payload: tcp.payload,
            cut: tcp.cut,
        },
    })
}

fn theirs<'a>(packet: &LaxSlicedPacket<'a>) -> Option<Seen<'a>> {
    let (Some(LinkSlice::Ethernet2(link)), Some(LaxNetSlice::Ipv4(ip))) = (&packet.link, &packet.net) else {
        return None;
    };
    let (ports, payload, cut) = match packet.transport.as_ref()? {
        TransportSlice::Udp(udp) => {
            let ports = [udp.source_port(), udp.destination_port()];
            ports.iter().find(|port| matches!(port, 67 | 68 | 4011))?;
            (ports, udp.payload(), usize::from(udp.length()) > udp.slice().len())
        }
        TransportSlice::Tcp(tcp) => {
            ([tcp.source_port(), tcp.destination_port()], tcp.payload(), ip.payload().incomplete)
        }
        _ => return None,
    };
    Some(Seen {
        macs: [Some(link.source()), Some(link.destination())],
        vlan: packet.vlan_ids().last().map(|id| id.value()),
        addresses: [ip.header().source_addr(), ip.header().destination_addr()],
        ports,
        payload,
        cut,
    })
}

/// A frame with up to two VLAN tags, and what it carries.
fn frame(random: &mut Xorshift) -> Vec<u8> {
    let mac = |random: &mut Xorshift| [2, 0, 0, 0, 0, random.next() as u8];
    let address = |random: &mut Xorshift| [10, 0, random.next() as u8, random.next() as u8];
    let tag = |random: &mut Xorshift| VlanId::try_new(random.below(4096) as u16).unwrap();
    let link = PacketBuilder::ethernet2(mac(random), mac(random));
    let (src, dst) = (address(random), address(random));
    let ip = match random.below(3) {
        0 => link.ipv4(src, dst, 64),
        1 => link.single_vlan(tag(random)).ipv4(src, dst, 64),
        _ => link.double_vlan(tag(random), tag(random)).ipv4(src, dst, 64),
    };
    let payload: Vec<u8> = (0..random.below(400)).map(|_| random.next() as u8).collect();
    let ports = [(68, 67), (67, 68), (67, 67), (68, 4011), (53, 5353)];
    let (src, dst) = ports[random.below(ports.len())];
    let mut bytes = Vec::new();
    match random.below(4) {
        0 => ip.tcp(8000, 4000, 7, 1024).ack(9).write(&mut bytes, &payload).unwrap(),
        _ => ip.udp(src, dst).write(&mut bytes, &payload).unwrap(),
    }
    bytes
}

/// Changes bytes in the headers, cuts the frame, or puts padding behind it.
fn damage(random: &mut Xorshift, frame: &mut Vec<u8>) {
    for _ in 0..random.below(4) {
        let index = random.below(frame.len().min(70));
        frame[index] = random.next() as u8;
    }
    match random.below(4) {
        0 => frame.truncate(random.below(frame.len())),
        1 => frame.resize(frame.len() + random.below(40), 0),
        _ => {}
    }
}

#[test]
fn well_formed_frames_mean_the_same_to_etherparse() {
    let mut random = Xorshift(0x5eed);
    let mut seen = 0;
    for _ in 0..5_000 {
        let frame = frame(&mut random);
        let decoded = decode(&mut Decoder::new(), 1, 0, &frame);
        let expected = theirs(&LaxSlicedPacket::from_ethernet(&frame).unwrap());
        assert_eq!(ours(&decoded), expected, "{frame:02x?}");
        assert!(!matches!(ours(&decoded), Some(Seen { cut: true, .. })));
        seen += usize::from(expected.is_some());
    }
    assert!(seen > 3_500, "only {seen} frames were compared");
}

#[test]
fn damaged_frames_mean_the_same_to_etherparse() {
    let mut random = Xorshift(0xdead_5eed);
    let (mut whole, mut cut) = (0, 0);
    for _ in 0..60_000 {
        let mut frame = frame(&mut random);
        damage(&mut random, &mut frame);
        let decoded = decode(&mut Decoder::new(), 1, 0, &frame);
        let Ok(packet) = LaxSlicedPacket::from_ethernet(&frame) else {
            assert_eq!(decoded, Err(Skip::LinkTooShort));
            continue;
        };
        let lenient = match (&decoded, &packet.net) {
            // It takes all there is where a length is smaller than its own header.
            (Err(Skip::UdpMalformed | Skip::Ipv4Malformed), _) => true,
            // It looks for no ports in a fragment, and we do in a first one that is cut.
            (Ok(_), Some(LaxNetSlice::Ipv4(ip))) => ip.is_payload_fragmented(),
            // It does not know the oldest of the tags.
            (Ok(_), None) => frame[12..].chunks_exact(4).take(3).any(|tag| tag[..2] == [0x92, 0]),
            _ => false,
        };
        let (ours, theirs) = (ours(&decoded), theirs(&packet));
        assert!(lenient || ours == theirs, "{ours:?} is not {theirs:?} in {frame:02x?}");
        match ours {
            Some(Seen { cut: true, .. }) => cut += 1,
            Some(_) => whole += 1,
            None => {}
        }
    }
    assert!(whole > 20_000 && cut > 5_000, "only {whole} whole and {cut} cut frames were compared");
}
