//! Who is told what.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use dorascope::capture::live::now;
use dorascope::pipeline::{Analysis, Session};
use dorascope::table::Segments;
use dorascope::units::CaptureTime;
use dorascope::watch::Capturing;
use dorascope::watch::lines::Lines;
use dorascope::watch::metrics::Metrics;
use dorascope::watch::metrics::serve::{Ready, Server, Serving};
use dorascope::watch::told::{Teller, Told};
use dorascope::watch::view::{self, Screen, View};

use super::printer::{Lot, Printer};
use crate::cli::output::Output;
use crate::cli::resolve::CaptureJob;

/// Everything that a run tells.
pub struct Outputs {
    teller: Teller,
    printer: Option<(Printer, Shown)>,
    tables: Option<Tables>,
    counters: Option<Counters>,
    sight: Option<Sight>,
}

/// What standard output gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// The view.
    View,
    /// A line of text for each exchange and finding.
    Text,
    /// A line of JSON for each.
    Json,
    /// Nothing.
    Nothing,
}

/// The tables, and when their files are completed next.
struct Tables {
    segments: Segments,
    every: Duration,
    next: Instant,
}

/// The view, and the terminal that it has.
struct Sight {
    view: View,
    shown: view::Shown,
    screen: Screen,
}

/// Metrics, and those who read them.
struct Counters {
    metrics: Metrics,
    ready: Ready,
    _serving: Serving,
}

/// Binds the address of the metrics, while the program may.
pub fn listen(address: SocketAddr) -> Result<Server> {
    Server::bind(address).with_context(|| format!("cannot serve metrics at {address}"))
}

impl Outputs {
    /// `shown`: what standard output gets; `over`: the user of the view has seen enough.
    pub fn create(
        job: &CaptureJob,
        shown: Shown,
        server: Option<Server>,
        over: &Arc<AtomicBool>,
        output: &Output,
    ) -> Result<Self> {
        let printer = match shown {
            Shown::Text | Shown::Json => Some((Printer::start()?, shown)),
            Shown::View | Shown::Nothing => None,
        };
        let sight = match shown {
            Shown::View => {
                let shown = view::Shown::default();
                let screen = Screen::open(shown.clone(), output.colour, Arc::clone(over));
                let screen = screen.context("cannot use the terminal (--text prints lines instead)")?;
                Some(Sight { view: View::new(), shown, screen })
            }
            _ => None,
        };
        let tables = match &job.tables {
            Some((path, every)) => Some(Tables {
                segments: Segments::create(path)?,
                every: *every,
                next: Instant::now() + *every,
            }),
            None => None,
        };
        let counters = match server {
            Some(server) => {
                let metrics = Metrics::new(now());
                let ready = Ready::default();
                ready.set(metrics.text());
                if let Ok(address) = server.address() {
                    output.note(&format!("metrics are at http://{address}/metrics"));
                }
                let text = ready.clone();
                let serving = server.serve(move || text.text()).context("cannot begin a thread")?;
                Some(Counters { metrics, ready, _serving: serving })
            }
            None => None,
        };
        Ok(Self { teller: Teller::default(), printer, tables, counters, sight })
    }

    /// Takes what a batch settles.
    pub fn settled(&mut self, batch: &Analysis<'_>) {
        let mut lines = Lines::default();
        let Self { teller, counters, .. } = self;
        teller.settled(batch, |told| note(&told, &mut lines, counters.as_mut()));
        self.print(&lines, batch, false);
        if let Some(sight) = &mut self.sight {
            sight.view.settled(batch);
        }
        if let Some(tables) = &mut self.tables {
            tables.segments.take(batch);
        }
    }

    /// Takes a look at what is not settled yet.
    pub fn peeked(&mut self, peek: &Analysis<'_>, session: &Session<'_>, capturing: &Capturing) {
        let now = capturing.clock;
        let mut lines = Lines::default();
        let Self { teller, counters, .. } = self;
        let findings = teller.peeked(peek, now, |told| note(&told, &mut lines, counters.as_mut()));
        if let Some(counters) = counters {
            counters.metrics.update(peek, session, capturing);
            counters.ready.set(counters.metrics.text());
        }
        self.print(&lines, peek, false);
        if let Some(Sight { view, shown, .. }) = &mut self.sight {
            shown.set(view.update(peek, &findings, capturing.clone()));
        }
        if let Some(tables) = self.tables.as_mut().filter(|tables| tables.next <= Instant::now()) {
            tables.next = Instant::now() + tables.every;
            tables.segments.close(peek, &findings, now);
        }
    }

    /// Completes the files although their time has not come.
    pub fn reopen(&mut self) {
        if let Some(tables) = &mut self.tables {
            tables.next = Instant::now();
        }
    }

    /// A session ended and another follows: everything is settled, and findings begin anew.
    pub fn renew(&mut self, last: &Analysis<'_>) {
        let mut lines = Lines::default();
        let teller = std::mem::take(&mut self.teller);
        let counters = &mut self.counters;
        let findings = teller.finish(last, |told| note(&told, &mut lines, counters.as_mut()));
        self.print(&lines, last, false);
        if let Some(sight) = &mut self.sight {
            sight.view.settled(last);
            sight.view.renew();
        }
        if let Some(tables) = &mut self.tables {
            tables.segments.take(last);
            tables.segments.close(last, &findings, last.watermark.unwrap_or_default());
        }
    }

    /// Tells the last of it, and waits until everything is written.
    pub fn finish(mut self, last: &Analysis<'_>, now: CaptureTime, output: &Output) {
        let mut lines = Lines::default();
        let teller = std::mem::take(&mut self.teller);
        let findings = teller.finish(last, |told| lines.note(&told));
        self.print(&lines, last, true);
        if let Some(tables) = self.tables.take() {
            for error in tables.segments.finish(last, &findings, now) {
                output.error(&error.to_string());
            }
        }
        if let Some((mut printer, _)) = self.printer {
            printer.finish();
        }
        if let Some(sight) = self.sight
            && let Err(error) = sight.screen.close()
        {
            output.error(&format!("the view failed: {error}"));
        }
    }

    /// What went wrong with outputs since the last call.
    pub fn troubles(&self) -> Vec<String> {
        let tables = self.tables.iter().flat_map(|tables| tables.segments.troubles());
        tables.map(|error| error.to_string()).collect()
    }

    /// Lines that standard output was too slow for, and rows that the disk was too slow for.
    pub fn dropped(&self) -> (u64, u64) {
        let lines = self.printer.as_ref().map_or(0, |(printer, _)| printer.dropped());
        (lines, self.tables.as_ref().map_or(0, |tables| tables.segments.dropped()))
    }

    /// Whether standard output's reader went away, and nobody else is told anything.
    pub fn is_over(&self) -> bool {
        self.tables.is_none()
            && self.counters.is_none()
            && self.printer.as_ref().is_some_and(|(printer, _)| printer.is_closed())
    }

    /// So often a look at what is not settled yet is of use; absent when nobody asks for it.
    pub fn look_every(&self) -> Option<Duration> {
        if self.sight.is_some() {
            return Some(Duration::from_millis(500));
        }
        (self.printer.is_some() || self.tables.is_some() || self.counters.is_some())
            .then_some(Duration::from_secs(1))
    }

    /// Whether the terminal is the view's, so that nobody else may write to it.
    pub const fn has_terminal(&self) -> bool {
        self.sight.is_some()
    }

    fn print(&mut self, lines: &Lines, analysis: &Analysis<'_>, last: bool) {
        let Some((printer, shown)) = self.printer.as_mut().filter(|_| !lines.is_empty()) else { return };
        let lot = match shown {
            Shown::Json => Lot::Json(lines.rows(analysis)),
            _ => Lot::Text(lines.text(analysis), lines.len() as u64),
        };
        if last { printer.print_last(lot) } else { printer.print(lot) }
    }
}

/// Passes on what is told.
fn note(told: &Told<'_>, lines: &mut Lines, counters: Option<&mut Counters>) {
    lines.note(told);
    if let Some(counters) = counters {
        counters.metrics.told(told);
    }
}
