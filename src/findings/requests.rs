//! Who did not answer and should have (kea-ha §8.3 no. 4 and 7). Whole
//! parities are in `parity`, renewals in `renewals`.

use super::answers::against_the_rules;
use super::crowd::{Crowds, Reason};
use super::list::{About, Findings, Severity};
use super::view::{Case, View};
use crate::dhcp::MessageType;
use crate::exchange::Kind;
use crate::ha::catalogue::{FindingCode, Rule, Verdict};
use crate::ha::decide::{Decision, Expected, Seen};
use crate::units::{ServerId, ZoneId};

/// A missing answer is never sure to be wrong: a pool or a class may be the reason.
const PROBABLE: f64 = 0.8;

/// What is kept of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Requests {
    unserved: Crowds,
    /// Silences of servers that were not seen to answer anybody yet.
    unproven: Findings,
}

impl Requests {
    pub(super) fn case(&mut self, view: &View<'_>, case: &Case<'_>, findings: &mut Findings) {
        let told = match case.judgement.verdict {
            Verdict::AckWithheld => {
                withheld(view, case, findings);
                true
            }
            Verdict::NoAck => {
                unacknowledged(view, case, findings);
                true
            }
            Verdict::OwnerDown | Verdict::OwnerSilent | Verdict::NobodyListens | Verdict::NoAnswer => {
                self.unserved(view, case);
                false
            }
            _ => false,
        };
        if told {
            // That says it already, with its cause.
            return;
        }
        for decision in case.decisions {
            if decision.expected == Expected::Answer
                && decision.seen == Seen::Silent
                && decision.confidence >= PROBABLE
            {
                let proven = view.facts.answers_somewhere(decision.server);
                let findings = if proven { &mut *findings } else { &mut self.unproven };
                against_the_rules(view, decision, FindingCode::UnexpectedSilence, findings);
            }
        }
    }

    /// A client that asked in vain. Renewals are no such case: they have until T2 and beyond.
    fn unserved(&mut self, view: &View<'_>, case: &Case<'_>) {
        let Case { exchange, judgement, zone, .. } = *case;
        let Some(first) = case.first else { return };
        // A lease query and the like ask for no service, and HA does not filter them.
        let asks = exchange.kind != Kind::Other || first.message_type.is_none();
        if !asks || exchange.kind == Kind::Renew || view.is_last_moment(exchange.start) {
            return;
        }
        if case.decisions.iter().any(|decision| decision.rule == Rule::NoIdentifier) {
            // That has a finding of its own.
            return;
        }
        // How severe it is tells what the captures show in the end.
        let (severity, verdict, server) = (Severity::Note, judgement.verdict, judgement.owner);
        let reason = Reason { zone, severity, verdict, server };
        self.unserved.add(reason, first, judgement.answered_by, || view.batch.reason(exchange));
    }

    pub(super) fn finish(self, view: &View<'_>, findings: &mut Findings) {
        let settle = |Reason { zone, verdict, server, .. }: Reason| {
            // What is known to be down needs no proof that its replies would have been captured.
            let explained = verdict == Verdict::OwnerDown;
            let severity = if explained { Severity::Warning } else { silence(view, zone, server) };
            let who = server.map_or("any server", |owner| view.name(owner));
            let addition = match severity {
                Severity::Note => format!("; the captures show no reply of {who} in this zone at all"),
                _ => String::new(),
            };
            (severity, addition)
        };
        self.unserved.report(view, FindingCode::ClientUnserved, settle, findings);
        let answers =
            |server: Option<ServerId>| server.is_some_and(|server| view.facts.answers_somewhere(server));
        findings.begin_with(self.unproven, |finding| answers(finding.server));
    }
}

/// A silence is worth a warning only where the captures show the other direction (kea-ha §8.3).
fn silence(view: &View<'_>, zone: ZoneId, server: Option<ServerId>) -> Severity {
    if view.shows_replies(zone, server) { Severity::Warning } else { Severity::Note }
}

fn withheld(view: &View<'_>, case: &Case<'_>, findings: &mut Findings) {
    let Some(first) = case.first else { return };
    let about = About::new(FindingCode::WithheldAck, Severity::Error)
        .zone(case.zone)
        .server(case.judgement.answered_by)
        .client(case.exchange.client.chaddr);
    findings.add(about, first.time, first.at, || view.batch.reason(case.exchange));
}

fn unacknowledged(view: &View<'_>, case: &Case<'_>, findings: &mut Findings) {
    let Case { exchange, judgement, zone, .. } = *case;
    let Some(first) = case.first else { return };
    // At the very end an answer could not have been captured any more.
    let last = exchange.queries.last().map_or(first, |step| view.message(step.first));
    if view.is_last_moment(last.time) {
        return;
    }
    let about = |code, severity, server| {
        About::new(code, severity).zone(zone).server(server).client(exchange.client.chaddr)
    };
    if let Some((decision, owner)) = deadlock(view, case.decisions) {
        let request = view.message(decision.query);
        let handover = view.is_handover(decision.relationship, request.time);
        let severity = if handover { Severity::Note } else { Severity::Warning };
        let about = about(FindingCode::ServerIdOwnerDeadlock, severity, Some(decision.server));
        findings.add(about, request.time, request.at, || {
            let (named, owner) = (view.name(decision.server), view.name(owner));
            let returning = if handover { ", while a server was returning to service" } else { "" };
            format!(
                "{} asked {named} for its lease, but {owner} owns the request: {named} drops it in HA, \
                 {owner} because it names another server{returning}",
                view.client(request.chaddr)
            )
        });
        return;
    }
    let severity = silence(view, zone, judgement.answered_by);
    let about = about(FindingCode::RequestsUnanswered, severity, judgement.answered_by);
    findings.add(about, first.time, first.at, || view.batch.reason(exchange));
}

/// A REQUEST that selects a server which, by the rules, leaves it to another one.
fn deadlock<'a>(view: &View<'a>, decisions: &'a [Decision]) -> Option<(&'a Decision, ServerId)> {
    decisions.iter().find_map(|decision| {
        let fits = decision.seen == Seen::Silent && decision.rule == Rule::ScopeNotServed;
        let owner = decision.owner.filter(|owner| fits && *owner != decision.server)?;
        let request = view.message(decision.query);
        let named = request.server_id.and_then(|id| view.analysis.network.machines.at(id));
        let selects = request.message_type == Some(MessageType::REQUEST) && named == Some(decision.server);
        selects.then_some((decision, owner))
    })
}
