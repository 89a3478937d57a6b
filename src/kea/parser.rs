//! The grammar of Kea's JSON dialect: words in, a [`Document`] out.
//!
//! After an element of a list or a map any number of commas may stand (Kea ≥
//! 2.1.2 warns and goes on); before the first element none may. A key that
//! stands twice in one map is an error, as in Kea.

use std::collections::HashMap;
use std::path::Path;

use super::document::{At, Document, Entry, FileError, Node, Value};
use super::lexer::{Lexer, Token};

/// Most maps and lists inside one another; real configurations stay below 20.
const MAX_DEPTH: usize = 128;

/// Reads one document.
pub(super) fn parse(path: &Path, bytes: Vec<u8>) -> Result<Document, FileError> {
    let mut parser = Parser { lexer: Lexer::new(path, bytes)?, depth: 0 };
    let (at, token) = parser.lexer.next()?;
    let root = parser.value(at, token)?;
    match parser.lexer.next()? {
        (_, Token::End) => Ok(Document { files: parser.lexer.into_files(), root }),
        (at, token) => {
            Err(parser.error(at, format!("{} stands after the end of the configuration", token.name())))
        }
    }
}

struct Parser {
    lexer: Lexer,
    depth: usize,
}

impl Parser {
    fn error(&self, at: At, text: impl Into<String>) -> FileError {
        self.lexer.files().error(at, text)
    }

    /// The error for a word that the grammar does not allow here.
    fn unexpected(&self, at: At, token: &Token, expected: &str) -> FileError {
        self.error(at, format!("expected {expected}, found {}", token.name()))
    }

    /// The value that begins with `token`.
    fn value(&mut self, at: At, token: Token) -> Result<Node, FileError> {
        let value = match token {
            Token::Mark(mark @ (b'{' | b'[')) => {
                if self.depth == MAX_DEPTH {
                    return Err(self.error(at, format!("maps and lists are nested deeper than {MAX_DEPTH}")));
                }
                self.depth += 1;
                let value = if mark == b'{' { self.map(at) } else { self.list(at) }?;
                self.depth -= 1;
                value
            }
            Token::Text(text) => Value::Text(text),
            Token::Int(number) => Value::Int(number),
            Token::Float(number) => Value::Float(number),
            Token::Bool(value) => Value::Bool(value),
            Token::Null => Value::Null,
            Token::Mark(_) | Token::End => return Err(self.unexpected(at, &token, "a value")),
        };
        Ok(Node { at, value })
    }

    /// The rest of the list that was opened at `open`.
    fn list(&mut self, open: At) -> Result<Value, FileError> {
        let mut items = Vec::new();
        let (mut at, mut token) = self.lexer.next()?;
        while token != Token::Mark(b']') {
            self.still_open(&token, open, "list")?;
            items.push(self.value(at, token)?);
            (at, token) = self.after_element(open, "list", b']')?;
        }
        Ok(Value::List(items))
    }

    /// The rest of the map that was opened at `open`.
    fn map(&mut self, open: At) -> Result<Value, FileError> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut places: HashMap<String, At> = HashMap::new();
        let (mut at, mut token) = self.lexer.next()?;
        while token != Token::Mark(b'}') {
            self.still_open(&token, open, "map")?;
            let Token::Text(key) = token else {
                return Err(self.unexpected(at, &token, "a key in quotes"));
            };
            if let Some(first) = places.insert(key.clone(), at) {
                let line = self.lexer.files().line_and_column(first).0;
                return Err(self.error(at, format!("{key:?} stands twice in this map, first on line {line}")));
            }
            match self.lexer.next()? {
                (_, Token::Mark(b':')) => {}
                (at, token) => return Err(self.unexpected(at, &token, &format!("':' after {key:?}"))),
            }
            let (value_at, value) = self.lexer.next()?;
            let node = self.value(value_at, value)?;
            entries.push(Entry { key, at, node });
            (at, token) = self.after_element(open, "map", b'}')?;
        }
        Ok(Value::Map(entries))
    }

    /// Reads the commas after an element; returns the next element's first word or the closing mark.
    fn after_element(&mut self, open: At, what: &str, close: u8) -> Result<(At, Token), FileError> {
        let (at, token) = self.lexer.next()?;
        self.still_open(&token, open, what)?;
        if token == Token::Mark(close) {
            return Ok((at, token));
        }
        if token != Token::Mark(b',') {
            return Err(self.unexpected(at, &token, &format!("',' or '{}'", char::from(close))));
        }
        loop {
            let (at, token) = self.lexer.next()?;
            if token != Token::Mark(b',') {
                return Ok((at, token));
            }
        }
    }

    fn still_open(&self, token: &Token, open: At, what: &str) -> Result<(), FileError> {
        if *token == Token::End {
            return Err(self.error(open, format!("this {what} is never closed")));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
