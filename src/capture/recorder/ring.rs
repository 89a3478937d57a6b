//! Which file comes next, which one goes, and the index of those that are there.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use crate::units::CaptureTime;

/// When a recording goes on in another file; without any of it, it is one file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RingLimits {
    /// Bytes of a file at least.
    pub size: Option<u64>,
    /// Time that a file takes.
    pub duration: Option<Duration>,
    /// Files that are kept; beyond it the oldest is removed.
    pub files: Option<usize>,
    /// Frames of a file.
    pub packets: Option<u64>,
}

impl RingLimits {
    /// Whether there is more than one file.
    pub const fn is_ring(&self) -> bool {
        self.size.is_some() || self.duration.is_some() || self.packets.is_some()
    }
}

/// A file that is complete, as a line of the index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Its name beside the index.
    pub file: String,
    /// The first and the last instant of a frame, nanoseconds since 1970; absent without a frame.
    pub first_ns: Option<i64>,
    /// See `first_ns`.
    pub last_ns: Option<i64>,
    /// Frames.
    pub frames: u64,
    /// Bytes.
    pub bytes: u64,
    /// Frames that were dropped while it was written.
    pub dropped: u64,
}

/// The files of a recording.
#[derive(Debug)]
pub(super) struct Ring {
    path: PathBuf,
    limits: RingLimits,
    begun: u32,
    entries: VecDeque<Entry>,
}

impl Ring {
    pub(super) const fn new(path: PathBuf, limits: RingLimits) -> Self {
        Self { path, limits, begun: 0, entries: VecDeque::new() }
    }

    /// The path of the next file, by its number and the time as in dumpcap's rings; a recording that
    /// is no ring needs another file only when something was wrong with the one before.
    pub(super) fn next(&mut self, now: CaptureTime) -> PathBuf {
        self.begun += 1;
        if !self.limits.is_ring() && self.begun == 1 {
            return self.path.clone();
        }
        let time = chrono::DateTime::from_timestamp_nanos(now.0).format("%Y%m%d%H%M%S");
        let number = self.begun;
        let extension =
            self.path.extension().map_or_else(String::new, |it| format!(".{}", it.to_string_lossy()));
        self.path.with_file_name(format!("{}_{number:05}_{time}{extension}", stem(&self.path)))
    }

    /// The path of the index.
    pub(super) fn index(&self) -> PathBuf {
        self.path.with_file_name(format!("{}.index.jsonl", stem(&self.path)))
    }

    /// Notes a complete file, removes the oldest ones beyond the limit, one being written beside them, and tells in the index.
    pub(super) fn close(&mut self, entry: Entry) -> io::Result<()> {
        if !self.limits.is_ring() {
            return Ok(());
        }
        self.entries.push_back(entry);
        let kept = self.limits.files.map_or(usize::MAX, |files| files.saturating_sub(1).max(1));
        while self.entries.len() > kept {
            if let Some(oldest) = self.entries.pop_front() {
                match fs::remove_file(self.path.with_file_name(oldest.file)) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
        }
        self.write_index()
    }

    fn write_index(&self) -> io::Result<()> {
        let mut lines = String::new();
        for entry in &self.entries {
            lines.push_str(&serde_json::to_string(entry).map_err(io::Error::other)?);
            lines.push('\n');
        }
        // Whoever reads it finds the old one or the new one.
        let partial = self.path.with_file_name(format!(".{}.index.jsonl", stem(&self.path)));
        fs::write(&partial, lines)?;
        fs::rename(partial, self.index())
    }
}

fn stem(path: &Path) -> String {
    path.file_stem().map_or_else(|| "capture".to_owned(), |stem| stem.to_string_lossy().into_owned())
}
