//! Which TCP segments are control traffic, and what is in them.

use super::dialogue::Dialogue;
use super::event::HaEvent;
use super::report::{ChannelReport, Notes, SignOfLife};
use crate::frame::Segment;
use crate::ha::topology::Topology;
use crate::kea::channel::Reader;
use crate::stream::{ACK, AgedTable, Close, Endpoint, Flow, Limits, SYN, Side, Stamp, Streams, ends, opens};
use crate::units::{CaptureTime, FrameRef};

/// Endpoints known by their content at most.
const MOST_ENDPOINTS: usize = 10_000;

/// Pairs requests with answers, per connection.
#[derive(Clone, Debug)]
pub struct ControlReader<'t> {
    topology: &'t Topology,
    /// Configured ports; control traffic is what known machines say on them.
    ports: Vec<u16>,
    /// Listening endpoints that were sent Kea's commands, so that a configuration is not needed.
    endpoints: AgedTable<Endpoint, ()>,
    streams: Streams<Dialogue<'t>>,
    notes: Notes,
}

impl<'t> ControlReader<'t> {
    /// A reader that knows the machines and ports of a topology.
    pub fn new(topology: &'t Topology) -> Self {
        Self::with_limits(topology, Limits::default())
    }

    /// The same with bounds of its own.
    pub fn with_limits(topology: &'t Topology, limits: Limits) -> Self {
        Self {
            topology,
            ports: topology.control_ports(),
            endpoints: AgedTable::new(MOST_ENDPOINTS),
            streams: Streams::new(limits),
            notes: Notes::new(),
        }
    }

    /// Takes a TCP segment; `false` when it is not control traffic.
    ///
    /// Control traffic is what known machines say on configured control ports,
    /// and what runs on endpoints that were sent Kea commands before. A command
    /// to an endpoint that is not known yet makes it known when it is complete.
    pub fn push(&mut self, segment: &Segment<'_>, time: CaptureTime, at: FrameRef) -> bool {
        if self.is_foreign(segment) {
            return false;
        }
        let (from, to) = ends(segment);
        let known = (self.is_endpoint(from), self.is_endpoint(to));
        let any = known.0 || known.1;
        let followed = self.streams.find(segment);
        if !any && followed.is_none() && !Reader::begins_command(segment.payload) {
            return false;
        }
        let (flow, side) = followed.unwrap_or_else(|| sides(segment, known));
        let trusted = self.is_endpoint(flow.server);
        let stamp = Stamp { time, at };
        self.notes.foreign = false;
        let listener = || Dialogue::new(self.topology, flow, trusted);
        self.streams.push((flow, side), segment, stamp, listener, &mut self.notes);
        if std::mem::take(&mut self.notes.foreign) && !trusted {
            self.streams.remove(&flow, Close::Forgotten, &mut self.notes);
        }
        for endpoint in std::mem::take(&mut self.notes.learned) {
            let (gone, full) = self.endpoints.insert(endpoint, (), time);
            self.notes.report.counts.forgotten_endpoints += if full { gone.len() as u64 } else { 0 };
        }
        self.endpoints.touch(&flow.server, time);
        any || self.is_endpoint(flow.server)
    }

    /// Whether a segment has nothing to do with Kea, seen at a glance: most of a busy network's do not.
    #[inline]
    fn is_foreign(&self, segment: &Segment<'_>) -> bool {
        self.streams.is_empty()
            && self.endpoints.is_empty()
            && !self.ports.contains(&segment.src_port)
            && !self.ports.contains(&segment.dst_port)
            && !Reader::begins_command(segment.payload)
    }

    fn is_endpoint(&self, endpoint: Endpoint) -> bool {
        self.endpoints.get(&endpoint).is_some()
            || (self.ports.contains(&endpoint.1) && self.topology.server_by_address(endpoint.0).is_some())
    }

    /// Connections that are followed now, and the bytes that they hold.
    pub fn size(&self) -> (usize, usize) {
        (self.streams.len(), self.streams.held())
    }

    /// The events that are complete since the last call, in no particular order;
    /// an answer that comes late, or never, makes an event of the past.
    pub fn drain(&mut self) -> std::vec::Drain<'_, HaEvent> {
        self.notes.drain()
    }

    /// The signs of life since the last call.
    pub fn drain_signs(&mut self) -> std::vec::Drain<'_, SignOfLife> {
        self.notes.drain_signs()
    }

    /// The capture ended then: every event that was not drained in time order, and what else there is to say.
    /// Requests that were never answered keep no result.
    pub fn finish(self, end: CaptureTime) -> (Vec<HaEvent>, ChannelReport) {
        let Self { streams, mut notes, .. } = self;
        let counts = streams.finish(end, &mut notes);
        notes.report.counts.streams = counts;
        notes.finish()
    }
}

/// Who listens on a connection that is seen for the first time, given which ends are known to.
fn sides(segment: &Segment<'_>, (from_listens, to_listens): (bool, bool)) -> (Flow, Side) {
    let (from, to) = ends(segment);
    let answers = segment.flags & (SYN | ACK) == SYN | ACK || segment.payload.starts_with(b"HTTP/1.");
    let asks = opens(segment) || Reader::begins_command(segment.payload);
    if asks || (!answers && (to_listens || !from_listens)) {
        (Flow { client: from, server: to }, Side::Client)
    } else {
        (Flow { client: to, server: from }, Side::Server)
    }
}
