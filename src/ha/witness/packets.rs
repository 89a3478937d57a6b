//! Replies that a log tells of against replies that were captured.
//!
//! Both are lists in time order for each client, transaction and type; a client
//! may use a transaction again within a second, so lines and frames are paired
//! one to one, the nearest ones.

use std::collections::{BTreeMap, HashMap};

use super::align::Transaction;
use super::{Contradiction, Diary, MOST, Witnesses};
use crate::dhcp::MessageType;
use crate::exchange::of;
use crate::ha::catalogue::FindingCode;
use crate::ha::decide::Evidence;
use crate::kea::log::{Packet, What};
use crate::units::{CaptureTime, FrameRef, MessageId, SECOND, ServerId, ZoneId};

/// A line and its frame lie closer together than this.
const CLOSE: i64 = SECOND;

/// A line may seem to come before its query by this much.
const EARLIEST: i64 = SECOND / 100;

/// A reply of one client and transaction, by type.
type Key = (Transaction, MessageType);

/// A line that tells of a message sent.
struct Line<'d> {
    time: CaptureTime,
    number: u64,
    packet: &'d Packet,
}

/// Replies that a log says were sent on a captured wire and nothing there shows,
/// and captured replies of a server that its log, which has others, does not tell of.
pub(super) fn compare(witnesses: &Witnesses, evidence: &Evidence<'_>) -> Vec<Contradiction> {
    let mut spans: HashMap<ZoneId, (CaptureTime, CaptureTime)> = HashMap::new();
    for message in evidence.messages {
        let span = spans.entry(message.zone).or_insert((message.time, message.time));
        *span = (span.0.min(message.time), span.1.max(message.time));
    }
    let mut asked: HashMap<Transaction, Vec<(CaptureTime, FrameRef)>> = HashMap::new();
    for query in evidence.messages.iter().filter(|it| !it.is_reply()) {
        asked.entry((query.chaddr, query.xid)).or_default().push((query.time, query.at));
    }
    let again = again(evidence);
    let mut found = Vec::new();
    for (server, diary) in witnesses.diaries.iter().filter(|(_, diary)| diary.is_exact()) {
        let mut lines = lines(diary);
        let mut frames = frames(*server, evidence);
        let keys: std::collections::BTreeSet<Key> = lines.keys().chain(frames.keys()).copied().collect();
        for key in keys {
            let lines = lines.remove(&key).unwrap_or_default();
            let frames = frames.remove(&key).unwrap_or_default();
            let asked = asked.get(&key.0).map(Vec::as_slice).unwrap_or_default();
            let (unseen, unlogged) = unpaired(&lines, &frames, diary.slack());
            // ACKs that waited for the partner leave together, and equal ones are one message seen again.
            let again = again.get(&key).map(Vec::as_slice).unwrap_or_default();
            let seen_again = |line: &&Line<'_>| {
                again.iter().any(|time| time.since(line.time).saturating_abs() <= CLOSE + diary.slack())
            };
            for line in unseen.into_iter().filter(|line| !seen_again(line)) {
                let Some(zone) = wire(evidence, *server, line.packet) else { continue };
                // Before the first and after the last message nobody knows whether the capture ran.
                let blur = diary.resolution();
                let ran = |(first, last): &(CaptureTime, CaptureTime)| {
                    (first.plus(blur)..=last.plus(-blur)).contains(&line.time)
                };
                if spans.get(&zone).is_some_and(ran) {
                    found.push(unseen_reply(evidence, (*server, zone), key, line, asked));
                }
            }
            let told = |reply: &&(CaptureTime, MessageId)| {
                evidence.answers.get(&reply.1).is_some() && diary.tells_of_replies_at(reply.0)
            };
            if found.len() >= MOST {
                return found;
            }
            found.extend(
                unlogged.into_iter().filter(told).map(|(_, id)| unlogged_reply(evidence, *server, *id)),
            );
        }
    }
    found
}

/// What a log says was sent, but for what the socket did not take.
fn lines(diary: &Diary) -> BTreeMap<Key, Vec<Line<'_>>> {
    let mut lines: BTreeMap<Key, Vec<Line<'_>>> = BTreeMap::new();
    let mut last = None;
    for (time, event) in diary.events() {
        let Some(client) = &event.client else { continue };
        let transaction = (client.mac, client.xid);
        match &event.what {
            What::Sent(packet) => {
                let key = (transaction, packet.kind);
                lines.entry(key).or_default().push(Line { time, number: event.line, packet });
                last = Some(key);
            }
            What::SendFailed => {
                if let Some(key) = last.filter(|(of, _)| *of == transaction) {
                    lines.get_mut(&key).and_then(Vec::pop);
                }
            }
            _ => {}
        }
    }
    lines
}

/// Captured replies that a server sent, or that nobody is known to have sent.
fn frames(server: ServerId, evidence: &Evidence<'_>) -> BTreeMap<Key, Vec<(CaptureTime, MessageId)>> {
    let mut frames: BTreeMap<Key, Vec<_>> = BTreeMap::new();
    for (at, message) in evidence.messages.iter().enumerate() {
        let id = MessageId(at as u32);
        let other = evidence.answers.get(&id).is_some_and(|answer| answer.server != server);
        if message.is_reply()
            && message.sighting_of.is_none()
            && !other
            && let Some(kind) = message.message_type
        {
            let key = ((message.chaddr, message.xid), kind);
            frames.entry(key).or_default().push((message.time, id));
        }
    }
    for frames in frames.values_mut() {
        frames.sort_unstable();
    }
    frames
}

/// The later sightings of replies.
fn again(evidence: &Evidence<'_>) -> BTreeMap<Key, Vec<CaptureTime>> {
    let mut again: BTreeMap<Key, Vec<CaptureTime>> = BTreeMap::new();
    for reply in evidence.messages.iter().filter(|it| it.is_reply() && it.sighting_of.is_some()) {
        if let Some(kind) = reply.message_type {
            again.entry(((reply.chaddr, reply.xid), kind)).or_default().push(reply.time);
        }
    }
    again
}

/// What has no partner on the other side within a second; of two that could be, the nearer one
/// is, if it is nearer by more than the times are off (`slack`).
fn unpaired<'a, 'd>(
    lines: &'a [Line<'d>],
    frames: &'a [(CaptureTime, MessageId)],
    slack: i64,
) -> (Vec<&'a Line<'d>>, Vec<&'a (CaptureTime, MessageId)>) {
    let (mut unseen, mut unlogged) = (Vec::new(), Vec::new());
    let (mut left, mut right) = (lines.iter().peekable(), frames.iter().peekable());
    loop {
        let gap = |line: &Line<'_>, frame: &(CaptureTime, MessageId)| line.time.since(frame.0);
        match (left.peek().copied(), right.peek().copied()) {
            (Some(line), Some(frame)) => {
                let (mut ahead_left, mut ahead_right) = (left.clone(), right.clone());
                let next_line = ahead_left.nth(1);
                let next_frame = ahead_right.nth(1);
                let here = gap(line, frame).abs();
                let nearer = |other: i64| other.abs() + slack < here;
                if here > CLOSE + slack {
                    if line.time < frame.0 {
                        unseen.extend(left.next());
                    } else {
                        unlogged.extend(right.next());
                    }
                } else if next_frame.is_some_and(|next| nearer(gap(line, next))) {
                    unlogged.extend(right.next());
                } else if next_line.is_some_and(|next| nearer(gap(next, frame))) {
                    unseen.extend(left.next());
                } else {
                    left.next();
                    right.next();
                }
            }
            (Some(_), None) => unseen.extend(left.next()),
            (None, Some(_)) => unlogged.extend(right.next()),
            (None, None) => return (unseen, unlogged),
        }
    }
}

fn unseen_reply(
    evidence: &Evidence<'_>,
    (server, zone): (ServerId, ZoneId),
    ((mac, xid), kind): Key,
    line: &Line<'_>,
    asked: &[(CaptureTime, FrameRef)],
) -> Contradiction {
    let before = asked.partition_point(|(time, _)| *time <= line.time.plus(EARLIEST));
    let query = before.checked_sub(1).and_then(|at| asked.get(at));
    Contradiction {
        code: FindingCode::LogContradictsPackets,
        time: line.time,
        zone,
        server,
        client: Some(mac),
        text: format!(
            "the log of {} says that it sent {} to {} (transaction {xid}, line {}), and the capture of {} does not \
             show it",
            evidence.network.machines.name(server),
            article(kind),
            line.packet.dst,
            line.number,
            evidence.network.zone(zone),
        ),
        frames: query.map(|(_, at)| *at).into_iter().collect(),
    }
}

fn unlogged_reply(evidence: &Evidence<'_>, server: ServerId, id: MessageId) -> Contradiction {
    let reply = of(evidence.messages, id);
    Contradiction {
        code: FindingCode::LogContradictsPackets,
        time: reply.time,
        zone: reply.zone,
        server,
        client: Some(reply.chaddr),
        text: format!(
            "{} sent {} (transaction {}), and its log does not tell of it",
            evidence.network.machines.name(server),
            reply.message_type.map_or_else(|| "a reply".to_owned(), article),
            reply.xid
        ),
        frames: vec![reply.at],
    }
}

/// The captured zone on whose wire a logged message must have been: source and
/// destination are on it, the destination perhaps as everybody.
fn wire(evidence: &Evidence<'_>, server: ServerId, packet: &Packet) -> Option<ZoneId> {
    let network = evidence.network;
    let mut zones = (0..network.zones.len()).map(|at| ZoneId(at as u16));
    zones.find(|zone| {
        network.address_in(server, *zone) == Some(packet.src)
            && (packet.dst.is_broadcast() || network.is_on(*zone, packet.dst))
    })
}

fn article(kind: MessageType) -> String {
    let article = if matches!(kind, MessageType::OFFER | MessageType::ACK) { "an" } else { "a" };
    format!("{article} {kind}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_are_pairs_and_the_rest_is_left() {
        let packet = Packet {
            kind: MessageType::ACK,
            src: [10, 0, 0, 1].into(),
            dst: [10, 0, 0, 2].into(),
            interface: "eth0".into(),
        };
        let pairs = |lines: &[i64], frames: &[i64]| {
            let lines: Vec<Line<'_>> = lines
                .iter()
                .map(|ms| Line { time: CaptureTime(ms * 1_000_000), number: 0, packet: &packet })
                .collect();
            let frames: Vec<_> =
                frames.iter().map(|ms| (CaptureTime(ms * 1_000_000), MessageId(0))).collect();
            let (unseen, unlogged) = unpaired(&lines, &frames, SECOND / 200);
            let unseen: Vec<i64> = unseen.iter().map(|line| line.time.0 / 1_000_000).collect();
            let unlogged: Vec<i64> = unlogged.iter().map(|frame| frame.0.0 / 1_000_000).collect();
            (unseen, unlogged)
        };
        assert_eq!(pairs(&[0, 200], &[1, 201]), (vec![], vec![]));
        assert_eq!(pairs(&[200], &[1, 201]), (vec![], vec![1]));
        assert_eq!(pairs(&[0, 200], &[201]), (vec![0], vec![]));
        assert_eq!(pairs(&[0], &[2000]), (vec![0], vec![2000]));
        assert_eq!(pairs(&[], &[7]), (vec![], vec![7]));
    }
}
