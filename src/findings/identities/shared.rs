//! One option 61, several hardware addresses.

use std::collections::BTreeMap;

use crate::exchange::Observed;
use crate::findings::bounded::{ClientKey, Recent};
use crate::findings::list::{About, Findings, SUBJECTS, Severity, Tally};
use crate::findings::view::View;
use crate::ha::catalogue::FindingCode;
use crate::units::{FrameRef, HwAddr, ZoneId, colon_hex};

/// Hardware addresses remembered per identifier; the sentence then says "at least".
const ADDRESSES: usize = 16;
/// Kea's `ClientId` takes no shorter identifier (kea-ha §1.4).
const SHORTEST_ID: usize = 2;

/// Who uses one client identifier that changed hands.
#[derive(Clone, Debug)]
struct Users {
    last: HwAddr,
    addresses: Vec<HwAddr>,
    /// Changes from one hardware address to another.
    changes: Tally,
    /// Whether an address came back after another one: both are in use.
    returned: bool,
}

/// Identifiers, by zone.
#[derive(Clone, Debug, Default)]
pub(super) struct Shared {
    /// Who used each last, and in which frame.
    last: Recent<(ClientKey, ZoneId), (HwAddr, FrameRef)>,
    ids: BTreeMap<(ZoneId, Box<[u8]>), Users>,
    /// Changes of identifiers for which there was no room.
    others: Tally,
}

impl Shared {
    pub(super) fn query(&mut self, view: &View<'_>, query: &Observed) {
        let Some(id) = query.client_id().filter(|id| id.len() >= SHORTEST_ID) else { return };
        let now = (query.chaddr, query.at);
        let last = self.last.entry((view.facts.keys.bytes(id), query.zone), || now);
        let before = std::mem::replace(last, now);
        if before.0 != query.chaddr {
            self.changed(before, query, id);
        }
    }

    fn changed(&mut self, (before, at): (HwAddr, FrameRef), query: &Observed, id: &[u8]) {
        let key = (query.zone, Box::from(id));
        if self.ids.len() >= SUBJECTS && !self.ids.contains_key(&key) {
            self.others.add(query.time, query.at);
            return;
        }
        let users = self.ids.entry(key).or_insert_with(|| {
            let mut changes = Tally::default();
            changes.show(at);
            Users { last: before, addresses: vec![before], changes, returned: false }
        });
        users.changes.add(query.time, query.at);
        if users.addresses.contains(&query.chaddr) {
            users.returned = true;
        } else if users.addresses.len() < ADDRESSES {
            users.addresses.push(query.chaddr);
        }
        users.last = query.chaddr;
    }

    pub(super) fn finish(self, findings: &mut Findings) {
        for ((zone, id), users) in self.ids {
            // A host may change its network card once, or use another one for a while and stay there.
            let severity = if users.returned { Severity::Warning } else { Severity::Note };
            let some: Vec<String> = users.addresses.iter().take(3).map(ToString::to_string).collect();
            let many = if users.addresses.len() < ADDRESSES { "" } else { "at least " };
            let text = format!(
                "{many}{} hardware addresses use the client identifier {}: {}; it changed {} times",
                users.addresses.len(),
                colon_hex(&id),
                some.join(", "),
                users.changes.count
            );
            let about = About::new(FindingCode::DuplicateClientId, severity).zone(zone).client(users.last);
            findings.whole(about, users.changes, text);
        }
        let text = "further client identifiers changed their hardware address".to_owned();
        findings.whole(About::new(FindingCode::DuplicateClientId, Severity::Note), self.others, text);
    }
}
