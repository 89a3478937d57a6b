//! What a server's part in a query says about its state, and which lease update followed it.

use super::Evidence;
use super::parts::{Part, Subnetted};
use super::rules::{Ruling, is_filtered};
use crate::dhcp::MessageType;
use crate::exchange::{Exchange, Observed, of};
use crate::ha::state::{State, Status};
use crate::ha::timeline::{Life, Timeline};
use crate::ha::topology::Dhcp4;
use crate::ha::updates::Update;
use crate::units::{MessageId, ServerId};

/// A part with the exchange and the query that it is about.
#[derive(Clone, Copy)]
pub(super) struct Case<'a> {
    pub(super) exchange: &'a Exchange,
    pub(super) query: &'a Observed,
    pub(super) part: Part,
    pub(super) server: ServerId,
    pub(super) reply: Option<MessageId>,
    /// The server's configuration, and whether that makes it a hub.
    pub(super) kea: Option<&'a Dhcp4>,
    pub(super) hub: bool,
    /// What shows the server to run at that time; known when it is decided.
    pub(super) life: Life,
}

impl<'a> Case<'a> {
    pub(super) fn of(part: Part, exchange: &'a Exchange, evidence: &'a Evidence<'_>) -> Self {
        let Part { query, server, reply, .. } = part;
        let query = of(evidence.messages, query);
        let kea = evidence.network.topology.server(server).and_then(|server| server.kea.as_ref());
        let hub = kea.is_some_and(Dhcp4::is_hub);
        Self { exchange, query, part, server, reply, kea, hub, life: Life::default() }
    }

    /// Whether the server answered, captured or not.
    pub(super) fn answered(&self) -> bool {
        self.reply.is_some() || self.part.offer_missed
    }
}

impl Evidence<'_> {
    /// Adds what an exchange shows of the servers' behaviour.
    pub fn observe(&self, exchange: &Exchange, parts: &[Part], timeline: &mut Timeline) {
        for (at, step) in exchange.replies.iter().enumerate() {
            if let Some(answer) = self.answers.get(&step.first) {
                timeline.replied(answer.server, of(self.messages, step.first), at > 0);
            }
        }
        for part in parts {
            let case = Case::of(*part, exchange, self);
            let answered = case.answered();
            // A REQUEST may be ignored for reasons that have nothing to do with scopes.
            if !answered && case.query.message_type != Some(MessageType::DISCOVER) {
                continue;
            }
            let (Some(id), Some(scope)) = (part.relationship, part.scope) else { continue };
            // A message type that HA lets through says nothing about scopes.
            if !is_filtered(case.query.message_type, case.hub) || self.is_last_moment(case.query) {
                continue;
            }
            // Without a subnet a server has nothing to offer, whatever its state.
            if !answered && part.subnet == Subnetted::None {
                continue;
            }
            timeline.add_behaviour((case.server, id, scope), answered, exchange, case.query);
        }
    }

    /// A lease update of this client that the partner did not accept: Kea then sends no ACK.
    pub(super) fn rejected_update(&self, case: &Case<'_>) -> Option<&Update> {
        if case.query.message_type != Some(MessageType::REQUEST) {
            return None;
        }
        // An update after the next attempt belongs to that one.
        let again = case.exchange.queries.iter().map(|step| of(self.messages, step.first).time);
        let again = again.filter(|time| *time > case.query.time).min();
        self.update_after(case.server, case.query)
            .filter(|event| again.is_none_or(|again| event.request_time < again))
            .filter(|event| event.result.is_some_and(|result| result != 0))
    }

    /// An attempt to reach the partner that was failing when this REQUEST's lease update was
    /// due; in these states Kea sends the ACK only after it (kea-ha §2.2).
    pub(super) fn failing_update(&self, case: &Case<'_>, ruling: &Ruling) -> Option<&Update> {
        let relationship = ruling.relationship?;
        let limits = self.network.topology.limits_of(case.server, relationship)?;
        let Some(Status::In(state)) = ruling.state else { return None };
        let waits = matches!(state, State::HotStandby | State::LoadBalancing | State::PartnerInMaintenance);
        let request = case.query.message_type == Some(MessageType::REQUEST);
        let due = request && waits && limits.send_lease_updates;
        due.then(|| self.updates.failing(case.server, relationship, case.query.time)).flatten()
    }

    /// Whether the partner stored the lease that this server was about to acknowledge.
    pub(super) fn update_accepted(&self, case: &Case<'_>) -> bool {
        case.query.message_type == Some(MessageType::REQUEST)
            && self.update_after(case.server, case.query).is_some_and(|event| event.result == Some(0))
    }

    /// The lease update that `server` sent to its partner because of a REQUEST.
    pub fn update_after(&self, server: ServerId, request: &Observed) -> Option<&Update> {
        self.updates.after(server, request.chaddr, request.time)
    }
}
