//! What Kea's rules expect of one server for one query, and what it did.
//!
//! The order of the checks is Kea's: a server with one relationship asks HA
//! first and the server identifier after it; a hub checks the identifier,
//! selects the subnet, and only then asks HA (kea-ha §1.1, §5).

use std::collections::HashMap;

use super::catalogue::Rule;
use super::events::{EventKind, HaEvent};
use super::hash::Owner;
use super::network::{Heard, Network, Selected};
use super::timeline::{Basis, Service, Standing, Timeline, is_service_off};
use super::topology::{Dhcp4, Mode, Relationship, RelationshipId, Subnet};
use crate::dhcp::MessageType;
use crate::exchange::answer::Answer;
use crate::exchange::{Exchange, Kind, Observed, of};
use crate::units::{CaptureTime, ExchangeId, FrameRef, MessageId, SECOND, ServerId};

/// What the rules expect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// A reply.
    Answer,
    /// Silence.
    Ignore,
    /// The evidence does not decide it.
    Unknown,
}

/// What was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// A reply of this server.
    Answered,
    /// None.
    Silent,
    /// The capture ended before a reply could come.
    Unknown,
}

impl Expected {
    /// The word of the tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::Ignore => "ignore",
            Self::Unknown => "unknown",
        }
    }
}

impl Seen {
    /// The word of the tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Silent => "silent",
            Self::Unknown => "unknown",
        }
    }
}

/// One server's treatment of one query.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The exchange of the query.
    pub exchange: ExchangeId,
    /// The query, as the copy that reached this server.
    pub query: MessageId,
    /// The server.
    pub server: ServerId,
    /// The relationship that the query belongs to on this server.
    pub relationship: Option<RelationshipId>,
    /// Whether it received the query.
    pub heard: Heard,
    /// Kea's state word, where known.
    pub state: Option<String>,
    /// What the state rests on.
    pub basis: Option<Basis>,
    /// The peer whose scope the query belongs to.
    pub owner: Option<ServerId>,
    /// The scope's peer name, and whether the server serves it.
    pub scope: Option<(String, bool)>,
    /// What the rules expect.
    pub expected: Expected,
    /// What was seen.
    pub seen: Seen,
    /// The rule that decides.
    pub rule: Rule,
    /// From 0 to 1.
    pub confidence: f64,
    /// The reply, when there was one.
    pub reply: Option<MessageId>,
    /// Frames that show the state or the reason.
    pub evidence: Vec<FrameRef>,
}

impl Decision {
    /// Whether expectation and observation agree; `None` where either is unknown.
    pub fn agrees(&self) -> Option<bool> {
        match (self.expected, self.seen) {
            (Expected::Answer, Seen::Answered) | (Expected::Ignore, Seen::Silent) => Some(true),
            (Expected::Answer, Seen::Silent) | (Expected::Ignore, Seen::Answered) => Some(false),
            _ => None,
        }
    }
}

/// Everything that decisions rest on.
#[derive(Debug)]
pub struct Evidence<'a> {
    /// The network.
    pub network: &'a Network<'a>,
    /// Every message.
    pub messages: &'a [Observed],
    /// Who sent each reply.
    pub answers: &'a HashMap<MessageId, Answer>,
    /// The control channel.
    pub events: &'a [HaEvent],
    /// The time of the last captured frame.
    pub capture_end: CaptureTime,
}

/// A server's possible part in an exchange's query, before the rules are asked.
struct Case<'a> {
    exchange: &'a Exchange,
    query: &'a Observed,
    query_id: MessageId,
    server: ServerId,
    reply: Option<MessageId>,
}

/// What the rules say, before it is compared with the packets.
struct Ruling {
    relationship: Option<RelationshipId>,
    standing: Option<Standing>,
    owner: Option<ServerId>,
    scope: Option<(String, bool)>,
    expected: Expected,
    rule: Rule,
    confidence: f64,
    evidence: Vec<FrameRef>,
}

impl Ruling {
    fn new(expected: Expected, rule: Rule, confidence: f64) -> Self {
        let (relationship, standing, owner, scope) = (None, None, None, None);
        Self { relationship, standing, owner, scope, expected, rule, confidence, evidence: Vec::new() }
    }
}

impl Evidence<'_> {
    /// Decides every query for every server that could hear it, in the order of the exchanges.
    pub fn decide(&self, exchanges: &[Exchange]) -> (Vec<Decision>, Timeline) {
        let timeline = self.timeline(exchanges);
        let mut decisions = Vec::new();
        for exchange in exchanges {
            self.each_case(exchange, |case| decisions.push(self.decision(&case, &timeline)));
        }
        (decisions, timeline)
    }

    fn each_case(&self, exchange: &Exchange, mut take: impl FnMut(Case<'_>)) {
        for (step, hearers) in self.network.audience(self.messages, exchange, self.answers) {
            for server in hearers {
                let query = self.network.copy_for(self.messages, step, server);
                let query_id =
                    step.sightings().find(|id| of(self.messages, *id).at == query.at).unwrap_or(step.first);
                let reply = self.reply_to(exchange, step.first, server);
                take(Case { exchange, query, query_id, server, reply });
            }
        }
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
        exchange.replies.iter().map(|step| step.first).find(|id| {
            let reply = of(self.messages, *id);
            // Two capture clocks may differ a little, so a reply may seem to come first.
            let in_time =
                reply.time.since(asked.time) > -SECOND && again.is_none_or(|again| reply.time < again);
            let fits = match asked.message_type {
                Some(MessageType::DISCOVER) => {
                    matches!(reply.message_type, Some(MessageType::OFFER))
                }
                Some(MessageType::REQUEST) => {
                    matches!(reply.message_type, Some(MessageType::ACK | MessageType::NAK))
                }
                Some(MessageType::INFORM) => reply.message_type == Some(MessageType::ACK),
                _ => reply.message_type.is_none_or(|kind| kind.0 > 8),
            };
            in_time && fits && self.answers.get(id).is_some_and(|answer| answer.server == server)
        })
    }

    /// Collects the evidence of the control channel and of behaviour.
    fn timeline(&self, exchanges: &[Exchange]) -> Timeline {
        let topology = self.network.topology;
        let mut timeline = Timeline::default();
        timeline.add_events(topology, self.events);
        for (id, answer) in self.answers {
            let reply = of(self.messages, *id);
            timeline.alive(answer.server, reply.time, reply.at);
        }
        for exchange in exchanges {
            self.each_case(exchange, |case| {
                let answered = case.reply.is_some();
                // A REQUEST may be ignored for reasons that have nothing to do with scopes.
                if !answered && case.query.message_type != Some(MessageType::DISCOVER) {
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

    /// The relationship that a query belongs to on a server, and the subnet that selected it.
    fn relationship(&self, case: &Case<'_>) -> Option<(RelationshipId, &Relationship, Option<&Subnet>)> {
        let topology = self.network.topology;
        let subnet = match self.network.subnet_for(case.server, case.query) {
            Selected::Subnet(subnet) => Some(subnet),
            Selected::None | Selected::Unknown => None,
        };
        let id = match subnet {
            Some(subnet) => topology.relationship_of_subnet(case.server, subnet)?,
            None => {
                // Without its own file the relationships of its partners' files must do, if there is one only.
                let mut all = topology.relationships_of(case.server);
                all.next().filter(|_| all.next().is_none())?
            }
        };
        Some((id, topology.relationship(id)?, subnet))
    }

    fn decision(&self, case: &Case<'_>, timeline: &Timeline) -> Decision {
        let mut ruling = self.rule(case, timeline);
        let down = timeline.down(case.server, case.query.time).filter(|_| case.reply.is_none());
        if let Some((confidence, refused)) = down.filter(|_| ruling.rule != Rule::ServerDown) {
            if confidence >= 0.9 {
                // What is not running applies no rule.
                let relationship = ruling.relationship;
                ruling = Ruling::new(Expected::Ignore, Rule::ServerDown, confidence);
                ruling.relationship = relationship;
                ruling.evidence.push(refused);
            } else {
                ruling.confidence = ruling.confidence.min(0.85);
            }
        }
        if case.reply.is_none()
            && ruling.expected == Expected::Answer
            && let Some(rejected) = self.rejected_update(case)
        {
            ruling.expected = Expected::Ignore;
            ruling.rule = Rule::LeaseUpdateRejected;
            ruling.evidence = vec![rejected.request_at, rejected.at];
        }
        let seen = match case.reply {
            Some(_) => Seen::Answered,
            None if self.capture_end.since(case.query.time) < SECOND / 10 => Seen::Unknown,
            None => Seen::Silent,
        };
        let heard = match (seen, timeline.running(case.server, case.query.time)) {
            (Seen::Answered, _) => Heard::Yes,
            (_, Some(false)) => Heard::Unknown,
            (_, running) => {
                let on_wire = self.network.address_in(case.server, case.query.zone).is_some();
                let addressed = self.network.machines.at(case.query.dst) == Some(case.server);
                match (on_wire || addressed, running) {
                    (true, Some(true)) => Heard::Yes,
                    (true, None) => Heard::Likely,
                    _ => Heard::Unknown,
                }
            }
        };
        let mut evidence = ruling.evidence;
        let standing = ruling.standing;
        evidence.extend(standing.iter().flat_map(|standing| standing.evidence.iter().copied()));
        Decision {
            exchange: case.exchange.id,
            query: case.query_id,
            server: case.server,
            relationship: ruling.relationship,
            heard,
            state: standing.as_ref().and_then(|standing| standing.state.clone()),
            basis: standing.as_ref().map(|standing| standing.basis),
            owner: ruling.owner,
            scope: ruling.scope,
            expected: ruling.expected,
            seen,
            rule: ruling.rule,
            confidence: ruling.confidence,
            reply: case.reply,
            evidence,
        }
    }

    /// A lease update of this client that the partner did not accept: Kea then sends no ACK.
    fn rejected_update(&self, case: &Case<'_>) -> Option<&HaEvent> {
        if case.query.message_type != Some(MessageType::REQUEST) {
            return None;
        }
        self.update_after(case.server, case.query)
            .filter(|event| event.result.is_some_and(|result| result != 0))
    }

    /// The lease update that `server` sent to its partner because of a REQUEST.
    pub fn update_after(&self, server: ServerId, request: &Observed) -> Option<&HaEvent> {
        let window = 0..=10 * SECOND;
        let start = self.events.partition_point(|event| event.time < request.time);
        self.events
            .iter()
            .skip(start)
            .take_while(|event| window.contains(&event.time.since(request.time)))
            .find(|event| {
                event.kind == EventKind::LeaseUpdate
                    && event.peer == Some(server)
                    && event.chaddr == Some(request.chaddr)
                    && window.contains(&event.request_time.since(request.time))
            })
    }

    /// Kea's rules in Kea's order.
    fn rule(&self, case: &Case<'_>, timeline: &Timeline) -> Ruling {
        let kea = self.network.topology.server(case.server).and_then(|server| server.kea.as_ref());
        let in_relationship = self.network.topology.relationships_of(case.server).next().is_some();
        if kea.is_none() && !in_relationship {
            return Ruling::new(Expected::Unknown, Rule::NoConfiguration, 0.5);
        }
        if kea.is_some_and(Dhcp4::is_hub) {
            return self
                .foreign_server_id(case)
                .or_else(|| self.no_subnet(case))
                .unwrap_or_else(|| self.ha(case, timeline));
        }
        let ha = self.ha(case, timeline);
        if ha.expected != Expected::Answer {
            return ha;
        }
        match self.foreign_server_id(case).or_else(|| self.no_subnet(case)) {
            None => ha,
            Some(later) => Ruling {
                expected: later.expected,
                rule: later.rule,
                confidence: later.confidence.min(ha.confidence),
                ..ha
            },
        }
    }

    /// Option 54 names somebody else (Kea's check `DHCP4_PACKET_DROP_0003`).
    fn foreign_server_id(&self, case: &Case<'_>) -> Option<Ruling> {
        let named = case.query.server_id?;
        let server = self.network.topology.server(case.server);
        let kea = server.and_then(|server| server.kea.as_ref());
        let own = self.network.machines.at(named) == Some(case.server)
            || case.query.server_id_override == Some(named)
            || kea.is_some_and(|kea| {
                kea.ignore_server_id
                    || kea.subnets.iter().any(|subnet| subnet.server_identifier == Some(named))
            });
        // An address that belongs to no known machine may still be one of this server's.
        let confidence = if self.network.machines.at(named).is_some() { 0.99 } else { 0.6 };
        let mut ruling = (!own).then(|| Ruling::new(Expected::Ignore, Rule::ForeignServerId, confidence))?;
        ruling.relationship = self.relationship(case).map(|(id, ..)| id);
        Some(ruling)
    }

    fn no_subnet(&self, case: &Case<'_>) -> Option<Ruling> {
        let topology = self.network.topology;
        match self.network.subnet_for(case.server, case.query) {
            Selected::Unknown => None,
            // A REQUEST without a subnet may be refused with a NAK instead (`DHCP4_PACKET_NAK_0001`).
            Selected::None if case.query.message_type == Some(MessageType::REQUEST) => {
                Some(Ruling::new(Expected::Unknown, Rule::NoSubnet, 0.5))
            }
            Selected::None => Some(Ruling::new(Expected::Ignore, Rule::NoSubnet, 0.9)),
            Selected::Subnet(subnet) => {
                let hub = topology
                    .server(case.server)
                    .and_then(|server| server.kea.as_ref())
                    .is_some_and(Dhcp4::is_hub);
                (hub && topology.relationship_of_subnet(case.server, subnet).is_none())
                    .then(|| Ruling::new(Expected::Ignore, Rule::NoRelationshipForSubnet, 0.95))
            }
        }
    }

    /// The HA decision: type, owner, scope.
    fn ha(&self, case: &Case<'_>, timeline: &Timeline) -> Ruling {
        let topology = self.network.topology;
        let Some((id, relationship, subnet)) = self.relationship(case) else {
            let kea = topology.server(case.server).and_then(|server| server.kea.as_ref());
            return if kea.is_some_and(|kea| kea.memberships.is_empty()) {
                reply_or_not(case, Ruling::new(Expected::Answer, Rule::NoHa, 0.9))
            } else {
                Ruling::new(Expected::Unknown, Rule::RelationshipUnknown, 0.5)
            };
        };
        let Some(scope) = owner_scope(relationship, case.query) else {
            let mut ruling = Ruling::new(Expected::Ignore, Rule::NoIdentifier, 0.95);
            ruling.relationship = Some(id);
            return ruling;
        };
        let place = (case.server, id, scope);
        let answered = case.reply.is_some();
        let standing = timeline.standing(topology, place, case.query.time, case.exchange.id, answered);
        let owner = relationship.peers.get(scope);
        let is_owner = owner.and_then(|peer| peer.server) == Some(case.server);
        let hub = topology.server(case.server).and_then(|it| it.kea.as_ref()).is_some_and(Dhcp4::is_hub);
        let (expected, rule) = match standing.service {
            Service::Down => (Expected::Ignore, Rule::ServerDown),
            _ if !is_filtered(case.query.message_type, hub) => (Expected::Answer, Rule::TypeNotFiltered),
            Service::Serves if is_owner => (Expected::Answer, Rule::OwnScope),
            Service::Serves => (Expected::Answer, Rule::FailoverScope),
            Service::Silent => match standing.state.as_deref() {
                Some(state) if is_service_off(state) => (Expected::Ignore, Rule::ServiceDisabled),
                Some(_) => (Expected::Ignore, Rule::ScopeNotServed),
                None => (Expected::Unknown, Rule::StateUnknown),
            },
        };
        // Pools, classes and a subnet that was not looked at can still make a server silent.
        let ceiling = if subnet.is_some() { 0.99 } else { 0.85 };
        let ruling = Ruling {
            relationship: Some(id),
            owner: owner.and_then(|peer| peer.server),
            scope: owner.map(|peer| (peer.name.clone(), standing.service == Service::Serves)),
            expected,
            rule,
            confidence: standing.confidence.min(ceiling),
            evidence: Vec::new(),
            standing: Some(standing),
        };
        reply_or_not(case, ruling)
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
fn is_filtered(kind: Option<MessageType>, hub: bool) -> bool {
    match kind {
        Some(MessageType::DISCOVER | MessageType::REQUEST | MessageType::INFORM) => true,
        Some(MessageType::DECLINE | MessageType::RELEASE) => !hub,
        _ => false,
    }
}

/// The place of the peer that owns a query: by hash in load-balancing, the
/// primary otherwise; `None` when load-balancing finds no identifier.
fn owner_scope(relationship: &Relationship, query: &Observed) -> Option<usize> {
    match relationship.mode {
        Mode::HotStandby | Mode::PassiveBackup => Some(0),
        Mode::LoadBalancing => query.hash.map(|hash| match Owner::of(hash) {
            Owner::Primary => 0,
            Owner::Secondary => 1,
        }),
    }
}
