//! Which server was asked what, what it replied, and what that says about its state.

use std::collections::HashMap;

use super::Evidence;
use super::rules::{Ruling, is_filtered, owner_scope};
use crate::dhcp::MessageType;
use crate::exchange::{Exchange, Observed, Step, of};
use crate::ha::events::HaEvent;
use crate::ha::network::Selected;
use crate::ha::state::State;
use crate::ha::timeline::Timeline;
use crate::units::{MessageId, SECOND, ServerId};

/// How long Kea keeps a REQUEST for its partner's sake (kea-ha §2.2), and a little for the way.
const KEPT: i64 = 10 * SECOND + SECOND / 2;

/// A server's possible part in an exchange's query, before the rules are asked.
pub(super) struct Case<'a> {
    pub(super) exchange: &'a Exchange,
    pub(super) query: &'a Observed,
    pub(super) query_id: MessageId,
    pub(super) server: ServerId,
    pub(super) reply: Option<MessageId>,
    /// The client went on to select this server's offer, although no offer of it was captured.
    pub(super) offer_missed: bool,
}

impl Case<'_> {
    /// Whether the server answered, captured or not.
    pub(super) fn answered(&self) -> bool {
        self.reply.is_some() || self.offer_missed
    }
}

impl Evidence<'_> {
    pub(super) fn each_case(&self, exchange: &Exchange, mut take: impl FnMut(Case<'_>)) {
        let verdicts = self.verdicts(exchange);
        for (step, hearers) in self.network.audience(self.messages, exchange, self.answers) {
            for server in hearers {
                let query = self.network.copy_for(self.messages, step, server);
                let query_id =
                    step.sightings().find(|id| of(self.messages, *id).at == query.at).unwrap_or(step.first);
                let reply = match query.message_type {
                    Some(MessageType::REQUEST) => verdicts.get(&(server, step.first)).copied(),
                    _ => self.reply_to(exchange, step.first, server),
                };
                let offer_missed =
                    reply.is_none() && self.selected_next(exchange, step.first) == Some(server);
                take(Case { exchange, query, query_id, server, reply, offer_missed });
            }
        }
    }

    /// The server whose offer the client selects right after a DISCOVER.
    fn selected_next(&self, exchange: &Exchange, discover: MessageId) -> Option<ServerId> {
        let asked = of(self.messages, discover);
        if asked.message_type != Some(MessageType::DISCOVER) {
            return None;
        }
        let mut later = exchange.queries.iter().map(|step| of(self.messages, step.first));
        let next = later.find(|query| query.time > asked.time)?;
        let selects = next.message_type == Some(MessageType::REQUEST);
        next.server_id.filter(|_| selects).and_then(|address| self.network.machines.at(address))
    }

    /// Which REQUEST every ACK and NAK of an exchange is about, by server and REQUEST.
    ///
    /// Kea keeps a REQUEST while its partner stores the lease, ten seconds at most,
    /// and the client asks again meanwhile. A reply is about the REQUEST of the last
    /// second; one later than that about the oldest that is still kept (kea-ha §2.2).
    fn verdicts(&self, exchange: &Exchange) -> HashMap<(ServerId, MessageId), MessageId> {
        let time = |id: MessageId| of(self.messages, id).time;
        let is = |id: MessageId, kinds: &[MessageType]| {
            of(self.messages, id).message_type.is_some_and(|kind| kinds.contains(&kind))
        };
        let queries = exchange.queries.iter().map(|step| step.first);
        let requests: Vec<MessageId> = queries.filter(|id| is(*id, &[MessageType::REQUEST])).collect();
        // Kea releases what it keeps at one moment, so identical ACKs follow each other closely.
        // Where queries show twice as well, they are copies of one frame instead.
        let copies = |step: &Step| {
            let source = of(self.messages, step.first).at.source;
            step.sightings().filter(|id| of(self.messages, *id).at.source == source).count()
        };
        let single = exchange.queries.iter().all(|step| copies(step) == 1);
        let mut verdicts = HashMap::new();
        let sent = exchange
            .replies
            .iter()
            .flat_map(|step| std::iter::repeat_n(step.first, if single { copies(step) } else { 1 }));
        for reply in sent {
            let Some(answer) = self.answers.get(&reply) else { continue };
            if !is(reply, &[MessageType::ACK, MessageType::NAK]) {
                continue;
            }
            // Two capture clocks may differ a little, so a reply may seem to come first.
            let before = requests.partition_point(|id| time(*id).since(time(reply)) < SECOND);
            let open = |id: &&MessageId| !verdicts.contains_key(&(answer.server, **id));
            let kept = requests.get(..before).unwrap_or_default().iter().rev();
            let kept: Vec<&MessageId> = kept.take_while(|id| time(reply).since(time(**id)) <= KEPT).collect();
            let fresh = |id: &&&MessageId| time(reply).since(time(***id)) <= SECOND;
            let newest = kept.iter().filter(fresh).find(|id| open(id));
            if let Some(request) = newest.or_else(|| kept.iter().rev().find(|id| open(id))) {
                verdicts.insert((answer.server, **request), reply);
            }
        }
        verdicts
    }

    /// The reply of `server` to one attempt: the first of a fitting type before the client asks again.
    fn reply_to(&self, exchange: &Exchange, query: MessageId, server: ServerId) -> Option<MessageId> {
        let asked = of(self.messages, query);
        let again = exchange
            .queries
            .iter()
            .map(|step| of(self.messages, step.first))
            .filter(|other| other.time > asked.time && other.message_type == asked.message_type)
            .map(|other| other.time)
            .min();
        let requested = exchange.first_of(&exchange.queries, self.messages, MessageType::REQUEST).is_some();
        exchange.replies.iter().map(|step| step.first).find(|id| {
            let reply = of(self.messages, *id);
            // Two capture clocks may differ a little, so a reply may seem to come first.
            let in_time =
                reply.time.since(asked.time) > -SECOND && again.is_none_or(|again| reply.time < again);
            let fits = match asked.message_type {
                // An ACK where nothing was requested is a rapid commit (RFC 4039).
                Some(MessageType::DISCOVER) => {
                    reply.message_type == Some(MessageType::OFFER)
                        || (reply.message_type == Some(MessageType::ACK) && !requested)
                }
                Some(MessageType::INFORM) => reply.message_type == Some(MessageType::ACK),
                _ => reply.message_type.is_none_or(|kind| kind.0 > 8),
            };
            in_time && fits && self.answers.get(id).is_some_and(|answer| answer.server == server)
        })
    }

    /// Collects the evidence of the control channel and of behaviour.
    pub(super) fn timeline(&self, exchanges: &[Exchange]) -> Timeline {
        let topology = &*self.network.topology;
        let mut timeline = Timeline::default();
        timeline.add_events(topology, self.events);
        for sign in self.signs {
            timeline.alive(sign.server, sign.time, sign.at);
        }
        for (id, answer) in self.answers {
            let reply = of(self.messages, *id);
            timeline.alive(answer.server, reply.time, reply.at);
        }
        for exchange in exchanges {
            self.each_case(exchange, |case| {
                let answered = case.answered();
                // A message type that HA lets through says nothing about scopes.
                let hub = topology.is_hub(case.server);
                if !is_filtered(case.query.message_type, hub) || self.is_last_moment(case.query) {
                    return;
                }
                // A REQUEST may be ignored for reasons that have nothing to do with scopes.
                if !answered && case.query.message_type != Some(MessageType::DISCOVER) {
                    return;
                }
                // Without a subnet a server has nothing to offer, whatever its state.
                if !answered && self.network.subnet_for(case.server, case.query) == Selected::None {
                    return;
                }
                if let Some((id, relationship, _)) = self.relationship(&case)
                    && let Some(scope) = owner_scope(relationship, case.query)
                {
                    let at = (case.query.time, case.query.at, case.exchange.id);
                    timeline.add_behaviour(case.server, id, scope, answered, at);
                }
            });
        }
        timeline.sort();
        timeline
    }

    /// A lease update of this client that the partner did not accept: Kea then sends no ACK.
    pub(super) fn rejected_update(&self, case: &Case<'_>) -> Option<&HaEvent> {
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
    pub(super) fn failing_update(&self, case: &Case<'_>, ruling: &Ruling) -> Option<&HaEvent> {
        let relationship = ruling.relationship?;
        let limits = self.network.topology.limits_of(case.server, relationship)?;
        let state = ruling.standing.as_ref()?.state.as_deref().and_then(State::from_word)?;
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
    pub fn update_after(&self, server: ServerId, request: &Observed) -> Option<&HaEvent> {
        self.updates.after(server, request.chaddr, request.time)
    }
}
