//! Kea's log of kea-dhcp4, from its file, from syslog or from journalctl.
//!
//! The pattern of a log is configurable, so nothing but three things is asked
//! of a line (kea-ha §9.2): a time at its start or behind the journal's prefix,
//! a message id that is known here, and behind it the message's text. Lines
//! that have no such id (other messages, dumped configurations) are counted.
//!
//! Reading order: [`event`] (what a line can say), `text` (Kea's templates),
//! `stamp` (times), then [`Log::read`] here.

pub mod event;
mod stamp;
#[cfg(test)]
mod tests;
mod text;

use std::io::BufRead;
use std::path::Path;

pub use event::{Event, Label, Packet, SyncStep, What};
pub use stamp::Stamp;

use super::text_file::{Unreadable, open};

/// Events kept of one log; a debug log of a busy hour has fewer.
const MOST_EVENTS: usize = 4_000_000;

/// A log file and what it says.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// The path as the user gave it.
    pub name: String,
    /// In the order of the file.
    pub events: Vec<Event>,
    /// What became of its lines.
    pub lines: Lines,
    /// Why the rest could not be read: one line for the user, with the file's name.
    pub trouble: Option<String>,
}

/// How many lines became what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    /// All lines.
    pub read: u64,
    /// Lines whose message says something here.
    pub events: u64,
    /// Lines with such a message whose text fits none of Kea's templates.
    pub broken: u64,
    /// Events that came after the most that are kept.
    pub dropped: u64,
}

impl Log {
    /// Reads a log, plain or compressed, to its end or to where it becomes unreadable.
    pub fn read(path: &Path) -> Result<Self, Unreadable> {
        let mut log = Self::of(path.display().to_string(), open(path)?);
        if log.lines.dropped > 0 {
            log.trouble = Some(format!("{}: only the first {MOST_EVENTS} events are used", log.name));
        }
        Ok(log)
    }

    fn of(name: String, mut input: impl BufRead) -> Self {
        let mut log = Self { name, ..Self::default() };
        let mut line = Vec::new();
        loop {
            line.clear();
            match input.read_until(b'\n', &mut line) {
                Ok(0) => return log,
                Ok(_) => log.line(&String::from_utf8_lossy(&line)),
                Err(error) => {
                    let read = log.lines.read;
                    log.trouble = Some(format!("{} cannot be read on after line {read}: {error}", log.name));
                    return log;
                }
            }
        }
    }

    fn line(&mut self, line: &str) {
        self.lines.read += 1;
        let Some((head, id, text)) = message(line.trim_end()) else { return };
        match text::read(id, text) {
            None => self.lines.broken += 1,
            Some(_) if self.events.len() >= MOST_EVENTS => self.lines.dropped += 1,
            Some((what, client)) => {
                self.lines.events += 1;
                self.events.push(Event { stamp: stamp_of(head), line: self.lines.read, client, what });
            }
        }
    }
}

/// A line's first known message id, with what stands before and after it.
fn message(line: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    for word in line.split(' ') {
        if text::is_known(word) {
            let after = line.get(from + word.len()..).unwrap_or_default();
            return Some((line.get(..from)?, word, after.trim_start()));
        }
        from += word.len() + 1;
    }
    None
}

/// The time in what stands before a message id: Kea's own, else the journal's.
fn stamp_of(head: &str) -> Option<Stamp> {
    let (outer, rest) = Stamp::read(head)?;
    // `Jan  2 03:04:05 host kea-dhcp4[1234]: 2025-01-02 03:04:05.678 INFO …`
    let inner = rest.split_once(": ").and_then(|(_, own)| Stamp::read(own)).map(|(stamp, _)| stamp);
    inner.filter(|inner| inner.resolution <= outer.resolution).or(Some(outer))
}
