//! Who answered and should not have (kea-ha §8.3 no. 1, 2 and 6).

use super::SURE;
use super::beats::Beats;
use super::crowd::{Crowds, Reason};
use super::list::{About, Findings, Severity};
use super::view::{Case, View, is_nak};
use crate::ha::catalogue::{FindingCode, Rule, Verdict};
use crate::ha::decide::{Decision, Expected, Seen};
use crate::ha::events::HaEvent;
use crate::ha::network::Selected;
use crate::ha::topology::RelationshipId;
use crate::units::{CaptureTime, ServerId};

/// What is kept of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Answers {
    twice: Crowds,
    beats: Beats,
}

impl Answers {
    pub(super) fn begin(&mut self, view: &View<'_>, findings: &mut Findings) {
        self.beats.begin(view.batch.analysis);
        senders(view, findings);
    }

    pub(super) fn event(&mut self, view: &View<'_>, event: &HaEvent) {
        self.beats.event(view, event);
    }

    pub(super) fn case(&mut self, view: &View<'_>, case: &Case<'_>, findings: &mut Findings) {
        if case.judgement.verdict == Verdict::BothAnswered {
            self.twice(view, case);
        }
        for decision in case.decisions {
            let against = decision.expected == Expected::Ignore && decision.confidence >= SURE;
            if !against && decision.rule != Rule::NoSubnet {
                continue;
            }
            if decision.reply.is_some_and(|id| is_nak(view.message(id))) {
                refusal(view, decision, findings);
            } else if against && decision.seen == Seen::Answered {
                against_the_rules(view, decision, FindingCode::UnexpectedAnswer, findings);
            }
        }
    }

    /// Both servers of a pair answered one query. Around the return of a server
    /// that is no fault; message types that HA does not filter have another verdict.
    fn twice(&mut self, view: &View<'_>, case: &Case<'_>) {
        let Case { exchange, judgement, zone, .. } = *case;
        let Some(first) = case.first else { return };
        let handover = view.is_handover(judgement.relationship, first.time);
        let severity = if handover { Severity::Note } else { Severity::Error };
        let reason = Reason { zone, severity, verdict: judgement.verdict, server: None };
        let Self { twice, beats } = self;
        twice.add(reason, first, judgement.answered_by, || {
            let why = if handover {
                " while one of them was returning to service".to_owned()
            } else {
                cause(view, beats, judgement.relationship, first.time)
            };
            format!("{}{why}", view.batch.reason(exchange))
        });
    }

    pub(super) fn finish(self, view: &View<'_>, findings: &mut Findings) {
        let settle = |reason: Reason| (reason.severity, String::new());
        self.twice.report(view, FindingCode::TwoAnswers, settle, findings);
    }
}

/// Replies of strangers, and of servers that call themselves by another's name.
fn senders(view: &View<'_>, findings: &mut Findings) {
    for id in &view.facts.odd_replies {
        let Some(answer) = view.batch.answer(*id) else { continue };
        let reply = view.message(*id);
        let name = view.name(answer.server);
        let about = |code, severity| About::new(code, severity).zone(reply.zone).server(Some(answer.server));
        if answer.contradicted {
            let about = about(FindingCode::ContradictedServerId, Severity::Error);
            findings.add(about, reply.time, reply.at, || {
                let named = reply.server_id.map(|id| id.to_string()).unwrap_or_default();
                format!("{name} ({}) sent the server identifier {named} of another machine", reply.src)
            });
        }
        if view.facts.is_stranger(answer.server) {
            let about = about(FindingCode::UnknownServer, Severity::Warning);
            findings
                .add(about, reply.time, reply.at, || format!("{name} answered and is in no configuration"));
        }
    }
}

/// Why both servers of a pair answer, as far as the control channel shows it.
fn cause(view: &View<'_>, beats: &Beats, id: Option<RelationshipId>, time: CaptureTime) -> String {
    if let Some(cut) = view.cut(id, time) {
        let seconds = cut.seconds();
        return format!(": the pair is split, no heartbeat was answered between them for {seconds} s");
    }
    let Some(told) = id.and_then(|id| beats.by_hand(id, time)) else { return String::new() };
    format!(": {told}, which somebody set by hand (ha-scopes)")
}

/// A NAK that belongs to another server. Kea asks HA before it refuses an
/// address, so this is not expected outside of failover.
fn refusal(view: &View<'_>, decision: &Decision, findings: &mut Findings) {
    let Some(nak) = decision.reply.map(|id| view.message(id)) else { return };
    let query = view.message(decision.query);
    let rightful = match decision.rule {
        // A spoke that hears a query of another relationship's subnet refuses it (kea-ha §5).
        Rule::NoSubnet => serves_subnet(view, decision),
        _ => decision.owner.filter(|owner| *owner != decision.server),
    };
    let Some(owner) = rightful else { return };
    let about = About::new(FindingCode::NakFromNonOwner, Severity::Warning)
        .zone(query.zone)
        .server(Some(decision.server))
        .client(query.chaddr);
    findings.add(about, nak.time, nak.at, || {
        format!(
            "{} refused the address of {} with a NAK, and the client is {}'s to answer",
            view.name(decision.server),
            view.client(query.chaddr),
            view.name(owner)
        )
    });
}

/// Another configured server that has the subnet of a query.
fn serves_subnet(view: &View<'_>, decision: &Decision) -> Option<ServerId> {
    let query = view.message(decision.query);
    let network = &view.analysis.network;
    let servers = (0..network.topology.servers.len()).map(ServerId);
    servers
        .filter(|server| *server != decision.server)
        .find(|server| matches!(network.subnet_for(*server, query), Selected::Subnet(_)))
}

/// One decision that the packets contradict, in a sentence.
pub(super) fn against_the_rules(
    view: &View<'_>,
    decision: &Decision,
    code: FindingCode,
    findings: &mut Findings,
) {
    let query = view.message(decision.query);
    let about = About::new(code, Severity::Warning)
        .zone(query.zone)
        .server(Some(decision.server))
        .client(query.chaddr);
    let what = if decision.seen == Seen::Answered { "answered" } else { "did not answer" };
    findings.add(about, query.time, query.at, || {
        let name = view.name(decision.server);
        format!("{name} {what} a {} against the rule {}", query.type_name(), decision.rule.code())
    });
}
