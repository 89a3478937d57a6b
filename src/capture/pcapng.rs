//! pcapng files (draft-ietf-opsawg-pcapng): sections of either byte order, each
//! with its own interfaces; unknown blocks are skipped unread.

use super::LinkType;
use super::record::{Endian, FormatReader, Interface, MAX_FRAME, Missing, Packet, check_length, take_frame};
use super::timestamp::Clock;
use super::trouble::Fault;
use super::window::Window;
use crate::units::CaptureTime;

/// The block type of a section header, the same in both byte orders.
pub(super) const MAGIC: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const PACKET_OBSOLETE: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const INTERFACE_STATISTICS: u32 = 5;
const ENHANCED_PACKET: u32 = 6;

/// Records that Wireshark numbers like frames although they carry none: systemd
/// journal entries, the sysdig event blocks, and custom blocks of both kinds.
const NUMBERED: [u32; 9] = [9, 0x204, 0x208, 0x216, 0x217, 0x221, 0x222, 0x0bad, 0x4000_0bad];

/// Block type and total length, which every block begins with.
const BLOCK_HEADER: usize = 8;

/// Type, length, and the trailing copy of the length.
const EMPTY_BLOCK: u32 = 12;

/// Interfaces that one file may declare over all sections: far more than any
/// capture has, few enough to keep in memory when a file is hostile.
const MAX_INTERFACES: usize = 1 << 16;

/// Most bytes of an interface block that are read for its options.
const MAX_OPTION_BYTES: usize = 64 << 10;

/// Characters of an interface's name that are kept.
const MAX_NAME: usize = 256;

/// Reader of one pcapng file.
pub(super) struct Pcapng {
    endian: Endian,
    interfaces: Vec<Interface>,
    clocks: Vec<Clock>,
    /// Where the current section's interfaces begin in `interfaces`.
    section: usize,
    /// Numbered records without a frame since the last packet.
    passed: u32,
    /// Whether this program wrote the section, so that an interface's description is its zone.
    own: bool,
    /// Where frames are missing, since somebody asked.
    missing: Vec<Missing>,
}

impl Pcapng {
    pub(super) const fn new() -> Self {
        Self {
            endian: Endian::Little,
            interfaces: Vec::new(),
            clocks: Vec::new(),
            section: 0,
            passed: 0,
            own: false,
            missing: Vec::new(),
        }
    }

    /// Reads a section header block and leaves the window behind it.
    fn begin_section(&mut self, window: &mut Window) -> Result<(), Fault> {
        if !window.fill(16)? {
            return Err(Fault::truncated("the data ends inside a section header block"));
        }
        let block = window.peek();
        self.endian = match Endian::Big.u32(block, 8) {
            0x1a2b_3c4d => Endian::Big,
            0x4d3c_2b1a => Endian::Little,
            other => {
                return Err(Fault::damaged(format!("a section header with byte-order magic {other:08x}")));
            }
        };
        let (length, major) = (self.endian.u32(block, 4), self.endian.u16(block, 12));
        if length < 28 {
            return Err(Fault::damaged(format!("a section header block of {length} bytes")));
        }
        if major != 1 {
            return Err(Fault::damaged(format!("a section of pcapng version {major}, not 1")));
        }
        self.section = self.interfaces.len();
        let read = (length as usize).min(MAX_OPTION_BYTES);
        self.own = window.fill(read)?
            && options(self.endian, window.peek().get(24..read).unwrap_or_default())
                .any(|(code, value)| code == 4 && value.starts_with(b"dorascope "));
        discard(window, length)
    }

    /// Reads an interface description block and leaves the window behind it.
    fn describe_interface(&mut self, window: &mut Window, length: u32) -> Result<(), Fault> {
        let body = (length - EMPTY_BLOCK) as usize;
        if body < 8 {
            return Err(Fault::damaged(format!("an interface description block of {length} bytes")));
        }
        if self.interfaces.len() >= MAX_INTERFACES {
            return Err(Fault::damaged(format!("more than {MAX_INTERFACES} interfaces")));
        }
        let read = BLOCK_HEADER + body.min(MAX_OPTION_BYTES);
        if !window.fill(read)? {
            return Err(Fault::truncated("the data ends inside an interface description block"));
        }
        let (endian, block) = (self.endian, window.peek().get(..read).unwrap_or_default());
        let mut interface = Interface {
            link: LinkType(endian.u16(block, 8)),
            index: (self.interfaces.len() - self.section) as u32,
            snaplen: endian.u32(block, 12),
            ..Interface::default()
        };
        let (mut resolution, mut offset) = (6, 0);
        for (code, value) in options(endian, block.get(16..).unwrap_or_default()) {
            match (code, value) {
                (2, name) => interface.name = printable(name),
                (3, zone) if self.own => interface.zone = printable(zone),
                (3, text) => interface.description = printable(text),
                (9, [exponent, ..]) => resolution = *exponent,
                (14, value) if value.len() == 8 => offset = endian.u64(value, 0).cast_signed(),
                _ => {}
            }
        }
        self.interfaces.push(interface);
        self.clocks.push(Clock::new(resolution, offset));
        discard(window, length)
    }

    /// Reads an interface statistics block: how many frames were dropped, and whether the capture of the
    /// interface ended or began.
    fn count_drops(&mut self, window: &mut Window, length: u32) -> Result<(), Fault> {
        let body = ((length - EMPTY_BLOCK) as usize).min(MAX_OPTION_BYTES);
        if body >= 12 && window.fill(BLOCK_HEADER + body)? {
            let endian = self.endian;
            let block = window.peek().get(..BLOCK_HEADER + body).unwrap_or_default();
            let at = self.section + endian.u32(block, 8) as usize;
            if let (Some(interface), Some(clock)) = (self.interfaces.get_mut(at), self.clocks.get(at)) {
                let instant = |high: u32, low: u32| clock.instant(u64::from(high) << 32 | u64::from(low));
                let time = instant(endian.u32(block, 12), endian.u32(block, 16));
                let (mut dropped, mut begun, mut ended) = (None, None, None);
                for (code, value) in options(endian, block.get(20..).unwrap_or_default()) {
                    match code {
                        2 if value.len() == 8 => {
                            begun = Some(instant(endian.u32(value, 0), endian.u32(value, 4)));
                        }
                        3 if value.len() == 8 => {
                            ended = Some(instant(endian.u32(value, 0), endian.u32(value, 4)));
                        }
                        5 if value.len() == 8 => dropped = Some(endian.u64(value, 0)),
                        _ => {}
                    }
                }
                // When the first ones were dropped the file does not tell.
                let since = interface.told.unwrap_or(CaptureTime(i64::MIN));
                let more = dropped.is_some_and(|count| count > interface.dropped.unwrap_or(0));
                let again = interface.ended.take().zip(begun);
                let spans = more.then_some((since, time)).into_iter().chain(again);
                self.missing.extend(spans.map(|(from, to)| Missing { interface: at, from, to }));
                interface.dropped = dropped.or(interface.dropped);
                interface.told = Some(time);
                // What dumpcap tells at the end of a file ends nothing that goes on in it.
                interface.ended = ended;
            }
        }
        discard(window, length)
    }

    /// Reads a packet block of any of the three kinds.
    #[inline]
    fn packet(&self, window: &mut Window, kind: u32, length: u32) -> Result<Packet, Fault> {
        let fixed = if kind == SIMPLE_PACKET { 4 } else { 20 };
        let body = length - EMPTY_BLOCK;
        if body < fixed {
            return Err(Fault::damaged(format!("a packet block of {length} bytes")));
        }
        if !window.fill(BLOCK_HEADER + fixed as usize)? {
            return Err(Fault::truncated("the data ends inside a packet block"));
        }
        let (endian, block) = (self.endian, window.peek());
        let interface = self.section
            + match kind {
                SIMPLE_PACKET => 0,
                PACKET_OBSOLETE => usize::from(endian.u16(block, 8)),
                _ => endian.u32(block, 8) as usize,
            };
        let (Some(Interface { link, snaplen, .. }), Some(clock)) =
            (self.interfaces.get(interface), self.clocks.get(interface))
        else {
            let id = interface - self.section;
            return Err(Fault::damaged(format!("a packet of interface {id}, which is not declared")));
        };
        let (time, captured, original_len) = if kind == SIMPLE_PACKET {
            // Its captured length is implied: the original one, cut by the snap length.
            let original = endian.u32(block, 8);
            let limit = if *snaplen == 0 { u32::MAX } else { *snaplen };
            (None, original.min(limit).min(body - fixed), original)
        } else {
            let fields = block.get(12..).and_then(|rest| rest.first_chunk().copied()).unwrap_or_default();
            let [high, low, captured, original] = endian.words(fields);
            (Some(clock.instant(u64::from(high) << 32 | u64::from(low))), captured, original)
        };
        check_length(captured, *link)?;
        if captured > body - fixed {
            return Err(Fault::damaged(format!("a packet of {captured} bytes in a block of {length} bytes")));
        }
        let skip = BLOCK_HEADER + fixed as usize;
        let data = take_frame(window, padded(length), skip, captured as usize, "a packet block")?;
        Ok(Packet { interface, time, original_len, data, passed: 0 })
    }
}

impl FormatReader for Pcapng {
    fn interfaces(&self) -> &[Interface] {
        &self.interfaces
    }

    fn missing(&mut self) -> Vec<Missing> {
        std::mem::take(&mut self.missing)
    }

    #[inline]
    fn next(&mut self, window: &mut Window) -> Result<Option<Packet>, Fault> {
        loop {
            if !window.fill(BLOCK_HEADER)? {
                return match window.peek() {
                    [] => Ok(None),
                    _ => Err(Fault::truncated("the data ends inside a block header")),
                };
            }
            let (kind, length) = (self.endian.u32(window.peek(), 0), self.endian.u32(window.peek(), 4));
            if kind == SECTION_HEADER {
                // Its length is in its own byte order, which may differ from the last section's.
                self.begin_section(window)?;
                continue;
            }
            if length < EMPTY_BLOCK {
                return Err(Fault::damaged(format!("a block of {length} bytes, below the least of 12")));
            }
            match kind {
                ENHANCED_PACKET | SIMPLE_PACKET | PACKET_OBSOLETE => {
                    let passed = std::mem::take(&mut self.passed);
                    return self.packet(window, kind, length).map(|packet| Some(Packet { passed, ..packet }));
                }
                INTERFACE_DESCRIPTION => self.describe_interface(window, length)?,
                INTERFACE_STATISTICS => self.count_drops(window, length)?,
                _ => {
                    discard(window, length)?;
                    self.passed += u32::from(NUMBERED.contains(&kind));
                }
            }
        }
    }
}

/// Some writers leave out the padding to 32 bits in the length, as Wireshark
/// tolerates; the block itself is padded.
fn padded(length: u32) -> u64 {
    u64::from(length).next_multiple_of(4)
}

/// Leaves the window behind the block that begins there.
fn discard(window: &mut Window, length: u32) -> Result<(), Fault> {
    let offset = window.offset();
    if window.skip(padded(length))? {
        Ok(())
    } else {
        Err(Fault::truncated(format!("the data ends inside a block of {length} bytes")).at(offset))
    }
}

/// The options of a block as (code, value), up to the end marker or the first
/// one that does not fit.
fn options(endian: Endian, mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let rest = bytes.get(4..)?;
        let (code, length) = (endian.u16(bytes, 0), usize::from(endian.u16(bytes, 2)));
        let value = rest.get(..length).filter(|_| code != 0)?;
        bytes = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((code, value))
    })
}

/// A name from the file as text that is safe on a terminal; `None` when empty.
fn printable(name: &[u8]) -> Option<String> {
    let text: String = String::from_utf8_lossy(name)
        .trim_end_matches('\0')
        .chars()
        .take(MAX_NAME)
        .map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c })
        .collect();
    (!text.is_empty()).then_some(text)
}

const _: () = assert!(MAX_OPTION_BYTES < MAX_FRAME as usize, "the window holds at least a frame");
