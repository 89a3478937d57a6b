//! docs/capturing.md: its commands run on the wires of a small laboratory, and its filters pass what it says.
//!
//! The page is the only source. A block ```` ```sh run ```` is run as it stands, with the name of a machine behind it on
//! that machine; a block ```` ```sh elsewhere: REASON ```` cannot be run here. All blocks run in one directory, each in
//! network, mount and process namespaces of its own, which the kernel ends with the process that unshared them.

mod craft;
mod place;
mod seen;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use dorascope::capture::Input;
use dorascope::ha::topology::Topology;
use dorascope::pipeline::{Options, analyze};
use serde_json::Value;

use crate::support::frames::{ethernet, ipv4, tcp, udp};
use crate::support::temp::TempDir;
use craft::{VLAN_7, VLAN_7_IN_9, bridged, discover, frames, mirrored, pcap, piece, tagged};
use place::{Place, captures};
use seen::{BROADCAST, Seen, analysed, seen, summed, summed_up};

/// The recording whose frames are sent while a block captures.
const RECORDING: &str = "captures/all-on";

/// A fenced block of the page.
struct Block {
    line: usize,
    /// Where it runs; absent where it cannot.
    machine: Option<String>,
    text: String,
}

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn page() -> String {
    std::fs::read_to_string(repository("docs/capturing.md")).unwrap()
}

/// All blocks of the page. One that says neither how it is run nor why not is an error.
fn blocks() -> Vec<Block> {
    let (page, mut found) = (page(), Vec::new());
    let mut lines = page.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let Some(info) = line.trim_start().strip_prefix("```") else { continue };
        let machine = match info.split_whitespace().collect::<Vec<_>>()[..] {
            ["sh", "run"] => Some("host".to_owned()),
            ["sh", "run", machine] => Some(machine.to_owned()),
            ["sh", "elsewhere:", _, ..] => None,
            _ => {
                panic!("docs/capturing.md:{}: neither `sh run` nor `sh elsewhere: REASON`: {info:?}", at + 1)
            }
        };
        let text = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```");
        found.push(Block {
            line: at + 1,
            machine,
            text: text.fold(String::new(), |text, line| text + line + "\n"),
        });
    }
    found
}

const ZALDUA2ZERB1: &str = "08:00:27:52:01:02";
const ZALDUA1ZERB1: &str = "08:00:27:51:01:02";

/// What the page's commands make: how a file's name begins, what of which recorded wires it must have, and of
/// which machine's traffic only.
const MADE: [(&str, &[&str], &str); 16] = [
    ("zaldua2.pcap", &["zaldua2"], ""),
    ("zaldua3.pcap", &["zaldua3"], ""),
    ("zaldua1zerb1-20", &["zaldua2"], ZALDUA1ZERB1),
    ("zaldua2zerb1-ring.pcap00", &["zaldua2"], ZALDUA2ZERB1),
    ("zaldua2-bridge.pcapng", &["zaldua2"], ""),
    ("zaldua2zerb1-port.pcap", &["zaldua2"], ZALDUA2ZERB1),
    ("zaldua2zerb1-eth0.pcap", &["zaldua2"], ZALDUA2ZERB1),
    ("zaldua1zerb1-eth0.pcap", &["zaldua2"], ZALDUA1ZERB1),
    ("zaldua2zerb1-container.pcap", &["zaldua2"], ZALDUA2ZERB1),
    ("untagged.pcap", &["zaldua2"], ""),
    ("vlan7.pcap", &["zaldua3"], ""),
    ("zaldua2zerb1-nic1-shifted.pcap", &["zaldua2"], ZALDUA2ZERB1),
    // What was mirrored is the wire of zaldua3.
    ("erspan.pcap", &["zaldua3"], ""),
    ("zaldua2-nano.pcap", &["zaldua2"], ""),
    ("lab.pcapng", &["zaldua2", "zaldua3"], ""),
    // Not of the page, which says of -p what is in it.
    ("zaldua2-without-promiscuity.pcap", &["zaldua2"], BROADCAST),
];

fn recorded(zone: &str) -> PathBuf {
    repository(RECORDING).join(zone).with_extension("pcap")
}

/// What VirtualBox traces of two machines, each with the time since its own process began.
fn traces() -> [(&'static str, Vec<u8>); 2] {
    let wire = frames(&recorded("zaldua2"));
    [
        ("zaldua1zerb1-nic2.pcap", [8, 0, 0x27, 0x51, 1, 2], 5_538_985_000),
        ("zaldua2zerb1-nic1.pcap", [8, 0, 0x27, 0x52, 1, 2], 75_663_985_000),
    ]
    .map(|(name, mac, since)| {
        let own =
            |(_, frame): &&(u64, Vec<u8>)| frame[..6] == mac || frame[6..12] == mac || frame[..6] == [255; 6];
        let timed = |(ns, frame): &(u64, Vec<u8>)| (ns - wire[0].0 + since, frame.clone());
        (name, pcap(wire.iter().filter(own).map(timed).collect()))
    })
}

/// What the page takes for granted: configurations, and captures that cannot be made here.
fn givens(place: &Place) -> BTreeSet<String> {
    let mut given = BTreeSet::new();
    let mut give = |name: &str, bytes: &[u8]| {
        place.folder.file(name, bytes);
        given.insert(name.to_owned());
    };
    for entry in std::fs::read_dir(repository(RECORDING)).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|it| it == "conf" || it == "toml") {
            give(path.file_name().unwrap().to_str().unwrap(), &std::fs::read(&path).unwrap());
        }
    }
    // A trunk: zaldua2 is untagged on it, zaldua3 has the tag 7.
    let tag = |(ns, frame): (u64, Vec<u8>)| (ns, tagged(&frame, &VLAN_7));
    let trunk =
        frames(&recorded("zaldua2")).into_iter().chain(frames(&recorded("zaldua3")).into_iter().map(tag));
    give("trunk.pcap", &pcap(trunk.collect()));
    let mirror = frames(&recorded("zaldua3")).into_iter().zip(0..);
    give("mirrored.pcap", &pcap(mirror.map(|((ns, frame), at)| (ns, mirrored(&frame, at))).collect()));
    for (name, trace) in traces() {
        give(name, &trace);
    }
    given
}

#[test]
fn the_commands_of_the_page_capture_what_was_sent() {
    let blocks = blocks();
    let Some(place) = Place::new() else { return };
    let given = givens(&place);
    let sent = [recorded("zaldua2"), recorded("zaldua3"), place.path("mirrored.pcap")];
    let mut ran = 0;
    for block in &blocks {
        let Some(machine) = &block.machine else { continue };
        place.must(&format!("docs/capturing.md:{}", block.line), &block.text, machine, &sent);
        ran += captures(&block.text);
    }
    assert!(ran > 10, "{ran} captures");
    let without = "tcpdump -i br0 -p -F dora.filter --immediate-mode -B 32768 -U -Z root -w zaldua2-without-promiscuity.pcap";
    place.must(without, without, "host", &sent);

    let names: BTreeSet<String> = std::fs::read_dir(place.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains(".pcap") && !given.contains(name))
        .collect();
    assert_eq!(names.len(), MADE.len(), "{names:?}");
    let wires: BTreeMap<&str, Vec<Seen>> =
        ["zaldua2", "zaldua3"].map(|zone| (zone, seen(&recorded(zone)))).into();
    for (start, zones, mac) in MADE {
        let name = names.iter().find(|name| name.starts_with(start));
        let name = name.unwrap_or_else(|| panic!("no {start}: {names:?}"));
        let wanted = summed(zones.iter().flat_map(|zone| &wires[zone]).filter(|it| it.is_at(mac)));
        assert!(wanted.0.len() >= 4, "{name}: {wanted:?}");
        assert_eq!(summed(seen(&place.path(name)).iter()), wanted, "tshark: {name}");
        assert_eq!(summed_up(&analysed(&[place.path(name)])), wanted, "{name}");
    }
    // A pcapng file says what the kernel dropped, a pcap file does not.
    let dropped = |name: &str| analysed(&[place.path(name)])["sources"][0]["dropped_kernel"].clone();
    assert_eq!(
        ["zaldua2-bridge.pcapng", "lab.pcapng", "zaldua2.pcap"].map(dropped),
        [0.into(), 0.into(), Value::Null]
    );

    // The verdicts are those of the recording.
    let leases = |files: &[PathBuf]| -> Vec<String> {
        let rows = analysed(files);
        assert_eq!(rows["findings"], Vec::<Value>::new());
        let short = |row: &Value| {
            ["client_name", "ip", "server", "verdict"].map(|name| row[name].to_string()).join(" ")
        };
        rows["leases"].iter().map(short).collect()
    };
    let recording = leases(&["zaldua2", "zaldua3"].map(recorded));
    assert_eq!(recording.len(), 3, "{recording:?}");
    assert_eq!(leases(&["zaldua2.pcap", "zaldua3.pcap"].map(|name| place.path(name))), recording);
    assert_eq!(leases(&[place.path("lab.pcapng")]), recording);

    // What the page says of traces that nobody shifted.
    let sure = |second: &str| {
        let zoned = |name: &str| PathBuf::from(format!("zaldua2={}", place.path(name).display()));
        let rows = analysed(&["zaldua1zerb1-nic2.pcap", second].map(zoned));
        let confidence: Vec<_> =
            rows["leases"].iter().map(|row| row["confidence"].as_f64().unwrap()).collect();
        (confidence, rows["findings"].len())
    };
    assert_eq!(sure("zaldua2zerb1-nic1.pcap"), (vec![0.6, 0.6], 1));
    assert_eq!(sure("zaldua2zerb1-nic1-shifted.pcap"), (vec![0.99, 0.99], 0));
    assert!(page().contains("a confidence of 0.60 and a false finding, with it 0.99 and none"));
}

/// The verdicts of the recording with a relay, when the clients' file is off by so much.
fn with_clients_off_by(ns: i64) -> Vec<String> {
    let temp = TempDir::new("capturing-clocks");
    let folder = repository("captures/relayed");
    let moved = |(time, frame): (u64, Vec<u8>)| (time.checked_add_signed(ns).unwrap(), frame);
    let clients = frames(&folder.join("mendi.pcap")).into_iter().map(moved).collect();
    let files = [temp.file("mendi.pcap", &pcap(clients)), folder.join("haran.pcap")];
    let topology = Topology::load(&folder.join("topology.toml")).unwrap();
    let inputs = files.map(|path| Input { zone: None, path });
    let analysis = analyze(&inputs, &topology, Options::default(), |_| {});
    analysis.judgements.iter().map(|judgement| format!("{:?}", judgement.verdict)).collect()
}

#[test]
fn captures_of_different_clocks_fall_apart_when_the_page_says_so() {
    let together = with_clients_off_by(0);
    for half in [500_000_000, -500_000_000] {
        assert_eq!(with_clients_off_by(half), together);
    }
    let apart = with_clients_off_by(-2_000_000_000);
    let said = format!("two seconds early, {} exchanges became {}", together.len(), apart.len());
    assert!(page().contains(&said), "{said}");
}

/// The names of the crafted frames that a file has.
fn named(file: &Path, crafted: &[(&'static str, Vec<u8>)]) -> BTreeSet<&'static str> {
    let name = |(_, data): (u64, Vec<u8>)| {
        let known = crafted.iter().find(|(_, frame)| *frame == data);
        known.unwrap_or_else(|| panic!("{}: a frame that nobody sent: {data:02x?}", file.display())).0
    };
    frames(file).into_iter().map(name).collect()
}

/// Sends crafted frames while filters capture them, and reads them from a file through the same filters: the names
/// of the frames that each filter passes on the wire, and from the file.
fn passed(
    place: &Place,
    filters: &[String],
    crafted: &[(&'static str, Vec<u8>)],
) -> Vec<[BTreeSet<&'static str>; 2]> {
    let timed = (0..).zip(crafted).map(|(ns, (_, frame))| (ns, frame.clone())).collect();
    let file = place.folder.file("crafted.pcap", &pcap(timed));
    let mut script = String::new();
    for (at, filter) in filters.iter().enumerate() {
        place.folder.file(&format!("{at}.filter"), filter.as_bytes());
        let options = "--immediate-mode -B 32768 -U -Z root";
        let _ = writeln!(script, "tcpdump -i br0 -F {at}.filter {options} -w {at}-wire.pcap &");
    }
    script += "wait\n";
    for at in 0..filters.len() {
        let _ = writeln!(script, "tcpdump -r crafted.pcap -F {at}.filter -Z root -w {at}-file.pcap");
    }
    place.must("filters", &script, "host", &[file]);
    let named = |at: usize, how: &str| named(&place.path(&format!("{at}-{how}.pcap")), crafted);
    (0..filters.len()).map(|at| [named(at, "wire"), named(at, "file")]).collect()
}

#[test]
fn the_filter_of_the_page_passes_dhcp_fragments_and_the_control_channel() {
    let Some(place) = Place::new() else { return };
    givens(&place);
    let blocks = blocks();
    let block =
        blocks.iter().find(|block| block.text.contains(">dora.filter\n")).expect("a block makes the filter");
    place.must("the filter", &block.text, "host", &[]);
    let built_in = dorascope::capture::live::default_filter(&[8000, 8001, 8002]);
    let filters = [place.read("dora.filter"), built_in];

    let long = udp(68, 67, &[discover(2), vec![0; 1500]].concat());
    let plain = [
        ("DISCOVER", bridged(&ipv4(17, &udp(68, 67, &discover(1))))),
        ("relayed", bridged(&ipv4(17, &udp(67, 67, &discover(3))))),
        ("first fragment", piece(&long, 0, 1480)),
        ("second fragment", piece(&long, 1480, long.len())),
        ("first listener", bridged(&ipv4(6, &tcp(40_000, 8001, b"POST / HTTP/1.1")))),
        ("answer of the second", bridged(&ipv4(6, &tcp(8002, 40_000, b"HTTP/1.1 200 OK")))),
        ("agent", bridged(&ipv4(6, &tcp(40_000, 8000, b"POST / HTTP/1.1")))),
    ];
    let names = [
        "tagged DISCOVER",
        "tagged relayed",
        "tagged first fragment",
        "tagged second fragment",
        "tagged first listener",
        "tagged answer of the second",
        "tagged agent",
    ];
    let tagged_frames =
        names.into_iter().zip(&plain).map(|(name, (_, frame))| (name, tagged(frame, &VLAN_7)));
    let twice = [
        ("DISCOVER in two tags", tagged(&plain[0].1, &VLAN_7_IN_9)),
        ("second fragment in two tags", tagged(&plain[3].1, &VLAN_7_IN_9)),
        ("listener in two tags", tagged(&plain[4].1, &VLAN_7_IN_9)),
    ];
    let others = [
        ("DNS", bridged(&ipv4(17, &udp(40_000, 53, b"a question")))),
        ("HTTPS", bridged(&ipv4(6, &tcp(40_000, 443, b"a secret")))),
        ("tagged HTTPS", tagged(&bridged(&ipv4(6, &tcp(40_000, 443, b"another"))), &VLAN_7)),
        ("ping", bridged(&ipv4(1, &[8, 0, 0xf7, 0xff, 0, 0, 0, 0]))),
        ("LLDP", ethernet(0x88cc, &[2, 7, 4, 8, 0, 0x27, 0xa2, 0, 1, 4, 2, 5, 0x31, 6, 2, 0, 120, 0, 0])),
    ];
    let wanted: Vec<_> = plain.iter().cloned().chain(tagged_frames).chain(twice).collect();
    let crafted: Vec<_> = wanted.iter().cloned().chain(others).collect();
    let names: BTreeSet<&str> = wanted.iter().map(|(name, _)| *name).collect();
    for (filter, passed) in filters.iter().zip(passed(&place, &filters, &crafted)) {
        assert_eq!(passed, [names.clone(), names.clone()], "{filter}");
    }
    // Fragments are put together, tagged or not: tshark counts the same messages. The segments belong to no known server.
    let file = place.path("0-wire.pcap");
    let messages = summed(seen(&file).iter()).0;
    assert_eq!(messages.len(), 7, "{messages:?}");
    assert_eq!(summed_up(&analysed(&[file])).0, messages);
}

#[test]
fn vlan_in_a_filter_does_what_the_page_says() {
    let page = page();
    let rows: Vec<[&str; 3]> = page
        .lines()
        .skip_while(|line| !line.starts_with("| expression | passes on the wire"))
        .skip(2)
        .map_while(|line| {
            line.strip_prefix("| `")?.strip_suffix(" |")?.split(" | ").collect::<Vec<_>>().try_into().ok()
        })
        .collect();
    assert_eq!(rows.len(), 5);
    let Some(place) = Place::new() else { return };
    let frame = |xid| bridged(&ipv4(17, &udp(68, 67, &discover(xid))));
    let crafted = [
        ("untagged", frame(1)),
        ("tagged", tagged(&frame(2), &VLAN_7)),
        ("twice tagged", tagged(&frame(3), &VLAN_7_IN_9)),
    ];
    let filters: Vec<String> = rows.iter().map(|row| row[0].trim_end_matches('`').to_owned()).collect();
    for (row, passed) in rows.iter().zip(passed(&place, &filters, &crafted)) {
        let said = [row[1], row[2]].map(|cell| cell.split(", ").collect::<BTreeSet<_>>());
        assert_eq!(passed, said, "{}", row[0]);
    }
}
