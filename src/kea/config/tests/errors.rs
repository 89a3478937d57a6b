//! Every error of the typed reading, in full.

use super::*;

/// The error after replacing `from` in a valid file.
fn broken(sample: &str, from: &str, to: &str) -> String {
    assert!(sample.contains(from), "{from}");
    error(&sample.replacen(from, to, 1))
}

#[test]
fn files_of_other_programs() {
    let only = "only Dhcp4 and Control-agent are read";
    assert_eq!(
        error(r#"{ "Dhcp6": {} }"#),
        format!("test.conf:1:12: this is a DHCPv6 server's configuration; {only}")
    );
    assert_eq!(
        error("{\n \"DhcpDdns\": {} }"),
        format!("test.conf:2:14: this is a D2 (dynamic DNS) configuration; {only}")
    );
    assert_eq!(error(" {}"), r#"test.conf:1:2: neither "Dhcp4" nor "Control-agent" is in this file"#);
    assert_eq!(error("7"), "test.conf:1:1: the configuration must be a map, not a whole number");
}

#[test]
fn wrong_kinds_and_ranges() {
    let hub = |from, to| broken(HUB, from, to);
    assert_eq!(
        hub("\"max-unacked-clients\": 10", "\"max-unacked-clients\": \"10\""),
        r#"test.conf:19:38: "max-unacked-clients" must be a whole number, not a string"#
    );
    assert_eq!(
        hub("\"max-unacked-clients\": 10", "\"max-unacked-clients\": -1"),
        r#"test.conf:19:38: "max-unacked-clients" must be from 0 to 4294967295, not -1"#
    );
    assert_eq!(
        hub("\"auto-failover\": true", "\"auto-failover\": 1"),
        r#"test.conf:22:115: "auto-failover" must be true or false, not a whole number"#
    );
    assert_eq!(
        hub("{ \"name\": \"zaldua1zerb2\", ", "{ "),
        r#"test.conf:21:17: an entry of "peers" needs "name""#
    );
    assert_eq!(
        hub("\"name\": \"zaldua1zerb2\"", "\"name\": \" \""),
        r#"test.conf:21:27: "name" must not be empty"#
    );
    assert_eq!(
        hub("enp0s8/192.168.4.4", "enp0s8/192.168.4"),
        r#"test.conf:4:67: "enp0s8/192.168.4" does not end in an IPv4 address"#
    );
    assert_eq!(
        broken(AGENT, "8000", "80000"),
        r#"test.conf:4:18: "http-port" must be from 0 to 65535, not 80000"#
    );
    assert_eq!(
        broken(AGENT, "192.168.42.5", "localhost"),
        r#"test.conf:3:18: "http-host" must be an IP address, not "localhost""#
    );
    assert_eq!(
        broken(BALANCED, "\"http\"", "\"tcp\""),
        r#"test.conf:5:24: "socket-type" must be unix, http or https, not "tcp""#
    );
    assert_eq!(
        broken(BALANCED, "10.1.0.2", "10.1.0"),
        r#"test.conf:16:68: an entry of "ip-addresses" must be an IPv4 address, not "10.1.0""#
    );
    assert_eq!(
        broken(BALANCED, "0A 00 00 FE", "0A 00 00"),
        r#"test.conf:18:91: "dhcp-server-identifier" must be an IPv4 address, not "0A 00 00""#
    );
}

#[test]
fn subnets() {
    assert_eq!(
        broken(HUB, "192.168.43.0/24", "192.168.43.0"),
        r#"test.conf:52:28: "subnet" must be an IPv4 prefix such as 192.168.4.0/24, not "192.168.43.0""#
    );
    assert_eq!(
        broken(HUB, "192.168.43.0/24", "192.168.42.0/24"),
        "test.conf:52:28: the prefix 192.168.42.0/24 stands twice, first on line 41"
    );
    assert_eq!(
        broken(HUB, "\"id\": 3", "\"id\": 1"),
        "test.conf:52:15: the subnet id 1 stands twice, first on line 41"
    );
}

#[test]
fn modes_and_roles() {
    let hub = |from, to| broken(HUB, from, to);
    assert_eq!(
        hub("\"mode\": \"hot-standby\"", "\"mode\": \"hot-stand-by\""),
        r#"test.conf:17:23: unknown mode "hot-stand-by"; Kea has load-balancing, hot-standby, passive-backup"#
    );
    assert_eq!(
        hub("\"role\": \"standby\"", "\"role\": \"slave\""),
        r#"test.conf:21:87: unknown role "slave"; Kea has primary, secondary, standby, backup"#
    );
    assert_eq!(
        hub("\"role\": \"standby\"", "\"role\": \"secondary\""),
        "test.conf:21:87: mode hot-standby has no secondary"
    );
    assert_eq!(
        hub("\"role\": \"standby\"", "\"role\": \"primary\""),
        r#"test.conf:22:87: "zaldua1zerb1" is the second primary after "zaldua1zerb2"; there can be only one"#
    );
    assert_eq!(
        hub("\"role\": \"standby\"", "\"role\": \"backup\""),
        "test.conf:20:24: mode hot-standby needs a standby among the peers"
    );
    assert_eq!(
        hub("\"max-unacked-clients\"", "\"delayed-updates-limit\""),
        r#"test.conf:19:40: "delayed-updates-limit" must be 0 in mode hot-standby"#
    );
    assert_eq!(
        hub("\"max-unacked-clients\": 10", "\"wait-backup-ack\": true"),
        r#"test.conf:19:34: "wait-backup-ack" must be false in mode hot-standby"#
    );
    let balanced =
        HUB.replacen("hot-standby", "load-balancing", 1).replacen("\"standby\"", "\"secondary\"", 1);
    assert_eq!(
        error(&balanced),
        "test.conf:17:23: a hub's relationships must all be hot-standby, not load-balancing"
    );
}

#[test]
fn names_and_urls() {
    let hub = |from, to| broken(HUB, from, to);
    assert_eq!(
        hub("\"this-server-name\": \"zaldua1zerb1\"", "\"this-server-name\": \"zerb1\""),
        r#"test.conf:16:35: "zerb1" is not a peer's name; the peers are zaldua1zerb1, zaldua1zerb2"#
    );
    assert_eq!(
        error(&HUB.replace("zaldua1zerb1-zaldua2", "zaldua1zerb1")),
        r#"test.conf:31:27: the peer name "zaldua1zerb1" stands twice; names must differ over all relationships of a server"#
    );
    assert_eq!(
        hub("http://192.168.42.5:8001/", "http://zaldua1zerb2:8001/"),
        "test.conf:21:50: the URL \"http://zaldua1zerb2:8001/\" has the host name \"zaldua1zerb2\"; \
         Kea wants a literal IP address"
    );
    let empty = r#"{ "Dhcp4": { "hooks-libraries": [
        { "library": "libdhcp_ha.so", "parameters": { "high-availability": [] } } ] } }"#;
    assert_eq!(error(empty), r#"test.conf:2:76: "high-availability" needs a relationship"#);
    let none = r#"{ "Dhcp4": { "hooks-libraries": [ { "library": "libdhcp_ha.so" } ] } }"#;
    assert_eq!(error(none), r#"test.conf:1:35: an entry of "hooks-libraries" needs "parameters""#);
}
