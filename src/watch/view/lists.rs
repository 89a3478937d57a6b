//! The two lists: exchanges with their verdicts, and findings.

use ratatui::text::{Line, Span};

use super::draw::rule;
use super::grid::{Cell, Column, Grid};
use super::head::clock;
use super::paint::{Paint, number};
use super::servers::ago;
use super::ui::{List, Ui};
use super::{Mark, Row, Told};
use crate::explain::text::Role;
use crate::findings::Severity;

const EXCHANGES: [Column; 10] = [
    Column::new("", 1, 0),
    Column::new("time", 12, 0),
    Column::new("client", 30, 0),
    Column::new("zone", 12, 5),
    Column::new("step", 12, 0),
    Column::new("address", 15, 2),
    Column::new("server", 24, 0),
    Column::new("verdict", 34, 0),
    Column::new("sure", 4, 4),
    Column::new("why", 400, 7),
];

const FINDINGS: [Column; 5] = [
    Column::new("", 7, 0),
    Column::new("code", 34, 0),
    Column::new("count", 9, 0).right(),
    Column::new("last", 8, 4),
    Column::new("finding", 400, 3),
];

/// A terminal that has room for milliseconds.
const WIDE: usize = 120;
/// A sentence over several lines is easier to read when they are no wider.
const SENTENCE: usize = 110;

/// The list that the user sees, in so many lines.
pub(super) fn lines(ui: &mut Ui, room: usize, high: usize) -> Vec<Line<'static>> {
    let (exchanges, findings) = (ui.exchanges(), ui.findings());
    let mut lines = vec![tabs(ui, exchanges.len(), findings.len(), room)];
    let paint = ui.paint;
    let body = high.saturating_sub(2);
    let inner = room.saturating_sub(2);
    let (list, chosen) = match ui.list {
        List::Exchanges => {
            let keys: Vec<u64> = exchanges.iter().map(|row| u64::from(row.id.0)).collect();
            let rows: Vec<[Cell; 10]> =
                exchanges.iter().map(|row| exchange(row, paint, room >= WIDE)).collect();
            let list = list(ui, (&EXCHANGES, rows), &keys, (inner, body), "No DHCP exchange yet.");
            let (at, _) = ui.placed(&keys, body);
            (list, exchanges.get(at).filter(|row| !is_open(row)).map(|row| row.reason.clone()))
        }
        List::Findings => {
            let keys: Vec<u64> = findings.iter().map(|told| told.key).collect();
            let rows: Vec<[Cell; 5]> = findings.iter().map(|told| finding(told, paint)).collect();
            let empty = "Nothing asks for an operator's attention.";
            let list = list(ui, (&FINDINGS, rows), &keys, (inner, body), empty);
            let (at, _) = ui.placed(&keys, body);
            (list, findings.get(at).map(|told| told.text.clone()))
        }
    };
    lines.extend(list);
    whole(&mut lines, &chosen.unwrap_or_default(), room, high);
    lines
}

/// The sentence of the chosen entry, below the list, where it is cut there and where there is room.
fn whole(lines: &mut Vec<Line<'static>>, sentence: &str, room: usize, high: usize) {
    let is_cut = !sentence.is_empty() && !lines.iter().any(|line| line.to_string().contains(sentence));
    let wrapped = crate::explain::text::wrap(sentence, room.saturating_sub(2).min(SENTENCE));
    let Some(from) = high.checked_sub(wrapped.len()).filter(|from| is_cut && *from > lines.len()) else {
        return;
    };
    lines.resize(from, Line::default());
    lines.extend(wrapped.into_iter().map(|line| Line::from(format!(" {line}"))));
}

fn tabs(ui: &Ui, exchanges: usize, findings: usize, room: usize) -> Line<'static> {
    let paint = ui.paint;
    let snapshot = ui.snapshot();
    let severe = |severity| snapshot.findings.iter().filter(|it| it.severity == severity).count();
    let (errors, warnings) = (severe(Severity::Error), severe(Severity::Warning));
    let tab = |list: List, text: String| {
        let style = if ui.list == list { paint.accent() } else { paint.of(Role::Plain) };
        Span::styled(text, style)
    };
    let is_filtered = !ui.filter.is_empty();
    let of = |found: usize, all: u64| {
        if is_filtered && all > 0 { format!("{found} found of {}", number(all)) } else { number(all) }
    };
    let all = (snapshot.findings.len() + snapshot.more_findings) as u64;
    let mut left = vec![
        tab(List::Exchanges, format!("Exchanges {}", of(exchanges, snapshot.begun()))),
        paint.span(Role::Weak, " │ "),
        tab(List::Findings, format!("Findings {}", of(findings, all))),
    ];
    let severe = [(errors, "error", Role::Bad), (warnings, "warning", Role::Notable)];
    for (at, (count, what, role)) in severe.into_iter().filter(|(count, ..)| *count > 0).enumerate() {
        let comma = if at == 0 { ": " } else { ", " };
        left.extend([Span::raw(comma), paint.span(role, plural(count, what))]);
    }
    let right = if is_filtered && !ui.is_typing {
        vec![
            paint.span(Role::Notable, format!("filter: {}", ui.filter)),
            paint.span(Role::Weak, " (Esc clears)"),
        ]
    } else {
        Vec::new()
    };
    rule(paint, left, right, room)
}

fn plural(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// The headings, and the entries around the chosen one.
fn list<const N: usize>(
    ui: &mut Ui,
    (columns, rows): (&[Column; N], Vec<[Cell; N]>),
    keys: &[u64],
    (room, lines): (usize, usize),
    empty: &str,
) -> Vec<Line<'static>> {
    let paint = ui.paint;
    let (at, top) = ui.placed(keys, lines);
    if rows.is_empty() {
        let text =
            if ui.filter.is_empty() { empty.to_owned() } else { format!("Nothing has \"{}\".", ui.filter) };
        return vec![Line::default(), Line::from(paint.span(Role::Weak, format!("   {text}")))];
    }
    let grid = Grid::of(columns, &rows, room);
    let mut shown = vec![indented(grid.head(paint.of(Role::Weak)), 0)];
    for (place, row) in rows.into_iter().enumerate().skip(top).take(lines) {
        let chosen = (place == at).then(Paint::chosen);
        let line = indented(grid.row(row.to_vec(), chosen), 0);
        let rest = (room + 2).saturating_sub(line.width());
        shown.push(if place == at { indented(line, rest) } else { line });
    }
    shown
}

/// A cell before it, and a reversed line to the end of the room.
fn indented(mut line: Line<'static>, rest: usize) -> Line<'static> {
    if rest > 0 {
        line.spans.push(Span::raw(" ".repeat(rest)));
    } else {
        line.spans.insert(0, Span::raw(" "));
    }
    line
}

/// The most severe findings, for a terminal that has room for them below the exchanges.
pub(super) fn preview(ui: &Ui, room: usize, most: usize) -> Vec<Line<'static>> {
    let paint = ui.paint;
    let rows: Vec<[Cell; 5]> = ui.findings().iter().take(most).map(|told| finding(told, paint)).collect();
    if ui.list != List::Exchanges || rows.is_empty() {
        return Vec::new();
    }
    let grid = Grid::of(&FINDINGS, &rows, room.saturating_sub(2));
    let title = vec![paint.span(Role::Strong, "The most severe findings")];
    let head = rule(paint, title, Vec::new(), room);
    let rows = rows.into_iter().map(|row| indented(grid.row(row.to_vec(), None), 0));
    std::iter::once(head).chain(rows).collect()
}

fn exchange(row: &Row, paint: Paint, ms: bool) -> [Cell; 10] {
    let of = |role: Role, text: String| (paint.of(role), text);
    let mark = match row.mark {
        Mark::Running(..) => Role::Strong,
        Mark::Provisional => Role::Weak,
        Mark::Settled => Role::Good,
    };
    let times = if row.attempts > 1 { format!(" ×{}", row.attempts) } else { String::new() };
    let verdict = match row.mark {
        Mark::Running(quiet, what) if !what.is_empty() => {
            of(Role::Plain, format!("no {what} for {}", ago(quiet)))
        }
        _ => of(row.role, row.verdict.code().to_owned()),
    };
    let is_open = is_open(row);
    [
        of(mark, row.mark.sign().to_owned()),
        of(Role::Plain, clock(row.start, ms)),
        of(Role::Strong, row.client.clone()),
        of(Role::Weak, row.zone.clone()),
        of(Role::Plain, format!("{}{times}", row.steps)),
        of(if row.is_given { Role::Plain } else { Role::Weak }, row.address.clone()),
        of(Role::Plain, row.server.clone()),
        verdict,
        of(Role::Weak, if is_open { String::new() } else { format!("{:.2}", row.confidence) }),
        of(Role::Weak, if is_open { String::new() } else { row.reason.clone() }),
    ]
}

fn finding(told: &Told, paint: Paint) -> [Cell; 5] {
    [
        (paint.of(told.role()), told.severity.as_str().to_owned()),
        (paint.of(Role::Strong), told.code.code().to_owned()),
        (paint.of(Role::Plain), number(told.count)),
        (paint.of(Role::Weak), clock(told.span.1, false)),
        (paint.of(Role::Plain), told.text.clone()),
    ]
}

/// Whether something is still due to an exchange, so that a verdict would be early.
fn is_open(row: &Row) -> bool {
    matches!(row.mark, Mark::Running(_, what) if !what.is_empty())
}
