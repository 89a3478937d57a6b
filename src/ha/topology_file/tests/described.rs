//! Relationships of topology.toml itself.

use super::*;
use crate::ha::topology::{Limits, Mode};

const PAIR: &str = r#"
[[server]]
name = "hub"
addresses = ["192.168.4.4"]

[[relationship]]
mode = "hot-standby"
peers = [
    { name = "zaldua1zerb1-zaldua2", role = "standby", url = "http://192.168.4.4:8002/" },
    { name = "zaldua2zerb1", role = "primary", url = "http://192.168.4.5:8002/" },
]
"#;

fn load(test: &str, text: &str) -> Topology {
    Topology::load(&write(test, "topology.toml", text)).unwrap()
}

#[test]
fn a_table_describes_a_pair_and_its_machines() {
    let topology = load("described", PAIR);
    assert_eq!(topology.warnings, [] as [&str; 0]);
    // The address tells the machine; the peer that no machine has gets one of its own.
    assert_eq!(machine_names(&topology), ["hub", "zaldua2zerb1"]);
    assert_eq!(topology.relationship_name(RelationshipId(0)), "zaldua2zerb1 + hub");
    let defaults = Limits { assumed: true, ..Limits::defaults(Mode::HotStandby) };
    assert_eq!(topology.relationships[0].limits, defaults);
}

#[test]
fn a_threshold_that_is_written_is_known() {
    for (line, assumed) in [
        ("heartbeat-delay = 10000", true),
        ("max-rejected-lease-updates = 10", true),
        ("max-response-delay = 60000", false),
        ("max-ack-delay = 10000", false),
        ("max-unacked-clients = 10", false),
    ] {
        let limits = load("described-limits", &format!("{PAIR}{line}\n")).relationships[0].limits;
        assert_eq!(limits, Limits { assumed, ..Limits::defaults(Mode::HotStandby) }, "{line}");
    }
}

#[test]
fn a_kea_file_wins() {
    let folder = "described-kea";
    write(folder, "kea.conf", ZALDUA2ZERB1);
    let server = "[[server]]\nname = \"zaldua2zerb1\"\nkea = \"kea.conf\"\n";
    let alone = load(folder, server);
    let ports: Vec<u16> = alone.relationships[0].peers.iter().map(|peer| peer.url.1).collect();
    assert_eq!(ports, [8002, 8002]);
    // Only what is written and different is worth a word.
    let limit = alone.relationships[0].limits.max_unacked_clients;
    let other = PAIR.replace("8002", "8001");
    let both = load(folder, &format!("{server}{other}max-unacked-clients = {}\n", limit + 1));
    assert_eq!(both.relationships, {
        let mut expected = alone.relationships.clone();
        expected[0].peers[1].server = Some(ServerId(1));
        expected
    });
    let warnings: Vec<_> = both.warnings.iter().filter_map(|text| text.split(": ").nth(1)).collect();
    let of = |what: &str| warnings.iter().filter(|text| text.starts_with(what)).count();
    assert_eq!((of("url of"), of("max-unacked-clients of"), warnings.len()), (2, 1, 3), "{warnings:#?}");

    // The same URLs are the same pair, whatever its peers are called.
    let renamed = PAIR.replace("name = \"zaldua2zerb1\"", "name = \"192.168.4.5\"");
    let both = load(folder, &format!("{server}{renamed}"));
    assert_eq!(both.relationships.len(), 1);
    assert!(
        both.warnings[0].contains("192.168.4.5 + zaldua1zerb1-zaldua2 are called"),
        "{:?}",
        both.warnings
    );
}

#[test]
fn mistakes_are_named() {
    let wrong = |from: &str, to: &str| {
        assert!(PAIR.contains(from), "{from}");
        let path = write("described-errors", "topology.toml", &PAIR.replacen(from, to, 1));
        let error = Topology::load(&path).unwrap_err().to_string();
        error.replace(&format!("{}/", path.parent().unwrap().display()), "")
    };
    assert_eq!(
        wrong("mode = ", "this-server-name = \"a\"\nmode = ").split("; ").next().unwrap(),
        r#"topology.toml:7:1: unknown key "this-server-name""#
    );
    assert_eq!(
        wrong("role = \"standby\"", "rolle = \"standby\""),
        r#"topology.toml:9:38: unknown key "rolle"; did you mean "role"?"#
    );
    assert_eq!(
        wrong("role = \"standby\"", "role = \"secondary\""),
        "topology.toml:9:45: mode hot-standby has no secondary"
    );
    assert_eq!(
        wrong("mode = \"hot-standby\"\n", ""),
        r#"topology.toml:6:1: an entry of "relationship" needs "mode""#
    );
}
