//! Clocks of servers that differ (kea-ha §4.2, §8.3 no. 19).
//!
//! A heartbeat's answer names the time on the server that sent it. Kea compares
//! it with its own clock; here it is compared with the capture's, and two
//! servers with each other through it. A capture whose own clock is wrong
//! therefore proves nothing against a pair whose clocks agree.

use std::collections::{BTreeMap, HashMap};

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

pub(super) fn find(view: &View<'_>, findings: &mut Findings) {
    differing(view, |event| event.date_time, findings);
}

/// What one server's clock says against the capture's.
#[derive(Clone, Copy)]
struct Offset {
    time: CaptureTime,
    ns: i64,
}

/// The skew of one server.
#[derive(Default)]
struct Skew {
    tally: Tally,
    worst_s: i64,
    against: Option<ServerId>,
    /// The capture's clock says that it is the partner's that is wrong.
    cleared: bool,
}

fn differing(view: &View<'_>, date_time: impl Fn(&HaEvent) -> Option<CaptureTime>, findings: &mut Findings) {
    let said = |event: &HaEvent| {
        let (id, server) = (event.relationship?, event.server?);
        Some(((id, server), Offset { time: event.time, ns: date_time(event)?.since(event.time) }))
    };
    let heartbeats = || view.analysis.events.iter().filter(|event| event.kind == EventKind::Heartbeat);
    // The latest of each server; at first the first one, so that no answer has to do without.
    let mut offsets: HashMap<(RelationshipId, ServerId), Offset> = HashMap::new();
    for (key, offset) in heartbeats().filter_map(said) {
        offsets.entry(key).or_insert(offset);
    }
    let mut skews: BTreeMap<(RelationshipId, ServerId), Skew> = BTreeMap::new();
    for event in heartbeats() {
        let Some(((id, server), own)) = said(event) else { continue };
        offsets.insert((id, server), own);
        let partner = view.partner(id, server);
        let other = partner
            .and_then(|partner| offsets.get(&(id, partner)))
            .filter(|other| own.time.since(other.time).saturating_abs() <= RECENT);
        let seconds = skew_s(own.ns, other.map(|other| other.ns));
        if seconds.saturating_abs() <= WARN_S {
            continue;
        }
        let skew = skews.entry((id, server)).or_default();
        skew.tally.add(event.time, event.at);
        if seconds.saturating_abs() > skew.worst_s.saturating_abs() {
            skew.worst_s = seconds;
            skew.against = partner.filter(|_| other.is_some());
            let off = |ns: i64| skew_s(ns, None).saturating_abs() > WARN_S;
            skew.cleared = !off(own.ns) && other.is_some_and(|other| off(other.ns));
        }
    }
    for ((_, server), skew) in skews.into_iter().filter(|(_, skew)| !skew.cleared) {
        let seconds = skew.worst_s.saturating_abs();
        let severity = if seconds > TERMINATE_S { Severity::Error } else { Severity::Warning };
        let way = if skew.worst_s > 0 { "ahead of" } else { "behind" };
        let against = skew.against.map_or("the capture's clock", |partner| view.name(partner));
        let then = if seconds > TERMINATE_S { "; beyond 60 s Kea gives up HA on both servers" } else { "" };
        let text = format!("the clock of {} is {seconds} s {way} {against}{then}", view.name(server));
        findings.whole(About::new(FindingCode::ClockSkew, severity).server(Some(server)), skew.tally, text);
    }
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
