//! What one server's file says by itself, and who listens on its machine.

use super::*;

#[test]
fn limits_that_hinder_a_takeover() {
    let both = |test, from, to, expected: &[&str]| {
        gives(test, &[(STANDBY, from, to), (HUB, from, to), (SPOKE, from, to)], expected);
    };
    let codes = |test, from, to| -> Vec<String> {
        let found = lint(test, &[(STANDBY, from, to), (HUB, from, to), (SPOKE, from, to)]);
        found.iter().map(|line| line.split(' ').next().unwrap_or_default().to_owned()).collect()
    };
    both(
        "equal",
        "\"heartbeat-delay\": 2000",
        "\"heartbeat-delay\": 6000",
        &[
            "heartbeat-too-slow zaldua1zerb1:22 heartbeat-delay is 6000 ms, max-response-delay only 6000 ms",
            "heartbeat-too-slow zaldua1zerb1:34",
            "heartbeat-too-slow zaldua1zerb2:23",
            "heartbeat-too-slow zaldua2zerb1:22",
        ],
    );
    assert_eq!(codes("silent", "\"heartbeat-delay\": 2000", "\"heartbeat-delay\": 0"), ["heartbeat-off"; 4]);
    // kea-dhcp4 2.6.3 refuses to load the library with 70000.
    assert_eq!(
        codes("long", "\"max-response-delay\": 6000", "\"max-response-delay\": 70000"),
        ["delay-too-long"; 4]
    );
    assert_eq!(
        codes("patient", "\"max-ack-delay\": 3000", "\"max-ack-delay\": 65000"),
        ["takeover-unlikely"; 4]
    );
    // 200 addresses in zaldua1 and zaldua3, 100 in zaldua2.
    assert_eq!(
        codes("many", "\"max-unacked-clients\": 10", "\"max-unacked-clients\": 100"),
        ["takeover-unlikely"; 2]
    );
    assert_eq!(codes("sync", "\"mode\"", "\"sync-leases\": false, \"mode\""), ["leases-not-shared"; 4]);
}

#[test]
fn listeners_and_what_they_need() {
    gives(
        "agent-port",
        &[(HUB_AGENT, "\"http-port\": 8000", "\"http-port\": 8001"), (HUB_AGENT, "0.0.0.0", "192.168.42.4")],
        &[
            "port-collision zaldua1zerb1:27 the HA listener of \"zaldua1zerb1\" (Kea 2.4 and later) listens at 192.168.42.4:8001, which the \
         Control Agent takes (192.168.42.4:8001)",
        ],
    );
    gives(
        "agent-everywhere",
        &[
            (HUB_AGENT, "8000", "8002"),
            (HUB_AGENT, "\"http-host\"", "\"trust-anchor\": \"ca.pem\", \"http-host\""),
        ],
        &[
            "port-collision zaldua1zerb1:40 the HA listener of \"zaldua1zerb1-zaldua2\" (Kea 2.4 and later) listens at 192.168.4.4:8002, which",
        ],
    );
    let same =
        [(HUB, "192.168.4.4:8002", "192.168.42.4:8001"), (SPOKE, "192.168.4.4:8002", "192.168.42.4:8001")];
    gives("two-listeners", &same, &["port-collision zaldua1zerb1:40"]);
    let off = (STANDBY, "\"enable-multi-threading\": true", "\"enable-multi-threading\": false");
    gives(
        "agent-elsewhere",
        &[off],
        &[
            "url-unserved zaldua1zerb2:29 the dedicated listener is off, and nobody listens at 192.168.42.5:8001: the \
         Control Agent at 192.168.42.5:8000",
        ],
    );
    let asked = (STANDBY, "\"mode\"", "\"multi-threading\": { \"enable-multi-threading\": true }, \"mode\"");
    let agent = (STANDBY_AGENT, "\"http-port\": 8000", "\"http-port\": 8001");
    gives("asked", &[off, asked, agent], &["multi-threading-off zaldua1zerb2:22"]);
    gives(
        "no-port",
        &[(SPOKE, "192.168.4.5:8002", "192.168.4.5"), (HUB, "192.168.4.5:8002", "192.168.4.5")],
        &["url-without-port zaldua1zerb1:39", "url-without-port zaldua2zerb1:27"],
    );
    gives(
        "socket",
        &[(STANDBY_AGENT, "kea4-ctrl-socket", "kea4.sock")],
        &[
            "agent-socket-differs zaldua1zerb2:6 the Control Agent hands commands to /run/kea/kea4.sock, but the server's",
        ],
    );
    let topology = write(
        "lint-own",
        "topology.toml",
        "[[server]]\nname = \"zaldua2zerb1\"\naddresses = [\"10.0.0.1\"]\n",
    );
    let path = write("lint-own", SPOKE, &recorded("all-on", SPOKE));
    let findings = check(Some(&topology), &[(None, path)]).unwrap();
    assert_eq!(findings[0].code, LintCode::UrlNotOwn, "{findings:#?}");
}

#[test]
fn hooks_keys_and_passwords() {
    let line = "      { \"library\": \"/usr/lib/x86_64-linux-gnu/kea/hooks/libdhcp_lease_cmds.so\" },\n";
    gives("lease-cmds", &[(STANDBY, line, "")], &["lease-commands-missing zaldua1zerb2:14"]);
    gives(
        "misspelt",
        &[
            (SPOKE, "\"max-ack-delay\": 3000", "\"max-ack-dealy\": 10000"),
            (HUB, "\"max-ack-delay\": 3000", "\"max-ack-delay\": 10000"),
            (STANDBY, "\"max-ack-delay\": 3000", "\"max-ack-delay\": 10000"),
        ],
        &["misspelt-key zaldua2zerb1:24 Kea passes over the unknown key \"max-ack-dealy\""],
    );
    let password = "\"basic-auth-password\": \"x\", \"role\": \"standby\"";
    gives("clear", &[(STANDBY, "\"role\": \"standby\"", password)], &["password-in-clear zaldua1zerb2:29"]);
    let tls = (STANDBY, "\"mode\"", "\"trust-anchor\": \"ca.pem\", \"mode\"");
    gives("encrypted", &[(STANDBY, "\"role\": \"standby\"", password), tls], &[]);
}
