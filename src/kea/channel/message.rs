//! Commands and answers, typed as far as somebody needs them (kea-ha §6.2, §6.3).

use std::net::Ipv4Addr;

use super::fields::Fields;
use crate::units::{CaptureTime, HwAddr, parse_hex};

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
    pub command: String,
    /// Whether it is meant for the DHCPv4 server; one Control Agent may serve DHCPv6 as well.
    pub dhcp4: bool,
    /// `server-name`: the sender's own peer name (Kea ≥ 2.5.5).
    pub server_name: Option<String>,
    /// `ip-address` of a lease update.
    pub ip: Option<Ipv4Addr>,
    /// `hw-address` of a lease update.
    pub hw_address: Option<HwAddr>,
    /// `client-id` of a lease update.
    pub client_id: Option<Vec<u8>>,
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
    pub origin: Option<String>,
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
    pub text: Option<String>,
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
        let service = fields.list("service").map(|(names, _)| names).unwrap_or_default();
        Some(Self {
            command: text("command")?,
            dhcp4: service.is_empty() || service.iter().any(|name| name == "dhcp4"),
            server_name: text("server-name"),
            ip: fields.text("ip-address").and_then(|ip| ip.parse().ok()),
            hw_address: fields.text("hw-address").and_then(|mac| mac.parse().ok()),
            client_id: fields.text("client-id").and_then(parse_hex),
            subnet_id: fields.number("subnet-id"),
            valid_lft: fields.number("valid-lft"),
            lease_state: fields.number("state"),
            state: text("state"),
            cancel: fields.flag("cancel"),
            origin: fields.word("origin").map(str::to_owned),
            origin_id: fields.number("origin-id"),
            max_period: fields.number("max-period"),
            from: text("from"),
            limit: fields.number("limit"),
        })
    }
}

impl Response {
    pub(super) fn new(status: u16, fields: &Fields<'_>) -> Self {
        let text = |name| fields.text(name).map(str::to_owned);
        let failed = ["failed-leases", "failed-deleted-leases"].map(|name| fields.list(name));
        let failed: Vec<u64> = failed.into_iter().flatten().map(|(_, count)| count).collect();
        Self {
            status,
            result: fields.number("result"),
            text: text("text"),
            state: text("state"),
            scopes: fields
                .list("scopes")
                .map(|(names, _)| names.iter().map(|name| name.clone().into_owned()).collect()),
            unsent_update_count: fields.number("unsent-update-count"),
            date_time: fields.text("date-time").and_then(date_time),
            count: fields.number("count"),
            failed_leases: (!failed.is_empty()).then(|| failed.iter().sum()),
        }
    }
}

/// An instant as HTTP writes it (RFC 1123 §5.2.14): `Sun, 22 Nov 2026 14:04:41 GMT`.
fn date_time(text: &str) -> Option<CaptureTime> {
    let instant = chrono::DateTime::parse_from_rfc2822(text).ok()?;
    instant.timestamp_nanos_opt().map(CaptureTime)
}
