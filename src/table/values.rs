//! The values of one column in memory, typed by its [`Kind`].

use std::fmt::Write as _;

use super::cell::Cell;
use super::schema::Kind;

/// The values of a column, or of the items or fields inside one.
#[derive(Clone, Debug)]
pub(super) enum Values {
    /// See [`Kind::Bool`].
    Bool(Vec<Option<bool>>),
    /// See [`Kind::U8`].
    U8(Vec<Option<u8>>),
    /// See [`Kind::U16`].
    U16(Vec<Option<u16>>),
    /// See [`Kind::U32`].
    U32(Vec<Option<u32>>),
    /// See [`Kind::U64`].
    U64(Vec<Option<u64>>),
    /// See [`Kind::I64`].
    I64(Vec<Option<i64>>),
    /// See [`Kind::F64`].
    F64(Vec<Option<f64>>),
    /// See [`Kind::Text`].
    Text(Texts),
    /// See [`Kind::List`].
    List(Lists),
    /// See [`Kind::Struct`]; a struct is never null, its fields may be.
    Struct {
        /// The fields in schema order.
        fields: Vec<Values>,
        /// Number of structs.
        len: usize,
    },
}

/// Texts one after the other in one buffer.
#[derive(Clone, Debug, Default)]
pub(super) struct Texts {
    bytes: String,
    /// Where each text ends in `bytes`; it starts where the previous one ends.
    ends: Vec<usize>,
    valid: Vec<bool>,
}

impl Texts {
    /// Ends the text that was written to `bytes`.
    fn close(&mut self, valid: bool) {
        self.ends.push(self.bytes.len());
        self.valid.push(valid);
    }

    /// The text of a row.
    pub(super) fn get(&self, row: usize) -> Option<&str> {
        if !*self.valid.get(row)? {
            return None;
        }
        let start = row.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.bytes.get(start..*self.ends.get(row)?)
    }
}

/// Lists one after the other over one column of items.
#[derive(Clone, Debug)]
pub(super) struct Lists {
    pub(super) items: Box<Values>,
    /// Where each list ends in `items`.
    ends: Vec<usize>,
    valid: Vec<bool>,
}

impl Lists {
    /// The items of a row, as positions in `items`; `None` for null.
    pub(super) fn span(&self, row: usize) -> Option<std::ops::Range<usize>> {
        if !*self.valid.get(row)? {
            return None;
        }
        let start = row.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        Some(start..*self.ends.get(row)?)
    }
}

impl Values {
    /// No values of a kind.
    pub(super) fn new(kind: &Kind) -> Self {
        match kind {
            Kind::Bool => Self::Bool(Vec::new()),
            Kind::U8 => Self::U8(Vec::new()),
            Kind::U16 => Self::U16(Vec::new()),
            Kind::U32 => Self::U32(Vec::new()),
            Kind::U64 => Self::U64(Vec::new()),
            Kind::I64 => Self::I64(Vec::new()),
            Kind::F64 => Self::F64(Vec::new()),
            Kind::Text => Self::Text(Texts::default()),
            Kind::List(item) => {
                Self::List(Lists { items: Box::new(Self::new(item)), ends: Vec::new(), valid: Vec::new() })
            }
            Kind::Struct(fields) => {
                Self::Struct { fields: fields.iter().map(|(_, kind)| Self::new(kind)).collect(), len: 0 }
            }
        }
    }

    /// Appends a value. One of another kind is stored as null; a debug build stops there.
    pub(super) fn push(&mut self, cell: &Cell<'_>) {
        match self {
            Self::Bool(values) => values.push(match cell {
                Cell::Bool(v) => Some(*v),
                _ => misfit(cell),
            }),
            Self::U8(values) => values.push(unsigned(cell)),
            Self::U16(values) => values.push(unsigned(cell)),
            Self::U32(values) => values.push(unsigned(cell)),
            Self::U64(values) => values.push(unsigned(cell)),
            Self::I64(values) => values.push(match cell {
                Cell::I64(v) => Some(*v),
                Cell::U64(v) => i64::try_from(*v).ok().or_else(|| misfit(cell)),
                _ => misfit(cell),
            }),
            Self::F64(values) => values.push(match cell {
                Cell::F64(v) => Some(*v),
                _ => misfit(cell),
            }),
            Self::Text(texts) => push_text(texts, cell),
            Self::List(lists) => {
                let valid = match cell {
                    Cell::List(items) => {
                        for item in items {
                            lists.items.push(item);
                        }
                        true
                    }
                    _ => misfit::<()>(cell).is_some(),
                };
                lists.ends.push(lists.items.len());
                lists.valid.push(valid);
            }
            Self::Struct { fields, len } => {
                let cells = match cell {
                    Cell::Struct(cells) => cells.as_slice(),
                    _ => misfit(cell).unwrap_or_default(),
                };
                for (i, field) in fields.iter_mut().enumerate() {
                    field.push(cells.get(i).unwrap_or(&Cell::Null));
                }
                *len += 1;
            }
        }
    }

    /// Number of values, with nulls.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Bool(v) => v.len(),
            Self::U8(v) => v.len(),
            Self::U16(v) => v.len(),
            Self::U32(v) => v.len(),
            Self::U64(v) => v.len(),
            Self::I64(v) => v.len(),
            Self::F64(v) => v.len(),
            Self::Text(v) => v.ends.len(),
            Self::List(v) => v.ends.len(),
            Self::Struct { len, .. } => *len,
        }
    }

    /// The value of a row; null beyond the end.
    pub(super) fn get(&self, row: usize) -> Cell<'_> {
        match self {
            Self::Bool(v) => v.get(row).copied().flatten().into(),
            Self::U8(v) => v.get(row).copied().flatten().into(),
            Self::U16(v) => v.get(row).copied().flatten().into(),
            Self::U32(v) => v.get(row).copied().flatten().into(),
            Self::U64(v) => v.get(row).copied().flatten().into(),
            Self::I64(v) => v.get(row).copied().flatten().into(),
            Self::F64(v) => v.get(row).copied().flatten().into(),
            Self::Text(texts) => texts.get(row).into(),
            Self::List(lists) => lists
                .span(row)
                .map_or(Cell::Null, |span| Cell::List(span.map(|item| lists.items.get(item)).collect())),
            Self::Struct { fields, .. } => Cell::Struct(fields.iter().map(|field| field.get(row)).collect()),
        }
    }
}

/// Appends what can be written as text, without a `String` in between.
fn push_text(texts: &mut Texts, cell: &Cell<'_>) {
    let valid = match cell {
        Cell::Text(v) => {
            texts.bytes.push_str(v);
            true
        }
        // Writing into a `String` cannot fail.
        Cell::Ip(v) => write!(texts.bytes, "{v}").is_ok(),
        Cell::Mac(v) => !v.is_empty() && write!(texts.bytes, "{v}").is_ok(),
        Cell::Xid(v) => write!(texts.bytes, "{v}").is_ok(),
        _ => misfit::<()>(cell).is_some(),
    };
    texts.close(valid);
}

/// An unsigned value that fits its column.
fn unsigned<T: TryFrom<u64>>(cell: &Cell<'_>) -> Option<T> {
    match cell {
        Cell::U64(v) => T::try_from(*v).ok().or_else(|| misfit(cell)),
        Cell::I64(v) => u64::try_from(*v).ok().and_then(|v| T::try_from(v).ok()).or_else(|| misfit(cell)),
        _ => misfit(cell),
    }
}

/// A value that its column cannot hold becomes null.
fn misfit<T>(cell: &Cell<'_>) -> Option<T> {
    debug_assert!(cell.is_null(), "{cell:?} does not fit its column");
    None
}
