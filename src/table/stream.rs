//! Rows of one table on their way to its file, in the order of the contract although they come in batches.

use std::cmp::Ordering;

use super::cell::Cell;
use super::rows::Rows;
use super::schema::Table;
use super::scribe::{Desk, Gone};
use super::write::GROUP_ROWS;
use crate::units::{CaptureTime, FrameRef};

/// Rows of a table that wait for earlier ones at most; beyond, the earliest are written.
pub const HELD_ROWS: usize = 131_072;

/// Bytes of rows that are written together at most, give or take a thousand rows.
const GROUP_BYTES: usize = 12 << 20;

/// Where a row stands in its table: `(ts_ns, source, frame)`, or another number in place of the frame's.
pub(super) type Place = (CaptureTime, FrameRef);

/// Appends a row by its index among those of a batch, with its number in the table.
type Push<'a> = Box<dyn Fn(&mut Rows, usize, u64) + 'a>;

/// The rows that a batch has for a table, still to be made.
pub(super) struct Entries<'a> {
    /// How many they are.
    pub count: usize,
    /// Where one of them stands, by its index.
    pub place: Box<dyn Fn(usize) -> Place + 'a>,
    /// Appends one of them, by its index; the number is that of the row in its table, from 0.
    pub push: Push<'a>,
}

impl Entries<'_> {
    /// All of them as rows, in order.
    pub fn rows(&self, table: &'static Table, ranks: &Ranks) -> Rows {
        let mut rows = Rows::new(table);
        let order = self.order(ranks);
        for number in 0..self.count {
            (self.push)(&mut rows, nth(order.as_deref(), number), number as u64);
        }
        rows
    }

    /// Their indices in the order of their places, where that is another than theirs;
    /// what stands at one place keeps its order.
    fn order(&self, ranks: &Ranks) -> Option<Vec<usize>> {
        if (0..self.count).map(&self.place).is_sorted_by(|a, b| ranks.compare(a, b).is_le()) {
            return None;
        }
        let mut places: Vec<(Place, usize)> = (0..self.count).map(|at| ((self.place)(at), at)).collect();
        places.sort_by(|(a, _), (b, _)| ranks.compare(a, b));
        Some(places.into_iter().map(|(_, at)| at).collect())
    }
}

/// An index by its number in an order.
fn nth(order: Option<&[usize]>, number: usize) -> usize {
    order.map_or(number, |order| order.get(number).copied().unwrap_or_default())
}

/// The place of each source's name among all of them, by source.
#[derive(Clone, Debug, Default)]
pub(super) struct Ranks(Vec<usize>);

impl Ranks {
    /// Ranks of sources with these names.
    pub fn new(names: &[String]) -> Self {
        let mut sorted: Vec<&String> = names.iter().collect();
        sorted.sort();
        sorted.dedup();
        Self(names.iter().map(|name| sorted.binary_search(&name).unwrap_or_default()).collect())
    }

    fn compare(&self, a: &Place, b: &Place) -> Ordering {
        let rank = |at: FrameRef| self.0.get(at.source.0 as usize);
        a.0.cmp(&b.0).then_with(|| rank(a.1).cmp(&rank(b.1))).then_with(|| a.1.number.cmp(&b.1.number))
    }
}

/// Rows of a table that are not in its file yet.
pub(super) struct Stream {
    desk: Option<Desk>,
    /// Next rows of the file.
    group: Rows,
    /// Rows that a later batch may have to precede, in order.
    held: Rows,
    places: Vec<Place>,
    written: u64,
    /// Whether the first column numbers the rows; a row that is held has no number yet.
    name: Option<fn(u64) -> String>,
}

impl Stream {
    /// Nothing for a file yet.
    pub fn new(desk: Option<Desk>, table: &'static Table, name: Option<fn(u64) -> String>) -> Self {
        Self { desk, group: Rows::new(table), held: Rows::new(table), places: Vec::new(), written: 0, name }
    }

    /// Takes the rows of a batch and writes those before `until`, or all without it.
    pub fn take(
        &mut self,
        entries: &Entries<'_>,
        ranks: &Ranks,
        until: Option<CaptureTime>,
    ) -> Result<(), Gone> {
        self.group.forget();
        let held = std::mem::replace(&mut self.held, Rows::new(self.group.table()));
        let places = std::mem::take(&mut self.places);
        let mut excess = (held.len() + entries.count).saturating_sub(HELD_ROWS);
        let mut settled = |place: &Place| {
            let full = excess > 0;
            excess = excess.saturating_sub(1);
            full || until.is_none_or(|until| place.0 < until)
        };
        let mut old = places.iter().enumerate().peekable();
        let order = entries.order(ranks);
        for number in 0..entries.count {
            let at = nth(order.as_deref(), number);
            let place = &(entries.place)(at);
            while let Some((row, before)) = old.next_if(|(_, before)| ranks.compare(before, place).is_le()) {
                self.copy(&held, row, before, settled(before))?;
            }
            if settled(place) {
                (entries.push)(&mut self.group, at, self.written);
                self.close_row()?;
            } else {
                (entries.push)(&mut self.held, at, 0);
                self.places.push(*place);
            }
        }
        for (row, before) in old {
            self.copy(&held, row, before, settled(before))?;
        }
        Ok(())
    }

    /// Moves a row that was held.
    fn copy(&mut self, held: &Rows, row: usize, place: &Place, settled: bool) -> Result<(), Gone> {
        let mut cells = held.row(row);
        if !settled {
            self.held.push(&cells);
            self.places.push(*place);
            return Ok(());
        }
        if let Some((name, first)) = self.name.zip(cells.first_mut()) {
            *first = Cell::from(name(self.written));
        }
        self.group.push(&cells);
        self.close_row()
    }

    /// Counts a row of the group, and writes the group when it is full.
    fn close_row(&mut self) -> Result<(), Gone> {
        self.written += 1;
        let rows = self.group.len();
        // Rows can be big where the messages are, so their bytes are looked at now and then.
        if rows >= GROUP_ROWS || (rows.is_multiple_of(1024) && self.group.size() > GROUP_BYTES) {
            self.hand_over()?;
        }
        Ok(())
    }

    /// Has the group written.
    fn hand_over(&mut self) -> Result<(), Gone> {
        self.desk.as_ref().ok_or(Gone)?.write(&mut self.group)
    }

    /// Writes the last group; everything must have been settled.
    pub fn finish(&mut self) -> Result<(), Gone> {
        debug_assert!(self.held.is_empty(), "rows of {} were held to the end", self.held.table().name);
        self.hand_over()
    }
}
