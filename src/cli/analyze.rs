//! `dorascope analyze`: every table of the captures.

use anyhow::Result;
use dorascope::pipeline::Analysis;
use dorascope::table::fill::Filler;
use dorascope::table::terminal::paragraph;
use dorascope::table::{Rows, TableSet, schema};

use super::exit::Exit;
use super::output::{FIRST_ROWS, Output, text};
use super::reading::read;
use super::resolve::{AnalyzeJob, Destination, Shape};
use super::topology;

/// Findings that are printed below the leases.
const FIRST_FINDINGS: usize = 12;

/// Reads the captures, prints the leases or writes the tables.
pub fn run(job: &AnalyzeJob, output: &Output) -> Result<Exit> {
    let topology = topology::load(&job.inputs.topology, output)?;
    // A directory that cannot be written to should fail before the work, not after it.
    let set = match &job.destination {
        Destination::Directory { path, force, format } => Some(TableSet::create(path, *force, *format)?),
        Destination::Print(_) => None,
    };
    let (analysis, exit) = read(&job.inputs, &topology, output)?;
    if exit == Exit::Failed {
        return Ok(exit);
    }
    let filler = Filler::new(&analysis);
    match &job.destination {
        Destination::Print(Shape::Table) => print(&analysis, &filler, output)?,
        Destination::Print(shape) => output.rows(&filler.leases(), *shape, usize::MAX)?,
        Destination::Directory { path, .. } => {
            if let Some(set) = set {
                set.finish(&analysis, filler.found())?;
            }
            let count = schema::TABLES.len();
            output.note(&format!("{}; {count} tables in {}", totals(&analysis, &filler), path.display()));
        }
    }
    Ok(exit)
}

/// Leases, findings and totals for people.
fn print(analysis: &Analysis<'_>, filler: &Filler<'_>, output: &Output) -> Result<()> {
    let leases = filler.leases();
    if leases.is_empty() {
        text("no address was bound to a client\n")?;
    } else {
        output.table(&named(&leases), FIRST_ROWS, &["chaddr"])?;
    }
    let findings = filler.findings();
    if !findings.is_empty() {
        text(&format!("\n{}\n", output.strong("Findings")))?;
        output.rows(&findings, Shape::Table, FIRST_FINDINGS)?;
    }
    text(&format!("\n{}", output.weak(&paragraph(&totals(analysis, filler), output.width))))
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

/// What was read and what came of it, in one line.
fn totals(analysis: &Analysis<'_>, filler: &Filler<'_>) -> String {
    let counts = analysis.counts.total();
    let mut line = format!(
        "{} frames: {} DHCP messages, {} control segments, {} others; {} exchanges, {} leases, {} findings",
        counts.frames(),
        counts.messages,
        counts.control,
        counts.skipped(),
        analysis.exchanges.len(),
        analysis.leases.len(),
        filler.found().len(),
    );
    if analysis.counts.evicted > 0 {
        let evicted = analysis.counts.evicted;
        line = format!("{line}; {evicted} exchanges closed early, the table was full");
    }
    line
}
