//! The pairing state machine: messages of one client become exchanges.
//!
//! Keyed by client and xid and time, never by xid alone: other clients reuse
//! xids, the same client reuses its own, and a REQUEST may come with a new one.

use std::collections::VecDeque;

use super::matching::{Candidate, find, hop_of, is_selecting, kind_of};
use super::open::{Key, Open, Table};
use super::{Client, Exchange, Messages, Observed, Step, Steps, of};
use crate::dhcp::MessageType;
use crate::units::{CaptureTime, ExchangeId, MessageId, SECOND};

/// Bounds of the pairing table. All times are capture time, nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct PairLimits {
    /// An exchange without a message for this long is over. Clients back off to
    /// 64 s between attempts (RFC 2131 §4.1), so this is a little more.
    pub idle_ns: i64,
    /// After its ACK or NAK an exchange still takes late answers and repeated REQUESTs for this long.
    pub linger_ns: i64,
    /// One with an ACK or NAK is over after this long without a message: Kea keeps a
    /// REQUEST for its partner's sake ten seconds and a little more (kea-ha §2.2).
    pub settled_ns: i64,
    /// A relayed copy or a second server's copy of a message is this late at most.
    pub hop_ns: i64,
    /// Open exchanges of one client; beyond it the oldest is closed.
    pub per_client: usize,
    /// Open exchanges in all; beyond it the oldest is closed.
    pub open: usize,
    /// Queries, and replies, of one exchange; beyond it the exchange is closed
    /// and the next message begins another. No client asks that often in earnest.
    pub steps: usize,
    /// Sightings of one message; beyond it the exchange is closed.
    pub sightings: usize,
}

impl Default for PairLimits {
    fn default() -> Self {
        Self {
            idle_ns: 70 * SECOND,
            linger_ns: 10 * SECOND,
            settled_ns: 15 * SECOND,
            hop_ns: 2 * SECOND,
            per_client: 64,
            open: 65_536,
            steps: 128,
            sightings: 1024,
        }
    }
}

impl PairLimits {
    /// How long an exchange may be without a message.
    pub(super) const fn idle(&self, answered: bool) -> i64 {
        if answered && self.settled_ns < self.idle_ns { self.settled_ns } else { self.idle_ns }
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
#[derive(Clone, Debug, Default)]
pub struct Pairer {
    limits: PairLimits,
    table: Table,
    /// When each open exchange was touched, oldest first, those with an ACK or NAK apart
    /// because they are over sooner; an entry whose number is not the exchange's last one is stale.
    waiting: VecDeque<Touch>,
    settled: VecDeque<Touch>,
    open: usize,
    next: u32,
    touches: u64,
    /// The exchanges from `first` on that were not given away.
    done: VecDeque<Place>,
    first: u32,
    /// Sightings that came after their exchange was closed.
    late: Vec<Late>,
    counts: PairCounts,
}

/// Where an exchange is in the table, and whether it was closed.
#[derive(Clone, Copy, Debug)]
struct Place {
    at: u32,
    closed: bool,
}

/// When an exchange was touched, the number of that touch, and its place.
type Touch = (CaptureTime, u64, u32);

/// A sighting that came after its exchange was closed.
#[derive(Clone, Copy, Debug)]
pub struct Late {
    /// The exchange.
    pub exchange: ExchangeId,
    /// The first message of the step.
    pub step: MessageId,
    /// The sighting.
    pub again: MessageId,
}

impl Pairer {
    /// A pairer with other bounds than the default ones.
    pub fn new(limits: PairLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// The first exchange gets this number; for one that has seen nothing.
    pub const fn number_from(&mut self, first: ExchangeId) {
        (self.next, self.first) = (first.0, first.0);
    }

    /// The number of the exchange that begins next.
    pub const fn next(&self) -> ExchangeId {
        ExchangeId(self.next)
    }

    /// Takes a message that is no sighting of an earlier one by its bytes.
    ///
    /// Returns its exchange, and the message that it repeats when it is a
    /// relayed or fanned-out copy.
    pub fn push(&mut self, messages: &Messages, id: MessageId) -> (ExchangeId, Option<MessageId>) {
        let message = of(messages, id);
        self.expire(message.time);
        let key = Key::of(message);
        let limits = self.limits;
        let is_reply = message.is_reply();
        let relayed = !message.giaddr.is_unspecified();
        let taken = self.taken(&key, messages, message).and_then(|at| Some((at, self.table.get(at)?)));
        let copied = taken.filter(|(_, open)| relayed || open.relayed).and_then(|(_, open)| {
            hop_of(steps_for(&open.exchange, is_reply), messages, message, limits.hop_ns)
        });
        let at = match taken {
            Some((at, open))
                if copied.is_some() || steps_for(&open.exchange, is_reply).len() < limits.steps =>
            {
                at
            }
            Some((at, _)) => {
                self.close(at, true);
                self.begin(key, message)
            }
            None => self.begin(key, message),
        };
        self.touches += 1;
        let touch = self.touches;
        let next = self.next;
        let Some(open) = self.table.get_mut(at) else { return (ExchangeId(next), None) };
        open.touch = touch;
        open.relayed |= relayed;
        match message.message_type {
            Some(MessageType::OFFER) => open.offered = true,
            Some(MessageType::REQUEST) => {
                open.requested = true;
                // An exchange takes one further xid at most, with the REQUEST that selects an offer.
                if !open.xids.contains(&message.xid) {
                    open.xids[1] = message.xid;
                }
            }
            Some(MessageType::ACK | MessageType::NAK) => open.answered = true,
            _ => {}
        }
        let answered = open.answered;
        let exchange = &mut open.exchange;
        if !is_reply && exchange.queries.is_empty() && !exchange.replies.is_empty() {
            // A reply came first, from a source whose clock is ahead; the query knows better.
            exchange.kind = kind_of(message);
            exchange.client.client_id = message.client_id().map(Into::into);
        }
        let in_order = message.time >= exchange.end;
        exchange.start = exchange.start.min(message.time);
        exchange.end = exchange.end.max(message.time);
        let steps = if is_reply { &mut exchange.replies } else { &mut exchange.queries };
        match copied.and_then(|first| steps.iter_mut().find(|step| step.first == first)) {
            Some(step) => step.sight(id),
            None => {
                let step = Step::new(id);
                if in_order {
                    steps.push(step);
                } else {
                    let before = |step: &Step| of(messages, step.first).time <= message.time;
                    steps.insert(steps.partition_point(before), step);
                }
            }
        }
        let (exchange_id, end) = (exchange.id, exchange.end);
        let queue = if answered { &mut self.settled } else { &mut self.waiting };
        queue.push_back((end, touch, at));
        self.compact();
        (exchange_id, copied)
    }

    /// The place of the open exchange that takes a message: the youngest that fits.
    fn taken(&self, key: &Key, messages: &Messages, message: &Observed) -> Option<u32> {
        let limits = self.limits;
        // Nothing else brings a message to an exchange that does not have its xid.
        let selecting = is_selecting(message);
        let open = self.table.of(key).filter_map(|(at, open)| {
            let same_xid = open.xids.contains(&message.xid);
            if !(same_xid || selecting && open.offered) {
                return None;
            }
            // The table forgets in the order of reading; a file that is out of order must not revive old exchanges.
            let alive = message.time.since(open.exchange.end) <= limits.idle(open.answered)
                && open.exchange.start.since(message.time) <= limits.idle_ns;
            alive.then_some(Candidate { at, open, same_xid })
        });
        find(open, messages, message, limits)
    }

    /// Adds a further sighting to the step of a message that was paired before.
    pub fn sight(&mut self, messages: &Messages, first: MessageId, again: MessageId) {
        let message = of(messages, first);
        let Some(id) = message.exchange else { return };
        let step = message.sighting_of.as_ref().map_or(first, |seen| seen.message);
        let time = of(messages, again).time;
        let place = id.0.checked_sub(self.first).and_then(|place| self.done.get(place as usize));
        let at = place.filter(|place| !place.closed).map(|place| place.at);
        let Some((at, open)) = at.and_then(|at| Some((at, self.table.get_mut(at)?))) else {
            self.late.push(Late { exchange: id, step, again });
            return;
        };
        open.exchange.end = open.exchange.end.max(time);
        // A forwarding loop shows one message without end.
        if open.exchange.sight(step, again) >= self.limits.sightings {
            self.close(at, true);
        }
    }

    /// Opens an exchange, the youngest of its client, and gives its place.
    fn begin(&mut self, key: Key, message: &Observed) -> u32 {
        if let Some(own) = self.table.own(&key)
            && own.count >= self.limits.per_client
        {
            self.close(own.oldest, true);
        }
        let exchange = Exchange {
            id: ExchangeId(self.next),
            client: Client { chaddr: message.chaddr, client_id: message.client_id().map(Into::into) },
            xid: message.xid,
            kind: kind_of(message),
            start: message.time,
            end: message.time,
            queries: Steps::new(),
            replies: Steps::new(),
        };
        let at = self.table.add(Open::new(key, exchange));
        self.done.push_back(Place { at, closed: false });
        self.next += 1;
        self.open += 1;
        at
    }

    /// Ends an exchange; it keeps its place in the table until those before it have ended too.
    fn close(&mut self, at: u32, early: bool) {
        let Some(open) = self.table.get_mut(at) else { return };
        open.touch = 0;
        let id = open.exchange.id;
        let Some(place) = self.done.get_mut(id.0.wrapping_sub(self.first) as usize) else { return };
        if std::mem::replace(&mut place.closed, true) {
            return;
        }
        self.table.close(at);
        self.open -= 1;
        self.counts.evicted += u64::from(early);
    }

    /// Closes what has been idle for too long, and the oldest when there are too many.
    pub fn expire(&mut self, now: CaptureTime) {
        // One that never ends must not hold back all that come after it.
        if self.done.len() > 2 * self.limits.open
            && let Some(&Place { at, closed: false }) = self.done.front()
        {
            self.close(at, true);
        }
        for answered in [true, false] {
            let idle = self.limits.idle(answered);
            loop {
                let queue = if answered { &self.settled } else { &self.waiting };
                let Some(&(touched, touch, at)) = queue.front() else { break };
                if self.is_current(at, touch) {
                    let over = now.since(touched) > idle;
                    if !over && self.open < self.limits.open {
                        break;
                    }
                    self.close(at, !over);
                }
                let queue = if answered { &mut self.settled } else { &mut self.waiting };
                queue.pop_front();
            }
        }
    }

    fn is_current(&self, at: u32, touch: u64) -> bool {
        self.table.get(at).is_some_and(|open| open.touch == touch)
    }

    /// Drops stale entries once they are the most, so that the queues are bounded as the table is.
    fn compact(&mut self) {
        if self.waiting.len() + self.settled.len() > 2 * self.open + 1024 {
            for answered in [true, false] {
                let queue = if answered { &mut self.settled } else { &mut self.waiting };
                let mut order = std::mem::take(queue);
                order.retain(|(_, touch, at)| self.is_current(*at, *touch));
                *(if answered { &mut self.settled } else { &mut self.waiting }) = order;
            }
        }
    }

    /// The next exchange by number, if it is closed.
    pub fn next_closed(&mut self) -> Option<Exchange> {
        let Place { at, .. } = self.done.pop_front_if(|place| place.closed)?;
        self.first += 1;
        let exchange = self.table.take(at)?;
        if exchange.queries.is_empty() {
            self.counts.orphans += exchange.replies.len() as u64;
        }
        Some(exchange)
    }

    /// When the exchange began that [`Pairer::next_closed`] gives next, open or not, and its first message.
    /// No exchange behind it has a message before that.
    pub fn unfinished(&self) -> Option<(CaptureTime, MessageId)> {
        let exchange = &self.table.get(self.done.front()?.at)?.exchange;
        Some((exchange.start, exchange.first_message()?))
    }

    /// The sightings whose exchange was closed before; of one that is not given away yet they are noted already.
    pub fn late(&mut self) -> Vec<Late> {
        let mut late = std::mem::take(&mut self.late);
        late.retain(|late| {
            let place = late.exchange.0.checked_sub(self.first);
            let at = place.and_then(|place| self.done.get(place as usize)).map(|place| place.at);
            let waiting = at.and_then(|at| self.table.get_mut(at));
            waiting.map(|open| open.exchange.sight(late.step, late.again)).is_none()
        });
        late
    }

    /// The capture is over: closes what is open.
    pub fn finish(&mut self) {
        for at in 0..self.table.len() as u32 {
            self.close(at, false);
        }
    }

    /// Exchanges that are open.
    pub const fn open(&self) -> usize {
        self.open
    }

    /// What the table has done so far.
    pub const fn counts(&self) -> PairCounts {
        self.counts
    }
}

/// The steps on a message's side of the conversation.
fn steps_for(exchange: &Exchange, reply: bool) -> &[Step] {
    if reply { &exchange.replies } else { &exchange.queries }
}

#[cfg(test)]
mod tests;
