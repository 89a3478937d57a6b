//! Bindings over time: what ACKs created, extended and what ended them.

mod running;

use std::net::Ipv4Addr;

pub use self::running::MOST_RUNNING;
use self::running::Running;
use super::answer::Answer;
use super::{Answers, Client, Exchange, Kind, Messages, Observed, Outcome, of};
use crate::units::{
    CaptureTime, ExchangeId, FrameRef, MessageId, SECOND, ServerId, ZoneId, sort_nearly_sorted,
};

/// Why a lease ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// The client gave it back (RELEASE).
    Released,
    /// The client found the address in use (DECLINE).
    Declined,
    /// Its time ran out before the capture ended.
    Expired,
    /// A server refused the address to the client (NAK).
    Nak,
    /// The client got another address.
    Replaced,
    /// Another server acknowledged the same address to the same client.
    TakenOver,
}

impl EndReason {
    /// The word of the tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Released => "released",
            Self::Declined => "declined",
            Self::Expired => "expired",
            Self::Nak => "nak",
            Self::Replaced => "replaced",
            Self::TakenOver => "taken-over",
        }
    }
}

/// One binding of an address to a client by one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The client.
    pub client: Client,
    /// The address.
    pub ip: Ipv4Addr,
    /// Zone in which the client asked.
    pub zone: ZoneId,
    /// The server that acknowledged it.
    pub server: ServerId,
    /// The address that server answered from.
    pub server_ip: Ipv4Addr,
    /// Time of the first ACK.
    pub start: CaptureTime,
    /// Lease time of the last ACK, seconds; `u32::MAX` is infinite.
    pub lease_s: Option<u32>,
    /// Later ACKs that extended it.
    pub renewals: u32,
    /// Time of the last ACK.
    pub last_ack: CaptureTime,
    /// When and why it ended; absent while it ran at the end of the capture.
    pub end: Option<(CaptureTime, EndReason)>,
    /// The exchange that created it.
    pub exchange: ExchangeId,
    /// The frame of the first ACK.
    pub ack: FrameRef,
    /// RFC 3074 hash of that exchange's first query.
    pub hash: Option<u8>,
    /// The host name that the client sent then.
    pub hostname: Option<Box<str>>,
    /// `giaddr` of the last query of that exchange; absent when no query was captured.
    pub giaddr: Option<Ipv4Addr>,
    /// Link or subnet selection of the same query.
    pub link: Option<Ipv4Addr>,
    /// The number of what there is to say about that exchange.
    pub story: u32,
}

impl Lease {
    /// When its time runs out; absent for an infinite lease or one without a lease time.
    pub fn expires(&self) -> Option<CaptureTime> {
        let seconds = self.lease_s.filter(|&s| s != u32::MAX)?;
        Some(self.last_ack.plus(i64::from(seconds) * SECOND))
    }
}

/// Folds exchanges into leases. It holds the leases that run, [`MOST_RUNNING`] at most.
#[derive(Clone, Debug, Default)]
pub struct Leases {
    running: Running,
    ended: Vec<Lease>,
    /// Leases that were no longer followed because there were too many.
    pub forgotten: u64,
}

impl Leases {
    /// Leases that run or have yet to be told.
    pub fn held(&self) -> usize {
        self.running.len() + self.ended.len()
    }

    /// Takes the exchanges of a batch with their outcomes, which need not be in order.
    ///
    /// `story` numbers what there is to say about an exchange, for [`Lease::story`].
    /// Host names are kept where they are `wanted`.
    pub fn take(
        &mut self,
        exchanges: &[Exchange],
        messages: &Messages,
        answers: &Answers,
        wanted: bool,
        mut story: impl FnMut(usize) -> u32,
    ) {
        let decided = |(at, exchange): (usize, &Exchange)| {
            let reply = exchange.verdict_reply(messages);
            (reply.map_or(exchange.start, |id| of(messages, id).time), at, reply)
        };
        let mut events: Vec<(CaptureTime, usize, Option<MessageId>)> =
            exchanges.iter().enumerate().map(decided).collect();
        sort_nearly_sorted(&mut events, |(time, at, _)| (*time, *at));
        for (time, at, reply) in events {
            let Some(exchange) = exchanges.get(at) else { continue };
            match exchange.outcome_with(reply, messages) {
                Outcome::Bound => {
                    if let Some((ack, answer)) =
                        reply.and_then(|id| Some((of(messages, id), answers.get(&id)?)))
                        && !ack.yiaddr.is_unspecified()
                    {
                        self.bind((time, exchange), messages, (ack, *answer), wanted, || story(at));
                    }
                }
                Outcome::Released => self.end(time, exchange, messages, EndReason::Released),
                Outcome::Declined => self.end(time, exchange, messages, EndReason::Declined),
                // A NAK to a selecting REQUEST concerns an offer, not a binding.
                Outcome::Nak if exchange.kind != Kind::Select => {
                    self.end(time, exchange, messages, EndReason::Nak);
                }
                _ => {}
            }
        }
    }

    /// The leases that ended since the last call, in order of start.
    pub fn ended(&mut self) -> Vec<Lease> {
        let mut ended = std::mem::take(&mut self.ended);
        ended.sort_by_key(|lease| (lease.start, lease.exchange));
        ended
    }

    /// The leases that still run, in order of start; `capture_end` decides which of
    /// them expired while the capture still ran.
    pub fn running(&self, capture_end: CaptureTime) -> impl Iterator<Item = Lease> + '_ {
        self.running.in_order().map(move |mut lease| {
            lease.end = lease.expires().filter(|at| *at < capture_end).map(|at| (at, EndReason::Expired));
            lease
        })
    }

    /// Ends the client's lease if the query is about its address: `ciaddr` in a
    /// RELEASE and in a renewal, option 50 in a DECLINE and after a restart
    /// (RFC 2131 tables 4 and 5).
    fn end(&mut self, time: CaptureTime, exchange: &Exchange, messages: &Messages, reason: EndReason) {
        let query = exchange.queries.last().map(|step| of(messages, step.first));
        let about = query.and_then(|query| {
            Some(query.ciaddr).filter(|address| !address.is_unspecified()).or(query.requested_ip)
        });
        let place = self.running.find(&exchange.client);
        if let Some(lease) = self.running.get(place)
            && about.is_none_or(|address| address == lease.ip)
        {
            self.running.remove(&exchange.client);
            self.ended.push(lease.ended(time, reason));
        }
    }

    fn bind(
        &mut self,
        (time, exchange): (CaptureTime, &Exchange),
        messages: &Messages,
        (ack, answer): (&Observed, Answer),
        wanted: bool,
        story: impl FnOnce() -> u32,
    ) {
        let place = self.running.find(&exchange.client);
        if self.running.renew(place, (ack.yiaddr, answer.server), time, ack.lease_s) {
            return;
        }
        if let Some(before) = self.running.get(place) {
            let reason = if before.ip == ack.yiaddr { EndReason::TakenOver } else { EndReason::Replaced };
            self.ended.push(before.ended(time, reason));
        }
        let queries = || exchange.queries.iter().map(|step| of(messages, step.first));
        let last = queries().next_back();
        let hostname = if wanted { queries().find_map(Observed::hostname) } else { None };
        let lease = Lease {
            client: exchange.client.clone(),
            ip: ack.yiaddr,
            zone: exchange.zone(messages),
            server: answer.server,
            server_ip: answer.address,
            start: time,
            lease_s: ack.lease_s,
            renewals: 0,
            last_ack: time,
            end: None,
            exchange: exchange.id,
            ack: ack.at,
            hash: queries().next().and_then(|query| query.hash),
            hostname: hostname.map(Into::into),
            giaddr: last.map(|query| query.giaddr),
            link: last.and_then(|query| query.link_selection().or_else(|| query.subnet_selection())),
            story: story(),
        };
        let forgotten = self.running.put(place, lease);
        self.forgotten += u64::from(forgotten.is_some());
        self.ended.extend(forgotten);
    }
}

impl Lease {
    /// It ended for this reason, unless its time ran out before.
    fn ended(mut self, time: CaptureTime, reason: EndReason) -> Self {
        let expired = self.expires().filter(|at| *at < time);
        self.end = Some(expired.map_or((time, reason), |at| (at, EndReason::Expired)));
        self
    }
}
