//! Kea's logs and lease files beside the captures: what the recorded servers
//! wrote agrees with the packets, and what was doctored is found.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use dorascope::ha::catalogue::FindingCode;
use dorascope::ha::decide::{Decision, Expected};
use dorascope::ha::topology::Topology;
use dorascope::ha::witness::{Fate, Fit, Given};
use dorascope::kea::leases::LeaseFile;
use dorascope::kea::log::Log;
use dorascope::pipeline::{Analysis, Options, analyze};
use serde_json::Value;

use crate::support::temp::TempDir;
use crate::truth::{self, Logged};

/// Nanoseconds.
const SECOND: i64 = 1_000_000_000;

/// How a line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Kea's file, in UTC with microseconds.
    File,
    /// journalctl on a machine whose clock shows Central European Time, in whole seconds.
    Journal,
}

/// 2026-11-22, the day of all recordings.
const DAY: i64 = 20_779;

fn stamp(ns: i64, form: Form) -> String {
    let ns = if form == Form::Journal { ns + 3600 * SECOND } else { ns };
    let (seconds, micros) = (ns / SECOND, ns % SECOND / 1000);
    let (day, clock) = (seconds / 86_400 - DAY + 22, seconds % 86_400);
    let clock = format!("{:02}:{:02}:{:02}", clock / 3600, clock / 60 % 60, clock % 60);
    match form {
        Form::File => format!("2026-11-{day:02} {clock}.{:03}.{:03}", micros / 1000, micros % 1000),
        Form::Journal => format!("Nov {day:2} {clock}"),
    }
}

/// A recording with its topology and what its servers logged.
struct Recording {
    folder: std::path::PathBuf,
    topology: Topology,
    truth: Vec<Value>,
}

impl Recording {
    fn of(folder: &Path) -> Self {
        let text = std::fs::read_to_string(folder.join("truth.jsonl")).unwrap();
        Self {
            folder: folder.to_owned(),
            topology: Topology::load(&folder.join("topology.toml")).unwrap(),
            truth: text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
        }
    }

    fn named(name: &str) -> Self {
        Self::of(&truth::captures().join(name))
    }

    /// A server's log, with Kea's own words out of truth.jsonl.
    fn log(&self, server: &str, form: Form) -> String {
        let own =
            |line: &&Value| line["server"] == server && !line["id"].as_str().unwrap().starts_with("LAB_");
        let line = |line: &Value| {
            let (id, text) = (line["id"].as_str().unwrap(), line["text"].as_str().unwrap());
            let stamp = stamp(line["ts_ns"].as_i64().unwrap(), form);
            match form {
                Form::File => format!("{stamp} INFO  [kea-dhcp4.some/76.140089514223552] {id} {text}\n"),
                Form::Journal => format!("{stamp} {server} kea-dhcp4[76]: INFO  {id} {text}\n"),
            }
        };
        self.truth.iter().filter(own).map(line).collect()
    }

    /// A server's lease file: what it allocated and what its partner stored with it.
    fn leases(&self, server: &str) -> String {
        let mut text =
            "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state\n"
                .to_owned();
        for line in &self.truth {
            let (from, event) = (line["server"].as_str().unwrap(), line["event"].as_str().unwrap());
            let ip = line["ip"].as_str().unwrap_or_default();
            // The hub is in both pairs; where the ACK is withheld, its partner does not know zaldua3.
            let withheld = self.folder.ends_with("withheld-ack");
            let shared = match server {
                "zaldua1zerb1" => true,
                "zaldua1zerb2" => {
                    ip.starts_with("192.168.42.") || (ip.starts_with("192.168.43.") && !withheld)
                }
                _ => ip.starts_with("192.168.4."),
            };
            if from != server && !shared {
                continue;
            }
            let valid = match event {
                "lease-alloc" => 600,
                "release" => 0,
                _ => continue,
            };
            let begin = line["ts_ns"].as_i64().unwrap() / SECOND;
            let (mac, id) = (line["mac"].as_str().unwrap(), line["client_id"].as_str().unwrap_or_default());
            writeln!(text, "{ip},{mac},{id},{valid},{},1,0,0,,0", begin + valid).unwrap();
        }
        text
    }

    fn analyze(&self, logs: &[(&str, String)], leases: &[(&str, String)]) -> Analysis<'_> {
        let folder = TempDir::new("witnesses");
        let id = |name: &str| self.topology.server_named(name).unwrap();
        let mut given = Given::default();
        for (name, text) in logs {
            let path = folder.file(&format!("{name}.log"), text.as_bytes());
            given.logs.push((id(name), Log::read(&path).unwrap()));
        }
        for (name, text) in leases {
            let path = folder.file(&format!("{name}.csv"), text.as_bytes());
            given.leases.push((id(name), LeaseFile::read(&path).unwrap()));
        }
        let options = Options { given, ..Options::default() };
        analyze(&truth::inputs(&self.folder), &self.topology, options, |_| {})
    }

    fn servers(&self) -> Vec<&str> {
        self.topology.servers.iter().map(|server| server.name.as_str()).collect()
    }

    fn all_logs(&self, form: Form) -> Vec<(&str, String)> {
        self.servers().into_iter().map(|server| (server, self.log(server, form))).collect()
    }

    fn all_leases(&self) -> Vec<(&str, String)> {
        self.servers().into_iter().map(|server| (server, self.leases(server))).collect()
    }
}

/// What the witnesses found, counted, remarks about clocks left out.
fn contradictions(analysis: &Analysis<'_>) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for told in &analysis.witnesses.contradictions {
        if told.code != FindingCode::LogClockOffset {
            *counts.entry(told.code.code()).or_default() += 1;
        }
    }
    counts
}

fn same(fate: &Fate, logged: Logged) -> bool {
    match logged {
        Logged::Answered => *fate == Fate::Answered,
        Logged::Received => matches!(fate, Fate::Received | Fate::Dropped(_)),
        Logged::NotForUs => *fate == Fate::NotForUs,
        Logged::ForeignServerId => *fate == Fate::ForeignServerId,
        Logged::ServiceOff => *fate == Fate::ServiceOff,
        Logged::NotRunning | Logged::Nothing => *fate == Fate::Nothing,
    }
}

/// Transactions of somebody else: the first digit of each is missing.
fn other_xids(log: &str) -> String {
    let mut parts = log.split("tid=0x");
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |text, part| text + "tid=0x" + &part[1..])
}

#[test]
fn recorded_logs_agree_with_the_packets() {
    for folder in truth::scenarios() {
        if !folder.join("zaldua1.pcap").exists() {
            continue;
        }
        let recording = Recording::of(&folder);
        let truth = truth::truths(&folder);
        let without = recording.analyze(&[], &[]);
        let with = recording.analyze(&recording.all_logs(Form::File), &[]);
        let name = folder.display();
        assert_eq!(contradictions(&with), BTreeMap::new(), "{name}");
        for alignment in &with.witnesses.alignments {
            let matched = alignment.fit == Fit::Matched;
            assert!(matched || alignment.compared < 3, "{name}: {alignment:?}");
            assert!(alignment.offset.abs() < 20_000_000, "{name}: {alignment:?}");
        }
        // The oracle is the reading of truth.jsonl that the decisions are tested with.
        for decision in &with.decisions {
            let Some(diary) = with.witnesses.diary(decision.server).filter(|diary| diary.is_exact()) else {
                continue;
            };
            let fate = diary.fate(with.message(decision.query));
            let logged = truth::logged(decision, &with, &truth);
            assert!(same(&fate, logged), "{name}: {fate:?} is not {logged:?}: {decision:?}");
        }
        let sum = |analysis: &Analysis<'_>, of: fn(&Decision) -> f64| -> f64 {
            analysis.decisions.iter().map(of).sum()
        };
        let unknown = |decision: &Decision| f64::from(u8::from(decision.expected == Expected::Unknown));
        assert!(sum(&with, unknown) <= sum(&without, unknown), "{name}");
        assert!(sum(&with, |it| it.confidence) >= sum(&without, |it| it.confidence), "{name}");
        // Who saw no other evidence than the log says so.
        let wrong = with.decisions.iter().filter(|it| it.confidence >= 0.9).filter(|it| {
            let answered = truth::logged(it, &with, &truth) == Logged::Answered;
            (it.expected == Expected::Answer) != answered
        });
        assert_eq!(wrong.count(), 0, "{name}");
    }
}

#[test]
fn a_journal_in_local_time_is_moved_to_the_captures() {
    let recording = Recording::named("zaldua1zerb1-killed");
    let analysis = recording.analyze(&recording.all_logs(Form::Journal), &[]);
    assert_eq!(contradictions(&analysis), BTreeMap::new());
    // zaldua2zerb1 had nothing to say about any client.
    assert_eq!(analysis.witnesses.alignments[2].fit, Fit::AssumedUtc);
    for alignment in &analysis.witnesses.alignments[..2] {
        assert_eq!(alignment.fit, Fit::Matched, "{alignment:?}");
        // Whole seconds are cut off, so the log is half a second early on average.
        let off = alignment.offset + 3600 * SECOND;
        assert!((0..SECOND).contains(&off), "{alignment:?}");
        assert!(alignment.agreed >= 10, "{alignment:?}");
    }
    let found = dorascope::findings::find(&analysis);
    let notes: Vec<_> = found.iter().filter(|it| it.code == FindingCode::LogClockOffset).collect();
    assert_eq!(notes.len(), 3);
    assert!(notes[0].text.contains("-3599."), "{}", notes[0].text);
    // Seconds after its own start the standby takes over; the log's changes are on the captures' clock.
    let standby = recording.topology.server_named("zaldua1zerb2").unwrap();
    let changes = analysis.witnesses.changes(&recording.topology, standby);
    let down =
        changes.iter().find(|it| it.state.is_some_and(|state| state.as_str() == "partner-down")).unwrap();
    let told = recording.truth.iter().find(|line| {
        line["server"] == "zaldua1zerb2" && line["event"] == "state" && line["to_state"] == "PARTNER-DOWN"
    });
    let age = down.time.0 - told.unwrap()["ts_ns"].as_i64().unwrap();
    assert!(age.abs() < SECOND, "{age}");
    assert!(down.relationship.is_some());
}

/// One line is missing, added or changed; exactly that is found.
#[test]
fn doctored_logs_are_found() {
    let recording = Recording::named("all-on");
    let found = |server: &str, doctor: &dyn Fn(&str) -> String| {
        let mut logs = recording.all_logs(Form::File);
        let log = logs.iter_mut().find(|(name, _)| *name == server).unwrap();
        let before = log.1.clone();
        log.1 = doctor(&before);
        assert_ne!(log.1, before);
        let analysis = recording.analyze(&logs, &[]);
        let doubted =
            analysis.witnesses.contradictions.iter().find(|it| it.code != FindingCode::LogClockOffset);
        let doubted = doubted.cloned();
        (contradictions(&analysis), doubted, analysis.decisions)
    };
    let hub = "zaldua1zerb1";
    let is_ack = |line: &&str| {
        line.contains("DHCP4_PACKET_SEND") && line.contains("08:00:27:a1:00:01") && line.contains("DHCPACK")
    };
    let lines = |log: &str, keep: &dyn Fn(&str) -> bool| -> String {
        log.split_inclusive('\n').filter(|line| keep(line)).collect()
    };
    // A captured ACK that the log does not know.
    let first_ack = recording.log(hub, Form::File).lines().find(is_ack).unwrap().to_owned();
    let (codes, told, _) = found(hub, &|log| lines(log, &|line| !line.starts_with(&first_ack)));
    assert_eq!(codes, BTreeMap::from([("log-contradicts-packets", 1)]));
    assert_eq!(told.unwrap().frames.len(), 1);
    // A NAK that the log says was sent, between captured messages, and the capture does not show.
    let (codes, told, _) = found(hub, &|log| {
        let offer = log.lines().find(|line| line.contains("(type 2)")).unwrap();
        let nak = other_xids(&offer.replace("DHCPOFFER (type 2)", "DHCPNAK (type 6)"));
        log.replace(offer, &format!("{offer}\n{nak}"))
    });
    assert_eq!(codes, BTreeMap::from([("log-contradicts-packets", 1)]));
    assert!(told.unwrap().text.contains("a NAK"));
    // The standby of zaldua1 says that its primary's client named another server, and HA never got to look.
    let killed = Recording::named("zaldua1zerb1-killed");
    let logs = |doctored: bool| {
        let mut logs = killed.all_logs(Form::File);
        if doctored {
            let standby = logs.iter_mut().find(|(name, _)| *name == "zaldua1zerb2").unwrap();
            // The second line about the first client is its REQUEST.
            let old: Vec<&str> = standby.1.lines().filter(|line| line.contains("NOT_FOR_US")).collect();
            let new = old[1].replace("HA_BUFFER4_RECEIVE_NOT_FOR_US", "DHCP4_PACKET_DROP_0003").replace(
                ": dropping query to be processed by another server",
                ", from interface zaldua1: it contains a foreign server identifier",
            );
            let (old, new) = (old[1].to_owned(), new);
            standby.1 = standby.1.replace(&old, &new);
        }
        logs
    };
    let sound = killed.analyze(&logs(false), &[]);
    let doctored = killed.analyze(&logs(true), &[]);
    assert_eq!(contradictions(&sound), BTreeMap::new());
    assert_eq!(contradictions(&doctored), BTreeMap::from([("log-contradicts-decision", 1)]));
    let lowered: Vec<_> = sound
        .decisions
        .iter()
        .zip(&doctored.decisions)
        .filter(|(sound, doctored)| sound.confidence > doctored.confidence)
        .map(|(_, doctored)| doctored.confidence)
        .collect();
    assert!(lowered.len() == 1 && lowered[0] < 0.9, "{lowered:?}");
}

#[test]
fn a_log_of_another_run_is_not_used() {
    let recording = Recording::named("all-on");
    let other = Recording::named("withheld-ack");
    let plain = recording.analyze(&[], &[]);
    let analysis = recording.analyze(&other.all_logs(Form::File), &[]);
    // That of zaldua2zerb1 names no client, so nothing speaks against it, and nothing can be read in it.
    assert_eq!(contradictions(&analysis), BTreeMap::from([("log-not-used", 2)]));
    assert_eq!(analysis.decisions, plain.decisions);
    // The same run, but the transactions of yesterday.
    let yesterday = |log: String| other_xids(&log.replace("2026-11-22", "2026-11-20"));
    let logs: Vec<_> =
        recording.all_logs(Form::File).into_iter().map(|(name, log)| (name, yesterday(log))).collect();
    assert_eq!(contradictions(&recording.analyze(&logs, &[])), BTreeMap::from([("log-not-used", 3)]));
}

#[test]
fn recorded_leases_agree_with_the_acks() {
    for folder in truth::scenarios() {
        if !folder.join("zaldua1.pcap").exists() {
            continue;
        }
        let recording = Recording::of(&folder);
        let analysis = recording.analyze(&[], &recording.all_leases());
        let name = folder.file_name().unwrap().to_str().unwrap();
        let expected = match name {
            // The server stored what it never acknowledged; its partner has no such subnet.
            "withheld-ack" => BTreeMap::from([("lease-file-unknown-lease", 1)]),
            _ => BTreeMap::new(),
        };
        let told = &analysis.witnesses.contradictions;
        assert_eq!(contradictions(&analysis), expected, "{name}: {told:#?}");
    }
}

#[test]
fn doctored_lease_files_are_found() {
    let recording = Recording::named("all-on");
    let server = "zaldua1zerb1";
    let found = |file: String, partner: bool| {
        let mut files = vec![(server, file)];
        if partner {
            files.push(("zaldua1zerb2", recording.leases("zaldua1zerb2")));
        }
        contradictions(&recording.analyze(&[], &files))
    };
    let file = recording.leases(server);
    let row = file.lines().rfind(|line| line.starts_with("192.168.42.100,")).unwrap();
    let cells: Vec<&str> = row.split(',').collect();
    let ack = BTreeMap::from([("lease-file-contradicts-ack", 1)]);
    assert_eq!(found(file.clone(), true), BTreeMap::new());
    let doctored = |cell: usize, value: &str| {
        let mut cells = cells.clone();
        cells[cell] = value;
        file.replace(row, &cells.join(","))
    };
    assert_eq!(found(doctored(1, "02:00:00:00:00:99"), false), ack);
    let expire: i64 = cells[4].parse().unwrap();
    assert_eq!(found(doctored(4, &(expire - 100).to_string()), false), ack);
    assert_eq!(
        found(
            doctored(3, "4294967295").replace(cells[4], &(expire - 600 + 4_294_967_295).to_string()),
            false
        ),
        ack
    );
    let without: String =
        file.split_inclusive('\n').filter(|line| !line.starts_with("192.168.42.100,")).collect();
    assert_eq!(found(without.clone(), false), ack);
    let both = BTreeMap::from([("lease-file-contradicts-ack", 1), ("lease-files-differ", 1)]);
    assert_eq!(found(without, true), both);
    // Given to another client after the captures: nothing to say.
    let later = doctored(1, "02:00:00:00:00:99").replace(cells[4], &(expire + 7200).to_string());
    assert_eq!(found(later, true), BTreeMap::new());
    let stranger = format!("{file}192.168.42.177,02:00:00:00:00:77,,600,{},1,0,0,,0\n", expire + 2);
    assert_eq!(found(stranger, false), BTreeMap::from([("lease-file-unknown-lease", 1)]));
}

/// The program with a log and a lease file: exit codes, and what it says.
#[test]
fn the_command_line_takes_witnesses() {
    let recording = Recording::named("all-on");
    let folder = TempDir::new("witness-cli");
    let log = folder.file("hub.log", recording.log("zaldua1zerb1", Form::Journal).as_bytes());
    let file = recording.leases("zaldua1zerb1");
    let leases = folder.file("kea-leases4.csv", file.as_bytes());
    let bad_line = file.lines().count() + 1;
    let damaged = folder.file("damaged.csv", (file + "nonsense\n").as_bytes());
    let run = |flags: &[String]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_dorascope"));
        command.arg("analyze").args(truth::inputs(&recording.folder).iter().map(|input| &input.path));
        command.arg("-t").arg(recording.folder.join("topology.toml")).args(flags);
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
    };
    let flag = |flag: &str, name: &str, path: &Path| format!("{flag}={name}={}", path.display());
    let (code, out, error) =
        run(&[flag("--log", "zaldua1zerb1", &log), flag("--leases", "zaldua1zerb1", &leases)]);
    assert_eq!((code, error.as_str()), (0, ""));
    assert!(out.contains("log-clock-offset") && !out.contains("contradicts"), "{out}");
    let (code, _, error) = run(&[flag("--log", "zaldua1zerb3", &log)]);
    assert_eq!(code, 2);
    assert!(error.contains("\"zaldua1zerb3\"") && error.contains("the nearest is zaldua1zerb"), "{error}");
    let (code, out, error) = run(&[flag("--leases", "zaldua1zerb1", &folder.path().join("nothing.csv"))]);
    assert_eq!((code, out.as_str()), (4, ""));
    assert!(error.contains("nothing.csv: no such file"), "{error}");
    let (code, out, error) = run(&[flag("--leases", "zaldua1zerb1", &damaged)]);
    assert_eq!(code, 3);
    assert!(
        error.contains(&format!("damaged.csv, line {bad_line}: address is \"nonsense\""))
            && out.contains("192.168.42.100"),
        "{error}"
    );
}

#[test]
fn compressed_logs_are_read_and_cut_ones_up_to_the_cut() {
    let recording = Recording::named("all-on");
    let log = recording.log("zaldua1zerb1", Form::File);
    let folder = TempDir::new("witness-zstd");
    let zipped = zstd::encode_all(log.as_bytes(), 3).unwrap();
    let whole = Log::read(&folder.file("log.zst", &zipped)).unwrap();
    assert_eq!((whole.lines.read, &whole.trouble), (log.lines().count() as u64, &None));
    let cut = Log::read(&folder.file("cut.zst", &zipped[..zipped.len() - 8])).unwrap();
    assert!(
        cut.trouble.as_ref().is_some_and(|text| text.contains("cannot be read on after line")),
        "{:?}",
        cut.trouble
    );
}

/// Every server with the other one's log: nothing sure may come of it, and somebody must be told.
#[test]
fn logs_given_to_the_wrong_server_decide_nothing() {
    for name in ["clock-skew", "kea-2.2-load-balancing", "kea-3.0", "passive-backup", "load-balancing"] {
        let recording = Recording::named(name);
        let mut logs = recording.all_logs(Form::File);
        let (one, other) = (logs[0].1.clone(), logs[1].1.clone());
        (logs[0].1, logs[1].1) = (other, one);
        let analysis = recording.analyze(&logs, &[]);
        let truth = truth::truths(&recording.folder);
        for decision in &analysis.decisions {
            let answered = truth::logged(decision, &analysis, &truth) == Logged::Answered;
            let wrong = match decision.expected {
                Expected::Answer => !answered,
                Expected::Ignore => answered,
                Expected::Unknown => false,
            };
            assert!(!wrong || decision.confidence < 0.9, "{name}: {decision:?}");
        }
        assert!(!contradictions(&analysis).is_empty(), "{name}: nothing was said of it");
    }
}
