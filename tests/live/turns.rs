//! What happens to a sensor: interfaces, disks, readers and users, one after another.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use dorascope::capture::{Input, Reader};

use super::place::{Place, drain, has, ok, until};
use crate::bench_inputs::generate::{self, Kind, Mode, Plan, Precision};

fn recording(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("captures").join(name)
}

/// Frames of a capture that the filter lets through, counted by tcpdump.
fn wanted(capture: &Path) -> u64 {
    let filter = "udp port 67 or udp port 68 or tcp portrange 8000-8010";
    let output =
        Command::new("tcpdump").args(["-n", "--count", "-r"]).arg(capture).arg(filter).output().unwrap();
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let line = said.lines().find(|line| line.ends_with("packets") || line.ends_with("packet")).unwrap();
    line.split(' ').next().unwrap().parse().unwrap()
}

/// Frames of a capture file, all of which must be readable.
fn frames(path: PathBuf) -> u64 {
    let mut reader = Reader::open(&[Input { zone: None, path }]);
    let mut count = 0;
    while reader.next().is_some() {
        count += 1;
    }
    assert_eq!(reader.troubles(), []);
    count
}

/// The first number in a text behind some words.
fn number(text: &str, behind: &str) -> u64 {
    let at = text.rfind(behind).unwrap_or_else(|| panic!("no {behind:?} in {text}")) + behind.len();
    let digits: String =
        text[at..].chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_else(|_| panic!("no number behind {behind:?} in {text}"))
}

/// Frames that a run says that it captured, in its last line of counters.
fn captured(said: &str) -> u64 {
    let line = said.lines().rev().find(|line| line.contains(" frames: ")).unwrap();
    line.trim_start_matches("note: ").split(' ').next().unwrap().parse().unwrap()
}

/// A capture of so many exchanges.
fn generated(place: &Place, exchanges: u64) -> PathBuf {
    let path = place.path("generated.pcap");
    let (kind, mode, precision) = (Kind::Control, Mode::HotStandby, Precision::Nanoseconds);
    generate::write(&Plan { kind, mode, clients: 3_000, frames: 4 * exchanges, precision }, &path).unwrap();
    generate::write_topology(place.folder.path(), mode, true).unwrap();
    path
}

#[test]
fn interfaces_go_and_come_back() {
    let Some(place) = Place::new(1, &["tcpreplay", "tcpdump"]) else { return };
    let capture = recording("all-on/zaldua2.pcap");
    let sent = wanted(&capture);
    assert!(sent > 50, "{sent}");
    let sniff = place.sniff("-i zaldua2=z0-peer -w lab.pcapng --text");
    let replay = |times: u64| {
        place.replay("z0", &capture, "--topspeed");
        until("frames", || {
            sniff.signal("USR1");
            std::thread::sleep(std::time::Duration::from_millis(100));
            sniff.said().contains(" frames: ") && captured(&sniff.said()) == times * sent
        });
    };
    replay(1);
    // An address is nothing to a capture.
    place.run("ip address add 192.168.4.9/24 dev z0-peer");
    place.run("ip address flush dev z0-peer");
    replay(2);
    place.run("ip link set z0-peer down");
    sniff.wait_for("the interface is down");
    place.run("ip link set z0-peer up");
    sniff.wait_for("the interface is there again");
    replay(3);
    place.run("ip link del z0");
    sniff.wait_for("disappeared");
    std::thread::sleep(std::time::Duration::from_millis(500));
    place.add_pair(0);
    sniff.wait_for("frames for others may not show any more");
    replay(4);
    let said = sniff.stop();
    assert_eq!(captured(&said), 4 * sent, "{said}");
    assert_eq!(frames(place.path("lab.pcapng")), 4 * sent);
}

/// The frames' stamps are the kernel's; what is set here is the clock that dorascope sees.
#[test]
fn a_clock_that_is_set_is_told_and_a_large_step_begins_anew() {
    let Some(place) = Place::new(1, &["tcpreplay", "tcpdump", "faketime"]) else { return };
    let library = place.run("ls /usr/lib/*/faketime/libfaketime.so.1");
    let clock = place.folder.file("clock", b"+0");
    // The library reads that file all the time, which the program's own rules would not let it.
    let sniff =
        place.sniff_by_clock(Path::new(library.trim()), "clock", "-i zaldua2=z0-peer --jsonl --no-sandbox");
    let capture = recording("all-on/zaldua2.pcap");
    let exchanges = || {
        let text = place.read("out.txt");
        let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let lines = lines.filter(|line| line["event"] == "exchange");
        lines
            .map(|line| line["exchange_id"].as_str().unwrap().to_owned())
            .collect::<std::collections::BTreeSet<_>>()
    };
    place.replay("z0", &capture, "--topspeed");
    until("exchanges", || exchanges().len() == 3);
    fs::write(&clock, "+3").unwrap();
    sniff.wait_for("the clock was set by +3.0");
    assert!(!sniff.said().contains("begin anew"), "{}", sniff.said());
    fs::write(&clock, "+100").unwrap();
    sniff.wait_for("the clock was set by +97.0");
    sniff.wait_for("exchanges and states begin anew");
    place.replay("z0", &capture, "--topspeed");
    until("exchanges", || exchanges().len() == 6);
    fs::write(&clock, "-50").unwrap();
    sniff.wait_for("the clock was set by -150.0");
    let said = sniff.stop();
    assert_eq!(captured(&said), 2 * wanted(&capture), "{said}");
}

/// With the right to capture an interface that was made anew is opened as the first one was.
#[test]
fn an_interface_that_was_made_anew_is_opened_anew() {
    let Some(place) = Place::new(1, &["tcpreplay", "tcpdump"]) else { return };
    let capture = recording("all-on/zaldua2.pcap");
    let sent = wanted(&capture);
    let sniff = place.sniff("-i zaldua2=z0-peer --text --keep-net-raw");
    // Only the threads that capture have it, once all have begun.
    let able = || {
        let mut able = Vec::new();
        for task in fs::read_dir(format!("/proc/{}/task", sniff.pid())).unwrap().flatten() {
            let status = fs::read_to_string(task.path().join("status")).unwrap_or_default();
            if !status.contains("CapEff:\t0000000000000000") {
                able.push(fs::read_to_string(task.path().join("comm")).unwrap_or_default());
            }
        }
        able
    };
    until("rights of threads", || able() == ["capture-z0-peer\n"]);
    place.replay("z0", &capture, "--topspeed");
    place.run("ip link del z0");
    sniff.wait_for("disappeared");
    place.add_pair(0);
    sniff.wait_for("the interface is there again");
    place.replay("z0", &capture, "--topspeed");
    place.run("sleep 0.5");
    let promiscuous = place.run("ip -d link show z0-peer");
    assert!(promiscuous.contains("promiscuity 1"), "{promiscuous}");
    let said = sniff.stop();
    assert!(!said.contains("may not show"), "{said}");
    assert_eq!(captured(&said), 2 * sent, "{said}");
}

#[test]
fn a_full_disk_stops_the_recording_and_nothing_else() {
    let Some(place) = Place::new(1, &["tcpreplay", "tcpdump"]) else { return };
    let disk = place.path("disk");
    fs::create_dir(&disk).unwrap();
    let mounted = ok(Command::new("mount").args(["-t", "tmpfs", "-o", "size=512k", "tmpfs"]).arg(&disk));
    assert!(mounted, "a tmpfs cannot be mounted");
    let unmount = Unmount(disk.clone());
    let capture = generated(&place, 2_000);
    let sent = wanted(&capture);
    let sniff = place.sniff("-i bench=z0-peer -t topology.toml -w disk/lab.pcapng --jsonl");
    place.replay("z0", &capture, "--pps=8000");
    sniff.wait_for("cannot record: No space left on device");
    assert!(ok(Command::new("mount").args(["-o", "remount,size=64m"]).arg(&disk)));
    sniff.wait_for("recording goes on");
    place.replay("z0", &capture, "--pps=8000");
    let said = sniff.stop();
    assert_eq!(captured(&said), 2 * sent, "{said}");
    let recorded: u64 = fs::read_dir(&disk).unwrap().map(|it| frames(it.unwrap().path())).sum();
    let unrecorded = number(&said, "0 rows;");
    assert!(unrecorded > 0 && recorded > 0, "{said}");
    assert_eq!(recorded + unrecorded, 2 * sent, "{said}");
    drop(unmount);
}

/// Gives a mount back.
struct Unmount(PathBuf);

impl Drop for Unmount {
    fn drop(&mut self) {
        ok(Command::new("umount").arg(&self.0));
    }
}

#[test]
fn a_reader_that_does_not_read_holds_nothing_up() {
    let Some(place) = Place::new(1, &["tcpreplay", "tcpdump"]) else { return };
    let capture = generated(&place, 20_000);
    let sent = wanted(&capture);
    let mut sniff = place.sniff_with("-i bench=z0-peer -t topology.toml --jsonl", Stdio::piped());
    place.replay("z0", &capture, "--pps=10000");
    sniff.wait_for("lines were dropped, because standard output is not read fast enough");
    sniff.signal("TERM");
    let out = sniff.child.stdout.take().unwrap();
    let text = drain(out);
    assert_eq!(sniff.end().code(), Some(0));
    let said = sniff.said();
    // A machine that is busy with other tests may drop some, and then says so.
    let dropped = number(&said, "dropped:") + number(&said, "by the kernel,");
    assert_eq!(captured(&said) + dropped, sent, "{said}");
    for line in text.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
    let exchanges = text.lines().filter(|line| line.contains("\"event\":\"exchange\"")).count() as u64;
    // Lines about changes may be among the dropped ones.
    assert!(
        exchanges >= 5_000 && exchanges + number(&said, "by dorascope,") >= 20_000,
        "{exchanges}: {said}"
    );
}

#[test]
fn a_reader_that_goes_away_ends_it() {
    let Some(place) = Place::new(1, &["tcpreplay", "tcpdump"]) else { return };
    let capture = recording("all-on/zaldua2.pcap");
    let mut sniff = place.sniff_with("-i zaldua2=z0-peer --text", Stdio::piped());
    drop(sniff.child.stdout.take());
    place.replay("z0", &capture, "--topspeed");
    assert_eq!(sniff.end().code(), Some(0), "{}", sniff.said());
}

#[test]
fn signals_reopen_count_and_end() {
    let Some(place) = Place::new(1, &["tcpreplay", "tcpdump"]) else { return };
    let capture = recording("all-on/zaldua2.pcap");
    let sent = wanted(&capture);
    let sniff = place.sniff("-i zaldua2=z0-peer -w lab.pcapng --text");
    place.replay("z0", &capture, "--topspeed");
    until("frames", || {
        sniff.signal("USR1");
        std::thread::sleep(std::time::Duration::from_millis(100));
        sniff.said().contains(" frames: ") && captured(&sniff.said()) == sent
    });
    // As logrotate does it.
    fs::rename(place.path("lab.pcapng"), place.path("lab.pcapng.1")).unwrap();
    sniff.signal("HUP");
    sniff.wait_for("the outputs were reopened");
    place.replay("z0", &capture, "--topspeed");
    place.replay("z0", &capture, "--topspeed");
    let said = sniff.stop();
    assert_eq!(captured(&said), 3 * sent, "{said}");
    assert_eq!((frames(place.path("lab.pcapng.1")), frames(place.path("lab.pcapng"))), (sent, 2 * sent));
    assert!(place.read("out.txt").contains("owner-answered"), "{}", place.read("out.txt"));
}

#[test]
fn it_ends_by_itself_where_that_is_asked_for() {
    let Some(place) = Place::new(1, &["tcpreplay", "tcpdump"]) else { return };
    let capture = recording("all-on/zaldua2.pcap");
    let mut sniff = place.sniff("-i zaldua2=z0-peer -w ten.pcapng -c 10 --text");
    place.replay("z0", &capture, "--topspeed");
    assert_eq!(sniff.end().code(), Some(0), "{}", sniff.said());
    assert_eq!(frames(place.path("ten.pcapng")), 10);
    let mut sniff =
        place.sniff("-i zaldua2=z0-peer -w ring.pcapng -b packets:20 -b files:2 -a files:3 --text");
    place.replay("z0", &capture, "--topspeed");
    place.replay("z0", &capture, "--topspeed");
    assert_eq!(sniff.end().code(), Some(0), "{}", sniff.said());
    let index = place.read("ring.index.jsonl");
    assert!(!index.is_empty());
    let mut sniff = place.sniff("-i zaldua2=z0-peer -a duration:1");
    assert_eq!(sniff.end().code(), Some(0), "{}", sniff.said());
}

#[test]
fn a_program_that_is_killed_leaves_files_that_can_be_read() {
    let Some(place) = Place::new(1, &["tcpreplay", "tcpdump", "capinfos"]) else { return };
    let capture = generated(&place, 3_000);
    let mut sniff = place.sniff(
        "-i bench=z0-peer -t topology.toml -w ring.pcapng -b filesize:500 -o tables --every 1 --jsonl",
    );
    let mut sending = place.command("tcpreplay");
    sending
        .args(["--quiet", "--pps=8000", "--loop=50", "-i", "z0"])
        .arg(&capture)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut sending = sending.spawn().unwrap();
    let files = |ending: &str| {
        let found = place.run(&format!("find . -name '*{ending}'"));
        let mut list: Vec<String> = found.lines().map(str::to_owned).collect();
        list.sort();
        list
    };
    until("files", || files(".pcapng").len() > 4 && !files("sources.parquet").is_empty());
    sniff.signal("KILL");
    assert!(!sniff.end().success());
    sending.kill().unwrap();
    sending.wait().unwrap();
    let list = files(".pcapng");
    for (at, file) in list.iter().enumerate() {
        let output = place.shell(&format!("capinfos -c '{file}'"));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        // The kernel may have been taking a block when the end came.
        assert!(
            output.status.success() || at + 1 == list.len() && said.contains("cut short"),
            "{file}: {said}"
        );
    }
    let output =
        place.shell(&format!("{} analyze ring_*.pcapng -t topology.toml", env!("CARGO_BIN_EXE_dorascope")));
    assert!(matches!(output.status.code(), Some(0 | 3)), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("owner-answered"));
    for file in files(".parquet") {
        let bytes = fs::read(place.path(&file)).unwrap();
        assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"), "{file}");
    }
}

#[test]
fn whoever_may_not_capture_is_told_what_to_do() {
    let Some(place) = Place::new(1, &["setpriv", "setcap", "tcpreplay", "tcpdump"]) else { return };
    let program = place.path("dorascope");
    fs::copy(env!("CARGO_BIN_EXE_dorascope"), &program).unwrap();
    place.run("chmod 755 . dorascope && mkdir mine && chown 65534:65534 mine");
    let nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all";
    let output = place.shell(&format!("{nobody} ./dorascope sniff -i z0-peer"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(4), "{said}");
    let advice = format!("sudo setcap cap_net_raw+ep {}", program.display());
    assert!(said.contains(&advice), "{said}");
    // Which then is the exact command.
    place.run(&advice.replace("sudo ", ""));
    let output = place.shell(&format!(
        "cd mine && {nobody} timeout 20 ../dorascope sniff -i z0-peer -w x.pcapng -a duration:1"
    ));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert_eq!(frames(place.path("mine/x.pcapng")), 0);
    let output = place.shell("./dorascope sniff -i z9");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("z9: there is no such interface; `dorascope sniff -D` lists the interfaces"),
        "{said}"
    );
    place.run("ip link set z0 down");
    let output = place.shell("./dorascope sniff -i z0");
    assert!(String::from_utf8_lossy(&output.stderr).contains("`ip link set z0 up` brings it up"));
    let output = place.shell("./dorascope sniff -i z0-peer -f 'no filter'");
    assert!(String::from_utf8_lossy(&output.stderr).contains("is no expression that libpcap knows"));
}

#[test]
fn rights_are_given_up_and_files_belong_to_the_owner_of_their_directory() {
    let Some(place) = Place::new(1, &["tcpreplay", "tcpdump"]) else { return };
    place.run("chmod 755 . && mkdir mine && chown 65534:65534 mine");
    let sniff = place.sniff(
        "-i zaldua2=z0-peer -w mine/x.pcapng -b packets:30 -o mine/tables --every 1 --metrics 0 --jsonl",
    );
    place.replay("z0", &recording("all-on/zaldua2.pcap"), "--topspeed");
    until("files", || place.run("find mine -name '*.parquet'").lines().count() >= 2);
    for task in fs::read_dir(format!("/proc/{}/task", sniff.pid())).unwrap() {
        let status = fs::read_to_string(task.unwrap().path().join("status")).unwrap();
        let value = |key: &str| {
            let line = status.lines().find(|line| line.starts_with(key)).unwrap();
            line.split_whitespace().nth(1).unwrap().to_owned()
        };
        for set in ["CapInh:", "CapPrm:", "CapEff:", "CapAmb:"] {
            assert_eq!(u64::from_str_radix(&value(set), 16), Ok(0), "{status}");
        }
        assert_eq!((value("NoNewPrivs:").as_str(), value("Uid:").as_str()), ("1", "65534"));
    }
    let said = sniff.stop();
    assert!(!said.contains("error"), "{said}");
    let owners = place.run("find mine -printf '%U %G\\n' | sort -u");
    assert_eq!(owners.trim(), "65534 65534");
}

#[test]
fn tagged_frames_pass_the_filter_and_metrics_count_them() {
    let Some(place) = Place::new(1, &["tcpreplay", "tcpdump", "curl"]) else { return };
    let plain = recording("all-on/zaldua2.pcap");
    let mut reader = Reader::open(&[Input { zone: None, path: plain.clone() }]);
    let mut file = crate::support::files::PcapFile::nano(crate::support::files::Order::Little, 1);
    while let Some(frame) = reader.next() {
        // 802.1Q, VLAN 42.
        let tagged = [&frame.data[..12], &[0x81, 0, 0, 42], &frame.data[12..]].concat();
        file = file.cut_frame(frame.time.0.cast_unsigned(), &tagged, frame.original_len + 4);
    }
    let capture = place.folder.file("tagged.pcap", &file.bytes);
    let topology = recording("all-on/topology.toml");
    let sniff = place.sniff(&format!("-i zaldua2=z0-peer -t '{}' --metrics 0 --text", topology.display()));
    place.replay("z0", &capture, "--topspeed");
    place.replay("z0", &plain, "--topspeed");
    let said = sniff.said();
    let address = said.split("http://").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    let sent = 2 * wanted(&plain);
    until("frames", || {
        place.run(&format!("curl -s http://{address}")).contains(&format!("interface=\"z0-peer\"}} {sent}"))
    });
    sniff.stop();
    assert!(has("curl"));
    std::io::stdout().flush().unwrap();
}
