//! The captures that `make bench` measures on are what they say: counted by tshark, and judged by dorascope.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::support::temp::TempDir;
use generate::{Kind, Made, Mode, Plan, Precision};

#[path = "bench/src/generate/mod.rs"]
pub mod generate;

fn make(folder: &TempDir, kind: Kind, mode: Mode, frames: u64, suffix: &str) -> (PathBuf, Made) {
    let path = folder.path().join(format!("{kind:?}.{suffix}"));
    let precision = if kind == Kind::Control { Precision::Nanoseconds } else { Precision::Microseconds };
    let made = generate::write(&Plan { kind, mode, clients: 100, frames, precision }, &path).unwrap();
    (path, made)
}

/// tshark as it starts to read a capture; `None` without tshark.
fn tshark(path: &Path) -> Option<Child> {
    let mut command = Command::new("tshark");
    command.args(["-n", "-r"]).arg(path);
    for layer in ["ip", "udp", "tcp"] {
        command.arg("-o").arg(format!("{layer}.check_checksum:TRUE"));
    }
    let fields =
        ["dhcp.option.dhcp", "dhcp.id", "http.request.method", "http.response.code", "dhcp.option.length"];
    let fields =
        [&fields[..], &["ip.checksum.status", "udp.checksum.status", "tcp.checksum.status"]].concat();
    command.args(["-T", "fields", "-E", "separator=;", "-E", "occurrence=a"]);
    command.args(fields.iter().flat_map(|field| ["-e", field]));
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()
}

/// What tshark counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counted {
    frames: usize,
    /// DISCOVER, OFFER, REQUEST, ACK.
    messages: [usize; 4],
    xids: usize,
    asked: usize,
    answered: usize,
    /// Messages with an option of 255 bytes.
    long: usize,
    /// IPv4, UDP or TCP.
    bad_checksums: usize,
}

fn counted(child: Child) -> Counted {
    let output = child.wait_with_output().unwrap();
    let mut counted = Counted::default();
    let mut xids = BTreeSet::new();
    for line in std::str::from_utf8(&output.stdout).unwrap().lines() {
        let cells: Vec<_> = line.split(';').collect();
        counted.frames += 1;
        if let Some(place) = ["1", "2", "3", "5"].iter().position(|message| *message == cells[0]) {
            counted.messages[place] += 1;
            xids.insert(cells[1].to_owned());
            counted.long += usize::from(cells[4].split(',').any(|length| length == "255"));
        }
        counted.asked += usize::from(!cells[2].is_empty());
        counted.answered += usize::from(!cells[3].is_empty());
        // 0 is bad; 1 good, 2 and 3 were not or cannot be checked.
        counted.bad_checksums += usize::from(cells[5..8].contains(&"0"));
    }
    counted.xids = xids.len();
    counted
}

#[test]
fn tshark_counts_what_was_made() {
    let folder = TempDir::new("bench");
    // One heartbeat each way with its handshake: twelve frames.
    let healthy =
        Counted { frames: 92, messages: [20; 4], xids: 20, asked: 2, answered: 2, ..Counted::default() };
    let control = Counted { frames: 152, asked: 22, answered: 22, ..healthy };
    let one_in_ten = Counted { messages: [2; 4], xids: 2, ..healthy };
    let expected = [
        (Kind::Dora, 80, "pcap", healthy),
        (Kind::Control, 80, "pcapng.gz", control),
        (Kind::Mixed, 80, "pcapng", one_in_ten),
        (Kind::SameXid, 80, "pcap.gz", Counted { xids: 1, ..healthy }),
        (Kind::NoAck, 80, "pcap", Counted { messages: [20, 20, 40, 0], ..healthy }),
        (Kind::Unanswered, 80, "pcap", Counted { messages: [80, 0, 0, 0], xids: 80, ..healthy }),
        (Kind::Colliding, 80, "pcap", healthy),
        (Kind::LongOptions, 80, "pcap", Counted { long: 80, ..healthy }),
        // 65,515 bytes of UDP in pieces of 1480 are 45; the next datagram has no last one.
        (
            Kind::Fragments,
            90,
            "pcap",
            Counted { frames: 90, messages: [1, 0, 0, 0], xids: 1, long: 1, ..Counted::default() },
        ),
    ];
    let mut readers = Vec::new();
    for (kind, frames, suffix, expected) in expected {
        let (path, made) = make(&folder, kind, Mode::HotStandby, frames, suffix);
        assert_eq!(made.frames, expected.frames as u64, "{kind:?}");
        assert_eq!(made.acks, expected.messages[3] as u64, "{kind:?}");
        readers.push((kind, expected, tshark(&path)));
    }
    for (kind, expected, reader) in readers {
        let Some(reader) = reader else {
            println!("SKIPPED: tshark is not installed; captures of the benchmark are not counted");
            return;
        };
        assert_eq!(counted(reader), expected, "{kind:?}");
    }
}

/// Both servers are healthy and keep to the rules, so that what is measured is the usual work.
#[test]
fn every_lease_of_a_capture_is_judged() {
    for mode in [Mode::HotStandby, Mode::LoadBalancing] {
        let folder = TempDir::new("bench");
        let (path, _) = make(&folder, Kind::Control, mode, 400, "pcap");
        generate::write_topology(folder.path(), mode, true).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_dorascope"));
        command.arg("analyze").arg(format!("bench={}", path.display()));
        command.arg("-t").arg(folder.path().join("topology.toml")).args(["--format", "csv"]);
        let output = command.output().unwrap();
        let leases = String::from_utf8(output.stdout).unwrap();
        let expected = leases.lines().filter(|line| line.contains("owner-answered")).count();
        assert_eq!((leases.lines().count() - 1, expected), (100, 100), "{mode:?}");
    }
}
