//! The decisions of an exchange boiled down to one code and one sentence.

mod no_ack;
mod sentence;
mod story;

pub use self::story::{Stories, Story};

use self::sentence::Sentence;
use super::catalogue::Verdict;
use super::decide::{Decision, Evidence};
use super::topology::RelationshipId;
use super::updates::Update;
use crate::dhcp::MessageType;
use crate::exchange::{Exchange, of};
use crate::units::{MessageId, ServerId};

/// What an exchange comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// The code.
    pub verdict: Verdict,
    /// The sentence; empty where it was not asked for ([`judge`]).
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
///
/// Without `wanted` the sentence of an exchange that went well is left out;
/// what an operator should look at always has one.
pub fn judge(
    evidence: &Evidence<'_>,
    exchange: &Exchange,
    decisions: &[Decision],
    wanted: bool,
) -> Judgement {
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
    let sentence = Sentence { evidence, exchange, decisions, answered_by, wanted };
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
) -> (Option<i64>, Option<&'e Update>) {
    let Some(reply) = exchange.verdict_reply(evidence.messages) else { return (None, None) };
    let Some(decision) = decisions.iter().find(|decision| decision.reply == Some(reply)) else {
        return (None, None);
    };
    let (request, reply) = (of(evidence.messages, decision.query), of(evidence.messages, reply));
    let update = evidence.update_after(decision.server, request).filter(|event| event.time <= reply.time);
    (Some(reply.time.since(request.time) / 1000), update)
}
