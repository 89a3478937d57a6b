//! One thing that happened on the control channel.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};

use crate::ha::topology::{RelationshipId, Topology};
use crate::kea::channel::{Request, Response};
use crate::stream::{Endpoint, Flow, Stamp};
use crate::units::{Bytes, CaptureTime, FrameRef, HwAddr, SECOND, ServerId};

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
    /// No answer: to a connection attempt, or to a command, whose own event stands beside this one.
    Timeout,
    /// Two endpoints speak TLS; told once for them.
    Tls,
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
            Self::Timeout => "timeout",
            Self::Tls => "tls",
        }
    }

    pub(super) fn of_command(command: &str) -> Self {
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

    /// How long Kea waits for the answer (kea-ha §2.2, §3.1 `sync-timeout`); who sends other commands is not known.
    pub(super) const fn patience(self) -> Option<i64> {
        match self {
            Self::Command => None,
            Self::Sync => Some(60 * SECOND),
            _ => Some(10 * SECOND),
        }
    }
}

/// One command with its answer, or what became of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HaEvent {
    /// When the answer (or the refusal) was captured; the request's time while there is none;
    /// for a timeout, when the waiting was over.
    pub time: CaptureTime,
    /// The frame that completed the answer, or that began the request while there is none.
    pub at: FrameRef,
    /// The frame in which the request began.
    pub request_at: FrameRef,
    /// When that frame was captured.
    pub request_time: CaptureTime,
    /// What it was.
    pub kind: EventKind,
    /// Kea's command; absent for connections.
    pub command: Option<Cow<'static, str>>,
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
    /// The asking server's own peer name, `server-name` (Kea ≥ 2.5.5).
    pub sender_name: Option<String>,
    /// Kea's state word in a heartbeat's answer; in `ha-maintenance-notify` nothing is taken from it.
    pub state: Option<String>,
    /// Scopes served, in a heartbeat's answer.
    pub scopes: Option<Vec<String>>,
    /// Transactions whose lease updates were not sent, in a heartbeat's answer.
    pub unsent_updates: Option<u64>,
    /// The answering server's clock in whole seconds, in a heartbeat's answer.
    pub date_time: Option<CaptureTime>,
    /// Kea's result code; absent without an answer, or where the answer does not say it.
    pub result: Option<i64>,
    /// Request to answer, microseconds.
    pub rtt_us: Option<i64>,
    /// The lease's address, in lease updates.
    pub ip: Option<Ipv4Addr>,
    /// The lease's hardware address.
    pub chaddr: Option<HwAddr>,
    /// The lease's client identifier.
    pub client_id: Option<Bytes>,
    /// The lease's subnet id.
    pub subnet_id: Option<u32>,
    /// The lease's lifetime, seconds.
    pub valid_lft: Option<u32>,
    /// The lease's state: 0 default, 1 declined, 2 expired-reclaimed, 3 released.
    pub lease_state: Option<u32>,
    /// Leases in a page, in the answer to `lease4-get-page`.
    pub count: Option<u64>,
    /// Kea's text, or what was asked while there is no answer.
    pub text: Cow<'static, str>,
}

impl HaEvent {
    pub(super) fn new(kind: EventKind, asked: Stamp, flow: Flow, topology: &Topology) -> Self {
        let (to, from) = (flow.server, flow.client);
        let mut event = Self {
            time: asked.time,
            at: asked.at,
            request_at: asked.at,
            request_time: asked.time,
            kind,
            command: None,
            relationship: None,
            server: None,
            server_ip: to.0,
            server_port: to.1,
            peer: None,
            peer_ip: from.0,
            sender_name: None,
            state: None,
            scopes: None,
            unsent_updates: None,
            date_time: None,
            result: None,
            rtt_us: None,
            ip: None,
            chaddr: None,
            client_id: None,
            subnet_id: None,
            valid_lft: None,
            lease_state: None,
            count: None,
            text: Cow::Borrowed(""),
        };
        event.attribute(topology);
        event
    }

    /// Says which machines and which relationship of `topology` it is about.
    pub fn attribute(&mut self, topology: &Topology) {
        self.server = topology.server_by_address(self.server_ip);
        self.peer = topology.server_by_address(self.peer_ip);
        self.relationship = relationship_of(topology, (self.server_ip, self.server_port), self.peer);
    }

    pub(super) fn of_request(request: Request, asked: Stamp, flow: Flow, topology: &Topology) -> Self {
        // What concerns DHCPv6 is shown, and is evidence for nothing here.
        let kind = if request.dhcp4 { EventKind::of_command(&request.command) } else { EventKind::Command };
        let lease = matches!(kind, EventKind::LeaseUpdate | EventKind::LeaseDelete);
        Self {
            command: Some(request.command),
            sender_name: request.server_name,
            ip: request.ip,
            chaddr: request.hw_address,
            client_id: request.client_id,
            subnet_id: request.subnet_id,
            valid_lft: request.valid_lft,
            lease_state: request.lease_state.filter(|_| lease),
            ..Self::new(kind, asked, flow, topology)
        }
    }

    /// No answer was seen.
    pub(super) fn unanswered(mut self) -> Self {
        self.text = format!("{} without an answer", self.command.as_deref().unwrap_or_default()).into();
        self
    }

    pub(super) fn answered(&mut self, answer: Stamp) {
        self.rtt_us = Some(answer.time.since(self.request_time) / 1000);
        self.time = answer.time;
        self.at = answer.at;
    }

    pub(super) fn take(&mut self, response: Response) {
        self.result = response.result;
        if self.kind == EventKind::Heartbeat {
            self.state = response.state;
            self.scopes = response.scopes;
            self.unsent_updates = response.unsent_update_count;
            self.date_time = response.date_time;
        }
        if self.kind == EventKind::Sync {
            self.count = response.count;
        }
        self.text = match response.result {
            Some(_) => response.text.unwrap_or_default(),
            None => format!("HTTP {} without a result", response.status).into(),
        };
    }

    /// The waiting for an answer to this command was over.
    pub(super) fn timeout(&self, end: Stamp, why: &str) -> Self {
        let command = self.command.as_deref().unwrap_or("connection");
        Self {
            kind: EventKind::Timeout,
            time: end.time,
            at: end.at,
            text: format!("{command} to {}:{}: {why}", self.server_ip, self.server_port).into(),
            ..self.clone()
        }
    }
}

/// The relationship of a call: the one whose peer has the URL that was called
/// and that has the caller as its other peer. Whoever else calls there (a
/// monitor, another pair, an administrator) says nothing about a relationship.
fn relationship_of(topology: &Topology, to: Endpoint, caller: Option<ServerId>) -> Option<RelationshipId> {
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
