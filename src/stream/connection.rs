//! Both directions of a connection: how it opens, and how it ends.

use super::half::{Half, Told};
use super::{ACK, CONNECT_NS, Close, Event, FIN, Listener, Piece, RST, SYN, Side, Stamp, StreamCounts};
use crate::frame::Segment;
use crate::units::CaptureTime;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The first and the last SYN; nobody answered yet.
    Opening(Stamp, Stamp),
    Open,
    Closed,
}

/// A connection and its listener.
#[derive(Clone, Debug)]
pub(super) struct Connection<L> {
    listener: L,
    client: Half,
    server: Half,
    phase: Phase,
    /// Sequence number of the client's SYN.
    syn: Option<u32>,
    /// Whether a segment of the client, of the server was captured.
    seen: (bool, bool),
    last: Stamp,
}

impl<L: Listener> Connection<L> {
    pub(super) fn new(listener: L) -> Self {
        Self {
            listener,
            client: Half::default(),
            server: Half::default(),
            phase: Phase::Open,
            syn: None,
            seen: (false, false),
            last: Stamp::default(),
        }
    }

    pub(super) const fn listener(&self) -> &L {
        &self.listener
    }

    pub(super) fn is_closed(&self) -> bool {
        self.phase == Phase::Closed
    }

    /// Whether a SYN with this sequence number is the one that opened the connection.
    pub(super) fn began_with(&self, seq: u32) -> bool {
        self.syn == Some(seq)
    }

    pub(super) fn held(&self) -> usize {
        self.client.held() + self.server.held() + self.listener.held()
    }

    fn half<'a>(
        &'a mut self,
        side: Side,
        counts: &'a mut StreamCounts,
        notes: &'a mut L::Notes,
    ) -> (&'a mut Half, Told<'a, L>) {
        let half = if side == Side::Client { &mut self.client } else { &mut self.server };
        (half, Told { side, listener: &mut self.listener, counts, notes })
    }

    /// Takes a segment of this connection.
    pub(super) fn take(
        &mut self,
        side: Side,
        segment: &Segment<'_>,
        stamp: Stamp,
        room: usize,
        counts: &mut StreamCounts,
        notes: &mut L::Notes,
    ) {
        if self.is_closed() {
            return;
        }
        let flag = |bit: u8| segment.flags & bit != 0;
        self.last = stamp;
        let seen = if side == Side::Client { &mut self.seen.0 } else { &mut self.seen.1 };
        if !std::mem::replace(seen, true) {
            self.listener.hear(Event::Seen(side, stamp), notes);
        }
        if flag(RST) {
            return self.reset(side, stamp, counts, notes);
        }
        let asks = side == Side::Client && flag(SYN) && !flag(ACK);
        match &mut self.phase {
            Phase::Opening(_, again) if asks => *again = stamp,
            _ if asks && self.syn.is_none() => {
                self.syn = Some(segment.seq);
                self.phase = Phase::Opening(stamp, stamp);
            }
            // A client that acknowledges something got an answer, captured or not.
            Phase::Opening(..) if side == Side::Server || flag(ACK) => self.phase = Phase::Open,
            _ => {}
        }
        if flag(ACK) {
            let other = if side == Side::Client { &mut self.server } else { &mut self.client };
            other.acknowledge(segment.ack, stamp);
        }
        let (half, mut told) = self.half(side, counts, notes);
        let first = segment.seq.wrapping_add(u32::from(flag(SYN)));
        if flag(SYN) {
            half.begin(first);
        }
        let piece = Piece { bytes: segment.payload, seq: first, ack: segment.ack, stamp };
        half.take(piece, (flag(FIN), segment.cut), room, &mut told);
        if self.client.is_ended() && self.server.is_ended() {
            self.close(Close::Finished, counts, notes);
        }
    }

    fn reset(&mut self, side: Side, stamp: Stamp, counts: &mut StreamCounts, notes: &mut L::Notes) {
        if let (Phase::Opening(asked, _), Side::Server) = (self.phase, side) {
            self.phase = Phase::Open;
            self.listener.hear(Event::Refused(asked, stamp), notes);
        }
        let how = if side == Side::Server { Close::Reset } else { Close::Abandoned };
        self.close(how, counts, notes);
    }

    /// Tells what is left, and that nothing more comes.
    pub(super) fn close(&mut self, how: Close, counts: &mut StreamCounts, notes: &mut L::Notes) {
        if self.is_closed() {
            return;
        }
        self.phase = Phase::Closed;
        for side in [Side::Client, Side::Server] {
            let (half, mut told) = self.half(side, counts, notes);
            half.flush(&mut told);
        }
        self.listener.hear(Event::Closed(how, self.last), notes);
    }

    /// Gives up what waited too long.
    pub(super) fn tick(&mut self, now: CaptureTime, counts: &mut StreamCounts, notes: &mut L::Notes) {
        if self.is_closed() {
            return;
        }
        for side in [Side::Client, Side::Server] {
            let (half, mut told) = self.half(side, counts, notes);
            half.tick(now, &mut told);
        }
        if let Phase::Opening(first, last) = self.phase
            && now.since(first.time) >= CONNECT_NS
        {
            self.listener.hear(Event::Unanswered(first, last), notes);
            return self.close(Close::Forgotten, counts, notes);
        }
        self.listener.tick(now, notes);
        if self.client.is_ended() && self.server.is_ended() {
            self.close(Close::Finished, counts, notes);
        }
    }
}
