//! The control channel of the recorded captures: against tshark, and however
//! its segments are split, moved, copied, cut or lost.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use dorascope::capture::{Input, Reader};
use dorascope::exchange::PairLimits;
use dorascope::frame::{Decoded, Decoder, Link, Segment};
use dorascope::ha::events::{ChannelReport, ControlReader, EventKind, HaEvent};
use dorascope::ha::topology::Topology;
use dorascope::pipeline::analyze;
use dorascope::stream::Limits;
use dorascope::units::{CaptureTime, FrameRef, SECOND, SourceId};

use crate::support::random::Xorshift;
use crate::truth::{inputs, scenarios};

/// What a capture has of the control channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Channel {
    /// No frame of it: the wire has clients, a relay, or one server alone.
    Elsewhere,
    /// Every connection speaks TLS.
    Encrypted,
    /// HTTP, with at least this many events.
    Plain(usize),
}

fn channel(path: &Path) -> Channel {
    let slug = path.parent().unwrap().file_name().unwrap().to_string_lossy();
    match (&*slug, &*path.file_stem().unwrap().to_string_lossy()) {
        (_, "zaldua3" | "mendi") => Channel::Elsewhere,
        ("tls", _) => Channel::Encrypted,
        // Both servers terminate at their first heartbeats.
        ("clock-skew", _) => Channel::Plain(2),
        // No heartbeats: only the primary's lease updates.
        ("passive-backup", _) => Channel::Plain(4),
        _ => Channel::Plain(15),
    }
}

/// The captures that have a control channel, with the topology of their scenario.
fn captures() -> Vec<(PathBuf, Topology)> {
    let mut all = Vec::new();
    for folder in scenarios() {
        for Input { path, .. } in inputs(&folder) {
            if channel(&path) != Channel::Elsewhere {
                all.push((path, Topology::load(&folder.join("topology.toml")).unwrap()));
            }
        }
    }
    assert!(all.len() > 25);
    all
}

/// Those of them that can be read.
fn plain() -> Vec<(PathBuf, Topology)> {
    let mut all = captures();
    all.retain(|(path, _)| channel(path) != Channel::Encrypted);
    all
}

/// What tshark prints of the frames that a filter lets through; `None` without tshark.
fn tshark(path: &Path, filter: &str, fields: &[&str]) -> Option<Vec<Vec<String>>> {
    let mut command = Command::new("tshark");
    command.args(["-n", "-Y", filter, "-T", "fields"]);
    for field in fields {
        command.args(["-e", field]);
    }
    let Ok(output) = command.arg("-r").arg(path).output() else {
        println!("SKIPPED: tshark is not installed");
        return None;
    };
    let text = String::from_utf8(output.stdout).unwrap();
    Some(text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect())
}

#[test]
fn requests_and_answers_are_those_of_tshark() {
    let (mut pairs, mut refusals) = (0, 0);
    let mut by_folder: BTreeMap<PathBuf, usize> = BTreeMap::new();
    for (path, topology) in plain() {
        let fields = ["frame.number", "http.request.method", "http.response.code", "http.request_in"];
        let Some(rows) = tshark(&path, "http", &fields) else { return };
        let number = |text: &str| text.parse::<u64>().unwrap();
        let asked: BTreeSet<u64> =
            rows.iter().filter(|row| row[1] == "POST").map(|row| number(&row[0])).collect();
        let answered: BTreeSet<(u64, u64)> =
            rows.iter().filter(|row| row[2] == "200").map(|row| (number(&row[3]), number(&row[0]))).collect();
        // A reset is a refusal where it answers a SYN.
        let resets = tshark(&path, "tcp.flags.reset == 1 && tcp.seq == 1 && tcp.ack == 1", &["frame.number"]);
        let resets: BTreeSet<u64> = resets.unwrap().iter().map(|row| number(&row[0])).collect();
        for topology in [&topology, &Topology::default()] {
            let inputs = [Input { zone: None, path: path.clone() }];
            let analysis = analyze(&inputs, topology, PairLimits::default(), |_| {});
            let of =
                |kind: fn(&EventKind) -> bool| analysis.events.iter().filter(move |event| kind(&event.kind));
            let commands = |kind: &EventKind| !matches!(kind, EventKind::Refused | EventKind::Timeout);
            let ours: BTreeSet<u64> = of(commands).map(|event| event.request_at.number).collect();
            assert_eq!(ours, asked, "{}", path.display());
            let ours: BTreeSet<(u64, u64)> = of(commands)
                .filter(|event| event.rtt_us.is_some())
                .map(|event| (event.request_at.number, event.at.number))
                .collect();
            assert_eq!(ours, answered, "{}", path.display());
            let ours: BTreeSet<u64> =
                of(|kind| *kind == EventKind::Refused).map(|event| event.at.number).collect();
            assert_eq!(ours, resets, "{}", path.display());
            assert_eq!(analysis.channel.anomalies, [], "{}", path.display());
        }
        pairs += answered.len();
        *by_folder.entry(path.parent().unwrap().to_owned()).or_default() += answered.len();
        refusals += resets.len();
    }
    println!("{pairs} requests with their answers and {refusals} refusals as tshark has them");
    assert!(pairs > 700 && refusals > 50);
    // Kea 2.2 through its Control Agents, and 3.0, speak otherwise than 2.6 does.
    for slug in ["kea-2.2", "kea-2.2-load-balancing", "kea-3.0"] {
        let dialogues = by_folder.iter().find(|(folder, _)| folder.ends_with(slug)).unwrap().1;
        assert!(*dialogues > 25, "{slug}: {dialogues} dialogues");
    }
}

/// tshark's ClientHellos, refusals and HTTP, and what dorascope says of the same connections.
#[test]
fn an_encrypted_channel_is_told_and_not_read() {
    let encrypted = |(path, _): &(PathBuf, Topology)| channel(path) == Channel::Encrypted;
    let all: Vec<_> = captures().into_iter().filter(encrypted).collect();
    assert!(!all.is_empty());
    for (path, topology) in all {
        let fields = ["ip.src", "ip.dst", "tcp.dstport", "frame.number"];
        let Some(hellos) = tshark(&path, "tls.handshake.type == 1", &fields) else { return };
        let called: BTreeSet<String> = hellos.iter().map(|row| row[..3].join(" ")).collect();
        assert!(hellos.len() > 5 && !called.is_empty(), "{hellos:?}");
        assert_eq!(tshark(&path, "http", &["frame.number"]).unwrap().len(), 0);
        let resets = tshark(&path, "tcp.flags.reset == 1 && tcp.seq == 1 && tcp.ack == 1", &["frame.number"]);
        let resets: BTreeSet<String> = resets.unwrap().into_iter().map(|row| row[0].clone()).collect();
        let inputs = [Input { zone: None, path: path.clone() }];
        let analysis = analyze(&inputs, &topology, PairLimits::default(), |_| {});
        let of = |kind: EventKind| analysis.events.iter().filter(move |event| event.kind == kind);
        let ours: Vec<String> = of(EventKind::Tls)
            .map(|event| format!("{} {} {}", event.peer_ip, event.server_ip, event.server_port))
            .collect();
        assert_eq!(ours.len(), called.len(), "each pair of endpoints is told once: {ours:?}");
        assert_eq!(ours.into_iter().collect::<BTreeSet<_>>(), called);
        let ours: BTreeSet<String> =
            of(EventKind::Refused).map(|event| event.at.number.to_string()).collect();
        assert_eq!(ours, resets);
        assert!(analysis.events.iter().all(|event| event.command.is_none()), "nothing in it can be read");
        // Without URLs nothing tells that this TLS is Kea's.
        let nothing = Topology::default();
        let alone = analyze(&inputs, &nothing, PairLimits::default(), |_| {});
        assert_eq!(alone.events.all(), []);
    }
}

#[test]
fn a_wire_without_servers_has_no_channel() {
    let mut wires = 0;
    for input in scenarios().iter().flat_map(|folder| inputs(folder)) {
        if channel(&input.path) == Channel::Elsewhere {
            let Some(rows) = tshark(&input.path, "tcp", &["frame.number"]) else { return };
            assert_eq!(rows.len(), 0, "{}", input.path.display());
            assert!(segments(&input.path).is_empty());
            wires += 1;
        }
    }
    assert!(wires >= 5);
}

#[test]
fn control_segments_are_those_on_control_ports() {
    for (path, topology) in captures() {
        let ports = topology.control_ports();
        let any: Vec<String> = ports.iter().map(|port| format!("tcp.port == {port}")).collect();
        let Some(rows) = tshark(&path, &any.join(" || "), &["frame.number"]) else { return };
        let inputs = [Input { zone: None, path: path.clone() }];
        let analysis = analyze(&inputs, &topology, PairLimits::default(), |_| {});
        assert_eq!(analysis.counts.total().control, rows.len() as u64, "{}", path.display());
    }
}

/// A captured TCP segment that owns its payload.
#[derive(Clone)]
struct Owned {
    head: Segment<'static>,
    payload: Vec<u8>,
    time: CaptureTime,
    at: FrameRef,
}

fn segments(path: &Path) -> Vec<Owned> {
    let mut reader = Reader::open(&[Input { zone: None, path: path.to_owned() }]);
    let mut decoder = Decoder::new();
    let mut all = Vec::new();
    while let Some(frame) = reader.next() {
        if let Ok(Decoded::Tcp(segment)) = decoder.decode(&frame) {
            let head = Segment { payload: &[], link: Link::default(), ..segment };
            let payload = segment.payload.to_vec();
            all.push(Owned { head: copy(head), payload, time: frame.time, at: frame.at });
        }
    }
    all
}

fn copy(head: Segment<'_>) -> Segment<'static> {
    let Segment { link, src, dst, src_port, dst_port, seq, ack, flags, cut, .. } = head;
    Segment { link, src, dst, src_port, dst_port, seq, ack, flags, payload: &[], cut }
}

fn events(segments: &[Owned], topology: &Topology) -> (Vec<HaEvent>, ChannelReport) {
    let mut reader = ControlReader::new(topology);
    let mut end = CaptureTime(0);
    for Owned { head, payload, time, at } in segments {
        reader.push(&Segment { payload, ..*head }, *time, *at);
        end = end.max(*time);
    }
    reader.finish(end)
}

/// Splits payloads, copies segments, and moves what is not the opening or a
/// reset behind up to three segments that were captured within a second.
fn shuffled(segments: &[Owned], random: &mut Xorshift) -> Vec<Owned> {
    let mut placed: Vec<(usize, usize, Owned)> = Vec::new();
    for (index, segment) in segments.iter().enumerate() {
        let mut rest = segment.payload.as_slice();
        let mut seq = segment.head.seq;
        loop {
            let size = if rest.is_empty() { 0 } else { 1 + random.below(rest.len().min(100)) };
            let (piece, later) = rest.split_at(size);
            let mut one = Owned { payload: piece.to_vec(), ..segment.clone() };
            one.head.seq = seq;
            if !later.is_empty() {
                // A FIN comes behind the last byte.
                one.head.flags &= !0x01;
            }
            // What comes seconds too late was lost, and is told so.
            let soon = segments[index..]
                .iter()
                .skip(1)
                .take(3)
                .take_while(|it| it.time.since(segment.time) < SECOND && it.head.flags & 0x06 == 0);
            let farthest = if segment.head.flags & 0x06 != 0 { 0 } else { soon.count() };
            for _ in 0..=usize::from(random.below(4) == 0) {
                let moved = random.below(farthest + 1);
                placed.push((index + moved, random.below(1000), one.clone()));
            }
            (seq, rest) = (seq.wrapping_add(size as u32), later);
            if rest.is_empty() {
                break;
            }
        }
    }
    placed.sort_by_key(|(place, order, one)| (*place, one.head.flags & 0x02 == 0, *order));
    placed.into_iter().map(|(.., one)| one).collect()
}

#[test]
fn any_split_order_and_copy_gives_the_same_events() {
    let mut random = Xorshift(0x5eed_0001);
    let mut compared = 0;
    for (path, topology) in captures() {
        let segments = segments(&path);
        let (whole, _) = events(&segments, &topology);
        let least = if let Channel::Plain(least) = channel(&path) { least } else { 1 };
        assert!(whole.len() >= least, "{}: {} events", path.display(), whole.len());
        for _ in 0..4 {
            let (again, report) = events(&shuffled(&segments, &mut random), &topology);
            for (one, other) in whole.iter().zip(&again) {
                assert_eq!(one, other, "{}", path.display());
            }
            assert_eq!(whole.len(), again.len());
            assert_eq!(report.anomalies, []);
            compared += whole.len();
        }
    }
    println!("{compared} events came out the same");
}

#[test]
fn what_two_bridges_captured_is_told_once() {
    for (path, topology) in captures() {
        let segments = segments(&path);
        let (whole, _) = events(&segments, &topology);
        for delay in [0, 50_000, 5_000_000, 900_000_000] {
            let copies = segments.iter().map(|segment| {
                let at = FrameRef { source: SourceId(1), ..segment.at };
                Owned { time: segment.time.plus(delay), at, ..segment.clone() }
            });
            let mut both: Vec<Owned> = segments.iter().cloned().chain(copies).collect();
            both.sort_by_key(|segment| (segment.time, segment.at));
            let (again, report) = events(&both, &topology);
            assert_eq!(again, whole, "{} {delay}", path.display());
            assert_eq!(report.anomalies, []);
        }
    }
}

/// Two requests and a later answer are lost: that an answer is missing is known before the
/// requests behind the second one are read, and must not be forgotten over those before it.
#[test]
fn a_gap_lasts_until_an_answer_behind_it() {
    let of_load_balancing = |(path, _): &(PathBuf, Topology)| path.ends_with("load-balancing/haran.pcap");
    let (path, topology) = captures().into_iter().find(of_load_balancing).unwrap();
    let segments = segments(&path);
    let (whole, _) = events(&segments, &topology);
    let whole = commands(&whole);
    // Frames of one connection from 47236 to 8001, tshark's numbers.
    let lost = [122, 231, 252];
    let rest: Vec<Owned> = segments.iter().filter(|it| !lost.contains(&it.at.number)).cloned().collect();
    let (events, _) = events(&rest, &topology);
    for (at, event) in commands(&events) {
        assert!(event.rtt_us.is_none() || event == whole[&at], "{event:?}");
    }
}

/// The events by request, without the timeouts beside them.
fn commands(events: &[HaEvent]) -> BTreeMap<FrameRef, &HaEvent> {
    let of_request = |event: &&HaEvent| event.command.is_some() && event.kind != EventKind::Timeout;
    events.iter().filter(of_request).map(|event| (event.request_at, event)).collect()
}

#[test]
fn lost_segments_never_make_a_false_event() {
    let mut random = Xorshift(0x5eed_0002);
    let (mut kept, mut lost) = (0, 0);
    for (path, topology) in captures() {
        let segments = segments(&path);
        let (whole, _) = events(&segments, &topology);
        let whole = commands(&whole);
        for round in 0..5 {
            let rest: Vec<Owned> = segments.iter().filter(|_| random.below(20) > round).cloned().collect();
            let (events, _) = events(&rest, &topology);
            let found = commands(&events);
            for (at, event) in &found {
                let truth = whole[at];
                if event.rtt_us.is_some() {
                    assert_eq!(*event, truth, "{}", path.display());
                    kept += 1;
                } else {
                    assert_eq!((event.kind, &event.command), (truth.kind, &truth.command));
                    lost += 1;
                }
            }
            let timeouts = events.iter().filter(|it| it.kind == EventKind::Timeout && it.command.is_some());
            for timeout in timeouts {
                // With all that followed on its connection lost too, nothing tells it from a real one.
                let asked = rest.iter().find(|it| it.at == timeout.request_at).unwrap();
                let ends = |it: &Owned| {
                    BTreeSet::from([(it.head.src, it.head.src_port), (it.head.dst, it.head.dst_port)])
                };
                let followed =
                    |it: &&Owned| it.at > asked.at && it.time < timeout.time && ends(it) == ends(asked);
                if !rest.iter().any(|it| followed(&it)) {
                    continue;
                }
                assert!(whole[&timeout.request_at].rtt_us.is_none(), "{timeout:?} in {}", path.display());
            }
        }
    }
    println!("{kept} commands with their answers, {lost} whose answers were lost");
    assert!(kept > 1000 && lost > 100);
}

#[test]
fn a_short_snap_length_leaves_holes_and_no_timeouts() {
    for (path, topology) in plain() {
        let mut segments = segments(&path);
        let (whole, _) = events(&segments, &topology);
        for segment in &mut segments {
            segment.head.cut = segment.payload.len() > 96;
            segment.payload.truncate(96);
        }
        let (events, report) = events(&segments, &topology);
        let odd: BTreeSet<_> = report.anomalies.iter().map(|anomaly| anomaly.kind.code()).collect();
        assert_eq!(odd, BTreeSet::from(["tcp-bytes-missing"]), "{}", path.display());
        let refused = |event: &&HaEvent| event.kind == EventKind::Refused;
        assert!(whole.iter().filter(refused).eq(events.iter().filter(refused)));
        assert!(events.iter().all(|event| event.kind == EventKind::Refused), "{events:?}");
    }
}

/// Anything may come from anywhere, at any time, with any numbers.
#[test]
fn nonsense_ends_in_bounds_and_without_panic() {
    const WORDS: &[&[u8]] = &[
        b"POST / HTTP/1.1\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"Content-Length: 9\r\n",
        b"Content-Length: ",
        b"Transfer-Encoding: chunked\r\n",
        b"\r\n",
        b"\n\n",
        b"5\r\n",
        b"0\r\n\r\n",
        b"ffffffff\r\n",
        b"99999999999",
        b"{\"command\":",
        b"\"ha-heartbeat\"",
        b"{\"arguments\":{",
        b"[",
        b"]",
        b"}",
        b",",
        b":",
        b"\"\\ud83d",
        b"1e999",
        b"\x16\x03\x01\x00\x05",
        b"\x17\x03\x03\x40\x00",
        b"\xff\x00",
        b"P",
        b"H",
    ];
    let in_all_on = |(path, _): &(PathBuf, Topology)| path.ends_with("all-on/zaldua1.pcap");
    let (_, topology) = captures().into_iter().find(in_all_on).unwrap();
    let mut random = Xorshift(0x5eed_0003);
    let limits = Limits { connections: 50, bytes: 20_000 };
    let mut reader = ControlReader::with_limits(&topology, limits);
    let ends =
        [([192, 168, 42, 4], 8001), ([192, 168, 42, 5], 8001), ([10, 0, 0, 1], 80), ([192, 168, 42, 5], 9)];
    for number in 0..200_000 {
        let (from, to) = (ends[random.below(4)], ends[random.below(4)]);
        let mut payload = Vec::new();
        for _ in 0..random.below(6) {
            payload.extend(WORDS[random.below(WORDS.len())]);
        }
        let far = if random.below(50) == 0 { 1 << 30 } else { 300 };
        let segment = Segment {
            link: Link::default(),
            src: from.0.into(),
            dst: to.0.into(),
            src_port: from.1 + random.below(40) as u16 * u16::from(from.1 != 8001),
            dst_port: to.1,
            seq: (random.below(far) as u32).wrapping_sub(100),
            ack: (random.below(far) as u32).wrapping_sub(100),
            flags: if random.below(4) == 0 { random.next() as u8 } else { 0x10 },
            payload: &payload,
            cut: random.below(20) == 0,
        };
        let time = match random.below(1000) {
            0 => random.next().cast_signed(),
            _ => number * 1_000_000,
        };
        let at = FrameRef { number: number.unsigned_abs(), ..FrameRef::default() };
        reader.push(&segment, CaptureTime(time), at);
        let (connections, bytes) = reader.size();
        assert!(connections <= 50 && bytes <= 20_000, "{connections} connections, {bytes} bytes");
    }
    let (events, report) = reader.finish(CaptureTime(i64::MAX));
    let kinds: BTreeSet<_> = report.anomalies.iter().map(|anomaly| anomaly.kind.code()).collect();
    println!("{} events, anomalies {kinds:?}", events.len());
    assert!(events.len() > 100 && kinds.len() > 5);
}
