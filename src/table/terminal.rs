//! Rows as a table for a terminal: aligned, wrapped, at most so wide.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use super::cell::Cell;
use super::layout::{GAP, Need, fit, pieces, width, wrap};
use super::rows::Rows;
use super::schema::Column;
use super::text::{date_and_time, escape, shown, utc};

/// Text wider than this may be wrapped, and stays at least about this wide.
const READABLE: usize = 22;

/// How to draw a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// Terminal cells of a line.
    pub width: usize,
    /// Whether to use colour and weight.
    pub colour: bool,
    /// Rows that are drawn; the rest is only counted.
    pub max_rows: usize,
    /// Columns that say nothing new beside the others.
    pub without: &'static [&'static str],
}

/// A table that was drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawing {
    /// The lines, each with its line feed.
    pub text: String,
    /// Rows that were not drawn.
    pub hidden_rows: usize,
    /// Columns that had no room.
    pub hidden_columns: Vec<&'static str>,
    /// Columns left out because no drawn row has a value in them.
    pub empty_columns: Vec<&'static str>,
}

/// One column on its way to the terminal.
struct Lane {
    column: &'static Column,
    heading: String,
    cells: Vec<String>,
    right: bool,
}

/// Draws rows. Columns of the schema's higher ranks give way when the line is full.
pub fn draw(rows: &Rows, view: &View) -> Drawing {
    let shown_rows = rows.len().min(view.max_rows);
    let unwanted =
        |column: usize| rows.table().columns.get(column).is_some_and(|it| view.without.contains(&it.name));
    let (lanes, empty): (Vec<Lane>, Vec<Lane>) = (0..rows.table().columns.len())
        .filter(|column| !unwanted(*column))
        .filter_map(|column| Lane::new(rows, column, shown_rows))
        .partition(|lane| {
            shown_rows == 0 || lane.column.rank == 0 || lane.cells.iter().any(|cell| !cell.is_empty())
        });
    let needs: Vec<Need> = lanes.iter().map(Lane::need).collect();
    let widths = fit(&needs, view.width);

    let kept: Vec<(&Lane, usize)> =
        lanes.iter().zip(&widths).filter_map(|(lane, width)| width.map(|width| (lane, width))).collect();
    let dropped = lanes.iter().zip(&widths).filter(|(_, width)| width.is_none());
    let mut text = String::new();
    draw_heading(&mut text, &kept, view.colour);
    for row in 0..shown_rows {
        draw_row(&mut text, &kept, row, view.colour);
    }
    Drawing {
        text,
        hidden_rows: rows.len() - shown_rows,
        hidden_columns: dropped
            .map(|(lane, _)| lane.column.name)
            .chain(view.without.iter().copied())
            .collect(),
        empty_columns: empty.iter().map(|lane| lane.column.name).collect(),
    }
}

/// A paragraph wrapped to lines of at most `width` terminal cells, with a line feed after the last.
pub fn paragraph(text: &str, width: usize) -> String {
    wrap(text, width, &[]).join("\n") + "\n"
}

impl Lane {
    /// The texts of a column's first rows.
    fn new(rows: &Rows, index: usize, count: usize) -> Option<Self> {
        let column = rows.table().columns.get(index)?;
        let lane = Self {
            column,
            heading: escape(column.name).into_owned(),
            cells: Vec::new(),
            right: column.kind.is_number(),
        };
        let cells = (0..count).map(|row| rows.cell(row, index));
        Some(if rows.is_instant(index) {
            lane.instants(cells)
        } else {
            lane.with(cells.map(|c| shown(&c)).collect())
        })
    }

    fn with(self, cells: Vec<String>) -> Self {
        Self { cells, ..self }
    }

    /// Instants are shown in UTC; a day that all of them share moves to the heading.
    fn instants<'a>(self, cells: impl Iterator<Item = Cell<'a>>) -> Self {
        let instants: Vec<Option<i64>> =
            cells.map(|cell| if let Cell::I64(ns) = cell { Some(ns) } else { None }).collect();
        let mut days = instants.iter().flatten().map(|ns| date_and_time(*ns).0);
        let first = days.next();
        let one_day = first.filter(|first| days.all(|day| day == *first));
        let show = |ns: &Option<i64>| match (ns, &one_day) {
            (None, _) => String::new(),
            (Some(ns), None) => utc(*ns),
            (Some(ns), Some(_)) => date_and_time(*ns).1,
        };
        let cells = instants.iter().map(show).collect();
        let name = self.column.name.trim_end_matches("_ns");
        let heading = format!("{name} UTC {}", one_day.unwrap_or_default()).trim_end().to_owned();
        Self { heading, cells, right: false, ..self }
    }

    /// The room that the column asks for.
    fn need(&self) -> Need {
        let lengths: Vec<usize> = self.cells.iter().map(|cell| width(cell)).collect();
        let cells = lengths.iter().copied().max().unwrap_or(0);
        let word = |text: &String| text.split(' ').map(width).max().unwrap_or(0);
        let longest_word = self.cells.iter().map(word).max().unwrap_or(0);
        let pieces =
            pieces(&self.heading, &['_']).iter().map(|piece| width(piece.trim_end())).max().unwrap_or(0);
        let wrapped = if cells > READABLE { longest_word.clamp(READABLE, READABLE + 2) } else { cells };
        // The heading of an instant is long because of its date, which may well stand in a second line.
        let heading = if self.heading == self.column.name { width(&self.heading) } else { pieces };
        Need {
            natural: cells.max(heading),
            minimum: wrapped.max(pieces),
            rank: self.column.rank,
            cells: lengths,
        }
    }
}

/// The names of the columns, standing on a thin rule.
fn draw_heading(text: &mut String, lanes: &[(&Lane, usize)], colour: bool) {
    let headings: Vec<Vec<String>> =
        lanes.iter().map(|(lane, width)| wrap(&lane.heading, *width, &['_'])).collect();
    let height = headings.iter().map(Vec::len).max().unwrap_or(0);
    let bold = Style::new().bold();
    for line in 0..height {
        let words = lanes.iter().zip(&headings).map(|((lane, width), heading)| {
            // Short headings stand at the bottom.
            let word = (line + heading.len()).checked_sub(height).and_then(|i| heading.get(i));
            (word.map_or("", String::as_str), *width, lane.right, bold)
        });
        draw_line(text, words, colour);
    }
    let rules: Vec<String> = lanes.iter().map(|(_, width)| "─".repeat(*width)).collect();
    let dim = Style::new().dimmed();
    draw_line(
        text,
        lanes.iter().zip(&rules).map(|((_, width), rule)| (rule.as_str(), *width, false, dim)),
        colour,
    );
}

/// One row, on as many lines as its longest cell takes.
fn draw_row(text: &mut String, lanes: &[(&Lane, usize)], row: usize, colour: bool) {
    let cells: Vec<(&Lane, usize, Vec<String>)> = lanes
        .iter()
        .map(|(lane, width)| {
            let cell = lane.cells.get(row).map_or("", String::as_str);
            (*lane, *width, if cell.is_empty() { vec!["-".to_owned()] } else { wrap(cell, *width, &[]) })
        })
        .collect();
    let height = cells.iter().map(|(.., lines)| lines.len()).max().unwrap_or(0);
    for line in 0..height {
        let words = cells.iter().map(|(lane, width, lines)| {
            let cell = lane.cells.get(row).map_or("", String::as_str);
            (lines.get(line).map_or("", String::as_str), *width, lane.right, accent(lane.column.name, cell))
        });
        draw_line(text, words, colour);
    }
}

/// One line of words, each with its column's width, alignment and style; no spaces at the end.
fn draw_line<'a>(
    text: &mut String,
    words: impl Iterator<Item = (&'a str, usize, bool, Style)>,
    colour: bool,
) {
    let mut pending = 0;
    for (word, column, right, style) in words {
        let padding = column.saturating_sub(width(word));
        if right {
            pending += padding;
        }
        if !word.is_empty() {
            text.extend(std::iter::repeat_n(' ', pending));
            pending = 0;
            if colour && style != Style::new() {
                // Writing into a `String` cannot fail.
                let _ = write!(text, "{style}{word}{style:#}");
            } else {
                text.push_str(word);
            }
        }
        pending += GAP + if right { 0 } else { padding };
    }
    text.push('\n');
}

/// Colour only where the eye should stop, and weakness for what is not there.
fn accent(column: &str, cell: &str) -> Style {
    let colour = |colour: AnsiColor| colour.on_default();
    match (column, cell) {
        (_, "") => Style::new().dimmed(),
        ("severity", "error") | ("agrees", "false") => colour(AnsiColor::Red),
        ("severity", "warning") | ("outcome", "no-answer" | "nak" | "offer-only") => {
            colour(AnsiColor::Yellow)
        }
        _ => Style::new(),
    }
}

#[cfg(test)]
#[path = "terminal_tests.rs"]
mod tests;
