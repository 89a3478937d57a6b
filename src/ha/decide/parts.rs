//! Which server was asked what in an exchange, and what it replied.

use smallvec::SmallVec;

use super::Evidence;
use super::rules::owner_scope;
use crate::dhcp::MessageType;
use crate::exchange::{Exchange, Observed, Step, of};
use crate::ha::network::Selected;
use crate::ha::topology::RelationshipId;
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
            if step.again().is_empty() {
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
}
