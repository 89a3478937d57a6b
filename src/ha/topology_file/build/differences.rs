//! What two Kea files say differently about one relationship.

use std::net::{IpAddr, SocketAddr};

use crate::ha::topology::{Limits, Relationship};

/// What two descriptions of a relationship disagree in: the key and both values.
pub(super) fn between(one: &Relationship, other: &Relationship) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    let mut compare = |what: String, here: String, there: String| {
        if here != there {
            found.push((what, here, there));
        }
    };
    compare("mode".to_owned(), one.mode.as_str().to_owned(), other.mode.as_str().to_owned());
    for peer in &one.peers {
        if let Some((_, twin)) = other.peer(&peer.name) {
            let url = |url: (IpAddr, u16)| SocketAddr::from(url).to_string();
            let role = format!("role of \"{}\"", peer.name);
            compare(role, peer.role.as_str().to_owned(), twin.role.as_str().to_owned());
            compare(format!("url of \"{}\"", peer.name), url(peer.url), url(twin.url));
        }
    }
    for ((key, here), (_, there)) in limit_texts(one.limits).into_iter().zip(limit_texts(other.limits)) {
        compare(key.to_owned(), here, there);
    }
    found
}

fn limit_texts(limits: Limits) -> [(&'static str, String); 7] {
    [
        ("heartbeat-delay", limits.heartbeat_delay_ms.to_string()),
        ("max-response-delay", limits.max_response_delay_ms.to_string()),
        ("max-ack-delay", limits.max_ack_delay_ms.to_string()),
        ("max-unacked-clients", limits.max_unacked_clients.to_string()),
        ("delayed-updates-limit", limits.delayed_updates_limit.to_string()),
        ("max-rejected-lease-updates", limits.max_rejected_lease_updates.to_string()),
        ("send-lease-updates", limits.send_lease_updates.to_string()),
    ]
}
