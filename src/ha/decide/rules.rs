//! Kea's rules in Kea's order.
//!
//! A server with one relationship asks HA first and the server identifier after
//! it; a hub checks the identifier, selects the subnet, and only then asks HA
//! (kea-ha §1.1, §5).

use super::case::Case;
use super::parts::Subnetted;
use super::{Evidence, Expected};
use crate::dhcp::MessageType;
use crate::exchange::{Kind, Observed};
use crate::ha::catalogue::Rule;
use crate::ha::hash::Owner;
use crate::ha::replay::{Follower, Replayed};
use crate::ha::state::Status;
use crate::ha::timeline::{Asked, Asking, Basis, Service, Standing};
use crate::ha::topology::{Mode, Relationship, RelationshipId};
use crate::units::{Frames, ServerId};

/// The replay is exact on a whole capture and goes astray where frames are missing, which
/// nothing shows for certain. So it only speaks where the evidence around an instant does
/// not, or confirms it, and we do not bet on it.
const REPLAYED: f64 = 0.89;

/// What the rules say, before it is compared with the packets.
pub(super) struct Ruling {
    pub(super) relationship: Option<RelationshipId>,
    pub(super) state: Option<Status>,
    /// What the state rests on, once HA was asked.
    pub(super) basis: Option<Basis>,
    pub(super) owner: Option<ServerId>,
    pub(super) scope: Option<(usize, bool)>,
    pub(super) expected: Expected,
    pub(super) rule: Rule,
    pub(super) confidence: f64,
    pub(super) evidence: Frames,
}

impl Ruling {
    pub(super) fn new(expected: Expected, rule: Rule, confidence: f64) -> Self {
        let (relationship, state, basis, owner, scope) = (None, None, None, None, None);
        let evidence = Frames::new();
        Self { relationship, state, basis, owner, scope, expected, rule, confidence, evidence }
    }

    /// Whether an answer is expected only because of what the server did at other times,
    /// or without its configuration.
    pub(super) fn is_concluded(&self, configured: bool) -> bool {
        let shown = |basis: Basis| configured && basis < Basis::Inferred;
        self.expected == Expected::Answer && self.basis.is_some_and(|basis| !shown(basis))
    }

    /// It did otherwise this time, and nothing tells why.
    pub(super) fn give_up(&mut self) {
        self.expected = Expected::Unknown;
        self.rule = Rule::StateUnknown;
        self.confidence = self.confidence.min(0.5);
        self.state = None;
    }
}

impl Evidence<'_> {
    /// Kea's rules in Kea's order.
    pub(super) fn rule(&self, case: &Case<'_>, timeline: &Asking<'_>, replay: &Follower<'_>) -> Ruling {
        if case.kea.is_none() && self.network.topology.relationships_of(case.server).next().is_none() {
            return Ruling::new(Expected::Unknown, Rule::NoConfiguration, 0.5);
        }
        let mut ruling = self.ha(case, timeline, replay);
        // A hub asks HA last, any other server asks it first.
        if !case.hub && ruling.expected != Expected::Answer {
            return ruling;
        }
        if let Some((expected, rule, confidence)) = self.foreign_server_id(case).or_else(|| no_subnet(case)) {
            (ruling.expected, ruling.rule) = (expected, rule);
            ruling.confidence = if case.hub { confidence } else { confidence.min(ruling.confidence) };
        }
        ruling
    }

    /// Option 54 names somebody else (Kea's check `DHCP4_PACKET_DROP_0003`).
    pub(super) fn foreign_server_id(&self, case: &Case<'_>) -> Option<(Expected, Rule, f64)> {
        let named = case.query.server_id?;
        let own = self.network.machines.at(named) == Some(case.server)
            || case.query.server_id_override() == Some(named)
            || case.kea.is_some_and(|kea| {
                kea.ignore_server_id
                    || kea.subnets.iter().any(|subnet| subnet.server_identifier == Some(named))
            });
        // An address that belongs to no known machine may still be one of this server's.
        let known = self.network.machines.at(named).is_some();
        // Without the server's own file nobody knows whether it checks at all.
        let confidence = if !known {
            0.6
        } else if case.kea.is_none() {
            0.85
        } else {
            0.99
        };
        (!own).then_some((Expected::Ignore, Rule::ForeignServerId, confidence))
    }

    /// The HA decision: type, owner, scope.
    fn ha(&self, case: &Case<'_>, timeline: &Asking<'_>, replay: &Follower<'_>) -> Ruling {
        let topology = &*self.network.topology;
        let known = case.part.relationship.and_then(|id| Some((id, topology.relationship(id)?)));
        let Some((id, relationship)) = known else {
            return if case.kea.is_some_and(|kea| kea.memberships.is_empty()) {
                reply_or_not(case, Ruling::new(Expected::Answer, Rule::NoHa, 0.9))
            } else {
                Ruling::new(Expected::Unknown, Rule::RelationshipUnknown, 0.5)
            };
        };
        // Every enabled server processes such a message; what it does then is not HA's matter.
        let filtered = is_filtered(case.query.message_type, case.hub);
        let Some(scope) = case.part.scope.or((!filtered).then_some(0)) else {
            let mut ruling = Ruling::new(Expected::Ignore, Rule::NoIdentifier, 0.95);
            ruling.relationship = Some(id);
            return ruling;
        };
        let place = (case.server, id, scope);
        let (time, exchange) = (case.query.time, case.exchange.id);
        let asked = Asked { time, exchange, answered: case.answered(), life: &case.life };
        let mut standing = timeline.standing(topology, place, asked);
        if let Some(replayed) = replay.standing(place, time) {
            second_witness(&mut standing, replayed);
        }
        let owner = relationship.peers.get(scope);
        let is_owner = owner.and_then(|peer| peer.server) == Some(case.server);
        let (expected, rule) = match standing.service {
            Service::Down => (Expected::Ignore, Rule::ServerDown),
            _ if !filtered => (Expected::Unknown, Rule::TypeNotFiltered),
            Service::Serves if is_owner => (Expected::Answer, Rule::OwnScope),
            Service::Serves => (Expected::Answer, Rule::FailoverScope),
            Service::Silent => match standing.state {
                Some(state) if state.is_service_off() => (Expected::Ignore, Rule::ServiceDisabled),
                Some(_) => (Expected::Ignore, Rule::ScopeNotServed),
                // Behaviour alone: nobody around that time was served either.
                None if is_owner
                    && standing.basis == Basis::Inferred
                    && timeline.answers_seen(case.server) =>
                {
                    (Expected::Ignore, Rule::NotServing)
                }
                None => (Expected::Unknown, Rule::StateUnknown),
            },
        };
        // Pools, classes and a subnet that was not looked at can still make a server silent.
        let ceiling = if case.part.subnet == Subnetted::Found { 0.99 } else { 0.85 };
        let ruling = Ruling {
            relationship: Some(id),
            owner: owner.and_then(|peer| peer.server),
            scope: owner.map(|_| (scope, standing.service == Service::Serves)),
            expected,
            rule,
            confidence: standing.confidence.min(match rule {
                Rule::StateUnknown => 0.5,
                Rule::NotServing => 0.85,
                _ => ceiling,
            }),
            state: standing.state,
            basis: Some(standing.basis),
            evidence: standing.evidence,
        };
        reply_or_not(case, ruling)
    }
}

/// What is known with the replay beside it. What a server did with this very query
/// tells more than a replay, where it tells anything.
fn second_witness(standing: &mut Standing, replayed: Replayed<'_>) {
    let concluded = standing.basis >= Basis::Inferred;
    let differs = replayed.state != standing.state;
    let alike = replayed.service == standing.service;
    let settled = standing.state.is_none() || (alike && !differs);
    if concluded && settled && replayed.confidence > standing.confidence.max(0.8) {
        let confidence = replayed.confidence.min(REPLAYED).max(standing.confidence);
        *standing = Standing { confidence, basis: Basis::Inferred, ..replayed.into() };
    } else if concluded && alike {
        // Behaviour names the normal state only because it cannot tell another one.
        standing.state = replayed.state;
        standing.confidence = standing.confidence.min(REPLAYED);
    } else if standing.state.is_some() && differs {
        // Two witnesses that differ, such as a heartbeat before and a command after it.
        if alike && replayed.confidence > REPLAYED {
            *standing = Standing { confidence: REPLAYED, ..replayed.into() };
        } else {
            standing.confidence = standing.confidence.min(REPLAYED);
        }
    }
}

fn no_subnet(case: &Case<'_>) -> Option<(Expected, Rule, f64)> {
    // RELEASE and DECLINE never reach subnet selection.
    if matches!(case.query.message_type, Some(MessageType::RELEASE | MessageType::DECLINE)) {
        return None;
    }
    match case.part.subnet {
        Subnetted::Unknown => None,
        // A REQUEST without a subnet may be refused with a NAK instead (`DHCP4_PACKET_NAK_0001`),
        // and an INFORM needs none. A hub drops either (kea-ha §5).
        Subnetted::None if !case.hub && case.query.message_type != Some(MessageType::DISCOVER) => {
            Some((Expected::Unknown, Rule::NoSubnet, 0.5))
        }
        Subnetted::None => Some((Expected::Ignore, Rule::NoSubnet, 0.9)),
        Subnetted::Found => (case.hub && case.part.relationship.is_none()).then_some((
            Expected::Ignore,
            Rule::NoRelationshipForSubnet,
            0.95,
        )),
    }
}

/// RELEASE and DECLINE are taken without a reply, so silence says nothing about them.
fn reply_or_not(case: &Case<'_>, ruling: Ruling) -> Ruling {
    let silent_by_nature = matches!(case.exchange.kind, Kind::Release | Kind::Decline);
    if silent_by_nature && ruling.expected == Expected::Answer {
        return Ruling { expected: Expected::Unknown, rule: Rule::NoReplyExpected, ..ruling };
    }
    ruling
}

/// The message types that HA filters (kea-ha §1.2); on a hub RELEASE and DECLINE
/// never reach subnet selection, where the filter sits (§5).
pub(super) fn is_filtered(kind: Option<MessageType>, hub: bool) -> bool {
    match kind {
        Some(MessageType::DISCOVER | MessageType::REQUEST | MessageType::INFORM) => true,
        Some(MessageType::DECLINE | MessageType::RELEASE) => !hub,
        _ => false,
    }
}

/// The place of the peer that owns a query: by hash in load-balancing, the
/// primary otherwise; `None` when load-balancing finds no identifier.
pub(super) fn owner_scope(relationship: &Relationship, query: &Observed) -> Option<usize> {
    match relationship.mode {
        Mode::HotStandby | Mode::PassiveBackup => Some(0),
        Mode::LoadBalancing => query.hash.map(|hash| match Owner::of(hash) {
            Owner::Primary => 0,
            Owner::Secondary => 1,
        }),
    }
}
