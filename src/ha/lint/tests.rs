//! Every check on the laboratory's real files, with one line of them changed.

use super::*;
use crate::kea::config::samples::write;

mod balanced;
mod server;

/// The recorded files of the healthy laboratory, by machine.
const FILES: [(&str, &str); 6] = [
    ("zaldua1zerb1", "kea-dhcp4.conf"),
    ("zaldua1zerb1", "kea-ctrl-agent.conf"),
    ("zaldua1zerb2", "kea-dhcp4.conf"),
    ("zaldua1zerb2", "kea-ctrl-agent.conf"),
    ("zaldua2zerb1", "kea-dhcp4.conf"),
    ("zaldua2zerb1", "kea-ctrl-agent.conf"),
];
const HUB: &str = "zaldua1zerb1.kea-dhcp4.conf";
const HUB_AGENT: &str = "zaldua1zerb1.kea-ctrl-agent.conf";
const STANDBY: &str = "zaldua1zerb2.kea-dhcp4.conf";
const STANDBY_AGENT: &str = "zaldua1zerb2.kea-ctrl-agent.conf";
const SPOKE: &str = "zaldua2zerb1.kea-dhcp4.conf";

fn recorded(scenario: &str, name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures").join(scenario).join(name);
    std::fs::read_to_string(path).unwrap()
}

/// A change to a file: everywhere in it, from, to.
type Change<'a> = (&'a str, &'a str, &'a str);

/// The findings in the laboratory's files after some changes, each as `code server:line text`.
///
/// The one that is really there, the hub's agent on 0.0.0.0, is left out.
fn lint(test: &str, changes: &[Change<'_>]) -> Vec<String> {
    let mut files = Vec::new();
    for (machine, kind) in FILES {
        let name = format!("{machine}.{kind}");
        let mut text = recorded("all-on", &name);
        for (_, from, to) in changes.iter().filter(|(file, ..)| *file == name) {
            assert!(text.contains(from), "{name}: {from}");
            text = text.replace(from, to);
        }
        files.push((None, write(&format!("lint-{test}"), &name, &text)));
    }
    let findings = check(None, &files).unwrap();
    let shown = |it: &LintFinding| format!("{} {}:{} {}", it.code.code(), it.server, it.place.0, it.text);
    let all: Vec<String> = findings.iter().map(shown).collect();
    all.into_iter().filter(|line| !line.contains("(0.0.0.0, port 8000) without")).collect()
}

/// Checks that changes give findings that begin with these texts, in this order.
fn gives(test: &str, changes: &[Change<'_>], expected: &[&str]) {
    let found = lint(test, changes);
    let is_right = found.len() == expected.len()
        && found.iter().zip(expected).all(|(found, expected)| found.starts_with(expected));
    assert!(is_right, "{test}:\n{found:#?}\n{expected:#?}");
}

#[test]
fn the_healthy_laboratory_has_one_open_agent() {
    let topology = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/all-on/topology.toml");
    let findings = check(Some(&topology), &[]).unwrap();
    let [open] = findings.as_slice() else { panic!("{findings:#?}") };
    assert_eq!((open.code, open.server.as_str()), (LintCode::OpenControlSocket, "zaldua1zerb1"));
    assert_eq!(open.place, (4, 18));
    assert!(open.file.ends_with(HUB_AGENT));
    let socket = "the Control Agent listens on every interface (0.0.0.0, port 8000) without authentication";
    assert_eq!(open.text, socket);
    let password = "\"http-port\": 8000, \"authentication\": { \"clients\": [ { \"user\": \"a\" } ] }";
    gives("password", &[(HUB_AGENT, "\"http-port\": 8000", password)], &[]);
}

#[test]
fn the_missing_subnet_of_the_withheld_ack_is_found() {
    let topology = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/withheld-ack/topology.toml");
    let findings = check(Some(&topology), &[]).unwrap();
    let codes: Vec<_> = findings.iter().map(|it| it.code).collect();
    assert_eq!(codes, [LintCode::SubnetMissing, LintCode::OpenControlSocket]);
    assert_eq!((findings[0].server.as_str(), findings[0].place.0), ("zaldua1zerb1", 62));
    assert_eq!(
        findings[0].text,
        "zaldua1zerb2 does not have the subnet 192.168.43.0/24 (id 3): zaldua1zerb2 refuses its leases, \
         and zaldua1zerb1 withholds the ACKs"
    );
}

#[test]
fn files_of_a_pair_that_disagree() {
    let standby = |test, from, to, expected: &[&str]| gives(test, &[(STANDBY, from, to)], expected);
    standby(
        "limits",
        "\"max-ack-delay\": 3000",
        "\"max-ack-delay\": 4000",
        &["limits-differ zaldua1zerb2:25 max-ack-delay is 4000, but 3000 in the file of zaldua1zerb1"],
    );
    standby(
        "url",
        "192.168.42.4:8001",
        "192.168.42.4:8009",
        &[
            "url-differs zaldua1zerb2:28 url of \"zaldua1zerb1\" is 192.168.42.4:8009, but 192.168.42.4:8001 in",
        ],
    );
    gives(
        "roles",
        &[
            (STANDBY, "\"role\": \"primary\"", "\"role\": \"x\""),
            (STANDBY, "\"role\": \"standby\"", "\"role\": \"primary\""),
            (STANDBY, "\"role\": \"x\"", "\"role\": \"standby\""),
        ],
        &[
            "role-differs zaldua1zerb2:28 role of \"zaldua1zerb1\" is standby, but primary in",
            "role-differs zaldua1zerb2:29 role of \"zaldua1zerb2\" is primary, but standby in",
        ],
    );
    gives(
        "mode",
        &[
            (STANDBY, "\"mode\": \"hot-standby\"", "\"mode\": \"load-balancing\""),
            (STANDBY, "\"role\": \"standby\"", "\"role\": \"secondary\""),
        ],
        &[
            "mode-differs zaldua1zerb2:22 mode is load-balancing, but hot-standby in",
            "role-differs zaldua1zerb2:29 role of \"zaldua1zerb2\" is secondary, but standby in",
            "limits-differ zaldua1zerb2:20 delayed-updates-limit is 100, but 0 in",
            "pools-not-split zaldua1zerb2:40 the pool 192.168.42.100 - 192.168.42.199",
            "pools-not-split zaldua1zerb2:47 the pool 192.168.43.100 - 192.168.43.199",
        ],
    );
    standby(
        "names",
        "\"zaldua1zerb2\"",
        "\"zerb2\"",
        &[
            "peer-names-differ zaldua1zerb2:27 the peers are zaldua1zerb1, zerb2, but zaldua1zerb1, zaldua1zerb2 in",
        ],
    );
    standby(
        "copied",
        "\"this-server-name\": \"zaldua1zerb2\"",
        "\"this-server-name\": \"zaldua1zerb1\"",
        &[
            "this-server-name-twice zaldua1zerb2:21 this-server-name is \"zaldua1zerb1\", which zaldua1zerb1 has, too",
        ],
    );
}

#[test]
fn a_relationship_in_one_file_only() {
    let ha = "\"library\": \"/usr/lib/x86_64-linux-gnu/kea/hooks/libdhcp_ha.so\"";
    gives(
        "one-sided",
        &[
            (STANDBY, ha, "\"library\": \"libdhcp_other.so\""),
            (STANDBY, "\"zaldua1\" ]", "\"zaldua1/192.168.42.5\" ]"),
        ],
        &["relationship-one-sided zaldua1zerb1:28 the peer \"zaldua1zerb2\" is zaldua1zerb2, whose own file"],
    );
    let path = write("lint-alone", STANDBY, &recorded("all-on", STANDBY));
    let findings = check(None, &[(Some("s2".to_owned()), path)]).unwrap();
    let [note] = findings.as_slice() else { panic!("{findings:#?}") };
    assert_eq!((note.code, note.server.as_str(), note.place.0), (LintCode::FileNotGiven, "s2", 28));
}

#[test]
fn subnets_and_pools_that_differ() {
    let standby = |test, from, to, expected: &[&str]| gives(test, &[(STANDBY, from, to)], expected);
    standby(
        "id",
        "\"id\": 3",
        "\"id\": 33",
        &["subnet-id-differs zaldua1zerb2:44 192.168.43.0/24 has id 33, but 3 in"],
    );
    standby(
        "prefix",
        "192.168.43.",
        "192.168.44.",
        &[
            "subnet-missing zaldua1zerb1:62 zaldua1zerb2 does not have the subnet 192.168.43.0/24 (id 3)",
            "subnet-id-differs zaldua1zerb1:62 id 3 is 192.168.43.0/24, but 192.168.44.0/24 in the file of zaldua1zerb2",
            "subnet-missing zaldua1zerb2:44 zaldua1zerb1 does not have the subnet 192.168.44.0/24 (id 3): its clients",
            "subnet-id-differs zaldua1zerb2:44 id 3 is 192.168.44.0/24, but 192.168.43.0/24 in the file of zaldua1zerb1",
        ],
    );
    standby(
        "pools",
        "192.168.43.199",
        "192.168.43.150",
        &[
            "pools-differ zaldua1zerb2:47 192.168.43.0/24 has the pool 192.168.43.100 - 192.168.43.150, but the pool",
        ],
    );
    standby("no-id", "\"id\": 3,", "", &["subnet-id-missing zaldua1zerb2:44"]);
    standby(
        "bad-pool",
        "192.168.43.100",
        "192.168.42.100",
        &["pool-refused zaldua1zerb2:47 Kea refuses the pool", "pools-differ zaldua1zerb2:47"],
    );
    gives(
        "other",
        &[
            (
                HUB,
                "\"subnet\": \"192.168.43.0/24\"",
                "\"subnet\": \"192.168.43.0/24\", \"user-context\": { \"ha-server-name\": \"zaldua2zerb1\" }, \"x\": 1",
            ),
            (
                HUB,
                "\"option-data\": [ { \"name\": \"routers\", \"data\": \"192.168.43.1\" } ],\n        \"user-context\": { \"ha-server-name\": \"zaldua1zerb1\" }",
                "\"y\": 1",
            ),
        ],
        &[
            "subnet-relationship-differs zaldua1zerb1:62 192.168.43.0/24 has the ha-server-name \"zaldua2zerb1\"",
            "subnet-missing zaldua1zerb1:62 zaldua2zerb1 does not have the subnet 192.168.43.0/24 (id 3): its clients get",
        ],
    );
    gives(
        "unrelated",
        &[(HUB, "\"ha-server-name\": \"zaldua2zerb1\"", "\"x\": 1")],
        &["subnet-unrelated zaldua1zerb1:55 this subnet of a hub has no \"ha-server-name\""],
    );
}

#[test]
fn what_kea_refuses_does_not_hide_the_rest() {
    let hub = "\"mode\": \"hot-standby\",\n              \"heartbeat-delay\": 2000";
    gives(
        "refused",
        &[
            (HUB, hub, "\"mode\": \"hot-standby\", \"delayed-updates-limit\": 9"),
            (STANDBY, "\"max-unacked-clients\": 10", "\"max-unacked-clients\": 0"),
        ],
        &[
            "configuration-refused zaldua1zerb1:21 \"delayed-updates-limit\" must be 0 in mode hot-standby",
            "takeover-at-once zaldua1zerb2:26",
            "file-not-given zaldua1zerb2:28",
            "file-not-given zaldua2zerb1:28",
        ],
    );
    let missing = check(None, &[(None, "no/such/file.conf".into())]).unwrap_err();
    assert_eq!(missing.place, None);
}
