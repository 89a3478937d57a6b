//! One value on its way into or out of a table.

use std::borrow::Cow;
use std::net::Ipv4Addr;

use crate::units::{CaptureTime, HwAddr, Xid};

/// One value of a row.
///
/// The address variants exist so that a row can be pushed without making a
/// `String` of each; they are stored, and read back, as text.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Cell<'a> {
    /// No value.
    #[default]
    Null,
    /// A truth value.
    Bool(bool),
    /// Fits every unsigned column that is wide enough.
    U64(u64),
    /// For signed columns.
    I64(i64),
    /// For float columns.
    F64(f64),
    /// Text, borrowed wherever that is possible.
    Text(Cow<'a, str>),
    /// An address, stored as text.
    Ip(Ipv4Addr),
    /// A hardware address, stored as text; the empty address is stored as null.
    Mac(HwAddr),
    /// A transaction identifier, stored as text.
    Xid(Xid),
    /// The items of a list.
    List(Vec<Cell<'a>>),
    /// The fields of a struct, in schema order.
    Struct(Vec<Cell<'a>>),
}

impl Cell<'_> {
    /// Whether there is no value.
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The value as plain text: lists joined by spaces, structs by `|`, null as nothing.
    ///
    /// This is the notation of CSV.
    pub fn plain(&self) -> Cow<'_, str> {
        match self {
            Self::Null => Cow::Borrowed(""),
            Self::Bool(v) => Cow::Borrowed(if *v { "true" } else { "false" }),
            Self::U64(v) => Cow::Owned(v.to_string()),
            Self::I64(v) => Cow::Owned(v.to_string()),
            // With a point even for whole numbers, as in JSON.
            Self::F64(v) => Cow::Owned(format!("{v:?}")),
            Self::Text(v) => Cow::Borrowed(v),
            Self::Ip(v) => Cow::Owned(v.to_string()),
            Self::Mac(v) => Cow::Owned(v.to_string()),
            Self::Xid(v) => Cow::Owned(v.to_string()),
            Self::List(items) => Cow::Owned(joined(items, " ")),
            Self::Struct(fields) => Cow::Owned(joined(fields, "|")),
        }
    }
}

/// The plain texts of `cells` with `separator` between them.
fn joined(cells: &[Cell<'_>], separator: &str) -> String {
    cells.iter().map(Cell::plain).collect::<Vec<_>>().join(separator)
}

/// `From` for the types whose variant only has to be named.
macro_rules! from {
    ($($from:ty => |$value:ident| $cell:expr;)*) => {
        $(impl<'a> From<$from> for Cell<'a> {
            fn from($value: $from) -> Self { $cell }
        })*
    };
}

from! {
    bool => |v| Cell::Bool(v);
    u8 => |v| Cell::U64(v.into());
    u16 => |v| Cell::U64(v.into());
    u32 => |v| Cell::U64(v.into());
    u64 => |v| Cell::U64(v);
    i64 => |v| Cell::I64(v);
    f64 => |v| Cell::F64(v);
    &'a str => |v| Cell::Text(Cow::Borrowed(v));
    &'a String => |v| Cell::Text(Cow::Borrowed(v));
    String => |v| Cell::Text(Cow::Owned(v));
    Cow<'a, str> => |v| Cell::Text(v);
    Ipv4Addr => |v| Cell::Ip(v);
    HwAddr => |v| Cell::Mac(v);
    Xid => |v| Cell::Xid(v);
    CaptureTime => |v| Cell::I64(v.0);
    Vec<Cell<'a>> => |v| Cell::List(v);
}

impl<'a, T: Into<Cell<'a>>> From<Option<T>> for Cell<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl<'a, T: Into<Cell<'a>>> FromIterator<T> for Cell<'a> {
    /// A list of the items.
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_the_notation_of_csv() {
        assert_eq!(Cell::from(None::<u8>).plain(), "");
        assert_eq!(Cell::from(Xid(0x1a)).plain(), "0000001a");
        assert_eq!(["a", "b"].into_iter().collect::<Cell<'_>>().plain(), "a b");
        let offer = Cell::Struct(crate::cells!["s1", Ipv4Addr::new(10, 0, 0, 9), 5i64, "a#1"].to_vec());
        assert_eq!(Cell::List(vec![offer.clone(), offer]).plain(), "s1|10.0.0.9|5|a#1 s1|10.0.0.9|5|a#1");
    }
}
