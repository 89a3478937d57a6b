//! A server in partner-down whose partner is back and gets no further (no. 21).

use std::collections::BTreeMap;

use foldhash::HashMap;

use crate::findings::list::{About, Findings, Severity, Tally};
use crate::findings::view::{View, state_of};
use crate::ha::catalogue::FindingCode;
use crate::ha::events::{EventKind, HaEvent};
use crate::ha::state::State;
use crate::ha::topology::RelationshipId;
use crate::units::{CaptureTime, SECOND, ServerId};

/// A return takes a few heartbeats and a synchronisation; five minutes are five
/// times Kea's default `sync-timeout`, which limits one page of it.
const LONG: i64 = 300 * SECOND;
/// A synchronisation that fetched a page this lately is at work: the default `sync-timeout`.
const PAGE: i64 = 60 * SECOND;

/// A server's state, since when it is reported without a change, and until when.
#[derive(Clone, Copy, Debug)]
struct Reported {
    state: State,
    since: CaptureTime,
    last: CaptureTime,
}

#[derive(Clone, Debug, Default)]
struct Stuck {
    tally: Tally,
    longest: i64,
    state: &'static str,
}

/// The states that servers report, and the returns that do not end.
#[derive(Clone, Debug, Default)]
pub(super) struct Returning {
    reported: HashMap<(RelationshipId, ServerId), Reported>,
    stuck: BTreeMap<(RelationshipId, ServerId), Stuck>,
    /// Good and failed pages that a server fetched from its partner.
    pages: HashMap<(RelationshipId, ServerId), (Option<CaptureTime>, u64)>,
}

impl Returning {
    pub(super) fn event(&mut self, view: &View<'_>, event: &HaEvent) {
        let (Some(id), Some(server)) = (event.relationship, event.server) else { return };
        if event.kind == EventKind::Sync
            && let Some(syncing) = event.peer
        {
            let (good, failed) = self.pages.entry((id, syncing)).or_default();
            // Result 3 is an empty page (kea-ha §6.2).
            match event.result {
                Some(0 | 3) => *good = Some(event.time),
                _ => *failed += 1,
            }
        }
        let Some(state) = state_of(event) else { return };
        let fresh = Reported { state, since: event.time, last: event.time };
        let own = self.reported.entry((id, server)).or_insert(fresh);
        *own = if own.state == state { Reported { last: event.time, ..*own } } else { fresh };
        let own = *own;
        let Some(partner) = view.partner(id, server) else { return };
        let Some(other) = self.reported.get(&(id, partner)).copied() else { return };
        let (back, behind) = match (own.state, other.state) {
            (State::PartnerDown, _) => (partner, other),
            (_, State::PartnerDown) => (server, own),
            _ => return,
        };
        let together = event.time.since(own.since.max(other.since));
        let current = event.time.since(own.last.min(other.last)) <= PAGE;
        let fetched = self.pages.get(&(id, back)).and_then(|(good, _)| *good);
        let at_work = fetched.is_some_and(|time| event.time.since(time) <= PAGE);
        if together <= LONG || !current || at_work || !is_returning(behind.state) {
            return;
        }
        let case = self.stuck.entry((id, back)).or_default();
        case.tally.add(event.time, event.at);
        case.longest = case.longest.max(together);
        case.state = behind.state.as_str();
    }

    pub(super) fn finish(self, view: &View<'_>, findings: &mut Findings) {
        for ((id, back), case) in self.stuck {
            let failed = self.pages.get(&(id, back)).map_or(0, |(_, failed)| *failed);
            let pages =
                if failed > 0 { format!("; {failed} requests for its leases failed") } else { String::new() };
            let alone = view.partner(id, back).map_or("its partner", |partner| view.name(partner));
            let text = format!(
                "{} reports {} for {} s and more, while {alone} stays in partner-down and serves for both{pages}",
                view.name(back),
                case.state,
                case.longest / SECOND
            );
            let about = About::new(FindingCode::PartnerDownStuck, Severity::Warning).server(Some(back));
            findings.whole(about, case.tally, text);
        }
    }
}

/// Whether a server in this state is back and not yet, or never, at work.
const fn is_returning(state: State) -> bool {
    matches!(state, State::Waiting | State::Syncing | State::Ready | State::InMaintenance)
}
