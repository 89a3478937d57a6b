//! Bindings over time: what ACKs created, extended and what ended them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::Ipv4Addr;

use foldhash::fast::RandomState;

use super::answer::Answer;
use super::{Answers, Client, Exchange, Kind, Messages, Observed, Outcome, of};
use crate::units::{CaptureTime, ExchangeId, FrameRef, SECOND, ServerId, ZoneId};

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

/// Folds exchanges into leases. It holds the leases that run.
#[derive(Debug, Default)]
pub struct Leases {
    running: HashMap<Client, Lease, RandomState>,
    ended: Vec<Lease>,
}

impl Leases {
    /// Takes the exchanges of a batch with their outcomes, which need not be in order.
    ///
    /// `story` numbers what there is to say about an exchange, for [`Lease::story`].
    pub fn take(
        &mut self,
        exchanges: &[Exchange],
        messages: &Messages,
        answers: &Answers,
        mut story: impl FnMut(usize) -> u32,
    ) {
        let mut events: Vec<(CaptureTime, usize, &Exchange)> = exchanges
            .iter()
            .enumerate()
            .map(|(at, exchange)| {
                let decided = exchange.verdict_reply(messages).map(|id| of(messages, id).time);
                (decided.unwrap_or(exchange.start), at, exchange)
            })
            .collect();
        events.sort_by_key(|(time, at, _)| (*time, *at));
        for (time, at, exchange) in events {
            self.step(time, exchange, messages, answers, || story(at));
        }
    }

    /// The leases that ended since the last call, in order of their end.
    pub fn ended(&mut self) -> Vec<Lease> {
        std::mem::take(&mut self.ended)
    }

    /// How many leases run.
    pub fn running(&self) -> usize {
        self.running.len()
    }

    /// The leases that still run; `capture_end` decides which of them expired while the capture still ran.
    pub fn finish(&mut self, capture_end: CaptureTime) -> impl Iterator<Item = Lease> {
        let running = std::mem::take(&mut self.running);
        running.into_values().map(move |mut lease| {
            lease.end = lease.expires().filter(|at| *at < capture_end).map(|at| (at, EndReason::Expired));
            lease
        })
    }

    fn step(
        &mut self,
        time: CaptureTime,
        exchange: &Exchange,
        messages: &Messages,
        answers: &Answers,
        story: impl FnOnce() -> u32,
    ) {
        match exchange.outcome(messages) {
            Outcome::Bound => {
                let acked = exchange.verdict_reply(messages);
                if let Some((id, answer)) = acked.and_then(|id| Some((id, answers.get(&id)?))) {
                    self.bind(time, exchange, messages, of(messages, id), *answer, story);
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

    /// Ends the client's lease if the query is about its address: `ciaddr` in a
    /// RELEASE and in a renewal, option 50 in a DECLINE and after a restart
    /// (RFC 2131 tables 4 and 5).
    fn end(&mut self, time: CaptureTime, exchange: &Exchange, messages: &Messages, reason: EndReason) {
        let Some(lease) = self.running.get(&exchange.client) else { return };
        let query = exchange.queries.last().map(|step| of(messages, step.first));
        let about = query.and_then(|query| {
            Some(query.ciaddr).filter(|address| !address.is_unspecified()).or(query.requested_ip)
        });
        if about.is_none_or(|address| address == lease.ip)
            && let Some(lease) = self.running.remove(&exchange.client)
        {
            self.ended.push(lease.ended(time, reason));
        }
    }

    fn bind(
        &mut self,
        time: CaptureTime,
        exchange: &Exchange,
        messages: &Messages,
        ack: &Observed,
        answer: Answer,
        story: impl FnOnce() -> u32,
    ) {
        if ack.yiaddr.is_unspecified() {
            return;
        }
        let begin = || {
            let queries = || exchange.queries.iter().map(|step| of(messages, step.first));
            let last = queries().next_back();
            Lease {
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
                hostname: queries().find_map(Observed::hostname).map(Into::into),
                giaddr: last.map(|query| query.giaddr),
                link: last.and_then(|query| query.link_selection().or_else(|| query.subnet_selection())),
                story: story(),
            }
        };
        match self.running.entry(exchange.client.clone()) {
            Entry::Vacant(place) => {
                place.insert(begin());
            }
            Entry::Occupied(mut place) => {
                let lease = place.get_mut();
                let over = lease.expires().is_some_and(|at| at < time);
                if !over && lease.ip == ack.yiaddr && lease.server == answer.server {
                    lease.renewals += 1;
                    lease.last_ack = time;
                    lease.lease_s = ack.lease_s.or(lease.lease_s);
                    return;
                }
                let reason = if lease.ip == ack.yiaddr { EndReason::TakenOver } else { EndReason::Replaced };
                let before = std::mem::replace(lease, begin());
                self.ended.push(before.ended(time, reason));
            }
        }
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
