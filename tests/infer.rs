//! What captures say by themselves about servers and relationships, against the lab's configuration.

use std::net::IpAddr;

use dorascope::exchange::PairLimits;
use dorascope::ha::events::HaEvent;
use dorascope::ha::topology::{Peer, Relationship, Topology};
use dorascope::pipeline::analyze;

use crate::truth::{inputs, scenarios};

/// Mode and, in Kea's order, name, role and URL of every peer.
fn shape(relationship: &Relationship, name: impl Fn(&Peer) -> String) -> String {
    let peers = relationship.peers.iter();
    let peers: Vec<String> = peers
        .map(|peer| format!("{} {} {}:{}", name(peer), peer.role.as_str(), peer.url.0, peer.url.1))
        .collect();
    format!("{} {}", relationship.mode.as_str(), peers.join(", "))
}

/// Whether heartbeats name the peer at this address: by `server-name` (Kea 2.5.5 and newer), or
/// by the one scope that it serves in its normal state, which bears its name.
fn named(address: IpAddr, events: &[HaEvent]) -> bool {
    let serves_its_own = |event: &HaEvent| {
        let normal = matches!(event.state.as_deref(), Some("load-balancing" | "hot-standby"));
        normal && event.scopes.as_ref().is_some_and(|scopes| scopes.len() == 1)
    };
    events.iter().any(|event| {
        (event.peer_ip == address && event.sender_name.is_some())
            || (event.server_ip == address && serves_its_own(event))
    })
}

#[test]
fn the_control_channel_names_the_pairs() {
    let mut found = 0;
    for folder in scenarios() {
        let lab = Topology::load(&folder.join("topology.toml")).unwrap();
        let nothing = Topology::default();
        let analysis = analyze(&inputs(&folder), &nothing, PairLimits::default(), |_| {});
        let topology = &analysis.network.topology;
        // A peer that no packet names can only be called by its address.
        let on_the_wire = |peer: &Peer| {
            if named(peer.url.0, &analysis.events) { peer.name.clone() } else { peer.url.0.to_string() }
        };
        let configured: Vec<String> = lab.relationships.iter().map(|it| shape(it, on_the_wire)).collect();
        for relationship in &topology.relationships {
            let inferred = shape(relationship, |peer| peer.name.clone());
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
