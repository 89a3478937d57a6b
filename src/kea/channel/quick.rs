//! A body that one segment holds as a whole and that is as Kea writes it: its
//! fields are picked out where they lie. Anything else is left to [`super::json`],
//! which defines what is right.

use std::borrow::Cow;

use super::fields::{Digits, Fields, Kept};
use super::json::{MOST_LIST, MOST_TEXT, argument, key};

/// Digits of a number that is certainly in range.
const FEW_DIGITS: usize = 18;

/// The fields of a message that has nothing odd about it.
pub(super) fn fields(body: &[u8]) -> Option<Fields<'_>> {
    let mut cursor = Cursor { rest: body };
    let mut kept = Vec::with_capacity(16);
    let list = cursor.eat(b'[').is_some();
    cursor.map(key, true, &mut kept)?;
    if list {
        cursor.eat(b']')?;
    }
    cursor.skip_space();
    cursor.rest.is_empty().then(|| Fields::new(kept))
}

struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
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

    /// A map whose keys `known` knows; that of the message may have another inside, its arguments.
    fn map(
        &mut self,
        known: fn(&[u8]) -> Option<&'static str>,
        outer: bool,
        kept: &mut Vec<(&'static str, Kept<'a>)>,
    ) -> Option<()> {
        self.eat(b'{')?;
        if self.eat(b'}').is_some() {
            return Some(());
        }
        loop {
            self.eat(b'"')?;
            let name = known(self.text()?);
            self.eat(b':')?;
            self.skip_space();
            if outer && name == Some("arguments") {
                keep(name, Kept::Other, kept)?;
                self.map(argument, false, kept)?;
            } else {
                let value = self.value()?;
                keep(name, value, kept)?;
            }
            if self.eat(b',').is_none() {
                return self.eat(b'}');
            }
        }
    }

    /// What is behind an opening quote, without escapes.
    #[inline]
    fn text(&mut self) -> Option<&'a [u8]> {
        let end = self.rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
        let (text, rest) = self.rest.split_at_checked(end)?;
        let (end, rest) = rest.split_first()?;
        self.rest = rest;
        (*end == b'"' && text.len() <= MOST_TEXT).then_some(text)
    }

    fn kept_text(&mut self) -> Option<Cow<'a, str>> {
        str::from_utf8(self.text()?).ok().map(Cow::Borrowed)
    }

    fn value(&mut self) -> Option<Kept<'a>> {
        match self.rest {
            [b'"', rest @ ..] => {
                self.rest = rest;
                self.kept_text().map(Kept::Text)
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
        let mut texts = Vec::new();
        if self.eat(b']').is_some() {
            return Some(Kept::List(texts, 0));
        }
        loop {
            self.eat(b'"')?;
            texts.push(self.kept_text()?);
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
        let (word, rest) = self.rest.split_at_checked(end)?;
        // A point or a plus sign would belong to it.
        if matches!(rest, [b'.' | b'+', ..]) {
            return None;
        }
        self.rest = rest;
        match word {
            b"true" => Some(Kept::Bool(true)),
            b"false" => Some(Kept::Bool(false)),
            b"null" => Some(Kept::Other),
            _ => {
                let digits = word.strip_prefix(b"-").unwrap_or(word);
                let plain = (1..=FEW_DIGITS).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
                plain.then(|| Kept::Number(Digits::new(word)))
            }
        }
    }
}

/// Keeps a value; not one that stands twice.
fn keep<'a>(
    name: Option<&'static str>,
    value: Kept<'a>,
    kept: &mut Vec<(&'static str, Kept<'a>)>,
) -> Option<()> {
    let Some(name) = name else { return Some(()) };
    if kept.iter().any(|(known, _)| *known == name) {
        return None;
    }
    kept.push((name, value));
    Some(())
}

#[cfg(test)]
mod tests {
    use super::super::json::Scan;
    use super::*;

    /// Holds the quick way against the other one, where it has something to say.
    fn compare(body: &[u8]) -> bool {
        let Some(quick) = fields(body) else { return false };
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
