//! Heartbeats that stopped while both servers go on answering (no. 20), for good or for a time.

use std::collections::BTreeMap;

use foldhash::HashMap;

use crate::findings::cuts::Cut;
use crate::findings::list::{About, Findings, Severity, Tally};
use crate::findings::view::{Case, View};
use crate::ha::catalogue::FindingCode;
use crate::ha::events::{EventKind, HaEvent};
use crate::ha::topology::{Mode, RelationshipId};
use crate::units::{CaptureTime, FrameRef, SECOND, ServerId, SourceId};

/// Heartbeats that may be missing, as packets that a capture lost.
const MISSED: i64 = 3;
/// Kea waits this long for a heartbeat's answer before it sets the timer again (kea-ha §3.2).
const TIMEOUT: i64 = 10 * SECOND;

/// First answers in times without heartbeats that are kept, those of the first ones.
const WITHIN: usize = 16_384;

/// An answer to a client.
type Answer = (CaptureTime, FrameRef);

/// An attempt at a heartbeat.
#[derive(Clone, Debug)]
struct Attempt {
    time: CaptureTime,
    at: FrameRef,
    /// Where it was captured.
    source: SourceId,
    state: Option<String>,
}

/// The last heartbeats, and who answered clients since.
#[derive(Clone, Debug, Default)]
pub(super) struct Stopped {
    last: BTreeMap<RelationshipId, Attempt>,
    /// The last answer of each server.
    answers: HashMap<(RelationshipId, ServerId), Answer>,
    /// The first answer of each server in a time without heartbeats, by its begin.
    within: HashMap<(RelationshipId, CaptureTime, ServerId), Answer>,
}

impl Stopped {
    pub(super) fn event(&mut self, event: &HaEvent) {
        // A refused connection is an attempt at a heartbeat.
        if let (EventKind::Heartbeat | EventKind::Refused, Some(id)) = (event.kind, event.relationship) {
            let (time, at, source) = (event.time, event.at, event.request_at.source);
            self.last.insert(id, Attempt { time, at, source, state: event.state.clone() });
        }
    }

    pub(super) fn case(&mut self, view: &View<'_>, case: &Case<'_>) {
        for decision in case.decisions {
            let (Some(id), Some(reply)) = (decision.relationship, decision.reply) else { continue };
            let reply = view.message(reply);
            let answer = (reply.time, reply.at);
            let last = self.answers.entry((id, decision.server)).or_insert(answer);
            *last = answer.max(*last);
            if let Some(from) = view.facts.cuts.begun(id, reply.time) {
                let key = (id, from, decision.server);
                if self.within.len() < WITHIN || self.within.contains_key(&key) {
                    let first = self.within.entry(key).or_insert(answer);
                    *first = answer.min(*first);
                }
            }
        }
    }

    pub(super) fn finish(self, view: &View<'_>, findings: &mut Findings) {
        let topology = &view.analysis.network.topology;
        for (id, attempt) in self.last {
            let Some(relationship) = topology.relationship(id) else { continue };
            let peers: Vec<ServerId> =
                relationship.peers.iter().take(2).filter_map(|peer| peer.server).collect();
            let delays = peers.iter().filter_map(|server| topology.limits_of(*server, id));
            let delay = delays.map(|limits| i64::from(limits.heartbeat_delay_ms)).max().unwrap_or(0);
            // Without heartbeats by configuration there is nothing to miss.
            if relationship.mode == Mode::PassiveBackup || delay == 0 {
                continue;
            }
            let due = attempt.time.plus(MISSED * (delay * (SECOND / 1000) + TIMEOUT));
            let source = view.analysis.sources.get(attempt.source.0 as usize);
            let goes_on = source.and_then(|source| source.last).is_some_and(|end| end > due);
            for cut in view.facts.cuts.of(id).iter().filter(|cut| cut.over) {
                let within = |server: &ServerId| {
                    self.within.get(&(id, cut.from, *server)).filter(|(time, _)| *time < cut.to)
                };
                interrupted(view, id, cut, &peers.iter().filter_map(within).collect::<Vec<_>>(), findings);
            }
            let after: Vec<&Answer> = peers
                .iter()
                .filter_map(|server| self.answers.get(&(id, *server)))
                .filter(|(time, _)| *time > due)
                .collect();
            // A machine that is gone answers nobody, and says nothing about its state.
            if !goes_on || peers.len() < 2 || after.len() < peers.len() {
                continue;
            }
            let mut tally = Tally::default();
            tally.add(attempt.time, attempt.at);
            for (_, at) in &after {
                tally.show(*at);
            }
            let until = after.iter().map(|(time, _)| *time).max().unwrap_or(attempt.time);
            let state =
                attempt.state.as_deref().map_or_else(String::new, |state| format!(", which said {state}"));
            let text = format!(
                "no heartbeat between {} for {} s after the last one{state}, and both go on answering clients",
                topology.relationship_name(id),
                until.since(attempt.time) / SECOND
            );
            findings.whole(About::new(FindingCode::HeartbeatsStopped, Severity::Error), tally, text);
        }
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
