//! Zones for the subnets of all servers.

use std::collections::BTreeSet;

use ipnet::Ipv4Net;

use crate::ha::topology::{Subnet, Topology, Zone};

/// One zone per shared network (Kea's word for several prefixes on one wire)
/// and one per other subnet.
///
/// A zone is called after its shared network; else after the `interface` of
/// its subnet, if that name stands for this subnet alone in all files and is
/// not one that any machine has (`eth0`); else after its prefix (`192.168.4.0-24`).
pub(super) fn from_subnets(topology: &Topology) -> Vec<Zone> {
    let all: Vec<&Subnet> = topology
        .servers
        .iter()
        .filter_map(|server| server.kea.as_ref())
        .flat_map(|kea| &kea.subnets)
        .collect();
    let mut zones: Vec<Zone> = Vec::new();
    let mut known: BTreeSet<Ipv4Net> = BTreeSet::new();
    for subnet in &all {
        if !known.insert(subnet.prefix) {
            continue;
        }
        // Another server may have the subnet in a shared network while this one has not.
        let twins = all.iter().filter(|other| other.prefix == subnet.prefix);
        let network = twins.into_iter().find_map(|twin| twin.shared_network.as_deref());
        let wanted = network.or_else(|| interface_name(subnet.prefix, &all));
        if let Some(zone) = network.and_then(|network| zones.iter_mut().find(|zone| zone.name == network)) {
            zone.subnets.push(subnet.prefix);
            continue;
        }
        let free = wanted.filter(|name| zones.iter().all(|zone| zone.name != *name));
        let name = free.map_or_else(|| prefix_name(subnet.prefix), str::to_owned);
        zones.push(Zone { name, subnets: vec![subnet.prefix], interfaces: Vec::new() });
    }
    zones
}

/// The one interface name of a subnet, if it says something.
fn interface_name<'a>(prefix: Ipv4Net, all: &[&'a Subnet]) -> Option<&'a str> {
    let mut names =
        all.iter().filter(|subnet| subnet.prefix == prefix).filter_map(|it| it.interface.as_deref());
    let name = names.next()?;
    let is_its_only = names.all(|other| other == name);
    let is_no_others =
        all.iter().all(|subnet| subnet.prefix == prefix || subnet.interface.as_deref() != Some(name));
    (is_its_only && is_no_others && !is_generic(name)).then_some(name)
}

/// Whether an interface has a name that systems give by themselves (`eth0`, `enp0s3`, `br-12`).
fn is_generic(name: &str) -> bool {
    const KINDS: [&str; 13] =
        ["eth", "en", "wl", "ww", "lo", "br", "bond", "vlan", "veth", "tap", "tun", "vmbr", "virbr"];
    KINDS.iter().any(|kind| name.starts_with(kind)) && name.bytes().any(|byte| byte.is_ascii_digit())
}

fn prefix_name(prefix: Ipv4Net) -> String {
    format!("{}-{}", prefix.addr(), prefix.prefix_len())
}
