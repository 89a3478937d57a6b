//! Lines of every form: the samples of kea-ha §9.2 and Kea's own words from recordings.

use super::*;
use crate::units::{CaptureTime, Xid};

fn log(text: &str) -> Log {
    Log::of("log".to_owned(), std::io::Cursor::new(text.to_owned()))
}

/// The only event of a line.
fn event(line: &str) -> Event {
    let mut log = log(line);
    assert_eq!(log.lines, Lines { read: 1, events: 1, broken: 0, dropped: 0 }, "{line}");
    log.events.remove(0)
}

fn what(message: &str) -> What {
    event(&format!("2025-01-02 03:04:05.678 INFO  [kea-dhcp4.ha-hooks/1234.1] {message}")).what
}

const LABEL: &str = "[hwtype=1 52:54:00:12:34:56], cid=[01:52:54:00:12:34:56], tid=0x3f2a";

#[test]
fn every_line_form_carries_the_same_message() {
    let message = "HA_STATE_TRANSITION server2: server transitions from HOT-STANDBY to PARTNER-DOWN state, \
                   partner state is UNDEFINED";
    let expected = What::Transition {
        server: Some("server2".into()),
        from: "HOT-STANDBY".into(),
        to: "PARTNER-DOWN".into(),
        partner: Some("UNDEFINED".into()),
    };
    let (second, milli, micro) = (1_735_787_045_000_000_000, 678_000_000, 901_000);
    for (prefix, ns) in [
        ("2025-01-02 03:04:05.678 INFO  [kea-dhcp4.ha-hooks/1234.140012345678912]", second + milli),
        ("2025-01-02 03:04:05.678.901 INFO  [kea-dhcp4.ha-hooks/1.0x7f01]", second + milli + micro),
        ("2018-05-04 03:04:05.678 INFO  [kea-dhcp4.ha-hooks/12395]", 1_525_403_045_678_000_000),
        ("Jan  2 03:04:05 host1 kea-dhcp4[1234]: INFO  [kea-dhcp4.ha-hooks.140012345678912]", second),
        ("Jan  2 03:04:05 host1 kea-dhcp4[1234]: INFO ", second),
        (
            "Jan 02 03:04:06 h kea-dhcp4[1]: 2025-01-02 03:04:05.678 INFO  [kea-dhcp4.ha-hooks/1.2]",
            second + milli,
        ),
        ("2025-01-02T04:04:05.678901+01:00 host1 kea-dhcp4[1234]: INFO ", second + milli + micro),
    ] {
        let event = event(&format!("{prefix} {message}\n"));
        assert_eq!(event.what, expected, "{prefix}");
        assert_eq!(event.stamp.unwrap().near(CaptureTime(second)), ns, "{prefix}");
    }
    assert_eq!(event(&format!("INFO  {message}")).stamp, None);
}

#[test]
fn labels_hold_what_kea_printed() {
    let line = format!(
        "DHCP4_PACKET_DROP_0003 {LABEL}, from interface zaldua2: it contains a foreign server identifier"
    );
    let client = event(&line).client.unwrap();
    assert_eq!(client.mac.to_string(), "52:54:00:12:34:56");
    assert_eq!(client.client_id.unwrap().len(), 7);
    assert_eq!(client.xid, Xid(0x3f2a));
    let bare = event(
        "HA_BUFFER4_RECEIVE_NOT_FOR_US [hwtype=1 52:54:00:12:34:56], cid=[no info], tid=0x1: dropping query to be processed by another server",
    );
    assert_eq!(bare.client.unwrap().client_id, None);
    let odd = event(
        "HA_BUFFER4_RECEIVE_NOT_FOR_US [no hwaddr info], cid=[01] (malformed client-id), tid=0x1: dropping query to be processed by another server",
    );
    assert_eq!(odd.client.unwrap().mac.to_string(), "");
    let unparsed = event(
        "DHCP4_PACKET_DROP_0008 [hwtype=1 ], cid=[no info], tid=0x0: DHCP service is globally disabled",
    );
    assert_eq!((unparsed.client, unparsed.what), (None, What::ServiceOff));
}

#[test]
fn packets_and_leases_are_read() {
    let packet = |kind, src: &str, dst: &str| Packet {
        kind: crate::dhcp::MessageType(kind),
        src: src.parse().unwrap(),
        dst: dst.parse().unwrap(),
        interface: "eth0".into(),
    };
    assert_eq!(
        what(&format!(
            "DHCP4_PACKET_RECEIVED {LABEL}: DHCPDISCOVER (type 1) received from 0.0.0.0 to 255.255.255.255 on interface eth0"
        )),
        What::Received(packet(1, "0.0.0.0", "255.255.255.255"))
    );
    assert_eq!(
        what(&format!(
            "DHCP4_PACKET_SEND {LABEL}: trying to send packet DHCPACK (type 5) from 192.168.42.4:67 to 192.168.42.100:68 on interface eth0"
        )),
        What::Sent(packet(5, "192.168.42.4", "192.168.42.100"))
    );
    let ip = "192.168.42.100".parse().unwrap();
    assert_eq!(
        what(&format!("DHCP4_LEASE_OFFER {LABEL}: lease 192.168.42.100 will be offered")),
        What::Offer(ip)
    );
    let allocated =
        format!("DHCP4_LEASE_ALLOC {LABEL}: lease 192.168.42.100 has been allocated for 600 seconds");
    assert_eq!(what(&allocated), What::Alloc(ip));
    assert_eq!(what(&format!("DHCP4_PACKET_NAK_0003 {LABEL}: failed")), What::Refused("0003".into()));
    assert_eq!(what(&format!("DHCP4_PACKET_DROP_0011 {LABEL}: unknown")), What::Dropped("0011".into()));
}

/// Column A is 2.5.5 and later, column B before; a server's name may hold spaces (kea-ha §3.9).
#[test]
#[expect(clippy::too_many_lines, reason = "a table of the specification")]
fn both_columns_of_the_templates_are_read() {
    let conflict = |partner: &str, reason: &str| What::UpdateFailed {
        conflict: true,
        partner: partner.into(),
        reason: reason.into(),
    };
    let failed = |partner: &str, reason: &str| What::UpdateFailed {
        conflict: false,
        partner: partner.into(),
        reason: reason.into(),
    };
    let beat = |reason: &str| What::HeartbeatFailed { partner: "server 1".into(), reason: reason.into() };
    let unacked = What::Unacked { count: 11, left: 0 };
    let peer = "server 1 (http://10.0.0.1:8001/)";
    for (id, a, b, expected) in [
        (
            "HA_STATE_TRANSITION_PASSIVE_BACKUP",
            "my server: server transitions from WAITING to PASSIVE-BACKUP state".to_owned(),
            String::new(),
            What::Transition {
                server: Some("my server".into()),
                from: "WAITING".into(),
                to: "PASSIVE-BACKUP".into(),
                partner: None,
            },
        ),
        (
            "HA_LEASE_UPDATE_CONFLICT",
            format!("my server: lease update {LABEL} sent to {peer} returned conflict status code: x: y"),
            format!("{LABEL}: lease update to {peer} returned conflict status code: x: y"),
            conflict("server 1", "x: y"),
        ),
        (
            "HA_LEASE_UPDATE_FAILED",
            format!("my server: lease update {LABEL} sent to {peer} failed: no: way"),
            format!("{LABEL}: lease update to {peer} failed: no: way"),
            failed("server 1", "no: way"),
        ),
        (
            "HA_LEASE_UPDATE_COMMUNICATIONS_FAILED",
            format!("my server: failed to send lease update {LABEL} to {peer}: Connection refused"),
            format!("{LABEL}: failed to communicate with {peer}: Connection refused"),
            failed("server 1", "Connection refused"),
        ),
        (
            "HA_HEARTBEAT_COMMUNICATIONS_FAILED",
            format!("my server: failed to send heartbeat to {peer}: Connection refused"),
            format!("failed to send heartbeat to {peer}: Connection refused"),
            beat("Connection refused"),
        ),
        (
            "HA_HEARTBEAT_FAILED",
            format!("my server: heartbeat to {peer} failed: odd: answer"),
            format!("heartbeat to {peer} failed: odd: answer"),
            beat("odd: answer"),
        ),
        (
            "HA_COMMUNICATION_INTERRUPTED",
            "my server: communication with server 1 is interrupted".to_owned(),
            "communication with server 1 is interrupted".to_owned(),
            What::Interrupted { partner: "server 1".into() },
        ),
        (
            "HA_COMMUNICATION_INTERRUPTED_CLIENT4",
            format!("my server: new client {LABEL} attempting to get a lease from the partner"),
            format!("{LABEL}: new client attempting to get a lease from the partner"),
            What::Waiting,
        ),
        (
            "HA_COMMUNICATION_INTERRUPTED_CLIENT4_UNACKED",
            format!("my server: partner server failed to respond to {LABEL}, 11 clients unacked so far, 0 clients left before transitioning to the partner-down state"),
            format!("{LABEL}: partner server failed to respond, 11 clients unacked so far, 0 clients left before transitioning to the partner-down state"),
            unacked,
        ),
        (
            "HA_SERVICE_STARTED",
            "my server: started high availability service in hot-standby mode as primary server".to_owned(),
            "started high availability service in hot-standby mode as primary server".to_owned(),
            What::Started { mode: "hot-standby".into(), role: "primary".into() },
        ),
        (
            "HA_SYNC_SUCCESSFUL",
            format!("my server: lease database synchronization with {peer} completed successfully in 2.145 ms"),
            format!("lease database synchronization with {peer} completed successfully in 2.145 ms"),
            What::Sync(SyncStep::Done),
        ),
        (
            "HA_TERMINATED",
            "HA my server: service terminated due to an unrecoverable condition.".to_owned(),
            "HA service terminated due to an unrecoverable condition.".to_owned(),
            What::Terminated,
        ),
        (
            "HA_HIGH_CLOCK_SKEW_CAUSES_TERMINATION",
            String::new(),
            "my time: 2025-01-02 03:04:05, partner's time: 2025-01-02 03:06:05, partner's clock is 120s ahead, causing HA service to terminate".to_owned(),
            What::ClockSkew { terminates: true },
        ),
        (
            "HA_MAINTENANCE_SHUTDOWN_SAFE",
            "my server: the server can now be shutdown for maintenance as the partner has taken over the DHCP traffic".to_owned(),
            String::new(),
            What::Maintenance("HA_MAINTENANCE_SHUTDOWN_SAFE".into()),
        ),
    ] {
        for text in [a, b].iter().filter(|text| !text.is_empty()) {
            assert_eq!(what(&format!("{id} {text}")), expected, "{text}");
        }
    }
    let old =
        what("HA_STATE_TRANSITION server transitions from WAITING to SYNCING state, partner state is READY");
    assert!(matches!(old, What::Transition { server: None, .. }));
    let service = what(
        "HA_LOCAL_DHCP_DISABLE local DHCP service is disabled while the my server is in the WAITING state",
    );
    assert_eq!(service, What::Service { on: false, server: "my server".into(), state: "WAITING".into() });
    let hub = what(&format!(
        "HA_SUBNET4_SELECT_NOT_FOR_US {LABEL}: dropping query in relationship my server to be processed by another server"
    ));
    assert_eq!(hub, What::NotForUs(Some("my server".into())));
}

#[test]
fn what_is_no_event_is_counted() {
    let log = log(
        "{ \"Dhcp4\": {\n2025-01-02 03:04:05.678 INFO [x] DHCP4_STARTED Kea DHCPv4 server version 2.6.3 started\n\
                   2025-01-02 03:04:05.678 INFO [x] HA_STATE_TRANSITION server transi\n\
                   DHCP4_PACKET_SEND [hwtype=1 zz], cid=[\n\u{fffd}\u{0}\n",
    );
    assert_eq!(log.lines, Lines { read: 5, events: 0, broken: 2, dropped: 0 });
    assert!(log.events.is_empty() && log.trouble.is_none());
}

/// Any cut and any damaged byte of a line is survived.
#[test]
fn damaged_lines_are_survived() {
    let line = format!(
        "Jan  2 03:04:05 h k[1]: 2025-01-02 03:04:05.678 INFO  [a] HA_LEASE_UPDATE_CONFLICT s: lease update {LABEL} sent to p (u) returned conflict status code: é"
    );
    let bytes = line.as_bytes();
    for at in 0..bytes.len() {
        for byte in [b' ', b'[', b':', 0xff, b'9'] {
            let mut damaged = bytes.to_vec();
            damaged[at] = byte;
            assert_eq!(Log::of(String::new(), damaged.as_slice()).lines.read, 1);
            assert_eq!(Log::of(String::new(), &damaged[..=at]).lines.read, 1);
        }
    }
}

/// The counts are those of `grep -c` over the file.
#[test]
fn keas_own_lines_are_read() {
    own_lines("kea-2.6.3.log", true);
    // Without server names, and offers are "advertised".
    own_lines("kea-2.2.0.log", false);
    own_lines("kea-3.0.4.log", false);
}

fn own_lines(name: &str, has_all: bool) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/kea-logs").join(name);
    let log = Log::read(&file).unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    let lines = |ids: &str| {
        let named = |line: &&str| line.split(' ').any(|word| ids.split('|').any(|id| id == word));
        text.lines().filter(named).count()
    };
    let events = |wanted: fn(&What) -> bool| log.events.iter().filter(|event| wanted(&event.what)).count();
    for (id, found) in [
        ("DHCP4_PACKET_RECEIVED", events(|what| matches!(what, What::Received(_)))),
        ("DHCP4_PACKET_SEND", events(|what| matches!(what, What::Sent(_)))),
        ("DHCP4_LEASE_OFFER|DHCP4_LEASE_ADVERT", events(|what| matches!(what, What::Offer(_)))),
        ("DHCP4_LEASE_ALLOC|DHCP4_LEASE_REUSE", events(|what| matches!(what, What::Alloc(_)))),
        ("DHCP4_PACKET_DROP_0003", events(|what| *what == What::ForeignServerId)),
        ("DHCP4_PACKET_DROP_0008", events(|what| *what == What::ServiceOff)),
        ("HA_BUFFER4_RECEIVE_NOT_FOR_US", events(|what| *what == What::NotForUs(None))),
        ("HA_SUBNET4_SELECT_NOT_FOR_US", events(|what| matches!(what, What::NotForUs(Some(_))))),
        ("HA_STATE_TRANSITION", events(|what| matches!(what, What::Transition { .. }))),
        ("HA_LOCAL_DHCP_ENABLE", events(|what| matches!(what, What::Service { on: true, .. }))),
        ("HA_LOCAL_DHCP_DISABLE", events(|what| matches!(what, What::Service { on: false, .. }))),
        ("HA_SERVICE_STARTED", events(|what| matches!(what, What::Started { .. }))),
        ("HA_SYNC_START", events(|what| *what == What::Sync(SyncStep::Start))),
        ("HA_SYNC_SUCCESSFUL", events(|what| *what == What::Sync(SyncStep::Done))),
        ("HA_COMMUNICATION_INTERRUPTED", events(|what| matches!(what, What::Interrupted { .. }))),
        ("HA_COMMUNICATION_INTERRUPTED_CLIENT4", events(|what| *what == What::Waiting)),
        ("HA_COMMUNICATION_INTERRUPTED_CLIENT4_UNACKED", events(|what| matches!(what, What::Unacked { .. }))),
        ("HA_HEARTBEAT_COMMUNICATIONS_FAILED", events(|what| matches!(what, What::HeartbeatFailed { .. }))),
        (
            "HA_LEASE_UPDATE_COMMUNICATIONS_FAILED",
            events(|what| matches!(what, What::UpdateFailed { conflict: false, .. })),
        ),
        (
            "HA_LEASE_UPDATE_CONFLICT",
            events(|what| matches!(what, What::UpdateFailed { conflict: true, .. })),
        ),
    ] {
        assert_eq!(found, lines(id), "{name}: {id}");
        assert!(found > 0 || !has_all, "{name}: {id}");
    }
    assert!(log.lines.broken == 0 && log.lines.events > 20, "{name}: {:?}", log.lines);
    assert!(log.events.iter().all(|event| event.stamp.is_some_and(|stamp| stamp.resolution == 1_000)));
}
