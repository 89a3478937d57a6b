//! Columns that fit a width: what matters least gives way first.

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::paint::cut;

/// One column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) heading: &'static str,
    /// It never takes more cells.
    pub(super) most: usize,
    /// Of those that can be left out, the highest number goes first; 0 stays.
    pub(super) spare: u8,
    pub(super) right: bool,
}

impl Column {
    pub(super) const fn new(heading: &'static str, most: usize, spare: u8) -> Self {
        Self { heading, most, spare, right: false }
    }

    /// Cells behind it: a sign stands close to what it is about.
    const fn gap(&self, close: bool) -> usize {
        if self.most == 1 || close { 1 } else { 2 }
    }

    pub(super) const fn right(self) -> Self {
        Self { right: true, ..self }
    }
}

/// One cell.
pub(super) type Cell = (Style, String);

/// Where the columns of a list stand.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    columns: Vec<Column>,
    /// Cells of each column; absent where there is no room for it.
    widths: Vec<Option<usize>>,
    /// Columns stand as close as they can.
    close: bool,
}

/// Before columns up to this number are left out, they all move closer.
const WANTED: u8 = 2;

/// A column of text for which less would be left is left out.
const LEAST: usize = 16;

impl Grid {
    /// For rows whose cells are so wide at most.
    pub(super) fn new(columns: &[Column], naturals: &[usize], room: usize) -> Self {
        let natural = |(column, natural): (&Column, &usize)| {
            // A column that nobody fills needs no heading.
            (*natural > 0).then(|| (*natural).max(column.heading.width()).min(column.most))
        };
        let mut widths: Vec<Option<usize>> = columns.iter().zip(naturals).map(natural).collect();
        let mut close = false;
        let total = |widths: &[Option<usize>], close: bool| {
            let shown = columns.iter().zip(widths).filter_map(|(column, width)| Some((column, (*width)?)));
            let mut gap = 0;
            shown.fold(0, |sum, (column, width)| sum + std::mem::replace(&mut gap, column.gap(close)) + width)
        };
        while total(&widths, close) > room {
            let over = total(&widths, close) - room;
            let shown = columns.iter().zip(&widths).enumerate().filter(|(_, (_, width))| width.is_some());
            let spare = shown.max_by_key(|(_, (column, _))| column.spare);
            let Some((at, (column, Some(wide)))) = spare else { break };
            if column.spare <= WANTED && !close {
                close = true;
                continue;
            }
            if column.spare == 0 {
                // Nothing can be left out any more: the widest shrinks.
                let widest = widths.iter_mut().flatten().max();
                match widest {
                    Some(wide) if *wide > 1 => *wide -= 1,
                    _ => break,
                }
                continue;
            }
            let shrunk = wide.checked_sub(over).filter(|left| *left >= LEAST);
            if let Some(place) = widths.get_mut(at) {
                *place = shrunk;
            }
        }
        Self { columns: columns.to_vec(), widths, close }
    }

    /// For these rows.
    pub(super) fn of<const N: usize>(columns: &[Column; N], rows: &[[Cell; N]], room: usize) -> Self {
        let natural = |at: usize| rows.iter().map(|row| row[at].1.width()).max().unwrap_or_default();
        let naturals: [usize; N] = std::array::from_fn(natural);
        Self::new(columns, &naturals, room)
    }

    /// The headings.
    pub(super) fn head(&self, style: Style) -> Line<'static> {
        let cells = self.columns.iter().map(|column| (style, column.heading.to_owned())).collect();
        self.row(cells, None)
    }

    /// A row; with a style of its own it fills the room.
    pub(super) fn row(&self, cells: Vec<Cell>, whole: Option<Style>) -> Line<'static> {
        let mut spans: Vec<Span<'static>> = Vec::new();
        let shown = self.columns.iter().zip(&self.widths).zip(cells);
        let shown = shown.filter_map(|((column, width), cell)| Some((column, (*width)?, cell)));
        let mut gap = 0;
        for (column, width, (style, text)) in shown {
            spans.push(Span::raw(" ".repeat(std::mem::replace(&mut gap, column.gap(self.close)))));
            let text = cut(&text, width).into_owned();
            let rest = " ".repeat(width.saturating_sub(text.width()));
            let style = if whole.is_some() { Style::new() } else { style };
            if column.right {
                spans.extend([Span::raw(rest), Span::styled(text, style)]);
            } else {
                spans.extend([Span::styled(text, style), Span::raw(rest)]);
            }
        }
        Line::from(spans).style(whole.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 4] = [
        Column::new("name", 20, 0),
        Column::new("zone", 10, 4),
        Column::new("count", 5, 0).right(),
        Column::new("text", 100, 3),
    ];

    fn row(room: usize) -> String {
        let grid = Grid::new(&COLUMNS, &[8, 5, 2, 30], room);
        let texts = ["zaldua12", "wire1", "12", "a sentence of thirty letters.."];
        grid.row(texts.map(|text| (Style::new(), text.to_owned())).to_vec(), None).to_string()
    }

    #[test]
    fn the_least_important_column_goes_first() {
        assert_eq!(row(60), "zaldua12  wire1     12  a sentence of thirty letters..");
        assert_eq!(row(50), "zaldua12     12  a sentence of thirty letters..", "the zone has no room");
        assert_eq!(row(40), "zaldua12     12  a sentence of thirty l…", "then the text shrinks");
        assert_eq!(row(20), "zaldua12     12", "and goes");
        assert_eq!(row(14), "zaldua12    12", "then they move closer");
        assert_eq!(row(10), "zald…   12", "and the widest shrinks");
    }
}
