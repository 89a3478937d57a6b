//! Bindings over time: what ACKs created, extended and what ended them.

use std::collections::HashMap;
use std::net::Ipv4Addr;

use super::answer::Answer;
use super::{Client, Exchange, Kind, Observed, Outcome, of};
use crate::units::{CaptureTime, ExchangeId, MessageId, SECOND, ServerId, ZoneId};

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
}

impl Lease {
    /// When its time runs out; absent for an infinite lease or one without a lease time.
    pub fn expires(&self) -> Option<CaptureTime> {
        let seconds = self.lease_s.filter(|&s| s != u32::MAX)?;
        Some(self.last_ack.plus(i64::from(seconds) * SECOND))
    }
}

/// Folds exchanges into leases, in order of start.
///
/// `capture_end` decides which of them expired while the capture still ran.
pub fn leases(
    exchanges: &[Exchange],
    messages: &[Observed],
    answers: &HashMap<MessageId, Answer>,
    capture_end: CaptureTime,
) -> Vec<Lease> {
    let mut events: Vec<(CaptureTime, &Exchange)> = exchanges
        .iter()
        .map(|exchange| {
            let decided = exchange.verdict_reply(messages).map(|id| of(messages, id).time);
            (decided.unwrap_or(exchange.start), exchange)
        })
        .collect();
    events.sort_by_key(|(time, exchange)| (*time, exchange.id));
    let mut fold = Fold::default();
    for (time, exchange) in events {
        fold.step(time, exchange, messages, answers);
    }
    for lease in &mut fold.all {
        if lease.end.is_none() {
            lease.end = lease.expires().filter(|at| *at < capture_end).map(|at| (at, EndReason::Expired));
        }
    }
    fold.all.sort_by_key(|lease| (lease.start, lease.exchange));
    fold.all
}

#[derive(Default)]
struct Fold {
    all: Vec<Lease>,
    active: HashMap<Client, usize>,
}

impl Fold {
    fn step(
        &mut self,
        time: CaptureTime,
        exchange: &Exchange,
        messages: &[Observed],
        answers: &HashMap<MessageId, Answer>,
    ) {
        match exchange.outcome(messages) {
            Outcome::Bound => {
                let acked = exchange.verdict_reply(messages);
                if let Some((id, answer)) = acked.and_then(|id| Some((id, answers.get(&id)?))) {
                    self.bind(time, exchange, of(messages, id), exchange.zone(messages), *answer);
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
    fn end(&mut self, time: CaptureTime, exchange: &Exchange, messages: &[Observed], reason: EndReason) {
        let Some(lease) = self.active.get(&exchange.client).and_then(|at| self.all.get_mut(*at)) else {
            return;
        };
        let query = exchange.queries.last().map(|step| of(messages, step.first));
        let about = query.and_then(|query| {
            Some(query.ciaddr).filter(|address| !address.is_unspecified()).or(query.requested_ip)
        });
        if about.is_none_or(|address| address == lease.ip) {
            let expired = lease.expires().filter(|at| *at < time);
            lease.end = Some(expired.map_or((time, reason), |at| (at, EndReason::Expired)));
            self.active.remove(&exchange.client);
        }
    }

    fn bind(&mut self, time: CaptureTime, exchange: &Exchange, ack: &Observed, zone: ZoneId, answer: Answer) {
        if ack.yiaddr.is_unspecified() {
            return;
        }
        let running = self.active.get(&exchange.client).and_then(|at| self.all.get_mut(*at));
        if let Some(lease) = running {
            let expired = lease.expires().filter(|at| *at < time);
            if expired.is_none() && lease.ip == ack.yiaddr && lease.server == answer.server {
                lease.renewals += 1;
                lease.last_ack = time;
                lease.lease_s = ack.lease_s.or(lease.lease_s);
                return;
            }
            let reason = if lease.ip == ack.yiaddr { EndReason::TakenOver } else { EndReason::Replaced };
            lease.end = Some(expired.map_or((time, reason), |at| (at, EndReason::Expired)));
        }
        self.active.insert(exchange.client.clone(), self.all.len());
        self.all.push(Lease {
            client: exchange.client.clone(),
            ip: ack.yiaddr,
            zone,
            server: answer.server,
            server_ip: answer.address,
            start: time,
            lease_s: ack.lease_s,
            renewals: 0,
            last_ack: time,
            end: None,
            exchange: exchange.id,
        });
    }
}
