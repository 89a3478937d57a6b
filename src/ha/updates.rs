//! Lease updates, found by the REQUEST that caused them.

use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher as _;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use smallvec::SmallVec;

use super::events::{EventKind, HaEvent};
use super::topology::{RelationshipId, Role, Topology};
use crate::units::{CaptureTime, FrameRef, HwAddr, SECOND, ServerId};

/// Kea gives up on a lease update after this long (kea-ha §2.2).
const TIMEOUT: i64 = 10 * SECOND;

/// A lease update, or an attempt to reach the partner; the fields are those of its [`HaEvent`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Update {
    /// Time of the request.
    pub request_time: CaptureTime,
    /// Frame of the request.
    pub request_at: FrameRef,
    /// Time of the answer; the request's when there is none.
    pub time: CaptureTime,
    /// Frame of the answer.
    pub at: FrameRef,
    /// Kea's result code.
    pub result: Option<i64>,
    /// The partner that was asked.
    pub server: Option<ServerId>,
    /// The relationship that it was sent for.
    pub relationship: Option<RelationshipId>,
    /// Request to answer, microseconds.
    pub rtt_us: Option<i64>,
}

impl Update {
    const fn of(event: &HaEvent) -> Self {
        let HaEvent { request_time, request_at, time, at, result, server, relationship, rtt_us, .. } = *event;
        Self { request_time, request_at, time, at, result, server, relationship, rtt_us }
    }
}

/// The updates that one server sent for one client, in time order.
#[derive(Clone, Debug)]
struct Sent {
    by: ServerId,
    chaddr: HwAddr,
    list: SmallVec<[Update; 1]>,
}

/// The lease updates that still matter. They are asked for in the order of time, so they lie in that
/// order, and the index over them is small.
#[derive(Clone, Debug, Default)]
pub struct Updates {
    /// In the order of their first updates.
    sent: VecDeque<Sent>,
    /// Numbers of `sent`, by sender and client.
    index: HashTable<u64>,
    seed: RandomState,
    /// The number of the first of `sent`.
    first: u64,
    /// What a server could not tell its partner, in the order of the attempts.
    failures: HashMap<ServerId, Vec<Update>>,
}

impl Updates {
    /// Picks the lease updates out of events.
    pub fn add(&mut self, topology: &Topology, events: &[HaEvent]) {
        // An ACK waits for the active partner only; what a backup says comes to nothing (kea-ha §2.2).
        let to_backup = |event: &HaEvent| {
            let peer = event.relationship.and_then(|id| topology.relationship(id)?.peer_of(event.server?));
            peer.is_some_and(|peer| peer.role == Role::Backup)
        };
        for event in events {
            let Some(sender) = event.peer else { continue };
            match event.kind {
                EventKind::LeaseUpdate if !to_backup(event) => {
                    if let Some(list) = event.chaddr.and_then(|chaddr| self.of(sender, chaddr)) {
                        let place = list.partition_point(|other| other.request_time <= event.request_time);
                        list.insert(place, Update::of(event));
                    }
                }
                EventKind::Refused | EventKind::Timeout
                    if event.relationship.is_some() && !to_backup(event) =>
                {
                    let list = self.failures.entry(sender).or_default();
                    let place = list.partition_point(|other| other.request_time <= event.request_time);
                    list.insert(place, Update::of(event));
                }
                _ => {}
            }
        }
    }

    /// What a server sent for a client, made if it is not there.
    fn of(&mut self, by: ServerId, chaddr: HwAddr) -> Option<&mut SmallVec<[Update; 1]>> {
        let Self { sent, index, seed, first, .. } = self;
        let next = *first + sent.len() as u64;
        let at = |number: u64| usize::try_from(number - *first).unwrap_or(usize::MAX);
        let place = |number: &u64| sent.get(at(*number)).map(|it| (it.by, it.chaddr));
        let entry = index.entry(
            seed.hash_one((by, chaddr)),
            |number| place(number) == Some((by, chaddr)),
            |number| seed.hash_one(place(number).unwrap_or((by, chaddr))),
        );
        let number = *entry.or_insert(next).get();
        if number == next {
            sent.push_back(Sent { by, chaddr, list: SmallVec::new() });
        }
        sent.get_mut(at(number)).map(|it| &mut it.list)
    }

    /// Forgets what came to its end before an instant.
    pub fn forget(&mut self, before: CaptureTime) {
        let Self { sent, index, seed, first, failures } = self;
        for _ in 0..sent.len() {
            let old = |it: &mut Sent| it.list.first().is_none_or(|update| update.time < before);
            let Some(mut oldest) = sent.pop_front_if(old) else { break };
            let next = *first + sent.len() as u64 + 1;
            let found =
                index.find_entry(seed.hash_one((oldest.by, oldest.chaddr)), |number| *number == *first);
            *first += 1;
            oldest.list.retain(|update| update.time >= before);
            match found {
                Ok(mut found) if !oldest.list.is_empty() => {
                    *found.get_mut() = next;
                    sent.push_back(oldest);
                }
                Ok(found) => drop(found.remove()),
                Err(_) => {}
            }
        }
        for list in failures.values_mut() {
            list.retain(|update| update.time >= before);
        }
    }

    /// The first update that `server` sent for a client after an instant, and
    /// soon enough after it to have been caused then.
    pub fn after(&self, server: ServerId, chaddr: HwAddr, time: CaptureTime) -> Option<&Update> {
        let sent = |number: &u64| self.sent.get(usize::try_from(number - self.first).ok()?);
        let is_it = |number: &u64| sent(number).is_some_and(|it| (it.by, it.chaddr) == (server, chaddr));
        let list = &sent(self.index.find(self.seed.hash_one((server, chaddr)), is_it)?)?.list;
        let next = list.get(list.partition_point(|event| event.request_time < time))?;
        (next.request_time.since(time) <= TIMEOUT).then_some(next)
    }

    /// An attempt of `server` to reach its partner in a relationship that was failing
    /// when an update of this instant had to be sent: refused right after it, or
    /// without an answer before and after it. Kea has one connection, on which
    /// further updates wait unseen.
    pub fn failing(
        &self,
        server: ServerId,
        relationship: RelationshipId,
        time: CaptureTime,
    ) -> Option<&Update> {
        let list = self.failures.get(&server)?;
        let begun = list.get(..list.partition_point(|event| event.request_time.since(time) <= SECOND))?;
        let recent = begun.iter().rev().take_while(|event| time.since(event.request_time) <= 2 * TIMEOUT);
        let mut covering = recent.filter(|event| event.relationship == Some(relationship));
        covering.find(|event| event.time >= time)
    }
}
