//! Clocks of servers that differ (kea-ha §4.2, §8.3 no. 19).
//!
//! A heartbeat's answer names the time on the server that sent it. Kea compares
//! it with its own clock; here it is compared with the capture's, and two
//! servers with each other through it. A capture whose own clock is wrong
//! therefore proves nothing against a pair whose clocks agree.

use std::collections::BTreeMap;

use foldhash::HashMap;

use super::list::{About, Findings, Severity, Tally};
use super::view::View;
use crate::ha::catalogue::FindingCode;
use crate::ha::events::{EventKind, HaEvent};
use crate::ha::topology::RelationshipId;
use crate::units::{CaptureTime, SECOND, ServerId};

/// Kea warns strictly above this many seconds (kea-ha §4.2).
const WARN_S: i64 = 30;
/// Kea terminates HA strictly above this many seconds (kea-ha §4.2).
const TERMINATE_S: i64 = 60;
/// How old the other server's time may be to be compared with: clocks drift by
/// far less than a second in an hour.
const RECENT: i64 = 3600 * SECOND;

/// What one server's clock says against the capture's.
#[derive(Clone, Copy, Debug)]
struct Offset {
    time: CaptureTime,
    ns: i64,
}

/// The skew of one server.
#[derive(Clone, Debug, Default)]
struct Skew {
    tally: Tally,
    worst_s: i64,
    against: Option<ServerId>,
    /// The capture's clock says that it is the partner's that is wrong.
    cleared: bool,
}

/// The clocks so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Clocks {
    /// The latest of each server; at first the first one, so that no answer has to do without.
    offsets: HashMap<(RelationshipId, ServerId), Offset>,
    skews: BTreeMap<(RelationshipId, ServerId), Skew>,
}

impl Clocks {
    pub(super) fn begin(&mut self, events: &[HaEvent]) {
        for (key, offset) in events.iter().filter_map(said) {
            self.offsets.entry(key).or_insert(offset);
        }
    }

    pub(super) fn event(&mut self, view: &View<'_>, event: &HaEvent) {
        let Some(((id, server), own)) = said(event) else { return };
        self.offsets.insert((id, server), own);
        let partner = view.partner(id, server);
        let other = partner
            .and_then(|partner| self.offsets.get(&(id, partner)))
            .filter(|other| own.time.since(other.time).saturating_abs() <= RECENT);
        let seconds = skew_s(own.ns, other.map(|other| other.ns));
        if seconds.saturating_abs() <= WARN_S {
            return;
        }
        let skew = self.skews.entry((id, server)).or_default();
        skew.tally.add(event.time, event.at);
        if seconds.saturating_abs() > skew.worst_s.saturating_abs() {
            skew.worst_s = seconds;
            skew.against = partner.filter(|_| other.is_some());
            let off = |ns: i64| skew_s(ns, None).saturating_abs() > WARN_S;
            skew.cleared = !off(own.ns) && other.is_some_and(|other| off(other.ns));
        }
    }

    pub(super) fn finish(self, view: &View<'_>, findings: &mut Findings) {
        for ((_, server), skew) in self.skews.into_iter().filter(|(_, skew)| !skew.cleared) {
            let seconds = skew.worst_s.saturating_abs();
            let severity = if seconds > TERMINATE_S { Severity::Error } else { Severity::Warning };
            let way = if skew.worst_s > 0 { "ahead of" } else { "behind" };
            let against = skew.against.map_or("the capture's clock", |partner| view.name(partner));
            let then =
                if seconds > TERMINATE_S { "; beyond 60 s Kea gives up HA on both servers" } else { "" };
            let text = format!("the clock of {} is {seconds} s {way} {against}{then}", view.name(server));
            findings.whole(
                About::new(FindingCode::ClockSkew, severity).server(Some(server)),
                skew.tally,
                text,
            );
        }
    }
}

/// What a heartbeat's answer says of whose clock.
fn said(event: &HaEvent) -> Option<((RelationshipId, ServerId), Offset)> {
    if event.kind != EventKind::Heartbeat {
        return None;
    }
    let (id, server) = (event.relationship?, event.server?);
    Some(((id, server), Offset { time: event.time, ns: event.date_time?.since(event.time) }))
}

/// The skew in whole seconds, towards zero as Kea counts: against the partner's
/// clock where its offset is known, else against the capture's.
const fn skew_s(own_ns: i64, other_ns: Option<i64>) -> i64 {
    let base = match other_ns {
        Some(ns) => ns,
        None => 0,
    };
    own_ns.saturating_sub(base) / SECOND
}

#[cfg(test)]
mod tests;
