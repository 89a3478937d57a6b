//! Lease updates that the partner refuses as conflicts (no. 22).

use std::collections::{BTreeMap, VecDeque};

use foldhash::HashMap;

use crate::findings::list::{About, Findings, Severity, Tally};
use crate::findings::view::View;
use crate::ha::catalogue::FindingCode;
use crate::ha::events::{EventKind, HaEvent};
use crate::ha::topology::RelationshipId;
use crate::units::{CaptureTime, HwAddr, SECOND, ServerId};

/// Kea's result for a lease that the partner cannot take (kea-ha §6.1).
const CONFLICT: i64 = 4;
/// A server counts a client's refused update for a day (kea-ha §8.3 no. 22).
const DAY: i64 = 86_400 * SECOND;

/// Refused updates that are remembered of that day, the last ones.
const REFUSED: usize = 65_536;

/// Refused updates of one sender, with the clients of the last day.
#[derive(Clone, Debug, Default)]
struct Refused {
    tally: Tally,
    order: VecDeque<(CaptureTime, HwAddr)>,
    clients: HashMap<HwAddr, CaptureTime>,
    most: usize,
    text: String,
}

impl Refused {
    fn client(&mut self, time: CaptureTime, chaddr: HwAddr) {
        while let Some(&(old, client)) = self.order.front()
            && (time.since(old) > DAY || self.order.len() >= REFUSED)
        {
            self.order.pop_front();
            if self.clients.get(&client) == Some(&old) {
                self.clients.remove(&client);
            }
        }
        self.order.push_back((time, chaddr));
        self.clients.insert(chaddr, time);
        self.most = self.most.max(self.clients.len());
    }
}

/// Refused updates by sender.
#[derive(Clone, Debug, Default)]
pub(super) struct Conflicts(BTreeMap<(ServerId, RelationshipId), Refused>);

impl Conflicts {
    pub(super) fn event(&mut self, event: &HaEvent) {
        if event.kind != EventKind::LeaseUpdate || event.result != Some(CONFLICT) {
            return;
        }
        let (Some(sender), Some(id)) = (event.peer, event.relationship) else { return };
        let refused = self.0.entry((sender, id)).or_default();
        refused.tally.add(event.time, event.at);
        refused.client(event.time, event.chaddr.unwrap_or_default());
        if refused.text.is_empty() {
            event.text.as_ref().clone_into(&mut refused.text);
        }
    }

    pub(super) fn finish(self, view: &View<'_>, findings: &mut Findings) {
        for ((sender, id), refused) in self.0 {
            let limits = view.analysis.network.topology.limits_of(sender, id);
            let limit = limits.map_or(0, |limits| limits.max_rejected_lease_updates);
            let ends = limit > 0 && refused.most >= limit as usize;
            let severity = if ends { Severity::Error } else { Severity::Warning };
            let partner = view.partner(id, sender).map_or("its partner", |partner| view.name(partner));
            let then = match limit {
                0 => String::new(),
                _ if ends => format!("; at {limit} clients in a day {} gives up HA", view.name(sender)),
                _ => format!("; {limit} clients in a day make {} give up HA", view.name(sender)),
            };
            let text = format!(
                "{partner} refused {} lease updates of {} for {} clients: {}{then}",
                refused.tally.count,
                view.name(sender),
                refused.most,
                refused.text
            );
            findings.whole(
                About::new(FindingCode::LeaseConflicts, severity).server(Some(sender)),
                refused.tally,
                text,
            );
        }
    }
}
