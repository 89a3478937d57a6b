//! `dorascope check`: expected leases against observed ones.

use anyhow::Result;
use dorascope::cells;
use dorascope::explain::check::{CheckedTable, check, lines, passed};
use dorascope::explain::text::render;
use dorascope::ha::expect::Expectations;
use dorascope::table::{Cell, Rows, schema};

use super::exit::Exit;
use super::output::{Output, text};
use super::reading::read;
use super::resolve::{CheckJob, Shape};
use super::topology;

/// Prints the tables of expectations with what was observed.
pub fn run(job: &CheckJob, output: &Output) -> Result<Exit> {
    let topology = topology::load(&job.inputs.topology, output)?;
    let expectations = Expectations::load(&job.expect)?;
    for unknown in expectations.unknown_names(&topology) {
        output.note(&format!("{}: {unknown}", job.expect.display()));
    }
    let (analysis, exit) = read(&job.inputs, &topology, output)?;
    if exit == Exit::Failed {
        return Ok(exit);
    }
    let tables = check(&analysis, &expectations);
    if job.shape == Shape::Table {
        text(&render(&lines(&tables, output.width), output.colour))?;
    } else {
        output.rows(&rows(&tables), job.shape, usize::MAX)?;
    }
    // A row that was never seen has not passed.
    Ok(if exit == Exit::Done && !passed(&tables) { Exit::Findings } else { exit })
}

/// One row per cell of the expectation tables.
fn rows(tables: &[CheckedTable]) -> Rows {
    let mut rows = Rows::new(&schema::CHECK);
    for table in tables {
        for row in &table.rows {
            let on = table.servers.iter().zip(&row.on).filter(|(_, on)| **on).map(|(server, _)| server);
            let on: Vec<&String> = on.collect();
            for cell in &row.cells {
                rows.push(&cells![
                    &table.title,
                    on.iter().copied().collect::<Cell<'_>>(),
                    &cell.client,
                    cell.expected.as_ref(),
                    cell.observed.iter().collect::<Cell<'_>>(),
                    cell.fate.as_str(),
                    cell.exchanges.iter().map(ToString::to_string).collect::<Cell<'_>>(),
                ]);
            }
        }
    }
    rows
}
