//! Captures that show only a part of what happened: an honest `unknown` is
//! right there, and a confident wrong decision is the worst bug there is.
//!
//! Each view keeps some frames of a recorded scenario. Whatever is decided with
//! a confidence of 0.9 or more must still be what Kea's log says.

use std::path::Path;

use dorascope::capture::{Frame, Input, Reader};
use dorascope::exchange::PairLimits;
use dorascope::frame::{Decoded, Decoder};
use dorascope::ha::decide::Expected;
use dorascope::ha::topology::Topology;
use dorascope::pipeline::analyze;

use crate::support::files::{Order, PcapFile};
use crate::support::random::Xorshift;
use crate::support::temp::TempDir;
use crate::truth::{Logged, inputs, logged, scenarios, truths};

/// What a frame is, as far as the views choose by it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    ToServer,
    ToClient,
    Control,
    Other,
}

fn sort(decoder: &mut Decoder, frame: &Frame<'_>) -> Sort {
    match decoder.decode(frame) {
        Ok(Decoded::Udp(datagram)) if datagram.dst_port == 67 => Sort::ToServer,
        Ok(Decoded::Udp(_)) => Sort::ToClient,
        Ok(Decoded::Tcp(_)) => Sort::Control,
        Err(_) => Sort::Other,
    }
}

/// A view: its name, and which frames it keeps (by sort, number in the file, second since the file's start).
pub type View = (&'static str, fn(Sort, u64, i64) -> bool);

pub const VIEWS: &[View] = &[
    ("no control channel", |sort, _, _| sort != Sort::Control),
    ("DHCP alone", |sort, _, _| matches!(sort, Sort::ToServer | Sort::ToClient)),
    ("only what clients send", |sort, _, _| sort == Sort::ToServer),
    ("only what servers send", |sort, _, _| sort == Sort::ToClient),
    ("clients and control, no answers", |sort, _, _| sort != Sort::ToClient),
    ("every second frame", |_, number, _| number % 2 == 0),
    ("two of three frames", |_, number, _| number % 3 != 0),
    ("from the eighth second on", |_, _, second| second >= 8),
    ("the first twelve seconds", |_, _, second| second < 12),
    ("seconds 10 to 20", |_, _, second| (10..20).contains(&second)),
];

pub fn keep(input: &Input, folder: &TempDir, mut wanted: impl FnMut(Sort, u64, i64) -> bool) -> Input {
    let mut reader = Reader::open(std::slice::from_ref(input));
    let mut decoder = Decoder::new();
    let mut file = PcapFile::nano(Order::Little, 1);
    let mut start = None;
    while let Some(frame) = reader.next() {
        let second = frame.time.since(*start.get_or_insert(frame.time)) / 1_000_000_000;
        if wanted(sort(&mut decoder, &frame), frame.at.number, second) {
            file = file.frame(frame.time.0.cast_unsigned(), frame.data);
        }
    }
    let name = input.path.file_name().unwrap().to_string_lossy().into_owned();
    Input { zone: None, path: folder.file(&name, &file.bytes) }
}

#[test]
fn part_of_the_picture_never_makes_a_confident_mistake() {
    let mut wrong = Vec::new();
    for view in VIEWS {
        let (mut sure, mut unsure, mut unknown) = (0, 0, 0);
        for folder in scenarios() {
            let temp = TempDir::new("partial");
            let kept: Vec<Input> = inputs(&folder).iter().map(|input| keep(input, &temp, view.1)).collect();
            let (right, doubtful, open) = compare(&folder, &kept, view.0, &mut wrong);
            (sure, unsure, unknown) = (sure + right, unsure + doubtful, unknown + open);
        }
        println!("{}: {sure} sure, {unsure} below 0.9, {unknown} unknown", view.0);
    }
    // One zone without the others: the control channel and the hub's other half are out of sight.
    for folder in scenarios() {
        for (zone, input) in inputs(&folder).into_iter().enumerate() {
            compare(&folder, &[input], &format!("zone {zone} alone"), &mut wrong);
        }
    }
    assert!(wrong.is_empty(), "{} confident mistakes: {wrong:#?}", wrong.len());
}

/// A capture that begins anywhere in a story, such as in the middle of maintenance.
#[test]
fn a_beginning_in_mid_story_makes_no_confident_mistake() {
    let mut wrong = Vec::new();
    for slug in ["maintenance", "admin-scopes", "split-brain-load-balancing"] {
        let folder = crate::truth::captures().join(slug);
        let [input] = inputs(&folder).try_into().unwrap();
        for first in (1..=400).step_by(4) {
            let temp = TempDir::new("begin");
            let kept = keep(&input, &temp, |_, number, _| number >= first);
            compare(&folder, &[kept], &format!("from frame {first} on"), &mut wrong);
        }
    }
    assert!(wrong.is_empty(), "{} confident mistakes: {wrong:#?}", wrong.len());
}

/// A capture that loses frames at random, few or many.
#[test]
fn lost_frames_never_make_a_confident_mistake() {
    let mut wrong = Vec::new();
    let (mut sure, mut all) = (0, 0);
    for (seed, percent) in (1..=3).flat_map(|seed| [2, 10, 30, 60].map(|percent| (seed, percent))) {
        let mut random = Xorshift(0x9e37_79b9 * seed + percent as u64);
        // Scopes set by hand show in the next heartbeat only, and nothing shows that one was lost.
        for folder in scenarios().into_iter().filter(|folder| !folder.ends_with("admin-scopes")) {
            let temp = TempDir::new("lossy");
            let kept: Vec<Input> = inputs(&folder)
                .iter()
                .map(|input| keep(input, &temp, |_, _, _| random.below(100) >= percent))
                .collect();
            let name = format!("{percent} % lost, seed {seed}");
            let (right, doubtful, open) = compare(&folder, &kept, &name, &mut wrong);
            (sure, all) = (sure + right, all + right + doubtful + open);
        }
    }
    println!("frames lost at random: {sure} of {all} decisions sure, {} of them wrong", wrong.len());
    assert!(wrong.is_empty(), "{} confident mistakes: {wrong:#?}", wrong.len());
    assert!(sure > 1000, "only {sure} decisions were sure");
}

/// Counts decisions that are sure, below 0.9 and unknown; sure ones that Kea's log contradicts go to `wrong`.
fn compare(folder: &Path, inputs: &[Input], view: &str, wrong: &mut Vec<String>) -> (u32, u32, u32) {
    let topology = Topology::load(&folder.join("topology.toml")).unwrap();
    let analysis = analyze(inputs, &topology, PairLimits::default(), |_| {});
    let truth = truths(folder);
    let mut counts = (0, 0, 0);
    for decision in &analysis.decisions {
        let expected = match decision.expected {
            Expected::Unknown => {
                counts.2 += 1;
                continue;
            }
            _ if decision.confidence < 0.9 => {
                counts.1 += 1;
                continue;
            }
            expected => expected == Expected::Answer,
        };
        let logged = logged(decision, &analysis, &truth);
        counts.0 += 1;
        if expected != (logged == Logged::Answered) {
            let query = analysis.message(decision.query);
            wrong.push(format!(
                "{view}, {}: {} {} {} of {}: {} by {} ({:.2}, {:?}), logged {logged:?}",
                folder.file_name().unwrap().to_string_lossy(),
                analysis.network.machines.name(decision.server),
                query.type_name(),
                query.xid,
                query.chaddr,
                decision.expected.as_str(),
                decision.rule.code(),
                decision.confidence,
                decision.basis,
            ));
        }
    }
    counts
}
