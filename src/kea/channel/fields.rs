//! What was picked out of a body, by name.

use std::borrow::Cow;

/// A number that is kept has no more digits than this.
pub(super) const MOST_DIGITS: usize = 40;

/// A number as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Digits {
    len: u8,
    bytes: [u8; MOST_DIGITS],
}

impl Digits {
    /// The first digits of a number.
    pub(super) fn new(text: &[u8]) -> Self {
        let len = text.len().min(MOST_DIGITS);
        let mut bytes = [0; MOST_DIGITS];
        bytes.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
        Self { len: len as u8, bytes }
    }

    fn as_str(&self) -> &str {
        self.bytes.get(..usize::from(self.len)).and_then(|text| str::from_utf8(text).ok()).unwrap_or_default()
    }
}

/// A value that was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kept<'a> {
    Text(Cow<'a, str>),
    Number(Digits),
    Bool(bool),
    /// The texts in it, and how many elements it has.
    List(Vec<Cow<'a, str>>, u64),
    /// `null` or a map.
    Other,
}

/// What was kept of a body.
#[derive(Debug, Default)]
pub(super) struct Fields<'a>(Vec<(&'static str, Kept<'a>)>);

impl<'a> Fields<'a> {
    pub(super) fn new(kept: Vec<(&'static str, Kept<'a>)>) -> Self {
        Self(kept)
    }

    fn get(&self, name: &str) -> Option<&Kept<'a>> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, kept)| kept)
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Some(Kept::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// A whole number that fits.
    pub(super) fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        match self.get(name) {
            Some(Kept::Number(digits)) => digits.as_str().parse().ok(),
            _ => None,
        }
    }

    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        match self.get(name) {
            Some(Kept::Bool(flag)) => Some(*flag),
            _ => None,
        }
    }

    /// The texts of a list, and how many elements it has.
    pub(super) fn list(&self, name: &str) -> Option<(&[Cow<'a, str>], u64)> {
        match self.get(name) {
            Some(Kept::List(texts, count)) => Some((texts, *count)),
            _ => None,
        }
    }

    /// A text, or a number as it was written.
    pub(super) fn word(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Some(Kept::Text(text)) => Some(text),
            Some(Kept::Number(digits)) => Some(digits.as_str()),
            _ => None,
        }
    }
}
