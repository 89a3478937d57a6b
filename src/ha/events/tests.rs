use super::*;
use crate::frame::{Link, Segment};
use crate::ha::topology::{Limits as HaLimits, Mode, Peer, Relationship, Role, Server, ServerId, Topology};
use crate::stream::{ACK, FIN, Limits, RST, SYN};
use crate::units::{CaptureTime, FrameRef, SECOND};
use std::net::{IpAddr, Ipv4Addr};

const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const PORT: u16 = 8001;
const HEARTBEAT: &str = r#"{ "arguments": { "server-name": "a" }, "command": "ha-heartbeat" }"#;
const STATUS: &str = r#"[ { "arguments": { "date-time": "Sun, 22 Nov 2026 14:04:41 GMT", "scopes": [ "b" ], "state": "hot-standby", "unsent-update-count": 3 }, "result": 0, "text": "HA peer status returned." } ]"#;
const STORED: &str = r#"[ { "result": 0, "text": "IPv4 lease added." } ]"#;

/// Machines a and b, partners, that listen on [`PORT`].
fn pair() -> Topology {
    let addresses = [CLIENT, SERVER];
    let server =
        |(name, ip): (&str, Ipv4Addr)| Server { name: name.into(), addresses: vec![ip], ..Server::default() };
    let peer = |at: usize, role| Peer {
        name: ["a", "b"][at].into(),
        role,
        url: (IpAddr::V4(addresses[at]), PORT),
        auto_failover: true,
        server: Some(ServerId(at)),
    };
    Topology {
        servers: ["a", "b"].into_iter().zip(addresses).map(server).collect(),
        relationships: vec![Relationship {
            mode: Mode::HotStandby,
            peers: vec![peer(0, Role::Primary), peer(1, Role::Standby)],
            limits: HaLimits::defaults(Mode::HotStandby),
        }],
        ..Topology::default()
    }
}

fn post(body: &str) -> String {
    format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// One connection from a to b; sequence numbers follow from what was said.
struct Line<'t> {
    reader: ControlReader<'t>,
    port: u16,
    said: [u32; 2],
    frames: u64,
}

impl<'t> Line<'t> {
    fn new(topology: &'t Topology) -> Self {
        Self { reader: ControlReader::new(topology), port: 40_000, said: [1000, 5000], frames: 0 }
    }

    fn send(&mut self, ms: i64, to_server: bool, flags: u8, payload: &[u8]) -> bool {
        let side = usize::from(!to_server);
        let (client, server) = ((CLIENT, self.port), (SERVER, PORT));
        let ((src, src_port), (dst, dst_port)) = if to_server { (client, server) } else { (server, client) };
        let (seq, ack) = (self.said[side], self.said[1 - side]);
        let said = payload.len() as u32 + u32::from(flags & (SYN | FIN) != 0);
        self.said[side] = seq.wrapping_add(said);
        self.frames += 1;
        let link = Link::default();
        let segment = Segment { link, src, dst, src_port, dst_port, seq, ack, flags, payload, cut: false };
        let at = FrameRef { number: self.frames, ..FrameRef::default() };
        self.reader.push(&segment, CaptureTime(ms * 1_000_000), at)
    }

    fn ask(&mut self, ms: i64, body: &str) -> bool {
        self.send(ms, true, ACK, post(body).as_bytes())
    }

    fn answer(&mut self, ms: i64, body: &str) -> bool {
        self.send(ms, false, ACK, ok(body).as_bytes())
    }

    /// What was said and not captured.
    fn miss(&mut self, to_server: bool, bytes: usize) {
        self.said[usize::from(!to_server)] += bytes as u32;
    }

    fn open(&mut self, ms: i64) {
        self.port += 1;
        self.send(ms, true, SYN, b"");
        self.send(ms, false, SYN | ACK, b"");
    }

    fn finish(self, ms: i64) -> (Vec<HaEvent>, ChannelReport) {
        self.reader.finish(CaptureTime(ms * 1_000_000))
    }
}

/// Kind, time in ms, first and last frame, result.
fn told(events: &[HaEvent]) -> Vec<(&'static str, i64, u64, u64, Option<i64>)> {
    let row = |event: &HaEvent| {
        (
            event.kind.as_str(),
            event.time.0 / 1_000_000,
            event.request_at.number,
            event.at.number,
            event.result,
        )
    };
    events.iter().map(row).collect()
}

#[test]
fn a_message_over_several_frames() {
    let topology = pair();
    let mut line = Line::new(&topology);
    line.open(0);
    let (ask, answer) = (post(HEARTBEAT), ok(STATUS));
    let (head, body) = ask.split_at(30);
    line.send(1, true, ACK, head.as_bytes());
    line.send(2, true, ACK, body.as_bytes());
    for (n, piece) in answer.as_bytes().chunks(100).enumerate() {
        line.send(3 + i64::try_from(n).unwrap(), false, ACK, piece);
    }
    let (events, report) = line.finish(10);
    assert_eq!(told(&events), [("heartbeat", 5, 3, 7, Some(0))]);
    let event = &events[0];
    assert_eq!((event.rtt_us, event.request_time), (Some(4000), CaptureTime(1_000_000)));
    assert_eq!((event.server, event.peer), (Some(ServerId(1)), Some(ServerId(0))));
    assert!(event.relationship.is_some());
    assert_eq!((event.sender_name.as_deref(), event.state.as_deref()), (Some("a"), Some("hot-standby")));
    assert_eq!((event.unsent_updates, event.command.as_deref()), (Some(3), Some("ha-heartbeat")));
    assert_eq!(event.date_time, Some(CaptureTime(1_795_356_281 * SECOND)));
    assert_eq!((report.anomalies.len(), report.counts.streams.connections), (0, 1));
}

#[test]
fn answers_come_in_the_order_of_their_requests() {
    let topology = pair();
    let mut line = Line::new(&topology);
    line.open(0);
    line.send(
        0,
        true,
        ACK,
        (post(HEARTBEAT)
            + &post(r#"{"command":"lease4-update"}"#)
            + "GET / HTTP/1.1\r\n\r\n"
            + &post(r#"{"command":"dhcp-disable"}"#))
            .as_bytes(),
    );
    let page = ok("<html>");
    line.send(1, false, ACK, (ok(STATUS) + &ok(STORED) + &page + &ok(r#"[ { "result": 1 } ]"#)).as_bytes());
    let (events, report) = line.finish(2);
    assert_eq!(
        told(&events),
        [("heartbeat", 1, 3, 4, Some(0)), ("lease-update", 1, 3, 4, Some(0)), ("disable", 1, 3, 4, Some(1))]
    );
    assert_eq!(report.anomalies.iter().map(|it| it.kind.code()).collect::<Vec<_>>(), ["json-broken"]);
}

#[test]
fn a_missed_answer_or_request_shifts_nothing_and_is_no_timeout() {
    let topology = pair();
    let mut line = Line::new(&topology);
    line.open(0);
    // The answer to the first is not captured, nor the second request.
    line.ask(1, HEARTBEAT);
    line.miss(false, ok(STATUS).len());
    line.ask(10_002, HEARTBEAT);
    line.answer(10_003, STATUS);
    line.miss(true, post(HEARTBEAT).len());
    line.answer(20_000, STATUS);
    line.ask(30_000, HEARTBEAT);
    line.answer(30_001, STATUS);
    let (events, report) = line.finish(100_000);
    assert_eq!(
        told(&events),
        [
            ("heartbeat", 1, 3, 3, None),
            ("heartbeat", 10_003, 4, 5, Some(0)),
            ("heartbeat", 30_001, 7, 8, Some(0))
        ]
    );
    assert_eq!(report.counts.streams.holes, 2);
    assert!(report.anomalies.iter().all(|it| it.kind == ChannelAnomalyKind::BytesMissing));
}

#[test]
fn refused_unanswered_and_closed() {
    let topology = pair();
    let mut line = Line::new(&topology);
    line.send(0, true, SYN, b"");
    line.send(1, false, RST | ACK, b"");
    line.port += 1;
    line.send(1000, true, SYN, b"");
    line.said[0] -= 1;
    line.send(2000, true, SYN, b"");
    line.open(20_000);
    line.ask(20_001, r#"{"command":"lease4-update","arguments":{"ip-address":"10.0.0.9"}}"#);
    line.send(20_002, false, FIN | ACK, b"");
    line.open(30_000);
    line.ask(30_001, HEARTBEAT);
    line.send(30_002, false, ACK, b"");
    let (events, _) = line.finish(44_100);
    assert_eq!(
        told(&events),
        [
            ("refused", 1, 1, 2, None),
            ("timeout", 11_000, 3, 4, None),
            ("lease-update", 20_001, 7, 7, None),
            ("timeout", 20_002, 7, 8, None),
            ("heartbeat", 30_001, 11, 11, None),
            ("timeout", 40_001, 11, 11, None),
        ]
    );
    assert_eq!(events[0].rtt_us, Some(1000));
    assert_eq!(events[1].text, "connection to 10.0.0.2:8001: no answer within 10 s");
    assert_eq!(events[3].text, "lease4-update to 10.0.0.2:8001: the connection was closed without an answer");
    assert_eq!(
        (events[3].ip, events[3].command.as_deref()),
        (Some([10, 0, 0, 9].into()), Some("lease4-update"))
    );
    assert_eq!(events[5].text, "ha-heartbeat to 10.0.0.2:8001: no answer within 10 s");
}

#[test]
fn an_answer_that_comes_too_late_is_told_with_the_timeout() {
    let topology = pair();
    let mut line = Line::new(&topology);
    line.open(0);
    line.ask(0, HEARTBEAT);
    line.answer(12_000, STATUS);
    // A page of leases may take a minute (sync-timeout).
    line.ask(13_000, r#"{"command":"lease4-get-page"}"#);
    line.answer(43_000, r#"[ { "arguments": { "count": 5, "leases": [] }, "result": 0 } ]"#);
    let (events, _) = line.finish(50_000);
    assert_eq!(
        told(&events),
        [
            ("timeout", 10_000, 3, 3, None),
            ("heartbeat", 12_000, 3, 4, Some(0)),
            ("sync", 43_000, 5, 6, Some(0))
        ]
    );
    assert_eq!(events[2].count, Some(5));
}

#[test]
fn what_a_capture_of_one_direction_lacks_is_no_timeout() {
    let topology = pair();
    let mut line = Line::new(&topology);
    line.send(0, true, SYN, b"");
    line.ask(1, HEARTBEAT);
    line.send(60_000, true, ACK, b"");
    let (events, _) = line.finish(60_000);
    assert_eq!(told(&events), [("heartbeat", 1, 2, 2, None)]);
}

#[test]
fn an_endpoint_is_known_by_what_it_is_sent() {
    let topology = Topology::default();
    let mut line = Line::new(&topology);
    assert!(!line.send(0, true, SYN, b""), "nobody knows yet");
    assert!(!line.send(1, true, ACK, b"hello"));
    let ask = post(HEARTBEAT);
    let (first, rest) = ask.split_at(20);
    assert!(!line.send(2, true, ACK, first.as_bytes()));
    assert!(line.send(3, true, ACK, rest.as_bytes()), "now it is");
    assert!(line.answer(4, STATUS));
    line.port += 1;
    assert!(line.send(5, true, SYN, b""));
    let (events, report) = line.finish(6);
    assert_eq!(told(&events), [("heartbeat", 4, 3, 5, Some(0))]);
    assert_eq!((events[0].server, events[0].relationship, report.anomalies.len()), (None, None, 0));
}

#[test]
fn the_web_is_none_of_our_business() {
    let topology = Topology::default();
    let mut line = Line::new(&topology);
    for (ms, body) in (0..).zip(["{\"cmd\":1}", "{\"command\":1}", "{", "a=b", "[[[[", "{\"a\":1,\"a\":2}"]) {
        assert!(!line.ask(ms, body));
        assert_eq!(line.reader.size(), (0, 0), "{body}");
        assert!(!line.answer(ms, body));
    }
    assert!(!line.send(9, true, ACK, b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n"));
    assert_eq!(line.reader.size(), (0, 0));
    let (events, report) = line.finish(10);
    assert_eq!((events.len(), report.anomalies.len()), (0, 0));
}

#[test]
fn what_is_for_dhcpv6_is_only_shown() {
    let topology = pair();
    let mut line = Line::new(&topology);
    line.ask(0, r#"{ "command": "ha-heartbeat", "service": [ "dhcp6" ] }"#);
    line.answer(1, STATUS);
    let (events, _) = line.finish(2);
    assert_eq!((events[0].kind, events[0].state.as_deref()), (EventKind::Command, None));
}

#[test]
fn an_encrypted_channel_is_told_once_and_shows_life() {
    let topology = pair();
    let mut line = Line::new(&topology);
    let record = |kind: u8, size: u8| [&[kind, 3, 3, 0, size][..], &vec![1; size.into()]].concat();
    for start in [0, 5000] {
        line.open(start);
        line.send(start + 1, true, ACK, &record(22, 100));
        line.send(start + 2, false, ACK, &record(22, 80));
        for n in 0..3 {
            let at = start + 1000 + 1500 * n;
            line.send(at, true, ACK, &record(23, 200));
            let reply = record(23, 200);
            line.send(at + 1, false, ACK, &reply[..50]);
            line.send(at + 2, false, ACK, &reply[50..]);
        }
        // A question alone is no sign of whom it is for.
        line.send(start + 4800, true, ACK, &record(23, 200));
    }
    let (events, report) = line.finish(10_000);
    assert_eq!(told(&events), [("tls", 1, 3, 3, None)]);
    let signs = |server| {
        let of_server = report.signs.iter().filter(|sign| sign.server == ServerId(server));
        of_server.map(|sign| sign.time.0 / 1_000_000).collect::<Vec<_>>()
    };
    assert_eq!(signs(1), [1002, 2502, 4002, 6002, 7502, 9002]);
    assert_eq!(signs(0), [1000, 2500, 4000, 6000, 7500, 9000]);
    assert_eq!(report.anomalies, []);
}

#[test]
fn a_partner_that_is_off_for_days_does_not_fill_the_table() {
    let topology = Topology::default();
    let mut line = Line::new(&topology);
    line.ask(0, HEARTBEAT);
    // Every attempt comes from another port and is never answered.
    for n in 0..30_000_u16 {
        line.port = 1000 + n;
        line.send(10_000 + 10_000 * i64::from(n), true, SYN, b"");
        assert!(line.reader.size().0 <= 20);
    }
    let back = 400_000_000;
    line.open(back);
    line.ask(back + 1, HEARTBEAT);
    line.answer(back + 2, STATUS);
    let (events, _) = line.finish(back + 3);
    let (timeouts, others): (Vec<_>, Vec<_>) =
        events.into_iter().partition(|event| event.kind == EventKind::Timeout);
    assert_eq!(timeouts.len(), 30_000);
    let results: Vec<_> =
        others.iter().map(|event| (event.request_time.0 / 1_000_000, event.result)).collect();
    assert_eq!(results, [(0, None), (back + 1, Some(0))], "the lost request is told, the answered one too");
}

#[test]
fn floods_stay_within_bounds() {
    let topology = pair();
    let limits = Limits { connections: 2000, bytes: 256 << 10 };
    let mut line = Line { reader: ControlReader::with_limits(&topology, limits), ..Line::new(&topology) };
    let head = format!("POST / HTTP/1.1\r\nX: {}", "x".repeat(300));
    for n in 0..100_000_u32 {
        line.port = (n % 60_000) as u16;
        line.said[0] = n.wrapping_mul(0x0101_0101);
        line.send(i64::from(n) / 100, true, SYN, b"");
        line.send(i64::from(n) / 100, true, ACK, head.as_bytes());
        let (connections, bytes) = line.reader.size();
        assert!(connections <= 2000 && bytes <= 256 << 10, "{connections} connections, {bytes} bytes");
    }
    let (events, report) = line.finish(1000);
    assert!(report.counts.streams.connections == 100_000 && report.counts.streams.evicted > 50_000);
    assert!(events.is_empty() && report.anomalies.len() <= 10_000);

    let mut line = Line::new(&topology);
    line.open(0);
    line.send(1, true, ACK, b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
    let chunk = format!("ffff\r\n{}\r\n", "{\"a\":".repeat(13_107));
    for _ in 0..1200 {
        line.send(2, true, ACK, chunk.as_bytes());
        assert!(line.reader.size().1 < 4096);
    }
    line.open(3);
    line.send(3, true, ACK, b"POST / HTTP/1.1\r\nContent-Length: 1073741824\r\n\r\n");
    line.send(4, true, ACK, chunk.as_bytes());
    // Requests without end, none of them answered.
    line.open(4);
    for _ in 0..1000 {
        line.ask(5, HEARTBEAT);
        assert!(line.reader.size().1 < 40_000);
    }
    let (events, report) = line.finish(10);
    assert_eq!(events.len(), 1000);
    let mut kinds: Vec<_> = report.anomalies.iter().map(|it| it.kind.code()).collect();
    kinds.dedup();
    assert_eq!(kinds, ["http-body-too-long", "http-too-many-requests"]);
    assert_eq!(
        report.anomalies[0].text,
        "10.0.0.1:40001 to 10.0.0.2:8001: the body is longer than any page of leases"
    );
}
