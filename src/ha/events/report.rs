//! What a capture's control channel came to.

use std::collections::HashMap;
use std::net::Ipv4Addr;

use super::event::{EventKind, HaEvent};
use crate::ha::topology::Topology;
use crate::kea::channel::Anomaly;
use crate::stream::{AgedTable, Endpoint, Flow, Stamp, StreamCounts};
use crate::units::{CaptureTime, FrameRef, SECOND, ServerId};

/// Anomalies that are kept; beyond it they are counted.
const MOST_ANOMALIES: usize = 10_000;
/// Encrypted pairs of endpoints that are remembered.
const MOST_PAIRS: usize = 1000;

/// What was odd on the control channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChannelAnomalyKind {
    /// About one message.
    Message(Anomaly),
    /// The capture lacks bytes of the stream.
    BytesMissing,
    /// A second copy of the same bytes has another content; the first was taken.
    CopyDiffers,
    /// More requests wait on one connection than Kea ever sends; the oldest was given up.
    TooManyRequests,
}

impl ChannelAnomalyKind {
    /// The stable kebab-case name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Message(anomaly) => anomaly.code(),
            Self::BytesMissing => "tcp-bytes-missing",
            Self::CopyDiffers => "tcp-copy-differs",
            Self::TooManyRequests => "http-too-many-requests",
        }
    }

    /// The same in words.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Message(anomaly) => anomaly.meaning(),
            Self::BytesMissing => "the capture lacks bytes of the connection",
            Self::CopyDiffers => "two copies of the same bytes differ; the first was taken",
            Self::TooManyRequests => "more requests wait on one connection than Kea sends",
        }
    }
}

/// One oddity, with the frame that shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelAnomaly {
    /// What it is.
    pub kind: ChannelAnomalyKind,
    /// The frame.
    pub at: FrameRef,
    /// When that frame was captured.
    pub time: CaptureTime,
    /// A sentence with both endpoints, the speaker first.
    pub text: String,
}

/// A machine's Kea was heard on an encrypted channel: a completed exchange with its partner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignOfLife {
    /// The machine.
    pub server: ServerId,
    /// When.
    pub time: CaptureTime,
    /// The frame.
    pub at: FrameRef,
}

/// Counters of the control channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChannelCounts {
    /// The connections.
    pub streams: StreamCounts,
    /// Anomalies, those that were not kept included.
    pub anomalies: u64,
    /// Endpoints known by their content that were forgotten because there were too many.
    pub forgotten_endpoints: u64,
}

/// What else there is to say about the control channel of a capture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelReport {
    /// What was odd, in time order; at most ten thousand, [`ChannelCounts::anomalies`] has them all.
    pub anomalies: Vec<ChannelAnomaly>,
    /// Signs of life from encrypted connections, at most one per second and machine.
    pub signs: Vec<SignOfLife>,
    /// Counters.
    pub counts: ChannelCounts,
}

/// Where the dialogues write.
#[derive(Clone, Debug)]
pub struct Notes {
    events: Vec<HaEvent>,
    pub(super) report: ChannelReport,
    /// Endpoints that were sent commands of Kea.
    pub(super) learned: Vec<Endpoint>,
    /// The present connection has nothing to do with Kea.
    pub(super) foreign: bool,
    encrypted: AgedTable<(Endpoint, Ipv4Addr), ()>,
    signed: HashMap<ServerId, CaptureTime>,
}

impl Notes {
    pub(super) fn new() -> Self {
        Self {
            events: Vec::new(),
            report: ChannelReport::default(),
            learned: Vec::new(),
            foreign: false,
            encrypted: AgedTable::new(MOST_PAIRS),
            signed: HashMap::new(),
        }
    }

    pub(super) fn event(&mut self, event: HaEvent) {
        self.events.push(event);
    }

    pub(super) fn anomaly(&mut self, kind: ChannelAnomalyKind, from: Endpoint, to: Endpoint, stamp: Stamp) {
        self.report.counts.anomalies += 1;
        if self.report.anomalies.len() < MOST_ANOMALIES {
            let text = format!("{}:{} to {}:{}: {}", from.0, from.1, to.0, to.1, kind.meaning());
            self.report.anomalies.push(ChannelAnomaly { kind, at: stamp.at, time: stamp.time, text });
        }
    }

    /// A connection turned out to be encrypted.
    pub(super) fn encrypted(&mut self, topology: &Topology, flow: Flow, stamp: Stamp) {
        let pair = (flow.server, flow.client.0);
        if self.encrypted.touch(&pair, stamp.time).is_none() {
            self.encrypted.insert(pair, (), stamp.time);
            let mut event = HaEvent::new(EventKind::Tls, stamp, flow, topology);
            event.text = format!("the channel to {}:{} is encrypted", flow.server.0, flow.server.1).into();
            self.event(event);
        }
    }

    /// Two partners completed an exchange that cannot be read.
    pub(super) fn exchanged(&mut self, topology: &Topology, flow: Flow, asked: Stamp, answered: Stamp) {
        let event = HaEvent::new(EventKind::Tls, asked, flow, topology);
        if event.relationship.is_none() {
            return;
        }
        for (server, stamp) in [(event.peer, asked), (event.server, answered)] {
            let Some(server) = server else { continue };
            let last = self.signed.entry(server).or_insert(CaptureTime(i64::MIN));
            if stamp.time.since(*last).saturating_abs() >= SECOND {
                *last = stamp.time;
                self.report.signs.push(SignOfLife { server, time: stamp.time, at: stamp.at });
            }
        }
    }

    pub(super) fn drain(&mut self) -> std::vec::Drain<'_, HaEvent> {
        self.events.drain(..)
    }

    pub(super) fn drain_signs(&mut self) -> std::vec::Drain<'_, SignOfLife> {
        self.report.signs.drain(..)
    }

    /// Everything in time order.
    pub(super) fn finish(self) -> (Vec<HaEvent>, ChannelReport) {
        let Self { mut events, mut report, .. } = self;
        events.sort_by_key(|event| (event.time, event.at));
        report.anomalies.sort_by_key(|anomaly| (anomaly.time, anomaly.at));
        report.signs.sort_by_key(|sign| (sign.time, sign.at));
        (events, report)
    }
}
