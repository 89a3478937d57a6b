//! One relationship in two files.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::Path;

use super::{Described, Sum};
use crate::ha::topology::{Difference, Relationship};

impl Sum {
    /// Adds a relationship of topology.toml, unless the file of a peer describes it already.
    pub(super) fn add_described(&mut self, Described { relationship, origin, path }: Described) {
        let urls = |relationship: &Relationship| -> BTreeSet<(IpAddr, u16)> {
            relationship.peers.iter().map(|peer| peer.url).collect()
        };
        let same = |one: &Relationship| is_same(one, &relationship) || urls(one) == urls(&relationship);
        let Some(at) = self.topology.relationships.iter().position(same) else {
            self.topology.relationships.push(relationship);
            self.described_in.push(path);
            return;
        };
        // What is not written is Kea's default here, but says nothing against the other file.
        let is_written = |it: &Difference| it.peer.is_some() || origin.key(it.key).is_some();
        self.warn_differences(at, &relationship, &path, is_written);
    }

    /// Warns of everything that counts in which a second file describes a relationship differently.
    pub(super) fn warn_differences(
        &mut self,
        at: usize,
        other: &Relationship,
        file: &Path,
        counts: impl Fn(&Difference) -> bool,
    ) {
        let (Some(one), Some(first)) = (self.topology.relationships.get(at), self.described_in.get(at))
        else {
            return;
        };
        let all = |relationship: &Relationship| {
            let names: Vec<&str> = relationship.peers.iter().map(|peer| peer.name.as_str()).collect();
            names.join(" + ")
        };
        let peers = all(one);
        let text = |it: &Difference| {
            format!("{} of {peers} is {}, but {} in {}", it.what(), it.there, it.here, first.display())
        };
        let mut warnings: Vec<String> =
            one.differences(other).iter().filter(|it| counts(it)).map(text).collect();
        if names(one) != names(other) {
            warnings.push(format!("{} are called {peers} in {}", all(other), first.display()));
        }
        for text in warnings {
            self.warn(file, &text);
        }
    }
}

/// Whether two files describe one relationship: all peers have the same names, and one the same address.
pub(super) fn is_same(one: &Relationship, other: &Relationship) -> bool {
    let address = |name: &str| other.peer(name).map(|(_, peer)| peer.url.0);
    names(one) == names(other) && one.peers.iter().any(|peer| address(&peer.name) == Some(peer.url.0))
}

fn names(relationship: &Relationship) -> BTreeSet<&str> {
    relationship.peers.iter().map(|peer| peer.name.as_str()).collect()
}
