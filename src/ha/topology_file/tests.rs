use std::net::Ipv4Addr;

use super::*;
use crate::ha::topology::{RelationshipId, ServerId};
use crate::kea::config::samples::{AGENT, BALANCED, HUB, ZALDUA1ZERB2, ZALDUA2ZERB1, folder, write};

mod described;
mod errors;
mod imported;
mod merging;
mod recorded;

const TOPOLOGY: &str = r#"
[[zone]]
name = "zaldua1"
subnets = ["192.168.42.0/24"]
interfaces = ["br1"]

[[zone]]
name = "zaldua2"
subnets = ["192.168.4.0/24"]

[[zone]]
name = "zaldua3"
subnets = ["192.168.43.0/24"]

[[server]]
name = "zaldua1zerb1"
addresses = ["192.168.42.4", "192.168.4.4", "192.168.43.4"]
kea = "kea/zaldua1zerb1.kea-dhcp4.conf"

[[server]]
name = "zaldua1zerb2"
addresses = ["192.168.42.5"]
kea = "kea/zaldua1zerb2.kea-dhcp4.conf"
ctrl-agent = "kea/zaldua1zerb2.kea-ctrl-agent.conf"

[[server]]
name = "zaldua2zerb1"
kea = "kea/zaldua2zerb1.kea-dhcp4.conf"

[[client]]
name = "zaldua2bez1"
mac = "08:00:27:A2:0:1"
"#;

/// Writes the laboratory's files into a folder of their own; gives the path of topology.toml.
fn laboratory(test: &str) -> PathBuf {
    write(test, "kea/zaldua1zerb1.kea-dhcp4.conf", HUB);
    write(test, "kea/zaldua1zerb2.kea-dhcp4.conf", ZALDUA1ZERB2);
    write(test, "kea/zaldua1zerb2.kea-ctrl-agent.conf", AGENT);
    write(test, "kea/zaldua2zerb1.kea-dhcp4.conf", ZALDUA2ZERB1);
    write(test, "topology.toml", TOPOLOGY)
}

/// Writes Kea files given as machine and text, and adds them up as `--kea` does.
fn from_kea(test: &str, files: &[(&str, &str)]) -> Topology {
    let named: Vec<(String, PathBuf)> = files
        .iter()
        .enumerate()
        .map(|(at, (name, text))| ((*name).to_owned(), write(test, &format!("{at}-{name}.conf"), text)))
        .collect();
    Topology::load_with(None, &named).unwrap()
}

fn ip(text: &str) -> Ipv4Addr {
    text.parse().unwrap()
}

fn machine_names(topology: &Topology) -> Vec<&str> {
    topology.servers.iter().map(|server| server.name.as_str()).collect()
}

#[test]
fn the_laboratory_adds_up() {
    let topology = Topology::load(&laboratory("lab")).unwrap();
    assert_eq!(topology.warnings, [] as [&str; 0]);
    assert_eq!(topology.relationships.len(), 2);
    assert_eq!(topology.relationship_name(RelationshipId(0)), "zaldua1zerb1 + zaldua1zerb2");
    assert_eq!(topology.relationship_name(RelationshipId(1)), "zaldua2zerb1 + zaldua1zerb1");
    let hub = topology.server_named("zaldua1zerb1").unwrap();
    assert!(topology.server(hub).unwrap().kea.as_ref().unwrap().is_hub());
    assert_eq!(topology.server_by_peer_name("zaldua1zerb1-zaldua2"), Some(hub));
    assert_eq!(topology.server_by_address(ip("192.168.43.4")), Some(hub));
    assert_eq!(topology.server_by_address(ip("192.168.43.5")), None);
    // Known only from its own peer entry.
    assert_eq!(topology.servers[2].addresses, [ip("192.168.4.5")]);
    assert_eq!(topology.servers[1].control, [(ip("192.168.42.5"), 8000)]);
    assert_eq!(topology.control_ports(), [8000, 8001, 8002]);
    // The hub's own file says false, its partner's says true; only its own counts.
    assert!(!topology.relationships[1].peers[1].auto_failover);
    assert!(topology.relationships[1].peers[0].auto_failover);
}

#[test]
fn zones_tell_who_hears() {
    let topology = Topology::load(&laboratory("zones")).unwrap();
    let hears = |zone: &str| -> Vec<ServerId> {
        topology.servers_in_zone(topology.zone_named(zone).unwrap()).collect()
    };
    assert_eq!(hears("zaldua1"), [ServerId(0), ServerId(1)]);
    assert_eq!(hears("zaldua2"), [ServerId(0), ServerId(2)]);
    assert_eq!(hears("zaldua3"), [ServerId(0)]);
    assert_eq!(topology.zone_of(ip("192.168.43.77")).unwrap().name, "zaldua3");
    assert_eq!(topology.zones[0].interfaces, ["br1"]);
    let client = topology.client_named("zaldua2bez1").unwrap();
    assert_eq!(topology.client_by_mac("08:00:27:a2:00:01".parse().unwrap()), Some(client));
    assert_eq!(topology.client_by_mac("08:00:27:a2:00:02".parse().unwrap()), None);
}

#[test]
fn a_server_hears_only_where_its_file_says_that_it_listens() {
    let hears = |interfaces: &str| -> Vec<usize> {
        let path = laboratory("interfaces");
        let all = r#""enp0s3/192.168.42.4", "enp0s8/192.168.4.4", "enp0s9/192.168.43.4""#;
        assert!(HUB.contains(all));
        write("interfaces", "kea/zaldua1zerb1.kea-dhcp4.conf", &HUB.replace(all, interfaces));
        let topology = Topology::load(&path).unwrap();
        ["zaldua1", "zaldua2", "zaldua3"]
            .map(|zone| topology.servers_in_zone(topology.zone_named(zone).unwrap()).count())
            .to_vec()
    };
    assert_eq!(hears(r#""enp0s3/192.168.42.4", "enp0s8/192.168.4.4""#), [2, 2, 0]);
    // A name alone does not say on which wire it is.
    assert_eq!(hears(r#""enp0s3", "enp0s8/192.168.4.4""#), [2, 2, 1]);
    assert_eq!(hears(r#""*""#), [2, 2, 1]);
    assert_eq!(hears(""), [2, 2, 1]);
}

#[test]
fn subnets_lead_to_relationships() {
    let topology = Topology::load(&laboratory("subnets")).unwrap();
    let of = |server: usize, subnet: usize| {
        let it = &topology.servers[server].kea.as_ref().unwrap().subnets[subnet];
        topology.relationship_of_subnet(ServerId(server), it).map(|id| id.0)
    };
    assert_eq!([of(0, 0), of(0, 1), of(0, 2)], [Some(0), Some(1), Some(0)], "the hub goes by ha-server-name");
    assert_eq!([of(1, 0), of(1, 1), of(2, 0)], [Some(0), Some(0), Some(1)]);
    let mut unrelated = topology.servers[0].kea.as_ref().unwrap().subnets[0].clone();
    unrelated.ha_server_name = None;
    assert_eq!(topology.relationship_of_subnet(ServerId(0), &unrelated), None);
    assert_eq!(topology.relationship_of_subnet(ServerId(1), &unrelated), Some(RelationshipId(0)));
    let all: Vec<_> = topology.relationships_of(ServerId(0)).map(|id| id.0).collect();
    assert_eq!(all, [0, 1]);
    let pair = &topology.relationships[0];
    assert_eq!(pair.partner_of("zaldua1zerb1").unwrap().name, "zaldua1zerb2");
    assert_eq!(pair.partner_of("zaldua2zerb1"), None);
}

#[test]
fn the_command_line_replaces_what_the_file_names() {
    let path = laboratory("replace");
    let other = write("replace", "other.conf", &HUB.replace("\"id\": 3", "\"id\": 33"));
    let agent = write("replace", "agent.conf", &AGENT.replace("192.168.42.5", "0.0.0.0"));
    let kea = [("zaldua1zerb1".to_owned(), other), ("zaldua1zerb1".to_owned(), agent)];
    let topology = Topology::load_with(Some(&path), &kea).unwrap();
    assert_eq!(topology.servers[0].kea.as_ref().unwrap().subnets[2].id, 33);
    let control: Vec<_> = topology.servers[0].addresses.iter().map(|address| (*address, 8000)).collect();
    assert_eq!(topology.servers[0].control, control);
    assert_eq!(control.len(), 3);
}

#[test]
fn an_empty_file_knows_nothing() {
    let path = write("empty", "topology.toml", "# nothing yet\n");
    assert_eq!(Topology::load(&path).unwrap(), Topology::default());
}
