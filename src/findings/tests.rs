//! The recordings in many batches against the same in one.

use std::path::Path;

use super::*;
use crate::capture::{Input, Progress};
use crate::exchange::PairLimits;
use crate::ha::topology::Topology;
use crate::pipeline::{Options, Window, analyze, stream};

/// What a finding is, without its sentence: that may end with what is known so far.
fn row(finding: &Finding) -> impl PartialEq + std::fmt::Debug + use<> {
    let Finding { code, severity, first, last, count, zone, server, client, .. } = *finding;
    (code, severity, first, last, count, zone, server, client, finding.frames.clone())
}

/// The findings when so many exchanges come at a time, so far behind what was read.
fn in_batches(inputs: &[Input], topology: &Topology, ahead: usize, batch: usize) -> (Vec<Finding>, usize) {
    let options = Options { window: Window::of(ahead, batch), ..Options::default() };
    let (mut finder, mut batches) = (Finder::new(), 1);
    let last = stream(
        inputs,
        topology,
        options,
        |_: Progress| {},
        |batch| {
            finder.take(batch);
            batches += 1;
        },
    );
    finder.take(&last);
    (finder.finish(&last), batches)
}

#[test]
fn many_batches_find_what_one_finds() {
    let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let (mut found, mut many, mut differ) = (0, 0, Vec::new());
    for folder in std::fs::read_dir(captures).unwrap().flatten().map(|entry| entry.path()) {
        let Ok(topology) = Topology::load(&folder.join("topology.toml")) else { continue };
        let files = std::fs::read_dir(&folder).unwrap().flatten().map(|entry| entry.path());
        let mut files: Vec<_> =
            files.filter(|file| file.extension().is_some_and(|it| it == "pcap")).collect();
        files.sort();
        let inputs: Vec<Input> = files.into_iter().map(|path| Input { zone: None, path }).collect();
        let analysis = analyze(&inputs, &topology, PairLimits::default(), |_: Progress| {});
        let rows: Vec<_> = find(&analysis).iter().map(row).collect();
        found += rows.len();
        for (ahead, size) in [(40, 7), (80, 40)] {
            let (found, batches) = in_batches(&inputs, &topology, ahead, size);
            let batched: Vec<_> = found.iter().map(row).collect();
            many += batches;
            if batched != rows {
                println!("{} {} behind {ahead}:\n{batched:#?}\n{rows:#?}", folder.display(), size);
                differ.push((folder.display().to_string(), ahead));
            }
        }
    }
    assert!(found > 20 && many > 80, "{found} findings in {many} batches");
    assert_eq!(differ, []);
}
