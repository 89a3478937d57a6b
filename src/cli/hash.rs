//! `dorascope hash`: key, hash, owner.

use anyhow::{Result, bail};
use dorascope::cells;
use dorascope::ha::hash::{Owner, loadb_hash};
use dorascope::ha::topology::{Mode, Role, Topology};
use dorascope::table::{Rows, schema};
use dorascope::units::colon_hex;

use super::args::KeyKindArg;
use super::exit::Exit;
use super::output::Output;
use super::resolve::{HashJob, HashKey, HashWhat, Target};
use super::topology;

/// Prints the rows.
pub fn run(job: &HashJob, output: &Output) -> Result<Exit> {
    let mut rows = Rows::new(&schema::HASH);
    match &job.what {
        HashWhat::Keys(keys) => keys.iter().for_each(|key| push(&mut rows, key)),
        HashWhat::Find { target, count, prefix, kind } => {
            let owner = match target {
                Target::Owner(owner) => *owner,
                Target::Server(name) => owner_named(&topology::load(&job.topology, output)?, name)?,
            };
            candidates(prefix)
                .map(|mac| HashKey::of_mac(&mac, *kind))
                .filter(|key| Owner::of(loadb_hash(&key.bytes)) == owner)
                .take(*count)
                .for_each(|key| push(&mut rows, &key));
            if rows.len() < *count {
                let prefix = colon_hex(prefix);
                output.note(&format!("only {} addresses that begin with {prefix} belong to it", rows.len()));
            }
        }
    }
    output.rows(&rows, job.shape, usize::MAX)?;
    Ok(Exit::Done)
}

fn push(rows: &mut Rows, key: &HashKey) {
    let hash = loadb_hash(&key.bytes);
    let kind = match key.kind {
        KeyKindArg::ClientId => "client-id",
        KeyKindArg::Hwaddr => "hwaddr",
    };
    rows.push(&cells![colon_hex(&key.bytes), kind, hash, Owner::of(hash).as_str()]);
}

/// The six-byte addresses that begin with `prefix`, from 1 upwards, the one that ends in zeros last.
fn candidates(prefix: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let free = 6_usize.saturating_sub(prefix.len());
    let end = 1_u64 << (8 * free);
    (1..=end).map(move |n| {
        let suffix = n.to_be_bytes();
        let tail = suffix.len().saturating_sub(free);
        [prefix, suffix.get(tail..).unwrap_or_default()].concat()
    })
}

/// The owner role of a machine or peer in the load-balancing relationships.
fn owner_named(topology: &Topology, name: &str) -> Result<Owner> {
    let machine = topology.servers.iter().position(|server| server.name == name);
    let mut owners: Vec<Owner> = topology
        .relationships
        .iter()
        .filter(|relationship| relationship.mode == Mode::LoadBalancing)
        .flat_map(|relationship| &relationship.peers)
        .filter(|peer| {
            peer.name == name || machine.is_some() && peer.server.map(|server| server.0) == machine
        })
        .filter_map(|peer| match peer.role {
            Role::Primary => Some(Owner::Primary),
            Role::Secondary => Some(Owner::Secondary),
            Role::Standby | Role::Backup => None,
        })
        .collect();
    owners.sort_unstable();
    owners.dedup();
    match owners.as_slice() {
        [owner] => Ok(*owner),
        [] => bail!(
            "{name} is no primary or secondary of a load-balancing relationship in the topology (-t or --kea)"
        ),
        _ => bail!(
            "{name} is primary in one load-balancing relationship and secondary in another; say which role"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_keep_the_prefix_and_the_length() {
        let all: Vec<Vec<u8>> = candidates(&[2, 0, 0, 0, 9]).collect();
        assert_eq!(all.len(), 256);
        assert_eq!(all.first().map(Vec::as_slice), Some(&[2, 0, 0, 0, 9, 1][..]));
        assert_eq!(all.last().map(Vec::as_slice), Some(&[2, 0, 0, 0, 9, 0][..]));
        assert_eq!(candidates(&[8]).next(), Some(vec![8, 0, 0, 0, 0, 1]));
    }
}
