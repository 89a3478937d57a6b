//! Whether the partners of a relationship know the same subnets, by the same ids and with the same pools.

use super::{Member, Report};
use crate::ha::catalogue::LintCode;
use crate::ha::topology::Role;
use crate::kea::config::SubnetEntry;

/// Compares the subnets of one relationship in two files.
pub(super) fn compare(one: &Member<'_>, other: &Member<'_>, report: &mut Report) {
    for entry in one.subnets() {
        match find(other, entry) {
            None => missing(one, entry, other, report),
            Some(twin) if !belongs(other, twin) => {
                elsewhere(other, twin, one, report);
            }
            Some(twin) => differing(entry, one, twin, other, report),
        }
    }
    for entry in other.subnets() {
        match find(one, entry) {
            None => missing(other, entry, one, report),
            Some(twin) if !belongs(one, twin) => elsewhere(one, twin, other, report),
            // Compared above.
            Some(_) => {}
        }
    }
}

/// The subnet of the same prefix, in whatever relationship.
fn find<'a>(member: &Member<'a>, entry: &SubnetEntry) -> Option<&'a SubnetEntry> {
    member.file.subnets.iter().find(|it| it.subnet.prefix == entry.subnet.prefix)
}

fn belongs(member: &Member<'_>, entry: &SubnetEntry) -> bool {
    member.subnets().any(|it| std::ptr::eq(it, entry))
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
    let text = format!(
        "{partner} does not have the subnet {prefix} (id {id}; {}): {consequence}",
        lacks.path.display()
    );
    report.about(LintCode::SubnetMissing, has, entry.at, text);
    // Its id may stand for another subnet there.
    if let Some(twin) = lacks.file.subnets.iter().find(|it| it.subnet.id == id) {
        let text = format!("id {id} is {prefix}, but {} in {}", twin.subnet.prefix, lacks.path.display());
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
    let (prefix, there) = (entry.subnet.prefix, one.path.display());
    if entry.subnet.id != twin.subnet.id {
        let text = format!("{prefix} has id {}, but {} in {there}", twin.subnet.id, entry.subnet.id);
        report.about(LintCode::SubnetIdDiffers, other, twin.at, text);
    }
    let (here, meant) = (pools(twin), pools(entry));
    if here != meant {
        let text = format!("{prefix} has {here}, but {meant} in {there}");
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
