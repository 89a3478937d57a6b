//! A tree of configuration values that know their place, read from Kea's JSON
//! dialect or from TOML.

use std::fmt;
use std::path::{Path, PathBuf};

/// A file that cannot be used, and the place that is wrong in it.
///
/// Prints as `FILE:LINE:COLUMN: what was wrong`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct FileError {
    /// The file, as it was named.
    pub file: PathBuf,
    /// Line and column (in characters), both from 1; `None` when the file as a whole is meant.
    pub place: Option<(usize, usize)>,
    /// What was wrong, in one clear line.
    pub text: String,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if let Some((line, column)) = self.place {
            write!(f, "{line}:{column}:")?;
        }
        write!(f, " {}", self.text)
    }
}

impl FileError {
    /// An error about a file as a whole.
    pub fn whole(file: &Path, text: impl Into<String>) -> Self {
        Self { file: file.to_path_buf(), place: None, text: text.into() }
    }
}

/// A place in one of the files of a document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct At {
    /// Index of the file: 0 is the document's own, the others are included.
    pub file: usize,
    /// Offset in bytes.
    pub offset: usize,
}

/// A value and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where it begins.
    pub at: At,
    /// What it is.
    pub value: Value,
}

/// A configuration value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction or an exponent.
    Float(f64),
    /// A string; bytes that are not UTF-8 are replaced by U+FFFD.
    Text(String),
    /// A TOML date or time, which no file of ours uses.
    Date,
    /// A list.
    List(Vec<Node>),
    /// A map, in file order; no key stands twice.
    Map(Vec<Entry>),
}

impl Value {
    /// What it is, for error messages.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Int(_) => "a whole number",
            Self::Float(_) => "a number with a fraction",
            Self::Text(_) => "a string",
            Self::Date => "a date",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

/// A key of a map with its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key begins.
    pub at: At,
    /// Its value.
    pub node: Node,
}

/// The files that a document was read from; turns places into lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files(Vec<Source>);

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Source {
    path: PathBuf,
    bytes: Vec<u8>,
    /// Line and column of every [`STRIDE`]th byte, so that many places in a long file stay cheap.
    marks: Vec<(usize, usize)>,
}

/// Bytes between two marks.
const STRIDE: usize = 1024;

impl Files {
    /// Adds a file and returns its index.
    pub(super) fn push(&mut self, path: PathBuf, bytes: Vec<u8>) -> usize {
        let marks = bytes.chunks(STRIDE).scan((1, 1), |place, chunk| {
            let mark = *place;
            *place = advance(mark, chunk);
            Some(mark)
        });
        let marks = marks.collect();
        self.0.push(Source { path, bytes, marks });
        self.0.len() - 1
    }

    /// The bytes of a file.
    pub(super) fn bytes(&self, file: usize) -> &[u8] {
        self.0.get(file).map(|source| source.bytes.as_slice()).unwrap_or_default()
    }

    /// The path of a file.
    pub(super) fn path(&self, file: usize) -> &Path {
        self.0.get(file).map_or_else(|| Path::new(""), |source| source.path.as_path())
    }

    /// An error at a place.
    pub fn error(&self, at: At, text: impl Into<String>) -> FileError {
        let place = Some(self.line_and_column(at));
        FileError { file: self.path(at.file).to_path_buf(), place, text: text.into() }
    }

    /// Line and column of a place, both from 1; the column counts characters, as editors do.
    pub fn line_and_column(&self, at: At) -> (usize, usize) {
        let Some(Source { bytes, marks, .. }) = self.0.get(at.file) else {
            return (1, 1);
        };
        let offset = at.offset.min(bytes.len());
        // The end of the file may lie behind the last mark.
        let number = (offset / STRIDE).min(marks.len().saturating_sub(1));
        let mark = marks.get(number).copied().unwrap_or((1, 1));
        advance(mark, bytes.get(number * STRIDE..offset).unwrap_or_default())
    }
}

/// The place behind `bytes` that begin at `place`.
fn advance(place: (usize, usize), bytes: &[u8]) -> (usize, usize) {
    bytes.iter().fold(place, |(line, column), byte| match byte {
        b'\n' => (line + 1, 1),
        // A byte inside a character.
        0x80..=0xbf => (line, column),
        _ => (line, column + 1),
    })
}

/// A configuration file with everything that it includes.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Its files, for error messages.
    pub files: Files,
    /// Its top-level value.
    pub root: Node,
}

impl Document {
    /// Reads Kea's JSON dialect from a file and the files that it includes.
    pub fn load_kea(path: &Path) -> Result<Self, FileError> {
        Self::parse_kea(path, super::lexer::read_file(path).map_err(|text| FileError::whole(path, text))?)
    }

    /// Reads Kea's JSON dialect from bytes; `path` is their name and the place that includes start from.
    pub fn parse_kea(path: &Path, bytes: Vec<u8>) -> Result<Self, FileError> {
        super::parser::parse(path, bytes)
    }

    /// Reads a TOML file.
    pub fn load_toml(path: &Path) -> Result<Self, FileError> {
        let bytes = super::lexer::read_file(path).map_err(|text| FileError::whole(path, text))?;
        Self::parse_toml(path, bytes)
    }

    /// Reads TOML from bytes; `path` is their name.
    pub fn parse_toml(path: &Path, bytes: Vec<u8>) -> Result<Self, FileError> {
        super::toml::parse(path, bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_as_editors_count_them() {
        let text = "é\n".repeat(700) + &"aé".repeat(3000);
        let mut files = Files::default();
        let file = files.push("x".into(), text.clone().into_bytes());
        for (offset, _) in text.char_indices().chain([(text.len(), ' ')]) {
            let before = &text[..offset];
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            assert_eq!(files.line_and_column(At { file, offset }), (line, column), "{offset}");
        }
        let end = files.line_and_column(At { file, offset: text.len() });
        assert_eq!(files.line_and_column(At { file, offset: usize::MAX }), end);
        let empty = files.push("y".into(), Vec::new());
        assert_eq!(files.line_and_column(At { file: empty, offset: 0 }), (1, 1));
    }
}
