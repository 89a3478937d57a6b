//! JSON of any size in bounded memory: what the commands and answers need of
//! it is picked out as the bytes come, everything else is only checked.
//!
//! A page of 10,000 leases is about 3 MB and a hostile body may have no end,
//! so no body is stored. `serde_json` wants a document as a whole; the tests
//! hold this reader against it.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::Anomaly;
use super::fields::{Field, Kept, MOST_DIGITS};

/// A text that is kept is cut after so many bytes; a client identifier takes at most 764.
pub(super) const MOST_TEXT: usize = 1024;
/// Elements of a list that are kept.
pub(super) const MOST_LIST: usize = 16;
/// Containers in one another.
const MOST_DEPTH: u32 = 48;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Expect {
    #[default]
    Value,
    ValueOrEnd,
    KeyOrEnd,
    Key,
    Colon,
    CommaOrEnd,
    Nothing,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Token {
    #[default]
    None,
    Text,
    /// After a backslash.
    Escape,
    /// Digits left of `\uXXXX`, and its value so far.
    Hex(u8, u16),
    /// A number, `true`, `false` or `null`.
    Bare,
}

/// A reader of one body.
#[derive(Clone, Debug, Default)]
pub(super) struct Scan {
    /// One bit per open container, the innermost lowest; set for a map.
    maps: u64,
    depth: u32,
    expect: Expect,
    token: Token,
    text: Vec<u8>,
    /// First half of a surrogate pair.
    high: Option<u16>,
    too_long: bool,
    /// Whether the present key may be, or the present value belongs to, a field that is kept.
    wanted: bool,
    /// Depth of the message's own map: 1, or 2 in a list.
    base: u32,
    /// Messages in the list so far; only the first is read.
    messages: u32,
    /// The key of the message, and of its arguments, whose value is being read.
    key: Option<Field>,
    argument: Option<Field>,
    kept: Vec<(Field, Kept<'static>)>,
    anomalies: Vec<Anomaly>,
    failed: bool,
}

impl Scan {
    /// Takes the next bytes.
    pub(super) fn feed(&mut self, mut bytes: &[u8]) {
        while let Some((byte, rest)) = bytes.split_first()
            && !self.failed
        {
            if self.token == Token::Text {
                // Most of a body is text: all of it up to what means something.
                let plain = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\'));
                let (text, behind) = bytes.split_at_checked(plain.unwrap_or(bytes.len())).unwrap_or_default();
                if !text.is_empty() {
                    self.keep_all(text);
                    bytes = behind;
                    continue;
                }
            }
            self.step(*byte);
            bytes = rest;
        }
    }

    /// The body is over: what was kept, and what is odd; nothing is kept of a body that is no JSON.
    pub(super) fn finish(mut self) -> (Vec<(Field, Kept<'static>)>, Vec<Anomaly>) {
        if !self.failed && self.token == Token::Bare {
            self.bare();
        }
        if !self.failed && (self.expect != Expect::Nothing || self.token != Token::None) {
            self.fail(Anomaly::JsonBroken);
        }
        (if self.failed { Vec::new() } else { self.kept }, self.anomalies)
    }

    /// Bytes that it holds, about.
    pub(super) fn held(&self) -> usize {
        let size = |kept: &Kept<'_>| match kept {
            Kept::Text(text) => text.len(),
            Kept::List(texts, _) => texts.iter().map(|text| text.len()).sum(),
            _ => 0,
        };
        self.text.len() + self.kept.iter().map(|(_, kept)| 32 + size(kept)).sum::<usize>()
    }

    fn note(&mut self, anomaly: Anomaly) {
        if !self.anomalies.contains(&anomaly) {
            self.anomalies.push(anomaly);
        }
    }

    fn fail(&mut self, anomaly: Anomaly) {
        self.note(anomaly);
        self.failed = true;
    }

    const fn in_map(&self) -> bool {
        self.maps & 1 == 1
    }

    fn step(&mut self, byte: u8) {
        match self.token {
            Token::None => self.between(byte),
            Token::Text => match byte {
                b'"' => self.text_end(),
                b'\\' => self.token = Token::Escape,
                _ => self.keep(byte),
            },
            Token::Escape => {
                self.token = Token::Text;
                match byte {
                    b'"' | b'\\' | b'/' => self.keep(byte),
                    b'b' => self.keep(8),
                    b'f' => self.keep(12),
                    b'n' => self.keep(b'\n'),
                    b'r' => self.keep(b'\r'),
                    b't' => self.keep(b'\t'),
                    b'u' => self.token = Token::Hex(4, 0),
                    _ => self.fail(Anomaly::JsonBroken),
                }
            }
            Token::Hex(left, code) => match char::from(byte).to_digit(16) {
                Some(digit) => {
                    let code = code << 4 | digit as u16;
                    self.token = if left > 1 { Token::Hex(left - 1, code) } else { Token::Text };
                    if left <= 1 {
                        self.code(code);
                    }
                }
                None => self.fail(Anomaly::JsonBroken),
            },
            Token::Bare => {
                if byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.') {
                    self.keep(byte);
                } else {
                    self.bare();
                    if !self.failed {
                        self.between(byte);
                    }
                }
            }
        }
    }

    /// A UTF-16 unit of an escape.
    fn code(&mut self, code: u16) {
        let units = self.high.take().into_iter().chain([code]);
        if (0xd800..0xdc00).contains(&code) {
            self.high = Some(code);
            return;
        }
        for decoded in char::decode_utf16(units) {
            let decoded = decoded.unwrap_or(char::REPLACEMENT_CHARACTER);
            decoded.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| self.keep(byte));
        }
    }

    fn keep(&mut self, byte: u8) {
        self.keep_all(&[byte]);
    }

    fn keep_all(&mut self, bytes: &[u8]) {
        if self.token != Token::Bare && !self.wanted {
            return;
        }
        let most = if self.token == Token::Bare { MOST_DIGITS } else { MOST_TEXT };
        let room = most.saturating_sub(self.text.len());
        self.text.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        self.too_long |= bytes.len() > room;
    }

    /// A byte outside of texts, numbers and words.
    fn between(&mut self, byte: u8) {
        if matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
            return;
        }
        match (self.expect, byte) {
            (Expect::Key | Expect::KeyOrEnd, b'"') => {
                self.token = Token::Text;
                self.wanted = self.depth == self.base || self.in_arguments();
            }
            (Expect::Colon, b':') => self.expect = Expect::Value,
            (Expect::CommaOrEnd, b',') => {
                self.expect = if self.in_map() { Expect::Key } else { Expect::Value };
            }
            (Expect::CommaOrEnd | Expect::KeyOrEnd, b'}') if self.in_map() => self.close(),
            (Expect::CommaOrEnd | Expect::ValueOrEnd, b']') if !self.in_map() => self.close(),
            (Expect::Value | Expect::ValueOrEnd, b'{' | b'[') => self.open(byte == b'{'),
            (Expect::Value | Expect::ValueOrEnd, b'"') => {
                self.begin();
                self.token = Token::Text;
                self.expect = Expect::CommaOrEnd;
            }
            (Expect::Value | Expect::ValueOrEnd, _) if byte.is_ascii_alphanumeric() || byte == b'-' => {
                self.begin();
                self.token = Token::Bare;
                self.expect = Expect::CommaOrEnd;
                self.keep(byte);
            }
            _ => self.fail(Anomaly::JsonBroken),
        }
        // A message is a map or a list of maps; anything else is not looked at further.
        if self.depth == 0 && self.token != Token::None {
            self.fail(Anomaly::JsonBroken);
        }
    }

    fn open(&mut self, map: bool) {
        self.begin();
        self.value(|_| if map { Kept::Other } else { Kept::List(SmallVec::new(), 0) });
        if self.depth >= MOST_DEPTH {
            return self.fail(Anomaly::JsonTooDeep);
        }
        self.depth += 1;
        self.maps = self.maps << 1 | u64::from(map);
        self.expect = if map { Expect::KeyOrEnd } else { Expect::ValueOrEnd };
        if map && (self.depth == 1 || (self.depth == 2 && self.maps == 1)) {
            self.base = self.depth;
            self.messages += 1;
        }
    }

    fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.maps >>= 1;
        if self.depth == self.base {
            self.argument = None;
        }
        self.expect = if self.depth == 0 { Expect::Nothing } else { Expect::CommaOrEnd };
    }

    fn text_end(&mut self) {
        self.token = Token::None;
        self.high = None;
        let too_long = std::mem::take(&mut self.too_long);
        if matches!(self.expect, Expect::Key | Expect::KeyOrEnd) {
            self.expect = Expect::Colon;
            if self.depth == self.base {
                self.key = Field::of_key(&self.text).filter(|_| self.messages == 1);
                self.argument = None;
            } else if self.in_arguments() {
                self.argument = Field::of_argument(&self.text);
            }
            self.text.clear();
            return;
        }
        if too_long && self.wanted {
            self.note(Anomaly::JsonTextTooLong);
        }
        self.value(|text| Kept::Text(lossy(text)));
        self.text.clear();
    }

    /// Whether this is the map of the message's arguments.
    fn in_arguments(&self) -> bool {
        self.depth == self.base + 1 && self.key == Some(Field::Arguments)
    }

    /// A number or a word is over.
    fn bare(&mut self) {
        self.token = Token::None;
        let too_long = std::mem::take(&mut self.too_long);
        // Letters, digits, signs and points: always text.
        let word = str::from_utf8(&self.text).unwrap_or_default();
        let digits = word.strip_prefix('-').unwrap_or(word);
        let short = digits.len() <= 18 && !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let number = |word: &str| word.parse::<f64>().ok().filter(|_| !word.contains(['i', 'n', 'I', 'N']));
        match word {
            "true" => self.value(|_| Kept::Bool(true)),
            "false" => self.value(|_| Kept::Bool(false)),
            "null" => self.value(|_| Kept::Other),
            _ if short => self.value(|digits| Kept::Number(lossy(digits))),
            _ => match number(word) {
                Some(number) if self.wanted && (too_long || number.abs() > 9e18) => {
                    self.note(Anomaly::JsonNumberRange);
                    self.value(|_| Kept::Other);
                }
                Some(_) => self.value(|digits| Kept::Number(lossy(digits))),
                None => self.fail(Anomaly::JsonBroken),
            },
        }
        self.text.clear();
    }

    /// The field that a value at this place belongs to, and whether it is an element of its list.
    fn place(&self) -> Option<(Field, bool)> {
        if self.base == 0 || self.messages > 1 {
            return None;
        }
        let below = self.depth.checked_sub(self.base)?;
        match (below, self.in_map(), self.key?) {
            (0, true, key) => Some((key, false)),
            (1, false, key) if key != Field::Arguments => Some((key, true)),
            (1, true, Field::Arguments) => Some((self.argument?, false)),
            (2, false, Field::Arguments) => Some((self.argument?, true)),
            _ => None,
        }
    }

    /// A value begins: whether it is wanted, and one more in its list if that is kept.
    fn begin(&mut self) {
        let place = self.place();
        self.wanted = place.is_some();
        if let Some((name, true)) = place
            && let Some((_, Kept::List(_, count))) = self.kept.iter_mut().find(|(known, _)| *known == name)
        {
            *count += 1;
        }
    }

    /// Keeps what a value that is over was, made of its text, if it is wanted.
    fn value(&mut self, of: impl FnOnce(&[u8]) -> Kept<'static>) {
        if !self.wanted {
            return;
        }
        let Some((name, element)) = self.place() else { return };
        let known = self.kept.iter_mut().find(|(known, _)| *known == name);
        match (known, of(&self.text)) {
            (Some((_, Kept::List(texts, _))), Kept::Text(text)) if element => {
                if texts.len() < MOST_LIST {
                    texts.push(text);
                }
            }
            (_, _) if element => {}
            (None, value) => self.kept.push((name, value)),
            // The last one counts for Kea.
            (Some((_, kept)), value) => {
                *kept = value;
                self.note(Anomaly::JsonDuplicateKey);
            }
        }
    }
}

fn lossy(text: &[u8]) -> Cow<'static, str> {
    String::from_utf8_lossy(text).into_owned().into()
}
