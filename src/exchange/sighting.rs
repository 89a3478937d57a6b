//! The same message captured twice: on a bridge and one of its ports, on the
//! Linux `any` device, on two wires that a router joins.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};

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
    recent: HashMap<u64, Recent>,
    order: VecDeque<(CaptureTime, u64)>,
    hasher: RandomState,
}

#[derive(Debug)]
struct Recent {
    message: MessageId,
    first: CaptureTime,
    seen: Vec<(SourceId, CaptureTime)>,
}

impl Sightings {
    /// Enters a datagram (addresses, ports and payload as `identity`) and
    /// returns the message that it repeats, if it does.
    ///
    /// A source counts each packet once: a second copy in a source that already
    /// showed it is a copy only within a port's delay, otherwise the client
    /// really sent the same bytes again.
    pub fn enter(
        &mut self,
        identity: impl std::hash::Hash,
        time: CaptureTime,
        source: SourceId,
        message: MessageId,
    ) -> Option<MessageId> {
        self.forget(time);
        let key = self.hasher.hash_one(identity);
        if let Some(recent) = self.recent.get_mut(&key) {
            let near = |window: i64, other: CaptureTime| time.since(other).abs() <= window;
            let here = recent.seen.iter_mut().find(|(seen, _)| *seen == source);
            let copy = match &here {
                Some((_, last)) => near(SAME_SOURCE_NS, *last),
                None => near(OTHER_SOURCE_NS, recent.first),
            };
            if copy {
                match here {
                    Some((_, last)) => *last = time,
                    None => recent.seen.push((source, time)),
                }
                return Some(recent.message);
            }
        }
        self.recent.insert(key, Recent { message, first: time, seen: vec![(source, time)] });
        self.order.push_back((time, key));
        None
    }

    fn forget(&mut self, now: CaptureTime) {
        while let Some(&(entered, key)) = self.order.front() {
            if now.since(entered) <= OTHER_SOURCE_NS && self.order.len() < CAP {
                return;
            }
            self.order.pop_front();
            // The same bytes may have been entered again since.
            if self.recent.get(&key).is_some_and(|recent| recent.first == entered) {
                self.recent.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    fn enter(sightings: &mut Sightings, ms: i64, source: u32, id: u32) -> Option<u32> {
        sightings
            .enter("payload", CaptureTime(ms * MS), SourceId(source), MessageId(id))
            .map(|message| message.0)
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
    fn what_is_remembered_is_bounded() {
        let mut sightings = Sightings::default();
        for i in 0..(CAP as u32 + 10) {
            sightings.enter(i, CaptureTime(0), SourceId(0), MessageId(i));
        }
        assert!(sightings.recent.len() <= CAP && sightings.order.len() <= CAP);
    }
}
