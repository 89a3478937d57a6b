//! The decisions of an exchange boiled down to one code and one sentence.

use super::catalogue::{Rule, Verdict};
use super::decide::{Decision, Evidence, Expected, Seen};
use super::events::HaEvent;
use super::network::Heard;
use super::topology::RelationshipId;
use crate::dhcp::MessageType;
use crate::exchange::{Exchange, Outcome, of};
use crate::units::{MessageId, ServerId};

/// What an exchange comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// The code.
    pub verdict: Verdict,
    /// The sentence.
    pub reason: String,
    /// From 0 to 1.
    pub confidence: f64,
    /// The server whose ACK, NAK or first OFFER the client got.
    pub answered_by: Option<ServerId>,
    /// The server that the client's REQUEST names.
    pub chosen: Option<ServerId>,
    /// The owner of the query, where the rules name one.
    pub owner: Option<ServerId>,
    /// The relationship that the query belongs to.
    pub relationship: Option<RelationshipId>,
    /// First DISCOVER of the answered attempt to its OFFER, microseconds.
    pub discover_offer_us: Option<i64>,
    /// Answered REQUEST to its ACK or NAK, microseconds.
    pub request_ack_us: Option<i64>,
    /// The lease update to the partner that lay between REQUEST and ACK, microseconds.
    pub update_rtt_us: Option<i64>,
}

/// Judges an exchange from the decisions about its queries.
pub fn judge(evidence: &Evidence<'_>, exchange: &Exchange, decisions: &[Decision]) -> Judgement {
    let messages = evidence.messages;
    let server_of = |id: MessageId| evidence.answers.get(&id).map(|answer| answer.server);
    let reply = exchange
        .verdict_reply(messages)
        .or_else(|| exchange.first_of(&exchange.replies, messages, MessageType::OFFER))
        .or_else(|| exchange.replies.first().map(|step| step.first));
    let answered_by = reply.and_then(server_of);
    let chosen = exchange
        .first_of(&exchange.queries, messages, MessageType::REQUEST)
        .and_then(|id| of(messages, id).server_id)
        .and_then(|address| evidence.network.machines.at(address));
    // The query that shows who owns the client: the one that was answered, else the last one.
    let answered = decisions.iter().find(|decision| decision.reply == reply && reply.is_some());
    let key = answered.or_else(|| decisions.iter().rev().find(|decision| decision.owner.is_some()));
    let sentence = Sentence { evidence, exchange, decisions, answered_by };
    let (verdict, reason, confidence) = sentence.judge(exchange.outcome(messages), answered);
    let (request_ack_us, update) = acknowledged(evidence, exchange, decisions);
    Judgement {
        verdict,
        reason,
        confidence,
        answered_by,
        chosen,
        owner: key.and_then(|decision| decision.owner),
        relationship: key.and_then(|decision| decision.relationship),
        discover_offer_us: span(evidence, decisions, MessageType::DISCOVER, answered_by),
        request_ack_us,
        update_rtt_us: update.and_then(|event| event.rtt_us),
    }
}

/// Time between the answered query of a type and its reply.
fn span(
    evidence: &Evidence<'_>,
    decisions: &[Decision],
    kind: MessageType,
    server: Option<ServerId>,
) -> Option<i64> {
    let decision = decisions.iter().find(|decision| {
        decision.reply.is_some()
            && server.is_none_or(|server| server == decision.server)
            && of(evidence.messages, decision.query).message_type == Some(kind)
    })?;
    let reply = of(evidence.messages, decision.reply?);
    Some(reply.time.since(of(evidence.messages, decision.query).time) / 1000)
}

/// REQUEST to ACK, and the lease update in between.
fn acknowledged<'e>(
    evidence: &'e Evidence<'_>,
    exchange: &Exchange,
    decisions: &[Decision],
) -> (Option<i64>, Option<&'e HaEvent>) {
    let Some(reply) = exchange.verdict_reply(evidence.messages) else { return (None, None) };
    let Some(decision) = decisions.iter().find(|decision| decision.reply == Some(reply)) else {
        return (None, None);
    };
    let (request, reply) = (of(evidence.messages, decision.query), of(evidence.messages, reply));
    let update = evidence.update_after(decision.server, request).filter(|event| event.time <= reply.time);
    (Some(reply.time.since(request.time) / 1000), update)
}

struct Sentence<'a> {
    evidence: &'a Evidence<'a>,
    exchange: &'a Exchange,
    decisions: &'a [Decision],
    answered_by: Option<ServerId>,
}

impl Sentence<'_> {
    fn name(&self, server: ServerId) -> &str {
        self.evidence.network.machines.name(server)
    }

    fn judge(&self, outcome: Outcome, answered: Option<&Decision>) -> (Verdict, String, f64) {
        match outcome {
            Outcome::Bound | Outcome::Nak | Outcome::OfferOnly if self.rivals().is_some() => {
                let (one, other) = self.rivals().unzip();
                let name = |it: Option<&Decision>| it.map_or("?", |decision| self.name(decision.server));
                let reason = format!("{} and {} answered the same query", name(one), name(other));
                (Verdict::BothAnswered, reason, confidence(one).min(confidence(other)))
            }
            Outcome::Bound => self.answered(answered),
            Outcome::Nak => {
                let by = self.answered_by.map_or("a server", |server| self.name(server));
                (Verdict::Refused, format!("{by} refused the address with a NAK"), confidence(answered))
            }
            Outcome::Informed => {
                let by = self.answered_by.map_or("A server", |server| self.name(server));
                (Verdict::Informed, format!("{by} answered; no lease was involved"), confidence(answered))
            }
            Outcome::Released => (Verdict::Released, "the client gave its lease back".to_owned(), 0.99),
            Outcome::Declined => (Verdict::Declined, "the client found its address in use".to_owned(), 0.99),
            Outcome::OfferOnly => {
                let by = self.answered_by.map_or("a server", |server| self.name(server));
                (
                    Verdict::OfferNotTaken,
                    format!("{by} offered an address that the client did not ask for"),
                    0.9,
                )
            }
            Outcome::NoAck => self.no_ack(),
            Outcome::NoAnswer => self.no_answer(),
        }
    }

    /// Two servers of one relationship that answered one query.
    fn rivals(&self) -> Option<(&Decision, &Decision)> {
        let mut answered = self.decisions.iter().filter(|decision| decision.seen == Seen::Answered);
        answered.find_map(|one| {
            let rival = self.decisions.iter().find(|other| {
                other.seen == Seen::Answered
                    && other.server != one.server
                    && other.relationship.is_some()
                    && other.relationship == one.relationship
                    && self.same_query(one, other)
            })?;
            Some((one, rival))
        })
    }

    /// Whether two decisions are about one message, which may have reached each server as another copy.
    fn same_query(&self, one: &Decision, other: &Decision) -> bool {
        self.exchange.queries.iter().any(|step| {
            step.sightings().any(|id| id == one.query) && step.sightings().any(|id| id == other.query)
        })
    }

    fn answered(&self, answered: Option<&Decision>) -> (Verdict, String, f64) {
        let Some(decision) = answered else {
            let by = self.answered_by.map_or("a server", |server| self.name(server));
            return (Verdict::AnsweredUnexplained, format!("{by} answered; the query was not captured"), 0.5);
        };
        let by = self.name(decision.server);
        let role = self.role(decision);
        let silent = self.silent_partner(decision);
        let also = silent.map_or_else(String::new, |partner| {
            format!("; {} {}", self.name(partner.server), silence(partner))
        });
        let sure = silent.map_or(decision.confidence, |partner| decision.confidence.min(partner.confidence));
        match (decision.expected, decision.rule) {
            (Expected::Answer, Rule::FailoverScope) => {
                (Verdict::PartnerTookOver, format!("{by} answered in {}{also}", state(decision)), sure)
            }
            (Expected::Answer, Rule::NoHa) => (
                Verdict::AnsweredWithoutHa,
                format!("{by} answered; it has no HA relationship"),
                decision.confidence,
            ),
            (Expected::Answer, _) => (Verdict::OwnerAnswered, format!("{by} answered{role}{also}"), sure),
            (Expected::Ignore, rule) => {
                let reason = format!("{by} answered although it should be silent: {}", rule.code());
                (Verdict::WrongServerAnswered, reason, decision.confidence)
            }
            (Expected::Unknown, rule) => {
                (Verdict::AnsweredUnexplained, format!("{by} answered; {}", lower(rule.entry().title)), 0.5)
            }
        }
    }

    /// ` as the primary of A + B`, or nothing.
    fn role(&self, decision: &Decision) -> String {
        let topology = self.evidence.network.topology;
        let peer = decision.relationship.and_then(|id| {
            topology.relationship(id).and_then(|it| it.peer_of(decision.server)).map(|peer| (id, peer))
        });
        peer.map_or_else(String::new, |(id, peer)| {
            format!(" as the {} of {}", peer.role.as_str(), topology.relationship_name(id))
        })
    }

    /// The decision of another server that stayed silent about the answered query.
    fn silent_partner(&self, answered: &Decision) -> Option<&Decision> {
        self.decisions.iter().filter(|other| self.same_query(answered, other)).find(|other| {
            Some(other.server) != self.answered_by
                && other.relationship.is_some()
                && other.expected == Expected::Ignore
                && other.seen == Seen::Silent
        })
    }

    fn no_ack(&self) -> (Verdict, String, f64) {
        if let Some(rejected) =
            self.decisions.iter().find(|decision| decision.rule == Rule::LeaseUpdateRejected)
        {
            let request = of(self.evidence.messages, rejected.query);
            let update = self.evidence.update_after(rejected.server, request);
            let partner =
                update.and_then(|event| event.server).map_or("its partner", |server| self.name(server));
            let result = update.and_then(|event| event.result).unwrap_or_default();
            let reason = format!(
                "{} offered and withheld the ACK: {partner} rejected the lease update (result {result})",
                self.name(rejected.server)
            );
            return (Verdict::AckWithheld, reason, rejected.confidence.max(0.97));
        }
        let by = self.answered_by.map_or("a server", |server| self.name(server));
        (Verdict::NoAck, format!("{by} offered an address and never acknowledged the REQUEST for it"), 0.9)
    }

    fn no_answer(&self) -> (Verdict, String, f64) {
        let Some(last) = self.exchange.queries.last() else {
            return (Verdict::NoAnswer, "no query was captured".to_owned(), 0.5);
        };
        let about_last = |decision: &&Decision| last.sightings().any(|id| id == decision.query);
        let heard: Vec<&Decision> = self.decisions.iter().filter(about_last).collect();
        let down = heard.iter().find(|decision| decision.rule == Rule::ServerDown);
        let standby = heard.iter().find(|decision| decision.rule == Rule::ScopeNotServed);
        if let (Some(down), Some(standby)) = (down, standby) {
            let reason = format!(
                "{} owns the query and was down; {} had not taken over yet",
                self.name(down.server),
                self.name(standby.server)
            );
            return (Verdict::OwnerDown, reason, down.confidence.min(standby.confidence));
        }
        if let Some(owner) = heard.iter().find(|decision| decision.expected == Expected::Answer) {
            let reason = format!("{} should have answered and was silent", self.name(owner.server));
            return (Verdict::OwnerSilent, reason, owner.confidence);
        }
        let zone = self.evidence.network.zone(self.exchange.zone(self.evidence.messages));
        if heard.is_empty() && self.evidence.network.topology.zone_named(zone).is_none() {
            let reason = "nobody answered, and no server is known in this zone".to_owned();
            return (Verdict::NoAnswer, reason, 0.5);
        }
        if heard.iter().all(|decision| decision.rule == Rule::ServerDown) {
            let who: Vec<&str> = heard.iter().map(|decision| self.name(decision.server)).collect();
            let reason = match who.as_slice() {
                [] => "no known server has an interface in this zone".to_owned(),
                who => format!("{} was down, and no other known server hears this zone", who.join(" and ")),
            };
            let sure = heard.iter().map(|decision| decision.confidence).fold(0.9, f64::min);
            return (Verdict::NobodyListens, reason, sure);
        }
        let why: Vec<String> = heard
            .iter()
            .map(|decision| format!("{} {}", self.name(decision.server), silence(decision)))
            .collect();
        (Verdict::NoAnswer, why.join("; "), 0.5)
    }
}

fn confidence(decision: Option<&Decision>) -> f64 {
    decision.map_or(0.5, |decision| decision.confidence)
}

fn state(decision: &Decision) -> &str {
    decision.state.as_deref().unwrap_or("an unknown state")
}

/// What a silent server did, as the second half of a sentence.
fn silence(decision: &Decision) -> String {
    if decision.rule == Rule::ServerDown {
        return "was down".to_owned();
    }
    let heard = match decision.heard {
        Heard::Yes => "heard it and stayed silent",
        Heard::Likely => "probably heard it and stayed silent",
        Heard::Unknown => "was silent",
    };
    format!("{heard}: {}", decision.rule.code())
}

fn lower(title: &str) -> String {
    let mut chars = title.trim_end_matches('.').chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}
