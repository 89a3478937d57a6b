//! What a capturing thread hands over.

use std::ops::Range;
use std::time::Instant;

use crate::capture::LinkType;
use crate::units::CaptureTime;

/// Bytes of frames in a block at most; a frame more may be in it.
pub(super) const FULL: usize = 64 << 10;

/// Frames of one interface in the order of capture, and what else is to be told of it.
#[derive(Debug)]
pub(super) struct Block {
    /// The interface by number.
    pub(super) tap: usize,
    bytes: Vec<u8>,
    heads: Vec<Head>,
    /// When the first frame was read; with no frame when the block was handed over.
    pub(super) read: Instant,
    /// Everything that was captured before this instant was handed over with this block or before.
    pub(super) until: CaptureTime,
    pub(super) told: Vec<Told>,
}

#[derive(Debug)]
struct Head {
    time: CaptureTime,
    original_len: u32,
    end: usize,
}

/// What befell an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Lost(Loss),
    /// It is down, or not there any more.
    Gone(String),
    /// It is captured on again; with its number in the system, and whether frames for others show.
    Back {
        again_promiscuous: bool,
    },
    /// libpcap gave up.
    Failed(String),
}

/// Frames that were captured and did not arrive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loss {
    /// They were captured after this instant.
    pub from: CaptureTime,
    /// And before this one.
    pub to: CaptureTime,
    /// Frames that found no room in the kernel's buffer.
    pub kernel: u64,
    /// Frames that found no room in ours.
    pub queue: u64,
}

/// A frame as it came from an interface, borrowed until the next is asked for.
#[derive(Clone, Copy, Debug)]
pub struct LiveFrame<'a> {
    /// The interface by number.
    pub tap: usize,
    /// When it was captured.
    pub time: CaptureTime,
    /// How `data` begins.
    pub link: LinkType,
    /// Bytes that it had on the wire.
    pub original_len: u32,
    /// The captured bytes.
    pub data: &'a [u8],
}

impl Block {
    pub(super) fn new(tap: usize) -> Self {
        let until = CaptureTime(i64::MIN);
        Self { tap, bytes: Vec::new(), heads: Vec::new(), read: Instant::now(), until, told: Vec::new() }
    }

    pub(super) fn push(&mut self, time: CaptureTime, original_len: u32, data: &[u8]) {
        if self.heads.is_empty() {
            self.read = Instant::now();
            self.bytes.reserve(FULL + data.len());
        }
        self.bytes.extend_from_slice(data);
        self.heads.push(Head { time, original_len, end: self.bytes.len() });
        self.until = self.until.max(time);
    }

    pub(super) const fn len(&self) -> usize {
        self.heads.len()
    }

    /// Bytes that it takes, about.
    pub(super) const fn size(&self) -> usize {
        self.bytes.len() + self.heads.len() * size_of::<Head>() + size_of::<Self>()
    }

    pub(super) fn is_full(&self) -> bool {
        self.bytes.len() >= FULL
    }

    pub(super) fn span(&self) -> Option<(CaptureTime, CaptureTime)> {
        Some((self.heads.first()?.time, self.heads.last()?.time))
    }

    pub(super) fn time(&self, at: usize) -> Option<CaptureTime> {
        self.heads.get(at).map(|head| head.time)
    }

    pub(super) fn frame(&self, at: usize, link: LinkType) -> Option<LiveFrame<'_>> {
        let head = self.heads.get(at)?;
        let start = at.checked_sub(1).and_then(|before| self.heads.get(before)).map_or(0, |head| head.end);
        let range: Range<usize> = start..head.end;
        let data = self.bytes.get(range)?;
        Some(LiveFrame { tap: self.tap, time: head.time, link, original_len: head.original_len, data })
    }
}
