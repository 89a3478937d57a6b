//! What the peers say to each other, as far as single segments show it:
//! heartbeats with state and scopes, lease updates and their results, refused
//! connections. A message that is split over segments is not read here.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr};

use super::topology::{RelationshipId, Topology};
use crate::frame::Segment;
use crate::kea::channel::{Control, Request, Response};
use crate::units::{CaptureTime, FrameRef, HwAddr, SECOND, ServerId};

const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;
/// Connections with a request under way at most; beyond it new ones are not paired.
const FLOW_CAP: usize = 10_000;
/// When the table is full, what has waited longer than this is given up: Kea
/// itself waits ten seconds for an answer (kea-ha §2.2), a connection attempt two minutes at most.
const FLOW_AGE: i64 = 130 * SECOND;

/// What happened on the control channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventKind {
    /// `ha-heartbeat` and its answer.
    Heartbeat,
    /// `lease4-update` and its answer.
    LeaseUpdate,
    /// `lease4-del` and its answer.
    LeaseDelete,
    /// `lease4-get-page`, `lease4-get-all`, `ha-sync-complete-notify`.
    Sync,
    /// `ha-maintenance-*`.
    Maintenance,
    /// `dhcp-disable`.
    Disable,
    /// `dhcp-enable`.
    Enable,
    /// `ha-reset`.
    Reset,
    /// Any other command.
    Command,
    /// A connection attempt that the peer's machine refused: nobody listens there.
    Refused,
}

impl EventKind {
    /// The word of the tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Heartbeat => "heartbeat",
            Self::LeaseUpdate => "lease-update",
            Self::LeaseDelete => "lease-delete",
            Self::Sync => "sync",
            Self::Maintenance => "maintenance",
            Self::Disable => "disable",
            Self::Enable => "enable",
            Self::Reset => "reset",
            Self::Command => "command",
            Self::Refused => "refused",
        }
    }

    fn of_command(command: &str) -> Self {
        match command {
            "ha-heartbeat" => Self::Heartbeat,
            "lease4-update" => Self::LeaseUpdate,
            "lease4-del" => Self::LeaseDelete,
            "lease4-get-page" | "lease4-get-all" | "ha-sync-complete-notify" | "ha-sync" => Self::Sync,
            "dhcp-disable" => Self::Disable,
            "dhcp-enable" => Self::Enable,
            "ha-reset" => Self::Reset,
            other if other.starts_with("ha-maintenance") => Self::Maintenance,
            _ => Self::Command,
        }
    }
}

/// One command with its answer, or a refused connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HaEvent {
    /// When the answer (or the refusal) was captured; the request's time while there is none.
    pub time: CaptureTime,
    /// Frame of the answer, or of the request while there is none.
    pub at: FrameRef,
    /// Frame of the request.
    pub request_at: FrameRef,
    /// When the request was captured.
    pub request_time: CaptureTime,
    /// What it was.
    pub kind: EventKind,
    /// The relationship, by the URL that was called.
    pub relationship: Option<RelationshipId>,
    /// The machine that answered, and that `state` and `scopes` are about.
    pub server: Option<ServerId>,
    /// The address that was called.
    pub server_ip: Ipv4Addr,
    /// The port that was called.
    pub server_port: u16,
    /// The machine that asked.
    pub peer: Option<ServerId>,
    /// Its address.
    pub peer_ip: Ipv4Addr,
    /// `server-name`: what the asking machine calls itself (Kea ≥ 2.5.5).
    pub sender_name: Option<String>,
    /// Kea's state word in a heartbeat's answer.
    pub state: Option<String>,
    /// Scopes served, in a heartbeat's answer.
    pub scopes: Option<Vec<String>>,
    /// Kea's result code; absent without an answer.
    pub result: Option<i64>,
    /// Request to answer, microseconds.
    pub rtt_us: Option<i64>,
    /// The lease's address, in lease updates.
    pub ip: Option<Ipv4Addr>,
    /// The lease's hardware address.
    pub chaddr: Option<HwAddr>,
    /// The lease's client identifier.
    pub client_id: Option<Vec<u8>>,
    /// Kea's text, or what was asked while there is no answer.
    pub text: String,
}

/// One direction of a connection: from, to.
type Flow = ((Ipv4Addr, u16), (Ipv4Addr, u16));

/// Pairs requests with answers, per connection.
#[derive(Debug)]
pub struct ControlReader<'t> {
    topology: &'t Topology,
    /// Configured ports; control traffic is what known machines say on them.
    ports: Vec<u16>,
    /// Requests without an answer yet, by the client's direction.
    pending: HashMap<Flow, HaEvent>,
    /// Connection attempts without an answer yet.
    opening: HashMap<Flow, (CaptureTime, FrameRef)>,
    /// Listening endpoints that spoke Kea's commands, so that a configuration is not needed.
    endpoints: HashSet<(Ipv4Addr, u16)>,
    /// When the table was last swept for old connections.
    swept: CaptureTime,
    events: Vec<HaEvent>,
}

impl<'t> ControlReader<'t> {
    /// A reader that knows the machines and ports of a topology.
    pub fn new(topology: &'t Topology) -> Self {
        Self {
            topology,
            ports: topology.control_ports(),
            pending: HashMap::new(),
            opening: HashMap::new(),
            endpoints: HashSet::new(),
            swept: CaptureTime(i64::MIN),
            events: Vec::new(),
        }
    }

    /// Takes a TCP segment; `false` when it is not control traffic.
    ///
    /// Control traffic is what known machines say on configured control ports,
    /// and what runs on endpoints that were sent Kea commands before.
    pub fn push(&mut self, segment: &Segment<'_>, time: CaptureTime, at: FrameRef) -> bool {
        let from = (segment.src, segment.src_port);
        let to = (segment.dst, segment.dst_port);
        let said = crate::kea::channel::read(segment.payload);
        if matches!(said, Some(Control::Request(_))) && self.endpoints.len() < FLOW_CAP {
            self.endpoints.insert(to);
        }
        if !self.is_endpoint(from) && !self.is_endpoint(to) {
            return false;
        }
        let full = self.is_full(time);
        if segment.flags & (SYN | ACK) == SYN && !full {
            self.opening.insert((from, to), (time, at));
        } else if let Some((asked, frame)) = self.opening.remove(&(to, from))
            && segment.flags & RST != 0
        {
            let mut event = HaEvent::new(EventKind::Refused, asked, frame, to, from, self.topology);
            event.answered(time, at);
            event.text = format!("connection to {}:{} refused", from.0, from.1);
            self.events.push(event);
        }
        match said {
            Some(Control::Request(request)) if !full => self.request(request, time, at, from, to),
            Some(Control::Response(response)) => {
                if let Some(mut event) = self.pending.remove(&(to, from)) {
                    event.answered(time, at);
                    event.take(response);
                    self.events.push(event);
                }
            }
            _ => {}
        }
        true
    }

    /// Whether there is no room for another connection, after the oldest were given up.
    fn is_full(&mut self, now: CaptureTime) -> bool {
        let full = |reader: &Self| reader.pending.len() + reader.opening.len() >= FLOW_CAP;
        // Looking through a full table for each segment would take for ever.
        if full(self) && now.since(self.swept).saturating_abs() > SECOND {
            self.swept = now;
            self.opening.retain(|_, (asked, _)| now.since(*asked) <= FLOW_AGE);
            let old = self.pending.extract_if(|_, event| now.since(event.request_time) > FLOW_AGE);
            self.events.extend(old.map(|(_, event)| event));
        }
        full(self)
    }

    fn is_endpoint(&self, endpoint: (Ipv4Addr, u16)) -> bool {
        self.endpoints.contains(&endpoint)
            || (self.ports.contains(&endpoint.1) && self.topology.server_by_address(endpoint.0).is_some())
    }

    fn request(
        &mut self,
        request: Request,
        time: CaptureTime,
        at: FrameRef,
        from: (Ipv4Addr, u16),
        to: (Ipv4Addr, u16),
    ) {
        // What concerns DHCPv6 is shown, and is evidence for nothing here.
        let kind = if request.dhcp4 { EventKind::of_command(&request.command) } else { EventKind::Command };
        let mut event = HaEvent::new(kind, time, at, from, to, self.topology);
        event.text = format!("{} without an answer", request.command);
        event.ip = request.ip;
        event.chaddr = request.hw_address;
        event.client_id = request.client_id;
        event.sender_name = request.server_name;
        if let Some(unanswered) = self.pending.insert((from, to), event) {
            self.events.push(unanswered);
        }
    }

    /// Every event in time order; requests that were never answered keep no result.
    pub fn finish(mut self) -> Vec<HaEvent> {
        self.events.extend(self.pending.into_values());
        self.events.sort_by_key(|event| (event.time, event.at));
        self.events
    }
}

impl HaEvent {
    fn new(
        kind: EventKind,
        time: CaptureTime,
        at: FrameRef,
        from: (Ipv4Addr, u16),
        to: (Ipv4Addr, u16),
        topology: &Topology,
    ) -> Self {
        let (server, peer) = (topology.server_by_address(to.0), topology.server_by_address(from.0));
        Self {
            time,
            at,
            request_at: at,
            request_time: time,
            kind,
            relationship: relationship_of(topology, to, peer),
            server,
            server_ip: to.0,
            server_port: to.1,
            peer,
            peer_ip: from.0,
            sender_name: None,
            state: None,
            scopes: None,
            result: None,
            rtt_us: None,
            ip: None,
            chaddr: None,
            client_id: None,
            text: String::new(),
        }
    }

    /// Says which machines and which relationship of `topology` it is about.
    pub fn attribute(&mut self, topology: &Topology) {
        let called = (self.server_ip, self.server_port);
        self.server = topology.server_by_address(self.server_ip);
        self.peer = topology.server_by_address(self.peer_ip);
        self.relationship = relationship_of(topology, called, self.peer);
    }

    fn answered(&mut self, time: CaptureTime, at: FrameRef) {
        self.rtt_us = Some(time.since(self.request_time) / 1000);
        self.time = time;
        self.at = at;
    }

    fn take(&mut self, response: Response) {
        self.result = Some(response.result);
        if self.kind == EventKind::Heartbeat {
            self.state = response.state;
            self.scopes = response.scopes;
        }
        self.text = response.text.unwrap_or_default();
    }
}

/// The relationship of a call: the one whose peer has the URL that was called
/// and that has the caller as its other peer. Whoever else calls there (a
/// monitor, another pair, an administrator) says nothing about a relationship.
fn relationship_of(
    topology: &Topology,
    to: (Ipv4Addr, u16),
    caller: Option<ServerId>,
) -> Option<RelationshipId> {
    let called = |id: &RelationshipId| {
        topology
            .relationship(*id)
            .is_some_and(|it| it.peers.iter().any(|peer| peer.url == (IpAddr::V4(to.0), to.1)))
    };
    let calls = |id: &RelationshipId| {
        topology.relationship(*id).is_some_and(|it| it.peers.iter().any(|peer| peer.server == caller))
    };
    caller?;
    (0..topology.relationships.len()).map(RelationshipId).find(|id| called(id) && calls(id))
}

#[cfg(test)]
mod tests;
