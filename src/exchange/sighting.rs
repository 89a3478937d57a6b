//! The same message captured twice: on a bridge and one of its ports, on the
//! Linux `any` device, on two wires that a router joins.

use std::collections::VecDeque;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use smallvec::SmallVec;

use crate::units::{CaptureTime, MessageId, SourceId};

/// Two frames of one source that carry the same datagram this close together
/// are one packet on two ports. No client retransmits that fast: the shortest
/// interval in use is a second (RFC 2131 §4.1 asks for four).
const SAME_SOURCE_NS: i64 = 20_000_000;
/// Copies in other sources may be late by a router's queue and by the
/// difference of two capture clocks.
const OTHER_SOURCE_NS: i64 = 1_000_000_000;
/// Datagrams remembered at most; beyond it the oldest is forgotten.
const CAP: usize = 65_536;

/// Remembers recent datagrams and recognises their copies.
#[derive(Debug, Default)]
pub struct Sightings {
    /// In the order of entry, the first one with the number `first`.
    recent: VecDeque<Recent>,
    first: u64,
    /// The number of the last one with an identity, which is its own hash.
    index: HashTable<u64>,
}

#[derive(Clone, Debug)]
struct Recent {
    identity: u64,
    message: MessageId,
    entered: CaptureTime,
    /// Where it was seen, and when last there.
    seen: SmallVec<[(SourceId, CaptureTime); 1]>,
}

impl Sightings {
    /// Enters a datagram by the hash of its addresses, ports and payload (one
    /// whose seed no sender knows), and returns the message that it repeats, if it does.
    ///
    /// A source counts each packet once: a second copy in a source that already
    /// showed it is a copy only within a port's delay, otherwise the client
    /// really sent the same bytes again.
    pub fn enter(
        &mut self,
        identity: u64,
        time: CaptureTime,
        source: SourceId,
        message: MessageId,
    ) -> Option<MessageId> {
        self.forget(time);
        let Self { recent, first, index } = self;
        let next = *first + recent.len() as u64;
        let place = |number: u64| (number - *first) as usize;
        let is_same = |number: &u64| recent.get(place(*number)).is_some_and(|it| it.identity == identity);
        let identity_of = |number: &u64| recent.get(place(*number)).map_or(0, |it| it.identity);
        match index.entry(identity, is_same, identity_of) {
            Entry::Occupied(number) => {
                let number = number.into_mut();
                if let Some(before) = recent.get_mut(place(*number))
                    && before.is_copied(time, source)
                {
                    return Some(before.message);
                }
                *number = next;
            }
            Entry::Vacant(free) => drop(free.insert(next)),
        }
        let seen = SmallVec::from_buf([(source, time)]);
        recent.push_back(Recent { identity, message, entered: time, seen });
        None
    }

    fn forget(&mut self, now: CaptureTime) {
        while let Some(oldest) = self.recent.front() {
            if now.since(oldest.entered) <= OTHER_SOURCE_NS && self.recent.len() < CAP {
                return;
            }
            // The same bytes may have been entered again since.
            if let Ok(place) = self.index.find_entry(oldest.identity, |number| *number == self.first) {
                place.remove();
            }
            self.recent.pop_front();
            self.first += 1;
        }
    }
}

impl Recent {
    /// Notes a further sighting, if it is one.
    fn is_copied(&mut self, time: CaptureTime, source: SourceId) -> bool {
        let near = |window: i64, other: CaptureTime| time.since(other).saturating_abs() <= window;
        match self.seen.iter_mut().find(|(seen, _)| *seen == source) {
            Some((_, last)) if near(SAME_SOURCE_NS, *last) => *last = time,
            None if near(OTHER_SOURCE_NS, self.entered) => self.seen.push((source, time)),
            _ => return false,
        }
        true
    }
}

/// Which sources are one capture point: a rotated capture goes on in another
/// file, and a client that asks again across the boundary has still asked twice.
#[derive(Debug, Default)]
pub struct CapturePoints {
    sources: Vec<PointSource>,
}

#[derive(Debug)]
struct PointSource {
    zone: String,
    point: SourceId,
    last: Option<CaptureTime>,
    /// The source that seems to go on where this one ends.
    next: Option<usize>,
}

impl CapturePoints {
    /// Adds the source with the next number, which belongs to this zone. One that is not added is a point of its own.
    pub fn add(&mut self, zone: String) {
        let point = SourceId(self.sources.len() as u32);
        self.sources.push(PointSource { zone, point, last: None, next: None });
    }

    /// Takes note of a frame, in the order of reading, and gives the capture point of its source.
    ///
    /// A source goes on where one of its zone has ended. Should that one show
    /// further frames after all, they are two points again.
    pub fn enter(&mut self, source: SourceId, time: CaptureTime) -> SourceId {
        let at = source.0 as usize;
        // Nearly every frame: its source was seen before, and nothing goes on behind it.
        if let Some(PointSource { last: Some(last), next: None, point, .. }) = self.sources.get_mut(at) {
            *last = time.max(*last);
            return *point;
        }
        let Some(own) = self.sources.get(at) else { return source };
        if own.last.is_none() {
            let ended = self.sources.iter().enumerate().filter(|(_, other)| {
                other.zone == own.zone && other.next.is_none() && other.last.is_some_and(|last| last <= time)
            });
            let before =
                ended.max_by_key(|(_, other)| other.last).map(|(before, other)| (before, other.point));
            if let Some((before, point)) = before {
                self.change(before, |it| it.next = Some(at));
                self.change(at, |it| it.point = point);
            }
        } else if let Some(next) = own.next {
            self.change(at, |it| it.next = None);
            self.change(next, |it| it.point = SourceId(next as u32));
        }
        self.change(at, |it| it.last = it.last.max(Some(time)));
        self.sources.get(at).map_or(source, |it| it.point)
    }

    fn change(&mut self, at: usize, change: impl FnOnce(&mut PointSource)) {
        if let Some(source) = self.sources.get_mut(at) {
            change(source);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    fn enter(sightings: &mut Sightings, ms: i64, source: u32, id: u32) -> Option<u32> {
        sightings.enter(7, CaptureTime(ms * MS), SourceId(source), MessageId(id)).map(|message| message.0)
    }

    #[test]
    fn a_copy_on_another_port_is_a_sighting_and_a_retransmission_is_not() {
        let mut sightings = Sightings::default();
        assert_eq!(enter(&mut sightings, 0, 0, 0), None);
        assert_eq!(enter(&mut sightings, 1, 0, 1), Some(0), "bridge and port in one file");
        assert_eq!(enter(&mut sightings, 300, 1, 2), Some(0), "another file, a slow clock");
        assert_eq!(enter(&mut sightings, 900, 0, 3), None, "the client sent the same bytes again");
        assert_eq!(enter(&mut sightings, 1200, 1, 4), Some(3), "and the other file shows that too");
        assert_eq!(enter(&mut sightings, 9000, 1, 5), None);
    }

    #[test]
    fn a_rotated_file_is_the_same_point_and_a_second_capture_is_not() {
        let mut points = CapturePoints::default();
        ["lan", "lan", "lan", "dmz"].map(str::to_owned).into_iter().for_each(|zone| points.add(zone));
        let mut enter = |source, ms: i64| points.enter(SourceId(source), CaptureTime(ms * MS)).0;
        assert_eq!([enter(0, 0), enter(0, 10)], [0, 0]);
        assert_eq!(enter(3, 11), 3, "another zone");
        assert_eq!([enter(1, 20), enter(1, 30)], [0, 0], "the next file of the zone");
        assert_eq!(enter(2, 31), 0, "it looks like the one after that");
        assert_eq!(enter(1, 32), 0);
        assert_eq!(enter(2, 33), 2, "but the file before it goes on");
        assert_eq!(enter(7, 34), 7, "found while reading");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut sightings = Sightings::default();
        for i in 0..(CAP as u32 + 10) {
            sightings.enter(i.into(), CaptureTime(0), SourceId(0), MessageId(i));
        }
        assert!(sightings.recent.len() <= CAP && sightings.index.len() <= CAP);
    }
}
