//! DHCPv4 messages (RFC 2131, RFC 2132): header, options, relay agent
//! information and what was wrong with them. Knows no time and no ports.
//!
//! Parsing never fails: a message keeps what could be read, and every oddity
//! becomes an [`Anomaly`]. Options are walked here and not by `dhcproto`,
//! because its decoder stops silently at the first bad option.
#![warn(clippy::indexing_slicing)]

mod anomaly;
mod message_type;
mod options;
mod relay;

use std::borrow::Cow;
use std::net::Ipv4Addr;

pub use anomaly::{Anomaly, AnomalyKind};
pub use message_type::MessageType;
pub use options::{Area, Options, RawOption, code, name as option_name};
pub use relay::RelayInfo;

use crate::units::{HwAddr, Xid};

/// Bytes of the fixed BOOTP header, up to the options (RFC 2131 §2).
pub const HEADER_LEN: usize = 236;
/// The magic cookie before the options (RFC 2131 §3).
pub const COOKIE: [u8; 4] = [99, 130, 83, 99];
/// Where the options field begins.
const OPTIONS: usize = HEADER_LEN + COOKIE.len();
/// Bytes of a payload that are looked at: all that UDP can carry.
const MOST: usize = u16::MAX as usize;
const SNAME: std::ops::Range<usize> = 44..108;
const FILE: std::ops::Range<usize> = 108..236;

/// One DHCPv4 message, borrowed from its UDP payload.
#[derive(Clone, Debug)]
pub struct Message<'a> {
    payload: &'a [u8],
    /// Every option of the message, in the order RFC 3396 joins them.
    pub options: Options<'a>,
    /// What was wrong, with offsets from the start of the UDP payload.
    pub anomalies: Vec<Anomaly>,
}

impl<'a> Message<'a> {
    /// Reads a UDP payload. `cut` says that a snap length shortened it, so
    /// that the missing end is not held against the sender.
    pub fn parse(payload: &'a [u8], cut: bool) -> Self {
        let payload = payload.get(..MOST).unwrap_or(payload);
        let mut anomalies = Vec::new();
        if payload.len() < HEADER_LEN {
            let kind = if cut { AnomalyKind::CutBySnaplen } else { AnomalyKind::HeaderTruncated };
            anomalies.push(Anomaly::at(kind, payload.len()));
            return Self { payload, options: Options::default(), anomalies };
        }
        let mut message = Self { payload, options: Options::default(), anomalies };
        message.check_hlen();
        match payload.get(HEADER_LEN..OPTIONS) {
            Some(cookie) if cookie == COOKIE => {
                message.options = Options::walk(payload, cut, &mut message.anomalies);
                message.check_meaning();
            }
            Some(_) => message.note(AnomalyKind::BadCookie, HEADER_LEN),
            None if cut => message.note(AnomalyKind::CutBySnaplen, payload.len()),
            None => message.note(AnomalyKind::NoCookie, payload.len()),
        }
        message
    }

    fn note(&mut self, kind: AnomalyKind, offset: usize) {
        self.anomalies.push(Anomaly::at(kind, offset));
    }

    fn check_hlen(&mut self) {
        match self.hlen() {
            0 => self.note(AnomalyKind::HlenZero, 2),
            1..=16 => {}
            _ => self.note(AnomalyKind::HlenTooLong, 2),
        }
    }

    fn check_meaning(&mut self) {
        let Some(kind) = self.message_type() else {
            if self.options.first(code::MESSAGE_TYPE).is_none() {
                self.note(AnomalyKind::NoMessageType, OPTIONS);
            }
            return;
        };
        let expected = if kind.is_reply() { 2 } else { 1 };
        if kind.is_known() && self.op() != expected {
            self.note(AnomalyKind::OpMismatch, 0);
        }
    }

    fn byte(&self, at: usize) -> u8 {
        self.payload.get(at).copied().unwrap_or_default()
    }

    fn array<const N: usize>(&self, at: usize) -> [u8; N] {
        self.payload.get(at..at + N).and_then(|bytes| bytes.try_into().ok()).unwrap_or([0; N])
    }

    /// `op`: 1 for BOOTREQUEST, 2 for BOOTREPLY.
    pub fn op(&self) -> u8 {
        self.byte(0)
    }

    /// `htype`: hardware type, 1 for Ethernet.
    pub fn htype(&self) -> u8 {
        self.byte(1)
    }

    /// `hlen` as sent; [`Self::chaddr`] is already clamped.
    pub fn hlen(&self) -> u8 {
        self.byte(2)
    }

    /// `hops`: relay agents passed.
    pub fn hops(&self) -> u8 {
        self.byte(3)
    }

    /// `xid`.
    pub fn xid(&self) -> Xid {
        Xid(u32::from_be_bytes(self.array(4)))
    }

    /// `secs` as sent, seconds in network byte order.
    pub fn secs(&self) -> u16 {
        u16::from_be_bytes(self.array(8))
    }

    /// Whether the client asked for a broadcast reply (RFC 2131 figure 2, flag B).
    pub fn broadcast(&self) -> bool {
        self.byte(10) & 0x80 != 0
    }

    /// `ciaddr`: the address the client says it has.
    pub fn ciaddr(&self) -> Ipv4Addr {
        self.array(12).into()
    }

    /// `yiaddr`: the address for the client.
    pub fn yiaddr(&self) -> Ipv4Addr {
        self.array(16).into()
    }

    /// `siaddr`: next boot server; says nothing about who answered.
    pub fn siaddr(&self) -> Ipv4Addr {
        self.array(20).into()
    }

    /// `giaddr`: relay agent.
    pub fn giaddr(&self) -> Ipv4Addr {
        self.array(24).into()
    }

    /// `chaddr` cut to `hlen`, at most 16 bytes.
    pub fn chaddr(&self) -> HwAddr {
        let len = usize::from(self.hlen()).min(16);
        HwAddr::new(self.payload.get(28..28 + len).unwrap_or_default())
    }

    /// Option 53, when present and one byte long.
    pub fn message_type(&self) -> Option<MessageType> {
        self.options.exactly(code::MESSAGE_TYPE).map(|[kind]| MessageType(kind))
    }

    /// An option that holds exactly one IPv4 address.
    #[inline]
    fn address(&self, code: u8) -> Option<Ipv4Addr> {
        self.options.exactly::<4>(code).map(Ipv4Addr::from)
    }

    #[inline]
    fn seconds(&self, code: u8) -> Option<u32> {
        self.options.exactly(code).map(u32::from_be_bytes)
    }

    #[inline]
    fn text(&self, code: u8) -> Option<Cow<'a, str>> {
        let bytes = self.options.get(code)?;
        if let Cow::Borrowed(bytes) = bytes
            && let Ok(text) = str::from_utf8(bytes)
        {
            return Some(Cow::Borrowed(text.trim_end_matches('\0')));
        }
        Some(Cow::Owned(String::from_utf8_lossy(&bytes).trim_end_matches('\0').to_owned()))
    }

    /// Option 54, the server identifier.
    pub fn server_id(&self) -> Option<Ipv4Addr> {
        self.address(code::SERVER_ID)
    }

    /// Option 1, the subnet mask of the client's wire.
    pub fn subnet_mask(&self) -> Option<Ipv4Addr> {
        self.address(code::SUBNET_MASK)
    }

    /// Option 50, the requested address.
    pub fn requested_ip(&self) -> Option<Ipv4Addr> {
        self.address(code::REQUESTED_IP)
    }

    /// Option 51, seconds; `u32::MAX` is an infinite lease.
    pub fn lease_s(&self) -> Option<u32> {
        self.seconds(code::LEASE_TIME)
    }

    /// Option 58 (T1), seconds.
    pub fn t1_s(&self) -> Option<u32> {
        self.seconds(code::T1)
    }

    /// Option 59 (T2), seconds.
    pub fn t2_s(&self) -> Option<u32> {
        self.seconds(code::T2)
    }

    /// Option 61 with its type byte, instances joined.
    pub fn client_id(&self) -> Option<Cow<'a, [u8]>> {
        self.options.get(code::CLIENT_ID)
    }

    /// Option 61 as Kea sees it: Kea does not follow option 52, so an
    /// identifier inside `sname` or `file` is invisible to its hash.
    pub fn client_id_for_kea(&self) -> Option<Cow<'a, [u8]>> {
        self.options.get_in(code::CLIENT_ID, Area::Options)
    }

    /// Option 12, bytes that are no UTF-8 replaced.
    pub fn hostname(&self) -> Option<Cow<'a, str>> {
        self.text(code::HOSTNAME)
    }

    /// Option 60.
    pub fn vendor_class(&self) -> Option<Cow<'a, str>> {
        self.text(code::VENDOR_CLASS)
    }

    /// Option 56, the text of a NAK or DECLINE.
    pub fn status_text(&self) -> Option<Cow<'a, str>> {
        self.text(code::MESSAGE)
    }

    /// Option 55, the requested option codes in order.
    pub fn param_list(&self) -> Option<Cow<'a, [u8]>> {
        self.options.get(code::PARAM_LIST)
    }

    /// Option 118, the subnet selection of RFC 3011.
    pub fn subnet_selection(&self) -> Option<Ipv4Addr> {
        self.address(code::SUBNET_SELECTION)
    }

    /// Option 82 with the sub-options that decide something.
    pub fn relay_info(&self) -> Option<RelayInfo<'a>> {
        self.options.get(code::RELAY_AGENT).map(RelayInfo::new)
    }
}

#[cfg(test)]
mod tests;
