//! Kea's HA state machine, run over a capture.
//!
//! Each active peer of each relationship gets a [`machine`](super::machine)
//! of its own. It is driven by what drives Kea's: the end of its own heartbeats
//! and lease updates, commands of its partner, and the queries that it hears
//! while its clock is expired. What the server shows of itself corrects it:
//! heartbeat answers, a synchronisation, lease updates, answers to clients.
//! A prediction that the server contradicts is taken back and not made again.
//!
//! Some changes are shown by what is missing: an ACK without its lease update
//! after the clock expired (the partner was given up, and a firewall kept the
//! failed requests off the wire), a silence too long for a running server and
//! too short for a timeout (it was started meanwhile). These are inferred.
//!
//! Without own heartbeats in the capture the communication clock is not known,
//! and then no client is counted and no failure predicted.
//!
//! Reading order: this page (the results), `input` (what the packets say, one
//! fact each), `seat` (one server in one relationship), `run` (the loop and
//! what a machine shares between its relationships), `spans` (intervals).

mod facts;
mod input;
mod pulse;
mod run;
mod seat;
mod spans;
mod standing;
mod stretch;

use std::fmt;

use self::pulse::Pulses;
use self::stretch::Stretch;
use super::machine::ClientKey;
use super::state::State;
use super::timeline::Basis;
use super::topology::RelationshipId;
use crate::units::{CaptureTime, ExchangeId, FrameRef, MessageId, ServerId};

pub use run::{KEPT_EVENTS_NS, Replayer};
pub use standing::{Follower, Replayed};

/// A query that a server could hear, and that belongs to one of its relationships.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The server.
    pub server: ServerId,
    /// The relationship that the query belongs to there.
    pub relationship: RelationshipId,
    /// The message, as the copy that reached this server.
    pub message: MessageId,
    /// Its exchange.
    pub exchange: ExchangeId,
    /// When it was captured.
    pub time: CaptureTime,
    /// Its frame.
    pub at: FrameRef,
    /// Whom Kea takes it to be from.
    pub client: ClientKey,
    /// `secs` as Kea reads it.
    pub secs: u16,
    /// The place of the peer that owns it; `None` when load-balancing finds no identifier.
    pub scope: Option<usize>,
    /// Whether HA looks at it at all: its type is filtered, and on a hub it passed the
    /// server-identifier check.
    pub filtered: bool,
    /// The server's own reply.
    pub reply: Option<(CaptureTime, FrameRef)>,
    /// The reply is an ACK to a REQUEST, and no lease update to the partner was seen before it.
    pub unshared: bool,
}

/// A client that a server counted while its partner was silent: one line of
/// Kea's log, `HA_COMMUNICATION_INTERRUPTED_CLIENT4` with or without `_UNACKED`.
#[derive(Clone, Debug, PartialEq)]
pub struct Counted {
    /// The server that counts.
    pub server: ServerId,
    /// The relationship it counts for.
    pub relationship: RelationshipId,
    /// The query that was counted.
    pub query: MessageId,
    /// Its exchange.
    pub exchange: ExchangeId,
    /// When the query was captured.
    pub time: CaptureTime,
    /// Its frame.
    pub at: FrameRef,
    /// Whether this query made the client unacked; otherwise it is a new client that has not waited long.
    pub unacked: bool,
    /// Unacked clients after it.
    pub total_unacked: u32,
    /// Clients that are still missing for a failure, as Kea prints it.
    pub left: u32,
    /// Clients counted after it, unacked or not.
    pub clients: u32,
    /// The client.
    pub client: ClientKey,
    /// `secs` of the query as Kea reads it.
    pub secs: u16,
    /// What the server's state at that time rests on.
    pub basis: Basis,
    /// From 0 to 1.
    pub confidence: f64,
}

/// Why a server changed its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// It was started.
    Started,
    /// It is seen for the first time.
    FirstSeen,
    /// Its heartbeat failed, the clock had expired, and more clients than allowed waited in vain.
    ClientsUnacked,
    /// Its heartbeat failed and the clock had expired; in this state and role Kea asks no traffic.
    Interrupted,
    /// The partner became unavailable, which is enough in this state.
    PartnerUnavailable,
    /// The partner's state in its heartbeat answer.
    Partner(State),
    /// It has fetched the partner's leases.
    Synchronised,
    /// `ha-reset`.
    Reset,
    /// `ha-maintenance-start` on one of the two.
    Maintenance,
    /// `ha-maintenance-cancel`.
    MaintenanceCancelled,
    /// Clock skew, or lease updates that the partner rejected.
    Fatal,
    /// The server shows it, and no rule that is known here explains it.
    Observed,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Started => "started",
            Self::FirstSeen => "first-seen",
            Self::ClientsUnacked => "heartbeat-failed-and-clients-unacked",
            Self::Interrupted => "heartbeat-failed-and-clock-expired",
            Self::PartnerUnavailable => "partner-unavailable",
            Self::Partner(state) => return write!(f, "partner-{}", state.as_str()),
            Self::Synchronised => "leases-synchronised",
            Self::Reset => "ha-reset",
            Self::Maintenance => "maintenance",
            Self::MaintenanceCancelled => "maintenance-cancelled",
            Self::Fatal => "clock-skew-or-rejected-updates",
            Self::Observed => "observed",
        })
    }
}

/// A change of state of one server in one relationship.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    /// The server.
    pub server: ServerId,
    /// The relationship.
    pub relationship: RelationshipId,
    /// The state before; `None` where it is not known, or the server was not running.
    pub from: Option<State>,
    /// The state after.
    pub to: State,
    /// The last instant at which the state before was shown, or the transition before this one.
    pub after: CaptureTime,
    /// The first instant at which the new state was shown; the end of the capture when it never was.
    pub by: CaptureTime,
    /// The instant at which the rules make it happen.
    pub predicted: Option<CaptureTime>,
    /// The frame that first shows the new state, and when.
    pub observed: Option<(CaptureTime, FrameRef)>,
    /// What it rests on: the server's own showing, or the rules alone (`inferred`).
    pub basis: Basis,
    /// What ended the old state first, then what else it rests on.
    pub evidence: Vec<FrameRef>,
    /// Why.
    pub cause: Cause,
}

impl Transition {
    /// The instant that stands for it: the replayed one, else the first at which it shows.
    pub fn instant(&self) -> CaptureTime {
        self.predicted.unwrap_or(self.by)
    }
}

/// An interval in which nothing about a server's seat changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// The server.
    pub server: ServerId,
    /// The relationship.
    pub relationship: RelationshipId,
    /// When it began, as [`Transition::instant`].
    pub from: CaptureTime,
    /// When it ended, and the next one begins.
    pub to: CaptureTime,
    /// Bounds of its begin: the last instant before it that was shown, the first one in it.
    pub begins: (CaptureTime, CaptureTime),
    /// Whether the rules give the instant of its begin, so that no bounds are needed.
    pub exact: bool,
    /// The state; `None` while the server was not running.
    pub state: Option<State>,
    /// Places of the peers whose scopes it serves.
    pub scopes: Vec<usize>,
    /// Whether the machine's DHCP service is on, whoever of its relationships holds it off.
    pub service_on: bool,
    /// What the state rests on.
    pub basis: Basis,
    /// From 0 to 1, away from the begin and the end, and where the server can be followed.
    pub confidence: f64,
    /// Frames that show it.
    pub evidence: Vec<FrameRef>,
}

/// What is known about a server's seat at one instant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Known<'r> {
    /// The interval that the instant falls into.
    pub span: &'r Span,
    /// From 0 to 1; near a change of uncertain time, or where messages of the server may be
    /// missing, it is lower than the span's.
    pub confidence: f64,
}

/// Everything that the replay found out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Replay {
    /// Changes of state, in time order.
    pub transitions: Vec<Transition>,
    /// Counted clients, in time order.
    pub counted: Vec<Counted>,
    /// Intervals, by server, relationship and time.
    pub spans: Vec<Span>,
    /// How many clients each active peer counts as unacked at the end, since its last good heartbeat.
    pub unacked: Vec<(ServerId, RelationshipId, u32)>,
    pulses: Pulses,
}

/// Two clocks, and Kea's own work between a frame and what it causes, differ by less than this.
const GRACE: i64 = 50_000_000;

impl Replay {
    /// What is known about a server in a relationship at an instant.
    pub fn state_at(
        &self,
        server: ServerId,
        relationship: RelationshipId,
        time: CaptureTime,
    ) -> Option<Known<'_>> {
        self.known((server, relationship), &mut Stretch::around(time))
    }

    /// What is known about a seat at the instant of a stretch, which is then one in which it is the same.
    fn known(&self, key: (ServerId, RelationshipId), time: &mut Stretch) -> Option<Known<'_>> {
        let of = |span: &Span| (span.server, span.relationship);
        let begins = self.spans.partition_point(|span| of(span) < key);
        let seat = self.spans.get(begins..).unwrap_or_default();
        let seat = seat.get(..seat.partition_point(|span| of(span) == key)).unwrap_or_default();
        let after = seat.partition_point(|span| time.reached(span.from));
        let span = seat.get(after.checked_sub(1)?)?;
        if time.passed(span.to) {
            return None;
        }
        let next = seat.get(after);
        let followed = self.pulses.covers(span, next, time);
        let mut confidence = if followed { span.confidence } else { span.confidence.min(0.85) };
        for change in [Some(span), next].into_iter().flatten() {
            let (last, first) = change.begins;
            // A replayed instant is exact but for Kea's own work; any other may lie anywhere in its bracket.
            let open = !change.exact && time.passed(last) && !time.reached(first);
            let near = time.passed(change.from.plus(-GRACE)) && !time.reached(change.from.plus(GRACE));
            if open || near {
                confidence = confidence.min(0.6);
            }
        }
        Some(Known { span, confidence })
    }

    /// The clients that were counted because of an exchange, in time order.
    pub fn counted_in(&self, exchange: ExchangeId) -> impl Iterator<Item = &Counted> {
        self.counted.iter().filter(move |counted| counted.exchange == exchange)
    }

    /// The first change to partner-down that a counted client led to, if one followed.
    pub fn takeover_after(&self, counted: &Counted) -> Option<&Transition> {
        let of_seat = |transition: &&Transition| {
            (transition.server, transition.relationship) == (counted.server, counted.relationship)
        };
        let mut later = self.transitions.iter().filter(of_seat).filter(|it| it.instant() >= counted.time);
        later.next().filter(|transition| transition.cause == Cause::ClientsUnacked)
    }
}

#[cfg(test)]
mod tests;
