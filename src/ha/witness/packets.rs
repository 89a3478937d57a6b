//! Messages that a log tells of against messages that were captured.

use std::collections::HashMap;

use super::{Contradiction, Witnesses};
use crate::dhcp::MessageType;
use crate::exchange::of;
use crate::ha::catalogue::FindingCode;
use crate::ha::decide::Evidence;
use crate::kea::log::{Event, Packet, What};
use crate::units::{CaptureTime, HwAddr, MessageId, SECOND, ServerId, Xid, ZoneId};

/// A line and its message lie closer together than this.
const CLOSE: i64 = SECOND;

/// Replies that a log says were sent on a captured wire, and that nothing there shows.
pub(super) fn unseen(witnesses: &Witnesses, evidence: &Evidence<'_>) -> Vec<Contradiction> {
    let mut captured: HashMap<(HwAddr, Xid), Vec<MessageId>> = HashMap::new();
    let mut spans: HashMap<ZoneId, (CaptureTime, CaptureTime)> = HashMap::new();
    for (at, message) in evidence.messages.iter().enumerate() {
        captured.entry((message.chaddr, message.xid)).or_default().push(MessageId(at as u32));
        let span = spans.entry(message.zone).or_insert((message.time, message.time));
        *span = (span.0.min(message.time), span.1.max(message.time));
    }
    let mut found = Vec::new();
    for (server, diary) in witnesses.diaries.iter().filter(|(_, diary)| diary.is_exact()) {
        let reach = CLOSE + diary.slack();
        for (time, event) in diary.events() {
            let (What::Sent(packet), Some(client)) = (&event.what, &event.client) else { continue };
            let Some(zone) = wire(evidence, *server, packet) else { continue };
            // Before the first and after the last message nobody knows whether the capture ran.
            if spans.get(&zone).is_none_or(|(first, last)| time < *first || time > *last) {
                continue;
            }
            let failed = |(at, event): (CaptureTime, &Event)| {
                matches!(event.what, What::SendFailed) && at.since(time).saturating_abs() <= reach
            };
            if diary.of(client.mac, client.xid).any(failed) {
                continue;
            }
            let near = captured.get(&(client.mac, client.xid)).map(Vec::as_slice).unwrap_or_default();
            let near = || near.iter().map(|id| of(evidence.messages, *id));
            let shows = |kind| {
                near()
                    .any(|it| it.message_type == Some(kind) && it.time.since(time).saturating_abs() <= reach)
            };
            if shows(packet.kind) {
                continue;
            }
            let query = near().filter(|it| !it.is_reply() && it.time <= time.plus(diary.slack())).last();
            found.push(Contradiction {
                code: FindingCode::LogContradictsPackets,
                time,
                zone,
                server: *server,
                client: Some(client.mac),
                text: format!(
                    "the log of {} says that it sent {} to {} (transaction {}, line {}), and the capture of {} does \
                     not show it",
                    evidence.network.machines.name(*server),
                    article(packet.kind),
                    packet.dst,
                    client.xid,
                    event.line,
                    evidence.network.zone(zone),
                ),
                frames: query.map(|query| query.at).into_iter().collect(),
            });
        }
    }
    found
}

/// Captured replies of a server that its log, which has others, does not tell of.
pub(super) fn unlogged(witnesses: &Witnesses, evidence: &Evidence<'_>) -> Vec<Contradiction> {
    let mut answers: Vec<_> = evidence.answers.iter().collect();
    answers.sort_by_key(|(id, _)| **id);
    let mut found = Vec::new();
    for (id, answer) in answers {
        let reply = of(evidence.messages, *id);
        let Some(diary) = witnesses.diary(answer.server) else { continue };
        if !diary.tells_of_replies_at(reply.time) {
            continue;
        }
        let reach = CLOSE + diary.slack();
        let told = diary.of(reply.chaddr, reply.xid).any(|(time, event)| {
            let same = matches!(&event.what, What::Sent(packet) if Some(packet.kind) == reply.message_type);
            same && time.since(reply.time).saturating_abs() <= reach
        });
        if !told {
            let name = evidence.network.machines.name(answer.server);
            found.push(Contradiction {
                code: FindingCode::LogContradictsPackets,
                time: reply.time,
                zone: reply.zone,
                server: answer.server,
                client: Some(reply.chaddr),
                text: format!(
                    "{name} sent {} (transaction {}), and its log does not tell of it",
                    reply.message_type.map_or_else(|| "a reply".to_owned(), article),
                    reply.xid
                ),
                frames: vec![reply.at],
            });
        }
    }
    found
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
