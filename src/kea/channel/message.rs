//! Commands and answers, typed as far as somebody needs them (kea-ha §6.2, §6.3).

use std::borrow::Cow;
use std::net::Ipv4Addr;

use super::fields::{Fields, Name};
use crate::units::{Bytes, CaptureTime, HwAddr, read_hex};

/// One message of the control channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Control {
    /// A command.
    Request(Request),
    /// Its answer.
    Response(Response),
}

/// A command as Kea's HA library or an administrator sends it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Such as `ha-heartbeat`.
    pub command: Cow<'static, str>,
    /// Whether it is meant for the DHCPv4 server; one Control Agent may serve DHCPv6 as well.
    pub dhcp4: bool,
    /// `server-name`: the sender's own peer name (Kea ≥ 2.5.5).
    pub server_name: Option<String>,
    /// `ip-address` of a lease update.
    pub ip: Option<Ipv4Addr>,
    /// `hw-address` of a lease update.
    pub hw_address: Option<HwAddr>,
    /// `client-id` of a lease update.
    pub client_id: Option<Bytes>,
    /// `subnet-id` of a lease update.
    pub subnet_id: Option<u32>,
    /// `valid-lft` of a lease update, seconds.
    pub valid_lft: Option<u32>,
    /// `state` of a lease update: 0 default, 1 declined, 2 expired-reclaimed, 3 released.
    pub lease_state: Option<u32>,
    /// `state` of `ha-maintenance-notify`: the sender's own state (Kea ≥ 2.7.5).
    pub state: Option<String>,
    /// `cancel` of `ha-maintenance-notify`.
    pub cancel: Option<bool>,
    /// `origin`: `ha-partner`, or a number as `ha-sync-complete-notify` has it.
    pub origin: Option<Cow<'static, str>>,
    /// `origin-id`: 2000 and the number of the sender's relationship (Kea ≥ 2.5.8).
    pub origin_id: Option<i64>,
    /// `max-period` of `dhcp-disable`, seconds.
    pub max_period: Option<u64>,
    /// `from` of a page of leases: `start`, or the last address of the page before.
    pub from: Option<String>,
    /// `limit` of a page of leases.
    pub limit: Option<u64>,
}

/// An answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// 0 success, 1 error, 2 unsupported, 3 empty, 4 conflict, 5 fatal; absent when the body
    /// does not say it.
    pub result: Option<i64>,
    /// Kea's sentence.
    pub text: Option<Cow<'static, str>>,
    /// `state` of a heartbeat's answer.
    pub state: Option<String>,
    /// `scopes` of a heartbeat's answer.
    pub scopes: Option<Vec<String>>,
    /// `unsent-update-count` of a heartbeat's answer: transactions whose lease updates were not sent.
    pub unsent_update_count: Option<u64>,
    /// `date-time` of a heartbeat's answer: the sender's clock, in whole seconds.
    pub date_time: Option<CaptureTime>,
    /// `count` of a page of leases.
    pub count: Option<u64>,
    /// Elements of `failed-leases` and `failed-deleted-leases`.
    pub failed_leases: Option<u64>,
}

impl Request {
    /// `None` when there is no command.
    pub(super) fn new(fields: &Fields<'_>) -> Option<Self> {
        let text = |name| fields.text(name).map(str::to_owned);
        let service = fields.list(Name::Service).map(|(names, _)| names).unwrap_or_default();
        Some(Self {
            command: word(fields.text(Name::Command)?),
            dhcp4: service.is_empty() || service.iter().any(|name| name == "dhcp4"),
            server_name: text(Name::ServerName),
            ip: fields.text(Name::IpAddress).and_then(|ip| ip.parse().ok()),
            hw_address: fields.text(Name::HwAddress).and_then(|mac| mac.parse().ok()),
            client_id: fields.text(Name::ClientId).and_then(read_hex),
            subnet_id: fields.number(Name::SubnetId),
            valid_lft: fields.number(Name::ValidLft),
            lease_state: fields.number(Name::State),
            state: text(Name::State),
            cancel: fields.flag(Name::Cancel),
            origin: fields.word(Name::Origin).map(word),
            origin_id: fields.number(Name::OriginId),
            max_period: fields.number(Name::MaxPeriod),
            from: text(Name::From),
            limit: fields.number(Name::Limit),
        })
    }
}

/// What every message of a busy channel says, without a copy of its own.
fn word(text: &str) -> Cow<'static, str> {
    const USUAL: &[&str] =
        &["lease4-update", "IPv4 lease updated.", "ha-partner", "ha-heartbeat", "HA peer status returned."];
    match USUAL.iter().find(|usual| **usual == text) {
        Some(usual) => Cow::Borrowed(usual),
        None => Cow::Owned(text.to_owned()),
    }
}

impl Response {
    pub(super) fn new(status: u16, fields: &Fields<'_>) -> Self {
        let failed = [Name::FailedLeases, Name::FailedDeletedLeases].map(|name| fields.list(name));
        let failed = failed.into_iter().flatten().map(|(_, count)| count).reduce(|sum, count| sum + count);
        Self {
            status,
            result: fields.number(Name::Result),
            text: fields.text(Name::Text).map(word),
            state: fields.text(Name::State).map(str::to_owned),
            scopes: fields
                .list(Name::Scopes)
                .map(|(names, _)| names.iter().map(|name| name.clone().into_owned()).collect()),
            unsent_update_count: fields.number(Name::UnsentUpdateCount),
            date_time: fields.text(Name::DateTime).and_then(date_time),
            count: fields.number(Name::Count),
            failed_leases: failed,
        }
    }
}

/// An instant as HTTP writes it (RFC 1123 §5.2.14): `Sun, 22 Nov 2026 14:04:41 GMT`.
fn date_time(text: &str) -> Option<CaptureTime> {
    let instant = chrono::DateTime::parse_from_rfc2822(text).ok()?;
    instant.timestamp_nanos_opt().map(CaptureTime)
}
