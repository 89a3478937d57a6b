//! Recordings that are watched as if they were captured now.

use std::path::PathBuf;

use dorascope::capture::{Input, Reader, Source};
use dorascope::ha::topology::Topology;
use dorascope::pipeline::{Analysis, Options, Session};
use dorascope::units::{CaptureTime, SECOND};
use dorascope::watch::metrics::Metrics;
use dorascope::watch::told::Teller;
use dorascope::watch::{Capturing, TapState};

use crate::truth::{captures, inputs};

/// What the metrics said at an instant.
pub struct Look {
    pub time: CaptureTime,
    pub text: String,
}

/// What the capturing side would say of recordings.
fn capturing(session: &Session<'_>, clock: CaptureTime) -> Capturing {
    let tap = |source: &Source| TapState {
        interface: source.zone.clone(),
        zone: source.zone.clone(),
        open: true,
        frames: source.frames,
        ..TapState::default()
    };
    Capturing {
        clock,
        taps: session.sources().iter().map(tap).collect(),
        backlog: (0, 64 << 20),
        held: session.held().collect(),
        recording: Some((PathBuf::from("ring.pcapng"), 4096, None)),
        ..Capturing::default()
    }
}

/// Watches recordings, with a look every second of theirs.
pub fn watch(inputs: &[Input], topology: &Topology, mut metrics: Metrics) -> Vec<Look> {
    let mut session = Session::new(topology, Options { threads: 1, ..Options::default() });
    let mut reader = Reader::open(inputs);
    let blank = |source: &Source| Source { first: None, last: None, frames: 0, ..source.clone() };
    reader.sources().iter().for_each(|source| _ = session.add_source(blank(source)));
    let (mut teller, mut looks) = (Teller::default(), Vec::new());
    let mut clock: Option<CaptureTime> = None;
    while let Some(frame) = reader.next() {
        let now = clock.get_or_insert(frame.time);
        while frame.time.since(*now) > SECOND {
            *now = now.plus(SECOND);
            let mut settled = |batch: &Analysis<'_>| teller.settled(batch, |told| metrics.told(&told));
            session.tick(*now, &mut settled);
            let peek = session.peek(*now, &mut settled);
            teller.peeked(&peek, *now, |told| metrics.told(&told));
            metrics.update(&peek, &session, &capturing(&session, *now));
            looks.push(Look { time: *now, text: metrics.text() });
        }
        session.take(&frame, &mut |batch: &Analysis<'_>| teller.settled(batch, |told| metrics.told(&told)));
    }
    let end = clock.unwrap().plus(SECOND);
    let mut settled = |batch: &Analysis<'_>| teller.settled(batch, |told| metrics.told(&told));
    session.tick(end, &mut settled);
    let peek = session.peek(end, &mut settled);
    metrics.update(&peek, &session, &capturing(&session, end));
    let mut settled = |batch: &Analysis<'_>| teller.settled(batch, |told| metrics.told(&told));
    let last = session.finish(&mut settled);
    teller.finish(&last, |told| metrics.told(&told));
    looks.push(Look { time: end, text: metrics.text() });
    looks
}

/// Watches a recorded scenario.
pub fn scenario(name: &str) -> Vec<Look> {
    let folder = captures().join(name);
    let topology = Topology::load(&folder.join("topology.toml")).unwrap();
    watch(&inputs(&folder), &topology, Metrics::new(CaptureTime(1_795_356_000 * SECOND)))
}
