//! What every file format's reader gives: interfaces and packets.

use std::ops::Range;

use super::LinkType;
use super::trouble::Fault;
use super::window::Window;
use crate::units::CaptureTime;

/// An interface that a file declares; a pcap or snoop file has exactly one.
#[derive(Clone, Debug, Default)]
pub(super) struct Interface {
    pub(super) link: LinkType,
    /// pcapng `if_name`; absent in other formats.
    pub(super) name: Option<String>,
    /// pcapng `if_description`; absent in other formats.
    pub(super) description: Option<String>,
    /// The zone, where this program recorded it.
    pub(super) zone: Option<String>,
    /// Position in its section, as packet blocks refer to it.
    pub(super) index: u32,
    /// Most bytes kept of a frame; 0 for no limit.
    pub(super) snaplen: u32,
    /// Frames that the capturing system dropped, where the file tells.
    pub(super) dropped: Option<u64>,
    /// When that was told last, and until when the interface was captured on if that had ended.
    pub(super) told: Option<CaptureTime>,
    pub(super) ended: Option<CaptureTime>,
}

/// Frames of an interface are missing between two instants, because they were dropped or nobody captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Missing {
    /// Position in [`FormatReader::interfaces`].
    pub(super) interface: usize,
    pub(super) from: CaptureTime,
    pub(super) to: CaptureTime,
}

/// One packet record, whose bytes are still in the window.
#[derive(Clone, Debug)]
pub(super) struct Packet {
    /// Position in [`FormatReader::interfaces`].
    pub(super) interface: usize,
    /// Absent where the record carries no time (pcapng Simple Packet Block).
    pub(super) time: Option<CaptureTime>,
    pub(super) original_len: u32,
    /// For [`Window::bytes`].
    pub(super) data: Range<usize>,
    /// Records before it that have a number but no frame.
    pub(super) passed: u32,
}

/// A reader of one file format, positioned behind the file's header.
pub(super) trait FormatReader {
    /// The interfaces declared so far, over all sections; only ever appended to.
    fn interfaces(&self) -> &[Interface];

    /// Where frames are missing, as far as the file has told since the last call.
    fn missing(&mut self) -> Vec<Missing> {
        Vec::new()
    }

    /// The next packet; `None` at a clean end of the file.
    fn next(&mut self, window: &mut Window) -> Result<Option<Packet>, Fault>;
}

/// Byte order of a file or section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endian {
    Little,
    Big,
}

impl Endian {
    /// The 16-bit number at `offset`; 0 when `bytes` is too short, which the
    /// callers rule out by asking the window first.
    #[inline]
    pub(super) fn u16(self, bytes: &[u8], offset: usize) -> u16 {
        let raw = bytes.get(offset..).and_then(|b| b.first_chunk().copied()).unwrap_or_default();
        if self == Self::Little { u16::from_le_bytes(raw) } else { u16::from_be_bytes(raw) }
    }

    /// The 32-bit number at `offset`; 0 when `bytes` is too short.
    #[inline]
    pub(super) fn u32(self, bytes: &[u8], offset: usize) -> u32 {
        let raw = bytes.get(offset..).and_then(|b| b.first_chunk().copied()).unwrap_or_default();
        if self == Self::Little { u32::from_le_bytes(raw) } else { u32::from_be_bytes(raw) }
    }

    /// Four 32-bit numbers behind one another.
    #[inline]
    pub(super) const fn words(self, bytes: [u8; 16]) -> [u32; 4] {
        let all = u128::from_le_bytes(bytes);
        let words = [all as u32, (all >> 32) as u32, (all >> 64) as u32, (all >> 96) as u32];
        match self {
            Self::Little => words,
            Self::Big => {
                let [a, b, c, d] = words;
                [a.swap_bytes(), b.swap_bytes(), c.swap_bytes(), d.swap_bytes()]
            }
        }
    }

    /// The 64-bit number at `offset`; 0 when `bytes` is too short.
    #[inline]
    pub(super) fn u64(self, bytes: &[u8], offset: usize) -> u64 {
        let raw = bytes.get(offset..).and_then(|b| b.first_chunk().copied()).unwrap_or_default();
        if self == Self::Little { u64::from_le_bytes(raw) } else { u64::from_be_bytes(raw) }
    }
}

/// Largest captured length that is believed, for all but a few link types.
/// Wireshark and libpcap use the same limit; a larger one means a damaged file.
pub(super) const MAX_FRAME: u32 = 256 << 10;

/// Largest captured length that is believed for D-Bus, USB and EBHSCR captures,
/// as in Wireshark. Only the first [`MAX_FRAME`] bytes are kept of such a frame.
const MAX_BIG_FRAME: u32 = 128 << 20;

/// Checks a captured length before anything is read or reserved for it.
#[inline]
pub(super) fn check_length(captured: u32, link: LinkType) -> Result<(), Fault> {
    if captured <= MAX_FRAME || (matches!(link.0, 231 | 249 | 279) && captured <= MAX_BIG_FRAME) {
        Ok(())
    } else {
        Err(Fault::damaged(format!("a frame that claims {captured} captured bytes")))
    }
}

/// Takes the frame of `captured` bytes that begins `skip` bytes into the
/// record, and leaves the window behind the whole record of `record` bytes.
/// The caller has checked `captured`; `what` names the record in a fault.
#[inline]
pub(super) fn take_frame(
    window: &mut Window,
    record: u64,
    skip: usize,
    captured: usize,
    what: &str,
) -> Result<Range<usize>, Fault> {
    let kept = captured.min(MAX_FRAME as usize);
    let record_len = usize::try_from(record).unwrap_or(usize::MAX);
    if record_len <= skip + MAX_FRAME as usize {
        if window.fill(record_len)? {
            return Ok(window.take(record_len, skip..skip + kept));
        }
        return Err(Fault::truncated(format!("the data ends inside {what}")));
    }
    // Options, or a frame beyond the limit, make this record larger than the
    // window holds; its tail is discarded when the next record is asked for.
    if !window.fill(skip + kept)? {
        return Err(Fault::truncated(format!("the data ends inside {what}")));
    }
    let range = window.take(skip + kept, skip..skip + kept);
    window.owe(record.saturating_sub((skip + kept) as u64));
    Ok(range)
}
