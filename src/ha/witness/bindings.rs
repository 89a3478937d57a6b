//! Lease files against ACKs, and the files of partners against each other.
//!
//! A file may have been copied at any time after the last captured frame, so a
//! row that is newer than the captures contradicts nothing. Expiry times are in
//! UTC by the server's clock; where most of a file's leases are off by the same
//! time, that clock is what differs.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::{Contradiction, MOST, seconds};
use crate::dhcp::MessageType;
use crate::exchange::lease::Lease;
use crate::exchange::{Client, Observed};
use crate::ha::catalogue::FindingCode;
use crate::ha::decide::Evidence;
use crate::ha::topology::RelationshipId;
use crate::kea::leases::{LeaseFile, Row};
use crate::units::{CaptureTime, SECOND, ServerId};

/// Kea counts leases in whole seconds, and begins before the ACK leaves.
const SAME: i64 = 2 * SECOND;
/// Leases that must be off alike before it is called the clock.
const FEWEST: usize = 3;

/// The leases that this server acknowledged, as its file has them, and what it has beyond.
pub(super) fn against_acks(
    files: &[(ServerId, LeaseFile)],
    evidence: &Evidence<'_>,
    leases: &[Lease],
) -> Vec<Contradiction> {
    let mut last: BTreeMap<Ipv4Addr, &Lease> = BTreeMap::new();
    for lease in leases {
        let newest = last.entry(lease.ip).or_insert(lease);
        if newest.last_ack <= lease.last_ack {
            *newest = lease;
        }
    }
    let acks = acks(evidence);
    let mut found = Vec::new();
    for (server, file) in files {
        let own = || last.values().copied().filter(|lease| lease.server == *server && lease.end.is_none());
        let skew = skew(own().filter_map(|lease| {
            let row = file.rows.get(&lease.ip).filter(|row| row.is_bound() && is_of(row, &lease.client))?;
            Some(row.expires()?.since(lease.expires()?))
        }));
        for lease in own() {
            if let Some(what) = difference(lease, file.rows.get(&lease.ip), skew, evidence.capture_end) {
                let name = evidence.network.machines.name(*server);
                let frames = acks.get(&lease.ip).map(Vec::as_slice).unwrap_or_default();
                let ack = frames.iter().find(|it| it.time == lease.last_ack);
                found.push(Contradiction {
                    code: FindingCode::LeaseFileContradictsAck,
                    time: lease.last_ack,
                    zone: lease.zone,
                    server: *server,
                    client: Some(lease.client.chaddr),
                    text: format!("{name} acknowledged {}, and its lease file {what}", lease.ip),
                    frames: ack.map(|it| it.at).into_iter().collect(),
                });
            }
        }
        found.extend(unknown((*server, file), skew, &acks, evidence).take(MOST));
    }
    found
}

/// How a file's row differs from what was acknowledged.
fn difference(lease: &Lease, row: Option<&Row>, skew: i64, end: CaptureTime) -> Option<String> {
    let Some(row) = row else { return Some("has no lease for it".to_owned()) };
    let since = row.since().plus(-skew);
    let newer = since > end;
    if newer {
        return None;
    }
    if !is_of(row, &lease.client) {
        let holder = if row.mac.is_empty() { "another client".to_owned() } else { row.mac.to_string() };
        return Some(format!("says that {holder} holds it"));
    }
    if row.is_deleted() {
        // It knew of this ACK and deleted the lease later, after the captures.
        return (since.plus(SAME) < lease.last_ack).then(|| "has deleted it before".to_owned());
    }
    match (lease.expires(), row.expires()) {
        (Some(acked), Some(filed)) => {
            let off = filed.plus(-skew).since(acked);
            (off.saturating_abs() > SAME).then(|| format!("says that it ends {} from then", seconds(off)))
        }
        (Some(_), None) => Some("says that it never ends".to_owned()),
        // Infinite, or a lease time that was not captured.
        (None, Some(_)) if lease.lease_s.is_some() => Some("says that it ends".to_owned()),
        (None, _) => None,
    }
}

/// Leases that a file says were given on a captured wire while it was captured, without an ACK there.
fn unknown<'a>(
    (server, file): (ServerId, &'a LeaseFile),
    skew: i64,
    acks: &'a Acks<'_>,
    evidence: &'a Evidence<'_>,
) -> impl Iterator<Item = Contradiction> + 'a {
    let start = evidence.messages.first().map_or(evidence.capture_end, |message| message.time);
    file.rows.iter().filter_map(move |(address, row)| {
        let since = row.since().plus(-skew);
        let zone = evidence.network.zone_holding(*address)?;
        let shown = acks.get(address).is_some_and(|acks| acks.iter().any(|it| it.chaddr == row.mac));
        // The second in which the captures begin is not whole.
        let meanwhile = since >= start.plus(SECOND) && since <= evidence.capture_end;
        (row.is_bound() && meanwhile && !shown && !row.mac.is_empty()).then(|| Contradiction {
            code: FindingCode::LeaseFileUnknownLease,
            time: since,
            zone,
            server,
            client: Some(row.mac),
            text: format!(
                "the lease file of {} says that {} got {address}, and no captured ACK gave it",
                evidence.network.machines.name(server),
                row.mac
            ),
            frames: Vec::new(),
        })
    })
}

/// Bindings of one relationship that the files of its servers do not agree on.
pub(super) fn against_each_other(
    files: &[(ServerId, LeaseFile)],
    evidence: &Evidence<'_>,
) -> Vec<Contradiction> {
    let topology = &*evidence.network.topology;
    let acks = acks(evidence);
    let mut found = Vec::new();
    for (at, relationship) in topology.relationships.iter().enumerate() {
        let peers = relationship.peers.iter().filter_map(|peer| peer.server);
        let theirs = peers.filter_map(|id| files.iter().find(|(server, _)| *server == id));
        let theirs: Vec<&(ServerId, LeaseFile)> = theirs.collect();
        let Some((first, others)) = theirs.split_first() else { continue };
        for other in others {
            found.extend(pair(first, other, RelationshipId(at), &acks, evidence));
        }
    }
    found
}

fn pair(
    (one, a): &(ServerId, LeaseFile),
    (other, b): &(ServerId, LeaseFile),
    relationship: RelationshipId,
    acks: &Acks<'_>,
    evidence: &Evidence<'_>,
) -> Vec<Contradiction> {
    let mut found = Vec::new();
    let name = |server: ServerId| evidence.network.machines.name(server);
    let addresses: std::collections::BTreeSet<_> = a.rows.keys().chain(b.rows.keys()).collect();
    for address in addresses {
        if ![*one, *other].iter().all(|server| shares(evidence, *server, *address, relationship)) {
            continue;
        }
        let rows = [a.rows.get(address), b.rows.get(address)];
        let Some(what) = disagreement(rows, [name(*one), name(*other)], evidence.capture_end) else {
            continue;
        };
        let zone = evidence.network.zone_holding(*address);
        found.push(Contradiction {
            code: FindingCode::LeaseFilesDiffer,
            time: evidence.capture_end,
            zone: zone.unwrap_or_else(|| super::zone_of(evidence, *one)),
            server: *one,
            client: rows.into_iter().flatten().find(|row| row.is_bound()).map(|row| row.mac),
            text: format!(
                "the lease files of {} and {} differ about {address}: {what}",
                name(*one),
                name(*other)
            ),
            frames: acks.get(address).into_iter().flatten().take(4).map(|it| it.at).collect(),
        });
        if found.len() >= MOST {
            break;
        }
    }
    found
}

/// The captured ACKs by address, in the order they were read.
type Acks<'m> = BTreeMap<Ipv4Addr, Vec<&'m Observed>>;

fn acks<'m>(evidence: &Evidence<'m>) -> Acks<'m> {
    let mut acks = Acks::new();
    for ack in evidence.messages.iter().filter(|it| it.message_type == Some(MessageType::ACK)) {
        acks.entry(ack.yiaddr).or_default().push(ack);
    }
    acks
}

/// How two files' rows for one address exclude each other at the end of the captures.
fn disagreement(rows: [Option<&Row>; 2], names: [&str; 2], end: CaptureTime) -> Option<String> {
    // Copied at different times, files differ in what happened in between.
    if rows.iter().flatten().any(|row| row.since() > end) {
        return None;
    }
    let live = |row: &&Row| row.is_bound() && row.expires().is_none_or(|at| at > end);
    match rows.map(|row| row.filter(live)) {
        [Some(a), Some(b)] if !same_holder(a, b) => {
            Some(format!("{} says {}, {} says {}", names[0], a.mac, names[1], b.mac))
        }
        [Some(a), Some(b)] => {
            let off = match (a.expires(), b.expires()) {
                (Some(a), Some(b)) => b.since(a),
                (None, None) => 0,
                _ => i64::MAX,
            };
            (off.saturating_abs() > SAME).then(|| format!("its end lies {} apart", seconds(off)))
        }
        [None, None] => None,
        [a, b] => {
            let (row, lacks) = (a.or(b)?, usize::from(a.is_some()));
            let gone = rows.get(lacks).copied().flatten();
            // Who deleted what the other still has knew it; that may be the time between two copies.
            let later = gone.is_some_and(|gone| gone.is_deleted() && gone.since().plus(SAME) >= row.since());
            let name = names.get(lacks).copied().unwrap_or_default();
            (!later).then(|| format!("{name} does not have it bound to {}", row.mac))
        }
    }
}

/// Whether a server keeps leases of this address in this relationship, as far as its file says.
fn shares(evidence: &Evidence<'_>, server: ServerId, address: Ipv4Addr, id: RelationshipId) -> bool {
    let topology = &*evidence.network.topology;
    let Some(kea) = topology.server(server).and_then(|it| it.kea.as_ref()) else { return true };
    let mut holding = kea.subnets.iter().filter(|subnet| subnet.prefix.contains(&address));
    holding.any(|subnet| topology.relationship_of_subnet(server, subnet) == Some(id))
}

fn is_of(row: &Row, client: &Client) -> bool {
    if row.mac.is_empty() || client.chaddr.is_empty() {
        return row.client_id.as_deref() == client.client_id.as_deref();
    }
    row.mac == client.chaddr
}

fn same_holder(a: &Row, b: &Row) -> bool {
    if a.mac.is_empty() || b.mac.is_empty() { a.client_id == b.client_id } else { a.mac == b.mac }
}

/// The difference that most of them share; 0 where they do not, or are too few.
fn skew(differences: impl Iterator<Item = i64>) -> i64 {
    let mut all: Vec<i64> = differences.collect();
    all.sort_unstable();
    let median = all.get(all.len() / 2).copied().unwrap_or_default();
    let alike = all.iter().filter(|off| off.saturating_sub(median).saturating_abs() <= SAME).count();
    if alike >= FEWEST && alike * 3 >= all.len() * 2 && median.saturating_abs() > SAME { median } else { 0 }
}
