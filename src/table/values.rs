//! The values of one column in memory, typed by its [`Kind`].

use super::cell::Cell;
use super::schema::Kind;
use super::texts::{NULL, Texts};

/// The values of a column, or of the items or fields inside one.
#[derive(Clone, Debug)]
pub(super) enum Values {
    /// See [`Kind::Bool`].
    Bool(Numbers<bool>),
    /// See [`Kind::U8`].
    U8(Numbers<u8>),
    /// See [`Kind::U16`].
    U16(Numbers<u16>),
    /// See [`Kind::U32`].
    U32(Numbers<u32>),
    /// See [`Kind::U64`].
    U64(Numbers<u64>),
    /// See [`Kind::I64`].
    I64(Numbers<i64>),
    /// See [`Kind::F64`].
    F64(Numbers<f64>),
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

/// Values of a fixed size, and which of them are there.
#[derive(Clone, Debug, Default)]
pub(super) struct Numbers<T> {
    /// One for each row; the default for null.
    pub values: Vec<T>,
    /// Whether the row has a value; empty while every row has one.
    pub valid: Vec<bool>,
    /// Number of rows without one.
    pub nulls: usize,
}

impl<T: Copy + Default> Numbers<T> {
    #[inline]
    pub fn push(&mut self, value: Option<T>) {
        if value.is_none() && self.nulls == 0 {
            self.valid.resize(self.values.len(), true);
        }
        self.values.push(value.unwrap_or_default());
        self.nulls += usize::from(value.is_none());
        if self.nulls > 0 {
            self.valid.push(value.is_some());
        }
    }

    /// Appends values that are all there.
    fn extend(&mut self, values: &[T]) {
        self.values.extend_from_slice(values);
        if self.nulls > 0 {
            self.valid.resize(self.values.len(), true);
        }
    }

    /// The value of a row.
    pub fn get(&self, row: usize) -> Option<T> {
        self.values.get(row).copied().filter(|_| self.is_valid(row))
    }

    /// Whether a row has a value.
    pub fn is_valid(&self, row: usize) -> bool {
        self.valid.get(row).copied().unwrap_or(row < self.values.len())
    }

    fn clear(&mut self) {
        self.values.clear();
        self.valid.clear();
        self.nulls = 0;
    }
}

/// Lists one after the other over one column of items.
#[derive(Clone, Debug)]
pub(super) struct Lists {
    pub(super) items: Box<Values>,
    /// Where each list ends in `items`.
    pub(super) ends: Vec<usize>,
    pub(super) valid: Vec<bool>,
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

/// What to do with every kind of numbers.
macro_rules! numbers {
    ($values:expr, $numbers:ident => $do:expr, $($others:tt)*) => {
        match $values {
            Values::Bool($numbers) => $do,
            Values::U8($numbers) => $do,
            Values::U16($numbers) => $do,
            Values::U32($numbers) => $do,
            Values::U64($numbers) => $do,
            Values::I64($numbers) => $do,
            Values::F64($numbers) => $do,
            $($others)*
        }
    };
}

impl Values {
    /// No values of a kind.
    pub(super) fn new(kind: &Kind) -> Self {
        match kind {
            Kind::Bool => Self::Bool(Numbers::default()),
            Kind::U8 => Self::U8(Numbers::default()),
            Kind::U16 => Self::U16(Numbers::default()),
            Kind::U32 => Self::U32(Numbers::default()),
            Kind::U64 => Self::U64(Numbers::default()),
            Kind::I64 => Self::I64(Numbers::default()),
            Kind::F64 => Self::F64(Numbers::default()),
            Kind::Text => Self::Text(Texts::default()),
            Kind::List(item) => {
                Self::List(Lists { items: Box::new(Self::new(item)), ends: Vec::new(), valid: Vec::new() })
            }
            Kind::Struct(fields) => {
                Self::Struct { fields: fields.iter().map(|(_, kind)| Self::new(kind)).collect(), len: 0 }
            }
        }
    }

    /// Appends a null; a struct of them, because a struct is never null itself.
    #[inline]
    pub(super) fn push_null(&mut self) {
        numbers!(self, numbers => numbers.push(None),
            Self::Text(texts) => texts.push_null(),
            Self::List(lists) => lists.close(false),
            Self::Struct { fields, len } => {
                fields.iter_mut().for_each(Self::push_null);
                *len += 1;
            }
        );
    }

    /// Appends an unsigned number; null where it does not fit, at which a debug build stops.
    #[inline]
    pub(super) fn push_unsigned(&mut self, value: u64) {
        match self {
            Self::U8(numbers) => numbers.push(u8::try_from(value).ok().or_else(|| misfit(&value))),
            Self::U16(numbers) => numbers.push(u16::try_from(value).ok().or_else(|| misfit(&value))),
            Self::U32(numbers) => numbers.push(u32::try_from(value).ok().or_else(|| misfit(&value))),
            Self::U64(numbers) => numbers.push(Some(value)),
            Self::I64(numbers) => numbers.push(i64::try_from(value).ok().or_else(|| misfit(&value))),
            _ => self.push_misfit(&value),
        }
    }

    /// Appends a signed number.
    #[inline]
    pub(super) fn push_signed(&mut self, value: i64) {
        match (self, u64::try_from(value)) {
            (Self::I64(numbers), _) => numbers.push(Some(value)),
            (column, Ok(value)) => column.push_unsigned(value),
            (column, Err(_)) => column.push_misfit(&value),
        }
    }

    /// Appends numbers from 0 to 255.
    pub(super) fn extend_bytes(&mut self, bytes: &[u8]) {
        match self {
            Self::U8(numbers) => numbers.extend(bytes),
            _ => bytes.iter().for_each(|byte| self.push_unsigned((*byte).into())),
        }
    }

    /// Appends the value of another column's row; the columns must be of one kind.
    pub(super) fn push_from(&mut self, other: &Self, row: usize) {
        match (self, other) {
            (Self::Bool(to), Self::Bool(from)) => to.push(from.get(row)),
            (Self::U8(to), Self::U8(from)) => to.push(from.get(row)),
            (Self::U16(to), Self::U16(from)) => to.push(from.get(row)),
            (Self::U32(to), Self::U32(from)) => to.push(from.get(row)),
            (Self::U64(to), Self::U64(from)) => to.push(from.get(row)),
            (Self::I64(to), Self::I64(from)) => to.push(from.get(row)),
            (Self::F64(to), Self::F64(from)) => to.push(from.get(row)),
            (Self::Text(to), Self::Text(from)) => to.push_from(from, row),
            (Self::List(to), Self::List(from)) => {
                let span = from.span(row);
                let valid = span.is_some();
                span.into_iter().flatten().for_each(|item| to.items.push_from(&from.items, item));
                to.close(valid);
            }
            (Self::Struct { fields: to, len }, Self::Struct { fields: from, .. }) => {
                to.iter_mut().zip(from).for_each(|(to, from)| to.push_from(from, row));
                *len += 1;
            }
            (to, from) => to.push_misfit(from),
        }
    }

    /// Null in the place of a value of another kind.
    #[cold]
    pub(super) fn push_misfit(&mut self, value: &dyn std::fmt::Debug) {
        let _ = misfit::<()>(value);
        self.push_null();
    }

    /// Forgets what the keys of texts stand for, because they were those of another batch.
    pub(super) fn forget(&mut self) {
        match self {
            Self::Text(texts) => texts.forget(),
            Self::List(lists) => lists.items.forget(),
            Self::Struct { fields, .. } => fields.iter_mut().for_each(Self::forget),
            _ => {}
        }
    }

    /// Removes every value; what was allocated stays.
    pub(super) fn clear(&mut self) {
        numbers!(self, numbers => numbers.clear(),
            Self::Text(texts) => texts.clear(),
            Self::List(lists) => {
                lists.items.clear();
                lists.ends.clear();
                lists.valid.clear();
            }
            Self::Struct { fields, len } => {
                fields.iter_mut().for_each(Self::clear);
                *len = 0;
            }
        );
    }

    /// Number of values, with nulls.
    pub(super) fn len(&self) -> usize {
        numbers!(self, numbers => numbers.values.len(),
            Self::Text(texts) => texts.numbers().len(),
            Self::List(lists) => lists.ends.len(),
            Self::Struct { len, .. } => *len,
        )
    }

    /// Whether a row has a value.
    pub(super) fn is_valid(&self, row: usize) -> bool {
        numbers!(self, numbers => numbers.is_valid(row),
            Self::Text(texts) => texts.numbers().get(row).is_some_and(|number| *number != NULL),
            Self::List(lists) => lists.valid.get(row) == Some(&true),
            Self::Struct { .. } => true,
        )
    }

    /// Number of nulls in a column of values that are no lists.
    pub(super) fn nulls(&self) -> usize {
        numbers!(self, numbers => numbers.nulls,
            Self::Text(texts) => texts.nulls(),
            Self::List(_) | Self::Struct { .. } => 0,
        )
    }

    /// Bytes that the values take, about.
    pub(super) fn size(&self) -> usize {
        numbers!(self, numbers => size_of_val(numbers.values.as_slice()) + numbers.valid.len(),
            Self::Text(texts) => texts.size(),
            Self::List(lists) => lists.items.size() + size_of_val(lists.ends.as_slice()),
            Self::Struct { fields, .. } => fields.iter().map(Self::size).sum(),
        )
    }

    /// The value of a row; null beyond the end.
    pub(super) fn get(&self, row: usize) -> Cell<'_> {
        numbers!(self, numbers => numbers.get(row).into(),
            Self::Text(texts) => texts.get(row).into(),
            Self::List(lists) => lists
                .span(row)
                .map_or(Cell::Null, |span| Cell::List(span.map(|item| lists.items.get(item)).collect())),
            Self::Struct { fields, .. } => Cell::Struct(fields.iter().map(|field| field.get(row)).collect()),
        )
    }
}

impl Lists {
    /// Ends the list whose items were appended.
    pub(super) fn close(&mut self, valid: bool) {
        self.ends.push(self.items.len());
        self.valid.push(valid);
    }
}

/// A value that its column cannot hold becomes null; a debug build stops here.
#[cold]
fn misfit<T>(value: &dyn std::fmt::Debug) -> Option<T> {
    debug_assert!(false, "{value:?} does not fit its column");
    None
}
