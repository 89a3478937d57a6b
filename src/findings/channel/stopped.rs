//! Heartbeats that stopped while both servers go on answering (no. 20), for good or for a time.

use std::collections::BTreeMap;

use crate::findings::cuts::Cut;
use crate::findings::list::{About, Findings, Severity, Tally};
use crate::findings::view::View;
use crate::ha::catalogue::FindingCode;
use crate::ha::events::{EventKind, HaEvent};
use crate::ha::topology::{Mode, RelationshipId};
use crate::units::{CaptureTime, FrameRef, SECOND, ServerId};

/// Heartbeats that may be missing, as packets that a capture lost.
const MISSED: i64 = 3;
/// Kea waits this long for a heartbeat's answer before it sets the timer again (kea-ha §3.2).
const TIMEOUT: i64 = 10 * SECOND;

/// An answer to a client.
type Answer = (CaptureTime, FrameRef);

pub(super) fn find(view: &View<'_>, findings: &mut Findings) {
    let topology = &view.analysis.network.topology;
    let mut last: BTreeMap<RelationshipId, &HaEvent> = BTreeMap::new();
    for event in &view.analysis.events {
        // A refused connection is an attempt at a heartbeat.
        if let (EventKind::Heartbeat | EventKind::Refused, Some(id)) = (event.kind, event.relationship) {
            last.insert(id, event);
        }
    }
    let answers = answers(view);
    for (id, event) in last {
        let Some(relationship) = topology.relationship(id) else { continue };
        let peers: Vec<ServerId> = relationship.peers.iter().take(2).filter_map(|peer| peer.server).collect();
        let delays = peers.iter().filter_map(|server| topology.limits_of(*server, id));
        let delay = delays.map(|limits| i64::from(limits.heartbeat_delay_ms)).max().unwrap_or(0);
        // Without heartbeats by configuration there is nothing to miss.
        if relationship.mode == Mode::PassiveBackup || delay == 0 {
            continue;
        }
        let due = event.time.plus(MISSED * (delay * (SECOND / 1000) + TIMEOUT));
        let source = view.analysis.sources.get(event.request_at.source.0 as usize);
        let goes_on = source.and_then(|source| source.last).is_some_and(|end| end > due);
        for cut in view.cuts(id).iter().filter(|cut| cut.over) {
            let within = |server: &ServerId| {
                let times = answers.get(&(id, *server)).map(Vec::as_slice).unwrap_or_default();
                let next = times.partition_point(|(time, _)| *time <= cut.alone);
                times.get(next).filter(|(time, _)| *time < cut.to)
            };
            interrupted(view, id, cut, &peers.iter().filter_map(within).collect::<Vec<_>>(), findings);
        }
        let after: Vec<&Answer> = peers
            .iter()
            .filter_map(|server| answers.get(&(id, *server))?.last())
            .filter(|(time, _)| *time > due)
            .collect();
        // A machine that is gone answers nobody, and says nothing about its state.
        if !goes_on || peers.len() < 2 || after.len() < peers.len() {
            continue;
        }
        let mut tally = Tally::default();
        tally.add(event.time, event.at);
        for (_, at) in &after {
            tally.show(*at);
        }
        let until = after.iter().map(|(time, _)| *time).max().unwrap_or(event.time);
        let state = event.state.as_deref().map_or_else(String::new, |state| format!(", which said {state}"));
        let text = format!(
            "no heartbeat between {} for {} s after the last one{state}, and both go on answering clients",
            topology.relationship_name(id),
            until.since(event.time) / SECOND
        );
        findings.whole(About::new(FindingCode::HeartbeatsStopped, Severity::Error), tally, text);
    }
}

/// Heartbeats that failed for a time, in which both servers answered clients.
fn interrupted(view: &View<'_>, id: RelationshipId, cut: &Cut, answers: &[&Answer], findings: &mut Findings) {
    // One that was away for this time answered nobody.
    if answers.len() < 2 {
        return;
    }
    let mut frames = vec![cut.at];
    frames.extend(answers.iter().map(|(_, at)| *at));
    let about = About::new(FindingCode::HeartbeatsStopped, Severity::Warning);
    findings.told(about, cut.from, &frames, || {
        format!(
            "no heartbeat between {} for {} s, while both answered clients; then they spoke again",
            view.analysis.network.topology.relationship_name(id),
            cut.seconds()
        )
    });
}

/// When each server answered clients of each of its relationships, in order.
fn answers(view: &View<'_>) -> BTreeMap<(RelationshipId, ServerId), Vec<Answer>> {
    let mut answers: BTreeMap<_, Vec<Answer>> = BTreeMap::new();
    for decision in &view.analysis.decisions {
        let (Some(id), Some(reply)) = (decision.relationship, decision.reply) else { continue };
        let reply = view.message(reply);
        answers.entry((id, decision.server)).or_default().push((reply.time, reply.at));
    }
    for list in answers.values_mut() {
        list.sort_unstable();
    }
    answers
}
