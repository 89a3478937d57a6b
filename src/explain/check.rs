//! Expected leases against observed ones: the tables of expect.toml, filled.

use super::text::{Line, Role};
use crate::exchange::{Exchange, Kind, Outcome};
use crate::ha::catalogue::Verdict;
use crate::ha::expect::{Expectations, Row, Table};
use crate::ha::timeline::{Asked, Service};
use crate::pipeline::Analysis;
use crate::units::{CaptureTime, ExchangeId, ServerId};

/// How a cell of an expectation table fared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// Observed as expected.
    Matches,
    /// Observed otherwise.
    Differs,
    /// The captures never show this combination of servers while the client asked.
    NotSeen,
}

impl Fate {
    /// The word of the tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Matches => "matches",
            Self::Differs => "differs",
            Self::NotSeen => "not-seen",
        }
    }
}

/// One cell: one client in one combination of servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedCell {
    /// The client's name.
    pub client: String,
    /// The expected server; absent for no lease.
    pub expected: Option<String>,
    /// The servers that gave leases, in order of time, then `none` when the client also asked in
    /// vain; empty for no lease at all.
    pub observed: Vec<String>,
    /// The exchanges that this rests on.
    pub exchanges: Vec<ExchangeId>,
    /// The result.
    pub fate: Fate,
}

/// One row: one combination of servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedRow {
    /// For every server of the table whether it is on in this row.
    pub on: Vec<bool>,
    /// One cell per client.
    pub cells: Vec<CheckedCell>,
}

/// A table filled with what was observed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedTable {
    /// Its heading.
    pub title: String,
    /// Its server columns.
    pub servers: Vec<String>,
    /// Its client columns.
    pub clients: Vec<String>,
    /// Its rows in file order.
    pub rows: Vec<CheckedRow>,
}

/// Fills every table. Whether a server was on is read from the evidence: a
/// server is on while it runs with its DHCP service on, off while connections
/// to it are refused or its partner has taken over.
pub fn check(analysis: &Analysis<'_>, expectations: &Expectations) -> Vec<CheckedTable> {
    expectations
        .tables
        .iter()
        .map(|table| CheckedTable {
            title: table.title.clone(),
            servers: table.servers.clone(),
            clients: table.clients.clone(),
            rows: table.rows.iter().map(|row| check_row(analysis, table, row)).collect(),
        })
        .collect()
}

fn check_row(analysis: &Analysis<'_>, table: &Table, row: &Row) -> CheckedRow {
    let on: Vec<bool> = table.servers.iter().map(|server| row.on.contains(server)).collect();
    let cells = table
        .clients
        .iter()
        .zip(&row.lease)
        .map(|(client, expected)| check_cell(analysis, table, &on, client, expected.as_deref()))
        .collect();
    CheckedRow { on, cells }
}

fn check_cell(
    analysis: &Analysis<'_>,
    table: &Table,
    on: &[bool],
    client: &str,
    expected: Option<&str>,
) -> CheckedCell {
    let mut exchanges = Vec::new();
    let mut observed: Vec<String> = Vec::new();
    let mut unserved = false;
    for exchange in analysis.exchanges.iter().filter(|exchange| is_client(analysis, exchange, client)) {
        let outcome = exchange.outcome(&analysis.messages);
        let asks = matches!(exchange.kind, Kind::Select | Kind::InitReboot | Kind::Renew | Kind::Rebind);
        // A REQUEST of INIT-REBOOT, renewal or rebinding that nobody answers is followed by a DISCOVER, which counts.
        let decides = outcome == Outcome::Bound || exchange.kind == Kind::Select;
        if !asks || !decides || outcome == Outcome::OfferOnly || !in_row(analysis, exchange, table, on) {
            continue;
        }
        exchanges.push(exchange.id);
        let judgement = analysis.exchange(exchange.id).map(|(_, judgement)| judgement);
        let server = judgement.and_then(|judgement| judgement.answered_by);
        // Waiting for a takeover is what the documentation describes; any other failure counts.
        let waits = judgement.is_some_and(|judgement| judgement.verdict == Verdict::OwnerDown);
        unserved |= outcome != Outcome::Bound && !waits;
        if let Some(server) = server.filter(|_| outcome == Outcome::Bound) {
            let name = analysis.network.machines.name(server).to_owned();
            if !observed.contains(&name) {
                observed.push(name);
            }
        }
    }
    let fate = match (exchanges.is_empty(), observed.as_slice(), expected) {
        (true, ..) => Fate::NotSeen,
        (false, [], None) => Fate::Matches,
        (false, [one], Some(expected)) if one == expected && !unserved => Fate::Matches,
        _ => Fate::Differs,
    };
    if unserved && !observed.is_empty() {
        observed.push("none".to_owned());
    }
    CheckedCell {
        client: client.to_owned(),
        expected: expected.map(str::to_owned),
        observed,
        exchanges,
        fate,
    }
}

fn is_client(analysis: &Analysis<'_>, exchange: &Exchange, client: &str) -> bool {
    let mac = exchange.client.chaddr;
    analysis.client_name(mac) == Some(client)
        || (!mac.is_empty() && mac.to_string().eq_ignore_ascii_case(client))
}

/// Whether every server of the table was as the row says when the exchange ended.
fn in_row(analysis: &Analysis<'_>, exchange: &Exchange, table: &Table, on: &[bool]) -> bool {
    table
        .servers
        .iter()
        .zip(on)
        .all(|(server, on)| was_on(analysis, exchange, server, exchange.end) == Some(*on))
}

fn was_on(analysis: &Analysis<'_>, exchange: &Exchange, server: &str, time: CaptureTime) -> Option<bool> {
    let id = analysis.network.machines.iter().find(|(_, machine)| machine.name == server)?.0;
    let (_, judgement) = analysis.exchange(exchange.id)?;
    if judgement.answered_by == Some(id) {
        return Some(true);
    }
    // A takeover says more than signs of life: a server that came back and does not serve yet is not on.
    if taken_over(analysis, exchange, id, time)
        || (judgement.verdict == Verdict::PartnerTookOver && judgement.owner == Some(id))
    {
        return Some(false);
    }
    analysis.timeline.ask().serving(id, time)
}

/// Whether a partner served this server's own scope at that time.
fn taken_over(analysis: &Analysis<'_>, exchange: &Exchange, server: ServerId, time: CaptureTime) -> bool {
    let topology = &*analysis.network.topology;
    topology.relationships_of(server).any(|id| {
        let peers = topology.relationship(id).map(|it| it.peers.as_slice()).unwrap_or_default();
        let own = peers.iter().position(|peer| peer.server == Some(server));
        own.is_some_and(|scope| {
            peers.iter().filter_map(|peer| peer.server).filter(|partner| *partner != server).any(|partner| {
                let place = (partner, id, scope);
                let timeline = analysis.timeline.ask();
                let standing = timeline.standing(
                    topology,
                    place,
                    Asked {
                        time,
                        exchange: exchange.id,
                        answered: false,
                        life: &timeline.life(partner, time),
                    },
                );
                standing.service == Service::Serves && standing.confidence >= 0.85
            })
        })
    })
}

/// Whether everything was seen and as expected.
pub fn passed(tables: &[CheckedTable]) -> bool {
    let mut cells = tables.iter().flat_map(|table| &table.rows).flat_map(|row| &row.cells);
    cells.all(|cell| cell.fate == Fate::Matches)
}

/// The filled tables for a terminal, with a closing count.
pub fn lines(tables: &[CheckedTable], width: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    for table in tables {
        lines.extend(table_lines(table, width));
        lines.push(Line::default());
    }
    let fates: Vec<Fate> = tables
        .iter()
        .flat_map(|table| &table.rows)
        .flat_map(|row| row.cells.iter().map(|cell| cell.fate))
        .collect();
    let count = |fate| fates.iter().filter(|one| **one == fate).count();
    let (good, bad, missing) = (count(Fate::Matches), count(Fate::Differs), count(Fate::NotSeen));
    let role = match (bad, missing) {
        (0, 0) => Role::Good,
        (0, _) => Role::Notable,
        _ => Role::Bad,
    };
    let text = format!("{good} of {} cells as expected, {bad} otherwise, {missing} not seen", fates.len());
    lines.push(Line::of([(role, text.as_str())]));
    lines
}

fn table_lines(table: &CheckedTable, width: usize) -> Vec<Line> {
    let words: Vec<Vec<(Role, String)>> = table
        .rows
        .iter()
        .map(|row| {
            let switches = row.on.iter().map(|on| (Role::Plain, if *on { "on" } else { "off" }.to_owned()));
            switches.chain(row.cells.iter().map(cell_text)).collect()
        })
        .collect();
    let headings: Vec<&String> = table.servers.iter().chain(&table.clients).collect();
    let mut widths: Vec<usize> = headings.iter().map(|heading| heading.chars().count()).collect();
    for row in &words {
        for (width, (_, text)) in widths.iter_mut().zip(row) {
            *width = (*width).max(text.chars().count());
        }
    }
    let mut lines = vec![Line::of([(Role::Strong, table.title.as_str())])];
    if widths.iter().sum::<usize>() + 2 * widths.len() > width {
        lines.extend(narrow(&headings, &words));
        return lines;
    }
    let mut heading = Line::default();
    let mut rule = Line::default();
    for (name, width) in headings.iter().zip(&widths) {
        heading.push(Role::Plain, format!("  {name:<width$}"));
        rule.push(Role::Weak, format!("  {}", "─".repeat(*width)));
    }
    lines.extend([heading, rule]);
    for row in &words {
        let mut line = Line::default();
        for ((role, text), width) in row.iter().zip(&widths) {
            line.push(Role::Plain, "  ");
            line.push(*role, format!("{text:<width$}"));
        }
        lines.push(line);
    }
    lines
}

/// For a terminal that is too narrow: one line per cell.
fn narrow(headings: &[&String], words: &[Vec<(Role, String)>]) -> Vec<Line> {
    let mut lines = Vec::new();
    for row in words {
        for (heading, (role, text)) in headings.iter().zip(row) {
            lines.push(Line::of([(Role::Plain, format!("  {heading}: ").as_str()), (*role, text.as_str())]));
        }
        lines.push(Line::default());
    }
    lines
}

fn cell_text(cell: &CheckedCell) -> (Role, String) {
    let observed = if cell.observed.is_empty() { "none".to_owned() } else { cell.observed.join(" and ") };
    let expected = cell.expected.as_deref().unwrap_or("none");
    match cell.fate {
        Fate::Matches => (Role::Good, format!("{observed} ✓")),
        Fate::Differs => (Role::Bad, format!("{observed} ✗ expected {expected}")),
        Fate::NotSeen => (Role::Notable, format!("not seen, expected {expected}")),
    }
}
