//! The commands of docs/capturing.md, run in a namespace of the test's own.

use std::path::Path;
use std::process::{Command, Stdio};

use dorascope::capture::{Input, Reader};

use crate::live::place::Place;

/// The blocks of the document: what follows the three marks, and the text.
fn blocks(document: &str) -> Vec<(&str, String)> {
    let mut blocks = Vec::new();
    let mut lines = document.lines();
    while let Some(line) = lines.next() {
        if let Some(kind) = line.strip_prefix("```") {
            let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push((kind, text.join("\n")));
        }
    }
    blocks
}

/// DHCP messages of a capture file.
fn messages(path: &Path) -> u64 {
    let input = Input { zone: None, path: path.to_owned() };
    let topology = dorascope::ha::topology::Topology::default();
    let options = dorascope::pipeline::Options::default();
    dorascope::pipeline::analyze(&[input], &topology, options, |_| {}).counts.total().messages
}

#[test]
fn the_commands_of_the_document_capture() {
    let document = include_str!("../docs/capturing.md");
    let Some(place) = Place::new(1, &["tcpreplay", "tcpdump"]) else { return };
    // `eth0` is a port of the bridge `br0`; what is sent on z0 comes in there.
    place.run("ip link add br0 type bridge && ip link set br0 up");
    place.run("ip link set z0-peer down && ip link set z0-peer name eth0 && ip link set eth0 master br0 && ip link set eth0 up");
    let capture = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/all-on/zaldua2.pcap");
    let mut sending = place.command("tcpreplay");
    sending.args(["--quiet", "--loop=0", "--multiplier=20", "-i", "z0"]).arg(&capture);
    let mut sending = sending.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_dorascope")).parent().unwrap().to_owned();
    let (mut run, mut elsewhere) = (0, 0);
    for (kind, text) in blocks(document) {
        match kind {
            "sh" => run += 1,
            "sh elsewhere" => {
                elsewhere += 1;
                continue;
            }
            other => panic!("a block is \"{other}\", and the test does not know whether it can run: {text}"),
        }
        for line in text.lines() {
            // What captures goes on until somebody ends it, as a user does.
            let endless = line.starts_with("tcpdump") || line.contains(" sniff ");
            let script = if endless { format!("timeout --signal=INT 5 {line}") } else { line.to_owned() };
            let mut command = place.command("bash");
            command
                .args(["-c", &script])
                .env("PATH", format!("{}:{}", program.display(), std::env::var("PATH").unwrap()));
            let output = command.output().unwrap();
            let said = format!(
                "{}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
            assert!(
                output.status.success() || endless && output.status.code() == Some(124),
                "{line}: {said}"
            );
            if line.starts_with("dorascope") {
                assert!(
                    said.contains("DHCP messages") && !said.contains(" 0 DHCP messages"),
                    "{line}: {said}"
                );
            }
            let Some(file) = line.split(" -w ").nth(1).and_then(|rest| rest.split(' ').next()) else {
                continue;
            };
            let written = place.run(&format!("ls {}", file.replace("%H%M%S", "*")));
            let most = written.lines().map(|file| messages(&place.path(file))).max();
            assert!(most > Some(3), "{line}: {most:?} messages in {written}");
        }
    }
    sending.kill().unwrap();
    sending.wait().unwrap();
    assert!(run >= 6 && elsewhere >= 3, "{run} blocks were run, {elsewhere} not");
}

/// A filter passes plain and tagged DHCP, later fragments and the control channel, and nothing else that is in these captures.
#[test]
fn the_filter_of_the_document_lets_through_what_it_says() {
    let document = include_str!("../docs/capturing.md");
    let filter = document.split("-w zone1.pcap '").nth(1).unwrap().split('\'').next().unwrap();
    let place = crate::support::temp::TempDir::new("filter");
    let lab = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/all-on/zaldua2.pcap");
    let mut reader = Reader::open(&[Input { zone: None, path: lab }]);
    let files = || crate::support::files::PcapFile::nano(crate::support::files::Order::Little, 1);
    let (mut plain, mut tagged, mut fragments, mut wanted, mut others) = (files(), files(), files(), 0, 0);
    while let Some(frame) = reader.next() {
        let (time, data) = (frame.time.0.cast_unsigned(), frame.data);
        if data.get(12..14) != Some(&[8, 0]) {
            others += 1;
        } else {
            wanted += 1;
        }
        plain = plain.cut_frame(time, data, frame.original_len);
        tagged = tagged.cut_frame(
            time,
            &[&data[..12], &[0x81, 0, 0, 42], &data[12..]].concat(),
            frame.original_len + 4,
        );
        if data.get(23) == Some(&17) {
            // The same datagram as if this were its second fragment.
            let mut fragment = data.to_vec();
            (fragment[20], fragment[21]) = (0, 185);
            fragments = fragments.cut_frame(time, &fragment, frame.original_len);
        }
    }
    let passed = |name: &str, bytes: &[u8], filter: &str| -> Option<u64> {
        let path = place.file(name, bytes);
        let output =
            Command::new("tcpdump").args(["-n", "--count", "-r"]).arg(&path).arg(filter).output().ok()?;
        let said =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let line = said.lines().find(|line| line.ends_with("packets") || line.ends_with("packet"));
        Some(line.unwrap_or_else(|| panic!("{said}")).split(' ').next().unwrap().parse().unwrap())
    };
    let built_in = dorascope::capture::live::default_filter(&[8001, 8002]);
    for filter in [filter, &built_in] {
        let Some(count) = passed("plain.pcap", &plain.bytes, filter) else {
            println!("SKIPPED: tcpdump is not installed; the filter was not tried");
            return;
        };
        assert_eq!(count, wanted, "{filter}");
        assert!(others > 0, "the capture has ARP, which the filter keeps out");
        assert_eq!(passed("tagged.pcap", &tagged.bytes, filter), Some(wanted), "{filter}");
        assert_eq!(passed("fragments.pcap", &fragments.bytes, filter), Some(9), "{filter}");
    }
}
