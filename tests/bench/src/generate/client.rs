//! The clients: their identities and their DHCP messages, as udhcpc and Kea write them.

use std::net::Ipv4Addr;

use super::Kind;
use super::bytes::{self, End};
use super::world::Server;

pub const DISCOVER: u8 = 1;
pub const OFFER: u8 = 2;
pub const REQUEST: u8 = 3;
pub const ACK: u8 = 5;

/// BOOTP as RFC 1542 §2.1 wants it at least; every usual message here has this length.
const BOOTP: usize = 300;
/// Where BOOTP begins in a frame.
const START: usize = 42;

/// All of them.
pub struct Clients {
    kind: Kind,
    count: u32,
}

/// One client in one exchange.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    pub mac: [u8; 6],
    /// Its number, from zero.
    pub number: u32,
    xid: u32,
    /// Its options are as long as an option can be.
    long: bool,
}

/// Numbers that look random: the finalizer of SplitMix64.
pub fn scatter(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

impl Clients {
    pub fn new(kind: Kind, count: u32) -> Self {
        Self { kind, count: count.max(1) }
    }

    /// The client of an exchange.
    pub fn of(&self, exchange: u64) -> Client {
        let number = (exchange % u64::from(self.count)) as u32;
        let [_, high, middle, low] = number.to_be_bytes();
        let (mac, xid) = match self.kind {
            // An even first byte: no group address.
            Kind::Colliding => ([high << 1, middle, low, 0, 0, 0], (exchange as u32) << 12),
            Kind::SameXid => ([8, 0, 0x27, high, middle, low], 0x2026_1122),
            _ => ([8, 0, 0x27, high, middle, low], scatter(exchange) as u32),
        };
        Client { mac, number, xid, long: self.kind == Kind::LongOptions }
    }
}

impl Client {
    /// Option 61.
    pub fn id(&self) -> Vec<u8> {
        let mut id = vec![1];
        id.extend_from_slice(&self.mac);
        id.resize(if self.long { 255 } else { 7 }, b'c');
        id
    }

    /// The address that the servers have for it, of the pool of the server that serves it.
    pub fn address(&self, server: Server) -> Ipv4Addr {
        Ipv4Addr::from_bits(server.pool().to_bits() + self.number)
    }

    fn end(&self, ip: Ipv4Addr) -> End {
        End { mac: self.mac, ip, port: 68 }
    }

    /// A DISCOVER, or the REQUEST that selects the server's offer.
    pub fn query(&self, message: u8, server: Server, frame: &mut Vec<u8>) {
        let to = End { mac: [0xff; 6], ip: Ipv4Addr::BROADCAST, port: 67 };
        bytes::udp(frame, self.end(Ipv4Addr::UNSPECIFIED), to, |frame| {
            self.bootp(1, Ipv4Addr::UNSPECIFIED, message, frame);
            self.option(frame, 12, format_args!("c{:07x}", self.number).to_string().as_bytes());
            self.option(frame, 60, b"udhcp 1.35.0");
            self.option(frame, 55, &[1, 3, 6, 12, 15, 28, 42]);
            if message == REQUEST {
                option(frame, 50, &self.address(server).octets());
                option(frame, 54, &server.ip().octets());
            }
            end(frame);
        });
    }

    /// An OFFER or ACK.
    pub fn reply(&self, message: u8, server: Server, frame: &mut Vec<u8>) {
        let address = self.address(server);
        let from = End { port: 67, ..server.end() };
        bytes::udp(frame, from, self.end(address), |frame| {
            self.bootp(2, address, message, frame);
            option(frame, 1, &[254, 0, 0, 0]);
            option(frame, 3, &[10, 255, 0, 1]);
            option(frame, 6, &[10, 255, 0, 2]);
            option(frame, 51, &super::world::LEASE.to_be_bytes());
            option(frame, 54, &server.ip().octets());
            option(frame, 58, &(super::world::LEASE / 2).to_be_bytes());
            option(frame, 59, &(super::world::LEASE / 8 * 7).to_be_bytes());
            end(frame);
        });
    }

    /// A DISCOVER of 64 KiB, in fragments.
    pub fn huge(&self, id: u16) -> Vec<Vec<u8>> {
        let to = End { mac: [0xff; 6], ip: Ipv4Addr::BROADCAST, port: 67 };
        bytes::fragmented_udp(self.end(Ipv4Addr::UNSPECIFIED), to, id, |frame| {
            self.bootp(1, Ipv4Addr::UNSPECIFIED, DISCOVER, frame);
            // What UDP can carry, 65,507 bytes, less this option and the end.
            while frame.len() < START + 65_507 - 258 {
                option(frame, 43, &[0x2b; 255]);
            }
            end(frame);
        })
    }

    /// The fixed part, the message type and the client identifier.
    fn bootp(&self, op: u8, yiaddr: Ipv4Addr, message: u8, frame: &mut Vec<u8>) {
        frame.extend_from_slice(&[op, 1, 6, 0]);
        frame.extend_from_slice(&self.xid.to_be_bytes());
        frame.extend_from_slice(&[0; 8]);
        frame.extend_from_slice(&yiaddr.octets());
        frame.extend_from_slice(&[0; 8]);
        frame.extend_from_slice(&self.mac);
        frame.extend_from_slice(&[0; 10 + 192]);
        frame.extend_from_slice(&[99, 130, 83, 99, 53, 1, message]);
        if self.long {
            option(frame, 61, &self.id());
        } else {
            frame.extend_from_slice(&[61, 7, 1]);
            frame.extend_from_slice(&self.mac);
        }
    }

    /// An option that grows where options are long.
    fn option(&self, frame: &mut Vec<u8>, code: u8, data: &[u8]) {
        if self.long {
            let mut long = [code; 255];
            long[..data.len()].copy_from_slice(data);
            option(frame, code, &long);
        } else {
            option(frame, code, data);
        }
    }
}

fn option(frame: &mut Vec<u8>, code: u8, data: &[u8]) {
    frame.extend_from_slice(&[code, data.len() as u8]);
    frame.extend_from_slice(data);
}

fn end(frame: &mut Vec<u8>) {
    frame.push(255);
    if frame.len() < START + BOOTP {
        frame.resize(START + BOOTP, 0);
    }
}
