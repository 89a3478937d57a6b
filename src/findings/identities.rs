//! What clients say about themselves (kea-ha §1.4, §8.3 no. 15 to 17).

use std::collections::{BTreeMap, HashMap};

use super::list::{About, Findings, Severity, Tally};
use super::view::View;
use crate::dhcp::MessageType;
use crate::exchange::Observed;
use crate::ha::catalogue::{FindingCode, Rule};
use crate::ha::hash::Owner;
use crate::units::{HwAddr, MessageId, SECOND, ZoneId, colon_hex};

/// Hardware addresses remembered per identifier; the sentence then says "at least".
const ADDRESSES: usize = 16;
/// Kea's `ClientId` takes no shorter identifier (kea-ha §1.4).
const SHORTEST_ID: usize = 2;
/// Two queries with one xid this close together are one transaction of the client.
const TRANSACTION: i64 = 70 * SECOND;

pub(super) fn find(view: &View<'_>, findings: &mut Findings) {
    shared(view, findings);
    flips(view, findings);
    nobody(view, findings);
}

/// The queries in which a client asks for an address, each once.
fn requests<'a>(view: &View<'a>) -> impl Iterator<Item = &'a Observed> + use<'a> {
    view.analysis.messages.iter().filter(|message| {
        message.sighting_of.is_none()
            && matches!(message.message_type, Some(MessageType::DISCOVER | MessageType::REQUEST))
    })
}

/// Who uses one client identifier.
struct Users<'a> {
    last: &'a Observed,
    addresses: Vec<HwAddr>,
    /// Changes from one hardware address to another.
    changes: Tally,
    /// Whether an address came back after another one: both are in use.
    returned: bool,
}

/// One option 61, several hardware addresses.
fn shared(view: &View<'_>, findings: &mut Findings) {
    let mut ids: BTreeMap<(ZoneId, &[u8]), Users<'_>> = BTreeMap::new();
    for query in requests(view).filter(|query| !query.chaddr.is_empty()) {
        let Some(id) = query.client_id().filter(|id| id.len() >= SHORTEST_ID) else { continue };
        let users = ids.entry((query.zone, id)).or_insert_with(|| Users {
            last: query,
            addresses: vec![query.chaddr],
            changes: Tally::default(),
            returned: false,
        });
        if users.last.chaddr != query.chaddr {
            if users.changes.count == 0 {
                users.changes.show(users.last.at);
            }
            users.changes.add(query.time, query.at);
            if users.addresses.contains(&query.chaddr) {
                users.returned = true;
            } else if users.addresses.len() < ADDRESSES {
                users.addresses.push(query.chaddr);
            }
        }
        users.last = query;
    }
    for ((zone, id), users) in ids {
        // A host may change its network card once, or use another one for a while and stay there.
        let severity = if users.returned { Severity::Warning } else { Severity::Note };
        let some: Vec<String> = users.addresses.iter().take(3).map(ToString::to_string).collect();
        let many = if users.addresses.len() < ADDRESSES { "" } else { "at least " };
        let text = format!(
            "{many}{} hardware addresses use the client identifier {}: {}; it changed {} times",
            users.addresses.len(),
            colon_hex(id),
            some.join(", "),
            users.changes.count
        );
        let about = About::new(FindingCode::DuplicateClientId, severity).zone(zone).client(users.last.chaddr);
        findings.whole(about, users.changes, text);
    }
}

/// Flips of one severity in one zone.
#[derive(Default)]
struct Flips {
    tally: Tally,
    /// Those that give the client to the other server of a load-balancing pair.
    moved: u64,
    example: String,
}

/// One hardware address with several option 61, or with and without one.
fn flips(view: &View<'_>, findings: &mut Findings) {
    let mut last: HashMap<(ZoneId, HwAddr), &Observed> = HashMap::new();
    let mut zones: BTreeMap<(ZoneId, Severity), Flips> = BTreeMap::new();
    for query in requests(view).filter(|query| !query.chaddr.is_empty()) {
        let Some(before) = last.insert((query.zone, query.chaddr), query) else { continue };
        if before.client_id() == query.client_id() {
            continue;
        }
        // Within one transaction the second message may belong to another server than the first.
        let inside = before.xid == query.xid && query.time.since(before.time) <= TRANSACTION;
        let judged = query.exchange.and_then(|id| view.analysis.exchange(id));
        let balanced = judged.is_some_and(|(_, judgement)| view.balanced(judgement.relationship).is_some());
        let moved = balanced && before.hash.map(Owner::of) != query.hash.map(Owner::of);
        let severity = if inside && moved { Severity::Warning } else { Severity::Note };
        let flips = zones.entry((query.zone, severity)).or_default();
        if flips.tally.count == 0 {
            let id = |message: &Observed| message.client_id().map_or_else(|| "none".to_owned(), colon_hex);
            flips.example = format!("{} sent {}, then {}", query.chaddr, id(before), id(query));
            flips.tally.show(before.at);
        }
        flips.tally.add(query.time, query.at);
        flips.moved += u64::from(moved);
    }
    for ((zone, severity), flips) in zones {
        let inside = if severity == Severity::Warning { " within a transaction" } else { "" };
        let moved = match flips.moved {
            0 => String::new(),
            times => format!("; {times} times the other server became their owner"),
        };
        let text = format!(
            "clients changed their client identifier{inside} {} times in {}; {}{moved}",
            flips.tally.count,
            view.zone_name(zone),
            flips.example
        );
        findings.whole(About::new(FindingCode::IdentityFlip, severity).zone(zone), flips.tally, text);
    }
}

/// Clients that a load-balancing pair cannot tell an owner for: both servers drop them.
fn nobody(view: &View<'_>, findings: &mut Findings) {
    let mut last: Option<MessageId> = None;
    for decision in &view.analysis.decisions {
        // Both servers have a decision about the query; it counts once.
        if decision.rule != Rule::NoIdentifier || last == Some(decision.query) {
            continue;
        }
        last = Some(decision.query);
        let query = view.message(decision.query);
        let about = About::new(FindingCode::NoIdentifierClient, Severity::Warning).zone(query.zone);
        findings.add(about, query.time, query.at, || {
            let name = decision
                .relationship
                .map_or_else(String::new, |id| view.analysis.network.topology.relationship_name(id));
            format!(
                "a {} without hardware address and client identifier: neither server of {name} answers it",
                query.type_name()
            )
        });
    }
}
