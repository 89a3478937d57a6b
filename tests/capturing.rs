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
const PROGRAMS: [&str; 8] = ["capinfos", "dumpcap", "editcap", "ip", "nsenter", "python3", "tcpdump", "tshark"];
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
            _ => panic!("docs/capturing.md:{}: neither `sh run` nor `sh elsewhere: REASON`: {info:?}", at + 1),
        };
        let text = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```");
        found.push(Block { line: at + 1, machine, text: text.fold(String::new(), |text, line| text + line + "\n") });
    }
    found
}

/// How many captures a block starts.
fn captures(text: &str) -> usize {
    ["tcpdump -i ", "dumpcap -i ", "dorascope sniff -i "].iter().map(|start| text.matches(start).count()).sum()
}

/// A directory in which blocks run.
struct Place {
    folder: TempDir,
}

impl Place {
    /// Nothing, and a word about it, where the laboratory cannot be built.
    fn new() -> Option<Self> {
        let found = |program: &&&str| {
            std::env::split_paths(&std::env::var_os("PATH").unwrap()).any(|folder| folder.join(program).exists())
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
            println!("SKIPPED: namespaces with bridges need root and iproute2, so nothing of docs/capturing.md was run: {why}");
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

/// Type and transaction of the DHCP messages of a file that a display filter lets through, in order.
fn by_tshark(file: &Path, filter: &str) -> Vec<(String, String)> {
    let mut command = Command::new("tshark");
    command.args(["-n", "-Y", &format!("dhcp and ({filter})"), "-T", "fields", "-E", "occurrence=f", "-r"]);
    let pair = |line: String| {
        let (kind, xid) = line.split_once('\t').unwrap();
        (kind.to_owned(), xid.trim_start_matches("0x").to_owned())
    };
    lines(command.arg(file).args(["-e", "dhcp.option.dhcp", "-e", "dhcp.id"])).into_iter().map(pair).collect()
}

/// Frames of a file that a display filter lets through.
fn counted(file: &Path, filter: &str) -> usize {
    lines(Command::new("tshark").args(["-n", "-Y", filter, "-T", "fields", "-e", "frame.number", "-r"]).arg(file)).len()
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

/// The same of the messages of a file as dorascope reads it.
fn by_dorascope(rows: &[Value]) -> Vec<(String, String)> {
    let kinds = ["DISCOVER", "OFFER", "REQUEST", "DECLINE", "ACK", "NAK", "RELEASE", "INFORM"];
    let number = |row: &Value| {
        let at = kinds.iter().position(|kind| row["message_type"] == *kind);
        at.map_or_else(|| panic!("{row}"), |at| (at + 1).to_string())
    };
    rows.iter().map(|row| (number(row), row["xid"].as_str().unwrap().to_owned())).collect()
}

/// What the machine at some place sends and gets.
const AT_ZALDUA2ZERB1: &str = "eth.addr == 08:00:27:52:01:02 or eth.dst == ff:ff:ff:ff:ff:ff";
const AT_ZALDUA1ZERB1: &str = "eth.addr == 08:00:27:51:01:02 or eth.dst == ff:ff:ff:ff:ff:ff";

/// What the page's commands make: how a file's name begins, and what of which recorded wires it must have.
const MADE: [(&str, &[&str], &str); 16] = [
    ("zaldua2.pcap", &["zaldua2"], "frame"),
    ("zaldua3.pcap", &["zaldua3"], "frame"),
    ("zaldua1zerb1-20", &["zaldua2"], AT_ZALDUA1ZERB1),
    ("zaldua2zerb1-ring.pcap00", &["zaldua2"], AT_ZALDUA2ZERB1),
    ("zaldua2-bridge.pcapng", &["zaldua2"], "frame"),
    ("zaldua2zerb1-port.pcap", &["zaldua2"], AT_ZALDUA2ZERB1),
    ("zaldua2zerb1-eth0.pcap", &["zaldua2"], AT_ZALDUA2ZERB1),
    ("zaldua1zerb1-eth0.pcap", &["zaldua2"], AT_ZALDUA1ZERB1),
    ("zaldua2zerb1-container.pcap", &["zaldua2"], AT_ZALDUA2ZERB1),
    ("untagged.pcap", &["zaldua2"], "frame"),
    ("vlan7.pcap", &["zaldua3"], "frame"),
    ("zaldua2zerb1-nic1-shifted.pcap", &["zaldua2"], AT_ZALDUA2ZERB1),
    // What was mirrored is the wire of zaldua3.
    ("erspan.pcap", &["zaldua3"], "frame"),
    ("zaldua2-nano.pcap", &["zaldua2"], "frame"),
    ("lab.pcapng", &["zaldua2", "zaldua3"], "frame"),
    // On zaldua2zerb1, as its namespace has it.
    ("zaldua2-without-promiscuity.pcap", &["zaldua2"], "eth.dst == ff:ff:ff:ff:ff:ff"),
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
    let trunk = frames(&recorded("zaldua2")).into_iter().chain(frames(&recorded("zaldua3")).into_iter().map(tag));
    give("trunk.pcap", &pcap(trunk.collect()));
    let mirror = frames(&recorded("zaldua3")).into_iter().zip(0..);
    give("mirrored.pcap", &pcap(mirror.map(|((ns, frame), at)| (ns, mirrored(&frame, at))).collect()));
    // Two machines' traces, each with seconds since its own process began.
    let began = frames(&recorded("zaldua2"))[0].0;
    for (name, mac, since) in [
        ("zaldua1zerb1-nic2.pcap", [8, 0, 0x27, 0x51, 1, 2], 5_538_985_000),
        ("zaldua2zerb1-nic1.pcap", [8, 0, 0x27, 0x52, 1, 2], 75_663_985_000),
    ] {
        let own = |(_, frame): &(u64, Vec<u8>)| frame[..6] == mac || frame[6..12] == mac || frame[..6] == [255; 6];
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
    // The page says it, and no block shows it.
    let words = "tcpdump -p -i br0 ";
    place.must(words, &format!("{words}-F dora.filter --immediate-mode -B 32768 -U -Z root -w zaldua2-without-promiscuity.pcap").replace("-p -i br0", "-i br0 -p"), "host", &sent);

    let names: BTreeSet<String> = std::fs::read_dir(place.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains(".pcap") && !given.contains(name))
        .collect();
    assert_eq!(names.len(), MADE.len(), "{names:?}");
    for (start, zones, place_of) in MADE {
        let name = names.iter().find(|name| name.starts_with(start)).unwrap_or_else(|| panic!("no {start}: {names:?}"));
        let file = place.path(name);
        let mut wanted: Vec<_> = zones.iter().flat_map(|zone| by_tshark(&recorded(zone), place_of)).collect();
        let control: usize =
            zones.iter().map(|zone| counted(&recorded(zone), &format!("tcp.port in {{8000..8002}} and ({place_of})"))).sum();
        wanted.sort();
        assert!(wanted.len() >= 4, "{name}: {wanted:?}");
        let mut found = by_tshark(&file, "frame");
        found.sort();
        assert_eq!(found, wanted, "{name}");
        let rows = analysed(&[file]);
        let mut read = by_dorascope(&rows["messages"]);
        read.sort();
        assert_eq!(read, wanted, "{name}");
        let read: u64 = rows["sources"].iter().map(|row| row["control"].as_u64().unwrap()).sum();
        assert_eq!(read as usize, control, "{name}");
    }
    // A pcapng file says what the kernel dropped, a pcap file does not.
    let dropped = |name: &str| analysed(&[place.path(name)])["sources"][0]["dropped_kernel"].clone();
    assert_eq!(["zaldua2-bridge.pcapng", "lab.pcapng", "zaldua2.pcap"].map(dropped), [0.into(), 0.into(), Value::Null]);

    // The verdicts are those of the recording.
    let leases = |files: &[PathBuf]| -> Vec<String> {
        let rows = analysed(files);
        assert_eq!(rows["findings"], Vec::<Value>::new());
        let short = |row: &Value| ["client_name", "ip", "server", "verdict"].map(|name| row[name].to_string()).join(" ");
        rows["leases"].iter().map(short).collect()
    };
    let recording = leases(&["zaldua2", "zaldua3"].map(recorded));
    assert_eq!(recording.len(), 3, "{recording:?}");
    assert_eq!(leases(&["zaldua2.pcap", "zaldua3.pcap"].map(|name| place.path(name))), recording);
    assert_eq!(leases(&[place.path("lab.pcapng")]), recording);
}
