//! Which server was asked what, what it replied, and what that says about its state.

use smallvec::SmallVec;

use super::Evidence;
use super::rules::{Ruling, is_filtered, owner_scope};
use crate::dhcp::MessageType;
use crate::exchange::{Exchange, Observed, Step, of};
use crate::ha::network::Selected;
use crate::ha::state::{State, Status};
use crate::ha::timeline::{Life, Timeline};
use crate::ha::topology::{Dhcp4, RelationshipId};
use crate::ha::updates::Update;
use crate::units::{CaptureTime, MessageId, SECOND, ServerId};

/// The ACK or NAK of a server to a REQUEST.
#[derive(Clone, Copy)]
struct Acknowledged {
    server: ServerId,
    request: MessageId,
    reply: MessageId,
}

/// How long Kea keeps a REQUEST for its partner's sake (kea-ha §2.2), and a little for the way.
const KEPT: i64 = 10 * SECOND + SECOND / 2;

/// A server's possible part in an exchange's query, before the rules are asked: what
/// the packets and the configuration tell, and nothing that depends on other exchanges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The query, as the copy that reached the server.
    pub query: MessageId,
    /// The server.
    pub server: ServerId,
    /// Its reply.
    pub reply: Option<MessageId>,
    /// The client went on to select this server's offer, although no offer of it was captured.
    pub offer_missed: bool,
    /// The relationship that the query belongs to there.
    pub relationship: Option<RelationshipId>,
    /// What subnet selection came to.
    pub subnet: Subnetted,
    /// The place of the peer that owns the query.
    pub scope: Option<usize>,
}

/// What Kea's subnet selection came to on a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subnetted {
    /// It found a subnet.
    Found,
    /// The server has none for the query.
    None,
    /// The server's configuration or its interfaces are not known.
    Unknown,
}

/// The parts of an exchange, by query and server.
pub type Parts = SmallVec<[Part; 4]>;

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

/// The messages of an exchange, looked up once.
struct Talk<'a> {
    exchange: &'a Exchange,
    /// The first sighting of every query.
    queries: SmallVec<[(MessageId, &'a Observed); 4]>,
    /// That of every reply, and its sender.
    replies: SmallVec<[(MessageId, &'a Observed, Option<ServerId>); 4]>,
    /// Which REQUEST every ACK and NAK is about.
    verdicts: SmallVec<[Acknowledged; 2]>,
}

/// One attempt of a client.
struct Turn<'a> {
    asked: &'a Observed,
    /// When it asked the same again.
    again: Option<CaptureTime>,
    /// Whether the exchange has a REQUEST.
    requested: bool,
}

impl<'a> Talk<'a> {
    fn turn(&self, asked: &'a Observed) -> Turn<'a> {
        let queries = || self.queries.iter().map(|(_, query)| query);
        let again = queries()
            .filter(|other| other.time > asked.time && other.message_type == asked.message_type)
            .map(|other| other.time)
            .min();
        let requested = queries().any(|query| query.message_type == Some(MessageType::REQUEST));
        Turn { asked, again, requested }
    }

    /// The reply of `server` to one attempt: the first of a fitting type before the client asks again.
    fn reply_to(&self, turn: &Turn<'_>, server: ServerId) -> Option<MessageId> {
        let Turn { asked, again, requested } = turn;
        let answers = |(_, reply, sender): &&(MessageId, &Observed, Option<ServerId>)| {
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
            in_time && fits && *sender == Some(server)
        };
        self.replies.iter().find(answers).map(|reply| reply.0)
    }
}

impl Evidence<'_> {
    /// Which server was asked what in an exchange, and what it replied.
    pub fn parts(&self, exchange: &Exchange) -> Parts {
        let mut talk = Talk {
            exchange,
            queries: exchange
                .queries
                .iter()
                .map(|step| (step.first, of(self.messages, step.first)))
                .collect(),
            replies: SmallVec::new(),
            verdicts: SmallVec::new(),
        };
        talk.replies.extend(exchange.replies.iter().map(|step| {
            let sender = self.answers.get(&step.first).map(|answer| answer.server);
            (step.first, of(self.messages, step.first), sender)
        }));
        talk.verdicts = self.verdicts(&talk);
        let mut parts = Parts::new();
        for (step, (id, first)) in exchange.queries.iter().zip(&talk.queries) {
            let repliers = talk.replies.iter().filter_map(|reply| reply.2);
            let turn = talk.turn(first);
            let selected = self.selected_next(&talk, first);
            for server in self.network.audience(self.messages, (step, first), repliers) {
                let (query, asked) = self.network.copy_for(self.messages, (step, first), server);
                let reply = match asked.message_type {
                    Some(MessageType::REQUEST) => {
                        let verdict =
                            talk.verdicts.iter().find(|it| (it.server, it.request) == (server, *id));
                        verdict.map(|it| it.reply)
                    }
                    _ => talk.reply_to(&turn, server),
                };
                let offer_missed = reply.is_none() && selected == Some(server);
                let (subnet, relationship) = self.belongs(server, asked);
                let scope = relationship
                    .and_then(|id| self.network.topology.relationship(id))
                    .and_then(|it| owner_scope(it, asked));
                parts.push(Part { query, server, reply, offer_missed, relationship, subnet, scope });
            }
        }
        parts
    }

    /// What subnet selection comes to on a server, and the relationship that decides there.
    fn belongs(&self, server: ServerId, query: &Observed) -> (Subnetted, Option<RelationshipId>) {
        let topology = &*self.network.topology;
        // Without its own file the relationships of its partners' files must do, if there is one only.
        let sole = || {
            let mut all = topology.relationships_of(server);
            all.next().filter(|_| all.next().is_none())
        };
        match self.network.subnet_for(server, query) {
            Selected::Subnet(subnet) => (Subnetted::Found, topology.relationship_of_subnet(server, subnet)),
            Selected::None => (Subnetted::None, sole()),
            Selected::Unknown => (Subnetted::Unknown, sole()),
        }
    }

    /// The server whose offer the client selects right after a DISCOVER.
    fn selected_next(&self, talk: &Talk<'_>, asked: &Observed) -> Option<ServerId> {
        if asked.message_type != Some(MessageType::DISCOVER) {
            return None;
        }
        let (_, next) = talk.queries.iter().find(|(_, query)| query.time > asked.time)?;
        let selects = next.message_type == Some(MessageType::REQUEST);
        next.server_id.filter(|_| selects).and_then(|address| self.network.machines.at(address))
    }

    /// Which REQUEST every ACK and NAK of an exchange is about, by server and REQUEST.
    ///
    /// Kea keeps a REQUEST while its partner stores the lease, ten seconds at most,
    /// and the client asks again meanwhile. A reply is about the REQUEST of the last
    /// second; one later than that about the oldest that is still kept (kea-ha §2.2).
    fn verdicts(&self, talk: &Talk<'_>) -> SmallVec<[Acknowledged; 2]> {
        let mut verdicts = SmallVec::new();
        let is_request = |query: &&(MessageId, &Observed)| query.1.message_type == Some(MessageType::REQUEST);
        let requests: SmallVec<[(MessageId, CaptureTime); 4]> =
            talk.queries.iter().filter(is_request).map(|(id, query)| (*id, query.time)).collect();
        if requests.is_empty() {
            return verdicts;
        }
        // Kea releases what it keeps at one moment, so identical ACKs follow each other closely.
        // Where queries show twice as well, they are copies of one frame instead.
        let copies = |step: &Step| {
            if step.again.is_empty() {
                return 1;
            }
            let source = of(self.messages, step.first).at.source;
            step.sightings().filter(|id| of(self.messages, *id).at.source == source).count()
        };
        let single = talk.exchange.queries.iter().all(|step| copies(step) == 1);
        for (step, (reply, message, sender)) in talk.exchange.replies.iter().zip(&talk.replies) {
            let Some(server) = *sender else { continue };
            if !matches!(message.message_type, Some(MessageType::ACK | MessageType::NAK)) {
                continue;
            }
            // Two capture clocks may differ a little, so a reply may seem to come first.
            let before = requests.partition_point(|(_, time)| time.since(message.time) < SECOND);
            let kept = requests.get(..before).unwrap_or_default();
            let gone = |(_, time): &(_, CaptureTime)| message.time.since(*time) > KEPT;
            let begin = kept.iter().rposition(gone).map_or(0, |at| at + 1);
            let kept = kept.get(begin..).unwrap_or_default();
            for _ in 0..if single { copies(step) } else { 1 } {
                let open = |(id, _): &&(MessageId, CaptureTime)| {
                    !verdicts.iter().any(|it: &Acknowledged| (it.server, it.request) == (server, *id))
                };
                let fresh = |(_, time): &&(_, CaptureTime)| message.time.since(*time) <= SECOND;
                let newest = kept.iter().rev().filter(fresh).find(open);
                if let Some((request, _)) = newest.or_else(|| kept.iter().find(open)).copied() {
                    verdicts.push(Acknowledged { server, request, reply: *reply });
                }
            }
        }
        verdicts
    }

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
