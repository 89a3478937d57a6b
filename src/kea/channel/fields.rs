//! What was picked out of a body, by name.

use std::borrow::Cow;

use smallvec::SmallVec;

/// A number that is kept has no more digits than this.
pub(super) const MOST_DIGITS: usize = 40;

/// What is kept of the message itself (kea-ha §6.1), and of its `arguments` (kea-ha §6.2, §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
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

impl Name {
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

    const fn bit(self) -> u32 {
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

/// What was kept of a body, each name once.
#[derive(Debug, Default)]
pub(super) struct Fields<'a> {
    /// A bit for each name that is there, because most are asked for in vain.
    names: u32,
    list: SmallVec<[(Name, Kept<'a>); 12]>,
}

impl<'a> Fields<'a> {
    /// Keeps a value unless there is one of that name; whether it did.
    #[inline]
    pub(super) fn add(&mut self, name: Name, value: Kept<'a>) -> bool {
        let is_new = self.names & name.bit() == 0;
        if is_new {
            self.names |= name.bit();
            self.list.push((name, value));
        }
        is_new
    }

    pub(super) fn get(&self, name: Name) -> Option<&Kept<'a>> {
        if self.names & name.bit() == 0 {
            return None;
        }
        self.list.iter().find(|(known, _)| *known == name).map(|(_, kept)| kept)
    }

    pub(super) fn get_mut(&mut self, name: Name) -> Option<&mut Kept<'a>> {
        self.list.iter_mut().find(|(known, _)| *known == name).map(|(_, kept)| kept)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &Kept<'a>> {
        self.list.iter().map(|(_, kept)| kept)
    }

    pub(super) fn text(&self, name: Name) -> Option<&str> {
        match self.get(name) {
            Some(Kept::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// A whole number that fits.
    pub(super) fn number<T: std::str::FromStr>(&self, name: Name) -> Option<T> {
        match self.get(name) {
            Some(Kept::Number(digits)) => digits.parse().ok(),
            _ => None,
        }
    }

    pub(super) fn flag(&self, name: Name) -> Option<bool> {
        match self.get(name) {
            Some(Kept::Bool(flag)) => Some(*flag),
            _ => None,
        }
    }

    /// The texts of a list, and how many elements it has.
    pub(super) fn list(&self, name: Name) -> Option<(&[Cow<'a, str>], u64)> {
        match self.get(name) {
            Some(Kept::List(texts, count)) => Some((texts, *count)),
            _ => None,
        }
    }

    /// A text, or a number as it was written.
    pub(super) fn word(&self, name: Name) -> Option<&str> {
        match self.get(name) {
            Some(Kept::Text(word) | Kept::Number(word)) => Some(word),
            _ => None,
        }
    }
}
