//! The tables of a run, written while it goes on.

use std::panic::resume_unwind;
use std::path::Path;

use super::directory::Directory;
use super::error::Error;
use super::fill::{Filler, Seen};
use super::schema::{self, Table};
use super::scribe::{Gone, Scribe};
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
/// that still run under the same limit; a capture with more is ordered in parts,
/// and [`TableSet::finish`] says of which tables.
///
/// Each file gets its name when it is complete; dropping the set leaves none.
pub struct TableSet {
    /// In the order of [`schema::TABLES`].
    streams: [Stream; schema::TABLES.len()],
    seen: Seen,
    scribe: Scribe,
    /// The caller wants one thread.
    alone: bool,
}

impl TableSet {
    /// Opens a file for every table of [`schema::TABLES`], so that a bad path fails before the work.
    ///
    /// `force` as for [`Directory::create`]; with one of `threads` everything is done on the caller's.
    pub fn create(path: &Path, force: bool, format: Format, threads: usize) -> Result<Self, Error> {
        let directory = Directory::create(path, force)?;
        let mut files = Vec::new();
        for table in schema::TABLES {
            files.push(directory.table(table, format)?);
        }
        let alone = threads == 1;
        let (scribe, desks) = Scribe::new(files, alone);
        let mut desks = desks.into_iter();
        let streams = schema::TABLES.map(|table| Stream::new(desks.next(), table));
        Ok(Self { streams, seen: Seen::default(), scribe, alone })
    }

    /// Appends what a batch settles; rows that a later batch may have to precede wait
    /// ([`Analysis::watermark`]).
    pub fn take(&mut self, batch: &Analysis<'_>) -> Result<(), Error> {
        let appended = self.append(&Filler::new(batch), batch.watermark, batch.leases_watermark);
        appended.or_else(|Gone| self.scribe.end())
    }

    /// Appends the last batch with the leases that still run, the findings and the sources, and completes the files.
    ///
    /// Tables that are ordered in parts only are told, with the number of rows that come too late.
    pub fn finish(
        mut self,
        last: &Analysis<'_>,
        findings: &[Finding],
    ) -> Result<Vec<(&'static Table, u64)>, Error> {
        match self.append_last(&Filler::new(last), findings) {
            Ok(()) => self.scribe.finish()?,
            Err(Gone) => self.scribe.end()?,
        }
        Ok(self.streams.iter().map(Stream::late).filter(|(_, rows)| *rows > 0).collect())
    }

    fn append_last(&mut self, filler: &Filler<'_>, findings: &[Finding]) -> Result<(), Gone> {
        self.append(filler, None, None)?;
        let [.., found, sources] = &mut self.streams;
        found.take(&filler.finding_entries(findings), filler.ranks(), None)?;
        sources.take(&filler.source_entries(), filler.ranks(), None)?;
        self.streams.iter_mut().try_for_each(Stream::finish)
    }

    /// Appends a batch on two threads that have about the same to do.
    fn append(
        &mut self,
        filler: &Filler<'_>,
        until: Option<CaptureTime>,
        leases_until: Option<CaptureTime>,
    ) -> Result<(), Gone> {
        let ranks = filler.ranks();
        let [messages, exchanges, leases, decisions, events, ..] = &mut self.streams;
        let mut what_was_made_of_them = || {
            decisions.take(&filler.decision_entries(), ranks, until)?;
            exchanges.take(&filler.exchange_entries(), ranks, until)
        };
        let seen = &mut self.seen;
        let mut what_was_there = || {
            messages.take(&filler.message_entries(), ranks, until)?;
            leases.take(&filler.lease_entries(), ranks, leases_until)?;
            events.take(&filler.event_entries(seen), ranks, until)
        };
        if self.alone {
            what_was_made_of_them()?;
            return what_was_there();
        }
        std::thread::scope(|scope| {
            let made = scope.spawn(what_was_made_of_them);
            what_was_there()?;
            made.join().unwrap_or_else(|panic| resume_unwind(panic))
        })
    }
}
