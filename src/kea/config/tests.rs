use std::net::IpAddr;

use super::samples::*;
use super::*;
use crate::ha::topology::{Limits, Mode, Role};

mod errors;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn a_hub_has_two_seats_under_two_names() {
    let file = dhcp4(HUB);
    let seats: Vec<_> = file.seats.iter().map(|seat| seat.this_server_name.as_str()).collect();
    assert_eq!(seats, ["zaldua1zerb1", "zaldua1zerb1-zaldua2"]);
    let first = &file.seats[0].relationship;
    assert_eq!(first.mode, Mode::HotStandby);
    let peers: Vec<_> = first.peers.iter().map(|peer| (peer.name.as_str(), peer.role, peer.url)).collect();
    let expected = [
        ("zaldua1zerb1", Role::Primary, (ip("192.168.42.4"), 8001)),
        ("zaldua1zerb2", Role::Standby, (ip("192.168.42.5"), 8001)),
    ];
    assert_eq!(peers, expected, "primary first, whatever the file's order");
    let limits = Limits {
        heartbeat_delay_ms: 2000,
        max_response_delay_ms: 6000,
        max_ack_delay_ms: 3000,
        ..Limits::defaults(Mode::HotStandby)
    };
    assert_eq!(first.limits, limits);
    assert!(!file.seats[1].relationship.peers[1].auto_failover);
    let subnets: Vec<_> = file
        .subnets
        .iter()
        .map(|it| &it.subnet)
        .map(|it| (it.id, it.prefix.to_string(), it.ha_server_name.as_deref()))
        .collect();
    let expected = [
        (1, "192.168.42.0/24".to_owned(), Some("zaldua1zerb1")),
        (2, "192.168.4.0/24".to_owned(), Some("zaldua2zerb1")),
        (3, "192.168.43.0/24".to_owned(), Some("zaldua1zerb1")),
    ];
    assert_eq!(subnets, expected);
    assert_eq!(file.addresses.len(), 3);
    assert!(!file.ignore_server_id);
    assert_eq!(file.remarks, []);
    assert_eq!(file.hooks, ["libdhcp_lease_cmds.so", "libdhcp_ha.so"]);
    assert_eq!(file.multi_threading, Some(true));
}

#[test]
fn a_load_balancing_pair_with_backups() {
    let file = dhcp4(BALANCED);
    let relationship = &file.seats[0].relationship;
    assert_eq!(relationship.mode, Mode::LoadBalancing);
    let names: Vec<_> = relationship.peers.iter().map(|peer| peer.name.as_str()).collect();
    assert_eq!(names, ["server1", "server2", "backup1", "backup2"]);
    assert_eq!(relationship.peers[3].url, (ip("2001:db8::4"), 8000));
    let limits = Limits {
        delayed_updates_limit: 50,
        max_rejected_lease_updates: 0,
        send_lease_updates: false,
        dedicated_listener: true,
        ..Limits::defaults(Mode::LoadBalancing)
    };
    assert_eq!(relationship.limits, limits);
    assert!(file.ignore_server_id);
    let [socket] = file.http_sockets.as_slice() else { panic!("{:?}", file.http_sockets) };
    assert_eq!((socket.address, socket.authenticated), ((ip("10.0.0.1"), 8000), false));
    assert_eq!(file.unix_sockets, ["/run/kea/kea4-ctrl-socket"]);
}

#[test]
fn subnets_take_over_what_their_network_and_the_server_say() {
    let file = dhcp4(BALANCED);
    let subnets: Vec<_> = file.subnets.iter().map(|entry| &entry.subnet).collect();
    let [first, second, third] = subnets.as_slice() else { panic!("{:?}", file.subnets) };
    assert_eq!((first.id, first.prefix.to_string().as_str()), (1, "10.1.0.0/16"));
    assert_eq!(first.shared_network.as_deref(), Some("campus"));
    assert_eq!(first.ha_server_name.as_deref(), Some("server2"));
    assert_eq!(first.relays, ["10.1.0.1".parse::<Ipv4Addr>().unwrap(), "10.1.0.2".parse().unwrap()]);
    assert_eq!(first.server_identifier, Some("10.0.0.254".parse().unwrap()));
    assert_eq!((second.id, second.prefix.to_string().as_str()), (2, "10.2.0.0/16"));
    assert_eq!(second.ha_server_name.as_deref(), Some("server1"));
    assert_eq!(second.relays, ["10.2.0.1".parse::<Ipv4Addr>().unwrap()]);
    assert_eq!(second.server_identifier, Some("10.2.0.254".parse().unwrap()));
    assert_eq!((third.id, third.shared_network.as_deref()), (9, None));
    assert_eq!(third.relays, [] as [Ipv4Addr; 0]);
    assert_eq!(third.server_identifier, Some("10.0.0.1".parse().unwrap()));
}

#[test]
fn passive_backup_needs_a_primary_only() {
    let text = ZALDUA2ZERB1
        .replace("hot-standby", "passive-backup")
        .replace("\"role\": \"standby\"", "\"role\": \"backup\"")
        .replace("\"mode\"", "\"wait-backup-ack\": true, \"mode\"");
    assert_eq!(dhcp4(&text).seats[0].relationship.mode, Mode::PassiveBackup);
}

#[test]
fn a_control_agent_says_where_it_listens() {
    let file = agent(AGENT);
    assert_eq!(file.http.address, (ip("192.168.42.5"), 8000));
    assert_eq!(file.sockets, [("dhcp4".to_owned(), "/run/kea/kea4-ctrl-socket".to_owned())]);
    assert_eq!(agent(r#"{ "Control-agent": {} }"#).http.address, (ip("127.0.0.1"), 8000));
}

#[test]
fn a_server_without_ha_is_fine() {
    let file = dhcp4(r#"{ "Dhcp4": {} }"#);
    let files = file.files.clone();
    let origin = Origin { at: At { file: 0, offset: 11 }, keys: Vec::new() };
    assert_eq!(file, Dhcp4File { origin, files, ..Dhcp4File::default() });
}

#[test]
fn the_answer_of_config_get_is_a_configuration() {
    let answer = format!(r#"[ {{ "arguments": {BALANCED}, "result": 0 }} ]"#);
    // All but the places.
    let content = |text: &str| {
        let file = dhcp4(text);
        let relationships: Vec<_> = file.seats.into_iter().map(|seat| seat.relationship).collect();
        let subnets: Vec<_> = file.subnets.into_iter().map(|entry| entry.subnet).collect();
        (relationships, subnets, file.http_sockets.len(), file.ignore_server_id)
    };
    assert_eq!(content(&answer), content(BALANCED));
    let single = format!(r#"{{ "arguments": {BALANCED}, "result": 0 }}"#);
    assert_eq!(content(&single), content(BALANCED));
}

#[test]
fn what_kea_passes_over_is_a_warning() {
    let warnings = |text: String| -> Vec<String> {
        let file = dhcp4(&text);
        let line = |remark: &Remark| file.files.error(remark.at, remark.text.as_str()).to_string();
        file.remarks.iter().map(line).collect()
    };
    assert_eq!(
        warnings(ZALDUA2ZERB1.replace("max-ack-delay", "max_ack_delay")),
        [r#"test.conf:4:62: Kea passes over the unknown key "max_ack_delay"; did you mean "max-ack-delay"?"#]
    );
    assert_eq!(
        warnings(ZALDUA2ZERB1.replace("4.5:8002/", "4.5/")),
        [r#"test.conf:6:44: the URL "http://192.168.4.5/" has no port, so Kea uses port 0"#]
    );
    assert_eq!(
        warnings(
            HUB.replace(r#", "interface": "zaldua1""#, "").replace(r#""ha-server-name": "zaldua2zerb1""#, "")
        ),
        [r#"test.conf:45:7: this subnet of a hub has no "ha-server-name"; Kea drops its queries"#]
    );
    assert_eq!(
        warnings(HUB.replace(r#""ha-server-name": "zaldua2zerb1""#, r#""ha-server-name": "zaldua2zerb9""#)),
        [
            r#"test.conf:45:7: "ha-server-name" is "zaldua2zerb9", which is no peer; Kea drops the queries of this subnet"#
        ]
    );
    assert_eq!(
        warnings(ZALDUA2ZERB1.replace(r#""ha-server-name": "zaldua2zerb1""#, r#""ha-server-name": 2"#)),
        [
            r#"test.conf:8:93: "ha-server-name" must be a name in quotes; Kea drops the queries of this subnet"#
        ]
    );
}

#[test]
fn pools_are_ranges_and_those_that_kea_refuses_are_remarks() {
    let pools = |text: &str| {
        dhcp4(&format!(
            r#"{{ "Dhcp4": {{ "subnet4": [ {{ "id": 1, "subnet": "192.168.4.0/24", "pools": [ {text} ] }} ] }} }}"#
        ))
    };
    let file = pools(
        r#"{ "pool": "192.168.4.100 - 192.168.4.199", "client-class": "HA_one" },
           { "pool": "192.168.4.0 / 27", "client-classes": [ "HA_two", "phones" ] }"#,
    );
    assert_eq!(file.remarks, []);
    let found: Vec<_> = file.subnets[0]
        .pools
        .iter()
        .map(|pool| (pool.first.to_string(), pool.last.to_string(), pool.classes.join(" ")))
        .collect();
    let expected =
        [("192.168.4.100", "192.168.4.199", "HA_one"), ("192.168.4.0", "192.168.4.31", "HA_two phones")]
            .map(|(first, last, classes)| (first.to_owned(), last.to_owned(), classes.to_owned()));
    assert_eq!(found, expected);
    // kea-dhcp4 2.6.3 -t refuses each of these.
    for (text, why) in [
        (r#"{ "pool": "192.168.4.100" }"#, "it must be FIRST - LAST or a prefix"),
        (r#"{ "pool": "192.168.4.199 - 192.168.4.100" }"#, "it must be FIRST - LAST or a prefix"),
        (r#"{ "pool": "192.168.5.100 - 192.168.5.199" }"#, "it is not inside 192.168.4.0/24"),
        (
            r#"{ "pool": "192.168.4.150 - 192.168.4.210" }, { "pool": "192.168.4.100 - 192.168.4.199" }"#,
            "it overlaps 192.168.4.100 - 192.168.4.199 of the same subnet",
        ),
    ] {
        let file = pools(text);
        let [remark] = file.remarks.as_slice() else { panic!("{text}: {:?}", file.remarks) };
        assert_eq!(remark.kind, RemarkKind::BadPool);
        assert!(remark.text.ends_with(why), "{}", remark.text);
    }
}

#[test]
fn a_socket_that_asks_for_a_password_or_a_certificate_is_authenticated() {
    let authenticated =
        |keys: &str| agent(&format!(r#"{{ "Control-agent": {{ {keys} }} }}"#)).http.authenticated;
    assert!(!authenticated(""));
    assert!(!authenticated(r#""authentication": { "type": "basic", "clients": [] }"#));
    assert!(authenticated(r#""authentication": { "clients": [ { "user": "a", "password": "b" } ] }"#));
    assert!(authenticated(r#""trust-anchor": "ca.pem", "cert-file": "a", "key-file": "b""#));
    assert!(!authenticated(r#""trust-anchor": "ca.pem", "cert-required": false"#));
}
