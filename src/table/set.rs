//! The tables of a run, written while it goes on.

use std::path::Path;

use super::directory::Directory;
use super::error::Error;
use super::fill::{Filler, Seen};
use super::schema::{self, Table};
use super::scribe::Scribe;
use super::stream::Stream;
use super::write::Format;
use crate::findings::Finding;
use crate::pipeline::Analysis;
use crate::units::CaptureTime;

/// The files of all tables of a directory, filled batch by batch in constant memory.
///
/// Rows keep the order of the contract across batches: those that a later batch
/// may have to precede wait, at most [`super::HELD_ROWS`] of a table. Leases are
/// ordered by their start but known at their end, so ended ones wait for those
/// that still run under the same limit; a capture with more is ordered in parts.
///
/// Each file gets its name when it is complete; dropping the set leaves none.
pub struct TableSet {
    messages: Stream,
    exchanges: Stream,
    leases: Stream,
    decisions: Stream,
    events: Stream,
    findings: Stream,
    sources: Stream,
    seen: Seen,
    scribe: Scribe,
}

impl TableSet {
    /// Opens a file for every table of [`schema::TABLES`], so that a bad path fails before the work.
    ///
    /// `force` as for [`Directory::create`].
    pub fn create(path: &Path, force: bool, format: Format) -> Result<Self, Error> {
        let directory = Directory::create(path, force)?;
        let files = schema::TABLES.iter().map(|table| directory.table(table, format));
        let files = files.collect::<Result<Vec<_>, _>>()?;
        let open = |table: &'static Table| {
            let name = (*table == schema::LEASES).then_some(lease_id as fn(u64) -> String);
            let file = schema::TABLES.iter().position(|it| it.name == table.name);
            Stream::new(file.unwrap_or(usize::MAX), table, name)
        };
        Ok(Self {
            messages: open(&schema::MESSAGES),
            exchanges: open(&schema::EXCHANGES),
            leases: open(&schema::LEASES),
            decisions: open(&schema::DECISIONS),
            events: open(&schema::HA_EVENTS),
            findings: open(&schema::FINDINGS),
            sources: open(&schema::SOURCES),
            seen: Seen::default(),
            scribe: Scribe::new(files),
        })
    }

    /// Appends what a batch settles.
    ///
    /// `watermark` is the earliest instant that a later batch may hold a row of;
    /// without it no later batch holds an earlier row.
    pub fn take(&mut self, batch: &Analysis<'_>, watermark: Option<CaptureTime>) -> Result<(), Error> {
        self.append(&Filler::new(batch), watermark, Some(CaptureTime(i64::MIN)))
    }

    /// Appends the last batch with the leases that still run, the findings and the sources, and completes the files.
    pub fn finish(mut self, last: &Analysis<'_>, findings: &[Finding]) -> Result<(), Error> {
        let filler = Filler::new(last);
        self.append(&filler, None, None)?;
        self.findings.take(&filler.finding_entries(findings), filler.ranks(), None, &mut self.scribe)?;
        self.sources.take(&filler.source_entries(), filler.ranks(), None, &mut self.scribe)?;
        for stream in [
            self.messages,
            self.exchanges,
            self.leases,
            self.decisions,
            self.events,
            self.findings,
            self.sources,
        ] {
            stream.finish(&mut self.scribe)?;
        }
        self.scribe.finish()
    }

    fn append(
        &mut self,
        filler: &Filler<'_>,
        until: Option<CaptureTime>,
        leases_until: Option<CaptureTime>,
    ) -> Result<(), Error> {
        let ranks = filler.ranks();
        self.messages.take(&filler.message_entries(), ranks, until, &mut self.scribe)?;
        self.exchanges.take(&filler.exchange_entries(), ranks, until, &mut self.scribe)?;
        self.leases.take(&filler.lease_entries(), ranks, leases_until, &mut self.scribe)?;
        self.decisions.take(&filler.decision_entries(), ranks, until, &mut self.scribe)?;
        self.events.take(&filler.event_entries(&mut self.seen), ranks, until, &mut self.scribe)
    }
}

/// Name of the lease in a row of its table.
pub(super) fn lease_id(row: u64) -> String {
    format!("l{}", row + 1)
}
