//! Frames out: pcapng files that can be read while they are written.
//!
//! [`Recorder`] never fails: what cannot be written, because a disk is full, is
//! counted, and it tries again in another file. Whole blocks are written, so a
//! program that is killed leaves files that can be read to their end, but for a
//! block that the kernel was just taking.

mod blocks;
mod ring;
#[cfg(test)]
mod tests;

pub use blocks::{APPLICATION, Recorded, Statistics};
pub use ring::{Entry, RingLimits};

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use self::ring::Ring;
use crate::units::CaptureTime;

/// Bytes that are written at once.
const BUFFER: usize = 1 << 20;
/// After an error it is tried again so much later.
const RETRY: Duration = Duration::from_secs(5);

/// Writes frames to a file, or to one after another.
pub struct Recorder {
    ring: Ring,
    limits: RingLimits,
    interfaces: Vec<Recorded>,
    file: Option<Open>,
    /// Blocks that are not in the file yet.
    buffer: Vec<u8>,
    /// Frames among them.
    buffered: u64,
    /// The error that stopped the writing, and when it is tried again.
    trouble: Option<(io::Error, Instant)>,
    /// Frames that were not written.
    unwritten: u64,
    /// Files begun so far.
    begun: u64,
}

/// The file that is written.
struct Open {
    file: File,
    path: PathBuf,
    since: Instant,
    /// Bytes in the file.
    written: u64,
    frames: u64,
    span: Option<(CaptureTime, CaptureTime)>,
    /// By interface.
    dropped: Vec<u64>,
}

/// Where a frame was put: the number of the file among those begun, and the frame's number in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// From 1.
    pub file: u64,
    /// From 1, as Wireshark shows it.
    pub frame: u64,
}

impl Recorder {
    /// Begins the first file, so that a bad path fails before the work.
    pub fn create(
        path: &Path,
        limits: RingLimits,
        interfaces: Vec<Recorded>,
        now: CaptureTime,
    ) -> io::Result<Self> {
        let mut recorder = Self {
            ring: Ring::new(path.to_owned(), limits),
            limits,
            interfaces,
            file: None,
            buffer: Vec::with_capacity(BUFFER + (64 << 10)),
            buffered: 0,
            trouble: None,
            unwritten: 0,
            begun: 0,
        };
        recorder.begin(now)?;
        Ok(recorder)
    }

    /// Appends a frame, and says where it is; nothing when it cannot be written.
    pub fn frame(
        &mut self,
        interface: usize,
        time: CaptureTime,
        original_len: u32,
        data: &[u8],
    ) -> Option<Place> {
        if self.is_due() {
            self.rotate(time);
        }
        if self.file.is_none() {
            self.retry(time);
        }
        let Some(open) = &mut self.file else {
            self.unwritten += 1;
            return None;
        };
        blocks::packet(&mut self.buffer, interface as u32, time, original_len, data);
        self.buffered += 1;
        open.frames += 1;
        let (first, last) = open.span.unwrap_or((time, time));
        open.span = Some((first.min(time), last.max(time)));
        let place = Place { file: self.begun, frame: open.frames };
        if self.buffer.len() >= BUFFER {
            self.flush();
        }
        Some(place)
    }

    /// Notes that frames of an interface were dropped between two instants.
    pub fn lost(&mut self, interface: usize, from: CaptureTime, to: CaptureTime, count: u64) {
        let Some(dropped) = self.file.as_mut().and_then(|open| open.dropped.get_mut(interface)) else {
            return;
        };
        let before = Statistics { time: from, dropped: *dropped, ..Statistics::default() };
        *dropped += count;
        let after = Statistics { time: to, dropped: *dropped, ..Statistics::default() };
        blocks::statistics(&mut self.buffer, interface as u32, &before);
        blocks::statistics(&mut self.buffer, interface as u32, &after);
    }

    /// Notes that an interface is captured on no more, or again.
    pub fn turned(&mut self, interface: usize, time: CaptureTime, on: bool) {
        let Some(&dropped) = self.file.as_ref().and_then(|open| open.dropped.get(interface)) else { return };
        let (from, to) = if on { (Some(time), None) } else { (None, Some(time)) };
        blocks::statistics(&mut self.buffer, interface as u32, &Statistics { time, from, to, dropped });
    }

    /// Writes what waits, changes over to the next file when its time has come, and tries again what failed.
    pub fn tick(&mut self, now: CaptureTime) {
        if self.is_due() {
            self.rotate(now);
        }
        if self.file.is_none() {
            self.retry(now);
        }
        self.flush();
    }

    /// Goes on in the next file of a ring; a single file goes on in a new one of its name if somebody moved it away.
    pub fn reopen(&mut self, now: CaptureTime) {
        self.flush();
        let moved = self.file.as_ref().is_some_and(|open| !is_at(&open.file, &open.path));
        if self.limits.is_ring() {
            self.rotate(now);
        } else if moved {
            let path = self.file.as_ref().map(|open| open.path.clone());
            self.close();
            if let Err(error) = path.map_or(Ok(()), |path| self.open(path)) {
                self.fail(error);
            }
        }
    }

    /// Completes the file.
    pub fn finish(&mut self) {
        self.close();
    }

    /// The file that is written.
    pub fn path(&self) -> Option<&Path> {
        self.file.as_ref().map(|open| open.path.as_path())
    }

    /// How many files were begun; a new one means that frames are counted anew.
    pub const fn begun(&self) -> u64 {
        self.begun
    }

    /// Why nothing can be written at present.
    pub fn trouble(&self) -> Option<&io::Error> {
        self.trouble.as_ref().map(|(error, _)| error)
    }

    /// Frames that could not be written so far.
    pub const fn unwritten(&self) -> u64 {
        self.unwritten
    }

    /// Bytes of the present file.
    pub fn size(&self) -> u64 {
        self.file.as_ref().map_or(0, |open| open.written + self.buffer.len() as u64)
    }

    fn is_due(&self) -> bool {
        let Some(open) = &self.file else { return false };
        // A ring never has an empty file.
        open.frames > 0
            && (self.limits.size.is_some_and(|size| open.written + self.buffer.len() as u64 >= size)
                || self.limits.packets.is_some_and(|packets| open.frames >= packets)
                || self.limits.duration.is_some_and(|duration| open.since.elapsed() >= duration))
    }

    fn rotate(&mut self, now: CaptureTime) {
        self.close();
        if let Err(error) = self.begin(now) {
            self.fail(error);
        }
    }

    fn retry(&mut self, now: CaptureTime) {
        if self.trouble.as_ref().is_some_and(|(_, at)| at.elapsed() < RETRY) {
            return;
        }
        match self.begin(now) {
            Ok(()) => self.trouble = None,
            Err(error) => self.fail(error),
        }
    }

    fn fail(&mut self, error: io::Error) {
        self.trouble = Some((error, Instant::now()));
    }

    fn begin(&mut self, now: CaptureTime) -> io::Result<()> {
        let path = self.ring.next(now);
        self.open(path)
    }

    fn open(&mut self, path: PathBuf) -> io::Result<()> {
        let mut file = File::create(&path)?;
        let mut head = Vec::new();
        blocks::section(&mut head, &self.interfaces);
        if let Err(error) = file.write_all(&head) {
            // A file that is none helps nobody, and it would be one more at every attempt. Devices stay.
            if file.metadata().is_ok_and(|it| it.is_file()) {
                let _ = fs::remove_file(&path);
            }
            return Err(error);
        }
        let (written, dropped) = (head.len() as u64, vec![0; self.interfaces.len()]);
        self.file = Some(Open { file, path, since: Instant::now(), written, frames: 0, span: None, dropped });
        self.begun += 1;
        Ok(())
    }

    /// Writes the blocks that wait. Where that fails, the file ends behind the last block that is whole.
    fn flush(&mut self) {
        let Some(open) = &mut self.file else { return };
        match open.file.write_all(&self.buffer) {
            Ok(()) => open.written += self.buffer.len() as u64,
            Err(error) => {
                let _ = open.file.set_len(open.written);
                open.frames -= self.buffered;
                self.unwritten += self.buffered;
                let entry = open.entry();
                self.file = None;
                // The first error is the one to tell.
                let _ = self.ring.close(entry);
                self.fail(error);
            }
        }
        self.buffer.clear();
        self.buffered = 0;
    }

    fn close(&mut self) {
        if let Some(open) = &self.file {
            let time = open.span.map_or(CaptureTime::default(), |(_, last)| last);
            for (interface, dropped) in open.dropped.iter().enumerate() {
                let statistics = Statistics { time, dropped: *dropped, ..Statistics::default() };
                blocks::statistics(&mut self.buffer, interface as u32, &statistics);
            }
        }
        self.flush();
        if let Some(open) = self.file.take()
            && let Err(error) = self.ring.close(open.entry())
        {
            self.fail(error);
        }
    }
}

impl Open {
    fn entry(&self) -> Entry {
        Entry {
            file: self.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            first_ns: self.span.map(|(first, _)| first.0),
            last_ns: self.span.map(|(_, last)| last.0),
            frames: self.frames,
            bytes: self.written,
            dropped: self.dropped.iter().sum(),
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.close();
    }
}

/// Whether an open file is still the one of that name.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let same = |one: fs::Metadata, other: fs::Metadata| (one.dev(), one.ino()) == (other.dev(), other.ino());
    file.metadata().ok().zip(fs::metadata(path).ok()).is_some_and(|(one, other)| same(one, other))
}

/// Elsewhere an open file cannot be moved.
#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}
