//! IPv4 reassembly of UDP datagrams (RFC 791 §3.2), within hard limits.
//!
//! Fragments of other protocols never come here, and those of a datagram whose
//! first fragment shows other ports than DHCP's are forgotten at once, so a
//! flood of fragments costs a small table and nothing more. (etherparse's
//! `IpDefragPool` has no limits, as its own documentation warns.)

use std::net::Ipv4Addr;

use etherparse::UdpHeaderSlice;

use super::Skip;
use super::ipv4::is_dhcp_port;
use crate::units::{CaptureTime, SECOND, SourceId};

/// Datagrams that may wait at once.
const MAX_WAITING: usize = 256;

/// Bytes that all waiting datagrams may hold together.
const MAX_BYTES: usize = 4 << 20;

/// Separate pieces that one datagram may be in; each is at least 8 bytes, and
/// real ones come in at most 45 pieces of a 1500-byte link.
const MAX_PIECES: usize = 128;

/// How long a datagram waits, in nanoseconds of capture time; Linux waits 30 s too.
const MAX_AGE: i64 = 30 * SECOND;

/// Largest datagram content: the total length field has 16 bits.
const MAX_DATAGRAM: usize = 65_535;

/// Which datagram a fragment belongs to. The source is part of it because two
/// capture points see the same fragments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) source: SourceId,
    pub(super) src: Ipv4Addr,
    pub(super) dst: Ipv4Addr,
    pub(super) id: u16,
}

/// One fragment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fragment<'a> {
    /// Position of `data` in the datagram, in bytes.
    pub(super) offset: usize,
    /// Whether others follow behind it.
    pub(super) more: bool,
    pub(super) data: &'a [u8],
}

/// What became of fragmented UDP datagrams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FragmentCounts {
    /// Datagrams that were put together.
    pub reassembled: u64,
    /// Incomplete datagrams given up because 30 s of capture time had passed.
    pub expired: u64,
    /// Incomplete datagrams given up to stay within the limits on memory.
    pub evicted: u64,
    /// Datagrams dropped because their fragments contradict one another.
    pub conflicting: u64,
    /// Datagrams that wait for fragments now.
    pub waiting: u64,
}

/// The waiting datagrams.
#[derive(Debug, Default)]
pub(super) struct Defrag {
    waiting: Vec<Waiting>,
    held: usize,
    counts: FragmentCounts,
}

#[derive(Debug)]
struct Waiting {
    key: Key,
    since: CaptureTime,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Pieces of it, which do not overlap, by begin and end in `bytes`.
    Pieces { bytes: Vec<u8>, pieces: Vec<(usize, usize)>, total: Option<usize> },
    /// Its ports are not DHCP's: nothing is kept.
    Ignored,
}

impl Defrag {
    /// Adds a fragment; gives the whole datagram (UDP header included) when it
    /// was the last one missing.
    pub(super) fn add(
        &mut self,
        key: Key,
        fragment: Fragment<'_>,
        now: CaptureTime,
    ) -> Result<Vec<u8>, Skip> {
        self.expire(now);
        let end = fragment.offset + fragment.data.len();
        let index = self.waiting.iter().position(|waiting| waiting.key == key);
        // A middle fragment counts in units of 8 bytes, so other lengths lie.
        let malformed = fragment.more && !fragment.data.len().is_multiple_of(8);
        if end > MAX_DATAGRAM || malformed || fragment.data.is_empty() {
            return Err(self.conflict(index));
        }
        let ignored = fragment.offset == 0
            && UdpHeaderSlice::from_slice(fragment.data)
                .is_ok_and(|udp| !is_dhcp_port(udp.source_port()) && !is_dhcp_port(udp.destination_port()));
        let index = match index {
            Some(index) => index,
            None => self.make_room(key, now),
        };
        let Some(waiting) = self.waiting.get_mut(index) else { return Err(Skip::FragmentHeld) };
        if ignored {
            self.held -= waiting.state.held();
            waiting.state = State::Ignored;
        }
        let State::Pieces { bytes, pieces, total } = &mut waiting.state else {
            return Err(if ignored { Skip::UdpOther } else { Skip::FragmentOther });
        };
        let before = bytes.len();
        let fits = insert(bytes, pieces, total, fragment, end);
        self.held += bytes.len() - before;
        if !fits {
            return Err(self.conflict(Some(index)));
        }
        if total.is_some_and(|total| pieces.iter().map(|(from, to)| to - from).sum::<usize>() == total) {
            let bytes = std::mem::take(bytes);
            self.held -= bytes.len();
            self.waiting.swap_remove(index);
            self.counts.reassembled += 1;
            return Ok(bytes);
        }
        while self.held > MAX_BYTES {
            self.evict_oldest();
        }
        Err(Skip::FragmentHeld)
    }

    pub(super) const fn counts(&self) -> FragmentCounts {
        let mut counts = self.counts;
        counts.waiting = self.waiting.len() as u64;
        counts
    }

    /// A new waiting datagram, for which an old one goes if need be.
    fn make_room(&mut self, key: Key, now: CaptureTime) -> usize {
        if self.waiting.len() >= MAX_WAITING {
            self.evict_oldest();
        }
        let state = State::Pieces { bytes: Vec::new(), pieces: Vec::new(), total: None };
        self.waiting.push(Waiting { key, since: now, state });
        self.waiting.len() - 1
    }

    fn evict_oldest(&mut self) {
        let oldest = self.waiting.iter().enumerate().min_by_key(|(_, waiting)| waiting.since);
        if let Some((index, _)) = oldest {
            let gone = self.waiting.swap_remove(index);
            self.held -= gone.state.held();
            self.counts.evicted += u64::from(gone.state.is_incomplete());
        }
    }

    fn expire(&mut self, now: CaptureTime) {
        let Self { waiting, held, counts } = self;
        waiting.retain(|entry| {
            // Also when time went far backwards, as in captures that were joined.
            let keep = now.since(entry.since).abs() <= MAX_AGE;
            if !keep {
                *held -= entry.state.held();
                counts.expired += u64::from(entry.state.is_incomplete());
            }
            keep
        });
    }

    fn conflict(&mut self, index: Option<usize>) -> Skip {
        if let Some(index) = index {
            let gone = self.waiting.swap_remove(index);
            self.held -= gone.state.held();
        }
        self.counts.conflicting += 1;
        Skip::FragmentConflict
    }
}

impl State {
    fn held(&self) -> usize {
        match self {
            Self::Pieces { bytes, .. } => bytes.len(),
            Self::Ignored => 0,
        }
    }

    const fn is_incomplete(&self) -> bool {
        matches!(self, Self::Pieces { .. })
    }
}

/// Puts a fragment in place; false when it contradicts what is there. The same
/// bytes twice are no contradiction: networks and mirror ports duplicate frames.
fn insert(
    bytes: &mut Vec<u8>,
    pieces: &mut Vec<(usize, usize)>,
    total: &mut Option<usize>,
    fragment: Fragment<'_>,
    end: usize,
) -> bool {
    if !fragment.more {
        if total.is_some_and(|total| total != end) {
            return false;
        }
        *total = Some(end);
    }
    if total.is_some_and(|total| bytes.len().max(end) > total) {
        return false;
    }
    let start = fragment.offset;
    if pieces.iter().any(|&(from, to)| start < to && from < end) {
        // Only an exact repetition of bytes that are all there is harmless.
        let inside = pieces.iter().any(|&(from, to)| from <= start && end <= to);
        return inside && bytes.get(start..end) == Some(fragment.data);
    }
    if pieces.len() >= MAX_PIECES {
        return false;
    }
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    if let Some(room) = bytes.get_mut(start..end) {
        room.copy_from_slice(fragment.data);
    }
    pieces.push((start, end));
    true
}
