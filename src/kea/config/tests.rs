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
    let subnets: Vec<_> =
        file.subnets.iter().map(|it| (it.id, it.prefix.to_string(), it.ha_server_name.as_deref())).collect();
    let expected = [
        (1, "192.168.42.0/24".to_owned(), Some("zaldua1zerb1")),
        (2, "192.168.4.0/24".to_owned(), Some("zaldua2zerb1")),
        (3, "192.168.43.0/24".to_owned(), Some("zaldua1zerb1")),
    ];
    assert_eq!(subnets, expected);
    assert_eq!(file.addresses.len(), 3);
    assert!(!file.ignore_server_id);
    assert_eq!(file.warnings, [] as [&str; 0]);
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
    assert_eq!(file.http_sockets, [(ip("10.0.0.1"), 8000)]);
}

#[test]
fn subnets_take_over_what_their_network_and_the_server_say() {
    let file = dhcp4(BALANCED);
    let [first, second, third] = file.subnets.as_slice() else { panic!("{:?}", file.subnets) };
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
    assert_eq!(file.http, (ip("192.168.42.5"), 8000));
    assert_eq!(file.sockets, [("dhcp4".to_owned(), "/run/kea/kea4-ctrl-socket".to_owned())]);
    assert_eq!(agent(r#"{ "Control-agent": {} }"#).http, (ip("127.0.0.1"), 8000));
}

#[test]
fn a_server_without_ha_is_fine() {
    assert_eq!(dhcp4(r#"{ "Dhcp4": {} }"#), Dhcp4File::default());
}

#[test]
fn the_answer_of_config_get_is_a_configuration() {
    let answer = format!(r#"[ {{ "arguments": {BALANCED}, "result": 0 }} ]"#);
    assert_eq!(dhcp4(&answer), dhcp4(BALANCED));
    let single = format!(r#"{{ "arguments": {BALANCED}, "result": 0 }}"#);
    assert_eq!(dhcp4(&single), dhcp4(BALANCED));
}

#[test]
fn what_kea_passes_over_is_a_warning() {
    let warnings = |text: String| dhcp4(&text).warnings;
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
