//! What the packets say about one server in one relationship: one fact each, in time order.

use super::Query;
use crate::ha::events::{EventKind, HaEvent};
use crate::ha::machine::{ClientKey, Reply};
use crate::ha::state::State;
use crate::ha::topology::{RelationshipId, Role, Topology};
use crate::units::{CaptureTime, FrameRef, SECOND, ServerId};

/// Kea gives up on a heartbeat or lease update after this long (kea-ha §2.2).
pub(super) const TIMEOUT: i64 = 10 * SECOND;

/// One fact.
#[derive(Clone, Debug)]
pub(super) struct Input<'a> {
    pub(super) time: CaptureTime,
    pub(super) at: FrameRef,
    pub(super) seat: (ServerId, RelationshipId),
    pub(super) what: What<'a>,
}

#[derive(Clone, Debug)]
pub(super) enum What<'a> {
    /// It sent a command; whether the partner's machine refused the connection.
    Speaks { refused: bool },
    /// It sent a command whose end the capture does not show.
    Hole,
    /// Its HA listener refused a connection.
    Refuses,
    /// A good answer to its own heartbeat: the partner's state, unsent updates and clock.
    Heartbeat { partner: Option<State>, unsent: Option<u64>, date: Option<CaptureTime> },
    /// Its own heartbeat, lease update or synchronisation came to nothing; whether a frame says so.
    Failed { told: bool },
    /// The partner answered its lease update; a conflict names the client.
    Updated { conflict: Option<ClientKey> },
    /// Its own answer to the partner's heartbeat.
    Says { state: State, scopes: Option<&'a [String]>, date: Option<CaptureTime> },
    /// It sent a lease update.
    SendsUpdate,
    /// It sent `dhcp-disable`, or asked for the partner's leases.
    Syncs,
    /// The partner took its `ha-sync-complete-notify`.
    Synced,
    /// It sent `ha-reset`.
    Resets,
    /// The partner took it.
    HasReset,
    /// It took its partner's `ha-reset`.
    IsReset,
    /// Its own `ha-maintenance-notify` ended.
    Notifies { cancel: bool, reply: Reply },
    /// It answered an `ha-maintenance-notify`.
    Notified { cancel: bool, reply: Reply },
    /// It took the partner's `dhcp-disable`; the partner's number for the relationship.
    Disabled(usize),
    /// It took the partner's `dhcp-enable`.
    Enabled(usize),
    /// It took the partner's `ha-sync-complete-notify`.
    PartnerSynced(usize),
    /// It heard a query.
    Hears(&'a Query),
    /// It answered a query.
    Answers(&'a Query),
}

impl<'a> Input<'a> {
    /// A query that was heard, or its reply.
    pub(super) fn of_query(query: &'a Query, is_reply: bool) -> Self {
        let seat = (query.server, query.relationship);
        match query.reply.filter(|_| is_reply) {
            Some((time, at)) => Self { time, at, seat, what: What::Answers(query) },
            None => Self { time: query.time, at: query.at, seat, what: What::Hears(query) },
        }
    }
}

/// Every fact of the control channel from an instant on and before another, in time order.
pub(super) fn inputs<'a>(
    topology: &Topology,
    events: &'a [HaEvent],
    (from, due): (CaptureTime, impl Fn(CaptureTime) -> bool),
    end: CaptureTime,
) -> Vec<Input<'a>> {
    let mut inputs = Vec::new();
    for event in events {
        // The facts of an event lie between its request and its end; most events were taken before, or are not due.
        let over =
            if event.time > event.request_time { event.time } else { event.request_time.plus(TIMEOUT) };
        if over < from || !due(event.time.min(event.request_time)) {
            continue;
        }
        let (Some(id), Some(asks), Some(asked)) = (event.relationship, event.peer, event.server) else {
            continue;
        };
        let active = |server| {
            let peer = topology.relationship(id).and_then(|it| it.peer_of(server));
            peer.is_some_and(|peer| peer.role != Role::Backup)
        };
        // What a backup says drives nothing (kea-ha §2.2).
        if asks != asked && active(asks) && active(asked) {
            Facts { topology, event, id, asks, asked, end }.push(&mut inputs);
        }
    }
    inputs.retain(|input| input.time >= from && due(input.time));
    inputs.sort_by_key(|input| input.time);
    inputs
}

/// The place of a relationship in a server's own file, which numbers Kea's origins.
pub(super) fn number(topology: &Topology, server: ServerId, id: RelationshipId) -> usize {
    let memberships = topology.server(server).and_then(|it| it.kea.as_ref()).map(|kea| &kea.memberships);
    let own = memberships.and_then(|all| all.iter().position(|seat| seat.relationship == id));
    own.or_else(|| topology.relationships_of(server).position(|other| other == id)).unwrap_or_default()
}

/// One event between two active peers.
struct Facts<'t, 'a> {
    topology: &'t Topology,
    event: &'a HaEvent,
    id: RelationshipId,
    asks: ServerId,
    asked: ServerId,
    end: CaptureTime,
}

impl<'a> Facts<'_, 'a> {
    fn push(&self, inputs: &mut Vec<Input<'a>>) {
        let event = self.event;
        let (asks, asked) = ((self.asks, self.id), (self.asked, self.id));
        let mut request = |seat, what| {
            inputs.push(Input { time: event.request_time, at: event.request_at, seat, what });
        };
        request(asks, What::Speaks { refused: event.kind == EventKind::Refused });
        if event.result.is_none() && event.time == event.request_time {
            request(asks, What::Hole);
            request(asked, What::Hole);
        }
        match event.kind {
            EventKind::LeaseUpdate | EventKind::LeaseDelete => request(asks, What::SendsUpdate),
            EventKind::Disable => request(asks, What::Syncs),
            EventKind::Reset => request(asks, What::Resets),
            EventKind::Sync if !self.is_sync_complete() => request(asks, What::Syncs),
            _ => {}
        }
        let done = event.result == Some(0);
        let mut answer = |seat, what| inputs.push(Input { time: event.time, at: event.at, seat, what });
        match event.kind {
            EventKind::Heartbeat if done => {
                let state = event.state.as_deref().and_then(State::from_word);
                if let Some(state) = state {
                    answer(
                        asked,
                        What::Says { state, scopes: event.scopes.as_deref(), date: event.date_time },
                    );
                }
                let (unsent, date) = (event.unsent_updates, event.date_time);
                answer(asks, What::Heartbeat { partner: state, unsent, date });
                return;
            }
            EventKind::LeaseUpdate | EventKind::LeaseDelete if matches!(event.result, Some(0 | 3 | 4)) => {
                let client = ClientKey(
                    event.chaddr.unwrap_or_default(),
                    event.client_id.as_deref().unwrap_or_default().into(),
                );
                let conflict = (event.result == Some(4)).then_some(client);
                answer(asks, What::Updated { conflict });
                return;
            }
            EventKind::Sync if done && self.is_sync_complete() => {
                answer(asked, What::PartnerSynced(self.sender()));
                answer(asks, What::Synced);
                return;
            }
            EventKind::Disable if done => return answer(asked, What::Disabled(self.sender())),
            EventKind::Enable if done => return answer(asked, What::Enabled(self.sender())),
            EventKind::Reset if done => {
                answer(asked, What::IsReset);
                answer(asks, What::HasReset);
                return;
            }
            // An administrator, who may sit on the partner's machine, sends other commands.
            EventKind::Maintenance
                if event.result.is_some() && event.command.as_deref() == Some("ha-maintenance-notify") =>
            {
                let (cancel, reply) = (event.text.contains("cancel"), Reply::of(event.result));
                answer(asked, What::Notified { cancel, reply });
                answer(asks, What::Notifies { cancel, reply });
                return;
            }
            EventKind::Refused => {
                let limits = self.topology.limits_of(self.asked, self.id);
                // Without a listener of its own it is the Control Agent that does not run.
                if limits.is_none_or(|limits| limits.dedicated_listener) {
                    answer(asked, What::Refuses);
                }
                return answer(asks, What::Failed { told: true });
            }
            EventKind::Sync if matches!(event.result, Some(0 | 3)) => return,
            EventKind::Heartbeat | EventKind::LeaseUpdate | EventKind::LeaseDelete => {}
            EventKind::Sync | EventKind::Disable | EventKind::Timeout => {}
            _ => return,
        }
        // An error, or no answer: Kea marks the partner unavailable when it gives up.
        let told = event.result.is_some();
        let gave_up =
            if event.time > event.request_time { event.time } else { event.request_time.plus(TIMEOUT) };
        if gave_up <= self.end {
            inputs.push(Input { time: gave_up, at: event.at, seat: asks, what: What::Failed { told } });
        }
    }

    /// How the sender numbers the relationship in its origins.
    fn sender(&self) -> usize {
        number(self.topology, self.asks, self.id)
    }

    fn is_sync_complete(&self) -> bool {
        self.event.command.as_deref() == Some("ha-sync-complete-notify")
    }
}
