//! Values on their way into a column, without a [`Cell`] in between.

use super::cell::Cell;
use super::texts::Text;
use super::values::Values;
use crate::units::CaptureTime;

/// A value that a column can take.
pub(super) trait Put: Sized {
    /// Appends it; null where the column is of another kind, at which a debug build stops.
    fn put(self, column: &mut Values);

    /// Appends a null to a column that takes such values.
    #[inline]
    fn put_null(column: &mut Values) {
        column.push_null();
    }
}

impl<T: Text> Put for T {
    #[inline]
    fn put(self, column: &mut Values) {
        match column {
            Values::Text(texts) => texts.push(&self),
            _ => column.push_misfit(&"a text"),
        }
    }

    #[inline]
    fn put_null(column: &mut Values) {
        match column {
            Values::Text(texts) => texts.push_null(),
            _ => column.push_null(),
        }
    }
}

impl<T: Put> Put for Option<T> {
    #[inline]
    fn put(self, column: &mut Values) {
        match self {
            Some(value) => value.put(column),
            None => T::put_null(column),
        }
    }
}

/// `Put` for the types that have a way in; the kind that a column of them mostly has is tried first.
macro_rules! put {
    ($($from:ty => $kind:ident, |$value:ident, $column:ident| $do:expr;)*) => {
        $(impl Put for $from {
            #[inline]
            fn put(self, $column: &mut Values) {
                if let Values::$kind(numbers) = $column {
                    return numbers.push(Some(self));
                }
                let $value = self;
                $do
            }

            #[inline]
            fn put_null(column: &mut Values) {
                match column {
                    Values::$kind(numbers) => numbers.push(None),
                    _ => column.push_null(),
                }
            }
        })*
    };
}

put! {
    bool => Bool, |v, column| column.push_misfit(&v);
    u8 => U8, |v, column| column.push_unsigned(v.into());
    u16 => U16, |v, column| column.push_unsigned(v.into());
    u32 => U32, |v, column| column.push_unsigned(v.into());
    u64 => U64, |v, column| column.push_unsigned(v);
    i64 => I64, |v, column| column.push_signed(v);
    f64 => F64, |v, column| column.push_misfit(&v);
}

impl Put for CaptureTime {
    #[inline]
    fn put(self, column: &mut Values) {
        self.0.put(column);
    }
}

/// The items of a list.
pub(super) struct List<I>(pub I);

impl<I: IntoIterator<Item: Put>> Put for List<I> {
    fn put(self, column: &mut Values) {
        match column {
            Values::List(lists) => {
                for item in self.0 {
                    item.put(&mut lists.items);
                }
                lists.close(true);
            }
            _ => column.push_misfit(&"a list"),
        }
    }
}

/// A list of numbers from 0 to 255.
impl Put for &[u8] {
    fn put(self, column: &mut Values) {
        match column {
            Values::List(lists) => {
                lists.items.extend_bytes(self);
                lists.close(true);
            }
            _ => column.push_misfit(&"a list"),
        }
    }
}

/// `Put` for the fields of a struct, in schema order.
macro_rules! fields {
    ($($name:ident),*) => {
        impl<$($name: Put),*> Put for ($($name,)*) {
            #[allow(non_snake_case, reason = "types and their values share a name")]
            fn put(self, column: &mut Values) {
                let ($($name,)*) = self;
                match column {
                    Values::Struct { fields, len } => {
                        let mut fields = fields.iter_mut();
                        $(if let Some(field) = fields.next() {
                            $name.put(field);
                        })*
                        debug_assert!(fields.next().is_none(), "fields of a struct");
                        *len += 1;
                    }
                    _ => column.push_misfit(&"a struct"),
                }
            }
        }
    };
}

fields!(A, B);
fields!(A, B, C, D);

impl Put for &Cell<'_> {
    fn put(self, column: &mut Values) {
        match (self, column) {
            (Cell::Null, column) => column.push_null(),
            (Cell::Bool(v), column) => (*v).put(column),
            (Cell::U64(v), column) => (*v).put(column),
            (Cell::I64(v), column) => (*v).put(column),
            (Cell::F64(v), column) => (*v).put(column),
            (Cell::Text(v), column) => v.as_ref().put(column),
            (Cell::Ip(v), column) => (*v).put(column),
            (Cell::Mac(v), column) => (*v).put(column),
            (Cell::Xid(v), column) => (*v).put(column),
            (Cell::List(items), column) => List(items).put(column),
            (Cell::Struct(cells), Values::Struct { fields, len }) => {
                for (at, field) in fields.iter_mut().enumerate() {
                    cells.get(at).unwrap_or(&Cell::Null).put(field);
                }
                *len += 1;
            }
            (cell, column) => column.push_misfit(cell),
        }
    }
}

/// Appends a row to [`Rows`](super::Rows): one value per column, in schema order.
macro_rules! row {
    ($rows:expr; $($value:expr),* $(,)?) => {{
        let mut row = $rows.begin();
        $(row.put($value);)*
        row.end();
    }};
}
pub(super) use row;

/// A row that is being appended.
pub(super) struct Row<'r> {
    /// Columns without a value.
    pub columns: std::slice::IterMut<'r, Values>,
}

impl Row<'_> {
    /// The value of the next column.
    #[inline]
    pub fn put(&mut self, value: impl Put) {
        match self.columns.next() {
            Some(column) => value.put(column),
            None => debug_assert!(false, "more values than columns"),
        }
    }

    /// Nulls for the columns that got none, at which a debug build stops.
    pub fn end(self) {
        debug_assert!(self.columns.len() == 0, "fewer values than columns");
        self.columns.for_each(Values::push_null);
    }
}
