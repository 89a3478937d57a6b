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
    told(scenario, zones).into_iter().map(|(line, _)| line).collect()
}

/// The same with the sentences.
fn told(scenario: &str, zones: &[&str]) -> Vec<(String, String)> {
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
        (format!("{severity} {code} {} {server} {client}", finding.count), finding.text)
    });
    lines.collect()
}

const ALL: [&str; 3] = ["zaldua1", "zaldua2", "zaldua3"];

/// Every recording with all its captures: what its README tells, and nothing else.
///
/// Counts that the README does not give were counted with tshark in the captures.
const RECORDINGS: &[(&str, &[&str], &[&str])] = &[
    // haranbez1 and haranbez4 asked while haranzerb2 had both scopes.
    (
        "admin-scopes",
        &["haran"],
        &["error two-answers 1 haranzerb2 haranbez1", "error two-answers 1 haranzerb1 haranbez4"],
    ),
    ("all-on", &ALL, &[]),
    // Thirteen load clients and haranbez1 ask after the primary's death; a terminated standby stays silent.
    ("clock-skew", &["haran"], &["error clock-skew 1 haranzerb2 -", "warning client-unserved 14 - -"]),
    ("hub-release", &ALL, &[]),
    // The two boxes that change their identity in mid-transaction and get no ACK for it.
    (
        "identity-flip",
        &["haran"],
        &[
            "warning server-id-owner-deadlock 1 haranzerb1 haranbez2",
            "warning identity-flip 2 - -",
            "warning server-id-owner-deadlock 1 haranzerb1 haranbez3",
            "note identity-flip 10 - -",
        ],
    ),
    // Both ACKs of haranzerb1 with its partner alive came a second after the REQUEST.
    ("kea-2.2", &["haran"], &["note ack-latency-of-timeouts 2 haranzerb1 -"]),
    ("kea-2.2-load-balancing", &["haran"], &["note renewal-unanswered 1 haranzerb2 haranbez1"]),
    ("kea-3.0", &["haran"], &["note renewal-unanswered 1 haranzerb2 haranbez1"]),
    // One client without any identifier; one RELEASE at the server that does not own the client.
    (
        "load-balancing",
        &["haran"],
        &[
            "warning no-identifier-client 1 - -",
            "note release-ignored 1 haranzerb2 haranbez2",
            "note malformed-message 1 - -",
        ],
    ),
    ("load-balancing-killed", &["haran"], &["note renewal-unanswered 1 haranzerb2 haranbez1"]),
    ("maintenance", &["haran"], &[]),
    ("no-traffic-test", &["haran"], &[]),
    // Twice in vain: the backup serves only when its HA lets go of its service.
    ("passive-backup", &["haran"], &["warning client-unserved 2 - haranbez2"]),
    ("power-cut", &["haran"], &["warning client-unserved 2 - haranbez1"]),
    // Ten clients, as many as end HA; all of them get their ACK in the end.
    ("rejected-updates", &ALL, &["error lease-conflicts 10 zaldua1zerb1 -"]),
    // First haranzerb1 is left out, then haranzerb2; each time thirteen load clients and mendibez1 ask in vain.
    (
        "relay-half-broken",
        &["haran", "mendi"],
        &[
            "warning client-unserved 14 - -",
            "warning relay-asymmetry 83 haranzerb1 -",
            "warning relay-asymmetry 85 haranzerb2 -",
            "warning client-unserved 14 - -",
        ],
    ),
    // The strange server's OFFER and ACK.
    ("relayed", &["haran", "mendi"], &["warning unknown-server 2 192.168.45.66 -"]),
    // The standby is stopped and does not take the lease update.
    ("restart-sync", &["haran"], &["warning requests-unanswered 1 haranzerb1 haranbez3"]),
    // Nineteen MACs ask 24 times while haranzerb1 is dead. Ten of haranzerb2's eleven clients claim more than
    // three seconds at once; the one with 257 may have waited since before the capture.
    (
        "secs",
        &["haran"],
        &["warning client-unserved 24 - -", "note secs-high-at-start 9 - -", "note identity-flip 2 - -"],
    ),
    // Eight clients got two offers; fourteen load clients waited for a lease update that hung.
    (
        "split-brain",
        &["haran"],
        &[
            "error two-answers 8 - -",
            "error address-twice 1 haranzerb2 haranbez2",
            "warning heartbeats-stopped 1 - -",
            "warning ack-latency-of-timeouts 14 haranzerb1 -",
        ],
    ),
    // Two cuts, in which each serves its own half.
    ("split-brain-load-balancing", &["haran"], &["warning heartbeats-stopped 2 - -"]),
    ("tls", &["haran"], &[]),
    // Three attempts of one client, each refused with result 4.
    (
        "withheld-ack",
        &ALL,
        &["error withheld-ack 1 zaldua1zerb1 zaldua3bez1", "warning lease-conflicts 3 zaldua1zerb1 -"],
    ),
    // The standby takes over as it should; only zaldua3 has nobody else.
    ("zaldua1zerb1-killed", &ALL, &["warning client-unserved 1 - zaldua3bez1"]),
    ("zaldua2zerb1-killed", &ALL, &[]),
];

#[test]
fn a_recording_has_the_findings_of_its_readme() {
    for (scenario, zones, expected) in RECORDINGS {
        assert_eq!(found(scenario, zones), *expected, "{scenario}");
    }
}

/// No folder is left out of the table, and no capture of a folder.
#[test]
fn every_recording_is_in_the_table() {
    let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let mut recorded = Vec::new();
    for entry in std::fs::read_dir(captures).unwrap() {
        let folder = entry.unwrap().path();
        if !folder.join("topology.toml").exists() {
            continue;
        }
        let files = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        let pcaps = files.filter(|path| path.extension().is_some_and(|extension| extension == "pcap"));
        recorded.push((folder.file_name().unwrap().to_string_lossy().into_owned(), pcaps.count()));
    }
    recorded.sort();
    let table: Vec<(String, usize)> =
        RECORDINGS.iter().map(|(name, zones, _)| ((*name).to_owned(), zones.len())).collect();
    assert_eq!(table, recorded);
}

/// The sentence of the finding that a line of the table stands for.
fn sentence(scenario: &str, zones: &[&str], line: &str) -> String {
    told(scenario, zones).into_iter().find(|(found, _)| found == line).unwrap().1
}

/// What happened behind a finding, as the READMEs tell it.
#[test]
fn findings_name_their_cause() {
    let causes: [(&str, &[&str], &str, &str); 7] = [
        // The firewall drops the control channel between heartbeats at 34.233 and 47.968.
        (
            "split-brain",
            &["haran"],
            "error two-answers 8 - -",
            "no heartbeat was answered between them for 13 s",
        ),
        (
            "split-brain",
            &["haran"],
            "warning ack-latency-of-timeouts 14 haranzerb1 -",
            "its partner could not be reached",
        ),
        (
            "admin-scopes",
            &["haran"],
            "error two-answers 1 haranzerb2 haranbez1",
            "haranzerb2 reports load-balancing and the scopes haranzerb1, haranzerb2, which somebody set by hand",
        ),
        (
            "restart-sync",
            &["haran"],
            "warning requests-unanswered 1 haranzerb1 haranbez3",
            "haranzerb2 refused the connection for the lease update",
        ),
        (
            "relay-half-broken",
            &["haran", "mendi"],
            "warning relay-asymmetry 83 haranzerb1 -",
            "83 queries in a row to haranzerb2 and none to its partner haranzerb1",
        ),
        (
            "clock-skew",
            &["haran"],
            "error clock-skew 1 haranzerb2 -",
            "haranzerb2 is 90 s ahead of haranzerb1",
        ),
        (
            "passive-backup",
            &["haran"],
            "warning client-unserved 2 - haranbez2",
            "haranzerb1 owns the query and was silent; nothing in the captures tells whether it was down",
        ),
    ];
    for (scenario, zones, line, cause) in causes {
        let text = sentence(scenario, zones, line);
        assert!(text.contains(cause), "{scenario}: {text}");
    }
}

/// A capture of one wire alone proves no more than the three together. That
/// zaldua1zerb1 left out one DISCOVER of zaldua3 has its reason on another wire
/// (a synchronisation switched its DHCP service off), so it is no finding.
#[test]
fn a_single_wire_blames_nobody() {
    for zone in ALL {
        assert_eq!(found("all-on", &[zone]), [""; 0], "{zone}");
        assert_eq!(found("zaldua2zerb1-killed", &[zone]), [""; 0], "{zone}");
    }
    assert_eq!(found("zaldua1zerb1-killed", &["zaldua1"]), [""; 0]);
    assert_eq!(found("zaldua1zerb1-killed", &["zaldua2"]), [""; 0]);
}
