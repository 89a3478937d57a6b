//! Frames as no client sends them: tagged, in pieces, mirrored.

use std::path::Path;

use dorascope::capture::{Input, Reader};

use crate::support::dhcp;
use crate::support::files::{Order, PcapFile};
use crate::support::frames::{CLIENT, ethernet, fragment, ipv4};

/// Time and bytes of the frames of a file.
pub fn frames(path: &Path) -> Vec<(u64, Vec<u8>)> {
    let mut reader = Reader::open(&[Input { zone: None, path: path.to_owned() }]);
    let mut found = Vec::new();
    while let Some(frame) = reader.next() {
        found.push((frame.time.0.cast_unsigned(), frame.data.to_vec()));
    }
    assert_eq!(reader.troubles(), [], "{}", path.display());
    found
}

/// A pcap file of frames, in order of time.
pub fn pcap(mut frames: Vec<(u64, Vec<u8>)>) -> Vec<u8> {
    frames.sort_by_key(|(ns, _)| *ns);
    frames.iter().fold(PcapFile::nano(Order::Little, 1), |file, (ns, data)| file.frame(*ns, data)).bytes
}

/// An Ethernet frame with an IPv4 packet whose header checksum is right, as bridges want it.
pub fn bridged(packet: &[u8]) -> Vec<u8> {
    let mut packet = packet.to_vec();
    packet[10..12].fill(0);
    let sum: u32 = packet[..20].chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
    let sum = !((sum & 0xffff) + (sum >> 16)) as u16;
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
    ethernet(0x0800, &packet)
}

/// The frame with tags between its addresses and the rest.
pub fn tagged(frame: &[u8], tags: &[u8]) -> Vec<u8> {
    [&frame[..12], tags, &frame[12..]].concat()
}

/// The frame in GRE with a sequence number and the header of ERSPAN type II.
pub fn mirrored(frame: &[u8], number: u32) -> Vec<u8> {
    let mut payload = vec![0x10, 0, 0x88, 0xbe];
    payload.extend(number.to_be_bytes());
    payload.extend([0x10, 0x07, 0, 1, 0, 0, 0, 0]);
    payload.extend(frame);
    bridged(&ipv4(47, &payload))
}

pub const VLAN_7: [u8; 4] = [0x81, 0, 0, 7];
pub const VLAN_7_IN_9: [u8; 8] = [0x88, 0xa8, 0, 9, 0x81, 0, 0, 7];

/// A DISCOVER with a transaction of its own.
pub fn discover(xid: u32) -> Vec<u8> {
    dhcp::message(1, xid, CLIENT, [0; 4], &[(53, &[1])])
}

/// A packet with a UDP datagram from a client, from its place in `datagram`.
pub fn piece(datagram: &[u8], from: usize, to: usize) -> Vec<u8> {
    let more = if to < datagram.len() { 0x2000 } else { 0 };
    bridged(&fragment(17, 7, more | (from / 8) as u16, &datagram[from..to]))
}
