//! What captures say by themselves about servers and relationships, against the lab's configuration.

use dorascope::exchange::PairLimits;
use dorascope::ha::topology::{Relationship, Topology};
use dorascope::pipeline::analyze;

use crate::truth::{inputs, scenarios};

/// Mode and, in Kea's order, name, role and URL of every peer.
fn shape(relationship: &Relationship) -> String {
    let peers = relationship.peers.iter();
    let peers: Vec<String> = peers
        .map(|peer| format!("{} {} {}:{}", peer.name, peer.role.as_str(), peer.url.0, peer.url.1))
        .collect();
    format!("{} {}", relationship.mode.as_str(), peers.join(", "))
}

#[test]
fn the_control_channel_names_the_pairs() {
    let mut found = 0;
    for folder in scenarios() {
        let lab = Topology::load(&folder.join("topology.toml")).unwrap();
        let nothing = Topology::default();
        let analysis = analyze(&inputs(&folder), &nothing, PairLimits::default(), |_| {});
        let topology = &analysis.network.topology;
        let configured: Vec<String> = lab.relationships.iter().map(shape).collect();
        for relationship in &topology.relationships {
            let inferred = shape(relationship);
            assert!(
                configured.contains(&inferred),
                "{}: {inferred} is none of {configured:#?}",
                folder.display()
            );
            found += 1;
        }
        for server in &topology.servers {
            let owners: Vec<_> = server.addresses.iter().map(|at| lab.server_by_address(*at)).collect();
            assert!(owners[0].is_some() && owners.iter().all(|owner| *owner == owners[0]), "{server:?}");
        }
        println!(
            "{}: {} of {} relationships inferred",
            folder.display(),
            topology.relationships.len(),
            configured.len()
        );
    }
    assert!(found >= 8, "only {found} relationships were inferred");
}
