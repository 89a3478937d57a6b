//! Frames as they come: a session that is told the time comes to what the files alone come to.

use std::collections::BTreeMap;

use dorascope::capture::recorder::{Recorded, Recorder, RingLimits};
use dorascope::capture::{Input, Reader};
use dorascope::exchange::{Exchange, Kind};
use dorascope::findings::Finder;
use dorascope::ha::topology::Topology;
use dorascope::pipeline::{Analysis, Options, Session, analyze};
use dorascope::table::{Format, TableSet};
use dorascope::units::{CaptureTime, SECOND};

use crate::parallel::repeated;
use crate::support::temp::TempDir;
use crate::truth::{captures, inputs};

/// Every file of a directory of tables, as text.
type Files = BTreeMap<String, String>;

fn options() -> Options {
    Options { sentences: true, threads: 1, ..Options::default() }
}

/// The tables of a run that gives batches to the closure, and in how many they came.
fn written<'t>(run: impl FnOnce(&mut dyn FnMut(&Analysis<'_>)) -> Analysis<'t>) -> (Files, usize) {
    let folder = TempDir::new("session");
    let path = folder.path().join("tables");
    let mut set = TableSet::create(&path, false, Format::Csv, 1).unwrap();
    let (mut finder, mut batches) = (Finder::default(), 1);
    let last = run(&mut |batch| {
        finder.take(batch);
        set.take(batch).unwrap();
        batches += 1;
    });
    finder.take(&last);
    set.finish(&last, &finder.finish(&last)).unwrap();
    let files = std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path());
    let text = |path: std::path::PathBuf| {
        (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(path).unwrap())
    };
    (files.map(text).collect(), batches)
}

/// Gives the frames of captures to a session, and tells it the time every second of theirs.
fn live<'t>(
    inputs: &[Input],
    topology: &'t Topology,
    peeks: &mut Vec<(CaptureTime, Vec<Exchange>)>,
    take: &mut dyn FnMut(&Analysis<'_>),
) -> Analysis<'t> {
    let mut session = Session::new(topology, options());
    let mut reader = Reader::open(inputs);
    reader.sources().iter().for_each(|source| _ = session.add_source(empty(source)));
    let mut clock: Option<CaptureTime> = None;
    while let Some(frame) = reader.next() {
        let now = clock.get_or_insert(frame.time);
        while frame.time.since(*now) > SECOND {
            *now = now.plus(SECOND);
            // The clock was read a little before.
            session.tick(now.plus(-SECOND / 2), &mut |batch: &Analysis<'_>| take(batch));
            let peek = session.peek(*now, &mut |batch: &Analysis<'_>| take(batch));
            peeks.push((*now, peek.exchanges));
        }
        session.take(&frame, &mut |batch: &Analysis<'_>| take(batch));
    }
    session.finish(&mut |batch: &Analysis<'_>| take(batch))
}

/// A source before its first frame.
fn empty(source: &dorascope::capture::Source) -> dorascope::capture::Source {
    dorascope::capture::Source {
        first: None,
        last: None,
        frames: 0,
        untimed: 0,
        unordered: 0,
        ..source.clone()
    }
}

/// Fails with the first line that differs; gives the number of batches that the session came in.
fn assert_same(inputs: &[Input], topology: &Topology, what: &str) -> usize {
    let (whole, _) = written(|_| analyze(inputs, topology, options(), |_| {}));
    let mut peeks = Vec::new();
    let (parts, batches) = written(|take| live(inputs, topology, &mut peeks, take));
    for (name, text) in &whole {
        let differs = text.lines().zip(parts[name].lines()).find(|(one, other)| one != other);
        assert_eq!(differs, None, "{what}: {name}, {batches} batches");
        assert_eq!(text.lines().count(), parts[name].lines().count(), "{what}: {name}");
    }
    // Whoever looks sees an exchange from its first message on until it is settled.
    let seen = |select: &Exchange| peeks.iter().any(|(_, seen)| seen.iter().any(|it| it.id == select.id));
    let all = analyze(inputs, topology, options(), |_| {}).exchanges;
    let last = peeks.last().unwrap().0;
    let early = all.iter().filter(|it| it.kind == Kind::Select && it.end < last);
    early.for_each(|it| assert!(seen(it), "{what}: {:?}", it.id));
    batches
}

#[test]
fn a_session_comes_to_what_the_files_come_to() {
    let mut folders: Vec<_> = std::fs::read_dir(captures()).unwrap().map(|it| it.unwrap().path()).collect();
    folders.retain(|it| it.join("topology.toml").exists());
    folders.sort();
    assert!(folders.len() > 20, "{folders:?}");
    for folder in folders {
        let topology = Topology::load(&folder.join("topology.toml")).unwrap();
        assert_same(&inputs(&folder), &topology, &folder.display().to_string());
    }
}

/// The recordings begin anew after two minutes in which nothing is captured. Where that is the end of a failure the
/// replay doubts what came before the gap once it sees the partners again, which nobody can know earlier: four
/// recordings that end so are left out.
#[test]
fn what_is_long_over_is_settled_although_little_follows() {
    for name in ["split-brain-load-balancing", "relayed", "admin-scopes", "tls", "zaldua1zerb1-killed"] {
        let (folder, made) = (captures().join(name), TempDir::new("session"));
        let topology = Topology::load(&folder.join("topology.toml")).unwrap();
        let batches = assert_same(&repeated(&folder, 4, &made), &topology, name);
        assert!(batches > 10, "{name}: {batches} batches");
    }
}

/// The DISCOVER of a healthy exchange in zone zaldua2, which one of two servers ignores for reasons that heartbeats show.
fn healthy<'t>(topology: &'t Topology, inputs: &[Input]) -> (Analysis<'t>, CaptureTime) {
    let analysis = analyze(inputs, topology, options(), |_| {});
    let sure = |exchange: &&Exchange| {
        let decisions = analysis.decisions_of(exchange.id);
        let zone = analysis.network.zone(exchange.zone(&analysis.messages));
        zone == "zaldua2" && decisions.len() > 1 && decisions.iter().all(|it| it.confidence >= 0.9)
    };
    let start = analysis.exchanges.iter().find(sure).unwrap().start;
    (analysis, start)
}

/// The confidence of decisions about queries of zone zaldua2 around an instant: of servers that answered, and of silent ones.
fn confidence(analysis: &Analysis<'_>, start: CaptureTime) -> (Vec<f64>, Vec<f64>) {
    let near = |exchange: &&Exchange| exchange.start == start;
    let exchange = analysis.exchanges.iter().find(near).unwrap();
    let decisions = analysis.decisions_of(exchange.id).iter();
    let (answered, silent): (Vec<_>, Vec<_>) = decisions.partition(|it| it.reply.is_some());
    let all = |list: Vec<&dorascope::ha::decide::Decision>| list.iter().map(|it| it.confidence).collect();
    (all(answered), all(silent))
}

#[test]
fn a_silence_among_dropped_frames_is_never_sure() {
    let folder = captures().join("all-on");
    let (inputs, topology) = (inputs(&folder), Topology::load(&folder.join("topology.toml")).unwrap());
    let (whole, start) = healthy(&topology, &inputs);
    let (answered, silent) = confidence(&whole, start);
    assert!(!answered.is_empty() && !silent.is_empty());
    assert!(silent.iter().chain(&answered).all(|it| *it >= 0.9), "{silent:?} {answered:?}");

    // The same live, where frames of the zone were dropped around the DISCOVER, of another zone, and at another time.
    let live = |zone: &str, at: CaptureTime| {
        let mut session = Session::new(&topology, options());
        let mut reader = Reader::open(&inputs);
        reader.sources().iter().for_each(|source| _ = session.add_source(empty(source)));
        let source = session.sources().iter().find(|it| it.zone == zone).unwrap().id;
        session.lost(source, (at.plus(-SECOND / 4), at.plus(SECOND / 4)), 3);
        while let Some(frame) = reader.next() {
            session.take(&frame, &mut |_: &Analysis<'_>| {});
        }
        session.finish(&mut |_: &Analysis<'_>| {})
    };
    let there = live("zaldua2", start);
    let (still, doubted) = confidence(&there, start);
    assert_eq!(still, answered, "an answer that was seen was sent");
    assert!(doubted.iter().all(|it| *it < 0.9), "{doubted:?}");
    let dropped: Vec<_> = there.sources.iter().filter_map(|it| it.dropped_kernel).collect();
    assert_eq!(dropped, [3]);
    for (zone, at) in [("zaldua1", start), ("zaldua2", start.plus(-600 * SECOND))] {
        assert_eq!(confidence(&live(zone, at), start).1, silent, "{zone}");
    }

    // And from a recording that tells of it.
    let made = TempDir::new("dropped");
    let path = made.path().join("lab.pcapng");
    let mut reader = Reader::open(&inputs);
    let described = reader.sources().iter().map(|source| Recorded {
        name: source.zone.clone(),
        zone: source.zone.clone(),
        link: source.link,
        snaplen: 262_144,
    });
    let described: Vec<Recorded> = described.collect();
    let tap = described.iter().position(|it| it.zone == "zaldua2").unwrap();
    let mut recorder = Recorder::create(&path, RingLimits::default(), described, start).unwrap();
    while let Some(frame) = reader.next() {
        recorder.frame(frame.at.source.0 as usize, frame.time, frame.original_len, frame.data);
    }
    recorder.lost(tap, start.plus(-SECOND / 4), start.plus(SECOND / 4), 3);
    recorder.finish();
    let recorded = analyze(&[Input { zone: None, path }], &topology, options(), |_| {});
    assert_eq!(confidence(&recorded, start), (still, doubted));
}
