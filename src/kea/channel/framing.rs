//! Where messages begin and end in a stream (RFC 9112): heads, lengths, chunks.

use super::head::{Head, Length};
use super::json::Scan;
use super::message::Draft;
use super::quick;
use super::tls::{self, Records};
use super::{Anomaly, Control, Record};

/// Bytes of a head at most; Kea's have about two hundred.
const MOST_HEAD: usize = 8 << 10;
/// Bytes of a body at most: twenty pages of Kea's default 10,000 leases.
const MOST_BODY: u64 = 64 << 20;
/// Digits of a chunk's length and bytes of its extensions at most.
const MOST_CHUNK_LINE: usize = 256;

/// What a stream said.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "made once per message and taken apart at once")]
pub enum Heard {
    /// A complete HTTP message; without `Control` it is none of Kea's.
    Message(Option<Control>, Vec<Anomaly>),
    /// A message that cannot be read; the next one is looked for.
    Broken(Anomaly),
    /// A record of an encrypted channel.
    Tls(Record),
}

#[derive(Clone, Debug, Default)]
enum State {
    /// Before a message; what does not begin one is passed over up to the next segment.
    #[default]
    Start,
    Head,
    /// Bytes of the body to come.
    Length(u64),
    /// Inside a chunk: bytes to come, the line end behind them included.
    Chunk(u64),
    /// In the line that gives a chunk's length.
    ChunkLine,
    /// In the lines after the last chunk.
    Trailer,
    /// The body ends with the stream.
    UntilEnd,
    Tls(Records),
}

/// Reads the messages of one direction of one connection.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    answers: bool,
    state: State,
    /// The head, or a line between chunks.
    line: Vec<u8>,
    scan: Scan,
    /// Bytes of the body so far.
    taken: u64,
    status: u16,
    post: bool,
    anomalies: Vec<Anomaly>,
}

impl Reader {
    /// For what a client says.
    pub fn of_requests() -> Self {
        Self::default()
    }

    /// For what a server says.
    pub fn of_answers() -> Self {
        Self { answers: true, ..Self::default() }
    }

    /// Whether `bytes` begin like a command, as far as they go.
    pub fn begins_command(bytes: &[u8]) -> bool {
        !bytes.is_empty() && begins_with(bytes, b"POST ")
    }

    /// Whether no message, and no record, has begun.
    pub const fn is_between(&self) -> bool {
        match &self.state {
            State::Start => self.line.is_empty(),
            State::Tls(records) => records.is_between(),
            _ => false,
        }
    }

    /// Bytes that it holds, about.
    pub fn held(&self) -> usize {
        self.line.len() + self.scan.held()
    }

    /// Takes bytes of one segment from the front until they are all taken or something is heard.
    pub fn read(&mut self, bytes: &mut &[u8]) -> Option<Heard> {
        while !bytes.is_empty() {
            let heard = match &mut self.state {
                State::Start => self.start(bytes),
                State::Head => self.head(bytes),
                State::Length(left) => {
                    let body = take(bytes, left);
                    let over = *left == 0;
                    if over
                        && self.taken == 0
                        && let Some(heard) = self.usual(body)
                    {
                        return Some(heard);
                    }
                    self.body(body);
                    if over { Some(self.message()) } else { None }
                }
                State::Chunk(left) => {
                    let before = *left;
                    let mut body = take(bytes, left);
                    // The last two bytes are the line end.
                    let content = usize::try_from(before.saturating_sub(2)).unwrap_or(usize::MAX);
                    body = body.get(..content.min(body.len())).unwrap_or_default();
                    if *left == 0 {
                        self.state = State::ChunkLine;
                    }
                    self.body(body);
                    None
                }
                State::ChunkLine => self.chunk_line(bytes),
                State::Trailer => self.trailer(bytes),
                State::UntilEnd => {
                    let body = std::mem::take(bytes);
                    self.body(body);
                    None
                }
                State::Tls(records) => match records.read(bytes) {
                    Ok(record) => record.map(Heard::Tls),
                    Err(()) => {
                        self.reset();
                        *bytes = &[];
                        None
                    }
                },
            };
            let heard = if self.taken > MOST_BODY { Some(self.broken(Anomaly::BodyTooLong)) } else { heard };
            if let Some(Heard::Broken(_)) = heard {
                *bytes = &[];
            }
            if heard.is_some() {
                return heard;
            }
        }
        None
    }

    /// Bytes are missing from here on.
    pub fn lost(&mut self) -> Option<Heard> {
        let inside = !self.is_between() && !matches!(self.state, State::Tls(_));
        let heard = inside.then(|| self.broken(Anomaly::MessageCut));
        self.reset();
        heard
    }

    /// The stream is over.
    pub fn end(&mut self) -> Option<Heard> {
        if matches!(self.state, State::UntilEnd) { Some(self.message()) } else { self.lost() }
    }

    fn reset(&mut self) {
        *self = Self { answers: self.answers, ..Self::default() };
    }

    fn broken(&mut self, anomaly: Anomaly) -> Heard {
        self.reset();
        Heard::Broken(anomaly)
    }

    fn body(&mut self, bytes: &[u8]) {
        self.taken += bytes.len() as u64;
        self.scan.feed(bytes);
    }

    fn start(&mut self, bytes: &mut &[u8]) -> Option<Heard> {
        // Kea's clients send none, but a message may have line ends before it (RFC 9112 §2.2).
        while let Some((b'\r' | b'\n', rest)) = bytes.split_first()
            && self.line.is_empty()
        {
            *bytes = rest;
        }
        if self.line.is_empty()
            && let Some(head) = self.whole_head(bytes)
        {
            return self.begin(&head);
        }
        let (byte, rest) = bytes.split_first()?;
        self.line.push(*byte);
        let begun: &[&[u8]] = if self.answers {
            &[b"HTTP/1."]
        } else {
            &[b"POST ", b"GET ", b"PUT ", b"HEAD ", b"DELETE ", b"OPTIONS ", b"PATCH "]
        };
        if let Some(begun) = begun.iter().find(|begun| begins_with(&self.line, begun)) {
            *bytes = rest;
            if self.line.len() >= begun.len() {
                self.state = State::Head;
            }
        } else if tls::is_record(&self.line) {
            *bytes = rest;
            if self.line.len() >= 3 {
                let mut records = Records::default();
                let known = std::mem::take(&mut self.line);
                // These bytes are a beginning of a record, and no more than that.
                let _ = records.read(&mut known.as_slice());
                self.state = State::Tls(records);
            }
        } else {
            self.line.clear();
            *bytes = &[];
        }
        None
    }

    /// A head that one segment holds as a whole, as nearly all do: it is read where it lies.
    /// One with anything wrong about it is looked at again, byte by byte.
    fn whole_head(&self, bytes: &mut &[u8]) -> Option<Head> {
        let begun: &[u8] = if self.answers { b"HTTP/1." } else { b"POST " };
        if !bytes.starts_with(begun) {
            return None;
        }
        let (head, length) = self.parse_head(bytes.get(..MOST_HEAD).unwrap_or(bytes)).ok()?;
        *bytes = bytes.get(length?..)?;
        Some(head)
    }

    fn parse_head(&self, head: &[u8]) -> Result<(Head, Option<usize>), Anomaly> {
        if self.answers { Head::of_answer(head) } else { Head::of_request(head) }
    }

    fn take_head(&mut self, head: &[u8]) -> Option<Heard> {
        match self.parse_head(head) {
            Ok((head, _)) => self.begin(&head),
            Err(anomaly) => Some(self.broken(anomaly)),
        }
    }

    fn head(&mut self, bytes: &mut &[u8]) -> Option<Heard> {
        while !bytes.is_empty() {
            let ended = take_line(bytes, &mut self.line, MOST_HEAD);
            if ended && (self.line.ends_with(b"\n\r\n") || self.line.ends_with(b"\n\n")) {
                let head = std::mem::take(&mut self.line);
                return self.take_head(&head);
            }
            if self.line.len() >= MOST_HEAD {
                return Some(self.broken(Anomaly::HeadTooLong));
            }
        }
        None
    }

    /// A body begins.
    fn begin(&mut self, head: &Head) -> Option<Heard> {
        (self.status, self.post) = (head.status, head.post);
        if head.conflict {
            self.anomalies.push(Anomaly::LengthConflict);
        }
        self.state = match head.length {
            // An interim answer: the real one follows (RFC 9110 §15.2).
            _ if (100..200).contains(&self.status) => {
                self.reset();
                return None;
            }
            Length::Bytes(0) => return Some(self.message()),
            Length::Bytes(length) if length > MOST_BODY => return Some(self.broken(Anomaly::BodyTooLong)),
            Length::Bytes(length) => State::Length(length),
            Length::Chunks => State::ChunkLine,
            Length::UntilEnd => State::UntilEnd,
        };
        None
    }

    /// A line of a chunked body, without its end; `Err` while the end is not there.
    fn line(&mut self, bytes: &mut &[u8]) -> Result<Vec<u8>, Option<Anomaly>> {
        if !take_line(bytes, &mut self.line, MOST_CHUNK_LINE) {
            return Err((self.line.len() >= MOST_CHUNK_LINE).then_some(Anomaly::ChunkBroken));
        }
        let mut line = std::mem::take(&mut self.line);
        line.pop();
        line.pop_if(|byte| *byte == b'\r');
        Ok(line)
    }

    fn chunk_line(&mut self, bytes: &mut &[u8]) -> Option<Heard> {
        let line = match self.line(bytes) {
            Ok(line) => line,
            Err(anomaly) => return anomaly.map(|anomaly| self.broken(anomaly)),
        };
        let digits = line.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
        let plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit);
        let length = std::str::from_utf8(digits).ok().filter(|_| plain);
        match length.and_then(|digits| u64::from_str_radix(digits, 16).ok()) {
            Some(0) => self.state = State::Trailer,
            Some(length) if length <= MOST_BODY => self.state = State::Chunk(length + 2),
            Some(_) => return Some(self.broken(Anomaly::BodyTooLong)),
            None => return Some(self.broken(Anomaly::ChunkBroken)),
        }
        None
    }

    fn trailer(&mut self, bytes: &mut &[u8]) -> Option<Heard> {
        match self.line(bytes) {
            Ok(line) if line.is_empty() => Some(self.message()),
            Ok(line) => {
                // Trailers are counted as body, so that they end some time.
                self.taken += line.len() as u64 + 1;
                None
            }
            Err(anomaly) => anomaly.map(|anomaly| self.broken(anomaly)),
        }
    }

    /// A message is complete.
    fn message(&mut self) -> Heard {
        let (fields, odd) = std::mem::take(&mut self.scan).finish();
        let mut draft = self.draft();
        for (name, value) in &fields {
            draft.put(*name, value);
        }
        self.told(draft, odd)
    }

    /// A message is complete whose body lies there as a whole and is as usual.
    fn usual(&mut self, body: &[u8]) -> Option<Heard> {
        let mut draft = self.draft();
        quick::fields(body, |name, value| draft.put(name, &value))?;
        self.taken = body.len() as u64;
        Some(self.told(draft, Vec::new()))
    }

    fn draft(&self) -> Draft {
        if self.answers { Draft::of_answer(self.status) } else { Draft::of_request() }
    }

    fn told(&mut self, draft: Draft, odd: Vec<Anomaly>) -> Heard {
        let control = draft.finish().filter(|_| self.answers || self.post);
        let mut anomalies = std::mem::take(&mut self.anomalies);
        // What has no body at all, or is no POST, has nothing odd about it.
        if self.taken > 0 && (self.answers || self.post) {
            anomalies.extend(odd);
        }
        // Lines and the scan are taken already.
        self.state = State::Start;
        self.taken = 0;
        Heard::Message(control, anomalies)
    }
}

/// Whether one of the two is the beginning of the other.
fn begins_with(bytes: &[u8], pattern: &[u8]) -> bool {
    bytes.iter().zip(pattern).all(|(one, other)| one == other)
}

/// Moves bytes to `line` up to the next line end, at most until it has `most`; whether the end is there.
fn take_line(bytes: &mut &[u8], line: &mut Vec<u8>, most: usize) -> bool {
    let room = most.saturating_sub(line.len()).min(bytes.len());
    let (within, _) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
    let end = within.iter().position(|byte| *byte == b'\n');
    let (taken, rest) = bytes.split_at_checked(end.map_or(room, |at| at + 1)).unwrap_or((bytes, &[]));
    line.extend_from_slice(taken);
    *bytes = rest;
    end.is_some()
}

/// Takes at most `left` bytes from the front.
fn take<'a>(bytes: &mut &'a [u8], left: &mut u64) -> &'a [u8] {
    let count = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
    let (taken, rest) = bytes.split_at_checked(count).unwrap_or((bytes, &[]));
    *bytes = rest;
    *left -= taken.len() as u64;
    taken
}
