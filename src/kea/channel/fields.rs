//! What was picked out of a body, by name.

/// A value that was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    Text(String),
    /// As it was written.
    Number(String),
    Bool(bool),
    /// The texts in it, and how many elements it has.
    List(Vec<String>, u64),
    /// `null` or a map.
    Other,
}

/// What was kept of a body.
#[derive(Debug, Default)]
pub(super) struct Fields(Vec<(&'static str, Kept)>);

impl Fields {
    pub(super) fn new(kept: Vec<(&'static str, Kept)>) -> Self {
        Self(kept)
    }

    fn get(&self, name: &str) -> Option<&Kept> {
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
            Some(Kept::Number(text)) => text.parse().ok(),
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
    pub(super) fn list(&self, name: &str) -> Option<(&[String], u64)> {
        match self.get(name) {
            Some(Kept::List(texts, count)) => Some((texts, *count)),
            _ => None,
        }
    }

    /// A text, or a number as it was written.
    pub(super) fn word(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Some(Kept::Text(text) | Kept::Number(text)) => Some(text),
            _ => None,
        }
    }
}
