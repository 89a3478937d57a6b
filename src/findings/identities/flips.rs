//! One hardware address with several option 61, or with and without one.

use std::collections::BTreeMap;

use crate::exchange::{ClientId, Observed};
use crate::findings::bounded::Recent;
use crate::findings::list::{About, Findings, Severity, Tally};
use crate::findings::view::View;
use crate::ha::catalogue::FindingCode;
use crate::ha::hash::Owner;
use crate::units::{CaptureTime, FrameRef, HwAddr, SECOND, Xid, ZoneId, colon_hex};

/// Two queries with one xid this close together are one transaction of the client.
const TRANSACTION: i64 = 70 * SECOND;

/// What counts of a query when the client's next one comes.
#[derive(Clone, Debug)]
struct Query {
    time: CaptureTime,
    at: FrameRef,
    xid: Xid,
    hash: Option<u8>,
    client_id: Option<ClientId>,
}

impl Query {
    fn of(query: &Observed) -> Self {
        let client_id = query.client_id().map(Into::into);
        Self { time: query.time, at: query.at, xid: query.xid, hash: query.hash, client_id }
    }
}

/// Flips of one severity in one zone.
#[derive(Clone, Debug, Default)]
struct Seen {
    tally: Tally,
    /// Those that give the client to the other server of a load-balancing pair.
    moved: u64,
    example: String,
}

/// The last query of each hardware address, and how often it flipped.
#[derive(Clone, Debug, Default)]
pub(super) struct Flips {
    last: Recent<(HwAddr, ZoneId), Query>,
    seen: BTreeMap<(ZoneId, Severity), Seen>,
}

impl Flips {
    pub(super) fn query(&mut self, view: &View<'_>, query: &Observed) {
        let mut new = false;
        let last = self.last.entry((query.chaddr, query.zone), || {
            new = true;
            Query::of(query)
        });
        if new {
            return;
        }
        if last.client_id.as_deref() == query.client_id() {
            (last.time, last.at, last.xid, last.hash) = (query.time, query.at, query.xid, query.hash);
            return;
        }
        let before = std::mem::replace(last, Query::of(query));
        // Within one transaction the second message may belong to another server than the first.
        let inside = before.xid == query.xid && query.time.since(before.time) <= TRANSACTION;
        let judged = query.exchange.and_then(|id| view.batch.exchange(id));
        let balanced = judged.is_some_and(|(_, judgement)| view.balanced(judgement.relationship).is_some());
        let moved = balanced && before.hash.map(Owner::of) != query.hash.map(Owner::of);
        let severity = if inside && moved { Severity::Warning } else { Severity::Note };
        let seen = self.seen.entry((query.zone, severity)).or_default();
        if seen.tally.count == 0 {
            let id = |id: Option<&[u8]>| id.map_or_else(|| "none".to_owned(), colon_hex);
            let (old, new) = (id(before.client_id.as_deref()), id(query.client_id()));
            seen.example = format!("{} sent {old}, then {new}", query.chaddr);
            seen.tally.show(before.at);
        }
        seen.tally.add(query.time, query.at);
        seen.moved += u64::from(moved);
    }

    pub(super) fn finish(self, view: &View<'_>, findings: &mut Findings) {
        // A client that comes back after very many others is taken for a new one.
        let missed = if self.last.forgotten > 0 { "at least " } else { "" };
        for ((zone, severity), seen) in self.seen {
            let inside = if severity == Severity::Warning { " within a transaction" } else { "" };
            let moved = match seen.moved {
                0 => String::new(),
                times => format!("; {times} times the other server became their owner"),
            };
            let text = format!(
                "clients changed their client identifier{inside} {missed}{} times in {}; {}{moved}",
                seen.tally.count,
                view.zone_name(zone),
                seen.example
            );
            findings.whole(About::new(FindingCode::IdentityFlip, severity).zone(zone), seen.tally, text);
        }
    }
}
