//! A log on the captures' clock.
//!
//! Every line that names a client and a transaction is held against the
//! captured messages of that client and transaction, of the type that the line
//! gives (sent: only replies of this server). Each pair gives a difference,
//! capture time minus log time. Right pairs give the same one and wrong pairs
//! (retransmissions) scatter, so the offset is the median of the densest quarter
//! of a second. It counts when three lines agree on it and they are at least
//! half of those that could be compared. With fewer lines the log's time is
//! taken for UTC, and what needs an exact time is left alone. A log that should
//! share messages with the captures and shares none is of another run.

use std::collections::HashMap;

use super::seconds;
use crate::dhcp::MessageType;
use crate::exchange::{Observed, of};
use crate::ha::decide::Evidence;
use crate::kea::log::{Event, Log, What};
use crate::units::{CaptureTime, HwAddr, SECOND, ServerId, Xid};

/// How far right pairs may lie apart: Kea logs before it sends, and a partner may be asked in between.
const SPREAD: i64 = SECOND / 4;
/// Lines that must agree.
const FEWEST: usize = 3;
/// Captured messages that one line is compared with; a client that asks more often proves nothing more.
const MOST_PAIRS: usize = 8;
/// Lines that are compared; more prove nothing more.
const MOST_LINES: usize = 100_000;
/// A smaller offset is not worth a remark.
const REMARKABLE: i64 = SECOND;
/// The span of the world's time zones.
const ZONES: i64 = 14 * 3600 * SECOND;

/// How a log was put on the captures' clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alignment {
    /// The log's path.
    pub file: String,
    /// The server that wrote it.
    pub server: ServerId,
    /// What is added to a log time (taken as UTC) to get capture time, nanoseconds.
    pub offset: i64,
    /// Lines that agree on it.
    pub agreed: usize,
    /// Lines that could be compared.
    pub compared: usize,
    /// The coarsest time stamp's unit, nanoseconds.
    pub resolution: i64,
    /// How far to trust it.
    pub fit: Fit,
    /// An instant of the captures, which gives stamps without a year one.
    pub(super) hint: CaptureTime,
}

/// How far a log's time is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// Enough lines match messages.
    Matched,
    /// Too few do; its time is taken as UTC.
    AssumedUtc,
    /// The log tells of another time or another run.
    OtherRun,
    /// Its lines have no time.
    NoTime,
    /// The peer names in it are another server's.
    OtherServer,
}

impl Fit {
    /// Whether anything of the log is used.
    pub const fn is_used(self) -> bool {
        matches!(self, Self::Matched | Self::AssumedUtc)
    }
}

impl Alignment {
    /// The capture time of an event.
    pub fn time(&self, event: &Event) -> Option<CaptureTime> {
        event.stamp.map(|stamp| CaptureTime(stamp.near(self.hint)).plus(self.offset))
    }

    /// What its reader should know about the log, as a sentence.
    pub(super) fn remark(&self, server: &str) -> Option<String> {
        let file = &self.file;
        let (agreed, compared) = (self.agreed, self.compared);
        match self.fit {
            Fit::Matched if self.offset.saturating_abs() < REMARKABLE => None,
            Fit::Matched => Some(format!(
                "the log of {server} ({file}) was moved by {} to the captures' clock; {agreed} of {compared} lines \
                 agree",
                seconds(self.offset)
            )),
            Fit::AssumedUtc => Some(format!(
                "only {agreed} lines of the log of {server} ({file}) match captured messages, so its time is taken as \
                 UTC and used only where no exact time is needed"
            )),
            Fit::OtherRun => Some(format!(
                "the log of {server} ({file}) does not share its messages with the captures; it is of another time or \
                 another run, and is not used"
            )),
            Fit::OtherServer => Some(format!(
                "the log given for {server} ({file}) was written by another server, as the names in it say, and is not \
                 used"
            )),
            Fit::NoTime => {
                Some(format!("the lines of the log of {server} ({file}) have no time, so it is not used"))
            }
        }
    }
}

/// A client's transaction.
pub(super) type Transaction = (HwAddr, Xid);

/// What captured message a log line is about: its type, or any query.
fn about(event: &Event) -> Option<(Transaction, Option<MessageType>)> {
    let client = event.client.as_ref()?;
    let kind = match &event.what {
        What::Received(packet) | What::Sent(packet) => Some(packet.kind),
        What::Offer(_) => Some(MessageType::OFFER),
        What::Alloc(_) => Some(MessageType::ACK),
        What::Refused(_) => Some(MessageType::NAK),
        What::NotForUs(_) | What::ForeignServerId | What::Waiting | What::Unacked { .. } => None,
        _ => return None,
    };
    Some(((client.mac, client.xid), kind))
}

/// Captured messages by transaction: queries of everybody, replies of one server.
struct Captured(HashMap<Transaction, Vec<(CaptureTime, Option<MessageType>, bool)>>);

impl Captured {
    fn of(server: ServerId, evidence: &Evidence<'_>) -> Self {
        let mut captured: HashMap<_, Vec<_>> = HashMap::new();
        for message in evidence.messages.iter().filter(|it| !it.is_reply() && it.sighting_of.is_none()) {
            let entry: &mut Vec<_> = captured.entry((message.chaddr, message.xid)).or_default();
            entry.push((message.time, message.message_type, false));
        }
        let mut own: Vec<_> = evidence.answers.iter().filter(|(_, it)| it.server == server).collect();
        own.sort_by_key(|(id, _)| *id);
        for (id, _) in own {
            let reply = of(evidence.messages, id);
            let entry: &mut Vec<_> = captured.entry((reply.chaddr, reply.xid)).or_default();
            entry.push((reply.time, reply.message_type, true));
        }
        Self(captured)
    }

    /// The times of the messages that a line may be about.
    fn times(&self, key: Transaction, kind: Option<MessageType>) -> impl Iterator<Item = CaptureTime> + '_ {
        let all = self.0.get(&key).map(Vec::as_slice).unwrap_or_default().iter();
        let fits = move |(_, captured, reply): &&(CaptureTime, Option<MessageType>, bool)| match kind {
            Some(kind) => *captured == Some(kind),
            None => !reply,
        };
        all.filter(fits).map(|(time, _, _)| *time).take(MOST_PAIRS)
    }
}

pub(super) fn align(server: ServerId, log: &Log, evidence: &Evidence<'_>) -> Alignment {
    let start = evidence.messages.first().map_or(evidence.capture_end, |message| message.time);
    let captured = Captured::of(server, evidence);
    let mut pairs: Vec<(i64, usize)> = Vec::new();
    let mut compared = 0;
    for (line, event) in log.events.iter().enumerate() {
        let (Some(stamp), Some((key, kind))) = (event.stamp, about(event)) else { continue };
        let before = pairs.len();
        let ns = stamp.near(start);
        pairs.extend(captured.times(key, kind).map(|time| (time.0.saturating_sub(ns), line)));
        compared += usize::from(pairs.len() > before);
        if compared == MOST_LINES {
            break;
        }
    }
    let resolution = log.events.iter().filter_map(|event| event.stamp).map(|stamp| stamp.resolution).max();
    let (offset, agreed) = densest(&mut pairs, SPREAD + resolution.unwrap_or_default());
    let mut alignment = Alignment {
        file: log.name.clone(),
        server,
        offset,
        agreed,
        compared,
        resolution: resolution.unwrap_or_default(),
        fit: Fit::Matched,
        hint: start,
    };
    if resolution.is_none() {
        alignment.fit = Fit::NoTime;
    } else if agreed < FEWEST || agreed * 2 < compared {
        alignment.offset = 0;
        let replies = captured.0.values().flatten().filter(|(_, _, reply)| *reply).count();
        let tells = |what: fn(&Event) -> bool| log.events.iter().any(what);
        let shown =
            (replies >= FEWEST && tells(is_answer)) || (is_asked(server, evidence) && tells(is_query));
        let strange = compared == 0 && shown;
        let other = strange || !overlaps(log, (start, evidence.capture_end));
        alignment.fit = if other { Fit::OtherRun } else { Fit::AssumedUtc };
    }
    alignment
}

fn is_answer(event: &Event) -> bool {
    matches!(event.what, What::Sent(_) | What::Offer(_) | What::Alloc(_))
}

/// Some configurations log no query at all, others only those that the server answers.
fn is_query(event: &Event) -> bool {
    matches!(event.what, What::Received(_) | What::NotForUs(_) | What::ForeignServerId)
}

/// Whether the captures show queries that a server must have heard, if it ran.
fn is_asked(server: ServerId, evidence: &Evidence<'_>) -> bool {
    let heard = |it: &&Observed| {
        !it.is_reply() && it.is_broadcast() && evidence.network.address_in(server, it.zone).is_some()
    };
    evidence.messages.iter().filter(heard).nth(1).is_some()
}

/// Whether a log and the captures can be of the same time, in any time zone.
fn overlaps(log: &Log, (start, end): (CaptureTime, CaptureTime)) -> bool {
    let times = || log.events.iter().filter_map(|event| event.stamp).map(|stamp| stamp.near(start));
    match (times().min(), times().max()) {
        (Some(first), Some(last)) => {
            first <= end.0.saturating_add(ZONES) && last >= start.0.saturating_sub(ZONES)
        }
        _ => false,
    }
}

/// The median of the window of `width` that holds pairs of the most lines, and their number.
///
/// Of equal windows the one nearest to no offset wins.
fn densest(pairs: &mut [(i64, usize)], width: i64) -> (i64, usize) {
    pairs.sort_unstable();
    let mut best: (usize, std::cmp::Reverse<u64>, i64) = (0, std::cmp::Reverse(u64::MAX), 0);
    let mut end = 0;
    let mut inside: HashMap<usize, u32> = HashMap::new();
    for (begin, (first, line)) in pairs.iter().enumerate() {
        while let Some((_, line)) = pairs.get(end).filter(|(ns, _)| ns.saturating_sub(*first) <= width) {
            *inside.entry(*line).or_default() += 1;
            end += 1;
        }
        let median = pairs.get(begin + (end - begin) / 2).map_or(*first, |(ns, _)| *ns);
        best = best.max((inside.len(), std::cmp::Reverse(median.unsigned_abs()), median));
        if let Some(count) = inside.get_mut(line) {
            *count -= 1;
            if *count == 0 {
                inside.remove(line);
            }
        }
    }
    (best.2, best.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offset_is_where_most_lines_agree() {
        // Three lines 5 s apart from their messages; the retransmission after 2 s pairs wrongly too.
        let mut pairs = vec![(5_000, 0), (5_010, 1), (4_990, 2), (7_000, 0), (3_000, 2), (90_000, 3)];
        assert_eq!(densest(&mut pairs, 250), (5_000, 3));
        assert_eq!(densest(&mut [], 250), (0, 0));
        // Many pairs of one line are one line.
        assert_eq!(densest(&mut [(10, 0), (11, 0), (12, 0), (500, 1), (501, 2)], 5), (501, 2));
    }
}
