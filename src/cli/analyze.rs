//! `dorascope analyze`: every table of the captures.

use anyhow::Result;
use dorascope::exchange::lease::Lease;
use dorascope::findings::Finder;
use dorascope::ha::topology::Topology;
use dorascope::pipeline::{Analysis, Counts};
use dorascope::table::fill::Filler;
use dorascope::table::terminal::paragraph;
use dorascope::table::{Rows, TableSet, schema};

use super::exit::Exit;
use super::output::{FIRST_ROWS, Output, text};
use super::reading::stream;
use super::resolve::{AnalyzeJob, Destination, Inputs, Shape};
use super::topology;

/// Findings that are printed below the leases.
const FIRST_FINDINGS: usize = 12;

/// Reads the captures, prints the leases or writes the tables.
pub fn run(job: &AnalyzeJob, output: &Output) -> Result<Exit> {
    let topology = topology::load(&job.inputs.topology, output)?;
    match &job.destination {
        Destination::Print(Shape::Table) => print(&job.inputs, &topology, output),
        Destination::Print(shape) => {
            let mut leases = Vec::new();
            let keep = |batch: &Analysis<'_>| leases.extend_from_slice(&batch.leases);
            let (last, exit) = stream(&job.inputs, &topology, output, true, keep)?;
            if exit != Exit::Failed {
                leases.extend_from_slice(&last.leases);
                leases.sort_by_key(|lease| (lease.start, lease.exchange));
                output.rows(&Filler::new(&last).lease_rows(&leases), *shape, usize::MAX)?;
            }
            Ok(exit)
        }
        Destination::Directory { path, force, format } => {
            // A directory that cannot be written to should fail before the work, not after it.
            let set = TableSet::create(path, *force, *format, job.inputs.threads)?;
            let (totals, exit) = fill(set, &job.inputs, &topology, output)?;
            if let Some(totals) = totals {
                output.note(&format!("{totals}; {} tables in {}", schema::TABLES.len(), path.display()));
            }
            Ok(exit)
        }
    }
}

/// Reads the captures into a set of tables, and says in a line what was read; nothing when nothing could be.
pub fn fill(
    mut set: TableSet,
    inputs: &Inputs,
    topology: &Topology,
    output: &Output,
) -> Result<(Option<String>, Exit)> {
    let (mut seen, mut trouble) = (Seen::default(), None);
    let (last, exit) = stream(inputs, topology, output, true, |batch| {
        seen.take(batch);
        if trouble.is_none() {
            trouble = set.take(batch).err();
        }
    })?;
    if let Some(trouble) = trouble {
        return Err(trouble.into());
    }
    if exit == Exit::Failed {
        return Ok((None, exit));
    }
    seen.take(&last);
    let findings = std::mem::take(&mut seen.finder).finish(&last);
    let late = set.finish(&last, &findings)?;
    let mut totals = seen.totals(&last, findings.len());
    for (table, rows) in late {
        totals = format!("{totals}; {rows} rows of {} out of order, too many had to wait", table.name);
    }
    Ok((Some(totals), exit))
}

/// What is kept of the batches.
#[derive(Default)]
struct Seen {
    finder: Finder,
    /// The first leases, for the terminal.
    leases: Vec<Lease>,
    /// All leases.
    count: usize,
}

impl Seen {
    fn take(&mut self, batch: &Analysis<'_>) {
        self.finder.take(batch);
        self.count += batch.leases.len();
        self.leases.extend(batch.leases.iter().take(FIRST_ROWS).cloned());
        self.leases.sort_by_key(|lease| (lease.start, lease.exchange));
        self.leases.truncate(FIRST_ROWS);
    }

    /// What was read and what came of it, in one line.
    fn totals(&self, last: &Analysis<'_>, findings: usize) -> String {
        let counts = last.counts.total();
        let mut line = format!(
            "{} frames: {} DHCP messages, {} control segments, {} others; {} exchanges, {} leases, {findings} findings",
            counts.frames(),
            counts.messages,
            counts.control,
            counts.skipped(),
            last.settled,
            self.count,
        );
        let Counts { evicted, forgotten, .. } = last.counts;
        if evicted > 0 {
            line =
                format!("{line}; {evicted} exchanges closed early, because too many were open at one time");
        }
        if forgotten > 0 {
            line = format!("{line}; {forgotten} leases not followed to their end, too many ran");
        }
        line
    }
}

/// Leases, findings and totals for people.
fn print(inputs: &Inputs, topology: &Topology, output: &Output) -> Result<Exit> {
    let mut seen = Seen::default();
    let (last, exit) = stream(inputs, topology, output, false, |batch| seen.take(batch))?;
    if exit == Exit::Failed {
        return Ok(exit);
    }
    seen.take(&last);
    let findings = std::mem::take(&mut seen.finder).finish(&last);
    let filler = Filler::new(&last);
    if seen.leases.is_empty() {
        text("no address was bound to a client\n")?;
    } else {
        let first = filler.lease_rows(&seen.leases);
        output.first_of(&named(&first), seen.count, &["chaddr"])?;
    }
    if !findings.is_empty() {
        text(&format!("\n{}\n", output.strong("Findings")))?;
        output.aside(&filler.finding_rows(&findings), FIRST_FINDINGS)?;
    }
    text(&format!("\n{}", output.weak(&paragraph(&seen.totals(&last, findings.len()), output.width))))?;
    Ok(exit)
}

/// The leases with a name for every client: its hardware address where there is no better one.
fn named(leases: &Rows) -> Rows {
    let place = |column| leases.table().position(column);
    let mut rows = Rows::new(leases.table());
    for row in 0..leases.len() {
        let mut cells = leases.row(row);
        let chaddr = leases.get(row, "chaddr");
        if let Some(name) =
            place("client_name").and_then(|at| cells.get_mut(at)).filter(|cell| cell.is_null())
        {
            *name = chaddr;
        }
        rows.push(&cells);
    }
    rows
}
