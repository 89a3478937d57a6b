//! One DHCP message together with where and when it was captured.

use std::borrow::Cow;
use std::net::Ipv4Addr;

use super::tail::{Field, Packer, Tail};
use crate::dhcp::{Anomaly, Message, MessageType, code};
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
    /// Option 54.
    pub server_id: Option<Ipv4Addr>,
    /// Option 50.
    pub requested_ip: Option<Ipv4Addr>,
    /// Option 51, seconds.
    pub lease_s: Option<u32>,
    /// Options that not every message has; their accessors are below.
    tail: Tail,
    /// RFC 3074 hash of a query's identifier as Kea sees it; absent when there
    /// is none, and in replies.
    pub hash: Option<u8>,
    /// The exchange it belongs to, once paired.
    pub exchange: Option<ExchangeId>,
    /// The first sighting, when this frame shows a message seen before.
    pub sighting_of: Option<Box<Sighting>>,
}

/// Where a message was seen before. Seldom, so that it may cost an allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// The message.
    pub message: MessageId,
    /// Its frame: by the time it is asked for, the message itself may have left.
    pub at: FrameRef,
}

// A run holds many of them at once: what is rare belongs into the tail.
const _: () = assert!(size_of::<Observed>() <= 216);

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
        let chaddr = message.chaddr();
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
            server_id: message.server_id(),
            requested_ip: message.requested_ip(),
            lease_s: message.lease_s(),
            tail: tail_of(message),
            hash: hash_of(message, &chaddr),
            exchange: None,
            sighting_of: None,
        }
    }

    /// Option 61.
    pub fn client_id(&self) -> Option<&[u8]> {
        self.tail.get(Field::ClientId)
    }

    /// Option 1.
    pub fn subnet_mask(&self) -> Option<Ipv4Addr> {
        self.tail.four(Field::SubnetMask).map(Ipv4Addr::from)
    }

    /// Option 58, seconds.
    pub fn t1_s(&self) -> Option<u32> {
        self.tail.four(Field::T1).map(u32::from_be_bytes)
    }

    /// Option 59, seconds.
    pub fn t2_s(&self) -> Option<u32> {
        self.tail.four(Field::T2).map(u32::from_be_bytes)
    }

    /// Option 12.
    pub fn hostname(&self) -> Option<&str> {
        self.text(Field::Hostname)
    }

    /// Option 60.
    pub fn vendor_class(&self) -> Option<&str> {
        self.text(Field::VendorClass)
    }

    /// Option 82.1.
    pub fn circuit_id(&self) -> Option<&[u8]> {
        self.tail.get(Field::CircuitId)
    }

    /// Option 82.2.
    pub fn remote_id(&self) -> Option<&[u8]> {
        self.tail.get(Field::RemoteId)
    }

    /// Option 82.5.
    pub fn link_selection(&self) -> Option<Ipv4Addr> {
        self.tail.four(Field::LinkSelection).map(Ipv4Addr::from)
    }

    /// Option 82.11.
    pub fn server_id_override(&self) -> Option<Ipv4Addr> {
        self.tail.four(Field::ServerIdOverride).map(Ipv4Addr::from)
    }

    /// Option 118.
    pub fn subnet_selection(&self) -> Option<Ipv4Addr> {
        self.tail.four(Field::SubnetSelection).map(Ipv4Addr::from)
    }

    /// Option 55.
    pub fn param_list(&self) -> Option<&[u8]> {
        self.tail.get(Field::ParamList)
    }

    /// Option 56.
    pub fn status_text(&self) -> Option<&str> {
        self.text(Field::StatusText)
    }

    /// What was wrong with it.
    pub fn anomalies(&self) -> impl Iterator<Item = Anomaly> {
        let packed = self.tail.get(Field::Anomalies).unwrap_or_default();
        packed.as_chunks().0.iter().filter_map(|bytes| Anomaly::unpack(*bytes))
    }

    fn text(&self, field: Field) -> Option<&str> {
        self.tail.get(field).and_then(|bytes| str::from_utf8(bytes).ok())
    }

    /// Whether a server sent it: option 53 decides, `op` only where it is absent.
    pub fn is_reply(&self) -> bool {
        is_reply(self.message_type, self.op)
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

fn is_reply(message_type: Option<MessageType>, op: u8) -> bool {
    match message_type {
        Some(kind) if kind.is_known() => kind.is_reply(),
        _ => op == 2,
    }
}

/// Packs what stands in the tail. Of three groups of options a message mostly
/// lacks one or two as a whole.
fn tail_of(message: &Message<'_>) -> Tail {
    let has = |codes| message.options.has_any_of::<4>(codes);
    let of_client = has([code::CLIENT_ID, code::HOSTNAME, code::PARAM_LIST, code::VENDOR_CLASS]);
    let of_server = has([code::SUBNET_MASK, code::T1, code::T2, code::T2]);
    let rare = has([code::RELAY_AGENT, code::SUBNET_SELECTION, code::MESSAGE, code::MESSAGE]);
    let odd = !message.anomalies.is_empty();
    if !(of_client | of_server | rare | odd) {
        return Tail::default();
    }
    let mut packer = Packer::new();
    if of_client {
        packer.put_some(Field::ClientId, message.client_id());
        packer.put_some(Field::Hostname, text(message, code::HOSTNAME, Message::hostname));
        packer.put_some(Field::ParamList, message.param_list());
        packer.put_some(Field::VendorClass, text(message, code::VENDOR_CLASS, Message::vendor_class));
    }
    if of_server {
        packer.put_some(Field::SubnetMask, message.subnet_mask().map(|mask| mask.octets()));
        packer.put_some(Field::T1, message.t1_s().map(u32::to_be_bytes));
        packer.put_some(Field::T2, message.t2_s().map(u32::to_be_bytes));
    }
    if rare {
        if let Some(relay) = message.relay_info() {
            packer.put_some(Field::CircuitId, relay.circuit_id());
            packer.put_some(Field::RemoteId, relay.remote_id());
            packer.put_some(Field::LinkSelection, relay.link_selection().map(|link| link.octets()));
            packer.put_some(Field::ServerIdOverride, relay.server_id_override().map(|id| id.octets()));
        }
        packer.put_some(Field::SubnetSelection, message.subnet_selection().map(|subnet| subnet.octets()));
        packer.put_some(Field::StatusText, message.status_text());
    }
    if odd {
        let packed: Vec<u8> = message.anomalies.iter().flat_map(|anomaly| anomaly.pack()).collect();
        packer.put(Field::Anomalies, &packed);
    }
    packer.finish()
}

/// An option with text. Nearly all are plain ASCII and stand there as they were sent.
fn text<'a>(
    message: &Message<'a>,
    code: u8,
    read: impl Fn(&Message<'a>) -> Option<Cow<'a, str>>,
) -> Option<Cow<'a, [u8]>> {
    let bytes = message.options.get(code)?;
    if bytes.is_ascii() && bytes.last() != Some(&0) {
        return Some(bytes);
    }
    read(message).map(|text| match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    })
}

/// The hash that says whose a query is; nobody asks for that of a reply.
fn hash_of(message: &Message<'_>, chaddr: &HwAddr) -> Option<u8> {
    if is_reply(message.message_type(), message.op()) {
        return None;
    }
    hash::of_identifier(message.client_id_for_kea().as_deref(), chaddr, message.hlen())
}

/// `secs` as Kea reads it: a value over 255 whose low byte is zero is taken
/// for a byte-swapped one, genuine multiples of 256 too (kea-ha §3.4).
pub const fn repair_secs(secs: u16) -> u16 {
    if secs > 255 && secs & 0xff == 0 { secs >> 8 } else { secs }
}
