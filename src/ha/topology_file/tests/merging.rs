//! How several Kea files become one topology.

use super::*;

#[test]
fn kea_files_alone_name_the_machines() {
    let topology =
        from_kea("alone", &[("hub", HUB), ("one", ZALDUA1ZERB2), ("two", ZALDUA2ZERB1), ("one", AGENT)]);
    assert_eq!(machine_names(&topology), ["hub", "one", "two"]);
    assert_eq!(topology.relationship_name(RelationshipId(1)), "two + hub");
    assert_eq!(topology.servers[0].addresses, [ip("192.168.42.4"), ip("192.168.4.4"), ip("192.168.43.4")]);
    assert_eq!(topology.servers[1].addresses, [ip("192.168.42.5")]);
    assert_eq!(topology.warnings, [] as [&str; 0]);
}

#[test]
fn a_peer_without_a_file_becomes_a_machine() {
    let topology = from_kea("peer", &[("hub", HUB)]);
    assert_eq!(machine_names(&topology), ["hub", "zaldua1zerb2", "zaldua2zerb1"]);
    assert_eq!(topology.servers[2].addresses, [ip("192.168.4.5")]);
    assert_eq!(topology.server_by_peer_name("zaldua2zerb1"), Some(ServerId(2)));
    let limits = topology.limits_of(ServerId(2), RelationshipId(1)).unwrap();
    assert_eq!(limits.heartbeat_delay_ms, 2000, "the partner's, as its own file is not known");
}

#[test]
fn addresses_tell_that_two_peers_are_one_hub() {
    let path = write(
        "hub",
        "topology.toml",
        "[[server]]\nname = \"hub\"\naddresses = [\"192.168.42.4\", \"192.168.4.4\"]",
    );
    let one = write("hub", "one.conf", ZALDUA1ZERB2);
    let two = write("hub", "two.conf", ZALDUA2ZERB1);
    let kea = [("one".to_owned(), one), ("two".to_owned(), two)];
    let topology = Topology::load_with(Some(&path), &kea).unwrap();
    assert_eq!(machine_names(&topology), ["hub", "one", "two"]);
    assert_eq!(topology.relationship_name(RelationshipId(0)), "hub + one");
    assert_eq!(topology.relationship_name(RelationshipId(1)), "two + hub");
}

#[test]
fn a_machine_of_the_peers_name_without_a_file_is_that_peer() {
    let path =
        write("namesake", "topology.toml", "[[server]]\nname = \"zaldua1zerb1\"\naddresses = [\"10.0.0.1\"]");
    let one = write("namesake", "one.conf", ZALDUA1ZERB2);
    let topology = Topology::load_with(Some(&path), &[("zaldua1zerb2".to_owned(), one)]).unwrap();
    assert_eq!(machine_names(&topology), ["zaldua1zerb1", "zaldua1zerb2"]);
    assert_eq!(topology.servers[0].addresses, [ip("10.0.0.1"), ip("192.168.42.4")]);
}

#[test]
fn differences_are_warnings_and_everyone_keeps_its_own_limits() {
    let other = ZALDUA1ZERB2
        .replace("\"max-ack-delay\": 3000", "\"max-ack-delay\": 5000, \"max-unacked-clients\": 0")
        .replace("http://192.168.42.5:8001/", "http://192.168.42.5:8000/");
    let topology = from_kea("differ", &[("hub", HUB), ("one", &other)]);
    assert_eq!(topology.relationships.len(), 2);
    let folder = folder("differ");
    let (first, second) = (folder.join("0-hub.conf"), folder.join("1-one.conf"));
    let warning = |what: &str, there: &str, here: &str| {
        let (first, second) = (first.display(), second.display());
        format!("{second}: {what} of zaldua1zerb1 + zaldua1zerb2 is {there}, but {here} in {first}")
    };
    let expected = [
        warning("url of \"zaldua1zerb2\"", "192.168.42.5:8000", "192.168.42.5:8001"),
        warning("max-ack-delay", "5000", "3000"),
        warning("max-unacked-clients", "0", "10"),
    ];
    assert_eq!(topology.warnings, expected);
    let limits = |server| topology.limits_of(ServerId(server), RelationshipId(0)).unwrap();
    assert_eq!((limits(0).max_unacked_clients, limits(1).max_unacked_clients), (10, 0));
}

#[test]
fn a_mode_or_role_that_differs_is_a_warning() {
    let other = ZALDUA1ZERB2
        .replace("\"standby\"", "\"x\"")
        .replace("\"primary\"", "\"secondary\"")
        .replace("\"x\"", "\"primary\"")
        .replace("hot-standby", "load-balancing");
    let topology = from_kea("mode", &[("hub", HUB), ("one", &other)]);
    let what: Vec<_> = topology
        .warnings
        .iter()
        .map(|text| text.split(": ").nth(1).unwrap().split(", but").next().unwrap())
        .collect();
    let expected = [
        "mode of zaldua1zerb1 + zaldua1zerb2 is load-balancing",
        "role of \"zaldua1zerb1\" of zaldua1zerb1 + zaldua1zerb2 is secondary",
        "role of \"zaldua1zerb2\" of zaldua1zerb1 + zaldua1zerb2 is primary",
        "delayed-updates-limit of zaldua1zerb1 + zaldua1zerb2 is 100",
    ];
    assert_eq!(what, expected);
}

#[test]
fn equal_names_in_unrelated_pairs_stay_apart() {
    let north = ZALDUA1ZERB2.replace("zaldua1zerb1", "server1").replace("zaldua1zerb2", "server2");
    let south = north.replace("192.168.42.", "10.0.0.");
    let topology = from_kea("apart", &[("north2", &north), ("south2", &south)]);
    assert_eq!(topology.relationships.len(), 2);
    assert_eq!(machine_names(&topology), ["north2", "south2", "server1", "server1@10.0.0.4"]);
    assert_eq!(topology.server_by_peer_name("server2"), None, "it stands for two machines");
    assert_eq!(topology.warnings, [] as [&str; 0]);
}

#[test]
fn one_file_for_two_machines_is_noticed() {
    let topology = from_kea("twice", &[("one", ZALDUA2ZERB1), ("other", ZALDUA2ZERB1)]);
    let texts: Vec<_> = topology.warnings.iter().map(|text| text.split_once(".conf: ").unwrap().1).collect();
    assert_eq!(texts[0], "other takes 192.168.4.5 for its own, but one has it");
    assert!(texts[1].starts_with("this-server-name \"zaldua2zerb1\" is already one's ("), "{texts:?}");
    assert!(texts[1].ends_with("0-one.conf); taken as another relationship"), "{texts:?}");
}

#[test]
fn a_partner_whose_file_lacks_the_relationship_is_noticed() {
    let typo = ZALDUA1ZERB2.replace("\"name\": \"zaldua1zerb1\"", "\"name\": \"zaldua1zreb1\"");
    let topology = from_kea("lacks", &[("hub", HUB), ("one", &typo)]);
    let texts: Vec<_> = topology.warnings.iter().map(|text| text.split_once(".conf: ").unwrap().1).collect();
    let expected = [
        "peer \"zaldua1zerb2\" has an address of one, whose own file lacks this relationship",
        "peer \"zaldua1zreb1\" has an address of hub, whose own file lacks this relationship",
    ];
    assert_eq!(texts, expected);
}

#[test]
fn a_control_socket_of_a_new_kea_and_an_ipv6_peer() {
    let topology = from_kea("balanced", &[("server1", BALANCED)]);
    assert_eq!(machine_names(&topology), ["server1", "server2", "backup1", "backup2"]);
    assert_eq!(topology.servers[0].control, [(ip("10.0.0.1"), 8000)]);
    assert_eq!(topology.servers[3].addresses, [] as [Ipv4Addr; 0]);
    let pair = &topology.relationships[0];
    assert_eq!(pair.partner_of("server2").unwrap().name, "server1");
    assert_eq!(pair.partner_of("backup1"), None);
}

#[test]
fn a_prefix_in_two_zones_is_a_warning() {
    let zones = "[[zone]]\nname = \"a\"\nsubnets = [\"10.0.0.0/8\"]\n[[zone]]\nname = \"b\"\nsubnets = [\"10.0.0.0/8\"]";
    let topology = Topology::load(&write("prefix", "topology.toml", zones)).unwrap();
    assert_eq!(topology.warnings, [r#"zones "a" and "b" both have 10.0.0.0/8"#]);
}
