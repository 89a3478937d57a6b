//! Traffic that has nothing to do with DHCP: TCP and UDP of the three sizes of "simple IMIX" (seven of 60 bytes, four of
//! 590, one of 1514).

use std::net::Ipv4Addr;

use super::bytes::{self, End, Segment};
use super::client::scatter;

/// Conversations that go on at the same time.
const FLOWS: u32 = 1024;
/// Frame sizes, in turn.
const SIZES: [usize; 12] = [60, 590, 60, 60, 590, 60, 1514, 60, 590, 60, 60, 590];

pub struct Bystanders {
    count: u32,
    /// What the conversations are about: bytes that look encrypted.
    noise: Vec<u8>,
}

impl Bystanders {
    pub fn new() -> Self {
        Self { count: 0, noise: (0..1024).flat_map(|number| scatter(number).to_le_bytes()).collect() }
    }

    /// Replaces `frame` by the next one of theirs.
    pub fn next(&mut self, frame: &mut Vec<u8>) {
        let number = self.count;
        self.count += 1;
        let flow = scatter(u64::from(number)) as u32 % FLOWS;
        let near = End {
            mac: [8, 0, 0x27, 0xee, (flow >> 8) as u8, flow as u8],
            ip: Ipv4Addr::from_bits(0x0afe_0000 + flow),
            port: 32_768 + flow as u16,
        };
        let ip = Ipv4Addr::from_bits(0xc633_6400 + flow % 254 + 1);
        let far = End { mac: [8, 0, 0x27, 0xff, 0, 1], ip, port: [443, 443, 443, 80, 53][flow as usize % 5] };
        let (from, to) = if scatter(u64::from(number)) >> 63 == 0 { (near, far) } else { (far, near) };
        let size = SIZES[number as usize % SIZES.len()];
        let data = |headers: usize| {
            let start = number as usize * 61 % 4096;
            &self.noise[start..start + size - headers]
        };
        let segment = |flags| Segment { seq: number, ack: number, flags, options: &[] };
        // DNS, and every other conversation of port 443, is UDP.
        if far.port == 53 || (far.port == 443 && flow.is_multiple_of(2)) {
            bytes::udp(frame, from, to, |frame| frame.extend_from_slice(data(42)));
        } else if size == 60 {
            // An ACK without data; the rest is what Ethernet pads it with.
            bytes::tcp(frame, from, to, segment(bytes::ACK), &[]);
            frame.resize(60, 0);
        } else {
            bytes::tcp(frame, from, to, segment(bytes::DATA), data(54));
        }
    }
}
