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
pub struct Files(Vec<(PathBuf, Vec<u8>)>);

impl Files {
    /// Adds a file and returns its index.
    pub(super) fn push(&mut self, path: PathBuf, bytes: Vec<u8>) -> usize {
        self.0.push((path, bytes));
        self.0.len() - 1
    }

    /// The bytes of a file.
    pub(super) fn bytes(&self, file: usize) -> &[u8] {
        self.0.get(file).map(|(_, bytes)| bytes.as_slice()).unwrap_or_default()
    }

    /// The path of a file.
    pub(super) fn path(&self, file: usize) -> &Path {
        self.0.get(file).map_or_else(|| Path::new(""), |(path, _)| path.as_path())
    }

    /// An error at a place.
    pub fn error(&self, at: At, text: impl Into<String>) -> FileError {
        let place = Some(self.line_and_column(at));
        FileError { file: self.path(at.file).to_path_buf(), place, text: text.into() }
    }

    /// Line and column of a place, both from 1; the column counts characters, as editors do.
    pub fn line_and_column(&self, at: At) -> (usize, usize) {
        let bytes = self.bytes(at.file);
        let before = bytes.get(..at.offset).unwrap_or(bytes);
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        let line = before.split(|byte| *byte == b'\n').count();
        let is_character = |byte: &&u8| **byte & 0xc0 != 0x80;
        let column = before.iter().skip(line_start).filter(is_character).count() + 1;
        (line, column)
    }
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
