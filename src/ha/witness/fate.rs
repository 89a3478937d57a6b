//! What a server's log says it did with a query.

use std::collections::HashMap;

use super::align::{Alignment, Fit, Transaction};
use crate::dhcp::MessageType;
use crate::exchange::Observed;
use crate::kea::log::{Event, Log, What};
use crate::units::{CaptureTime, HwAddr, SECOND, Xid};

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
    /// [`CONFLICT`] or `LEASE_UPDATE_FAILED`.
    Dropped(Box<str>),
    /// The log does not speak of it.
    Nothing,
}

/// The partner refused the lease.
pub const CONFLICT: &str = "LEASE_UPDATE_CONFLICT";

/// A query is handled within this time; only an ACK may wait longer for the partner.
const HANDLED: i64 = SECOND;
/// Kea gives up on a lease update after this long (kea-ha §2.2).
const SLOWEST: i64 = 11 * SECOND;
/// How much earlier than the captured query its line may be.
const EARLY: i64 = 5_000_000;
/// How far from a query the line of an unread one may be: such a line names no client.
const UNREAD: i64 = 20_000_000;

/// A server's logs as one list of events on the captures' clock.
#[derive(Debug, Default)]
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

    /// How far two times of one event may lie apart.
    pub(super) const fn slack(&self) -> i64 {
        EARLY + self.resolution
    }

    pub(super) fn of(&self, mac: HwAddr, xid: Xid) -> impl Iterator<Item = (CaptureTime, &Event)> {
        let places = self.by_transaction.get(&(mac, xid)).map(Vec::as_slice).unwrap_or_default();
        places.iter().filter_map(|at| self.events.get(*at)).map(|(time, event)| (*time, event))
    }

    /// What the log says this server did with a query.
    pub fn fate(&self, query: &Observed) -> Fate {
        self.fate_of((query.chaddr, query.xid), query.message_type, query.time)
    }

    /// What the log says this server did with a query of this type at this time.
    ///
    /// Where the log's clock is not known the time is not looked at.
    pub fn fate_of(&self, key: Transaction, kind: Option<MessageType>, time: CaptureTime) -> Fate {
        let mut said = Said::default();
        for (at, event) in self.of(key.0, key.1) {
            let age = at.since(time);
            if self.is_exact() && age < -self.slack() {
                continue;
            }
            let late = self.is_exact() && age > HANDLED + self.slack();
            // The next attempt's lines are another query's.
            let again = matches!(&event.what, What::Received(packet) if Some(packet.kind) == kind);
            if self.is_exact() && ((again && said.received) || age > SLOWEST || (late && !said.received)) {
                break;
            }
            said.line(&event.what, kind, late);
        }
        let unread = || {
            let near = |at: &CaptureTime| {
                let age = at.since(time);
                (-self.slack()..UNREAD + self.resolution).contains(&age)
            };
            // A second is too long to tell whose query it was.
            self.is_exact() && self.resolution < SECOND && self.unread.iter().any(near)
        };
        said.fate(kind, self.sends).unwrap_or_else(|| if unread() { Fate::ServiceOff } else { Fate::Nothing })
    }
}

/// What the lines about one query say together.
#[derive(Default)]
struct Said {
    received: bool,
    answered: bool,
    prepared: bool,
    not_for_us: bool,
    foreign: bool,
    dropped: Option<Box<str>>,
}

impl Said {
    fn line(&mut self, what: &What, kind: Option<MessageType>, late: bool) {
        match what {
            What::Sent(packet) => self.answered |= is_reply_to(packet.kind, kind),
            What::SendFailed => {
                self.answered = false;
                self.dropped = Some("PACKET_SEND_FAIL".into());
            }
            // What follows so late is about another message of the transaction.
            _ if late => {}
            What::Received(packet) => self.received |= Some(packet.kind) == kind,
            What::Offer(_) => self.prepared |= kind == Some(MessageType::DISCOVER),
            What::Alloc(_) | What::Refused(_) => self.received |= kind == Some(MessageType::REQUEST),
            // Neither line gives a type. A DISCOVER has no server identifier that could be foreign,
            // and a hub looks at it before HA.
            What::NotForUs(_) => self.not_for_us = true,
            What::ForeignServerId => self.foreign |= kind != Some(MessageType::DISCOVER),
            What::Dropped(code) => self.dropped = Some(code.clone()),
            // The lease was ready, and the ACK is dropped unless it was sent all the same.
            What::UpdateFailed { conflict, .. } if kind == Some(MessageType::REQUEST) => {
                self.dropped = Some(if *conflict { CONFLICT } else { "LEASE_UPDATE_FAILED" }.into());
            }
            _ => {}
        }
    }

    fn fate(self, kind: Option<MessageType>, sends: bool) -> Option<Fate> {
        let discover = kind == Some(MessageType::DISCOVER);
        Some(match self {
            Self { answered: true, .. } => Fate::Answered,
            // Where packets are not logged an offer is the last line about a DISCOVER.
            Self { prepared: true, .. } if !sends => Fate::Answered,
            Self { not_for_us: true, .. } if discover => Fate::NotForUs,
            Self { foreign: true, .. } => Fate::ForeignServerId,
            Self { not_for_us: true, .. } => Fate::NotForUs,
            Self { dropped: Some(code), .. } => Fate::Dropped(code),
            Self { received: true, .. } | Self { prepared: true, .. } => Fate::Received,
            _ => return None,
        })
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
