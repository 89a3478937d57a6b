//! What Kea's rules expect of one server for one query, and what it did.
//!
//! Reading order: `parts` (which server was asked what, and what it replied),
//! `case` (one such part), `rules` (Kea's checks in Kea's order), then [`Evidence::decide`] here, which
//! compares the two.

mod case;
mod gaps;
mod heard;
mod parts;
mod rules;

use self::gaps::Doubt;
pub use self::gaps::Gaps;
pub use self::parts::{Part, Parts, Subnetted};

use self::case::Case;
use self::rules::Ruling;
use super::catalogue::Rule;
use super::events::HaEvent;
use super::network::{Heard, Network};
use super::replay::Follower;
use super::state::Status;
use super::timeline::{Asking, Basis};
use super::topology::RelationshipId;
use super::updates::Updates;
use crate::exchange::{Answers, Exchange, Messages, Observed, Step, of};
use crate::units::{CaptureTime, ExchangeId, Frames, MessageId, SECOND, ServerId};

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
    pub state: Option<&'static str>,
    /// What the state rests on.
    pub basis: Option<Basis>,
    /// The peer whose scope the query belongs to.
    pub owner: Option<ServerId>,
    /// The place of the scope's peer in the relationship, and whether the server serves it.
    pub scope: Option<(usize, bool)>,
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
    pub evidence: Frames,
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

/// The decisions about one exchange, out of all of them in the order of the exchanges.
pub fn of_exchange(decisions: &[Decision], exchange: ExchangeId) -> &[Decision] {
    let from = decisions.partition_point(|decision| decision.exchange < exchange);
    let to = decisions.partition_point(|decision| decision.exchange <= exchange);
    decisions.get(from..to).unwrap_or_default()
}

/// Everything that decisions rest on.
#[derive(Debug)]
pub struct Evidence<'a> {
    /// The network.
    pub network: &'a Network<'a>,
    /// Every message.
    pub messages: &'a Messages,
    /// Who sent each reply.
    pub answers: &'a Answers,
    /// The control channel.
    pub events: &'a [HaEvent],
    /// Its lease updates.
    pub updates: &'a Updates,
    /// The time of the last captured frame.
    pub capture_end: CaptureTime,
}

impl Evidence<'_> {
    /// Decides every query of an exchange for every server that could hear it.
    pub fn decide(
        &self,
        exchange: &Exchange,
        parts: &[Part],
        (timeline, replay, gaps): (&Asking<'_>, &Follower<'_>, &Gaps),
        decisions: &mut Vec<Decision>,
    ) {
        let first = decisions.len();
        let answered_by = |step: &Step| self.answers.get(&step.first).map(|answer| answer.server);
        for part in parts {
            let mut case = Case::of(*part, exchange, self);
            case.life = timeline.life(case.server, case.query.time);
            // What it left unanswered it may well leave unanswered again.
            let silent = |earlier: &Decision| {
                earlier.server == case.server
                    && earlier.rule == Rule::StateUnknown
                    && of(self.messages, earlier.query).message_type == case.query.message_type
            };
            // And where another server answers this client, this one may be gone.
            let elsewhere = || exchange.replies.iter().filter_map(answered_by).any(|it| it != case.server);
            let again = || elsewhere() || decisions.get(first..).unwrap_or_default().iter().any(silent);
            let decision = self.decision(&case, (timeline, replay), gaps, again);
            decisions.push(decision);
        }
    }

    /// Whether the capture ended before a reply to this query could come.
    fn is_last_moment(&self, query: &Observed) -> bool {
        self.capture_end.since(query.time) < SECOND / 10
    }

    /// `again`: the server left a query of this type unanswered before, in the same exchange, or another one serves it.
    fn decision(
        &self,
        case: &Case<'_>,
        (timeline, replay): (&Asking<'_>, &Follower<'_>),
        gaps: &Gaps,
        again: impl FnOnce() -> bool,
    ) -> Decision {
        let mut ruling = self.rule(case, timeline, replay);
        let down = case.life.down().filter(|_| !case.answered());
        if let Some((confidence, refused)) = down.filter(|_| ruling.rule != Rule::ServerDown) {
            if confidence > 0.85 {
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
            ruling.evidence.insert_many(0, [rejected.request_at, rejected.at]);
        } else if case.reply.is_none()
            && ruling.expected == Expected::Answer
            && let Some(failing) = self.failing_update(case, &ruling)
        {
            ruling.expected = Expected::Ignore;
            ruling.rule = Rule::LeaseUpdateFailed;
            // Another attempt may get through while the REQUEST is kept.
            ruling.confidence = ruling.confidence.min(0.85);
            ruling.evidence.insert_many(0, [failing.request_at, failing.at]);
        }
        let waited = case.reply.map(|id| of(self.messages, id).time.since(case.query.time));
        let ceiling = match waited {
            // So late a reply may answer a retransmission that the capture missed.
            Some(waited) if waited > SECOND => 0.85,
            Some(_) => 1.0,
            None => silence_ceiling(case, &ruling, || gaps.doubt(case.query.zone, case.query.time)),
        };
        ruling.confidence = ruling.confidence.min(ceiling);
        let seen = match case.reply {
            Some(_) => Seen::Answered,
            // The client selected an offer that was not captured.
            None if case.part.offer_missed => Seen::Unknown,
            // The partner stored the lease, after which the ACK follows at once.
            None if self.update_accepted(case) => Seen::Unknown,
            None if self.is_last_moment(case.query) => Seen::Unknown,
            None => Seen::Silent,
        };
        // Its own file may hold another relationship, or no subnet for this client.
        let configured = case.kea.is_some();
        if ruling.is_concluded(configured) && (seen == Seen::Silent || (seen == Seen::Unknown && again())) {
            ruling.give_up();
        }
        let heard = match (seen, case.life.running()) {
            (Seen::Answered, _) => Heard::Yes,
            (_, Some(false)) => Heard::Unknown,
            (_, running) => {
                let on_wire = self.network.address_in(case.server, case.query.zone).is_some();
                let addressed = || self.network.machines.at(case.query.dst) == Some(case.server);
                match (on_wire || addressed(), running) {
                    (true, Some(true)) => Heard::Yes,
                    (true, None) => Heard::Likely,
                    _ => Heard::Unknown,
                }
            }
        };
        Decision {
            exchange: case.exchange.id,
            query: case.part.query,
            server: case.server,
            relationship: ruling.relationship,
            heard,
            state: ruling.state.map(Status::as_str),
            basis: ruling.basis,
            owner: ruling.owner,
            scope: ruling.scope,
            expected: ruling.expected,
            seen,
            rule: ruling.rule,
            confidence: ruling.confidence,
            reply: case.reply,
            evidence: ruling.evidence,
        }
    }
}

/// How sure a ruling can be about a query that its server did not answer.
///
/// HA lets a query pass, and a pool without free addresses, a class or a
/// reservation still stops it, so an expected answer that is missing is no sure
/// thing. A silence that was inferred from silences proves little while the
/// exchange shows no reply at all (the capture may only hold one direction), or
/// where the capture is lossy.
fn silence_ceiling(case: &Case<'_>, ruling: &Ruling, doubt: impl Fn() -> Doubt) -> f64 {
    let inferred = ruling.basis.is_some_and(|basis| basis >= Basis::Inferred);
    match ruling.expected {
        Expected::Answer if doubt() > Doubt::None => 0.6,
        Expected::Answer => 0.85,
        Expected::Ignore if inferred && (case.exchange.replies.is_empty() || doubt() > Doubt::None) => 0.85,
        // The answer may be among what is known to have been dropped.
        _ if doubt() == Doubt::There => 0.85,
        _ => 1.0,
    }
}
