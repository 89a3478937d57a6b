//! Classic pcap files (draft-ietf-opsawg-pcap): micro- and nanoseconds, both
//! byte orders, and the "modified" records of Alexey Kuznetsov's patch.

use super::LinkType;
use super::record::{Endian, FormatReader, Interface, Packet, check_length, take_frame};
use super::trouble::Fault;
use super::window::Window;
use crate::units::{CaptureTime, SECOND};

/// Length of the file header.
const FILE_HEADER: usize = 24;

/// Length of a packet record's header; the modified format adds eight bytes
/// (interface index, protocol, packet type) that say nothing about the frame.
const RECORD_HEADER: usize = 16;
const MODIFIED_RECORD_HEADER: usize = 24;

const MICROSECONDS: u32 = 0xa1b2_c3d4;
const NANOSECONDS: u32 = 0xa1b2_3c4d;
const MODIFIED: u32 = 0xa1b2_cd34;

/// Reader of one pcap file.
pub(super) struct Pcap {
    endian: Endian,
    /// Nanoseconds of one unit of the fraction field.
    unit: i64,
    record_header: usize,
    /// Files before version 2.3 swapped the two length fields, those of 2.3 may have.
    minor_version: u16,
    interface: [Interface; 1],
}

impl Pcap {
    /// Whether `magic`, the first four bytes, begins a pcap file.
    pub(super) fn recognises(magic: [u8; 4]) -> bool {
        Self::layout(magic).is_some()
    }

    fn layout(magic: [u8; 4]) -> Option<(Endian, i64, usize)> {
        let known = |number| match number {
            MICROSECONDS => Some((1_000, RECORD_HEADER)),
            NANOSECONDS => Some((1, RECORD_HEADER)),
            MODIFIED => Some((1_000, MODIFIED_RECORD_HEADER)),
            _ => None,
        };
        let with = |endian| move |(unit, header)| (endian, unit, header);
        known(u32::from_le_bytes(magic))
            .map(with(Endian::Little))
            .or_else(|| known(u32::from_be_bytes(magic)).map(with(Endian::Big)))
    }

    /// Reads the file header, whose magic number has been recognised.
    pub(super) fn open(magic: [u8; 4], window: &mut Window) -> Result<Self, Fault> {
        let Some((endian, unit, record_header)) = Self::layout(magic) else {
            return Err(Fault::damaged("not a pcap file"));
        };
        if !window.fill(FILE_HEADER)? {
            return Err(Fault::truncated("the data ends inside the file header"));
        }
        let header = window.peek();
        let (major, minor_version) = (endian.u16(header, 4), endian.u16(header, 6));
        if major != 2 {
            return Err(Fault::damaged(format!("pcap version {major}.{minor_version}, not 2.x")));
        }
        let interface = Interface {
            // The upper bits hold the length of a frame check sequence.
            link: LinkType((endian.u32(header, 20) & 0xffff) as u16),
            snaplen: endian.u32(header, 16),
            ..Interface::default()
        };
        window.take(FILE_HEADER, 0..0);
        Ok(Self { endian, unit, record_header, minor_version, interface: [interface] })
    }

    /// The format's name: pcap, with "ns" or "modified" where it is not the plain one.
    pub(super) const fn name(&self) -> &'static str {
        match (self.unit, self.record_header) {
            (1, _) => "pcap-ns",
            (_, MODIFIED_RECORD_HEADER) => "pcap-modified",
            _ => "pcap",
        }
    }
}

impl FormatReader for Pcap {
    fn interfaces(&self) -> &[Interface] {
        &self.interface
    }

    #[inline]
    fn next(&mut self, window: &mut Window) -> Result<Option<Packet>, Fault> {
        if !window.fill(self.record_header)? {
            return match window.peek() {
                [] => Ok(None),
                _ => Err(Fault::truncated("the data ends inside a record header")),
            };
        }
        let header = window.peek().first_chunk().copied().unwrap_or_default();
        let [seconds, fraction, mut captured, mut original_len] = self.endian.words(header);
        if self.minor_version < 3 || (self.minor_version == 3 && captured > original_len) {
            std::mem::swap(&mut captured, &mut original_len);
        }
        if (seconds, fraction, captured, original_len) == (0, 0, 0, 0) {
            // A file system fills the end of a file with zeros when a machine stops in the middle.
            return Err(Fault::damaged("a record header of zeros"));
        }
        let [Interface { link, .. }] = self.interface;
        check_length(captured, link)?;
        let captured = captured as usize;
        let record = (self.record_header + captured) as u64;
        let data = take_frame(window, record, self.record_header, captured, "a frame")?;
        // u32 seconds and a u32 fraction cannot leave the range of i64 nanoseconds.
        let time = CaptureTime(i64::from(seconds) * SECOND + i64::from(fraction) * self.unit);
        Ok(Some(Packet { interface: 0, time: Some(time), original_len, data, passed: 0 }))
    }
}
