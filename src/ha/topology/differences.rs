//! What two files say differently about one relationship.

use std::net::{IpAddr, SocketAddr};

use super::{Limits, Relationship};

/// One value that two descriptions of a relationship disagree in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The key: `mode`, `role`, `url` or one of the limits.
    pub key: &'static str,
    /// The peer whose entry it is, for a role or a URL.
    pub peer: Option<String>,
    /// The first description's value.
    pub here: String,
    /// The second one's.
    pub there: String,
}

impl Difference {
    /// The key and whose it is: `mode`, `url of "server1"`.
    pub fn what(&self) -> String {
        match &self.peer {
            Some(peer) => format!("{} of \"{peer}\"", self.key),
            None => self.key.to_owned(),
        }
    }
}

impl Relationship {
    /// Everything in which `other`, the same relationship in another server's file, differs.
    ///
    /// Peers are compared by name; `auto-failover` is not compared, because
    /// Kea reads it from the peer's own file only.
    pub fn differences(&self, other: &Self) -> Vec<Difference> {
        let mut found = Vec::new();
        let mut compare = |key, peer: Option<&str>, here: String, there: String| {
            if here != there {
                found.push(Difference { key, peer: peer.map(str::to_owned), here, there });
            }
        };
        compare("mode", None, self.mode.as_str().to_owned(), other.mode.as_str().to_owned());
        for peer in &self.peers {
            if let Some((_, twin)) = other.peer(&peer.name) {
                let url = |url: (IpAddr, u16)| SocketAddr::from(url).to_string();
                let name = Some(peer.name.as_str());
                compare("role", name, peer.role.as_str().to_owned(), twin.role.as_str().to_owned());
                compare("url", name, url(peer.url), url(twin.url));
            }
        }
        for ((key, here), (_, there)) in texts(self.limits).into_iter().zip(texts(other.limits)) {
            compare(key, None, here, there);
        }
        found
    }
}

fn texts(limits: Limits) -> [(&'static str, String); 7] {
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
