//! The pools of a subnet, and the client classes that a pool or subnet is kept for.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::config::{Pool, Remark, RemarkKind};
use super::document::FileError;
use super::field::Field;

/// Reads `pools`; one that Kea refuses becomes a remark, because nothing but a comparison needs it.
pub(super) fn read_all(
    subnet: Field<'_>,
    prefix: Ipv4Net,
    remarks: &mut Vec<Remark>,
) -> Result<Vec<Pool>, FileError> {
    let mut pools: Vec<Pool> = Vec::new();
    for entry in subnet.list("pools")? {
        let field = entry.need("pool")?;
        let text = field.text()?;
        let mut refuse = |why: String| {
            let text = format!("Kea refuses the pool \"{text}\": {why}");
            remarks.push(Remark { kind: RemarkKind::BadPool, at: field.at(), text });
        };
        let Some((first, last)) = range(text) else {
            refuse("it must be FIRST - LAST or a prefix".to_owned());
            continue;
        };
        if !prefix.contains(&first) || !prefix.contains(&last) {
            refuse(format!("it is not inside {prefix}"));
        }
        pools.push(Pool { first, last, classes: classes(entry)?, at: field.at() });
    }
    // Where any two overlap, two neighbours in address order do.
    let mut sorted: Vec<&Pool> = pools.iter().collect();
    sorted.sort_by_key(|pool| (pool.first, pool.last));
    for pair in sorted.windows(2) {
        if let [before, after] = pair
            && after.first <= before.last
        {
            let text = format!(
                "Kea refuses the pool {} - {}: it overlaps {} - {} of the same subnet",
                after.first, after.last, before.first, before.last
            );
            remarks.push(Remark { kind: RemarkKind::BadPool, at: after.at, text });
        }
    }
    Ok(pools)
}

/// First and last address of `192.168.4.100 - 192.168.4.199` or `192.168.4.128/25`.
fn range(text: &str) -> Option<(Ipv4Addr, Ipv4Addr)> {
    if let Some((first, last)) = text.split_once('-') {
        let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        return (first <= last).then_some((first, last));
    }
    let prefix: Ipv4Net = text.replace(' ', "").parse().ok()?;
    Some((prefix.network(), prefix.broadcast()))
}

/// `client-class`, or the list `client-classes` (Kea ≥ 2.7.5).
pub(super) fn classes(map: Field<'_>) -> Result<Vec<String>, FileError> {
    let mut all = map.list("client-classes")?;
    all.extend(map.get("client-class")?);
    let names: Result<Vec<&str>, _> = all.into_iter().map(Field::text).collect();
    Ok(names?.into_iter().filter(|name| !name.is_empty()).map(str::to_owned).collect())
}
