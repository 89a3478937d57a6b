//! The result in a few sentences, each worked out from what was gathered.

use std::collections::BTreeMap;

use super::document::Words;
use super::expected;
use super::gather::{Gathered, MOST_CLIENTS};
use super::history::is_takeover;
use crate::findings::{Finding, Severity};
use crate::ha::catalogue::Verdict;
use crate::pipeline::Analysis;
use crate::table::utc;
use crate::units::ServerId;

/// Names in a sentence; who wants all has the tables.
const MOST_NAMES: usize = 6;

/// The captures in one line: zones and span.
pub fn captures(last: &Analysis<'_>) -> String {
    let first = last.sources.iter().filter_map(|source| source.first).min();
    let span = first.zip(last.sources.iter().filter_map(|source| source.last).max());
    let zones = zones(last);
    match span {
        Some((from, to)) => {
            let (from, to) = (utc(from.0), utc(to.0));
            let (from, to) = (from.get(..19).unwrap_or_default(), to.get(..19).unwrap_or_default());
            let to = if from.get(..10) == to.get(..10) { to.get(11..).unwrap_or_default() } else { to };
            format!("{zones} · {from} to {to} UTC")
        }
        None => zones,
    }
}

fn zones(last: &Analysis<'_>) -> String {
    let mut zones: Vec<String> = Vec::new();
    for source in &last.sources {
        if !zones.contains(&source.zone) {
            zones.push(source.zone.clone());
        }
    }
    some(zones.into_iter())
}

/// The report's own title, where the user gives none.
pub fn title(last: &Analysis<'_>) -> String {
    match zones(last) {
        zones if zones.is_empty() => "DHCP report".to_owned(),
        zones => format!("DHCP report: {zones}"),
    }
}

/// The sentences.
pub fn sentences(gathered: &Gathered, last: &Analysis<'_>, findings: &[Finding]) -> Vec<Words> {
    let mut said = vec![read(gathered, last)];
    said.extend(leases(gathered, last));
    said.extend(expectation(gathered));
    said.extend(silence(gathered, last));
    said.extend(takeovers(last));
    if gathered.unserved_count > 0 {
        said.push(format!(
            "{} ended without a lease.",
            count(gathered.unserved_count, "exchange", "exchanges")
        ));
    }
    if !gathered.checked.is_empty() {
        said.push(expected::verdict(&gathered.checked));
    }
    said.extend(severe(last, findings));
    said.into_iter().map(Words::from).collect()
}

fn read(gathered: &Gathered, last: &Analysis<'_>) -> String {
    let counts = last.counts.total();
    let captures = count(last.sources.len() as u64, "capture", "captures");
    if counts.frames() == 0 {
        return format!("{captures}, and no frame in it: there is nothing to report.");
    }
    let frames = count(counts.frames(), "frame", "frames");
    if counts.messages == 0 {
        return format!(
            "{captures} with {frames}, and no DHCP message among them: there is nothing to report."
        );
    }
    let messages = count(counts.messages, "is a DHCP message", "are DHCP messages");
    let at_least = if gathered.clients.len() >= MOST_CLIENTS { "at least " } else { "" };
    format!(
        "{captures} with {frames}, of which {messages}: {at_least}{} in {}.",
        count(gathered.clients.len() as u64, "client", "clients"),
        count(last.settled, "exchange", "exchanges")
    )
}

fn leases(gathered: &Gathered, last: &Analysis<'_>) -> Option<String> {
    if last.settled == 0 {
        return None;
    }
    let mut by_server: BTreeMap<ServerId, u64> = BTreeMap::new();
    for ((server, _), leases) in &gathered.given {
        *by_server.entry(*server).or_default() += leases;
    }
    if by_server.is_empty() {
        return Some("No lease was given.".to_owned());
    }
    let mut servers: Vec<(ServerId, u64)> = by_server.into_iter().collect();
    servers.sort_by_key(|(server, leases)| (std::cmp::Reverse(*leases), *server));
    let who = servers
        .into_iter()
        .map(|(server, leases)| format!("{leases} by {}", last.network.machines.name(server)));
    let given = if gathered.lease_count == 1 { "lease was given" } else { "leases were given" };
    Some(format!("{} {given}: {}.", gathered.lease_count, some(who)))
}

/// How many leases came from the server that Kea's rules name.
fn expectation(gathered: &Gathered) -> Option<String> {
    let of = |verdict: Verdict| gathered.lease_verdicts.get(&verdict).copied().unwrap_or_default();
    let all = gathered.lease_count;
    if all == 0 {
        return None;
    }
    let (owner, took_over, free) =
        (of(Verdict::OwnerAnswered), of(Verdict::PartnerTookOver), of(Verdict::AnsweredWithoutHa));
    let unexplained = of(Verdict::AnsweredUnexplained);
    let expected = owner + took_over + free;
    if unexplained == all {
        return Some(
            "Nothing is known of the servers' configuration, so there is no rule to compare with.".to_owned(),
        );
    }
    let after = if took_over > 0 { format!(", {took_over} of them after a takeover") } else { String::new() };
    let first = if expected == all {
        format!("Every lease came from the server that Kea's rules expect{after}")
    } else {
        format!("{expected} of them came from the server that Kea's rules expect{after}")
    };
    let against = all - expected - unexplained;
    let against = if against > 0 { format!("; {against} did not") } else { String::new() };
    let unexplained =
        if unexplained > 0 { format!("; of {unexplained} it is not known") } else { String::new() };
    Some(format!("{first}{against}{unexplained}."))
}

/// The silence of a healthy pair, which no packet shows.
fn silence(gathered: &Gathered, last: &Analysis<'_>) -> Option<String> {
    let times = gathered.silent.iter().map(|(server, times)| {
        format!("{} in {}", last.network.machines.name(*server), count(*times, "exchange", "exchanges"))
    });
    let times = some(times);
    (!times.is_empty()).then(|| {
        format!(
            "Servers that heard a client and rightly left it to the partner that owns the query: {times}."
        )
    })
}

fn takeovers(last: &Analysis<'_>) -> Option<String> {
    let taken = last.replay.transitions.iter().filter(|change| is_takeover(last, change));
    let taken: Vec<String> = taken
        .map(|change| {
            let time = utc(change.instant().0);
            let time = time.get(11..19).unwrap_or_default();
            let topology = &*last.network.topology;
            let peers =
                topology.relationship(change.relationship).map(|it| it.peers.as_slice()).unwrap_or_default();
            let partner = peers.iter().filter_map(|peer| peer.server).find(|other| *other != change.server);
            let partner = partner.map_or("its partner", |partner| last.network.machines.name(partner));
            format!("{} for {partner} at {time}", last.network.machines.name(change.server))
        })
        .collect();
    if taken.is_empty() {
        return None;
    }
    Some(format!("{}: {}.", count(taken.len() as u64, "takeover", "takeovers"), some(taken.into_iter())))
}

/// The most severe findings.
fn severe(last: &Analysis<'_>, findings: &[Finding]) -> Option<String> {
    let count_of =
        |severity: Severity| findings.iter().filter(|finding| finding.severity == severity).count() as u64;
    let (errors, warnings) = (count_of(Severity::Error), count_of(Severity::Warning));
    let Some(first) = findings.first().filter(|first| first.severity > Severity::Note) else {
        return (last.settled > 0)
            .then(|| "Nothing here is against the rules or left a client without service.".to_owned());
    };
    let errors = (errors > 0).then(|| count(errors, "error", "errors"));
    let warnings = (warnings > 0).then(|| count(warnings, "warning", "warnings"));
    let counts: Vec<String> = errors.into_iter().chain(warnings).collect();
    let (counts, text) = (counts.join(" and "), first.text.trim_end_matches('.'));
    Some(format!("Findings: {counts}, first of all {} ({text}).", first.code.code()))
}

/// `1 client`, `2 clients`.
fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// The first names, and how many more there are.
fn some(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.collect();
    let more = names.len().saturating_sub(MOST_NAMES);
    let shown = names.iter().take(MOST_NAMES).cloned().collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}
