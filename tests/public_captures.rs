//! Every file of the collection of public captures, frame by frame against tshark.
//!
//! The collection is not part of the repository; without it, or without tshark,
//! the comparison says `SKIPPED:` and why.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use dorascope::capture::Input;
use dorascope::exchange::PairLimits;
use dorascope::explain::card::card;
use dorascope::ha::topology::Topology;
use dorascope::pipeline::analyze;
use dorascope::table::fill::Filler;

/// Files where tshark's `dhcp` filter and this program mean something else, the
/// frames that only tshark names, those that only we name, and why.
const EXCEPTIONS: &[(&str, &[u64], &[u64], &str)] = &[];

/// The frames that are DHCP messages for this program, by their numbers in the
/// file, after the whole analysis has run over it without a topology.
fn ours(path: &Path) -> BTreeSet<u64> {
    let topology = Topology::default();
    let inputs = [Input { zone: None, path: path.to_owned() }];
    let analysis = analyze(&inputs, &topology, PairLimits::default(), |_| {});
    for source in &analysis.sources {
        let counts = analysis.counts.sources.get(source.id.0 as usize).copied().unwrap_or_default();
        assert_eq!(source.frames, counts.frames(), "{}", path.display());
    }
    for rows in Filler::new(&analysis).all() {
        assert!(rows.len() <= analysis.messages.len().max(1) * 8 + analysis.events.len());
    }
    for exchange in &analysis.exchanges {
        assert!(!card(&analysis, exchange.id, 80).is_empty());
    }
    analysis.messages.iter().map(|message| message.at.number).collect()
}

/// The frames that tshark's dissector calls DHCP. A damaged file makes tshark
/// fail after its last good frame, as it should, so its exit code says nothing.
fn tsharks(path: &Path) -> std::io::Result<BTreeSet<u64>> {
    let output = Command::new("tshark")
        .args(["-n", "-Y", "dhcp", "-T", "fields", "-e", "frame.number", "-r"])
        .arg(path)
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().filter_map(|line| line.parse().ok()).collect())
}

fn files_below(dir: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            files_below(&path, files);
        } else if path.extension().is_none_or(|extension| extension != "csv") {
            files.push(path);
        }
    }
}

#[test]
fn dhcp_frames_of_public_captures_are_those_of_tshark() {
    let dir = std::env::var_os("DORASCOPE_PUBLIC_CAPTURES").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/public-captures"),
        PathBuf::from,
    );
    let mut files = Vec::new();
    files_below(&dir, &mut files);
    files.sort();
    if files.is_empty() {
        println!("SKIPPED: no public captures in {}", dir.display());
        return;
    }
    if Command::new("tshark").arg("--version").output().is_err() {
        println!("SKIPPED: tshark is not installed; the files are read without a comparison");
        for path in &files {
            ours(path);
        }
        return;
    }
    // Largest last, so that two workers take them from the end of the list first.
    files.sort_by_key(|path| path.metadata().map_or(0, |meta| meta.len()));
    let queue = Mutex::new(files);
    let differences = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some(path) = queue.lock().unwrap().pop() else { break };
                    let name = path.strip_prefix(&dir).unwrap_or(&path).display().to_string();
                    let (ours, theirs) = (ours(&path), tsharks(&path).unwrap());
                    let only_theirs: Vec<_> = theirs.difference(&ours).copied().collect();
                    let only_ours: Vec<_> = ours.difference(&theirs).copied().collect();
                    let expected = EXCEPTIONS.iter().find(|(file, ..)| *file == name);
                    let (missing, surplus) = expected.map_or((&[][..], &[][..]), |(_, m, s, _)| (m, s));
                    if only_theirs != missing || only_ours != surplus {
                        let line = format!("{name}: only tshark {only_theirs:?}, only we {only_ours:?}");
                        differences.lock().unwrap().push(line);
                    }
                }
            });
        }
    });
    let differences = differences.into_inner().unwrap();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
