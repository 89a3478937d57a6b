//! Typed access to a [`Document`], with errors that name the key and its place.

use std::ops::RangeInclusive;

use super::config::Origin;
use super::document::{At, Document, Entry, FileError, Node, Value};

/// A value on its way to becoming typed.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    document: &'a Document,
    node: &'a Node,
    /// The key that it stands behind, or the list's when it is an entry of one.
    key: &'a str,
    is_entry: bool,
}

impl<'a> Field<'a> {
    /// The top-level value of a document.
    pub fn root(document: &'a Document) -> Self {
        Self { document, node: &document.root, key: "", is_entry: false }
    }

    /// The value itself.
    pub fn value(self) -> &'a Value {
        &self.node.value
    }

    /// Where it stands.
    pub fn at(self) -> At {
        self.node.at
    }

    /// Its line, from 1.
    pub fn line(self) -> usize {
        self.document.files.line_and_column(self.node.at).0
    }

    /// An error about this value.
    #[cold]
    pub fn error(self, text: impl Into<String>) -> FileError {
        self.document.files.error(self.node.at, text)
    }

    /// The error for a value of the wrong kind; names what it must be.
    #[cold]
    pub fn wrong(self, must_be: &str) -> FileError {
        let found = self.node.value.kind();
        self.error(format!("{} must be {must_be}, not {found}", self.name()))
    }

    /// How messages call this value.
    pub fn name(self) -> String {
        match (self.key, self.is_entry) {
            ("", _) => "the configuration".to_owned(),
            (key, true) => format!("an entry of \"{key}\""),
            (key, false) => format!("\"{key}\""),
        }
    }

    /// The entries of a map.
    pub fn entries(self) -> Result<&'a [Entry], FileError> {
        match &self.node.value {
            Value::Map(entries) => Ok(entries),
            _ => Err(self.wrong("a map")),
        }
    }

    /// The value behind a key of a map, if the key is there.
    pub fn get(self, key: &'static str) -> Result<Option<Self>, FileError> {
        let entry = self.entries()?.iter().find(|entry| entry.key == key);
        Ok(entry.map(|entry| Self { node: &entry.node, key, is_entry: false, ..self }))
    }

    /// The value behind a key that must be there.
    pub fn need(self, key: &'static str) -> Result<Self, FileError> {
        self.get(key)?.ok_or_else(|| self.error(format!("{} needs \"{key}\"", self.name())))
    }

    /// The entries of a list.
    pub fn items(self) -> Result<impl Iterator<Item = Self> + Clone, FileError> {
        match &self.node.value {
            Value::List(items) => Ok(items.iter().map(move |node| Self { node, is_entry: true, ..self })),
            _ => Err(self.wrong("a list")),
        }
    }

    /// The entries of the list behind a key; none when the key is not there.
    pub fn list(self, key: &'static str) -> Result<Vec<Self>, FileError> {
        self.get(key)?.map_or_else(|| Ok(Vec::new()), |list| Ok(list.items()?.collect()))
    }

    /// A string.
    pub fn text(self) -> Result<&'a str, FileError> {
        match &self.node.value {
            Value::Text(text) => Ok(text),
            _ => Err(self.wrong("a string")),
        }
    }

    /// A string that is more than white space, trimmed.
    pub fn filled_text(self) -> Result<&'a str, FileError> {
        match self.text()?.trim() {
            "" => Err(self.error(format!("{} must not be empty", self.name()))),
            text => Ok(text),
        }
    }

    /// A string that reads as a `T`; `what` names the kind wanted.
    pub fn parsed<T: std::str::FromStr>(self, what: &str) -> Result<T, FileError> {
        let text = self.filled_text()?;
        text.parse().map_err(|_| self.error(format!("{} must be {what}, not \"{text}\"", self.name())))
    }

    /// A whole number in a range.
    pub fn integer<T>(self, range: RangeInclusive<T>) -> Result<T, FileError>
    where
        T: TryFrom<i64> + PartialOrd + std::fmt::Display,
    {
        let Value::Int(number) = self.node.value else {
            return Err(self.wrong("a whole number"));
        };
        T::try_from(number).ok().filter(|number| range.contains(number)).ok_or_else(|| {
            let (from, to) = (range.start(), range.end());
            self.error(format!("{} must be from {from} to {to}, not {number}", self.name()))
        })
    }

    /// `true` or `false`.
    pub fn flag(self) -> Result<bool, FileError> {
        match self.node.value {
            Value::Bool(value) => Ok(value),
            _ => Err(self.wrong("true or false")),
        }
    }

    /// Fails at the first key of this map that is not in `known`, naming the nearest one that is.
    pub fn only_keys(self, known: &[&str]) -> Result<(), FileError> {
        let Some(entry) = self.entries()?.iter().find(|entry| !known.contains(&entry.key.as_str())) else {
            return Ok(());
        };
        let hint = match nearest(&entry.key, known) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("known keys: {}", known.join(", ")),
        };
        Err(self.document.files.error(entry.at, format!("unknown key \"{}\"; {hint}", entry.key)))
    }

    /// Keys of this map that are not in `known` but look like a misspelt one: the entry and the known key.
    pub fn misspelt_keys<'k>(self, known: &[&'k str]) -> Result<Vec<(&'a Entry, &'k str)>, FileError> {
        let unknown = self.entries()?.iter().filter(|entry| !known.contains(&entry.key.as_str()));
        Ok(unknown.filter_map(|entry| Some((entry, nearest(&entry.key, known)?))).collect())
    }

    /// Where this map and its keys stand.
    pub fn origin(self) -> Result<Origin, FileError> {
        let keys = self.entries()?.iter().map(|entry| (entry.key.clone(), entry.at)).collect();
        Ok(Origin { at: self.at(), keys })
    }
}

/// The word of `known` that `word` was probably meant to be: at most a third of its letters off.
pub fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let lower = word.to_lowercase().replace('_', "-");
    let distance = |known: &str| strsim::damerau_levenshtein(&lower, &known.to_lowercase());
    let near = known.iter().map(|known| (distance(known), *known)).min_by_key(|(distance, _)| *distance)?;
    (near.0 * 3 <= near.1.len().max(3)).then_some(near.1)
}
