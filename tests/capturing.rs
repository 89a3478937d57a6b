//! docs/capturing.md: its commands run on the wires of a small laboratory, and its filters pass what it says.
//!
//! The page is the only source. A block ```` ```sh run ```` is run as it stands, with the name of a machine behind it on
//! that machine; a block ```` ```sh elsewhere: REASON ```` cannot be run here. All blocks run in one directory, each in
//! network, mount and process namespaces of its own, which the kernel ends with the process that unshared them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use dorascope::capture::{Input, Reader};
use serde_json::Value;

use crate::support::dhcp;
use crate::support::files::{Order, PcapFile};
use crate::support::frames::{CLIENT, ethernet, fragment, ipv4, tcp, udp};
use crate::support::temp::TempDir;

/// What the blocks and the tests call; util-linux, procps and coreutils are there wherever there is a shell.
const PROGRAMS: [&str; 8] =
    ["capinfos", "dumpcap", "editcap", "ip", "nsenter", "python3", "tcpdump", "tshark"];
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

/// How many captures a block starts.
fn captures(text: &str) -> usize {
    ["tcpdump -i ", "dumpcap -i ", "dorascope sniff -i "]
        .iter()
        .map(|start| text.matches(start).count())
        .sum()
}

/// A directory in which blocks run.
struct Place {
    folder: TempDir,
}

impl Place {
    /// Nothing, and a word about it, where the laboratory cannot be built.
    fn new() -> Option<Self> {
        let found = |program: &&&str| {
            std::env::split_paths(&std::env::var_os("PATH").unwrap())
                .any(|folder| folder.join(program).exists())
        };
        if let Some(program) = PROGRAMS.iter().find(|program| !found(program)) {
            println!("SKIPPED: {program} is not installed, so nothing of docs/capturing.md was run");
            return None;
        }
        let place = Self { folder: TempDir::new("capturing") };
        let output = place.run("true\n", "host", &[]);
        if output.status.code() != Some(0) {
            let why = String::from_utf8_lossy(&output.stderr);
            let why = why.lines().next().unwrap_or("no reason given");
            println!(
                "SKIPPED: namespaces with bridges need root and iproute2, so nothing of docs/capturing.md was run: {why}"
            );
            return None;
        }
        Some(place)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// Runs a script on a machine of the laboratory while the frames of some files are sent there.
    fn run(&self, script: &str, machine: &str, sent: &[PathBuf]) -> Output {
        self.folder.file("block.sh", script.as_bytes());
        let program = Path::new(env!("CARGO_BIN_EXE_dorascope")).parent().unwrap();
        let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("unshare");
        command
            .args(["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "bash"])
            .arg(repository("tests/capturing/place.sh"))
            .args(["block.sh", machine, &captures(script).to_string()])
            .args(sent)
            .env("PATH", path)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Running(command.spawn().unwrap()).end()
    }

    /// Runs it, which has to succeed.
    fn must(&self, what: &str, script: &str, machine: &str, sent: &[PathBuf]) {
        let output = self.run(script, machine, sent);
        let said = format!("{}{}", String::from_utf8_lossy(&output.stderr), self.read("block.err"));
        assert!(output.status.success(), "{what}: {}\n{script}\n{said}", output.status);
        assert!(!said.contains("error"), "{what}: {said}");
    }
}

/// A process that does not outlive its test.
struct Running(Child);

impl Running {
    /// Waits for its end, which must come soon. What it says is little, so no pipe fills.
    fn end(mut self) -> Output {
        let began = Instant::now();
        let status = loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                break status;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "a block does not end");
            std::thread::sleep(Duration::from_millis(20));
        };
        let mut stderr = Vec::new();
        std::io::Read::read_to_end(&mut self.0.stderr.take().unwrap(), &mut stderr).unwrap();
        Output { status, stdout: Vec::new(), stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // With it go all processes and namespaces that it made.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The lines that a program prints.
fn lines(command: &mut Command) -> Vec<String> {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// A DHCP message, by its type and its transaction.
type Message = (String, String);

/// A frame with a DHCP message or of the control channel.
#[derive(Clone)]
struct Seen {
    from: String,
    to: String,
    /// Absent for the control channel.
    message: Option<Message>,
}

impl Seen {
    /// Whether the machine with this address sends or gets it; every one does where the address is empty.
    fn is_at(&self, mac: &str) -> bool {
        mac.is_empty() || self.from == mac || self.to == mac || self.to == BROADCAST
    }
}

/// What tshark finds in a file.
fn seen(file: &Path) -> Vec<Seen> {
    let mut command = Command::new("tshark");
    // Of a frame in a tunnel the inner addresses, which are the last ones.
    command.args(["-n", "-Y", "dhcp or tcp.port in {8000..8002}", "-T", "fields", "-E", "occurrence=l"]);
    let fields = ["eth.src", "eth.dst", "dhcp.option.dhcp", "dhcp.id"];
    command.args(fields.iter().flat_map(|field| ["-e", field])).arg("-r").arg(file);
    let seen = |line: String| {
        let [from, to, kind, xid] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line:?}") };
        let message = (!xid.is_empty()).then(|| (kind.to_owned(), xid.trim_start_matches("0x").to_owned()));
        Seen { from: from.to_owned(), to: to.to_owned(), message }
    };
    lines(&mut command).into_iter().map(seen).collect()
}

/// The messages among them, sorted, and how many are of the control channel.
fn summed<'a>(seen: impl Iterator<Item = &'a Seen> + Clone) -> (Vec<Message>, usize) {
    let mut messages: Vec<_> = seen.clone().filter_map(|it| it.message.clone()).collect();
    messages.sort();
    (messages, seen.filter(|it| it.message.is_none()).count())
}

/// The rows of tables that `dorascope analyze` writes, by the name of the table.
fn analysed(files: &[PathBuf]) -> BTreeMap<String, Vec<Value>> {
    let temp = TempDir::new("capturing-tables");
    let tables = temp.path().join("tables");
    let mut command = Command::new(env!("CARGO_BIN_EXE_dorascope"));
    command.arg("analyze").args(files).arg("-t").arg(repository(RECORDING).join("topology.toml"));
    lines(command.args(["--format", "jsonl", "-o"]).arg(&tables));
    let rows = |name: &str| {
        let text = std::fs::read_to_string(tables.join(name).with_extension("jsonl")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    ["messages", "sources", "leases", "findings"].map(|name| (name.to_owned(), rows(name))).into()
}

/// The same as dorascope reads it.
fn summed_up(rows: &BTreeMap<String, Vec<Value>>) -> (Vec<Message>, usize) {
    let kinds = ["DISCOVER", "OFFER", "REQUEST", "DECLINE", "ACK", "NAK", "RELEASE", "INFORM"];
    let number = |row: &Value| {
        let at = kinds.iter().position(|kind| row["message_type"] == *kind);
        at.map_or_else(|| panic!("{row}"), |at| (at + 1).to_string())
    };
    let message = |row: &Value| (number(row), row["xid"].as_str().unwrap().to_owned());
    let mut messages: Vec<_> = rows["messages"].iter().map(message).collect();
    messages.sort();
    let control: u64 = rows["sources"].iter().map(|row| row["control"].as_u64().unwrap()).sum();
    (messages, control as usize)
}

const BROADCAST: &str = "ff:ff:ff:ff:ff:ff";
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

/// Time and bytes of the frames of a file.
fn frames(path: &Path) -> Vec<(u64, Vec<u8>)> {
    let mut reader = Reader::open(&[Input { zone: None, path: path.to_owned() }]);
    let mut found = Vec::new();
    while let Some(frame) = reader.next() {
        found.push((frame.time.0.cast_unsigned(), frame.data.to_vec()));
    }
    assert_eq!(reader.troubles(), [], "{}", path.display());
    found
}

/// A pcap file of frames, in order of time.
fn pcap(mut frames: Vec<(u64, Vec<u8>)>) -> Vec<u8> {
    frames.sort_by_key(|(ns, _)| *ns);
    frames.iter().fold(PcapFile::nano(Order::Little, 1), |file, (ns, data)| file.frame(*ns, data)).bytes
}

/// An Ethernet frame with an IPv4 packet whose header checksum is right, as bridges want it.
fn bridged(packet: &[u8]) -> Vec<u8> {
    let mut packet = packet.to_vec();
    packet[10..12].fill(0);
    let sum: u32 = packet[..20].chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
    let sum = !((sum & 0xffff) + (sum >> 16)) as u16;
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
    ethernet(0x0800, &packet)
}

/// The frame with tags between its addresses and the rest.
fn tagged(frame: &[u8], tags: &[u8]) -> Vec<u8> {
    [&frame[..12], tags, &frame[12..]].concat()
}

/// The frame in GRE with a sequence number and the header of ERSPAN type II.
fn mirrored(frame: &[u8], number: u32) -> Vec<u8> {
    let mut payload = vec![0x10, 0, 0x88, 0xbe];
    payload.extend(number.to_be_bytes());
    payload.extend([0x10, 0x07, 0, 1, 0, 0, 0, 0]);
    payload.extend(frame);
    bridged(&ipv4(47, &payload))
}

const VLAN_7: [u8; 4] = [0x81, 0, 0, 7];
const VLAN_7_IN_9: [u8; 8] = [0x88, 0xa8, 0, 9, 0x81, 0, 0, 7];

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
    // Two machines' traces, each with seconds since its own process began.
    let began = frames(&recorded("zaldua2"))[0].0;
    for (name, mac, since) in [
        ("zaldua1zerb1-nic2.pcap", [8, 0, 0x27, 0x51, 1, 2], 5_538_985_000),
        ("zaldua2zerb1-nic1.pcap", [8, 0, 0x27, 0x52, 1, 2], 75_663_985_000),
    ] {
        let own =
            |(_, frame): &(u64, Vec<u8>)| frame[..6] == mac || frame[6..12] == mac || frame[..6] == [255; 6];
        let trace = frames(&recorded("zaldua2")).into_iter().filter(own);
        give(name, &pcap(trace.map(|(ns, frame)| (ns - began + since, frame)).collect()));
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
        script += &format!(
            "tcpdump -i br0 -F {at}.filter --immediate-mode -B 32768 -U -Z root -w {at}-wire.pcap &\n"
        );
    }
    script += "wait\n";
    for at in 0..filters.len() {
        script += &format!("tcpdump -r crafted.pcap -F {at}.filter -Z root -w {at}-file.pcap\n");
    }
    place.must("filters", &script, "host", &[file]);
    let named = |at: usize, how: &str| named(&place.path(&format!("{at}-{how}.pcap")), crafted);
    (0..filters.len()).map(|at| [named(at, "wire"), named(at, "file")]).collect()
}

/// A DISCOVER with a transaction of its own.
fn discover(xid: u32) -> Vec<u8> {
    dhcp::message(1, xid, CLIENT, [0; 4], &[(53, &[1])])
}

/// A packet with a UDP datagram from a client, from its place in `datagram`.
fn piece(datagram: &[u8], from: usize, to: usize) -> Vec<u8> {
    let more = if to < datagram.len() { 0x2000 } else { 0 };
    bridged(&fragment(17, 7, more | (from / 8) as u16, &datagram[from..to]))
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
