use std::net::{IpAddr, Ipv4Addr};

use super::*;
use crate::capture::Progress;
use crate::exchange::PairLimits;
use crate::findings::facts::Facts;
use crate::findings::view::Batch;
use crate::frame::{Link, Segment};
use crate::ha::events::ControlReader;
use crate::ha::topology::{Limits, Mode, Peer, Relationship, Role, Server, Topology};
use crate::pipeline::analyze;
use crate::units::FrameRef;

const ONE: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const TWO: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);

fn pair() -> Topology {
    let server =
        |name: &str, address| Server { name: name.to_owned(), addresses: vec![address], ..Server::default() };
    let peer = |name: &str, role, address, at| Peer {
        name: name.to_owned(),
        role,
        url: (IpAddr::V4(address), 8000),
        auto_failover: true,
        server: Some(ServerId(at)),
    };
    Topology {
        servers: vec![server("one", ONE), server("two", TWO)],
        relationships: vec![Relationship {
            mode: Mode::HotStandby,
            peers: vec![peer("server1", Role::Primary, ONE, 0), peer("server2", Role::Standby, TWO, 1)],
            limits: Limits::defaults(Mode::HotStandby),
        }],
        ..Topology::default()
    }
}

/// A heartbeat to `to` at `seconds` and its answer.
fn heartbeat(reader: &mut ControlReader<'_>, seconds: i64, to: Ipv4Addr) {
    let from = if to == ONE { TWO } else { ONE };
    let mut push = |src, dst, head: &str, body: &str| {
        let text = format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let ((src, src_port), (dst, dst_port)) = (src, dst);
        let link = Link::default();
        let payload = text.as_bytes();
        let flags = 0x10;
        let segment =
            Segment { link, src, dst, src_port, dst_port, seq: 1, ack: 1, flags, payload, cut: false };
        reader.push(&segment, CaptureTime(seconds * SECOND), FrameRef::default());
    };
    // A connection for each, so that the bytes of none follow another's.
    let port = 40_000 + u16::try_from(seconds).unwrap();
    push((from, port), (to, 8000), "POST / HTTP/1.1", r#"{ "command": "ha-heartbeat" }"#);
    push((to, 8000), (from, port), "HTTP/1.1 200 OK", r#"[ { "result": 0 } ]"#);
}

/// What is found when the clocks are off by these seconds from the capture's.
fn found(one: Option<i64>, two: Option<i64>) -> Vec<(Severity, Option<ServerId>, u64, String)> {
    let topology = pair();
    let mut analysis = analyze(&[], &topology, PairLimits::default(), |_: Progress| {});
    let mut reader = ControlReader::new(&topology);
    for (seconds, to) in [(10, ONE), (11, TWO), (20, ONE), (21, TWO)] {
        heartbeat(&mut reader, seconds, to);
    }
    let (mut events, _) = reader.finish(CaptureTime(i64::MAX));
    let mut findings = Findings::default();
    for event in &mut events {
        let off = if event.server_ip == ONE { one } else { two };
        event.date_time = off.map(|seconds| event.time.plus(seconds * SECOND));
    }
    analysis.events = events.into();
    let facts = Facts::default();
    let view = View::new(Batch::of(&analysis), &facts);
    let mut clocks = Clocks::default();
    clocks.begin(&analysis.events);
    analysis.events.iter().for_each(|event| clocks.event(&view, event));
    clocks.finish(&view, &mut findings);
    let rows = findings.finish().into_iter();
    rows.map(|finding| (finding.severity, finding.server, finding.count, finding.text)).collect()
}

/// The limits of kea-ha §4.2: 30 s and 60 s are tolerated, a second more is not.
#[test]
fn a_clock_that_is_off_is_found() {
    assert_eq!(found(Some(30), None), []);
    let text = |seconds: i64, then: &str| {
        format!("the clock of one is {seconds} s ahead of the capture's clock{then}")
    };
    assert_eq!(found(Some(31), None), [(Severity::Warning, Some(ServerId(0)), 2, text(31, ""))]);
    assert_eq!(found(Some(60), None), [(Severity::Warning, Some(ServerId(0)), 2, text(60, ""))]);
    let then = "; beyond 60 s Kea gives up HA on both servers";
    assert_eq!(found(Some(61), None), [(Severity::Error, Some(ServerId(0)), 2, text(61, then))]);
}

#[test]
fn a_capture_with_a_wrong_clock_proves_nothing_against_a_pair() {
    assert_eq!(found(Some(3600), Some(3600)), []);
}

#[test]
fn two_small_errors_add_up() {
    let rows = found(Some(-20), Some(20));
    let sentences: Vec<&str> = rows.iter().map(|row| row.3.as_str()).collect();
    assert_eq!(sentences, ["the clock of one is 40 s behind two", "the clock of two is 40 s ahead of one"]);
}

#[test]
fn skews_are_whole_seconds_towards_zero() {
    assert_eq!(skew_s(60 * SECOND + SECOND - 1, None), 60, "60 is tolerated");
    assert_eq!(skew_s(-60 * SECOND - 1, None), -60);
    assert_eq!(skew_s(40 * SECOND, Some(-30 * SECOND)), 70);
}
