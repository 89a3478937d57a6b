//! Whether the partners of a relationship know the same subnets, by the same ids and with the same pools.

use std::collections::HashMap;

use ipnet::Ipv4Net;

use super::{Member, Report};
use crate::ha::catalogue::LintCode;
use crate::ha::topology::Role;
use crate::kea::config::SubnetEntry;

/// Compares the subnets of one relationship in two files.
pub(super) fn compare(one: &Member<'_>, other: &Member<'_>, report: &mut Report) {
    let there = by_prefix(other);
    for entry in one.subnets() {
        match there.get(&entry.subnet.prefix) {
            None => missing(one, entry, other, report),
            Some(twin) if !other.has(twin) => elsewhere(other, twin, one, report),
            Some(twin) => differing(entry, one, twin, other, report),
        }
    }
    let there = by_prefix(one);
    for entry in other.subnets() {
        match there.get(&entry.subnet.prefix) {
            None => missing(other, entry, one, report),
            Some(twin) if !one.has(twin) => elsewhere(one, twin, other, report),
            // Compared above.
            Some(_) => {}
        }
    }
}

/// All subnets of a member's file, in whatever relationship.
fn by_prefix<'a>(member: &Member<'a>) -> HashMap<Ipv4Net, &'a SubnetEntry> {
    member.file.subnets.iter().map(|entry| (entry.subnet.prefix, entry)).collect()
}

/// `has` knows the subnet and `lacks` does not.
fn missing(has: &Member<'_>, entry: &SubnetEntry, lacks: &Member<'_>, report: &mut Report) {
    let (prefix, id) = (entry.subnet.prefix, entry.subnet.id);
    let (owner, partner) = (has.name(), lacks.name());
    let role = |it: &Member<'_>| it.own().map_or(Role::Backup, |own| own.role);
    let consequence = match (role(has), role(lacks)) {
        _ if !has.relationship().limits.send_lease_updates => format!("{partner} cannot take it over"),
        (Role::Primary | Role::Secondary, Role::Primary | Role::Secondary | Role::Standby) => {
            format!("{partner} refuses its leases, and {owner} withholds the ACKs")
        }
        (Role::Standby, _) => format!("its clients get nothing while {partner} serves"),
        (_, Role::Backup) | (Role::Backup, _) => format!("{partner} has no leases of it"),
    };
    let text = format!("{partner} does not have the subnet {prefix} (id {id}): {consequence}");
    report.about(LintCode::SubnetMissing, has, entry.at, text);
    // Its id may stand for another subnet there.
    if let Some(twin) = lacks.file.subnets.iter().find(|it| it.has_id && entry.has_id && it.subnet.id == id) {
        let text = format!("id {id} is {prefix}, but {} in the file of {partner}", twin.subnet.prefix);
        report.about(LintCode::SubnetIdDiffers, has, entry.at, text);
    }
}

/// `member` has the subnet in another relationship than the one that it shares with `partner`.
fn elsewhere(member: &Member<'_>, entry: &SubnetEntry, partner: &Member<'_>, report: &mut Report) {
    // Without a name it belongs nowhere, which is said already.
    let Some(name) = &entry.subnet.ha_server_name else {
        return;
    };
    let text = format!(
        "{} has the ha-server-name \"{name}\", but {} has the subnet in the relationship of \"{}\"",
        entry.subnet.prefix,
        partner.name(),
        member.seat.this_server_name
    );
    report.about(LintCode::SubnetRelationshipDiffers, member, entry.at, text);
}

/// Both know the subnet: its id and its pools.
fn differing(
    entry: &SubnetEntry,
    one: &Member<'_>,
    twin: &SubnetEntry,
    other: &Member<'_>,
    report: &mut Report,
) {
    let (prefix, there) = (entry.subnet.prefix, one.name());
    let numbered = entry.has_id && twin.has_id;
    if numbered && entry.subnet.id != twin.subnet.id {
        let text =
            format!("{prefix} has id {}, but {} in the file of {there}", twin.subnet.id, entry.subnet.id);
        report.about(LintCode::SubnetIdDiffers, other, twin.at, text);
    }
    let (here, meant) = (pools(twin), pools(entry));
    if here != meant {
        let text = format!("{prefix} has {here}, but {meant} in the file of {there}");
        report.about(LintCode::PoolsDiffer, other, twin.pools.first().map_or(twin.at, |pool| pool.at), text);
    }
}

/// The pools as text, in address order.
fn pools(entry: &SubnetEntry) -> String {
    let mut pools: Vec<_> = entry.pools.iter().collect();
    pools.sort_by_key(|pool| (pool.first, pool.last));
    let texts: Vec<String> = pools
        .iter()
        .map(|pool| {
            let mut classes: Vec<&str> = pool.classes.iter().map(String::as_str).collect();
            classes.sort_unstable();
            let classes =
                if classes.is_empty() { String::new() } else { format!(" ({})", classes.join(", ")) };
            format!("{} - {}{classes}", pool.first, pool.last)
        })
        .collect();
    match texts.as_slice() {
        [] => "no pool".to_owned(),
        [one] => format!("the pool {one}"),
        _ => format!("the pools {}", texts.join(", ")),
    }
}
