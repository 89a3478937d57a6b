//! Lines for standard output, whose reader may be slow: a thread of its own writes them.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use anyhow::{Context, Result};
use dorascope::watch::lines::Unwritten;

/// Lines that may wait; beyond it they are dropped, and counted.
const WAITING: u64 = 10_000;

/// Lines to be written.
pub enum Lot {
    /// For people.
    Text(String, u64),
    /// For programs.
    Json(Unwritten),
}

impl Lot {
    const fn len(&self) -> u64 {
        match self {
            Self::Text(_, lines) => *lines,
            Self::Json(rows) => rows.len() as u64,
        }
    }
}

/// Writes to standard output and never waits for it.
pub struct Printer {
    lots: Option<Sender<Lot>>,
    /// Lines that wait.
    waiting: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
    closed: Arc<AtomicBool>,
    dropped: u64,
}

impl Printer {
    pub fn start() -> Result<Self> {
        let (lots, brought) = channel::<Lot>();
        let (closed, waiting) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let (gone, count) = (Arc::clone(&closed), Arc::clone(&waiting));
        let work = move || {
            for lot in brought {
                let written = put(&lot);
                count.fetch_sub(lot.len(), Ordering::Relaxed);
                if written.is_err() {
                    // Its reader has seen enough; that is told by the flag.
                    gone.store(true, Ordering::Relaxed);
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("printer".to_owned()).spawn(work);
        let thread = thread.context("cannot begin a thread")?;
        Ok(Self { lots: Some(lots), waiting, thread: Some(thread), closed, dropped: 0 })
    }

    /// Has lines written, or drops them where too many wait.
    pub fn print(&mut self, lot: Lot) {
        if self.waiting.load(Ordering::Relaxed) > WAITING {
            self.dropped += lot.len();
        } else {
            self.print_last(lot);
        }
    }

    /// The same, but the last lines wait for their turn however many there are.
    pub fn print_last(&mut self, lot: Lot) {
        if let Some(lots) = &self.lots {
            self.waiting.fetch_add(lot.len(), Ordering::Relaxed);
            // Where nobody reads any more, nobody misses them.
            let _ = lots.send(lot);
        }
    }

    /// Lines that were dropped.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Whether the reader of standard output went away.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Waits until everything is written. What still waits cannot be dropped, so a reader that never
    /// reads on holds this up; the next signal ends it.
    pub fn finish(&mut self) {
        drop(self.lots.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn put(lot: &Lot) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match lot {
        Lot::Text(text, _) => out.write_all(text.as_bytes())?,
        Lot::Json(rows) => out.write_all(&rows.json().map_err(io::Error::other)?)?,
    }
    out.flush()
}
