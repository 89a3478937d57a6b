//! The words of Kea's JSON dialect.
//!
//! Beyond JSON there are comments of three kinds (`#`, `//`, `/* */`) and
//! `<?include "path"?>`, which Kea splices word by word: the words of the named
//! file take the directive's place, so an included fragment need not be a
//! value by itself. A relative path is looked for beside the including file
//! first and from the working directory second. Kea knows only its daemon's
//! working directory; copies of configurations usually keep files together.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::document::{At, FileError, Files};

/// Most includes inside one another; Kea gives up at the twelfth, too.
const MAX_INCLUDE_DEPTH: usize = 11;

/// Most bytes that one configuration may have, includes counted every time;
/// keeps a file that includes itself many times from filling the memory.
const MAX_BYTES: usize = 256 << 20;

/// A word.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// One of `{ } [ ] , :`.
    Mark(u8),
    Text(String),
    Int(i64),
    Float(f64),
    Bool(bool),
    Null,
    /// The end of the document's own file.
    End,
}

impl Token {
    /// What it is, for error messages.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Mark(mark) => format!("'{}'", char::from(*mark)),
            Self::Text(text) if text.chars().count() <= 40 => format!("{text:?}"),
            Self::Text(_) => "a string".to_owned(),
            Self::Int(number) => number.to_string(),
            Self::Float(number) => number.to_string(),
            Self::Bool(value) => value.to_string(),
            Self::Null => "null".to_owned(),
            Self::End => "the end of the file".to_owned(),
        }
    }
}

/// Reads a whole file; the error says why it cannot be read.
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let limit = MAX_BYTES as u64 + 1;
    let read = File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes));
    match read {
        Ok(_) if bytes.len() > MAX_BYTES => {
            Err("cannot be read: it is too large for a configuration".to_owned())
        }
        Ok(_) => Ok(bytes),
        Err(error) => Err(format!("cannot be read: {error}")),
    }
}

/// Cuts a file and its includes into words.
pub(super) struct Lexer {
    files: Files,
    /// Where reading goes on, per open file; the innermost include is last.
    open: Vec<At>,
    bytes_left: usize,
}

impl Lexer {
    pub(super) fn new(path: &Path, bytes: Vec<u8>) -> Result<Self, FileError> {
        if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
            return Err(FileError::whole(path, "is UTF-16 text; save it as UTF-8"));
        }
        let mut files = Files::default();
        // Windows editors put a byte-order mark in front of UTF-8.
        let offset = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        let bytes_left = MAX_BYTES.saturating_sub(bytes.len());
        let file = files.push(path.to_path_buf(), bytes);
        Ok(Self { files, open: vec![At { file, offset }], bytes_left })
    }

    /// The files read, for the finished document.
    pub(super) fn into_files(self) -> Files {
        self.files
    }

    /// The files read so far, for error messages.
    pub(super) fn files(&self) -> &Files {
        &self.files
    }

    /// The next word and where it begins.
    pub(super) fn next(&mut self) -> Result<(At, Token), FileError> {
        loop {
            self.skip_blank()?;
            let at = self.at();
            match self.peek() {
                None if self.open.len() > 1 => {
                    self.open.pop();
                }
                None => return Ok((at, Token::End)),
                Some(mark @ (b'{' | b'}' | b'[' | b']' | b',' | b':')) => {
                    self.skip(1);
                    return Ok((at, Token::Mark(mark)));
                }
                Some(b'"') => return Ok((at, Token::Text(self.string()?))),
                Some(b'<') if self.rest().starts_with(b"<?") => self.include()?,
                Some(_) => return self.word(at),
            }
        }
    }

    fn at(&self) -> At {
        self.open.last().copied().unwrap_or_default()
    }

    fn rest(&self) -> &[u8] {
        let at = self.at();
        self.files.bytes(at.file).get(at.offset..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.rest().first().copied()
    }

    fn skip(&mut self, bytes: usize) {
        if let Some(at) = self.open.last_mut() {
            at.offset += bytes;
        }
    }

    fn error(&self, at: At, text: impl Into<String>) -> FileError {
        self.files.error(at, text)
    }

    /// Skips white space and comments.
    fn skip_blank(&mut self) -> Result<(), FileError> {
        loop {
            let rest = self.rest();
            let length = match rest {
                [b' ' | b'\t' | b'\r' | b'\n', ..] => 1,
                [b'#', ..] | [b'/', b'/', ..] => {
                    rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len())
                }
                [b'/', b'*', body @ ..] => match body.windows(2).position(|pair| pair == b"*/") {
                    Some(end) => end + 4,
                    None => return Err(self.error(self.at(), "this comment has no end (\"*/\")")),
                },
                _ => return Ok(()),
            };
            self.skip(length);
        }
    }

    /// Reads a string, the cursor being on its opening quote.
    ///
    /// Bytes from 0x20 up pass as they are; `\u0000` to `\u00ff` stand for one
    /// byte, so two of them can make one UTF-8 character.
    fn string(&mut self) -> Result<String, FileError> {
        let start = self.at();
        let mut bytes = Vec::new();
        self.skip(1);
        loop {
            let at = self.at();
            let (byte, length) = match *self.rest() {
                [] | [b'\n', ..] => return Err(self.error(start, "this string has no closing quote")),
                [b'"', ..] => {
                    self.skip(1);
                    return Ok(String::from_utf8_lossy(&bytes).into_owned());
                }
                [b'\\', b'u', ref digits @ ..] => {
                    let code = digits.get(..4).and_then(|digits| std::str::from_utf8(digits).ok());
                    let code = code.filter(|code| code.bytes().all(|digit| digit.is_ascii_hexdigit()));
                    match code.and_then(|code| u16::from_str_radix(code, 16).ok()).map(u8::try_from) {
                        Some(Ok(byte)) => (byte, 6),
                        Some(Err(_)) => return Err(self.error(at, "Kea knows only \\u0000 to \\u00ff")),
                        None => return Err(self.error(at, "\\u needs four hexadecimal digits")),
                    }
                }
                [b'\\', escaped, ..] => match escape(escaped) {
                    Some(byte) => (byte, 2),
                    None => {
                        return Err(self.error(at, "a backslash may stand only before \" \\ / b f n r t u"));
                    }
                },
                [byte @ 0..0x20, ..] => {
                    return Err(
                        self.error(at, format!("a string cannot hold the control character 0x{byte:02x}"))
                    );
                }
                [byte, ..] => (byte, 1),
            };
            bytes.push(byte);
            self.skip(length);
        }
    }

    /// Reads a number, `true`, `false` or `null`.
    fn word(&mut self, at: At) -> Result<(At, Token), FileError> {
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.' | b'_');
        let length = self.rest().iter().position(|byte| !is_word(byte)).unwrap_or(self.rest().len());
        let word = String::from_utf8_lossy(self.rest().get(..length).unwrap_or_default()).into_owned();
        let token = match word.as_str() {
            "" => {
                let rest = self.rest().get(..4).unwrap_or(self.rest());
                let odd = String::from_utf8_lossy(rest).chars().next().unwrap_or_default();
                return Err(self.error(at, format!("{odd:?} does not belong here")));
            }
            "true" => Token::Bool(true),
            "false" => Token::Bool(false),
            "null" => Token::Null,
            _ => super::number::parse(&word).map_err(|text| self.error(at, text))?,
        };
        self.skip(length);
        Ok((at, token))
    }

    /// Reads `<?include "path"?>` and goes on in the named file.
    fn include(&mut self) -> Result<(), FileError> {
        let start = self.at();
        let malformed = |lexer: &Self| lexer.error(start, "expected <?include \"PATH\"?>");
        self.skip(2);
        self.skip_blank()?;
        if !self.rest().starts_with(b"include") {
            return Err(malformed(self));
        }
        self.skip("include".len());
        self.skip_blank()?;
        let Some(body) = self.rest().strip_prefix(b"\"") else {
            return Err(malformed(self));
        };
        let Some(length) = body.iter().position(|byte| matches!(byte, b'"' | b'\n')).filter(|end| *end > 0)
        else {
            return Err(malformed(self));
        };
        let name = String::from_utf8_lossy(body.get(..length).unwrap_or_default()).into_owned();
        self.skip(length + 2);
        self.skip_blank()?;
        if !self.rest().starts_with(b"?>") {
            return Err(malformed(self));
        }
        self.skip(2);
        self.enter(start, &name)
    }

    /// Opens an included file.
    fn enter(&mut self, directive: At, name: &str) -> Result<(), FileError> {
        if self.open.len() > MAX_INCLUDE_DEPTH {
            let text = format!("includes are nested deeper than {MAX_INCLUDE_DEPTH}");
            return Err(self.error(directive, text));
        }
        let (path, bytes) = self.find(directive, name)?;
        self.bytes_left = self
            .bytes_left
            .checked_sub(bytes.len())
            .ok_or_else(|| self.error(directive, "the configuration and its includes are too large"))?;
        let file = self.files.push(path, bytes);
        self.open.push(At { file, offset: 0 });
        Ok(())
    }

    fn find(&self, directive: At, name: &str) -> Result<(PathBuf, Vec<u8>), FileError> {
        let beside = self.files.path(directive.file).parent().unwrap_or(Path::new("")).join(name);
        let candidates = [beside, PathBuf::from(name)];
        let path = candidates.iter().find(|path| path.exists()).unwrap_or(&candidates[0]);
        match read_file(path) {
            Ok(bytes) => Ok((path.clone(), bytes)),
            Err(text) => Err(self.error(directive, format!("included file {} {text}", path.display()))),
        }
    }
}

/// The byte that a backslash and `letter` stand for.
const fn escape(letter: u8) -> Option<u8> {
    Some(match letter {
        b'"' | b'\\' | b'/' => letter,
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        _ => return None,
    })
}
