//! pcapng blocks as they are written (draft-ietf-opsawg-pcapng), little-endian.

use crate::capture::LinkType;
use crate::units::CaptureTime;

/// An interface that is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// `if_name`.
    pub name: String,
    /// `if_description`; in a file of this program it is the zone.
    pub zone: String,
    /// How its frames begin.
    pub link: LinkType,
    /// Most bytes of a frame.
    pub snaplen: u32,
}

/// What an interface statistics block tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// When it was made.
    pub time: CaptureTime,
    /// Since when frames of the interface are captured, if that is told.
    pub from: Option<CaptureTime>,
    /// Until when, if no more are.
    pub to: Option<CaptureTime>,
    /// Frames that were dropped since the section began.
    pub dropped: u64,
}

/// What begins `shb_userappl` in the files of this program.
pub const APPLICATION: &str = concat!("dorascope ", env!("CARGO_PKG_VERSION"));

/// A block of a kind around a body.
fn block(bytes: &mut Vec<u8>, kind: u32, body: impl FnOnce(&mut Vec<u8>)) {
    let start = bytes.len();
    bytes.extend_from_slice(&kind.to_le_bytes());
    bytes.extend_from_slice(&[0; 4]);
    body(bytes);
    pad(bytes, start);
    let length = (bytes.len() - start + 4) as u32;
    bytes.extend_from_slice(&length.to_le_bytes());
    if let Some(place) = bytes.get_mut(start + 4..start + 8) {
        place.copy_from_slice(&length.to_le_bytes());
    }
}

/// Blocks and options are padded to 32 bits.
fn pad(bytes: &mut Vec<u8>, start: usize) {
    let length = bytes.len() - start;
    bytes.resize(start + length.next_multiple_of(4), 0);
}

fn option(bytes: &mut Vec<u8>, code: u16, value: &[u8]) {
    let value = value.get(..value.len().min(0xffff)).unwrap_or_default();
    bytes.extend_from_slice(&code.to_le_bytes());
    bytes.extend_from_slice(&(value.len() as u16).to_le_bytes());
    let start = bytes.len();
    bytes.extend_from_slice(value);
    pad(bytes, start);
}

const END_OF_OPTIONS: [u8; 4] = [0; 4];

/// A section of unknown length with its interfaces; their frames have nanoseconds.
pub(super) fn section(bytes: &mut Vec<u8>, interfaces: &[Recorded]) {
    block(bytes, 0x0a0d_0d0a, |body| {
        body.extend_from_slice(&0x1a2b_3c4d_u32.to_le_bytes());
        body.extend_from_slice(&[1, 0, 0, 0]);
        body.extend_from_slice(&u64::MAX.to_le_bytes());
        option(body, 3, std::env::consts::OS.as_bytes());
        option(body, 4, APPLICATION.as_bytes());
        body.extend_from_slice(&END_OF_OPTIONS);
    });
    for Recorded { name, zone, link, snaplen } in interfaces {
        block(bytes, 1, |body| {
            body.extend_from_slice(&link.0.to_le_bytes());
            body.extend_from_slice(&[0; 2]);
            body.extend_from_slice(&snaplen.to_le_bytes());
            option(body, 2, name.as_bytes());
            option(body, 3, zone.as_bytes());
            // if_tsresol: 10^-9 s.
            option(body, 9, &[9]);
            body.extend_from_slice(&END_OF_OPTIONS);
        });
    }
}

/// An enhanced packet block.
pub(super) fn packet(bytes: &mut Vec<u8>, interface: u32, time: CaptureTime, original_len: u32, data: &[u8]) {
    block(bytes, 6, |body| {
        body.extend_from_slice(&interface.to_le_bytes());
        stamp(body, time);
        body.extend_from_slice(&(data.len() as u32).to_le_bytes());
        body.extend_from_slice(&original_len.to_le_bytes());
        body.extend_from_slice(data);
    });
}

/// An interface statistics block.
pub(super) fn statistics(bytes: &mut Vec<u8>, interface: u32, statistics: &Statistics) {
    block(bytes, 5, |body| {
        body.extend_from_slice(&interface.to_le_bytes());
        stamp(body, statistics.time);
        for (code, instant) in [(2, statistics.from), (3, statistics.to)] {
            if let Some(instant) = instant {
                let mut value = Vec::with_capacity(8);
                stamp(&mut value, instant);
                option(body, code, &value);
            }
        }
        option(body, 5, &statistics.dropped.to_le_bytes());
        body.extend_from_slice(&END_OF_OPTIONS);
    });
}

/// Instants before 1970 cannot be written, and no clock shows them.
fn stamp(bytes: &mut Vec<u8>, time: CaptureTime) {
    let ns = time.0.max(0).cast_unsigned();
    bytes.extend_from_slice(&((ns >> 32) as u32).to_le_bytes());
    bytes.extend_from_slice(&(ns as u32).to_le_bytes());
}
