//! Ethernet, IPv4, UDP and TCP headers around a payload, with right checksums.

use std::net::Ipv4Addr;

/// Bytes of Ethernet and IPv4 headers together.
const IP_END: usize = 34;

/// One end of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    pub mac: [u8; 6],
    pub ip: Ipv4Addr,
    pub port: u16,
}

/// The sum of RFC 1071 over more bytes; only the last piece may have an odd length.
fn sum(start: u64, bytes: &[u8]) -> u64 {
    let mut words = bytes.chunks_exact(4);
    let whole = words
        .by_ref()
        .fold(start, |sum, word| sum + u64::from(u32::from_be_bytes([word[0], word[1], word[2], word[3]])));
    let mut rest = [0; 4];
    rest[..words.remainder().len()].copy_from_slice(words.remainder());
    whole + u64::from(u32::from_be_bytes(rest))
}

fn fold(mut sum: u64) -> u16 {
    while sum >> 16 != 0 {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// Ethernet and IPv4 headers; lengths and checksums are left for [`finish`].
fn headers(frame: &mut Vec<u8>, from: End, to: End, protocol: u8, id: u16) {
    frame.clear();
    frame.extend_from_slice(&to.mac);
    frame.extend_from_slice(&from.mac);
    frame.extend_from_slice(&[8, 0, 0x45, 0, 0, 0]);
    frame.extend_from_slice(&id.to_be_bytes());
    frame.extend_from_slice(&[0, 0, 64, protocol, 0, 0]);
    frame.extend_from_slice(&from.ip.octets());
    frame.extend_from_slice(&to.ip.octets());
}

fn finish_ip(frame: &mut [u8], flags: u16) {
    let length = (frame.len() - 14) as u16;
    frame[16..18].copy_from_slice(&length.to_be_bytes());
    frame[20..22].copy_from_slice(&flags.to_be_bytes());
    frame[24..26].fill(0);
    let checksum = fold(sum(0, &frame[14..IP_END]));
    frame[24..26].copy_from_slice(&checksum.to_be_bytes());
}

/// Writes lengths and checksums; `at` is where the checksum stands in the transport header.
fn finish(frame: &mut [u8], protocol: u8, at: usize) {
    finish_ip(frame, 0);
    let length = (frame.len() - IP_END) as u64;
    let pseudo = sum(u64::from(protocol) + length, &frame[26..IP_END]);
    let checksum = fold(sum(pseudo, &frame[IP_END..]));
    frame[IP_END + at..IP_END + at + 2].copy_from_slice(&checksum.to_be_bytes());
}

/// Replaces `frame` by a UDP datagram; `payload` appends its data.
pub fn udp(frame: &mut Vec<u8>, from: End, to: End, payload: impl FnOnce(&mut Vec<u8>)) {
    headers(frame, from, to, 17, 0);
    udp_header(frame, from, to, payload);
    finish(frame, 17, 6);
}

fn udp_header(frame: &mut Vec<u8>, from: End, to: End, payload: impl FnOnce(&mut Vec<u8>)) {
    frame.extend_from_slice(&from.port.to_be_bytes());
    frame.extend_from_slice(&to.port.to_be_bytes());
    frame.extend_from_slice(&[0; 4]);
    payload(frame);
    let length = (frame.len() - IP_END) as u16;
    frame[IP_END + 4..IP_END + 6].copy_from_slice(&length.to_be_bytes());
}

/// A UDP datagram that needs many frames; without a checksum, as RFC 768 allows.
pub fn fragmented_udp(from: End, to: End, id: u16, payload: impl FnOnce(&mut Vec<u8>)) -> Vec<Vec<u8>> {
    /// Bytes of data in a fragment, a multiple of eight.
    const DATA: usize = 1480;
    let mut whole = Vec::new();
    headers(&mut whole, from, to, 17, id);
    udp_header(&mut whole, from, to, payload);
    let pieces = whole[IP_END..].chunks(DATA);
    let last = pieces.len() - 1;
    let fragment = |(number, data): (usize, &[u8])| {
        let mut frame = [&whole[..IP_END], data].concat();
        let more = u16::from(number < last) << 13;
        finish_ip(&mut frame, more | (number * DATA / 8) as u16);
        frame
    };
    pieces.enumerate().map(fragment).collect()
}

/// SYN.
pub const SYN: u8 = 2;
/// ACK.
pub const ACK: u8 = 16;
/// ACK and PSH.
pub const DATA: u8 = 24;

/// What a TCP header says besides the ports.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    pub seq: u32,
    pub ack: u32,
    pub flags: u8,
    /// Their length is divisible by four.
    pub options: &'a [u8],
}

/// Replaces `frame` by a TCP segment.
pub fn tcp(frame: &mut Vec<u8>, from: End, to: End, segment: Segment, data: &[u8]) {
    headers(frame, from, to, 6, segment.seq as u16);
    frame.extend_from_slice(&from.port.to_be_bytes());
    frame.extend_from_slice(&to.port.to_be_bytes());
    frame.extend_from_slice(&segment.seq.to_be_bytes());
    frame.extend_from_slice(&segment.ack.to_be_bytes());
    let words = 5 + segment.options.len() / 4;
    frame.extend_from_slice(&[(words << 4) as u8, segment.flags, 0xfa, 0xf0, 0, 0, 0, 0]);
    frame.extend_from_slice(segment.options);
    frame.extend_from_slice(data);
    finish(frame, 6, 16);
}
