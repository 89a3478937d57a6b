//! What went wrong with an input: one line each, for the user.

use std::fmt;
use std::io;

/// An input that could not be used, or only up to a point.
///
/// It never stops the other inputs. `Display` is one line that begins with the
/// input's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The path as the user gave it; `-` for standard input.
    pub name: String,
    /// What went wrong.
    pub kind: TroubleKind,
}

/// The kinds of trouble with an input.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TroubleKind {
    /// Nothing of the input can be read; the text says why.
    Unusable(String),
    /// The frames before a point were read, nothing after it.
    Cut(Cut),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            TroubleKind::Unusable(why) => write!(f, "{}: {why}", self.name),
            TroubleKind::Cut(cut) => write!(f, "{}: {cut}", self.name),
        }
    }
}

/// Where and why a file stopped being readable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Whether the file ended early, was damaged or could not be read on.
    pub kind: CutKind,
    /// What was found there, as a phrase.
    pub what: String,
    /// Offset of the first byte of the record that could not be read, in the
    /// file, or in the decompressed data when [`Cut::decompressed`] is set.
    pub offset: u64,
    /// Whether `offset` counts decompressed bytes.
    pub decompressed: bool,
    /// Number of the last good frame in the file; 0 when there is none.
    pub last_frame: u64,
}

/// How a file stopped being readable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CutKind {
    /// The data ends inside a record, as when a capture or a copy was interrupted.
    Truncated,
    /// A record contradicts the format, so where the next one begins is unknown.
    Damaged,
    /// The operating system or the decompressor reported an error.
    Unreadable,
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = match self.kind {
            CutKind::Truncated => "is cut short",
            CutKind::Damaged => "is damaged",
            CutKind::Unreadable => "cannot be read on",
        };
        let of = if self.decompressed { " of the decompressed data" } else { "" };
        write!(f, "{verb} at byte {}{of}: {}; ", self.offset, self.what)?;
        match self.last_frame {
            0 => f.write_str("no frame before that was complete"),
            number => write!(f, "the last good frame is {number}"),
        }
    }
}

/// A format reader's reason to stop; the file adds what the reader does not know.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) kind: CutKind,
    pub(super) what: String,
    /// Offset of the record, where it is not the window's current one.
    pub(super) offset: Option<u64>,
}

impl Fault {
    #[cold]
    pub(super) fn truncated(what: impl Into<String>) -> Self {
        Self { kind: CutKind::Truncated, what: what.into(), offset: None }
    }

    #[cold]
    pub(super) fn damaged(what: impl Into<String>) -> Self {
        Self { kind: CutKind::Damaged, what: what.into(), offset: None }
    }

    pub(super) const fn at(mut self, offset: u64) -> Self {
        self.offset = Some(offset);
        self
    }
}

impl From<io::Error> for Fault {
    #[cold]
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            // Only the decompressors report this kind; plain reads give 0 bytes.
            return Self::truncated("the compressed data ends early");
        }
        Self { kind: CutKind::Unreadable, what: error.to_string(), offset: None }
    }
}
