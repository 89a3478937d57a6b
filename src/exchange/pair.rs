//! The pairing state machine: messages of one client become exchanges.
//!
//! Keyed by client and xid and time, never by xid alone: other clients reuse
//! xids, the same client reuses its own, and a REQUEST may come with a new one.

use std::collections::{HashMap, VecDeque};

use super::matching::{find, hop_of, kind_of};
use super::{Client, Exchange, Observed, Step, of};
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
    /// Queries, and replies, of one exchange; beyond it the exchange is closed
    /// and the next message begins another. No client asks that often in earnest.
    pub steps: usize,
}

impl Default for PairLimits {
    fn default() -> Self {
        Self {
            idle_ns: 70 * SECOND,
            linger_ns: 10 * SECOND,
            hop_ns: 2 * SECOND,
            per_client: 64,
            open: 200_000,
            steps: 128,
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
    clients: HashMap<Key, Vec<Open>>,
    /// When each open exchange was touched, oldest first; an entry whose number
    /// is not the exchange's last one is stale.
    order: VecDeque<(CaptureTime, u64, Key)>,
    open: usize,
    next: u32,
    touches: u64,
    done: Vec<Exchange>,
    /// Sightings that came after their exchange was closed: exchange, step, sighting.
    late: Vec<(ExchangeId, MessageId, MessageId)>,
    counts: PairCounts,
}

/// An open exchange with the number of its last touch.
#[derive(Debug)]
struct Open {
    exchange: Exchange,
    touch: u64,
}

/// What finds the open exchanges of a message: `chaddr`, which replies echo
/// (RFC 2131 table 3). Where `hlen` is 0 only the xid is left, because servers
/// before RFC 6842 send no option 61.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key {
    Hardware(crate::units::HwAddr),
    Xid(Xid),
}

impl Key {
    fn of(message: &Observed) -> Self {
        if message.chaddr.is_empty() { Self::Xid(message.xid) } else { Self::Hardware(message.chaddr) }
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
        let found = self
            .clients
            .get(&key)
            .and_then(|open| find(&open.iter().map(|open| &open.exchange), messages, message, self.limits));
        let copied = found.and_then(|at| {
            let exchange = &self.clients.get(&key)?.get(at)?.exchange;
            hop_of(steps_for(exchange, message), messages, message, self.limits.hop_ns)
        });
        let at = match found {
            Some(at) if copied.is_some() || self.has_room(&key, at, message) => at,
            Some(at) => {
                self.close(&key, at, true);
                self.begin(key, message)
            }
            None => self.begin(key, message),
        };
        self.touches += 1;
        let Some(open) = self.clients.get_mut(&key).and_then(|open| open.get_mut(at)) else {
            return (ExchangeId(self.next), None);
        };
        open.touch = self.touches;
        let exchange = &mut open.exchange;
        if !message.is_reply() && exchange.queries.is_empty() {
            // A reply came first, from a source whose clock is ahead; the query knows better.
            exchange.kind = kind_of(message);
            exchange.client.client_id = message.client_id().map(Into::into);
        }
        exchange.start = exchange.start.min(message.time);
        exchange.end = exchange.end.max(message.time);
        let steps = if message.is_reply() { &mut exchange.replies } else { &mut exchange.queries };
        match copied.and_then(|first| steps.iter_mut().find(|step| step.first == first)) {
            Some(step) => step.again.push(id),
            None => {
                let place = steps.partition_point(|step| of(messages, step.first).time <= message.time);
                steps.insert(place, Step { first: id, again: Vec::new() });
            }
        }
        let (exchange_id, end) = (exchange.id, exchange.end);
        self.order.push_back((end, self.touches, key));
        self.compact();
        (exchange_id, copied)
    }

    /// Adds a further sighting to the step of a message that was paired before.
    pub fn sight(&mut self, messages: &[Observed], first: MessageId, again: MessageId) {
        let message = of(messages, first);
        let Some(id) = message.exchange else { return };
        let step = message.sighting_of.unwrap_or(first);
        let open = self.clients.get_mut(&Key::of(message)).into_iter().flatten();
        match open.map(|open| &mut open.exchange).find(|exchange| exchange.id == id) {
            Some(exchange) => {
                exchange.end = exchange.end.max(of(messages, again).time);
                add_sighting(exchange, step, again);
            }
            None => self.late.push((id, step, again)),
        }
    }

    fn has_room(&self, key: &Key, at: usize, message: &Observed) -> bool {
        let open = self.clients.get(key).and_then(|open| open.get(at));
        open.is_some_and(|open| steps_for(&open.exchange, message).len() < self.limits.steps)
    }

    /// Opens an exchange and gives its place among those of its key.
    fn begin(&mut self, key: Key, message: &Observed) -> usize {
        if self.clients.get(&key).is_some_and(|open| open.len() >= self.limits.per_client) {
            self.close(&key, 0, true);
        }
        let open = self.clients.entry(key).or_default();
        open.push(Open {
            exchange: Exchange {
                id: ExchangeId(self.next),
                client: Client { chaddr: message.chaddr, client_id: message.client_id().map(Into::into) },
                xid: message.xid,
                kind: kind_of(message),
                start: message.time,
                end: message.time,
                queries: Vec::new(),
                replies: Vec::new(),
            },
            touch: 0,
        });
        self.next += 1;
        self.open += 1;
        open.len() - 1
    }

    fn close(&mut self, key: &Key, at: usize, early: bool) {
        let Some(open) = self.clients.get_mut(key).filter(|open| at < open.len()) else { return };
        self.done.push(open.remove(at).exchange);
        if open.is_empty() {
            self.clients.remove(key);
        }
        self.open -= 1;
        self.counts.evicted += u64::from(early);
    }

    /// Closes what has been idle for too long, and the oldest when there are too many.
    fn expire(&mut self, now: CaptureTime) {
        while let Some(&(touched, touch, key)) = self.order.front() {
            if let Some(at) = self.current(&key, touch) {
                let idle = now.since(touched) > self.limits.idle_ns;
                if !idle && self.open < self.limits.open {
                    return;
                }
                self.close(&key, at, !idle);
            }
            self.order.pop_front();
        }
    }

    fn current(&self, key: &Key, touch: u64) -> Option<usize> {
        self.clients.get(key)?.iter().position(|open| open.touch == touch)
    }

    /// Drops stale entries once they are the most, so that the queue is bounded as the table is.
    fn compact(&mut self) {
        if self.order.len() > 2 * self.open + 1024 {
            let mut order = std::mem::take(&mut self.order);
            order.retain(|(_, touch, key)| self.current(key, *touch).is_some());
            self.order = order;
        }
    }

    /// Every exchange, closed or still open at the end of the capture, by number.
    pub fn finish(mut self) -> (Vec<Exchange>, PairCounts) {
        self.done.extend(self.clients.into_values().flatten().map(|open| open.exchange));
        self.done.sort_unstable_by_key(|exchange| exchange.id);
        for (id, step, again) in self.late {
            if let Some(exchange) = self.done.get_mut(id.0 as usize) {
                add_sighting(exchange, step, again);
            }
        }
        let unasked = self.done.iter().filter(|exchange| exchange.queries.is_empty());
        self.counts.orphans = unasked.map(|exchange| exchange.replies.len() as u64).sum();
        (self.done, self.counts)
    }
}

fn add_sighting(exchange: &mut Exchange, first: MessageId, again: MessageId) {
    let steps = exchange.queries.iter_mut().chain(&mut exchange.replies);
    if let Some(step) = steps.into_iter().find(|step| step.first == first) {
        step.again.push(again);
    }
}

/// The steps on a message's side of the conversation.
fn steps_for<'e>(exchange: &'e Exchange, message: &Observed) -> &'e [Step] {
    if message.is_reply() { &exchange.replies } else { &exchange.queries }
}

#[cfg(test)]
mod tests;
