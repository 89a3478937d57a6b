//! Rows of one table in memory, stored by column.

use super::cell::Cell;
use super::put::Row;
use super::schema::{EPOCH_NS, Table};
use super::values::Values;

/// Rows of one table.
///
/// The pipeline pushes one row at a time; the writers and the terminal read
/// them. Rows keep the order in which they came.
#[derive(Clone, Debug)]
pub struct Rows {
    table: &'static Table,
    pub(super) columns: Vec<Values>,
    len: usize,
}

impl Rows {
    /// No rows of `table`.
    pub fn new(table: &'static Table) -> Self {
        Self { table, columns: table.columns.iter().map(|c| Values::new(&c.kind)).collect(), len: 0 }
    }

    /// The table whose rows these are.
    pub const fn table(&self) -> &'static Table {
        self.table
    }

    /// Number of rows.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends a row: one cell per column, in schema order.
    ///
    /// A row that is too short is filled with nulls, and a cell that its column
    /// cannot hold becomes null; a debug build stops at either.
    pub fn push(&mut self, row: &[Cell<'_>]) {
        let mut next = self.begin();
        for cell in row {
            next.put(cell);
        }
        next.end();
    }

    /// Begins a row, to which values are appended by column.
    pub(super) fn begin(&mut self) -> Row<'_> {
        self.len += 1;
        Row { columns: self.columns.iter_mut() }
    }

    /// Appends a row of another part of the same table.
    pub(super) fn push_from(&mut self, other: &Self, row: usize) {
        let columns = self.columns.iter_mut().zip(&other.columns);
        columns.for_each(|(to, from)| to.push_from(from, row));
        self.len += 1;
    }

    /// Forgets what the keys of texts stand for, because they were those of another batch.
    pub(super) fn forget(&mut self) {
        self.columns.iter_mut().for_each(Values::forget);
    }

    /// Bytes that the rows take, about.
    pub(super) fn size(&self) -> usize {
        self.columns.iter().map(Values::size).sum()
    }

    /// Removes every row; what was allocated stays.
    pub(super) fn clear(&mut self) {
        self.columns.iter_mut().for_each(Values::clear);
        self.len = 0;
    }

    /// The value of a row and column by position; null beyond the end.
    pub fn cell(&self, row: usize, column: usize) -> Cell<'_> {
        self.columns.get(column).map_or(Cell::Null, |values| values.get(row))
    }

    /// The value of a row in the column of that name; null when there is no such column.
    pub fn get(&self, row: usize, column: &str) -> Cell<'_> {
        self.table.position(column).map_or(Cell::Null, |column| self.cell(row, column))
    }

    /// The cells of one row.
    pub fn row(&self, row: usize) -> Vec<Cell<'_>> {
        self.columns.iter().map(|values| values.get(row)).collect()
    }

    /// Appends the rows of another part of the same table, as shards produce them.
    pub fn append(&mut self, other: &Self) {
        debug_assert_eq!(self.table, other.table, "parts of two tables");
        (0..other.len).for_each(|row| self.push_from(other, row));
    }

    /// The same rows in another order; `order` holds row numbers.
    #[must_use]
    pub fn reordered(&self, order: &[usize]) -> Self {
        let mut rows = Self::new(self.table);
        for row in order {
            rows.push_from(self, *row);
        }
        rows
    }

    /// Whether a column holds instants (nanoseconds since the epoch).
    pub(super) fn is_instant(&self, column: usize) -> bool {
        self.table.columns.get(column).is_some_and(|c| c.unit == EPOCH_NS)
    }
}

#[cfg(test)]
mod tests {
    use super::super::schema;
    use super::*;
    use crate::cells;
    use crate::units::HwAddr;

    #[test]
    fn what_was_pushed_is_read_back() {
        let mut rows = Rows::new(&schema::FINDINGS);
        let frames: Cell<'_> = ["a#1", "b#2"].into_iter().collect();
        rows.push(&cells![
            "no-answer",
            "error",
            5i64,
            9i64,
            3u8,
            None::<&str>,
            "s1",
            "c1",
            "text",
            frames.clone()
        ]);
        rows.push(&cells!["x", "note", 6i64, 6i64, 1u64, "z", None::<&str>, "", "", Cell::List(vec![])]);
        assert_eq!(rows.get(0, "count"), Cell::U64(3));
        assert_eq!(rows.get(0, "zone"), Cell::Null);
        assert_eq!(rows.get(0, "frames"), frames);
        assert_eq!(rows.get(1, "client"), Cell::from(""));
        assert_eq!(rows.get(1, "frames"), Cell::List(vec![]));
        assert_eq!(rows.get(2, "code"), Cell::Null);
        assert_eq!(rows.get(0, "no such column"), Cell::Null);

        let swapped = rows.reordered(&[1, 0]);
        assert_eq!(swapped.row(1), rows.row(0));
        rows.append(&swapped);
        assert_eq!((rows.len(), rows.row(2)), (4, swapped.row(0)));
    }

    #[test]
    fn an_empty_hardware_address_is_null() {
        let mut rows = Rows::new(&schema::HASH);
        rows.push(&cells![HwAddr::default(), "hwaddr", 7u8, "secondary"]);
        assert_eq!(rows.get(0, "key"), Cell::Null);
    }
}
