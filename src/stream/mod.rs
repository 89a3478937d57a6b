//! TCP segments to byte streams, in bounded memory. Knows no protocol above TCP.
//!
//! A capture is not an endpoint: it may begin in the middle of a connection,
//! miss segments that the receiver got, hold them twice (two bridges), in
//! another order, or only their beginning. What cannot be put together is said
//! ([`Event::Lost`]) and the stream goes on behind it; nothing waits for ever.
//!
//! ```text
//! table       a map with a cap, an age and a counted eviction
//! half        one direction: order, overlap, holes
//! connection  both directions: opening, data, closing
//! event       what is told to whom
//! ```
//!
//! The existing crates were looked at: those on offer copy every payload, have
//! no bound over all connections, or wait for a lost segment until the end.

mod connection;
mod event;
mod half;
mod table;

use std::net::Ipv4Addr;

pub use event::{Close, Event, Listener, Piece, Stamp};
pub use table::AgedTable;

use crate::frame::Segment;
use crate::units::{CaptureTime, SECOND};
use connection::Connection;

/// FIN of [`Segment::flags`].
pub const FIN: u8 = 0x01;
/// SYN of [`Segment::flags`].
pub const SYN: u8 = 0x02;
/// RST of [`Segment::flags`].
pub const RST: u8 = 0x04;
/// ACK of [`Segment::flags`].
pub const ACK: u8 = 0x10;

/// A connection attempt without any answer is given up after this long, as Kea does (kea-ha §2.2).
pub const CONNECT_NS: i64 = 10 * SECOND;
/// A connection on which nothing was captured for this long is forgotten; Kea closes idle ones after 30 s.
const IDLE_NS: i64 = 130 * SECOND;
/// How long a closed connection is remembered, so that late copies of its segments do not open another.
const LINGER_NS: i64 = 5 * SECOND;

/// Address and port.
pub type Endpoint = (Ipv4Addr, u16);

/// A connection by its two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flow {
    /// Who opened it.
    pub client: Endpoint,
    /// Who listens.
    pub server: Endpoint,
}

impl Flow {
    /// The same ends in each other's part.
    const fn turned(self) -> Self {
        Self { client: self.server, server: self.client }
    }
}

/// One end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Who opened it.
    Client,
    /// Who listens.
    Server,
}

/// Bounds over all connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at most.
    pub connections: usize,
    /// Bytes at most that wait for missing segments or are held by listeners.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 10_000, bytes: 16 << 20 }
    }
}

/// What became of the connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamCounts {
    /// Connections that were followed.
    pub connections: u64,
    /// Connections that were forgotten because there were too many or they held too much.
    pub evicted: u64,
    /// Holes that nothing filled.
    pub holes: u64,
    /// Second copies with other content.
    pub differing: u64,
}

/// The connections that are followed, each with its listener.
#[derive(Clone, Debug)]
pub struct Streams<L> {
    table: AgedTable<Flow, Connection<L>>,
    limits: Limits,
    held: usize,
    counts: StreamCounts,
    ticked: CaptureTime,
}

impl<L: Listener> Streams<L> {
    /// No connections yet.
    pub fn new(limits: Limits) -> Self {
        let counts = StreamCounts::default();
        Self {
            table: AgedTable::new(limits.connections),
            limits,
            held: 0,
            counts,
            ticked: CaptureTime(i64::MIN),
        }
    }

    /// The connection that a segment belongs to, and who sent it, if it is followed.
    pub fn find(&self, segment: &Segment<'_>) -> Option<(Flow, Side)> {
        let (from, to) = ends(segment);
        let ours = |flow: &Flow| self.table.get(flow).is_some();
        let by_client = Flow { client: from, server: to };
        let by_server = by_client.turned();
        if ours(&by_client) || (opens(segment) && ours(&by_server)) {
            return Some((by_client, Side::Client));
        }
        ours(&by_server).then_some((by_server, Side::Server))
    }

    /// Takes a segment that one side of a connection sent; `listener` is for a connection that is new.
    pub fn push(
        &mut self,
        (flow, side): (Flow, Side),
        segment: &Segment<'_>,
        stamp: Stamp,
        listener: impl FnOnce() -> L,
        notes: &mut L::Notes,
    ) {
        self.tick(stamp.time, notes);
        let opens = opens(segment) && side == Side::Client;
        if opens {
            // Who opens is the client, whatever a connection seen from its middle looked like.
            self.remove(&flow.turned(), Close::Replaced, notes);
        }
        let known = self.table.get(&flow);
        // Kea's own ports come again soon, and then all that was known is void.
        if known.is_none_or(|known| opens && !known.began_with(segment.seq)) {
            if known.is_none() && segment.flags & SYN == 0 && segment.payload.is_empty() {
                return;
            }
            self.remove(&flow, Close::Replaced, notes);
            self.counts.connections += 1;
            let (gone, evicted) = self.table.insert(flow, Connection::new(listener()), stamp.time);
            self.forget(gone, evicted, notes);
        }
        let Some(connection) = self.table.touch(&flow, stamp.time) else { return };
        let before = connection.held();
        let room = self.limits.bytes.saturating_sub(self.held.saturating_sub(before));
        connection.take(side, segment, stamp, room, &mut self.counts, notes);
        self.held = self.held.saturating_sub(before) + connection.held();
        if self.held > self.limits.bytes {
            let gone = self.table.evict();
            self.forget(gone, true, notes);
        }
    }

    fn forget(&mut self, gone: Vec<Connection<L>>, evicted: bool, notes: &mut L::Notes) {
        for mut connection in gone {
            self.counts.evicted += u64::from(evicted && !connection.is_closed());
            self.held = self.held.saturating_sub(connection.held());
            connection.close(Close::Forgotten, &mut self.counts, notes);
        }
    }

    /// Looks after what waits: at most once per second of capture time.
    pub fn tick(&mut self, now: CaptureTime, notes: &mut L::Notes) {
        if now.since(self.ticked).saturating_abs() >= SECOND {
            self.ticked = now;
            self.look(now, notes);
        }
    }

    fn look(&mut self, now: CaptureTime, notes: &mut L::Notes) {
        let Self { table, held, counts, .. } = self;
        table.retain(|_, last, connection| {
            let before = connection.held();
            connection.tick(now, counts, notes);
            let idle = now.since(last);
            let keep = idle <= if connection.is_closed() { LINGER_NS } else { IDLE_NS };
            if !keep {
                connection.close(Close::Forgotten, counts, notes);
            }
            let after = if keep { connection.held() } else { 0 };
            *held = held.saturating_sub(before) + after;
            keep
        });
    }

    /// Ends a connection by other knowledge than its segments.
    pub fn remove(&mut self, flow: &Flow, how: Close, notes: &mut L::Notes) {
        if let Some(mut connection) = self.table.remove(flow) {
            self.held = self.held.saturating_sub(connection.held());
            connection.close(how, &mut self.counts, notes);
        }
    }

    /// The capture is over: what is still open or held is told.
    pub fn finish(mut self, end: CaptureTime, notes: &mut L::Notes) -> StreamCounts {
        self.look(end, notes);
        let flows: Vec<Flow> = self.table.keys().collect();
        for flow in flows {
            self.remove(&flow, Close::Forgotten, notes);
        }
        self.counts
    }

    /// The listener of a connection.
    pub fn listener(&self, flow: &Flow) -> Option<&L> {
        self.table.get(flow).map(Connection::listener)
    }

    /// Connections in the table.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether no connection is followed.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that wait for missing segments or are held by listeners.
    pub const fn held(&self) -> usize {
        self.held
    }

    /// What became of the connections so far.
    pub const fn counts(&self) -> StreamCounts {
        self.counts
    }
}

/// Whether a segment asks for a connection.
pub const fn opens(segment: &Segment<'_>) -> bool {
    segment.flags & (SYN | ACK | RST) == SYN
}

/// Sender and receiver of a segment.
pub const fn ends(segment: &Segment<'_>) -> (Endpoint, Endpoint) {
    ((segment.src, segment.src_port), (segment.dst, segment.dst_port))
}

#[cfg(test)]
mod tests;
