//! One connection of the control channel: which answer belongs to which request.
//!
//! Answers come in the order of their requests (RFC 9112 §9.3.2), so a queue of
//! each is enough, with capture times to see where one of the two is missing.

use std::collections::VecDeque;

use super::event::{EventKind, HaEvent};
use super::report::{ChannelAnomalyKind, Notes};
use super::waiting::{Early, Voice, Waiting, overdue};
use crate::ha::topology::Topology;
use crate::kea::channel::{Control, Heard, Reader, Record};
use crate::stream::{CONNECT_NS, Close, Event, Flow, Listener, Piece, Side, Stamp};
use crate::units::{CaptureTime, SECOND};

/// Requests without an answer on one connection at most; Kea sends one at a time.
const MOST_WAITING: usize = 16;
/// An answer that the capture missed is noticed this late, for example by the next request's acknowledgment.
const GRACE_NS: i64 = 4 * SECOND;
/// What a waiting request or answer takes, about.
const WAITING_BYTES: usize = 1024;

/// One connection.
#[derive(Clone, Debug)]
pub struct Dialogue<'t> {
    topology: &'t Topology,
    flow: Flow,
    /// Whether the endpoint is known to be Kea's; of others nothing is told.
    trusted: bool,
    client: Voice,
    server: Voice,
    waiting: VecDeque<Waiting>,
    early: VecDeque<Early>,
    /// Since when what the server says is captured.
    heard_server: Option<CaptureTime>,
    /// Until when answers are missing in the capture, since one was last given to its request.
    gap: Option<CaptureTime>,
    /// The first encrypted data of the client that was not followed by the server's.
    asked: Option<Stamp>,
}

impl<'t> Dialogue<'t> {
    pub(super) fn new(topology: &'t Topology, flow: Flow, trusted: bool) -> Self {
        Self {
            topology,
            flow,
            trusted,
            client: Voice { reader: Reader::of_requests(), ..Voice::default() },
            server: Voice { reader: Reader::of_answers(), ..Voice::default() },
            waiting: VecDeque::new(),
            early: VecDeque::new(),
            heard_server: None,
            gap: None,
            asked: None,
        }
    }

    fn voice(&mut self, side: Side) -> &mut Voice {
        if side == Side::Client { &mut self.client } else { &mut self.server }
    }

    fn anomaly(&self, kind: ChannelAnomalyKind, side: Side, stamp: Stamp, notes: &mut Notes) {
        if self.trusted {
            let (client, server) = (self.flow.client, self.flow.server);
            let (from, to) = if side == Side::Client { (client, server) } else { (server, client) };
            notes.anomaly(kind, from, to, stamp);
        }
    }

    fn data(&mut self, side: Side, piece: Piece<'_>, notes: &mut Notes) {
        let Piece { mut bytes, seq, ack, stamp } = piece;
        let length = bytes.len();
        while !bytes.is_empty() {
            let voice = self.voice(side);
            if voice.reader.is_between() {
                (voice.begun, voice.latest, voice.ack) = (stamp, stamp, ack);
            }
            voice.latest = voice.latest.max(stamp);
            let heard = voice.reader.read(&mut bytes);
            voice.next = seq.wrapping_add((length - bytes.len()) as u32);
            if let Some(heard) = heard {
                self.heard(side, heard, notes);
            }
        }
    }

    fn heard(&mut self, side: Side, heard: Heard, notes: &mut Notes) {
        let &mut Voice { begun, latest, next, ack, .. } = self.voice(side);
        match heard {
            Heard::Message(control, anomalies) => {
                match control {
                    Some(Control::Request(request)) => {
                        if !std::mem::replace(&mut self.trusted, true) {
                            notes.learned.push(self.flow.server);
                        }
                        let event = HaEvent::of_request(request, begun, self.flow, self.topology);
                        self.wait((begun, next), Some(event), notes);
                    }
                    Some(Control::Response(response)) => {
                        if self.early.len() >= MOST_WAITING {
                            self.early.pop_front();
                        }
                        self.early.push_back(Early { begun, complete: latest, ack, response });
                    }
                    None if self.trusted => self.wait((begun, next), None, notes),
                    None => notes.foreign = true,
                }
                for anomaly in anomalies {
                    self.anomaly(ChannelAnomalyKind::Message(anomaly), side, latest, notes);
                }
                self.pair(notes);
            }
            Heard::Broken(anomaly) => {
                notes.foreign |= !self.trusted;
                self.missed(side, latest);
                self.anomaly(ChannelAnomalyKind::Message(anomaly), side, latest, notes);
            }
            Heard::Tls(record) if self.trusted => {
                notes.encrypted(self.topology, self.flow, begun);
                match (side, record) {
                    (Side::Client, Record::Data) => {
                        self.asked.get_or_insert(begun);
                    }
                    (Side::Server, Record::Data) => {
                        if let Some(asked) = self.asked.take() {
                            notes.exchanged(self.topology, self.flow, asked, latest);
                        }
                    }
                    _ => {}
                }
            }
            Heard::Tls(_) => notes.foreign = true,
        }
    }

    fn wait(&mut self, (asked, next): (Stamp, u32), event: Option<HaEvent>, notes: &mut Notes) {
        if self.waiting.len() >= MOST_WAITING {
            self.anomaly(ChannelAnomalyKind::TooManyRequests, Side::Client, asked, notes);
            self.give_up(notes);
        }
        self.waiting.push_back(Waiting { asked, next, event, timed_out: false });
    }

    /// The oldest request gets no answer any more.
    fn give_up(&mut self, notes: &mut Notes) {
        if let Some(event) = self.waiting.pop_front().and_then(|waiting| waiting.event) {
            notes.event(event.unanswered());
        }
    }

    /// What this side said until then was not read.
    fn missed(&mut self, side: Side, until: Stamp) {
        if side == Side::Server {
            self.gap = self.gap.max(Some(until.time));
        }
    }

    /// Whether the answer to a request may only be missing in the capture.
    fn is_doubtful(&self, waiting: &Waiting) -> bool {
        let heard = self.heard_server.is_some_and(|since| since <= waiting.asked.time);
        !heard || self.gap.is_some_and(|until| waiting.asked.time <= until)
    }

    /// The first request and answer in the queues that belong together.
    fn match_up(&mut self) -> Option<(usize, usize)> {
        let first = self.waiting.front()?;
        if !self.is_doubtful(first) {
            // What was answered before it was not captured.
            while self.early.front()?.begun.time < first.asked.time {
                self.early.pop_front();
            }
            return Some((0, 0));
        }
        // The order says nothing any more, but what the server had received when it answered does.
        self.early.iter().enumerate().find_map(|(answer, early)| {
            let fits =
                |waiting: &Waiting| waiting.next == early.ack && waiting.asked.time <= early.begun.time;
            self.waiting.iter().position(fits).map(|request| (request, answer))
        })
    }

    /// Gives answers to their requests.
    fn pair(&mut self, notes: &mut Notes) {
        while let Some((request, answer)) = self.match_up() {
            (0..request).for_each(|_| self.give_up(notes));
            self.early.drain(..answer);
            let Early { begun, complete, response, .. } = self.early.pop_front().unwrap_or_default();
            // A pair behind the gap restores the order; one before it, read late, does not.
            self.gap = self.gap.filter(|until| *until > begun.time);
            let Some(Waiting { event: Some(mut event), timed_out, .. }) = self.waiting.pop_front() else {
                continue;
            };
            let late = event
                .kind
                .patience()
                .filter(|patience| complete.time.since(event.request_time) >= *patience && !timed_out);
            if let Some(patience) = late {
                notes.event(overdue(&event, patience));
            }
            event.answered(complete);
            event.take(response);
            notes.event(event);
        }
    }

    /// No answer comes any more: `closed` is the frame that shows it, unless it is only not known.
    fn hang_up(&mut self, closed: Option<Stamp>, notes: &mut Notes) {
        for waiting in std::mem::take(&mut self.waiting) {
            let doubtful = self.is_doubtful(&waiting);
            let Some(event) = waiting.event else { continue };
            if let Some(closed) = closed.filter(|_| !doubtful && !waiting.timed_out) {
                notes.event(event.timeout(closed, "the connection was closed without an answer"));
            }
            notes.event(event.unanswered());
        }
    }
}

impl Listener for Dialogue<'_> {
    type Notes = Notes;

    fn hear(&mut self, event: Event<'_>, notes: &mut Notes) {
        match event {
            Event::Seen(Side::Server, stamp) => self.heard_server = Some(stamp.time),
            Event::Seen(Side::Client, _) => {}
            Event::Data(side, piece) => self.data(side, piece, notes),
            Event::Lost(side, stamp) => {
                self.missed(side, stamp);
                self.asked = None;
                self.voice(side).reader.lost();
                self.anomaly(ChannelAnomalyKind::BytesMissing, side, stamp, notes);
            }
            Event::Differs(side, stamp) => {
                self.anomaly(ChannelAnomalyKind::CopyDiffers, side, stamp, notes);
            }
            Event::End(side, stamp) => {
                let voice = self.voice(side);
                voice.latest = voice.latest.max(stamp);
                if let Some(heard) = voice.reader.end() {
                    self.heard(side, heard, notes);
                }
                if side == Side::Server {
                    self.hang_up(Some(stamp), notes);
                }
            }
            Event::Refused(asked, refused) if self.trusted => {
                let mut event = HaEvent::new(EventKind::Refused, asked, self.flow, self.topology);
                event.answered(refused);
                event.text =
                    format!("connection to {}:{} refused", self.flow.server.0, self.flow.server.1).into();
                notes.event(event);
            }
            Event::Unanswered(first, last) if self.trusted => {
                let asked = HaEvent::new(EventKind::Timeout, first, self.flow, self.topology);
                let end = Stamp { time: first.time.plus(CONNECT_NS), at: last.at };
                notes.event(asked.timeout(end, &format!("no answer within {} s", CONNECT_NS / SECOND)));
            }
            Event::Refused(..) | Event::Unanswered(..) => {}
            Event::Closed(how, stamp) => {
                // A client that goes before its patience is over may have had an answer that was not captured.
                let closed = matches!(how, Close::Finished | Close::Reset);
                self.hang_up(Some(stamp).filter(|_| closed), notes);
                // A closed connection is remembered for a while, and holds nothing.
                *self = Self::new(self.topology, self.flow, self.trusted);
            }
        }
    }

    fn tick(&mut self, now: CaptureTime, notes: &mut Notes) {
        for at in 0..self.waiting.len() {
            let Some(waiting) = self.waiting.get(at).filter(|waiting| !waiting.timed_out) else { continue };
            let Some(event) = waiting.event.as_ref().filter(|_| !self.is_doubtful(waiting)) else { continue };
            if let Some(patience) = event.kind.patience()
                && now.since(event.request_time) >= patience + GRACE_NS
            {
                notes.event(overdue(event, patience));
                if let Some(waiting) = self.waiting.get_mut(at) {
                    waiting.timed_out = true;
                }
            }
        }
    }

    fn held(&self) -> usize {
        let waiting = (self.waiting.len() + self.early.len()) * WAITING_BYTES;
        waiting + self.client.reader.held() + self.server.reader.held()
    }
}
