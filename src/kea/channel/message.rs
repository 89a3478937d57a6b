//! Commands and answers, typed as far as somebody needs them (kea-ha §6.2, §6.3).

use std::borrow::Cow;
use std::net::Ipv4Addr;

use super::fields::{Field, Kept};
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

/// A message into which the fields of a body are put, each once.
pub(super) struct Draft {
    control: Control,
    /// Whether there is one: a request has a command.
    is_one: bool,
}

impl Draft {
    pub(super) fn of_request() -> Self {
        let request = Request { dhcp4: true, ..Request::default() };
        Self { control: Control::Request(request), is_one: false }
    }

    pub(super) fn of_answer(status: u16) -> Self {
        let response = Response { status, ..Response::default() };
        Self { control: Control::Response(response), is_one: true }
    }

    #[inline]
    pub(super) fn put(&mut self, name: Field, value: &Kept<'_>) {
        match &mut self.control {
            Control::Request(request) => {
                self.is_one |= name == Field::Command && value.text().is_some();
                request.put(name, value);
            }
            Control::Response(response) => response.put(name, value),
        }
    }

    pub(super) fn finish(self) -> Option<Control> {
        self.is_one.then_some(self.control)
    }
}

impl Request {
    #[inline]
    fn put(&mut self, name: Field, value: &Kept<'_>) {
        let text = || value.text().map(str::to_owned);
        match name {
            Field::Command => self.command = value.text().map(word).unwrap_or_default(),
            Field::Service => {
                let names = value.list().map(|(names, _)| names).unwrap_or_default();
                self.dhcp4 = names.is_empty() || names.iter().any(|name| name == "dhcp4");
            }
            Field::ServerName => self.server_name = text(),
            Field::IpAddress => self.ip = value.text().and_then(|ip| ip.parse().ok()),
            Field::HwAddress => self.hw_address = value.text().and_then(|mac| mac.parse().ok()),
            Field::ClientId => self.client_id = value.text().and_then(read_hex),
            Field::SubnetId => self.subnet_id = value.number(),
            Field::ValidLft => self.valid_lft = value.number(),
            Field::State => (self.lease_state, self.state) = (value.number(), text()),
            Field::Cancel => self.cancel = value.flag(),
            Field::Origin => self.origin = value.word().map(word),
            Field::OriginId => self.origin_id = value.number(),
            Field::MaxPeriod => self.max_period = value.number(),
            Field::From => self.from = text(),
            Field::Limit => self.limit = value.number(),
            _ => {}
        }
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
    #[inline]
    fn put(&mut self, name: Field, value: &Kept<'_>) {
        match name {
            Field::Result => self.result = value.number(),
            Field::Text => self.text = value.text().map(word),
            Field::State => self.state = value.text().map(str::to_owned),
            Field::Scopes => {
                let owned =
                    |names: &[Cow<'_, str>]| names.iter().map(|name| name.clone().into_owned()).collect();
                self.scopes = value.list().map(|(names, _)| owned(names));
            }
            Field::UnsentUpdateCount => self.unsent_update_count = value.number(),
            Field::DateTime => self.date_time = value.text().and_then(date_time),
            Field::Count => self.count = value.number(),
            Field::FailedLeases | Field::FailedDeletedLeases => {
                if let Some((_, count)) = value.list() {
                    *self.failed_leases.get_or_insert(0) += count;
                }
            }
            _ => {}
        }
    }
}

/// An instant as HTTP writes it (RFC 1123 §5.2.14): `Sun, 22 Nov 2026 14:04:41 GMT`.
fn date_time(text: &str) -> Option<CaptureTime> {
    let instant = chrono::DateTime::parse_from_rfc2822(text).ok()?;
    instant.timestamp_nanos_opt().map(CaptureTime)
}
