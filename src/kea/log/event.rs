//! What a log line says, as a type.

use std::net::Ipv4Addr;

use super::Stamp;
use crate::dhcp::MessageType;
use crate::units::{HwAddr, Xid};

/// One line that says something about a client, a state or the partner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When, by the writing machine's clock; absent where the line form has no time.
    pub stamp: Option<Stamp>,
    /// Line in its file, from 1.
    pub line: u64,
    /// The client that it names.
    pub client: Option<Label>,
    /// What happened.
    pub what: What,
}

/// A client as Kea labels it: `[hwtype=1 MAC], cid=[…], tid=0x…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// `chaddr`; empty when Kea had none or had not parsed the query yet.
    pub mac: HwAddr,
    /// Option 61.
    pub client_id: Option<Box<[u8]>>,
    /// The transaction; 0 when Kea had not parsed the query yet.
    pub xid: Xid,
}

/// A message and its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Option 53.
    pub kind: MessageType,
    /// Source address.
    pub src: Ipv4Addr,
    /// Destination address.
    pub dst: Ipv4Addr,
    /// The server's interface.
    pub interface: Box<str>,
}

/// What happened. Names of servers are peer names; states are in Kea's log case (`PARTNER-DOWN`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A message arrived and was parsed (`DHCP4_PACKET_RECEIVED`).
    Received(Packet),
    /// A message was handed to the socket (`DHCP4_PACKET_SEND`).
    Sent(Packet),
    /// The socket did not take a message that was announced as sent (`DHCP4_PACKET_SEND_FAIL`).
    SendFailed,
    /// HA left the query to the partner; on a hub the line names the relationship by the server's own peer name.
    NotForUs(Option<Box<str>>),
    /// Option 54 names another server (`DHCP4_PACKET_DROP_0003`).
    ForeignServerId,
    /// The DHCP service was off, the query unread (`DHCP4_PACKET_DROP_0008`); such a line names no client.
    ServiceOff,
    /// Dropped for another reason: the end of the message id.
    Dropped(Box<str>),
    /// A request that Kea refuses (`DHCP4_PACKET_NAK_…`): the end of the message id.
    Refused(Box<str>),
    /// An address that will be offered.
    Offer(Ipv4Addr),
    /// An address that was allocated; the ACK may still wait for the partner.
    Alloc(Ipv4Addr),
    /// `HA_STATE_TRANSITION`, and the form of passive-backup without a partner.
    Transition {
        /// The server's own peer name (from 2.5.5).
        server: Option<Box<str>>,
        /// The state it leaves.
        from: Box<str>,
        /// The state it enters.
        to: Box<str>,
        /// The partner's state; `UNDEFINED` when unavailable or not known yet.
        partner: Option<Box<str>>,
    },
    /// `HA_LOCAL_DHCP_ENABLE` and `_DISABLE`.
    Service {
        /// Whether the DHCP service went on.
        on: bool,
        /// The server's own peer name.
        server: Box<str>,
        /// Its state.
        state: Box<str>,
    },
    /// `HA_SERVICE_STARTED`: the server was started or configured anew.
    Started {
        /// Its mode, in Kea's word.
        mode: Box<str>,
        /// Its role, in Kea's word.
        role: Box<str>,
    },
    /// No heartbeat succeeded for max-response-delay.
    Interrupted {
        /// The partner's name.
        partner: Box<str>,
    },
    /// A client of the partner was seen while communication is interrupted.
    Waiting,
    /// A client counts as unacked.
    Unacked {
        /// Unacked clients so far, this one included.
        count: u32,
        /// Clients left before partner-down.
        left: u32,
    },
    /// A heartbeat failed.
    HeartbeatFailed {
        /// The partner's name.
        partner: Box<str>,
        /// Why.
        reason: Box<str>,
    },
    /// A lease update failed.
    UpdateFailed {
        /// Whether the partner refused that lease (result 4), and is well otherwise.
        conflict: bool,
        /// The partner's name.
        partner: Box<str>,
        /// Why.
        reason: Box<str>,
    },
    /// The clocks of the partners differ too much.
    ClockSkew {
        /// Whether HA gives up because of it.
        terminates: bool,
    },
    /// HA gave up.
    Terminated,
    /// Maintenance began or ended, or the command failed: the message id.
    Maintenance(Box<str>),
    /// Lease database synchronisation.
    Sync(SyncStep),
}

/// How far a synchronisation came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncStep {
    /// Started.
    Start,
    /// Done.
    Done,
    /// Failed.
    Failed,
}
