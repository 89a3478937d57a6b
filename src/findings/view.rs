//! A batch of the analysis as findings look at it: how its parts are found, and
//! what is known so far beside it.

use super::bounded::ClientKey;
use super::cuts::Cut;
use super::facts::Facts;
use crate::dhcp::MessageType;
use crate::exchange::answer::Answer;
use crate::exchange::lease::Lease;
use crate::exchange::{Exchange, Messages, Observed, Outcome, of};
use crate::ha::decide::Decision;
use crate::ha::events::HaEvent;
use crate::ha::state::State;
use crate::ha::topology::{Limits, Mode, Relationship, RelationshipId, Role};
use crate::ha::verdict::Judgement;
use crate::ha::witness::Contradiction;
use crate::pipeline::Analysis;
use crate::units::{CaptureTime, ExchangeId, HwAddr, MessageId, SECOND, ServerId, ZoneId};

/// What is looked over at once. All access to the analysis' parts by number is here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Batch<'a> {
    pub(super) analysis: &'a Analysis<'a>,
    pub(super) messages: &'a Messages,
    pub(super) exchanges: &'a [Exchange],
    pub(super) judgements: &'a [Judgement],
    pub(super) decisions: &'a [Decision],
    pub(super) leases: &'a [Lease],
    pub(super) events: &'a [HaEvent],
    pub(super) contradictions: &'a [Contradiction],
}

impl<'a> Batch<'a> {
    pub(super) fn of(analysis: &'a Analysis<'a>) -> Self {
        Self {
            analysis,
            messages: &analysis.messages,
            exchanges: &analysis.exchanges,
            judgements: &analysis.judgements,
            decisions: &analysis.decisions,
            leases: &analysis.leases,
            events: &analysis.events,
            contradictions: &analysis.witnesses.contradictions,
        }
    }

    pub(super) fn message(&self, id: MessageId) -> &'a Observed {
        of(&self.analysis.messages, id)
    }

    /// Who sent a reply; asked with its first sighting.
    pub(super) fn answer(&self, reply: MessageId) -> Option<&'a Answer> {
        self.analysis.answers.get(&reply)
    }

    pub(super) fn zone(&self, exchange: &Exchange) -> ZoneId {
        exchange.zone(&self.analysis.messages)
    }

    pub(super) fn outcome(&self, exchange: &Exchange) -> Outcome {
        exchange.outcome(&self.analysis.messages)
    }

    /// The ACK, else the NAK of an exchange.
    pub(super) fn verdict_reply(&self, exchange: &Exchange) -> Option<MessageId> {
        exchange.verdict_reply(&self.analysis.messages)
    }

    /// An exchange that was settled lately, with its judgement.
    pub(super) fn exchange(&self, id: ExchangeId) -> Option<(&'a Exchange, &'a Judgement)> {
        self.analysis.exchange(id)
    }

    /// Why an exchange came out as it did, in a sentence.
    pub(super) fn reason(&self, exchange: &Exchange) -> String {
        self.exchange(exchange.id).map(|(_, judgement)| judgement.reason.clone()).unwrap_or_default()
    }

    /// Every exchange with what was decided about it, in order of the first message.
    pub(super) fn cases(&self, facts: &Facts) -> impl Iterator<Item = Case<'a>> {
        let (batch, keys) = (*self, facts.keys.clone());
        let mut decisions = self.decisions;
        self.exchanges.iter().zip(self.judgements).map(move |(exchange, judgement)| {
            let of = decisions.iter().take_while(|decision| decision.exchange <= exchange.id).count();
            let (own, rest) = decisions.split_at(of);
            decisions = rest;
            let first = exchange.queries.first().map(|step| batch.message(step.first));
            let zone = first.map_or_else(|| batch.zone(exchange), |first| first.zone);
            Case { exchange, judgement, decisions: own, first, zone, client: keys.client(&exchange.client) }
        })
    }
}

/// Relay address, and the link that the relay names.
pub(super) type Place = (std::net::Ipv4Addr, Option<std::net::Ipv4Addr>);

/// One exchange with what was decided about it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case<'a> {
    pub(super) exchange: &'a Exchange,
    pub(super) judgement: &'a Judgement,
    pub(super) decisions: &'a [Decision],
    /// The first message of its client; absent when only replies were captured.
    pub(super) first: Option<&'a Observed>,
    pub(super) zone: ZoneId,
    pub(super) client: ClientKey,
}

/// A batch, and what is known so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    pub(super) batch: Batch<'a>,
    pub(super) facts: &'a Facts,
    pub(super) analysis: &'a Analysis<'a>,
}

impl<'a> View<'a> {
    pub(super) const fn new(batch: Batch<'a>, facts: &'a Facts) -> Self {
        Self { batch, facts, analysis: batch.analysis }
    }

    pub(super) fn message(&self, id: MessageId) -> &'a Observed {
        self.batch.message(id)
    }

    pub(super) fn name(&self, server: ServerId) -> &'a str {
        self.analysis.network.machines.name(server)
    }

    pub(super) fn zone_name(&self, zone: ZoneId) -> &'a str {
        self.analysis.network.zone(zone)
    }

    /// A client as the tables name it.
    pub(super) fn client(&self, chaddr: HwAddr) -> String {
        match self.analysis.client_name(chaddr) {
            Some(name) => name.to_owned(),
            None if chaddr.is_empty() => "a client without a hardware address".to_owned(),
            None => chaddr.to_string(),
        }
    }

    /// Whether the captures show replies to clients of this zone, of `server` if one is meant.
    ///
    /// Where they do not, a silence proves nothing: the capture may hold one direction only.
    pub(super) fn shows_replies(&self, zone: ZoneId, server: Option<ServerId>) -> bool {
        self.facts.shows_replies(zone, server)
    }

    /// Whether a server of the relationship was just returning.
    pub(super) fn is_handover(&self, relationship: Option<RelationshipId>, time: CaptureTime) -> bool {
        relationship.is_some_and(|id| self.facts.handovers.contain(id, time))
    }

    /// The time without heartbeats that an instant lies in.
    pub(super) fn cut(&self, relationship: Option<RelationshipId>, time: CaptureTime) -> Option<&'a Cut> {
        self.facts.cuts.around(relationship?, time)
    }

    pub(super) fn relationship(&self, id: Option<RelationshipId>) -> Option<&'a Relationship> {
        self.analysis.network.topology.relationship(id?)
    }

    /// The relationship if it is one that balances load.
    pub(super) fn balanced(&self, id: Option<RelationshipId>) -> Option<RelationshipId> {
        id.filter(|_| self.relationship(id).is_some_and(|it| it.mode == Mode::LoadBalancing))
    }

    /// The server that shares the work with `server`; backups share nothing.
    pub(super) fn partner(&self, id: RelationshipId, server: ServerId) -> Option<ServerId> {
        let peers = &self.relationship(Some(id))?.peers;
        let active = peers.iter().filter(|peer| peer.role != Role::Backup);
        active.filter_map(|peer| peer.server).find(|other| *other != server)
    }

    /// Whether two servers are peers of one relationship.
    pub(super) fn are_peers(&self, one: ServerId, other: ServerId) -> bool {
        let topology = &self.analysis.network.topology;
        topology.relationships_of(one).any(|id| {
            topology.relationship(id).is_some_and(|relationship| relationship.peer_of(other).is_some())
        })
    }

    /// The relationship's settings, as its first peer with a file has them.
    pub(super) fn limits(&self, id: RelationshipId) -> Option<Limits> {
        let relationship = self.relationship(Some(id))?;
        let server = relationship.peers.iter().find_map(|peer| peer.server);
        server
            .and_then(|server| self.analysis.network.topology.limits_of(server, id))
            .or(Some(relationship.limits))
    }

    /// Whether a query came too late in the capture for its reply to be in it.
    pub(super) fn is_last_moment(&self, time: CaptureTime) -> bool {
        self.facts.end().is_some_and(|end| end.since(time) < SECOND / 10)
    }
}

/// The state that an event reports.
pub(super) fn state_of(event: &HaEvent) -> Option<State> {
    event.state.as_deref().and_then(State::from_word)
}

/// The type of a reply, if it is captured.
pub(super) fn is_nak(message: &Observed) -> bool {
    message.message_type == Some(MessageType::NAK)
}
