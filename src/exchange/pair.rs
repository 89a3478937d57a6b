//! The pairing state machine: messages of one client become exchanges.
//!
//! Keyed by client and xid and time, never by xid alone: other clients reuse
//! xids, the same client reuses its own, and a REQUEST may come with a new one.

use std::collections::{HashMap, VecDeque};
use std::net::Ipv4Addr;

use super::{Client, Exchange, Kind, Observed, Step, of};
use crate::dhcp::MessageType;
use crate::units::{CaptureTime, ExchangeId, MessageId, SECOND, Xid};

/// Bounds of the pairing table. All times are capture time, nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct PairLimits {
    /// An exchange without a message for this long is over. Clients back off to
    /// 64 s between attempts (RFC 2131 §4.1), so this is a little more.
    pub idle_ns: i64,
    /// After its ACK or NAK an exchange still takes late answers and repeated REQUESTs for this long.
    pub linger_ns: i64,
    /// A relayed copy or a second server's copy of a message is this late at most.
    pub hop_ns: i64,
    /// Open exchanges of one client; beyond it the oldest is closed.
    pub per_client: usize,
    /// Open exchanges in all; beyond it the oldest is closed.
    pub open: usize,
}

impl Default for PairLimits {
    fn default() -> Self {
        Self {
            idle_ns: 70 * SECOND,
            linger_ns: 10 * SECOND,
            hop_ns: 2 * SECOND,
            per_client: 64,
            open: 200_000,
        }
    }
}

/// What the pairing table has done, for the balance of counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PairCounts {
    /// Exchanges closed early because a bound was reached.
    pub evicted: u64,
    /// Replies for which no query was captured.
    pub orphans: u64,
}

/// Pairs messages in the order of capture time.
#[derive(Debug, Default)]
pub struct Pairer {
    limits: PairLimits,
    clients: HashMap<Key, Vec<Exchange>>,
    /// When each open exchange was last touched, oldest first; entries go stale when it is touched again.
    order: VecDeque<(CaptureTime, Key, ExchangeId)>,
    open: usize,
    next: u32,
    done: Vec<Exchange>,
    counts: PairCounts,
}

/// What finds the open exchanges of a message: replies echo `chaddr` (RFC 2131
/// table 3) but may omit option 61, so `chaddr` comes first.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Hardware(crate::units::HwAddr),
    ClientId(Box<[u8]>),
    Xid(Xid),
}

impl Key {
    fn of(message: &Observed) -> Self {
        match (&message.client_id, message.chaddr.is_empty()) {
            (_, false) => Self::Hardware(message.chaddr),
            (Some(id), true) => Self::ClientId(id.clone()),
            (None, true) => Self::Xid(message.xid),
        }
    }
}

impl Pairer {
    /// A pairer with other bounds than the default ones.
    pub fn new(limits: PairLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Takes a message that is no sighting of an earlier one by its bytes.
    ///
    /// Returns its exchange, and the message that it repeats when it is a
    /// relayed or fanned-out copy.
    pub fn push(&mut self, messages: &[Observed], id: MessageId) -> (ExchangeId, Option<MessageId>) {
        let message = of(messages, id);
        self.expire(message.time);
        let key = Key::of(message);
        let open = self.clients.entry(key.clone()).or_default();
        let found = if message.is_reply() {
            open.iter().rposition(|exchange| takes_reply(exchange, message, messages))
        } else {
            open.iter().rposition(|exchange| takes_query(exchange, message, messages, self.limits))
        };
        let at = found.unwrap_or_else(|| {
            if open.len() >= self.limits.per_client {
                self.done.push(open.remove(0));
                self.open -= 1;
                self.counts.evicted += 1;
            }
            open.push(Exchange {
                id: ExchangeId(self.next),
                client: Client { chaddr: message.chaddr, client_id: message.client_id.clone() },
                xid: message.xid,
                kind: kind_of(message),
                start: message.time,
                end: message.time,
                queries: Vec::new(),
                replies: Vec::new(),
            });
            self.next += 1;
            self.open += 1;
            self.counts.orphans += u64::from(message.is_reply());
            open.len() - 1
        });
        let Some(exchange) = open.get_mut(at) else { return (ExchangeId(0), None) };
        exchange.end = exchange.end.max(message.time);
        let steps = if message.is_reply() { &mut exchange.replies } else { &mut exchange.queries };
        let hop_ns = self.limits.hop_ns;
        let copied = steps.iter_mut().rev().find(|step| is_hop(of(messages, step.first), message, hop_ns));
        let sighting_of = copied.map(|step| {
            step.again.push(id);
            step.first
        });
        if sighting_of.is_none() {
            steps.push(Step { first: id, again: Vec::new() });
        }
        let exchange_id = exchange.id;
        self.order.push_back((message.time, key, exchange_id));
        (exchange_id, sighting_of)
    }

    /// Adds a further sighting to the step of a message that was paired before.
    pub fn sight(&mut self, messages: &[Observed], first: MessageId, again: MessageId) {
        let message = of(messages, first);
        let Some(open) = self.clients.get_mut(&Key::of(message)) else { return };
        for exchange in open {
            let steps = exchange.queries.iter_mut().chain(&mut exchange.replies);
            for step in steps {
                if step.sightings().any(|seen| seen == first) {
                    step.again.push(again);
                    return;
                }
            }
        }
    }

    /// Closes what has been idle for too long, and the oldest when there are too many.
    fn expire(&mut self, now: CaptureTime) {
        while let Some((touched, key, id)) = self.order.front() {
            let idle = now.since(*touched) > self.limits.idle_ns;
            let full = self.open >= self.limits.open;
            if !idle && !full {
                return;
            }
            if let Some(open) = self.clients.get_mut(key) {
                // A later message moved the exchange's end: a younger entry of it is in the queue.
                if let Some(at) = open.iter().position(|e| e.id == *id && e.end <= *touched) {
                    self.done.push(open.remove(at));
                    self.open -= 1;
                    self.counts.evicted += u64::from(!idle);
                }
                if open.is_empty() {
                    self.clients.remove(key);
                }
            }
            self.order.pop_front();
        }
    }

    /// Every exchange, closed or still open at the end of the capture, by number.
    pub fn finish(mut self) -> (Vec<Exchange>, PairCounts) {
        self.done.extend(self.clients.into_values().flatten());
        self.done.sort_unstable_by_key(|exchange| exchange.id);
        (self.done, self.counts)
    }
}

/// What kind of exchange a message begins.
fn kind_of(message: &Observed) -> Kind {
    let unset = |address: Ipv4Addr| address.is_unspecified();
    match message.message_type {
        Some(MessageType::DISCOVER | MessageType::OFFER) => Kind::Select,
        Some(MessageType::REQUEST) if message.server_id.is_some() => Kind::Select,
        Some(MessageType::REQUEST) if unset(message.ciaddr) => Kind::InitReboot,
        // A relay only ever sees broadcasts, so a relayed one rebinds.
        Some(MessageType::REQUEST) if message.is_broadcast() || !unset(message.giaddr) => Kind::Rebind,
        Some(MessageType::REQUEST) => Kind::Renew,
        // Of an ACK without its REQUEST only its fields can tell.
        Some(MessageType::ACK) if unset(message.yiaddr) => Kind::Inform,
        Some(MessageType::ACK) if !unset(message.ciaddr) => Kind::Renew,
        Some(MessageType::ACK | MessageType::NAK) => Kind::Select,
        Some(MessageType::INFORM) => Kind::Inform,
        Some(MessageType::DECLINE) => Kind::Decline,
        Some(MessageType::RELEASE) => Kind::Release,
        _ => Kind::Other,
    }
}

/// Whether both name the same client identifier, or one of them names none.
fn same_client_id(exchange: &Exchange, message: &Observed) -> bool {
    match (&exchange.client.client_id, &message.client_id) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    }
}

fn takes_reply(exchange: &Exchange, reply: &Observed, messages: &[Observed]) -> bool {
    let has_xid = exchange.queries.iter().any(|step| of(messages, step.first).xid == reply.xid);
    let unpaired = exchange.queries.is_empty() && exchange.xid == reply.xid;
    (has_xid || unpaired) && same_client_id(exchange, reply)
}

fn takes_query(exchange: &Exchange, query: &Observed, messages: &[Observed], limits: PairLimits) -> bool {
    if exchange.client.client_id != query.client_id {
        return false;
    }
    let Some(last) = exchange.queries.last().map(|step| of(messages, step.first)) else {
        // A reply was captured before its query: two sources whose clocks differ.
        return exchange.xid == query.xid && query.time.since(exchange.start) <= limits.hop_ns;
    };
    if exchange.queries.iter().any(|step| is_hop(of(messages, step.first), query, limits.hop_ns)) {
        return true;
    }
    let answered = exchange.verdict_reply(messages).map(|id| of(messages, id).time);
    let over = answered.is_some_and(|time| query.time.since(time) > limits.linger_ns);
    let same_xid = exchange.queries.iter().any(|step| of(messages, step.first).xid == query.xid);
    let requested = exchange.first_of(&exchange.queries, messages, MessageType::REQUEST).is_some();
    match query.message_type {
        Some(MessageType::DISCOVER) => {
            exchange.kind == Kind::Select && same_xid && answered.is_none() && !requested
        }
        Some(MessageType::REQUEST) if kind_of(query) == Kind::Select && exchange.kind == Kind::Select => {
            if requested {
                // The same REQUEST again: its ACK was late or lost.
                same_xid
                    && !over
                    && query.server_id == last.server_id
                    && query.requested_ip == last.requested_ip
            } else {
                answered.is_none() && (same_xid || selects_offer(exchange, query, messages))
            }
        }
        Some(MessageType::REQUEST) => {
            same_xid
                && !over
                && kind_of(query) == exchange.kind
                && query.ciaddr == last.ciaddr
                && (answered.is_none() || query.requested_ip == last.requested_ip)
        }
        _ => same_xid && !over && kind_of(query) == exchange.kind && query.message_type == last.message_type,
    }
}

/// A REQUEST with a new xid belongs to the offer that it names by server and address.
fn selects_offer(exchange: &Exchange, query: &Observed, messages: &[Observed]) -> bool {
    exchange.replies.iter().map(|step| of(messages, step.first)).any(|reply| {
        reply.message_type == Some(MessageType::OFFER)
            && reply.server_id == query.server_id
            && Some(reply.yiaddr) == query.requested_ip
    })
}

/// Whether two messages are one at two hops: a relay's forwarded copy, or the
/// copies that a relay sends to several servers. A retransmission has the same
/// addresses instead, or another `secs`.
fn is_hop(a: &Observed, b: &Observed, hop_ns: i64) -> bool {
    let one_path = a.src == b.src && a.dst == b.dst && a.giaddr == b.giaddr;
    let relayed = !a.giaddr.is_unspecified() || !b.giaddr.is_unspecified();
    !one_path
        && relayed
        && b.time.since(a.time).abs() <= hop_ns
        && (a.message_type, a.xid, a.secs, a.server_id, a.requested_ip, a.ciaddr, a.yiaddr)
            == (b.message_type, b.xid, b.secs, b.server_id, b.requested_ip, b.ciaddr, b.yiaddr)
}
