//! Lease updates, found by the REQUEST that caused them.

use std::collections::HashMap;

use super::events::{EventKind, HaEvent};
use super::topology::{RelationshipId, Role, Topology};
use crate::units::{CaptureTime, HwAddr, SECOND, ServerId};

/// Kea gives up on a lease update after this long (kea-ha §2.2).
const TIMEOUT: i64 = 10 * SECOND;

/// The lease updates of a capture by sender and client, each list in time order.
#[derive(Debug, Default)]
pub struct Updates<'e> {
    by_client: HashMap<(ServerId, HwAddr), Vec<&'e HaEvent>>,
    /// What a server could not tell its partner, in the order of the attempts.
    failures: HashMap<ServerId, Vec<&'e HaEvent>>,
}

impl<'e> Updates<'e> {
    /// Picks the lease updates out of all events.
    pub fn new(topology: &Topology, events: &'e [HaEvent]) -> Self {
        let mut updates = Self::default();
        // An ACK waits for the active partner only; what a backup says comes to nothing (kea-ha §2.2).
        let to_backup = |event: &HaEvent| {
            let peer = event.relationship.and_then(|id| topology.relationship(id)?.peer_of(event.server?));
            peer.is_some_and(|peer| peer.role == Role::Backup)
        };
        let updates_of = |event: &&HaEvent| event.kind == EventKind::LeaseUpdate && !to_backup(event);
        for event in events.iter().filter(updates_of) {
            if let (Some(sender), Some(chaddr)) = (event.peer, event.chaddr) {
                updates.by_client.entry((sender, chaddr)).or_default().push(event);
            }
        }
        let failed = |event: &&HaEvent| matches!(event.kind, EventKind::Refused | EventKind::Timeout);
        for event in events.iter().filter(failed).filter(|event| !to_backup(event)) {
            if let (Some(sender), Some(_)) = (event.peer, event.relationship) {
                updates.failures.entry(sender).or_default().push(event);
            }
        }
        for list in updates.by_client.values_mut().chain(updates.failures.values_mut()) {
            list.sort_by_key(|event| event.request_time);
        }
        updates
    }

    /// The first update that `server` sent for a client after an instant, and
    /// soon enough after it to have been caused then.
    pub fn after(&self, server: ServerId, chaddr: HwAddr, time: CaptureTime) -> Option<&'e HaEvent> {
        let list = self.by_client.get(&(server, chaddr))?;
        let next = list.get(list.partition_point(|event| event.request_time < time))?;
        (next.request_time.since(time) <= TIMEOUT).then_some(*next)
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
    ) -> Option<&'e HaEvent> {
        let list = self.failures.get(&server)?;
        let begun = list.get(..list.partition_point(|event| event.request_time.since(time) <= SECOND))?;
        let recent = begun.iter().rev().take_while(|event| time.since(event.request_time) <= 2 * TIMEOUT);
        let mut covering = recent.filter(|event| event.relationship == Some(relationship));
        covering.find(|event| event.time >= time).copied()
    }
}
