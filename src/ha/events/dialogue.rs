//! One connection of the control channel: which answer belongs to which request.
//!
//! Answers come in the order of their requests (RFC 9112 §9.3.2), so a queue of
//! each is enough, with capture times to see where one of the two is missing.

use std::collections::VecDeque;

use super::event::{EventKind, HaEvent};
use super::report::{ChannelAnomalyKind, Notes};
use crate::ha::topology::Topology;
use crate::kea::channel::{Control, Heard, Reader, Record, Response};
use crate::stream::{CONNECT_NS, Close, Event, Flow, Listener, Side, Stamp};
use crate::units::{CaptureTime, SECOND};

/// Requests without an answer on one connection at most; Kea sends one at a time.
const MOST_WAITING: usize = 16;
/// An answer that the capture missed is noticed this late, for example by the next request's acknowledgment.
const GRACE_NS: i64 = 4 * SECOND;
/// What a waiting request or answer takes, about.
const WAITING_BYTES: usize = 1024;

/// What one side says.
#[derive(Debug, Default)]
struct Voice {
    reader: Reader,
    /// The frame in which the present message began.
    begun: Stamp,
    /// The latest frame of it.
    latest: Stamp,
}

/// A request that waits.
#[derive(Debug)]
struct Waiting {
    asked: Stamp,
    /// `None` for what is no command of Kea but will be answered all the same.
    event: Option<HaEvent>,
    timed_out: bool,
}

/// One connection.
#[derive(Debug)]
pub struct Dialogue<'t> {
    topology: &'t Topology,
    flow: Flow,
    /// Whether the endpoint is known to be Kea's; of others nothing is told.
    trusted: bool,
    client: Voice,
    server: Voice,
    waiting: VecDeque<Waiting>,
    /// Answers whose request was not read yet: when they began, when they were complete.
    early: VecDeque<(Stamp, Stamp, Response)>,
    /// Whether anything of the server was captured.
    heard_server: bool,
    /// Whether answers may be missing in the capture.
    gap: bool,
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
            heard_server: false,
            gap: false,
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

    fn data(&mut self, side: Side, mut bytes: &[u8], stamp: Stamp, notes: &mut Notes) {
        while !bytes.is_empty() {
            let voice = self.voice(side);
            if voice.reader.is_between() {
                (voice.begun, voice.latest) = (stamp, stamp);
            }
            voice.latest = voice.latest.max(stamp);
            let (begun, latest) = (voice.begun, voice.latest);
            if let Some(heard) = voice.reader.read(&mut bytes) {
                self.heard(side, heard, begun, latest, notes);
            }
        }
    }

    fn heard(&mut self, side: Side, heard: Heard, begun: Stamp, latest: Stamp, notes: &mut Notes) {
        match heard {
            Heard::Message(control, anomalies) => {
                match control {
                    Some(Control::Request(request)) => {
                        if !std::mem::replace(&mut self.trusted, true) {
                            notes.learned.push(self.flow.server);
                        }
                        let event = HaEvent::of_request(request, begun, self.flow, self.topology);
                        self.wait(begun, Some(event), notes);
                    }
                    Some(Control::Response(response)) => {
                        if self.early.len() >= MOST_WAITING {
                            self.early.pop_front();
                        }
                        self.early.push_back((begun, latest, response));
                    }
                    None if self.trusted => self.wait(begun, None, notes),
                    None => notes.foreign = true,
                }
                for anomaly in anomalies {
                    self.anomaly(ChannelAnomalyKind::Message(anomaly), side, latest, notes);
                }
                self.pair(notes);
            }
            Heard::Broken(anomaly) => {
                notes.foreign |= !self.trusted;
                self.gap |= side == Side::Server;
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

    fn wait(&mut self, asked: Stamp, event: Option<HaEvent>, notes: &mut Notes) {
        if self.waiting.len() >= MOST_WAITING {
            self.anomaly(ChannelAnomalyKind::TooManyRequests, Side::Client, asked, notes);
            self.give_up(notes);
        }
        self.waiting.push_back(Waiting { asked, event, timed_out: false });
    }

    /// The oldest request gets no answer any more.
    fn give_up(&mut self, notes: &mut Notes) {
        if let Some(event) = self.waiting.pop_front().and_then(|waiting| waiting.event) {
            notes.event(event);
        }
    }

    /// Gives the oldest answers to the oldest requests.
    fn pair(&mut self, notes: &mut Notes) {
        while let (Some(waiting), Some((begun, ..))) = (self.waiting.front(), self.early.front()) {
            if begun.time < waiting.asked.time {
                // Its request was not captured.
                self.early.pop_front();
                continue;
            }
            // Kea asks again only after an answer: where answers are missing, this one is for the last request.
            let later = self.waiting.get(1).is_some_and(|next| next.asked.time <= begun.time);
            if self.gap && later {
                self.give_up(notes);
                continue;
            }
            self.gap = false;
            let (_, complete, response) = self.early.pop_front().unwrap_or_default();
            let Some(Waiting { event: Some(mut event), timed_out, .. }) = self.waiting.pop_front() else {
                continue;
            };
            let late = event.kind.patience().filter(|patience| {
                complete.time.since(event.request_time) >= *patience && !timed_out
            });
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
            let Some(event) = waiting.event else { continue };
            if let Some(closed) = closed.filter(|_| self.heard_server && !self.gap && !waiting.timed_out) {
                notes.event(event.timeout(closed, "the connection was closed without an answer"));
            }
            notes.event(event);
        }
    }
}

/// Kea's patience with a command was over.
fn overdue(event: &HaEvent, patience: i64) -> HaEvent {
    let end = Stamp { time: event.request_time.plus(patience), at: event.request_at };
    event.timeout(end, &format!("no answer within {} s", patience / SECOND))
}

impl Listener for Dialogue<'_> {
    type Notes = Notes;

    fn hear(&mut self, event: Event<'_>, notes: &mut Notes) {
        match event {
            Event::Seen(side) => self.heard_server |= side == Side::Server,
            Event::Data(side, bytes, stamp) => self.data(side, bytes, stamp, notes),
            Event::Lost(side, stamp) => {
                self.gap |= side == Side::Server;
                self.asked = None;
                self.voice(side).reader.lost();
                self.anomaly(ChannelAnomalyKind::BytesMissing, side, stamp, notes);
            }
            Event::Differs(side, stamp) => {
                self.anomaly(ChannelAnomalyKind::CopyDiffers, side, stamp, notes);
            }
            Event::End(side, stamp) => {
                let voice = self.voice(side);
                let begun = voice.begun;
                if let Some(heard) = voice.reader.end() {
                    self.heard(side, heard, begun, stamp, notes);
                }
                if side == Side::Server {
                    self.hang_up(Some(stamp), notes);
                }
            }
            Event::Refused(asked, refused) if self.trusted => {
                let mut event =
                    HaEvent::new(EventKind::Refused, asked, self.flow, self.topology);
                event.answered(refused);
                event.text =
                    format!("connection to {}:{} refused", self.flow.server.0, self.flow.server.1);
                notes.event(event);
            }
            Event::Unanswered(first, last) if self.trusted => {
                let asked = HaEvent::new(EventKind::Timeout, first, self.flow, self.topology);
                let end = Stamp { time: first.time.plus(CONNECT_NS), at: last.at };
                notes.event(asked.timeout(end, &format!("no answer within {} s", CONNECT_NS / SECOND)));
            }
            Event::Refused(..) | Event::Unanswered(..) => {}
            Event::Closed(how, stamp) => {
                let closed = matches!(how, Close::Finished | Close::Reset);
                self.hang_up(Some(stamp).filter(|_| closed), notes);
                // A closed connection is remembered for a while, and holds nothing.
                *self = Self::new(self.topology, self.flow, self.trusted);
            }
        }
    }

    fn tick(&mut self, now: CaptureTime, notes: &mut Notes) {
        if !self.heard_server || self.gap {
            return;
        }
        for waiting in &mut self.waiting {
            let Some(event) = &waiting.event else { continue };
            if let Some(patience) = event.kind.patience()
                && !waiting.timed_out
                && now.since(event.request_time) >= patience + GRACE_NS
            {
                waiting.timed_out = true;
                notes.event(overdue(event, patience));
            }
        }
    }

    fn held(&self) -> usize {
        let waiting = (self.waiting.len() + self.early.len()) * WAITING_BYTES;
        waiting + self.client.reader.held() + self.server.reader.held()
    }
}
