//! Rows of one table on their way to its file, in the order of the contract although they come in batches.

use std::cmp::Ordering;

use super::rows::Rows;
use super::schema::Table;
use super::scribe::{Desk, Gone};
use super::write::GROUP_ROWS;
use crate::units::{CaptureTime, FrameRef};

/// Rows of a table that wait for earlier ones at most; beyond, the earliest are written.
pub const HELD_ROWS: usize = 131_072;

/// Bytes of rows that are written together at most, give or take a thousand rows.
const GROUP_BYTES: usize = 6 << 20;

/// Where a row stands in its table: `(ts_ns, source, frame)`, or another number in place of the frame's.
pub(super) type Place = (CaptureTime, FrameRef);

/// Appends a row by its index among those of a batch.
type Push<'a> = Box<dyn Fn(&mut Rows, usize) + 'a>;

/// The rows that a batch has for a table, still to be made.
pub(super) struct Entries<'a> {
    /// How many they are.
    pub count: usize,
    /// Where one of them stands, by its index.
    pub place: Box<dyn Fn(usize) -> Place + 'a>,
    /// Appends one of them, by its index.
    pub push: Push<'a>,
}

impl Entries<'_> {
    /// All of them as rows, in order.
    pub fn rows(&self, table: &'static Table, ranks: &Ranks) -> Rows {
        let mut rows = Rows::new(table);
        for (_, at) in self.order(ranks) {
            (self.push)(&mut rows, at);
        }
        rows
    }

    /// Their places in order, with their indices; what stands at one place keeps its order.
    fn order(&self, ranks: &Ranks) -> Vec<(Place, usize)> {
        let mut places: Vec<(Place, usize)> = (0..self.count).map(|at| ((self.place)(at), at)).collect();
        if !places.is_sorted_by(|(a, _), (b, _)| ranks.compare(a, b).is_le()) {
            places.sort_by(|(a, _), (b, _)| ranks.compare(a, b));
        }
        places
    }
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
    /// Rows that a later batch may have to precede, and some that are written already.
    held: Rows,
    /// Those that are not, in order, with their row in `held`.
    waiting: Vec<(Place, usize)>,
    /// Where the last row stands that is not late.
    last: Option<Place>,
    late: u64,
}

impl Stream {
    /// Nothing for a file yet.
    pub fn new(desk: Option<Desk>, table: &'static Table) -> Self {
        let (group, held) = (Rows::new(table), Rows::new(table));
        Self { desk, group, held, waiting: Vec::new(), last: None, late: 0 }
    }

    /// Takes the rows of a batch and writes those before `until`, or all without it.
    pub fn take(
        &mut self,
        entries: &Entries<'_>,
        ranks: &Ranks,
        until: Option<CaptureTime>,
    ) -> Result<(), Gone> {
        self.group.forget();
        self.held.forget();
        let waiting = std::mem::take(&mut self.waiting);
        let mut excess = (waiting.len() + entries.count).saturating_sub(HELD_ROWS);
        let mut settled = |place: &Place| {
            let full = excess > 0;
            excess = excess.saturating_sub(1);
            full || until.is_none_or(|until| place.0 < until)
        };
        let mut old = waiting.into_iter().peekable();
        for (place, at) in entries.order(ranks) {
            while let Some((before, row)) = old.next_if(|(old, _)| ranks.compare(old, &place).is_le()) {
                self.release(before, row, ranks, settled(&before))?;
            }
            if settled(&place) {
                (entries.push)(&mut self.group, at);
                self.close_row(place, ranks)?;
            } else {
                self.waiting.push((place, self.held.len()));
                (entries.push)(&mut self.held, at);
            }
        }
        for (before, row) in old {
            self.release(before, row, ranks, settled(&before))?;
        }
        self.tidy();
        Ok(())
    }

    /// Writes a row that was held, if it is settled now.
    fn release(&mut self, place: Place, row: usize, ranks: &Ranks, settled: bool) -> Result<(), Gone> {
        if !settled {
            self.waiting.push((place, row));
            return Ok(());
        }
        self.group.push_from(&self.held, row);
        self.close_row(place, ranks)
    }

    /// Lets go of held rows that were written, when they are more than those that still wait.
    fn tidy(&mut self) {
        if self.waiting.is_empty() {
            self.held.clear();
        } else if self.held.len() > 2 * self.waiting.len() {
            let mut held = Rows::new(self.held.table());
            for (_, row) in &mut self.waiting {
                held.push_from(&self.held, *row);
                *row = held.len() - 1;
            }
            self.held = held;
        }
    }

    /// Counts a row of the group, and writes the group when it is full.
    fn close_row(&mut self, place: Place, ranks: &Ranks) -> Result<(), Gone> {
        if self.last.is_some_and(|last| ranks.compare(&place, &last).is_lt()) {
            self.late += 1;
        } else {
            self.last = Some(place);
        }
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
        debug_assert!(self.waiting.is_empty(), "rows of {} were held to the end", self.held.table().name);
        self.hand_over()
    }

    /// The table, and how many of its rows were written too late for their place,
    /// because more than [`HELD_ROWS`] would have had to wait.
    pub const fn late(&self) -> (&'static Table, u64) {
        (self.group.table(), self.late)
    }
}
