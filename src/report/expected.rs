//! The tables of expectations, filled with what was observed, and what each cell rests on.

use super::document::{Block, Column, Datum, Grid, Item, Link, Section, Words};
use super::gather::Gathered;
use crate::explain::check::{CheckedCell, CheckedRow, CheckedTable, Fate};
use crate::explain::text::Role;

/// The section; none without expectations.
pub fn section(gathered: &Gathered) -> Option<Section> {
    if gathered.checked.is_empty() {
        return None;
    }
    let mut blocks = vec![Block::Paragraph(verdict(&gathered.checked).into())];
    for (number, table) in gathered.checked.iter().enumerate() {
        blocks.push(Block::Heading(Words::from(&table.title)));
        blocks.push(Block::Table(grid(number, table)));
        blocks.push(Block::List(table.rows.iter().flat_map(|row| proofs(gathered, table, row)).collect()));
    }
    Some(Section { anchor: "expected", heading: "Expected and observed leases", blocks })
}

/// `The tables of expected leases: 8 of 8 cells as expected, 0 otherwise, 0 not seen.`
pub fn verdict(tables: &[CheckedTable]) -> String {
    let cells = || tables.iter().flat_map(|table| &table.rows).flat_map(|row| &row.cells);
    let count = |fate| cells().filter(|cell| cell.fate == fate).count();
    format!(
        "The tables of expected leases: {} of {} cells as expected, {} otherwise, {} not seen.",
        count(Fate::Matches),
        cells().count(),
        count(Fate::Differs),
        count(Fate::NotSeen)
    )
}

fn grid(number: usize, table: &CheckedTable) -> Grid {
    let heading = |heading: String| Column { heading: heading.into(), number: false };
    let servers = table.servers.iter().map(|server| heading(server.clone()));
    let clients = table.clients.iter().map(|client| heading(format!("{client} lease")));
    let row = |row: &CheckedRow| {
        let switches = row.on.iter().map(|on| Datum::from(if *on { "on" } else { "off" }));
        switches.chain(row.cells.iter().map(cell)).collect()
    };
    Grid {
        anchor: format!("expected-{}", number + 1),
        caption: format!("{}: who gives the lease when which server is on", table.title).into(),
        columns: servers.chain(clients).collect(),
        rows: table.rows.iter().map(row).collect(),
        rest: Words::default(),
    }
}

fn cell(cell: &CheckedCell) -> Datum {
    let observed = if cell.observed.is_empty() { "none".to_owned() } else { cell.observed.join(" and ") };
    let expected = cell.expected.as_deref().unwrap_or("none");
    match cell.fate {
        Fate::Matches => Datum::of(Role::Good, format!("{observed} ✓ as expected")),
        Fate::Differs => Datum::of(Role::Bad, format!("{observed} ✗ expected {expected}")),
        Fate::NotSeen => Datum::of(Role::Notable, format!("not seen, expected {expected}")),
    }
}

/// One sentence per cell that was seen: that of its first exchange.
fn proofs(gathered: &Gathered, table: &CheckedTable, row: &CheckedRow) -> Vec<Item> {
    let switches = table.servers.iter().zip(&row.on);
    let switches: Vec<String> =
        switches.map(|(server, on)| format!("{server} {}", if *on { "on" } else { "off" })).collect();
    let proof = |cell: &CheckedCell| {
        let first = cell.exchanges.first()?;
        let reason = gathered.proofs.get(first)?;
        let more = match cell.exchanges.len() - 1 {
            0 => String::new(),
            1 => "; the same server answered in 1 more exchange".to_owned(),
            more => format!("; the same server answered in {more} more exchanges"),
        };
        Some(Item {
            about: format!("{}, {}", cell.client, switches.join(", ")).into(),
            text: format!("{reason}{more}.").into(),
            link: Some(Link::to(first)),
        })
    };
    row.cells.iter().filter_map(proof).collect()
}
