//! What a server's log says it did with a query.

use std::collections::HashMap;

use super::align::{Alignment, Fit, Transaction};
use crate::dhcp::MessageType;
use crate::exchange::Observed;
use crate::kea::log::{Event, Log, What};
use crate::units::{CaptureTime, SECOND};

/// What became of a query, in the words of the server's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// A reply of the fitting type was handed to the socket.
    Answered,
    /// Received and worked on, without such a reply.
    Received,
    /// HA left it to the partner.
    NotForUs,
    /// Option 54 names another server.
    ForeignServerId,
    /// The DHCP service was off; Kea does not read the query then, so only the instant tells.
    ServiceOff,
    /// Dropped for another reason: the end of Kea's message id, such as `0011`, `NO_SUBNET_SELECTED`,
    /// `LEASE_UPDATE_CONFLICT` or `LEASE_UPDATE_FAILED`.
    Dropped(Box<str>),
    /// The log does not speak of it.
    Nothing,
}

/// The partner refused the lease.
pub(super) const CONFLICT: &str = "LEASE_UPDATE_CONFLICT";

/// A query is handled within this time; only an ACK may wait longer for the partner.
const HANDLED: i64 = SECOND;
/// Kea gives up on a lease update after this long (kea-ha §2.2).
const SLOWEST: i64 = 11 * SECOND;
/// How much earlier than the captured query its line may be.
const EARLY: i64 = 5_000_000;
/// Lines of one transaction that are looked at for one query.
const MOST_LINES: usize = 1000;
/// How far from a query the line of an unread one may be: such a line names no client.
const UNREAD: i64 = 20_000_000;

/// A server's logs as one list of events on the captures' clock.
#[derive(Clone, Debug, Default)]
pub struct Diary {
    /// In time order.
    events: Vec<(CaptureTime, Event)>,
    by_transaction: HashMap<Transaction, Vec<usize>>,
    unread: Vec<CaptureTime>,
    /// Whether the clock of every log is known.
    inexact: bool,
    resolution: i64,
    /// Whether messages sent are logged.
    sends: bool,
}

impl Diary {
    pub(super) fn add(&mut self, log: Log, alignment: &Alignment) {
        self.inexact |= alignment.fit != Fit::Matched;
        self.resolution = self.resolution.max(alignment.resolution);
        let timed = |event: Event| alignment.time(&event).map(|time| (time, event));
        self.events.extend(log.events.into_iter().filter_map(timed));
        self.events.sort_by_key(|(time, _)| *time);
        self.by_transaction.clear();
        self.unread.clear();
        for (at, (time, event)) in self.events.iter().enumerate() {
            if let Some(client) = &event.client {
                self.by_transaction.entry((client.mac, client.xid)).or_default().push(at);
            }
            match event.what {
                What::ServiceOff => self.unread.push(*time),
                What::Sent(_) => self.sends = true,
                _ => {}
            }
        }
    }

    /// Every event in time order.
    pub fn events(&self) -> impl Iterator<Item = (CaptureTime, &Event)> {
        self.events.iter().map(|(time, event)| (*time, event))
    }

    /// Whether the log's clock is known, so that instants can be compared.
    pub const fn is_exact(&self) -> bool {
        !self.inexact
    }

    /// Whether a message that the server sent must be in the log: it logs them,
    /// and the instant is between its first and last event.
    pub(super) fn tells_of_replies_at(&self, time: CaptureTime) -> bool {
        let covers = |(first, last): (&(CaptureTime, Event), &(CaptureTime, Event))| {
            first.0.plus(self.slack()) < time && time < last.0
        };
        self.sends && self.is_exact() && self.events.first().zip(self.events.last()).is_some_and(covers)
    }

    /// The coarsest time stamp's unit, nanoseconds.
    pub(super) const fn resolution(&self) -> i64 {
        self.resolution
    }

    /// How far two times of one event may lie apart.
    pub(super) const fn slack(&self) -> i64 {
        EARLY + self.resolution
    }

    /// The lines about a transaction, from an instant on where the clock is known.
    fn of(&self, key: Transaction, from: CaptureTime) -> impl Iterator<Item = (CaptureTime, &Event)> {
        let places = self.by_transaction.get(&key).map(Vec::as_slice).unwrap_or_default();
        let before = |at: &usize| self.events.get(*at).is_some_and(|(time, _)| *time < from);
        let first = if self.is_exact() { places.partition_point(before) } else { 0 };
        let places = places.get(first..).unwrap_or_default().iter().take(MOST_LINES);
        places.filter_map(|at| self.events.get(*at)).map(|(time, event)| (*time, event))
    }

    /// What the log says this server did with a query.
    pub fn fate(&self, query: &Observed) -> Fate {
        self.fate_of((query.chaddr, query.xid), query.message_type, query.time)
    }

    /// What the log says this server did with a query of this type at this time.
    ///
    /// Where the log's clock is not known the time is not looked at.
    pub fn fate_of(&self, key: Transaction, kind: Option<MessageType>, time: CaptureTime) -> Fate {
        let mut fate = Fate::Nothing;
        let mut received = false;
        for (at, event) in self.of(key, time.plus(-self.slack())) {
            let age = at.since(time);
            let late = self.is_exact() && age > HANDLED + self.slack();
            // The next attempt's lines are another query's.
            let again = matches!(&event.what, What::Received(packet) if Some(packet.kind) == kind);
            if self.is_exact() && ((again && received) || age > SLOWEST || (late && !received)) {
                break;
            }
            received |= again;
            if event.what == What::SendFailed && fate == Fate::Answered {
                fate = Fate::Dropped("PACKET_SEND_FAIL".into());
            }
            // What follows so late is about another message of the transaction, unless it is the reply.
            let said = self.says(&event.what, kind).filter(|said| !late || *said == Fate::Answered);
            fate = said.filter(|said| said.rank() > fate.rank()).unwrap_or(fate);
        }
        let unread = || {
            let first = self.unread.partition_point(|at| *at < time.plus(-self.slack()));
            let near = |at: &CaptureTime| at.since(time) < UNREAD + self.resolution;
            // A second is too long to tell whose query it was.
            self.is_exact() && self.resolution < SECOND && self.unread.get(first).is_some_and(near)
        };
        if fate == Fate::Nothing && unread() { Fate::ServiceOff } else { fate }
    }

    /// What one line says about a query of this type of its transaction.
    fn says(&self, what: &What, kind: Option<MessageType>) -> Option<Fate> {
        let discover = kind == Some(MessageType::DISCOVER);
        let request = kind == Some(MessageType::REQUEST);
        match what {
            What::Sent(packet) => is_reply_to(packet.kind, kind).then_some(Fate::Answered),
            What::Received(packet) => (Some(packet.kind) == kind).then_some(Fate::Received),
            // Where packets are not logged an offer is the last line about a DISCOVER.
            What::Offer(_) => discover.then_some(if self.sends { Fate::Received } else { Fate::Answered }),
            What::Alloc(_) | What::Refused(_) => request.then_some(Fate::Received),
            // The lines of these two give no type. A DISCOVER has no server identifier that could be foreign.
            What::ForeignServerId => (!discover).then_some(Fate::ForeignServerId),
            What::NotForUs(_) => Some(Fate::NotForUs),
            What::Dropped(code) => Some(Fate::Dropped(code.clone())),
            // The lease was ready, and the ACK is dropped unless it was sent all the same.
            What::UpdateFailed { conflict, .. } => {
                let code = if *conflict { CONFLICT } else { "LEASE_UPDATE_FAILED" };
                request.then(|| Fate::Dropped(code.into()))
            }
            _ => None,
        }
    }
}

impl Fate {
    /// Which of two lines about one query decides. A hub looks at the server identifier before HA.
    const fn rank(&self) -> u8 {
        match self {
            Self::Nothing => 0,
            Self::Received => 1,
            Self::Dropped(_) => 2,
            Self::ServiceOff => 3,
            Self::NotForUs => 4,
            Self::ForeignServerId => 5,
            Self::Answered => 6,
        }
    }
}

/// Whether a reply of type `reply` can answer a query of type `query`.
fn is_reply_to(reply: MessageType, query: Option<MessageType>) -> bool {
    match query {
        // An ACK to a DISCOVER is a rapid commit (RFC 4039); its line cannot be told from a REQUEST's.
        Some(MessageType::DISCOVER) => reply == MessageType::OFFER,
        Some(MessageType::REQUEST) => matches!(reply, MessageType::ACK | MessageType::NAK),
        Some(MessageType::INFORM) => reply == MessageType::ACK,
        _ => reply.0 > 8,
    }
}
