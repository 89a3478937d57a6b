//! Who did not answer and should have (kea-ha §8.3 no. 4 and 7). Whole
//! parities are in `parity`, renewals in `renewals`.

use super::answers::against_the_rules;
use super::crowd::Crowds;
use super::list::{About, Findings, Severity};
use super::view::View;
use crate::dhcp::MessageType;
use crate::exchange::{Exchange, Kind};
use crate::ha::catalogue::{FindingCode, Rule, Verdict};
use crate::ha::decide::{Decision, Expected, Seen};
use crate::ha::verdict::Judgement;
use crate::units::ServerId;

/// A missing answer is never sure to be wrong: a pool or a class may be the reason.
const PROBABLE: f64 = 0.8;

pub(super) fn find(view: &View<'_>, findings: &mut Findings) {
    let mut crowds = Crowds::default();
    for (exchange, judgement) in view.exchanges() {
        match judgement.verdict {
            Verdict::AckWithheld => withheld(view, exchange, judgement, findings),
            Verdict::NoAck => unacknowledged(view, exchange, judgement, findings),
            Verdict::OwnerDown | Verdict::OwnerSilent | Verdict::NobodyListens | Verdict::NoAnswer => {
                unserved(view, exchange, judgement, &mut crowds);
            }
            _ => {}
        }
    }
    crowds.report(view, FindingCode::ClientUnserved, findings);
    for decision in &view.analysis.decisions {
        if decision.expected == Expected::Answer
            && decision.seen == Seen::Silent
            && decision.confidence >= PROBABLE
            && view.answers_somewhere(decision.server)
            && !is_told(view, decision)
        {
            against_the_rules(view, decision, FindingCode::UnexpectedSilence, findings);
        }
    }
}

/// Whether a finding about the exchange says it already, with its cause.
fn is_told(view: &View<'_>, decision: &Decision) -> bool {
    let judged = view.analysis.exchange(decision.exchange);
    judged.is_some_and(|(_, judgement)| matches!(judgement.verdict, Verdict::AckWithheld | Verdict::NoAck))
}

fn withheld(view: &View<'_>, exchange: &Exchange, judgement: &Judgement, findings: &mut Findings) {
    let Some(first) = view.first_query(exchange) else { return };
    let about = About::new(FindingCode::WithheldAck, Severity::Error)
        .zone(view.zone(exchange))
        .server(judgement.answered_by)
        .client(exchange.client.chaddr);
    findings.add(about, first.time, first.at, || judgement.reason.clone());
}

fn unacknowledged(view: &View<'_>, exchange: &Exchange, judgement: &Judgement, findings: &mut Findings) {
    let Some(first) = view.first_query(exchange) else { return };
    // At the very end an answer could not have been captured any more.
    let last = exchange.queries.last().map_or(first, |step| view.message(step.first));
    if view.is_last_moment(last.time) {
        return;
    }
    let zone = view.zone(exchange);
    let about = |code, severity, server| {
        About::new(code, severity).zone(zone).server(server).client(exchange.client.chaddr)
    };
    if let Some((decision, owner)) = deadlock(view, exchange) {
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
    let severity = silence_severity(view, exchange, judgement.answered_by, false);
    let about = about(FindingCode::RequestsUnanswered, severity, judgement.answered_by);
    findings.add(about, first.time, first.at, || judgement.reason.clone());
}

/// A REQUEST that selects a server which, by the rules, leaves it to another one.
fn deadlock<'a>(view: &View<'a>, exchange: &Exchange) -> Option<(&'a Decision, ServerId)> {
    view.analysis.decisions_of(exchange.id).iter().find_map(|decision| {
        let request = view.message(decision.query);
        let named = request.server_id.and_then(|id| view.analysis.network.machines.at(id));
        let fits = request.message_type == Some(MessageType::REQUEST)
            && named == Some(decision.server)
            && decision.seen == Seen::Silent
            && decision.rule == Rule::ScopeNotServed;
        decision.owner.filter(|owner| fits && *owner != decision.server).map(|owner| (decision, owner))
    })
}

/// A client that asked in vain. Renewals are no such case: they have until T2 and beyond.
fn unserved<'a>(view: &View<'a>, exchange: &Exchange, judgement: &Judgement, crowds: &mut Crowds<'a>) {
    let Some(first) = view.first_query(exchange) else { return };
    // A lease query and the like ask for no service, and HA does not filter them.
    let asks = exchange.kind != Kind::Other || first.message_type.is_none();
    if !asks || exchange.kind == Kind::Renew || view.is_last_moment(exchange.start) {
        return;
    }
    let decisions = view.analysis.decisions_of(exchange.id);
    if decisions.iter().any(|decision| decision.rule == Rule::NoIdentifier) {
        // That has a finding of its own.
        return;
    }
    // What is known to be down needs no proof that its replies would have been captured.
    let explained = judgement.verdict == Verdict::OwnerDown;
    let severity = silence_severity(view, exchange, judgement.owner, explained);
    let mut why = judgement.reason.clone();
    if severity == Severity::Note {
        let who = judgement.owner.map_or("any server", |owner| view.name(owner));
        why = format!("{why}; the captures show no reply of {who} in this zone at all");
    }
    let reason = (view.zone(exchange), severity, judgement.verdict, judgement.owner);
    crowds.add(reason, first, judgement.answered_by, why);
}

/// A silence is worth a warning only where the captures show the other direction (kea-ha §8.3).
fn silence_severity(
    view: &View<'_>,
    exchange: &Exchange,
    server: Option<ServerId>,
    explained: bool,
) -> Severity {
    if explained || view.shows_replies(view.zone(exchange), server) {
        Severity::Warning
    } else {
        Severity::Note
    }
}
