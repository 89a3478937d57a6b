//! What was picked out of a body, by name.

use std::borrow::Cow;

use smallvec::SmallVec;

/// A number that is kept has no more digits than this.
pub(super) const MOST_DIGITS: usize = 40;

/// What is kept of the message itself (kea-ha §6.1), and of its `arguments` (kea-ha §6.2, §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Arguments,
    Command,
    Result,
    Service,
    Text,
    Cancel,
    ClientId,
    Count,
    DateTime,
    FailedDeletedLeases,
    FailedLeases,
    From,
    HwAddress,
    IpAddress,
    Leases,
    Limit,
    MaxPeriod,
    Origin,
    OriginId,
    Scopes,
    ServerName,
    State,
    SubnetId,
    UnsentUpdateCount,
    ValidLft,
}

impl Field {
    /// Of a key of the message.
    pub(super) fn of_key(key: &[u8]) -> Option<Self> {
        Some(match key {
            b"arguments" => Self::Arguments,
            b"command" => Self::Command,
            b"result" => Self::Result,
            b"service" => Self::Service,
            b"text" => Self::Text,
            _ => return None,
        })
    }

    /// Of a key of its arguments.
    pub(super) fn of_argument(key: &[u8]) -> Option<Self> {
        Some(match key {
            b"cancel" => Self::Cancel,
            b"client-id" => Self::ClientId,
            b"count" => Self::Count,
            b"date-time" => Self::DateTime,
            b"failed-deleted-leases" => Self::FailedDeletedLeases,
            b"failed-leases" => Self::FailedLeases,
            b"from" => Self::From,
            b"hw-address" => Self::HwAddress,
            b"ip-address" => Self::IpAddress,
            b"leases" => Self::Leases,
            b"limit" => Self::Limit,
            b"max-period" => Self::MaxPeriod,
            b"origin" => Self::Origin,
            b"origin-id" => Self::OriginId,
            b"scopes" => Self::Scopes,
            b"server-name" => Self::ServerName,
            b"state" => Self::State,
            b"subnet-id" => Self::SubnetId,
            b"unsent-update-count" => Self::UnsentUpdateCount,
            b"valid-lft" => Self::ValidLft,
            _ => return None,
        })
    }

    /// One of its own.
    pub(super) const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// A value that was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kept<'a> {
    Text(Cow<'a, str>),
    /// As it was written, up to [`MOST_DIGITS`].
    Number(Cow<'a, str>),
    Bool(bool),
    /// The texts in it, and how many elements it has.
    List(SmallVec<[Cow<'a, str>; 1]>, u64),
    /// `null` or a map.
    Other,
}

impl<'a> Kept<'a> {
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A whole number that fits.
    pub(super) fn number<T: std::str::FromStr>(&self) -> Option<T> {
        match self {
            Self::Number(digits) => digits.parse().ok(),
            _ => None,
        }
    }

    pub(super) const fn flag(&self) -> Option<bool> {
        match self {
            Self::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    /// The texts of a list, and how many elements it has.
    pub(super) fn list(&self) -> Option<(&[Cow<'a, str>], u64)> {
        match self {
            Self::List(texts, count) => Some((texts, *count)),
            _ => None,
        }
    }

    /// A text, or a number as it was written.
    pub(super) fn word(&self) -> Option<&str> {
        match self {
            Self::Text(word) | Self::Number(word) => Some(word),
            _ => None,
        }
    }
}
