//! Solaris snoop files (RFC 1761).

use super::LinkType;
use super::record::{Endian, FormatReader, Interface, Packet, check_length, take_frame};
use super::trouble::Fault;
use super::window::Window;
use crate::units::{CaptureTime, SECOND};

const FILE_HEADER: usize = 16;
const RECORD_HEADER: usize = 24;

/// The first four bytes of the identification pattern "snoop\0\0\0".
pub(super) const MAGIC: [u8; 4] = *b"snoo";

/// Reader of one snoop file.
pub(super) struct Snoop {
    interface: [Interface; 1],
}

impl Snoop {
    /// Reads the file header.
    pub(super) fn open(window: &mut Window) -> Result<Self, Fault> {
        if !window.fill(FILE_HEADER)? {
            return Err(Fault::truncated("the data ends inside the file header"));
        }
        let header = window.peek();
        let version = Endian::Big.u32(header, 8);
        if !header.starts_with(b"snoop\0\0\0") {
            return Err(Fault::damaged("the first bytes are snoop's, those behind them are not"));
        }
        if version != 2 {
            return Err(Fault::damaged(format!("snoop version {version}, not 2")));
        }
        // RFC 1761 numbers its own data link types; only Ethernet carries the same frames.
        let link = match Endian::Big.u32(header, 12) {
            4 => LinkType(1),
            other => return Err(Fault::damaged(format!("snoop data link type {other}, not Ethernet (4)"))),
        };
        window.take(FILE_HEADER, 0..0);
        Ok(Self { interface: [Interface { link, ..Interface::default() }] })
    }
}

impl FormatReader for Snoop {
    fn interfaces(&self) -> &[Interface] {
        &self.interface
    }

    fn next(&mut self, window: &mut Window) -> Result<Option<Packet>, Fault> {
        if !window.fill(RECORD_HEADER)? {
            return match window.peek() {
                [] => Ok(None),
                _ => Err(Fault::truncated("the data ends inside a record header")),
            };
        }
        let header = window.peek();
        let field = |offset| Endian::Big.u32(header, offset);
        let (original_len, captured, record, drops) = (field(0), field(4), field(8), field(12));
        let time = CaptureTime(i64::from(field(16)) * SECOND + i64::from(field(20)) * 1_000);
        let [interface] = &mut self.interface;
        check_length(captured, interface.link)?;
        let captured = captured as usize;
        if (record as usize) < RECORD_HEADER + captured {
            return Err(Fault::damaged(format!("a record length of {record} for {captured} captured bytes")));
        }
        let data = take_frame(window, u64::from(record), RECORD_HEADER, captured, "a frame")?;
        interface.dropped = Some(u64::from(drops));
        Ok(Some(Packet { interface: 0, time: Some(time), original_len, data, passed: 0 }))
    }
}
