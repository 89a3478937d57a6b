//! The same captures give the same tables: with any number of threads, read in one batch or in many,
//! as one file or as several, as pcap or as pcapng.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use dorascope::capture::{Input, Reader};
use dorascope::findings::Finder;
use dorascope::ha::topology::Topology;
use dorascope::pipeline::{Analysis, Options, Window, analyze, stream};
use dorascope::table::fill::Filler;
use dorascope::table::{Format, TableSet};

use crate::bench_inputs::generate::{self, Kind, Mode, Plan, Precision};
use crate::support::files::{Order, PcapFile, PcapngFile};
use crate::support::temp::TempDir;
use crate::truth::{captures, inputs};

/// Every file of a directory of tables.
type Files = BTreeMap<String, Vec<u8>>;

/// Recordings with several zones, relays, failures of servers and of clocks.
const RECORDINGS: [&str; 3] = ["relayed", "split-brain-load-balancing", "all-on"];

fn topology(folder: &Path) -> Topology {
    Topology::load(&folder.join("topology.toml")).unwrap()
}

/// A capture of so many exchanges with leases, and the topology beside it.
fn generated(folder: &TempDir, exchanges: u64) -> PathBuf {
    generated_of(Kind::Control, folder, exchanges)
}

fn generated_of(kind: Kind, folder: &TempDir, exchanges: u64) -> PathBuf {
    let path = folder.path().join("bench.pcap");
    let plan = Plan {
        kind,
        mode: Mode::LoadBalancing,
        clients: 3_000,
        frames: 4 * exchanges,
        precision: Precision::Nanoseconds,
    };
    let made = generate::write(&plan, &path).unwrap();
    assert_eq!(made.dhcp, 4 * exchanges);
    generate::write_topology(folder.path(), Mode::LoadBalancing, true).unwrap();
    path
}

fn plain(path: PathBuf) -> Vec<Input> {
    vec![Input { zone: None, path }]
}

/// The tables as `analyze -o` writes them, and in how many batches they came.
fn written(
    inputs: &[Input],
    topology: &Topology,
    format: Format,
    threads: usize,
    window: Window,
) -> (Files, usize) {
    let folder = TempDir::new("parallel");
    let path = folder.path().join("tables");
    let mut set = TableSet::create(&path, false, format, threads).unwrap();
    let (mut finder, mut batches) = (Finder::default(), 1);
    let options = Options { threads, window, sentences: true, ..Options::default() };
    let last = stream(
        inputs,
        topology,
        options,
        |_| {},
        |batch: &Analysis<'_>| {
            finder.take(batch);
            set.take(batch).unwrap();
            batches += 1;
        },
    );
    finder.take(&last);
    set.finish(&last, &finder.finish(&last)).unwrap();
    let files = std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path());
    let files =
        files.map(|it| (it.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(it).unwrap()));
    (files.collect(), batches)
}

/// Fails with the first line that differs.
fn assert_same(one: &Files, other: &Files, what: &str) {
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>(), "{what}");
    assert!(one.len() >= 7, "{what}");
    for (name, bytes) in one {
        if *bytes == other[name] {
            continue;
        }
        let (a, b) = (String::from_utf8_lossy(bytes), String::from_utf8_lossy(&other[name]));
        let line = a.lines().zip(b.lines()).enumerate().find(|(_, (a, b))| a != b);
        panic!("{what}: {name}, {} and {} bytes, line {line:#?}", a.len(), b.len());
    }
}

/// Rows of every table but `sources`, without what names files and frames.
fn without_frames(analysis: &Analysis<'_>) -> Vec<(&'static str, Vec<String>)> {
    const NAMING: [&str; 7] =
        ["source", "frame", "reply_frame", "frames", "evidence", "offers", "sighting_of"];
    let tables = Filler::new(analysis).all().into_iter().filter(|rows| rows.table().name != "sources");
    let tables = tables.map(|rows| {
        let columns: Vec<&str> = rows.table().columns.iter().map(|column| column.name).collect();
        let kept: Vec<&&str> = columns.iter().filter(|name| !NAMING.contains(name)).collect();
        let row = |row| kept.iter().map(|name| format!("{:?}", rows.get(row, name))).collect::<Vec<_>>();
        (rows.table().name, (0..rows.len()).map(|at| row(at).join(" ")).collect())
    });
    tables.collect()
}

/// Every frame of a capture: nanoseconds, data, original length.
fn frames(input: &Input) -> Vec<(u64, Vec<u8>, u32)> {
    let mut reader = Reader::open(std::slice::from_ref(input));
    let mut frames = Vec::new();
    while let Some(frame) = reader.next() {
        frames.push((frame.time.0.cast_unsigned(), frame.data.to_vec(), frame.original_len));
    }
    assert!(!frames.is_empty(), "{}", input.path.display());
    frames
}

fn pcap(frames: &[(u64, Vec<u8>, u32)]) -> Vec<u8> {
    let file = PcapFile::nano(Order::Little, 1);
    frames.iter().fold(file, |file, (ns, data, original)| file.cut_frame(*ns, data, *original)).bytes
}

#[test]
fn any_number_of_threads_writes_the_same_bytes() {
    for name in RECORDINGS {
        let folder = captures().join(name);
        let (inputs, topology) = (inputs(&folder), topology(&folder));
        for format in [Format::Csv, Format::Parquet] {
            let (one, _) = written(&inputs, &topology, format, 1, Window::default());
            for threads in [2, 3, 8] {
                let (more, _) = written(&inputs, &topology, format, threads, Window::default());
                assert_same(&one, &more, &format!("{name}, {threads} threads"));
            }
        }
    }
    let folder = TempDir::new("parallel");
    let inputs = plain(generated(&folder, 6_000));
    let topology = topology(folder.path());
    let window = Window::of(1_024, 4_096);
    for (format, more_threads) in [(Format::Csv, &[2, 3, 8][..]), (Format::Parquet, &[8])] {
        let (one, batches) = written(&inputs, &topology, format, 1, window);
        assert!(batches > 1, "{batches} batches");
        for &threads in more_threads {
            let (more, _) = written(&inputs, &topology, format, threads, window);
            assert_same(&one, &more, &format!("generated, {threads} threads"));
        }
    }
}

/// The binary itself on a capture that is longer than its window.
#[test]
fn any_number_of_threads_prints_the_same() {
    let folder = TempDir::new("parallel");
    let Window { most: ahead, batch, .. } = Window::default();
    let path = generated(&folder, (ahead + batch) as u64 + 500);
    let printed = |threads: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dorascope"));
        command.arg("analyze").arg(&path).arg("-t").arg(folder.path().join("topology.toml"));
        let output = command.args(["--threads", threads]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let one = printed("1");
    assert!(one.contains(&format!("{} exchanges", ahead + batch + 500)), "{one}");
    for threads in ["2", "8"] {
        assert_eq!(one, printed(threads), "{threads} threads");
    }
}

/// Heartbeats are seconds apart, and a thousand clients come in one: how sure a
/// decision is must not depend on where a batch ends.
#[test]
fn batches_wait_for_the_heartbeats_behind_them() {
    let folder = TempDir::new("parallel");
    let inputs = plain(generated(&folder, 30_000));
    let topology = topology(folder.path());
    let judged = |window: Window| {
        let (mut all, mut batches) = (Vec::new(), 1);
        let of = |batch: &Analysis<'_>| -> Vec<_> {
            batch.judgements.iter().map(|it| (it.verdict, it.answered_by, it.confidence)).collect()
        };
        let options = Options { window, threads: 2, ..Options::default() };
        let last = stream(
            &inputs,
            &topology,
            options,
            |_| {},
            |batch| {
                all.extend(of(batch));
                batches += 1;
            },
        );
        all.extend(of(&last));
        (all, batches)
    };
    let ((whole, _), (parts, batches)) = (judged(Window::WHOLE), judged(Window::default()));
    assert!(batches > 1, "{batches} batches");
    assert_eq!((whole.len(), parts.len()), (30_000, 30_000));
    let differ = whole.iter().zip(&parts).position(|(whole, part)| whole != part);
    assert_eq!(differ, None, "{:?} and {:?}", differ.map(|at| whole[at]), differ.map(|at| parts[at]));
}

/// Whoever is not answered is found wherever a batch ends: behind each batch the capture goes on.
#[test]
fn findings_do_not_depend_on_batches() {
    for kind in [Kind::NoAck, Kind::Unanswered] {
        let folder = TempDir::new("parallel");
        let inputs = plain(generated_of(kind, &folder, 2_000));
        let topology = topology(folder.path());
        let whole = written(&inputs, &topology, Format::Csv, 1, Window::WHOLE).0;
        let (parts, batches) = written(&inputs, &topology, Format::Csv, 1, Window::of(200, 50));
        assert!(batches > 10, "{batches} batches");
        let findings = |files: &Files| String::from_utf8(files["findings.csv"].clone()).unwrap();
        assert!(findings(&whole).lines().count() > 1, "{kind:?}: nothing found");
        assert_eq!(findings(&whole), findings(&parts), "{kind:?}");
    }
}

/// Partners speak day and night: what they say must not be held until enough clients came.
#[test]
fn a_control_channel_with_few_clients_or_none_is_settled_on_the_way() {
    let folder = TempDir::new("parallel");
    let all = frames(&plain(generated(&folder, 6_000))[0]);
    let topology = topology(folder.path());
    let is_tcp = |data: &[u8]| data.get(23) == Some(&6);
    for (clients, least) in [("all", 5), ("few", 2), ("none", 2)] {
        let kept = |data: &[u8]| match clients {
            "all" => true,
            // Of some hardware addresses.
            "few" => is_tcp(data) || data.get(75) == Some(&7),
            _ => is_tcp(data),
        };
        let some: Vec<_> = all.iter().filter(|(_, data, _)| kept(data)).cloned().collect();
        let inputs = plain(folder.file(&format!("{clients}.pcap"), &pcap(&some)));
        let whole = written(&inputs, &topology, Format::Csv, 1, Window::WHOLE).0;
        let window = Window { events: 200, ..Window::default() };
        let (parts, batches) = written(&inputs, &topology, Format::Csv, 1, window);
        assert!(batches >= least, "{clients}: {batches} batches");
        for table in ["ha_events.csv", "messages.csv"] {
            assert!(whole[table] == parts[table], "{clients}: {table}");
        }
        assert_eq!(whole["exchanges.csv"].len() > 1_000, clients != "none", "{clients}");
    }
}

/// The captures of a recording so often, two minutes apart.
pub fn repeated(folder: &Path, times: u64, made: &TempDir) -> Vec<Input> {
    let read: Vec<_> = inputs(folder).iter().map(|input| (input.path.clone(), frames(input))).collect();
    let first = read.iter().map(|(_, frames)| frames[0].0).min().unwrap();
    let last = read.iter().filter_map(|(_, frames)| frames.last()).map(|it| it.0).max().unwrap();
    let period = last - first + 120_000_000_000;
    let inputs = read.iter().map(|(path, frames)| {
        let later = |time: u64| frames.iter().map(move |(ns, data, len)| (ns + time * period, data, len));
        let all: Vec<_> =
            (0..times).flat_map(later).map(|(ns, data, len)| (ns, data.clone(), *len)).collect();
        Input { zone: None, path: made.file(path.file_name().unwrap().to_str().unwrap(), &pcap(&all)) }
    });
    inputs.collect()
}

/// A recording again and again is a capture with failures that is longer than a small window.
#[test]
fn many_batches_come_to_what_one_does() {
    for (name, times) in [("split-brain-load-balancing", 24), ("relayed", 45)] {
        let folder = captures().join(name);
        let (topology, made) = (topology(&folder), TempDir::new("parallel"));
        let inputs = repeated(&folder, times, &made);
        let whole = Window::WHOLE;
        let (whole, batches) = written(&inputs, &topology, Format::Csv, 2, whole);
        assert_eq!(batches, 1);
        for (ahead, batch) in [(400, 100), (200, 50)] {
            let (parts, batches) = written(&inputs, &topology, Format::Csv, 2, Window::of(ahead, batch));
            assert!(batches > 3, "{name}: {batches} batches");
            assert_same(&whole, &parts, &format!("{name}, {ahead} ahead, {batches} batches"));
        }
    }
}

#[test]
fn a_capture_is_the_same_in_one_file_and_in_many() {
    for name in RECORDINGS {
        let folder = captures().join(name);
        let (inputs, topology) = (inputs(&folder), topology(&folder));
        let made = TempDir::new("parallel");
        let mut pieces = Vec::new();
        for input in &inputs {
            let frames = frames(input);
            let zone = input.path.file_stem().unwrap().to_str().unwrap().to_owned();
            for (number, piece) in frames.chunks(frames.len().div_ceil(9)).enumerate() {
                let path = made.file(&format!("{zone}-{number}.pcap"), &pcap(piece));
                pieces.push(Input { zone: Some(zone.clone()), path });
            }
        }
        let whole = without_frames(&analyze(&inputs, &topology, Options::default(), |_| {}));
        assert!(whole.iter().any(|(table, rows)| *table == "leases" && !rows.is_empty()), "{name}");
        // In whichever order they are named.
        for reversed in [false, true] {
            if reversed {
                pieces.reverse();
            }
            let split = without_frames(&analyze(&pieces, &topology, Options::default(), |_| {}));
            for ((table, whole), (_, split)) in whole.iter().zip(&split) {
                // Between two files frames may have been lost, so heartbeats that are missing there prove nothing.
                let stopped = |row: &&String| *table != "findings" || !row.contains("heartbeats-stopped");
                let whole: Vec<&String> = whole.iter().filter(stopped).collect();
                let split: Vec<&String> = split.iter().filter(stopped).collect();
                let differs = whole.iter().zip(&split).find(|(a, b)| a != b);
                assert_eq!(differs, None, "{name}: {table}");
                assert_eq!(whole.len(), split.len(), "{name}: {table}");
            }
        }
    }
}

#[test]
fn pcapng_gives_what_pcap_gives() {
    for name in RECORDINGS {
        let folder = captures().join(name);
        let (inputs, topology) = (inputs(&folder), topology(&folder));
        let made = [TempDir::new("pcap"), TempDir::new("pcapng")];
        let mut both = [Vec::new(), Vec::new()];
        for input in &inputs {
            let frames = frames(input);
            let whole: Vec<_> =
                frames.into_iter().filter(|(_, data, len)| data.len() == *len as usize).collect();
            let section = PcapngFile::default().section(Order::Little).interface(1, 262_144, &[(9, &[9])]);
            let pcapng = whole.iter().fold(section, |file, (ns, data, _)| file.packet(0, *ns, data)).bytes;
            let file_name = input.path.file_name().unwrap().to_str().unwrap();
            for (at, bytes) in [pcap(&whole), pcapng].iter().enumerate() {
                both[at].push(Input { zone: None, path: made[at].file(file_name, bytes) });
            }
        }
        let [mut one, mut other] =
            both.map(|inputs| written(&inputs, &topology, Format::Csv, 2, Window::default()).0);
        // That table names the file's format.
        assert!(one.remove("sources.csv").is_some() && other.remove("sources.csv").is_some());
        one.insert(String::new(), Vec::new());
        other.insert(String::new(), Vec::new());
        assert_same(&one, &other, name);
    }
}

/// A sighting may be in a later batch than what it is a sighting of.
#[test]
fn copies_are_named_although_the_first_was_written_before() {
    let folder = TempDir::new("parallel");
    let inputs = plain(generated(&folder, 600));
    let mut all = Vec::new();
    for (ns, data, original) in frames(&inputs[0]) {
        all.push((ns, data.clone(), original));
        // As the other port of a bridge shows it, some messages later.
        all.push((ns + 9_000_000, data, original));
    }
    all.sort_by_key(|(ns, ..)| *ns);
    let inputs = plain(folder.file("bench.pcap", &pcap(&all)));
    let topology = topology(folder.path());
    let whole = Window::WHOLE;
    let (whole, _) = written(&inputs, &topology, Format::Csv, 1, whole);
    let (parts, batches) = written(&inputs, &topology, Format::Csv, 1, Window::of(100, 20));
    assert!(batches > 10, "{batches} batches");
    // So little is read ahead that what is decided may differ; what was captured does not.
    assert!(whole["messages.csv"] == parts["messages.csv"]);
    let messages = String::from_utf8(whole["messages.csv"].clone()).unwrap();
    assert_eq!(messages.lines().filter(|line| line.contains("bench.pcap#")).count(), 2_400);
}
