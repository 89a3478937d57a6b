//! TCP segments of any order, age and content: reassembly, HTTP, JSON, pairing.

use std::collections::HashMap;
use std::net::Ipv4Addr;

use dorascope::frame::{Link, Segment};
use dorascope::ha::events::{ChannelReport, ControlReader, EventKind, HaEvent};
use dorascope::ha::topology::{Server, Topology};
use dorascope::stream::{ACK, Endpoint, FIN, Limits, SYN};
use dorascope::units::{CaptureTime, FrameRef};

use super::Input;

const SERVER: Endpoint = (Ipv4Addr::new(10, 0, 0, 2), 8000);
const CLIENTS: u8 = 4;
const PSH: u8 = 0x08;
/// Bit of the flags that is none of TCP's here: the acknowledgment is not what it should be.
const ODD_ACK: u8 = 0x80;

/// A segment as it is sent.
#[derive(Clone, Copy)]
struct Sent<'a> {
    from: Endpoint,
    to: Endpoint,
    time: CaptureTime,
    seq: u32,
    ack: u32,
    flags: u8,
    cut: bool,
    payload: &'a [u8],
}

/// Reads segments from an input. A segment is
///
/// - a byte: connection (bits 0 and 1), sent by the server (2), sequence number
///   in order, off by a 16-bit number, anywhere, or the whole segment again
///   (3 and 4), cut (5), milliseconds since the last: 1, a 16-bit number, 256
///   times that, or that many back (6 and 7);
/// - a byte: the flags of TCP;
/// - what the bits ask for, 16-bit numbers, little-endian;
/// - the length of the payload in 16 bits, and the payload.
fn segments<'a>(input: &mut Input<'a>) -> Vec<Sent<'a>> {
    let mut sent: Vec<Sent<'a>> = Vec::new();
    let mut next = [[1000_u32, 500_000]; CLIENTS as usize];
    let mut ms = 0_i64;
    while !input.is_empty() {
        let (how, flags) = (input.u8(), input.u8());
        let (connection, server) = (usize::from(how & 3), usize::from(how >> 2 & 1));
        ms += match how >> 6 {
            0 => 1,
            1 => i64::from(input.u16()),
            2 => i64::from(input.u16()) << 8,
            _ => -i64::from(input.u16()),
        };
        let time = CaptureTime(ms * 1_000_000);
        if let (3, Some(last)) = (how >> 3 & 3, sent.last()) {
            sent.push(Sent { time, ..*last });
            continue;
        }
        let [own, other] = [next[connection][server], next[connection][1 - server]];
        let off = |number: u16| own.wrapping_add_signed(i32::from(number.cast_signed()));
        let seq = match how >> 3 & 3 {
            0 => own,
            1 => off(input.u16()),
            _ => u32::from(input.u16()) << 16 | u32::from(input.u16()),
        };
        let odd = if flags & ODD_ACK == 0 { 0 } else { input.u16() };
        let ack = other.wrapping_add_signed(i32::from(odd.cast_signed()));
        let length = input.u16();
        let payload = input.bytes(length.into());
        next[connection][server] = seq.wrapping_add(payload.len() as u32 + u32::from(flags & 3 != 0));
        let client = (Ipv4Addr::new(10, 0, 0, 1), 40_000 + connection as u16);
        let (from, to) = if server == 1 { (SERVER, client) } else { (client, SERVER) };
        let flags = flags & !ODD_ACK;
        sent.push(Sent { from, to, time, seq, ack, flags, cut: how & 0x20 != 0, payload });
    }
    sent
}

fn topology() -> Topology {
    let server = |name: &str, last| Server {
        name: name.to_owned(),
        addresses: vec![Ipv4Addr::new(10, 0, 0, last)],
        control: vec![(Ipv4Addr::new(10, 0, 0, last), 8000)],
        ..Server::default()
    };
    Topology { servers: vec![server("one", 1), server("two", 2)], ..Topology::default() }
}

fn read(sent: &[Sent<'_>], topology: &Topology, limits: Limits) -> (Vec<HaEvent>, ChannelReport) {
    let mut reader = ControlReader::with_limits(topology, limits);
    let mut end = CaptureTime(i64::MIN);
    for (number, it) in (1..).zip(sent) {
        let segment = Segment {
            link: Link::default(),
            src: it.from.0,
            dst: it.to.0,
            src_port: it.from.1,
            dst_port: it.to.1,
            seq: it.seq,
            ack: it.ack,
            flags: it.flags,
            payload: it.payload,
            cut: it.cut,
        };
        let at = FrameRef { number, ..FrameRef::default() };
        let control = reader.push(&segment, it.time, at);
        if !topology.servers.is_empty() {
            assert!(control, "a segment of a configured endpoint");
        }
        let (connections, bytes) = reader.size();
        assert!(connections <= limits.connections, "{connections} connections of {}", limits.connections);
        assert!(bytes <= limits.bytes, "{bytes} bytes of {}", limits.bytes);
        end = end.max(it.time);
    }
    reader.finish(end)
}

/// Whether every stream begins with its handshake and comes in order, of which nothing is missing.
fn is_whole(sent: &[Sent<'_>]) -> bool {
    let mut next: HashMap<(Endpoint, Endpoint), Option<u32>> = HashMap::new();
    sent.iter().all(|it| {
        let own = next.entry((it.from, it.to)).or_default();
        let begins = it.flags & SYN != 0 && own.is_none() && it.payload.is_empty();
        let follows = it.flags & !(PSH | FIN) == ACK && *own == Some(it.seq);
        *own = Some(it.seq.wrapping_add(it.payload.len() as u32 + u32::from(begins || it.flags & FIN != 0)));
        (begins || follows) && !it.cut
    })
}

/// Bounded tables, balanced counters, events bounded by the input and in order, and the same at every reading.
pub fn channel(bytes: &[u8]) {
    let mut input = Input(bytes);
    let settings = input.u8();
    let configured = if settings & 1 == 0 { topology() } else { Topology::default() };
    let limits = match settings & 6 {
        0 => Limits::default(),
        2 => Limits { connections: 2, bytes: 64 << 10 },
        _ => Limits { connections: 1 + usize::from(settings >> 3), bytes: 3000 },
    };
    let sent = segments(&mut input);
    let (events, report) = read(&sent, &configured, limits);

    let payload: usize = sent.iter().map(|it| it.payload.len()).sum();
    let counts = report.counts;
    assert!(counts.streams.connections <= sent.len() as u64, "{counts:?}");
    assert!(counts.streams.evicted <= counts.streams.connections, "{counts:?}");
    assert!(report.anomalies.len() as u64 <= counts.anomalies, "{counts:?}");
    // The shortest command takes more than 30 bytes, and may have an answer and a timeout.
    assert!(events.len() <= 3 * sent.len() + payload / 10, "{} events", events.len());
    // Every byte may break a message, and every segment a stream.
    assert!(counts.anomalies <= (4 * sent.len() + 2 * payload) as u64, "{counts:?}");
    assert!(events.is_sorted_by_key(|event| (event.time, event.at)));
    assert!(report.anomalies.is_sorted_by_key(|it| (it.time, it.at)));
    let known = |at: FrameRef| (1..=sent.len() as u64).contains(&at.number);
    assert!(events.iter().all(|event| known(event.at)));
    assert_eq!(read(&sent, &configured, limits), (events.clone(), report.clone()), "read again");

    // Two bridges show every segment twice; of whole streams copies tell nothing new.
    if settings & 7 == 0 && sent.len() <= 64 && is_whole(&sent) {
        let twice: Vec<Sent<'_>> = sent.iter().flat_map(|it| [*it, *it]).collect();
        let (copied, again) = read(&twice, &configured, limits);
        let said = |events: &[HaEvent]| -> Vec<(EventKind, CaptureTime)> {
            events.iter().map(|event| (event.kind, event.request_time)).collect()
        };
        assert_eq!(said(&copied), said(&events), "every segment twice");
        assert_eq!(again.counts.streams.differing, 0);
    }
}
