//! The findings of the recorded scenarios against what their READMEs and the
//! servers' own logs (`truth.jsonl`) say happened.

use std::path::Path;

use dorascope::capture::Input;
use dorascope::exchange::PairLimits;
use dorascope::findings::find;
use dorascope::ha::topology::Topology;
use dorascope::pipeline::analyze;

/// `SEVERITY CODE COUNT SERVER CLIENT` of every finding of a recording.
fn found(scenario: &str, zones: &[&str]) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures").join(scenario);
    let topology = Topology::load(&folder.join("topology.toml")).unwrap();
    let input =
        |zone: &&str| Input { zone: Some((*zone).to_owned()), path: folder.join(format!("{zone}.pcap")) };
    let inputs: Vec<Input> = zones.iter().map(input).collect();
    let analysis = analyze(&inputs, &topology, PairLimits::default(), |_| {});
    let lines = find(&analysis).into_iter().map(|finding| {
        let server = finding.server.map_or("-", |server| analysis.network.machines.name(server));
        let client = finding.client.and_then(|mac| analysis.client_name(mac)).unwrap_or("-");
        let (severity, code) = (finding.severity.as_str(), finding.code.code());
        format!("{severity} {code} {} {server} {client}", finding.count)
    });
    lines.collect()
}

const ALL: [&str; 3] = ["zaldua1", "zaldua2", "zaldua3"];

#[test]
fn a_healthy_network_has_no_findings() {
    assert_eq!(found("all-on", &ALL), [""; 0]);
}

/// The standby takes over as it should; only zaldua3 has nobody else.
#[test]
fn a_lawful_takeover_is_no_finding() {
    let zaldua3 = ["warning client-unserved 1 - zaldua3bez1"];
    assert_eq!(found("zaldua1zerb1-killed", &ALL), zaldua3);
    assert_eq!(found("zaldua2zerb1-killed", &ALL), [""; 0]);
}

/// Three attempts of one client, each refused with result 4.
#[test]
fn a_withheld_ack_is_found_with_its_cause() {
    let expected =
        ["error withheld-ack 1 zaldua1zerb1 zaldua3bez1", "warning lease-conflicts 3 zaldua1zerb1 -"];
    assert_eq!(found("withheld-ack", &ALL), expected);
}

/// A capture of one wire alone proves no more than the three together, except
/// that it does not show why the hub dropped one DISCOVER of zaldua3: the
/// synchronisation on zaldua2 had switched its DHCP service off.
#[test]
fn a_single_wire_blames_nobody_else() {
    for zone in ALL {
        assert_eq!(found("all-on", &[zone]), [""; 0], "{zone}");
    }
    assert_eq!(found("zaldua1zerb1-killed", &["zaldua1"]), [""; 0]);
    assert_eq!(found("zaldua1zerb1-killed", &["zaldua2"]), [""; 0]);
    assert_eq!(found("zaldua2zerb1-killed", &["zaldua1"]), [""; 0]);
    assert_eq!(found("zaldua2zerb1-killed", &["zaldua2"]), [""; 0]);
    let dropped = ["warning unexpected-silence 1 zaldua1zerb1 zaldua3bez1"];
    assert_eq!(found("zaldua2zerb1-killed", &["zaldua3"]), dropped);
}
