//! Servers' names as label values, of which there are not too many: every new value is a time
//! series that Prometheus keeps, and anybody on the network can invent servers.

use std::collections::HashSet;
use std::net::Ipv4Addr;

use foldhash::fast::RandomState;

use crate::ha::network::Network;
use crate::units::ServerId;

/// Servers that the user did not name and that are told apart; further ones are [`OTHER`].
const MOST: usize = 64;
/// Characters of a name. No host's is longer (RFC 1035 §2.3.4), and one from the wire may be.
const LONGEST: usize = 253;
/// Whoever came too late to have a name of its own.
const OTHER: &str = "other";

/// The names that were given so far; who has one keeps it.
#[derive(Debug, Default)]
pub(super) struct Names {
    strangers: HashSet<String, RandomState>,
}

impl Names {
    /// The label value of a machine.
    pub(super) fn of(&mut self, network: &Network<'_>, server: ServerId) -> String {
        let known = network.machines.get(server).is_some_and(|machine| machine.known);
        let name = network.machines.name(server);
        // What the packets say of a topology is as much a stranger's word.
        if known && !network.topology.inferred { name.to_owned() } else { self.stranger(name) }
    }

    /// The label value of whoever has an address.
    pub(super) fn at(&mut self, network: &Network<'_>, address: Ipv4Addr) -> String {
        match network.machines.at(address) {
            Some(server) => self.of(network, server),
            None => self.stranger(&address.to_string()),
        }
    }

    fn stranger(&mut self, name: &str) -> String {
        let name: String = name.chars().take(LONGEST).collect();
        if self.strangers.contains(&name) {
            return name;
        }
        if self.strangers.len() >= MOST {
            return OTHER.to_owned();
        }
        self.strangers.insert(name.clone());
        name
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::ha::topology::{Server, Topology};

    #[test]
    fn strangers_have_names_until_there_are_too_many_and_keep_them() {
        let server = Server {
            name: "zerb".to_owned(),
            addresses: vec![Ipv4Addr::new(192, 168, 4, 4)],
            ..Server::default()
        };
        let topology = Topology { servers: vec![server], ..Topology::default() };
        let network = Network::new(Cow::Borrowed(&topology));
        let mut names = Names::default();
        let at = |last: usize| Ipv4Addr::new(10, 0, 0, last as u8);
        for last in 0..2 * MOST {
            let name = names.at(&network, at(last));
            assert_eq!(name, if last < MOST { at(last).to_string() } else { OTHER.to_owned() });
        }
        assert_eq!(names.at(&network, at(3)), "10.0.0.3");
        assert_eq!(
            names.at(&network, Ipv4Addr::new(192, 168, 4, 4)),
            "zerb",
            "the user's have theirs anyway"
        );
        assert_eq!(Names::default().stranger(&"ß".repeat(1000)).chars().count(), LONGEST);
    }

    #[test]
    fn names_that_only_the_packets_tell_are_bounded_too() {
        let server = |at: usize| Server { name: format!("server{at}"), ..Server::default() };
        let servers = (0..2 * MOST).map(server).collect();
        let topology = Topology { servers, inferred: true, ..Topology::default() };
        let network = Network::new(Cow::Borrowed(&topology));
        let mut names = Names::default();
        let told: HashSet<String> = (0..2 * MOST).map(|at| names.of(&network, ServerId(at))).collect();
        assert_eq!(told.len(), MOST + 1);
        assert!(told.contains(OTHER));
    }
}
