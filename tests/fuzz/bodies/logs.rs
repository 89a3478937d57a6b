//! Kea's logs and lease files, by the way that the program reads them.

use std::path::Path;

use dorascope::kea::leases::LeaseFile;
use dorascope::kea::log::Log;

use super::{line_feeds, place};

/// Longer lines are cut, and lines are what the invariants are about.
const MOST: usize = 16 << 10;

/// Whether a file may be decompressed; a beginning of a magic number is enough.
fn is_compressed(bytes: &[u8]) -> bool {
    match bytes {
        [] => false,
        [first, ..] => *first == 0x1f || *first == 0x28 || (0x50..0x60).contains(first),
    }
}

fn read_log(bytes: &[u8]) -> Log {
    Log::read(&place::file("kea.log", bytes)).expect("a file that is there")
}

/// Lines balance, events come in order, and two logs behind one another say what each of them says.
pub fn log(bytes: &[u8]) {
    let log = read_log(bytes);
    let lines = log.lines;
    assert_eq!(log.events.len() as u64, lines.events);
    assert!(lines.events + lines.broken + lines.dropped <= lines.read, "{lines:?}");
    assert!(log.events.is_sorted_by(|one, other| one.line < other.line));
    assert!(log.events.iter().all(|event| (1..=lines.read).contains(&event.line)));
    if bytes.len() > MOST || is_compressed(bytes) {
        return;
    }
    assert_eq!(log.trouble, None);
    let ends = line_feeds(bytes) as u64;
    assert_eq!(lines.read, ends + u64::from(bytes.last().is_some_and(|byte| *byte != b'\n')));
    let middle = bytes.iter().skip(bytes.len() / 2).position(|byte| *byte == b'\n');
    let Some((first, second)) = middle.map(|at| bytes.split_at(bytes.len() / 2 + at + 1)) else { return };
    if is_compressed(second) {
        return;
    }
    let (mut parts, second) = (read_log(first), read_log(second));
    let before = parts.lines.read;
    parts.events.extend(second.events.into_iter().map(|mut event| {
        event.line += before;
        event
    }));
    assert_eq!(parts.events, log.events);
    assert_eq!(parts.lines.broken + second.lines.broken, lines.broken);
}

fn read_leases(path: &Path) -> LeaseFile {
    LeaseFile::read(path).expect("a file that is there")
}

/// Rows are bounded by lines, and a journal that is written down twice says the same.
pub fn leases(bytes: &[u8]) {
    let path = place::file("kea-leases4.csv", bytes);
    let file = read_leases(&path);
    assert!(file.troubles.len() <= 9, "{:?}", file.troubles);
    assert!(file.troubles.len() as u64 <= file.bad_rows + 1);
    if bytes.len() > MOST / 2 || is_compressed(bytes) {
        return;
    }
    let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
    let lines = bytes.split(is_end).filter(|line| !line.is_empty()).count() as u64;
    // Without a readable header one trouble stands for all.
    assert!(file.rows.len() as u64 + file.bad_rows <= lines.max(1), "{} {}", file.rows.len(), file.bad_rows);
    let Some(begin) = bytes.iter().position(|byte| !is_end(byte)) else { return };
    let Some(header) = bytes[begin..].iter().position(is_end) else { return };
    let rows = &bytes[begin + header..];
    let twice = read_leases(&place::file("kea-leases4.csv", &[bytes, b"\n", rows].concat()));
    assert_eq!(twice.rows, file.rows);
}
