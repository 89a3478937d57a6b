//! One direction of a connection: bytes in the order of their sequence numbers.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, Hasher as _};
use std::ops::Range;

use super::{Event, Listener, Piece, Side, Stamp, StreamCounts};
use crate::units::{CaptureTime, SECOND};

/// A hole is given up when this much waits behind it, bytes and segments …
const MOST_BYTES: usize = 256 << 10;
const MOST_SEGMENTS: usize = 256;
/// … or this long after it was noticed: a retransmission comes within a second or three (RFC 6298).
const HOLE_NS: i64 = 3 * SECOND;
/// What a waiting segment costs besides its bytes, about.
const OVERHEAD: usize = 64;
/// A sequence number further off than any window that Kea's machines use belongs to another connection.
const WINDOW: u32 = 1 << 24;
/// Fingerprints of taken segments, to see that a second copy is one.
const PRINTS: usize = 4;

/// A segment that waits for those before it.
#[derive(Clone, Debug)]
struct Held {
    bytes: Vec<u8>,
    ack: u32,
    stamp: Stamp,
}

/// One direction. Positions are sequence numbers carried on beyond 32 bits.
#[derive(Clone, Debug, Default)]
pub(super) struct Half {
    /// Position of the next byte; unknown before the first segment.
    next: Option<u64>,
    /// What came too early, by position, without overlap.
    held: BTreeMap<u64, Held>,
    bytes: usize,
    /// When the present hole was noticed.
    hole: Option<CaptureTime>,
    /// Position of the FIN, and its frame.
    fin: Option<(u64, Stamp)>,
    ended: bool,
    /// Up to where the other side acknowledged what was not captured, and the frame that shows it.
    acked: Option<(u64, Stamp)>,
    prints: [(u64, usize, u64); PRINTS],
    printed: usize,
}

/// Who is told, and as whose words.
pub(super) struct Told<'a, L: Listener> {
    pub(super) side: Side,
    pub(super) listener: &'a mut L,
    pub(super) counts: &'a mut StreamCounts,
    pub(super) notes: &'a mut L::Notes,
}

impl<L: Listener> Told<'_, L> {
    fn data(&mut self, piece: Piece<'_>) {
        self.listener.hear(Event::Data(self.side, piece), self.notes);
    }

    fn lost(&mut self, stamp: Stamp) {
        self.counts.holes += 1;
        self.listener.hear(Event::Lost(self.side, stamp), self.notes);
    }

    fn differs(&mut self, stamp: Stamp) {
        self.counts.differing += 1;
        self.listener.hear(Event::Differs(self.side, stamp), self.notes);
    }
}

impl Half {
    /// The stream begins with this sequence number, unless it began already.
    pub(super) fn begin(&mut self, seq: u32) {
        // One turn of the sequence numbers ahead, so that what lies before has a position.
        self.next.get_or_insert((1 << 32) + u64::from(seq));
    }

    pub(super) const fn is_ended(&self) -> bool {
        self.ended
    }

    pub(super) const fn held(&self) -> usize {
        self.bytes
    }

    /// Where a sequence number lies; `None` when that is nowhere near.
    fn position(&self, seq: u32) -> Option<u64> {
        let next = self.next?;
        let ahead = seq.wrapping_sub(next as u32).cast_signed();
        if ahead.unsigned_abs() > WINDOW { None } else { next.checked_add_signed(ahead.into()) }
    }

    /// Takes a segment's payload; at most `room` bytes may wait afterwards.
    pub(super) fn take<L: Listener>(
        &mut self,
        Piece { bytes: payload, seq, ack, stamp }: Piece<'_>,
        (fin, cut): (bool, bool),
        room: usize,
        told: &mut Told<'_, L>,
    ) {
        // An empty segment tells too where the stream goes on.
        self.begin(seq);
        if self.ended || (payload.is_empty() && !fin) {
            return;
        }
        let position = self.position(seq).unwrap_or_else(|| {
            // Another connection between the same ports, whose SYN was not captured.
            self.flush(told);
            told.lost(stamp);
            self.next = None;
            self.fin = None;
            self.begin(seq);
            self.next.unwrap_or_default()
        });
        if fin {
            self.fin.get_or_insert((position + payload.len() as u64, stamp));
        }
        self.add(position, payload, (ack, stamp), told);
        while !self.held.is_empty() && (self.bytes > MOST_BYTES.min(room) || self.held.len() > MOST_SEGMENTS)
        {
            self.skip(told);
        }
        self.finish(cut, told);
        self.notice(stamp.time);
    }

    /// The other side acknowledges everything before `seq`: what of it was not captured will hardly come.
    pub(super) fn acknowledge(&mut self, seq: u32, stamp: Stamp) {
        let Some((position, next)) = self.position(seq).zip(self.next) else { return };
        if position > next && !self.ended && self.acked.is_none_or(|(known, _)| known < position) {
            self.acked = Some((position, stamp));
            self.notice(stamp.time);
        }
    }

    /// Whether bytes are known to be missing: something waits behind them, or somebody got them.
    fn has_hole(&self) -> bool {
        let beyond = |mark: Option<(u64, Stamp)>| mark.is_some_and(|(end, _)| self.next < Some(end));
        !self.ended && (!self.held.is_empty() || beyond(self.fin.or(self.acked)))
    }

    fn add<L: Listener>(
        &mut self,
        position: u64,
        payload: &[u8],
        (ack, stamp): (u32, Stamp),
        told: &mut Told<'_, L>,
    ) {
        let next = self.next.unwrap_or_default();
        let print = (position, payload.len(), fingerprint(payload));
        if position < next {
            // What was taken is gone; a copy of a whole segment can still be told from another content.
            let same = |known: &&(u64, usize, u64)| (known.0, known.1) == (print.0, print.1);
            if self.prints.iter().find(same).is_some_and(|known| known.2 != print.2) {
                told.differs(stamp);
            }
        } else if let Some(slot) = self.prints.get_mut(self.printed % PRINTS) {
            *slot = print;
            self.printed += 1;
        }
        let old = usize::try_from(next.saturating_sub(position)).unwrap_or(usize::MAX);
        let Some(fresh) = payload.get(old..).filter(|fresh| !fresh.is_empty()) else { return };
        let position = position.max(next);
        if position == next && self.held.is_empty() {
            self.next = Some(next + fresh.len() as u64);
            told.data(Piece { bytes: fresh, seq: position as u32, ack, stamp });
            return;
        }
        if self.hold(position, fresh, ack, stamp) {
            told.differs(stamp);
        }
        self.drain(told);
    }

    /// Keeps what is new in a segment; whether the rest differs from what is there.
    fn hold(&mut self, position: u64, payload: &[u8], ack: u32, stamp: Stamp) -> bool {
        let end = position + payload.len() as u64;
        let part = |range: Range<u64>| {
            let at = |position_of: u64| usize::try_from(position_of - position).unwrap_or(usize::MAX);
            payload.get(at(range.start)..at(range.end)).unwrap_or_default()
        };
        let before = self.held.range(..=position).next_back().map_or(position, |(start, _)| *start);
        let (mut at, mut differs, mut pieces) = (position, false, Vec::new());
        for (start, held) in self.held.range(before..end) {
            let stop = start + held.bytes.len() as u64;
            if stop <= at {
                continue;
            }
            if *start > at {
                pieces.push(at..*start);
            }
            let both = at.max(*start)..stop.min(end);
            let skip = usize::try_from(both.start - start).unwrap_or(usize::MAX);
            let copy = part(both.clone());
            differs |= held.bytes.get(skip..).is_none_or(|first| !first.starts_with(copy));
            at = both.end;
        }
        if at < end {
            pieces.push(at..end);
        }
        for piece in pieces {
            let bytes = part(piece.clone()).to_vec();
            self.bytes += bytes.len() + OVERHEAD;
            self.held.insert(piece.start, Held { bytes, ack, stamp });
        }
        differs
    }

    /// Gives what waits without a hole before it.
    fn drain<L: Listener>(&mut self, told: &mut Told<'_, L>) {
        while let Some(entry) = self.held.first_entry()
            && Some(*entry.key()) == self.next
        {
            let (position, Held { bytes, ack, stamp }) = entry.remove_entry();
            self.bytes = self.bytes.saturating_sub(bytes.len() + OVERHEAD);
            self.next = self.next.map(|next| next + bytes.len() as u64);
            self.hole = None;
            told.data(Piece { bytes: &bytes, seq: position as u32, ack, stamp });
        }
    }

    /// Gives the first hole up.
    fn skip<L: Listener>(&mut self, told: &mut Told<'_, L>) {
        if let Some((start, held)) = self.held.first_key_value() {
            self.next = Some(*start);
            self.hole = None;
            told.lost(held.stamp);
            self.drain(told);
        }
    }

    /// Gives all holes up.
    pub(super) fn flush<L: Listener>(&mut self, told: &mut Told<'_, L>) {
        while !self.held.is_empty() {
            self.skip(told);
        }
        // An acknowledged FIN counts for one byte, which is none.
        if let Some((end, stamp)) = self.fin.or(self.acked).filter(|(end, _)| self.next < Some(*end)) {
            self.next = Some(end);
            told.lost(stamp);
        }
        self.finish(false, told);
    }

    /// Tells the end when everything before it was told. The last bytes of a cut segment are not there.
    fn finish<L: Listener>(&mut self, cut: bool, told: &mut Told<'_, L>) {
        if let Some((end, stamp)) = self.fin
            && !self.ended
            && self.held.is_empty()
            && self.next.is_some_and(|next| next >= end)
        {
            self.ended = true;
            if cut {
                told.lost(stamp);
            }
            told.listener.hear(Event::End(told.side, stamp), told.notes);
        }
    }

    /// Remembers since when there is a hole.
    fn notice(&mut self, now: CaptureTime) {
        if self.has_hole() {
            self.hole.get_or_insert(now);
        } else {
            self.hole = None;
        }
    }

    /// Gives a hole up that is too old.
    pub(super) fn tick<L: Listener>(&mut self, now: CaptureTime, told: &mut Told<'_, L>) {
        if self.hole.is_some_and(|since| now.since(since) > HOLE_NS) {
            self.skip(told);
            if self.held.is_empty() {
                self.flush(told);
            }
            self.notice(now);
        }
    }
}

fn fingerprint(bytes: &[u8]) -> u64 {
    let mut hasher = foldhash::quality::FixedState::with_seed(0).build_hasher();
    hasher.write(bytes);
    hasher.finish()
}
