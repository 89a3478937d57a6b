//! One DHCP message together with where and when it was captured.

use std::net::Ipv4Addr;

use crate::dhcp::{Anomaly, Message, MessageType, RelayInfo};
use crate::frame::Link;
use crate::ha::hash;
use crate::units::{CaptureTime, ExchangeId, FrameRef, HwAddr, MessageId, Xid, ZoneId};

/// A decoded message with its frame: one row of the `messages` table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    /// Capture time.
    pub time: CaptureTime,
    /// Source and frame number.
    pub at: FrameRef,
    /// Zone of the source; filled in when every source is known.
    pub zone: ZoneId,
    /// MAC addresses and VLAN of the frame.
    pub link: Link,
    /// IPv4 source address.
    pub src: Ipv4Addr,
    /// IPv4 destination address.
    pub dst: Ipv4Addr,
    /// UDP source port.
    pub src_port: u16,
    /// UDP destination port.
    pub dst_port: u16,
    /// `op`: 1 request, 2 reply.
    pub op: u8,
    /// Option 53; absent in BOOTP and broken messages.
    pub message_type: Option<MessageType>,
    /// `xid`.
    pub xid: Xid,
    /// `secs` as sent.
    pub secs: u16,
    /// Flag B.
    pub broadcast: bool,
    /// `hops`.
    pub hops: u8,
    /// `ciaddr`.
    pub ciaddr: Ipv4Addr,
    /// `yiaddr`.
    pub yiaddr: Ipv4Addr,
    /// `siaddr`.
    pub siaddr: Ipv4Addr,
    /// `giaddr`.
    pub giaddr: Ipv4Addr,
    /// `htype`.
    pub htype: u8,
    /// `hlen` as sent.
    pub hlen: u8,
    /// `chaddr` cut to `hlen`.
    pub chaddr: HwAddr,
    /// Option 61.
    pub client_id: Option<Box<[u8]>>,
    /// Option 54.
    pub server_id: Option<Ipv4Addr>,
    /// Option 1.
    pub subnet_mask: Option<Ipv4Addr>,
    /// Option 50.
    pub requested_ip: Option<Ipv4Addr>,
    /// Option 51, seconds.
    pub lease_s: Option<u32>,
    /// Option 58, seconds.
    pub t1_s: Option<u32>,
    /// Option 59, seconds.
    pub t2_s: Option<u32>,
    /// Option 12.
    pub hostname: Option<Box<str>>,
    /// Option 60.
    pub vendor_class: Option<Box<str>>,
    /// Option 82.1.
    pub circuit_id: Option<Box<[u8]>>,
    /// Option 82.2.
    pub remote_id: Option<Box<[u8]>>,
    /// Option 82.5.
    pub link_selection: Option<Ipv4Addr>,
    /// Option 82.11.
    pub server_id_override: Option<Ipv4Addr>,
    /// Option 118.
    pub subnet_selection: Option<Ipv4Addr>,
    /// Option 55.
    pub param_list: Option<Box<[u8]>>,
    /// Option 56.
    pub status_text: Option<Box<str>>,
    /// What was wrong with it.
    pub anomalies: Box<[Anomaly]>,
    /// RFC 3074 hash of the identifier as Kea sees it; absent when there is none.
    pub hash: Option<u8>,
    /// The exchange it belongs to, once paired.
    pub exchange: Option<ExchangeId>,
    /// The first sighting, when this frame shows a message seen before.
    pub sighting_of: Option<MessageId>,
}

/// The capture side of a message: everything that is not in its payload.
#[derive(Clone, Copy, Debug)]
pub struct Envelope {
    /// Capture time.
    pub time: CaptureTime,
    /// Source and frame number.
    pub at: FrameRef,
    /// Link-layer facts.
    pub link: Link,
    /// IPv4 source address.
    pub src: Ipv4Addr,
    /// IPv4 destination address.
    pub dst: Ipv4Addr,
    /// UDP source port.
    pub src_port: u16,
    /// UDP destination port.
    pub dst_port: u16,
}

impl Observed {
    /// Takes from a parsed message what later stages and tables need.
    pub fn new(envelope: Envelope, message: &Message<'_>) -> Self {
        let Envelope { time, at, link, src, dst, src_port, dst_port } = envelope;
        let relay = message.relay_info();
        let boxed = |bytes: &[u8]| Box::<[u8]>::from(bytes);
        let chaddr = message.chaddr();
        let for_kea = message.client_id_for_kea();
        Self {
            time,
            at,
            zone: ZoneId::default(),
            link,
            src,
            dst,
            src_port,
            dst_port,
            op: message.op(),
            message_type: message.message_type(),
            xid: message.xid(),
            secs: message.secs(),
            broadcast: message.broadcast(),
            hops: message.hops(),
            ciaddr: message.ciaddr(),
            yiaddr: message.yiaddr(),
            siaddr: message.siaddr(),
            giaddr: message.giaddr(),
            htype: message.htype(),
            hlen: message.hlen(),
            chaddr,
            client_id: message.client_id().as_deref().map(boxed),
            server_id: message.server_id(),
            subnet_mask: message.subnet_mask(),
            requested_ip: message.requested_ip(),
            lease_s: message.lease_s(),
            t1_s: message.t1_s(),
            t2_s: message.t2_s(),
            hostname: message.hostname().map(Into::into),
            vendor_class: message.vendor_class().map(Into::into),
            circuit_id: relay.as_ref().and_then(|r| r.circuit_id()).map(boxed),
            remote_id: relay.as_ref().and_then(|r| r.remote_id()).map(boxed),
            link_selection: relay.as_ref().and_then(RelayInfo::link_selection),
            server_id_override: relay.as_ref().and_then(RelayInfo::server_id_override),
            subnet_selection: message.subnet_selection(),
            param_list: message.param_list().as_deref().map(boxed),
            status_text: message.status_text().map(Into::into),
            anomalies: message.anomalies.clone().into_boxed_slice(),
            hash: hash::hash_key(for_kea.as_deref(), &chaddr, message.hlen())
                .map(|key| hash::loadb_hash(&key)),
            exchange: None,
            sighting_of: None,
        }
    }

    /// Whether a server sent it: option 53 decides, `op` only where it is absent.
    pub fn is_reply(&self) -> bool {
        match self.message_type {
            Some(kind) if kind.is_known() => kind.is_reply(),
            _ => self.op == 2,
        }
    }

    /// Whether it was sent to everybody on the wire.
    pub fn is_broadcast(&self) -> bool {
        self.dst.is_broadcast() || self.link.dst_mac == Some([0xff; 6])
    }

    /// `secs` as Kea reads it.
    pub fn secs_kea(&self) -> u16 {
        repair_secs(self.secs)
    }

    /// The name of its type, `BOOTP` without option 53.
    pub fn type_name(&self) -> String {
        self.message_type.map_or_else(|| "BOOTP".to_owned(), |kind| kind.to_string())
    }
}

/// `secs` as Kea reads it: a value over 255 whose low byte is zero is taken
/// for a byte-swapped one, genuine multiples of 256 too (kea-ha §3.4).
pub const fn repair_secs(secs: u16) -> u16 {
    if secs > 255 && secs & 0xff == 0 { secs >> 8 } else { secs }
}
