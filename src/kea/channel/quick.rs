//! A body that one segment holds as a whole and that is as Kea writes it: its
//! fields are picked out where they lie. Anything else is left to [`super::json`],
//! which defines what is right.

use std::borrow::Cow;

use memchr::memchr;
use smallvec::SmallVec;

use super::fields::{Field, Kept};
use super::json::{MOST_LIST, MOST_TEXT};

/// Digits of a number that is certainly in range.
const FEW_DIGITS: usize = 18;

/// Gives the fields of a message that has nothing odd about it to `put`, each once; of another, some of them.
pub(super) fn fields<'a>(body: &'a [u8], put: impl FnMut(Field, Kept<'a>)) -> Option<()> {
    // Checked once: whatever lies between two quotes is text as it stands then.
    if memchr(b'\\', body).is_some() {
        return None;
    }
    let mut cursor = Cursor { body: str::from_utf8(body).ok()?, rest: body, put, names: 0 };
    let list = cursor.eat(b'[').is_some();
    cursor.map(Field::of_key, true)?;
    if list {
        cursor.eat(b']')?;
    }
    cursor.skip_space();
    cursor.rest.is_empty().then_some(())
}

struct Cursor<'a, F> {
    body: &'a str,
    /// What of it is not read yet.
    rest: &'a [u8],
    put: F,
    /// A bit for each name that was given.
    names: u32,
}

impl<'a, F: FnMut(Field, Kept<'a>)> Cursor<'a, F> {
    #[inline]
    fn skip_space(&mut self) {
        while let [b' ' | b'\t' | b'\r' | b'\n', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    /// Takes a byte that is due, and white space before it.
    #[inline]
    fn eat(&mut self, due: u8) -> Option<()> {
        self.skip_space();
        let (byte, rest) = self.rest.split_first()?;
        if *byte == due {
            self.rest = rest;
            return Some(());
        }
        None
    }

    /// Takes so many bytes.
    #[inline]
    fn take(&mut self, length: usize) -> Option<&'a str> {
        let at = self.body.len() - self.rest.len();
        self.rest = self.rest.get(length..)?;
        self.body.get(at..at + length)
    }

    /// A map whose keys `known` knows; that of the message may have another inside, its arguments.
    fn map(&mut self, known: fn(&[u8]) -> Option<Field>, outer: bool) -> Option<()> {
        self.eat(b'{')?;
        if self.eat(b'}').is_some() {
            return Some(());
        }
        loop {
            self.eat(b'"')?;
            let name = known(self.text()?.as_bytes());
            self.eat(b':')?;
            self.skip_space();
            if outer && name == Some(Field::Arguments) {
                self.keep(name, Kept::Other)?;
                self.map(Field::of_argument, false)?;
            } else {
                let value = self.value()?;
                self.keep(name, value)?;
            }
            if self.eat(b',').is_none() {
                return self.eat(b'}');
            }
        }
    }

    /// Gives a value; not one that stands twice.
    #[inline]
    fn keep(&mut self, name: Option<Field>, value: Kept<'a>) -> Option<()> {
        let Some(name) = name else { return Some(()) };
        if self.names & name.bit() != 0 {
            return None;
        }
        self.names |= name.bit();
        (self.put)(name, value);
        Some(())
    }

    /// What is behind an opening quote, up to the closing one.
    #[inline]
    fn text(&mut self) -> Option<&'a str> {
        let text = self.take(memchr(b'"', self.rest)?)?;
        self.rest = self.rest.get(1..)?;
        (text.len() <= MOST_TEXT).then_some(text)
    }

    #[inline]
    fn value(&mut self) -> Option<Kept<'a>> {
        match self.rest {
            [b'"', rest @ ..] => {
                self.rest = rest;
                self.text().map(|text| Kept::Text(Cow::Borrowed(text)))
            }
            [b'[', rest @ ..] => {
                self.rest = rest;
                self.list()
            }
            _ => self.bare(),
        }
    }

    /// A list of texts.
    fn list(&mut self) -> Option<Kept<'a>> {
        let mut texts = SmallVec::new();
        if self.eat(b']').is_some() {
            return Some(Kept::List(texts, 0));
        }
        loop {
            self.eat(b'"')?;
            texts.push(Cow::Borrowed(self.text()?));
            if texts.len() > MOST_LIST {
                return None;
            }
            if self.eat(b',').is_none() {
                self.eat(b']')?;
                let count = texts.len() as u64;
                return Some(Kept::List(texts, count));
            }
        }
    }

    /// A whole number or a word.
    fn bare(&mut self) -> Option<Kept<'a>> {
        let end = self.rest.iter().position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'-')?;
        let word = self.take(end)?;
        // A point or a plus sign would belong to it.
        if matches!(self.rest, [b'.' | b'+', ..]) {
            return None;
        }
        match word {
            "true" => Some(Kept::Bool(true)),
            "false" => Some(Kept::Bool(false)),
            "null" => Some(Kept::Other),
            _ => {
                let digits = word.strip_prefix('-').unwrap_or(word);
                let plain =
                    (1..=FEW_DIGITS).contains(&digits.len()) && digits.bytes().all(|it| it.is_ascii_digit());
                plain.then_some(Kept::Number(Cow::Borrowed(word)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::json::Scan;
    use super::*;

    /// Holds the quick way against the other one, where it has something to say.
    fn compare(body: &[u8]) -> bool {
        let mut quick = Vec::new();
        if fields(body, |name, value| quick.push((name, value))).is_none() {
            return false;
        }
        let mut scan = Scan::default();
        scan.feed(body);
        let (slow, anomalies) = scan.finish();
        assert_eq!(anomalies, [], "{}", String::from_utf8_lossy(body));
        assert_eq!(format!("{quick:?}"), format!("{slow:?}"), "{}", String::from_utf8_lossy(body));
        true
    }

    #[test]
    fn both_ways_pick_the_same() {
        let bodies = [
            r#"{ "arguments": { "client-id": "01:08", "expire": 17, "force-create": true, "hw-address": "08:00", "ip-address": "10.0.0.16", "origin": "ha-partner", "state": 0, "subnet-id": 1, "valid-lft": 7200 }, "command": "lease4-update", "service": [ "dhcp4" ] }"#,
            r#"[ { "arguments": { "date-time": "Sun, 22 Nov 2026 08:00:00 GMT", "scopes": [  ], "state": "hot-standby", "unsent-update-count": -0 }, "result": 0, "text": "x" } ]"#,
            r#"{"command":"a","arguments":{},"service":[],"result":null,"x":{"y":1}}"#,
            r#"[{"result":0},{"result":1}]"#,
            r#"{"text":"a\nb","arguments":{"state":1.5,"limit":123456789012345678901}}"#,
        ];
        assert_eq!(bodies.map(|body| compare(body.as_bytes())), [true, true, false, false, false]);
        // Every byte of the good ones replaced, left out, and put twice.
        let mut quick = 0;
        for body in bodies.map(str::as_bytes) {
            for at in 0..body.len() {
                for byte in *b"{}[]:,\" \\a0-.+\n\xff" {
                    let mut other = body.to_vec();
                    other[at] = byte;
                    quick += u32::from(compare(&other));
                }
                let (before, after) = body.split_at(at);
                quick += u32::from(compare(&[before, &after[1..]].concat()));
                quick += u32::from(compare(&[before, &after[..1], after].concat()));
            }
        }
        assert!(quick > 1000, "{quick}");
    }
}
