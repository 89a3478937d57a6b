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
}

/// Between columns.
const GAP: usize = 2;
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
        let total = |widths: &[Option<usize>]| {
            let shown = widths.iter().flatten();
            shown.clone().sum::<usize>() + GAP * shown.count().saturating_sub(1)
        };
        while total(&widths) > room {
            let over = total(&widths) - room;
            let shown = columns.iter().zip(&widths).enumerate().filter(|(_, (_, width))| width.is_some());
            let spare = shown.max_by_key(|(_, (column, _))| column.spare);
            let Some((at, (column, Some(wide)))) = spare else { break };
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
        Self { columns: columns.to_vec(), widths }
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
        for (at, (column, width, (style, text))) in shown.enumerate() {
            if at > 0 {
                spans.push(Span::raw(" ".repeat(GAP)));
            }
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
        Column::new("zone", 10, 2),
        Column::new("count", 5, 0).right(),
        Column::new("text", 100, 1),
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
        assert_eq!(row(10), "za…     12".replace("za…     12", "zal…    12"), "then the widest shrinks");
    }
}
