//! topology.toml from captures alone, and its page of the documentation.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use dorascope::exchange::PairLimits;
use dorascope::ha::topology::{Relationship, Topology};
use dorascope::ha::topology_file::inferred;
use dorascope::pipeline::{Analysis, analyze};

use crate::support::temp::TempDir;
use crate::truth::{inputs, scenarios};

fn captures(scenario: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("captures").join(scenario)
}

fn analyzed<'t>(folder: &Path, topology: &'t Topology) -> Analysis<'t> {
    analyze(&inputs(folder), topology, PairLimits::default(), |_| {})
}

/// The file of an analysis, and what loading it gives.
fn written(analysis: &Analysis<'_>, temp: &TempDir) -> (String, Topology) {
    let text = inferred(&analysis.network, &analysis.events, &analysis.messages);
    let path = temp.file("topology.toml", text.as_bytes());
    let loaded = Topology::load(&path).unwrap_or_else(|error| panic!("{error}\n{text}"));
    (text, loaded)
}

/// Mode, and role and URL of every peer: names may be in no capture (Kea < 2.5.5).
fn shape(relationship: &Relationship) -> String {
    let peers: Vec<_> = relationship.peers.iter().map(|peer| (peer.role, peer.url)).collect();
    format!("{:?} {peers:?}", relationship.mode)
}

#[test]
fn the_file_says_what_was_concluded() {
    let nothing = Topology::default();
    let temp = TempDir::new("inferred");
    let mut relationships = 0;
    for folder in scenarios() {
        let analysis = analyzed(&folder, &nothing);
        let (text, loaded) = written(&analysis, &temp);
        let concluded = analysis.network.topology.as_ref();
        assert_eq!(loaded.warnings, [] as [&str; 0], "{text}");
        assert_eq!(loaded.servers, concluded.servers, "{text}");
        assert_eq!(loaded.relationships, concluded.relationships, "{text}");
        let lab = Topology::load(&folder.join("topology.toml")).unwrap();
        let configured: Vec<_> = lab.relationships.iter().map(shape).collect();
        for relationship in &loaded.relationships {
            assert!(configured.contains(&shape(relationship)), "{}: {text}", folder.display());
        }
        let again = analyzed(&folder, &loaded);
        assert_eq!(again.decisions.len(), analysis.decisions.len(), "{}", folder.display());
        for (one, other) in again.decisions.iter().zip(&analysis.decisions) {
            assert_eq!(one, other, "{}", folder.display());
        }
        relationships += loaded.relationships.len();
    }
    assert!(relationships >= 20, "only {relationships} relationships");
}

/// Who is what, as the laboratory's own files say it.
fn roles(relationship: &Relationship) -> Vec<(&str, &str)> {
    relationship.peers.iter().map(|peer| (peer.name.as_str(), peer.role.as_str())).collect()
}

#[test]
fn updates_tell_the_parity_only_while_the_sender_balances() {
    // In both recordings one server serves the other's clients too for a while, and updates it about them.
    for scenario in ["maintenance", "admin-scopes"] {
        let nothing = Topology::default();
        let analysis = analyzed(&captures(scenario), &nothing);
        let lab = Topology::load(&captures(scenario).join("topology.toml")).unwrap();
        let [found] = analysis.network.topology.relationships.as_slice() else { panic!("{scenario}") };
        assert_eq!(roles(found), roles(&lab.relationships[0]), "{scenario}");
        assert_eq!(found.mode, lab.relationships[0].mode);
    }
}

#[test]
fn a_refused_update_tells_whose_client_asked() {
    let nothing = Topology::default();
    let analysis = analyzed(&captures("rejected-updates"), &nothing);
    let lab = Topology::load(&captures("rejected-updates").join("topology.toml")).unwrap();
    let address = "192.168.43.4".parse().unwrap();
    assert_eq!(lab.server_by_address(address), lab.server_named("zaldua1zerb1"));
    let topology = &analysis.network.topology;
    assert_eq!(topology.server_by_address(address), topology.server_named("zaldua1zerb1"));
    assert!(topology.server_by_address(address).is_some());
}

#[test]
fn without_a_pair_the_file_says_so() {
    let nothing = Topology::default();
    // Everything that these servers say to each other is encrypted.
    let analysis = analyzed(&captures("tls"), &nothing);
    let (text, loaded) = written(&analysis, &TempDir::new("inferred"));
    assert!(text.contains("# No relationship shows"), "{text}");
    assert!(text.contains("# name = \"192.168.44.4\"\n# addresses = [\"192.168.44.4\"]\n"), "{text}");
    assert_eq!((loaded.servers.len(), loaded.relationships.len()), (0, 0));
    assert_eq!(loaded.zones[0].subnets, ["192.168.44.0/24".parse().unwrap()]);
}

fn dorascope(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_dorascope")).args(arguments).output().unwrap()
}

#[test]
fn the_command_writes_a_file_once() {
    let temp = TempDir::new("infer-command");
    let capture = captures("load-balancing").join("haran.pcap");
    let zone = format!("north={}", capture.display());
    let path = temp.path().join("topology.toml");
    let to_file = ["topology", "infer", zone.as_str(), "-o", path.to_str().unwrap()];
    assert_eq!(dorascope(&to_file).status.code(), Some(0));
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(String::from_utf8(dorascope(&to_file[..3]).stdout).unwrap(), text);
    let loaded = Topology::load(&path).unwrap();
    assert_eq!((loaded.zones[0].name.as_str(), loaded.relationships.len()), ("north", 1));

    let refused = dorascope(&to_file);
    assert_eq!(refused.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--force"));
    std::fs::write(&path, "").unwrap();
    assert_eq!(dorascope(&[&to_file[..], &["--force"]].concat()).status.code(), Some(0));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    let nothing = temp.path().join("nothing.pcap");
    let missing = dorascope(&["topology", "infer", nothing.to_str().unwrap()]);
    assert_eq!((missing.status.code(), missing.stdout.len()), (Some(4), 0));
}

fn page() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/topology.md")).unwrap()
}

#[test]
fn the_examples_of_the_page_load() {
    let temp = TempDir::new("topology-page");
    for name in ["zaldua2zerb1.kea-dhcp4.conf", "zaldua2zerb1.kea-ctrl-agent.conf"] {
        std::fs::copy(captures("all-on").join(name), temp.path().join(name)).unwrap();
    }
    let page = page();
    let examples = page.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let loaded: Vec<Topology> = examples
        .map(|example| Topology::load(&temp.file("topology.toml", example.as_bytes())).unwrap())
        .collect();
    let [whole, pair] = loaded.as_slice() else { panic!("{} examples", loaded.len()) };
    assert_eq!((whole.zones.len(), whole.clients.len(), whole.relationships.len()), (1, 1, 1));
    assert_eq!(pair.relationship_name(dorascope::ha::topology::RelationshipId(0)), "alpha + beta");
    assert!(!pair.relationships[0].peers[1].auto_failover);
    assert!(!pair.relationships[0].limits.assumed);
}

#[test]
fn every_key_is_on_the_page() {
    let temp = TempDir::new("topology-keys");
    let page = page();
    let mut checked = 0;
    let peer = "[[relationship]]\nmode = \"hot-standby\"\npeers = [{ zzzz = 1 }]";
    let tables = ["zone", "server", "client", "relationship"].map(|table| format!("[[{table}]]\nzzzz = 1"));
    for text in tables.iter().map(String::as_str).chain([peer, "zzzz = 1"]) {
        let error = Topology::load(&temp.file("topology.toml", text.as_bytes())).unwrap_err().to_string();
        let (_, keys) = error.split_once("known keys: ").unwrap();
        for key in keys.split(", ") {
            assert!(page.contains(&format!("| `{key}` |")) || page.contains(&format!("[[{key}]]")), "{key}");
            checked += 1;
        }
    }
    assert_eq!(checked, 3 + 4 + 2 + 10 + 4 + 4);
}
