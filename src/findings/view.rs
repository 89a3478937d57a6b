//! The analysis with what several findings ask of it: which directions the
//! captures show, and when a pair handed over.

use std::collections::{HashMap, HashSet};

use super::cuts::{Cut, cuts};
use crate::exchange::{Exchange, Observed, of};
use crate::ha::events::EventKind;
use crate::ha::state::State;
use crate::ha::topology::{Limits, Mode, Relationship, RelationshipId, Role};
use crate::ha::verdict::Judgement;
use crate::pipeline::Analysis;
use crate::units::{CaptureTime, HwAddr, MessageId, SECOND, ServerId, ZoneId};

/// Begin and end of each.
type Spans = Vec<(CaptureTime, CaptureTime)>;

/// An analysis as findings look at it.
pub(super) struct View<'a> {
    pub(super) analysis: &'a Analysis<'a>,
    /// Who is seen to reply to the clients of a zone: the captures show that direction.
    replied: HashSet<(ZoneId, ServerId)>,
    zones_with_replies: HashSet<ZoneId>,
    answering: HashSet<ServerId>,
    /// Times around the return of a server, from heartbeats.
    handovers: HashMap<RelationshipId, Spans>,
    /// Times without heartbeats.
    cuts: HashMap<RelationshipId, Vec<Cut>>,
    /// The last captured instant.
    end: Option<CaptureTime>,
}

impl<'a> View<'a> {
    pub(super) fn new(analysis: &'a Analysis<'a>) -> Self {
        let mut replied = HashSet::new();
        let mut zones_with_replies = HashSet::new();
        for exchange in analysis.exchanges.iter().filter(|exchange| !exchange.replies.is_empty()) {
            let zone = exchange.zone(&analysis.messages);
            zones_with_replies.insert(zone);
            let servers = exchange.replies.iter().filter_map(|step| analysis.answers.get(&step.first));
            replied.extend(servers.map(|answer| (zone, answer.server)));
        }
        Self {
            analysis,
            answering: replied.iter().map(|(_, server)| *server).collect(),
            replied,
            zones_with_replies,
            handovers: handovers(analysis),
            cuts: cuts(analysis),
            end: analysis.sources.iter().filter_map(|source| source.last).max(),
        }
    }

    pub(super) fn message(&self, id: MessageId) -> &'a Observed {
        of(&self.analysis.messages, id)
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

    pub(super) fn zone(&self, exchange: &Exchange) -> ZoneId {
        exchange.zone(&self.analysis.messages)
    }

    /// Every exchange with its judgement, in order of the first message.
    pub(super) fn exchanges(&self) -> impl Iterator<Item = (&'a Exchange, &'a Judgement)> + use<'a> {
        self.analysis.exchanges.iter().zip(&self.analysis.judgements)
    }

    /// The first message of an exchange's client; absent when only replies were captured.
    pub(super) fn first_query(&self, exchange: &Exchange) -> Option<&'a Observed> {
        exchange.queries.first().map(|step| self.message(step.first))
    }

    /// Whether the captures show replies to clients of this zone, of `server` if one is meant.
    ///
    /// Where they do not, a silence proves nothing: the capture may hold one direction only.
    pub(super) fn shows_replies(&self, zone: ZoneId, server: Option<ServerId>) -> bool {
        match server {
            Some(server) => self.replied.contains(&(zone, server)),
            None => self.zones_with_replies.contains(&zone),
        }
    }

    /// Whether the captures show replies of `server` to anybody.
    pub(super) fn answers_somewhere(&self, server: ServerId) -> bool {
        self.answering.contains(&server)
    }

    /// Whether a server of the relationship was just returning: for about a
    /// heartbeat both may serve, or neither (kea-ha §2.1).
    pub(super) fn is_handover(&self, relationship: Option<RelationshipId>, time: CaptureTime) -> bool {
        let spans =
            relationship.and_then(|id| self.handovers.get(&id)).map(Vec::as_slice).unwrap_or_default();
        let after = spans.partition_point(|(from, _)| *from <= time);
        after.checked_sub(1).and_then(|at| spans.get(at)).is_some_and(|(_, to)| time <= *to)
    }

    /// The times in which a pair exchanged no heartbeats, in order.
    pub(super) fn cuts(&self, id: RelationshipId) -> &[Cut] {
        self.cuts.get(&id).map(Vec::as_slice).unwrap_or_default()
    }

    /// The time without heartbeats that an instant lies in.
    pub(super) fn cut(&self, relationship: Option<RelationshipId>, time: CaptureTime) -> Option<&Cut> {
        self.cuts(relationship?).iter().find(|cut| cut.from < time && time < cut.to)
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
        self.end.is_some_and(|end| end.since(time) < SECOND / 10)
    }
}

/// From the last heartbeat that showed a server or its partner out of the
/// normal state to one heartbeat after the first that showed it back.
fn handovers(analysis: &Analysis<'_>) -> HashMap<RelationshipId, Spans> {
    let mut last: HashMap<(RelationshipId, ServerId), (CaptureTime, State)> = HashMap::new();
    let mut spans: HashMap<RelationshipId, Spans> = HashMap::new();
    for event in analysis.events.iter().filter(|event| event.kind == EventKind::Heartbeat) {
        let (Some(id), Some(server)) = (event.relationship, event.server) else { continue };
        let Some(state) = event.state.as_deref().and_then(State::from_word) else { continue };
        let before = last.insert((id, server), (event.time, state));
        if let Some((time, _)) = before.filter(|(_, before)| *before != state && is_apart(*before)) {
            let limits = analysis.network.topology.limits_of(server, id);
            let delay = limits.map_or(0, |it| i64::from(it.heartbeat_delay_ms) * SECOND / 1000);
            spans.entry(id).or_default().push((time, event.time.plus(delay)));
        }
    }
    spans.values_mut().for_each(join);
    spans
}

/// Puts spans in order and joins those that touch.
fn join(spans: &mut Spans) {
    spans.sort_unstable();
    spans.dedup_by(|next, kept| {
        let touch = next.0 <= kept.1;
        if touch {
            kept.1 = kept.1.max(next.1);
        }
        touch
    });
}

/// Whether a server in this state does not share the work with its partner.
const fn is_apart(state: State) -> bool {
    matches!(
        state,
        State::PartnerDown
            | State::PartnerInMaintenance
            | State::InMaintenance
            | State::Waiting
            | State::Syncing
            | State::Ready
    )
}
