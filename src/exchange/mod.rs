//! Messages to exchanges to leases: who asked, who answered, what came of it.
//! Knows nothing of High Availability.
//!
//! Reading order: [`observed`] (one message and where it was seen),
//! [`sighting`] (the same message seen again), [`pair`] (the conversation; which
//! messages fit is in `matching`), [`answer`] (which machine sent a reply), [`lease`] (bindings over time).

pub mod answer;
mod client;
pub mod lease;
mod matching;
pub mod observed;
mod open;
pub mod pair;
pub mod sighting;
mod store;
mod tail;

use std::fmt;

use smallvec::SmallVec;

use crate::dhcp::MessageType;
use crate::units::{CaptureTime, ExchangeId, MessageId, Xid, ZoneId};

pub use client::{Client, ClientId};
pub use observed::Observed;
pub use pair::{PairLimits, Pairer};
pub use store::{Answers, Messages, SEGMENT, Segment};

/// What the client wanted (RFC 2131 §4.3.2 for the kinds of REQUEST).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// DISCOVER, and the REQUEST that selects an offer.
    Select,
    /// REQUEST that verifies a remembered address after a restart.
    InitReboot,
    /// REQUEST by unicast to extend a lease (T1).
    Renew,
    /// REQUEST by broadcast to extend a lease (T2).
    Rebind,
    /// INFORM.
    Inform,
    /// DECLINE.
    Decline,
    /// RELEASE.
    Release,
    /// Anything else: BOOTP, lease queries, unknown types.
    Other,
}

impl Kind {
    /// The word of the tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Select => "select",
            Self::InitReboot => "init-reboot",
            Self::Renew => "renew",
            Self::Rebind => "rebind",
            Self::Inform => "inform",
            Self::Decline => "decline",
            Self::Release => "release",
            Self::Other => "other",
        }
    }
}

/// What came of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// An ACK bound or extended an address.
    Bound,
    /// A NAK and no ACK.
    Nak,
    /// Nothing came back.
    NoAnswer,
    /// Offers, and no REQUEST followed.
    OfferOnly,
    /// A REQUEST for an offered address that no server answered.
    NoAck,
    /// An ACK without a lease answered an INFORM.
    Informed,
    /// A RELEASE; there is no reply to it.
    Released,
    /// A DECLINE; there is no reply to it.
    Declined,
}

impl Outcome {
    /// The word of the tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bound => "bound",
            Self::Nak => "nak",
            Self::NoAnswer => "no-answer",
            Self::OfferOnly => "offer-only",
            Self::NoAck => "no-ack",
            Self::Informed => "informed",
            Self::Released => "released",
            Self::Declined => "declined",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One message of an exchange: its first sighting and the later ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The sighting that was read first.
    pub first: MessageId,
    /// Absent where there are none, because that is usual and exchanges are many.
    again: Option<Box<SmallVec<[MessageId; 4]>>>,
}

impl Step {
    /// A message that was seen once.
    pub const fn new(first: MessageId) -> Self {
        Self { first, again: None }
    }

    /// The same message at other capture points: a second bridge, a relay hop.
    pub fn again(&self) -> &[MessageId] {
        self.again.as_deref().map(SmallVec::as_slice).unwrap_or_default()
    }

    /// Adds a sighting.
    pub(crate) fn sight(&mut self, again: MessageId) {
        self.again.get_or_insert_default().push(again);
    }

    /// Every sighting, the first one first.
    pub fn sightings(&self) -> impl Iterator<Item = MessageId> + '_ {
        std::iter::once(self.first).chain(self.again().iter().copied())
    }
}

/// The steps of one side; most conversations have one or two.
pub type Steps = SmallVec<[Step; 2]>;

/// One client's conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Its number.
    pub id: ExchangeId,
    /// The client.
    pub client: Client,
    /// The xid of its first message; a REQUEST may have used a new one.
    pub xid: Xid,
    /// What the client wanted.
    pub kind: Kind,
    /// Capture time of the first message.
    pub start: CaptureTime,
    /// Capture time of the last message.
    pub end: CaptureTime,
    /// The client's messages in time order, retransmissions included.
    pub queries: Steps,
    /// The servers' messages in time order.
    pub replies: Steps,
}

impl Exchange {
    /// A further sighting of one of its steps; returns how many that step has.
    pub(crate) fn sight(&mut self, first: MessageId, again: MessageId) -> usize {
        let mut steps = self.queries.iter_mut().chain(&mut self.replies);
        steps.find(|step| step.first == first).map_or(0, |step| {
            step.sight(again);
            step.again().len()
        })
    }

    /// The message that was read first.
    pub fn first_message(&self) -> Option<MessageId> {
        self.queries.iter().chain(&self.replies).map(|step| step.first).min()
    }

    /// The first step whose message has this type.
    pub fn first_of(&self, steps: &[Step], messages: &Messages, kind: MessageType) -> Option<MessageId> {
        steps.iter().map(|step| step.first).find(|id| of(messages, *id).message_type == Some(kind))
    }

    /// The zone where its first message was captured.
    pub fn zone(&self, messages: &Messages) -> ZoneId {
        let first = self.queries.first().or(self.replies.first());
        first.map(|step| of(messages, step.first).zone).unwrap_or_default()
    }

    /// The reply that ended the exchange: the first ACK, else the first NAK.
    pub fn verdict_reply(&self, messages: &Messages) -> Option<MessageId> {
        self.first_of(&self.replies, messages, MessageType::ACK)
            .or_else(|| self.first_of(&self.replies, messages, MessageType::NAK))
    }

    /// What came of it.
    pub fn outcome(&self, messages: &Messages) -> Outcome {
        self.outcome_with(self.verdict_reply(messages), messages)
    }

    /// The same where [`Exchange::verdict_reply`] is known already.
    pub(crate) fn outcome_with(&self, verdict: Option<MessageId>, messages: &Messages) -> Outcome {
        let has = |steps: &[Step], kind| self.first_of(steps, messages, kind).is_some();
        match self.kind {
            Kind::Release => return Outcome::Released,
            Kind::Decline => return Outcome::Declined,
            _ => {}
        }
        if let Some(verdict) = verdict {
            let is_ack = of(messages, verdict).message_type == Some(MessageType::ACK);
            return match self.kind {
                _ if !is_ack => Outcome::Nak,
                Kind::Inform => Outcome::Informed,
                _ => Outcome::Bound,
            };
        }
        let offered = has(&self.replies, MessageType::OFFER);
        let selected = self.kind == Kind::Select && has(&self.queries, MessageType::REQUEST);
        match (offered, selected) {
            (_, true) => Outcome::NoAck,
            (true, false) => Outcome::OfferOnly,
            (false, false) if self.replies.is_empty() => Outcome::NoAnswer,
            // A reply of another type (a BOOTP reply, a lease query's answer) did arrive.
            (false, false) => Outcome::Informed,
        }
    }
}

/// The message with this number.
///
/// # Panics
/// Never for numbers of messages that the same analysis still keeps: those of the
/// exchanges that it holds.
#[expect(
    clippy::expect_used,
    reason = "message numbers are made by this program, and kept while an exchange has them"
)]
pub fn of(messages: &Messages, id: MessageId) -> &Observed {
    messages.get(id).expect("a message leaves after its exchange")
}
