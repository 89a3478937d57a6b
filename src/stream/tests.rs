use std::net::Ipv4Addr;

use super::*;
use crate::frame::Link;
use crate::units::FrameRef;

const FLOW: Flow =
    Flow { client: (Ipv4Addr::new(10, 0, 0, 1), 40_000), server: (Ipv4Addr::new(10, 0, 0, 2), 8000) };

/// Writes down what it hears; sides are `>` for the client and `<` for the server.
#[derive(Default)]
struct Ear {
    held: usize,
}

impl Listener for Ear {
    type Notes = Vec<String>;

    fn hear(&mut self, event: Event<'_>, notes: &mut Vec<String>) {
        let mark = |side| if side == Side::Client { '>' } else { '<' };
        let line = match event {
            Event::Seen(..) => return,
            Event::Data(side, Piece { bytes, .. }) => {
                // What is told in pieces is still one text.
                let text = String::from_utf8_lossy(bytes).into_owned();
                match notes.last_mut().filter(|last| last.starts_with(mark(side))) {
                    Some(last) => return last.push_str(&text),
                    None => format!("{}{text}", mark(side)),
                }
            }
            Event::Lost(side, _) => format!("lost{}", mark(side)),
            Event::Differs(side, _) => format!("differs{}", mark(side)),
            Event::End(side, _) => format!("end{}", mark(side)),
            Event::Refused(asked, at) => format!("refused {}-{}", asked.at.number, at.at.number),
            Event::Unanswered(first, last) => format!("unanswered {}-{}", first.at.number, last.at.number),
            Event::Closed(how, _) => {
                self.held = 0;
                format!("{how:?}")
            }
        };
        notes.push(line);
    }

    fn tick(&mut self, _: CaptureTime, _: &mut Vec<String>) {}

    fn held(&self) -> usize {
        self.held
    }
}

struct Bench {
    streams: Streams<Ear>,
    notes: Vec<String>,
    frames: u64,
}

impl Bench {
    fn new() -> Self {
        Self { streams: Streams::new(Limits::default()), notes: Vec::new(), frames: 0 }
    }

    fn send(&mut self, ms: i64, side: Side, seq: u32, flags: u8, payload: &str) {
        self.segment(ms, FLOW, side, (seq, 0), flags, (payload, false));
    }

    fn segment(
        &mut self,
        ms: i64,
        flow: Flow,
        side: Side,
        (seq, ack): (u32, u32),
        flags: u8,
        (payload, cut): (&str, bool),
    ) {
        let (from, to) =
            if side == Side::Client { (flow.client, flow.server) } else { (flow.server, flow.client) };
        let segment = Segment {
            link: Link::default(),
            src: from.0,
            dst: to.0,
            src_port: from.1,
            dst_port: to.1,
            seq,
            ack,
            flags,
            payload: payload.as_bytes(),
            cut,
        };
        self.frames += 1;
        let at = FrameRef { number: self.frames, ..FrameRef::default() };
        let stamp = Stamp { time: CaptureTime(ms * 1_000_000), at };
        let found = self.streams.find(&segment).unwrap_or((flow, side));
        self.streams.push(found, &segment, stamp, Ear::default, &mut self.notes);
    }

    fn finish(mut self, ms: i64) -> Vec<String> {
        self.streams.finish(CaptureTime(ms * 1_000_000), &mut self.notes);
        self.notes
    }
}

use Side::{Client, Server};

#[test]
fn a_whole_connection() {
    let mut bench = Bench::new();
    bench.send(0, Client, 99, SYN, "");
    bench.send(1, Server, 499, SYN | ACK, "");
    bench.send(2, Client, 100, ACK, "ask");
    bench.send(3, Server, 500, ACK, "ans");
    bench.send(4, Server, 503, ACK | FIN, "wer");
    bench.send(5, Client, 103, ACK | FIN, "");
    // Late copies of a closed connection open no other one.
    bench.send(6, Client, 99, SYN, "");
    bench.send(6, Server, 500, ACK, "ans");
    assert_eq!(bench.streams.counts().connections, 1);
    assert_eq!(bench.finish(7), [">ask", "<answer", "end<", "end>", "Finished"]);
}

#[test]
fn order_overlap_and_copies_over_the_turn_of_the_sequence_numbers() {
    let text = "0123456789";
    let start = u32::MAX - 4;
    // Every pair of cuts, the pieces backwards, each twice, the last one overlapping.
    for first in 1..9_usize {
        for second in first + 1..10 {
            let mut bench = Bench::new();
            bench.send(0, Client, start.wrapping_sub(1), SYN, "");
            let pieces =
                [(second - 1, &text[second - 1..]), (first, &text[first..second]), (0, &text[..first])];
            for (at, piece) in pieces.iter().chain(&pieces) {
                bench.send(1, Client, start.wrapping_add(*at as u32), ACK, piece);
            }
            assert_eq!(bench.streams.held(), 0);
            assert_eq!(bench.streams.counts().differing, 0);
            assert_eq!(bench.finish(2), [">0123456789", "Forgotten"]);
        }
    }
}

#[test]
fn the_first_copy_wins_and_another_one_is_told() {
    let mut bench = Bench::new();
    bench.send(0, Client, 99, SYN, "");
    bench.send(1, Client, 103, ACK, "def");
    bench.send(2, Client, 102, ACK, "cXeY");
    bench.send(3, Client, 100, ACK, "ab");
    bench.send(4, Client, 100, ACK, "ab");
    bench.send(5, Client, 100, ACK, "aX");
    assert_eq!(bench.streams.counts().differing, 2);
    assert_eq!(bench.finish(6), ["differs>", ">abcdef", "differs>", "Forgotten"]);
}

#[test]
fn a_hole_is_given_up_after_time_or_by_acknowledgment_or_at_the_end() {
    let mut bench = Bench::new();
    bench.send(0, Client, 99, SYN, "");
    bench.send(1, Client, 103, ACK, "late");
    bench.send(2000, Server, 500, ACK, "x");
    assert_eq!(bench.notes, ["<x"], "it may still come");
    bench.send(3500, Server, 501, ACK, "y");
    assert_eq!(bench.notes, ["<x", "lost>", ">late", "<y"]);

    // The answer was not captured, but the client acknowledges four bytes of it.
    let mut bench = Bench::new();
    bench.send(0, Server, 500, ACK, "x");
    bench.segment(1, FLOW, Client, (100, 505), ACK, ("a", false));
    bench.segment(3500, FLOW, Client, (101, 505), ACK, ("b", false));
    assert_eq!(bench.notes, ["<x", ">a", "lost<", ">b"]);

    // A FIN behind missing bytes.
    let mut bench = Bench::new();
    bench.send(0, Server, 500, ACK, "x");
    bench.send(1, Server, 505, FIN | ACK, "");
    assert_eq!(bench.finish(2), ["<x", "lost<", "end<", "Forgotten"]);
}

#[test]
fn a_hole_is_given_up_when_too_much_waits_behind_it() {
    let mut bench = Bench::new();
    bench.send(0, Client, 99, SYN, "");
    for n in 0..2000_u32 {
        bench.send(1, Client, 200 + 1000 * n, ACK, &"x".repeat(1000));
        assert!(bench.streams.held() <= 300 << 10, "{}", bench.streams.held());
    }
    assert_eq!(bench.streams.counts().holes, 1);
    // Segments of one byte, each with a hole before it.
    let mut bench = Bench::new();
    bench.send(0, Client, 99, SYN, "");
    for n in 0..2000_u32 {
        bench.send(1, Client, 200 + 2 * n, ACK, "x");
        assert!(bench.streams.held() <= 257 * 65);
    }
}

#[test]
fn what_a_snap_length_cut_is_a_hole() {
    let mut bench = Bench::new();
    bench.send(0, Client, 99, SYN, "");
    bench.segment(1, FLOW, Client, (100, 0), ACK, ("beg", true));
    bench.segment(2, FLOW, Client, (110, 0), ACK, ("next", false));
    bench.segment(9000, FLOW, Server, (500, 0), ACK | FIN, ("las", true));
    assert_eq!(bench.notes, [">beg", "lost>", ">next", "<las", "lost<", "end<"]);
}

#[test]
fn refused_unanswered_and_reset() {
    let mut bench = Bench::new();
    bench.send(0, Client, 99, SYN, "");
    bench.send(0, Client, 99, SYN, "");
    bench.send(1, Server, 0, RST | ACK, "");
    bench.send(1, Server, 0, RST | ACK, "");
    assert_eq!(bench.notes, ["refused 1-3", "Reset"]);
    // The port is used again, at once.
    bench.send(2, Client, 7099, SYN, "");
    bench.send(1002, Client, 7099, SYN, "");
    assert_eq!(bench.streams.counts().connections, 2);
    bench.notes.clear();
    let mut quiet = bench;
    quiet.send(9_000, Client, 7099, SYN, "");
    assert!(quiet.notes.is_empty(), "{:?}", quiet.notes);
    assert_eq!(quiet.finish(10_002), ["unanswered 5-7", "Forgotten"]);

    // At the end of the capture too little time has passed to say so.
    let mut bench = Bench::new();
    bench.send(0, Client, 99, SYN, "");
    assert_eq!(bench.finish(9_999), ["Forgotten"]);

    // Of an asymmetric capture only the client's direction is there.
    let mut bench = Bench::new();
    bench.send(0, Client, 99, SYN, "");
    bench.send(1, Client, 100, ACK, "ask");
    assert_eq!(bench.finish(20_000), [">ask", "Forgotten"]);

    let mut bench = Bench::new();
    bench.send(0, Client, 100, ACK, "ask");
    bench.send(1, Server, 500, RST, "");
    assert_eq!(bench.finish(2), [">ask", "Reset"]);
}

#[test]
fn ports_used_again_without_a_syn_are_another_stream() {
    let mut bench = Bench::new();
    bench.send(0, Client, 100, ACK, "one");
    bench.send(1, Client, 2_000_000_000, ACK, "two");
    bench.send(2, Client, 2_000_000_003, ACK, "three");
    assert_eq!(bench.notes, [">one", "lost>", ">twothree"]);
}

#[test]
fn who_opens_is_the_client() {
    let mut bench = Bench::new();
    // Seen from the middle, and taken for the other way round.
    let turned = Flow { client: FLOW.server, server: FLOW.client };
    bench.segment(0, turned, Client, (500, 0), ACK, ("x", false));
    bench.send(1, Client, 99, SYN, "");
    bench.send(2, Client, 100, ACK, "ask");
    assert_eq!(bench.notes, [">x", "Replaced", ">ask"]);
    assert_eq!(bench.streams.len(), 1);
}

#[test]
fn the_table_of_connections_is_bounded() {
    let limits = Limits { connections: 1000, ..Limits::default() };
    let mut bench = Bench { streams: Streams::new(limits), ..Bench::new() };
    let flow = |n: u32| Flow { client: (Ipv4Addr::from(n), 1), ..FLOW };
    for n in 0..100_000 {
        bench.segment(i64::from(n / 1000), flow(n), Client, (n, 0), SYN, ("", false));
        assert!(bench.streams.len() <= 1000);
    }
    let counts = bench.streams.counts();
    assert_eq!(counts.connections, 100_000);
    assert_eq!(counts.evicted, 100_000 - bench.streams.len() as u64);
    // A connection that is used stays.
    let mut bench = Bench { streams: Streams::new(limits), ..Bench::new() };
    for n in 0..10_000_u32 {
        bench.segment(i64::from(n), flow(n), Client, (n, 0), SYN, ("", false));
        bench.segment(i64::from(n), FLOW, Client, (100 + n, 0), ACK, ("x", false));
    }
    assert_eq!(bench.streams.counts().connections, 10_001);
    assert!(bench.streams.find(&segment_of(flow(0))).is_none());
    // What is idle goes without being pushed out.
    bench.send(1_000_000, Client, 0, SYN, "");
    assert_eq!(bench.streams.len(), 1);
}

fn segment_of(flow: Flow) -> Segment<'static> {
    Segment {
        link: Link::default(),
        src: flow.client.0,
        dst: flow.server.0,
        src_port: flow.client.1,
        dst_port: flow.server.1,
        seq: 0,
        ack: 0,
        flags: ACK,
        payload: b"",
        cut: false,
    }
}

#[test]
fn what_waits_is_bounded_over_all_connections() {
    let limits = Limits { connections: 10_000, bytes: 1 << 20 };
    let mut bench = Bench { streams: Streams::new(limits), ..Bench::new() };
    let payload = "x".repeat(1400);
    for n in 0..20_000_u32 {
        let flow = Flow { client: (Ipv4Addr::from(n % 2000), 1), ..FLOW };
        // Every segment leaves a hole before it.
        bench.segment(0, flow, Client, (1 + 3000 * (n / 2000), 0), ACK, (&payload, false));
        assert!(bench.streams.held() <= 1 << 20);
    }
    assert!(bench.streams.counts().holes > 1000);
}
