//! Who answered and should not have (kea-ha §8.3 no. 1, 2 and 6).

use super::SURE;
use super::crowd::Crowds;
use super::list::{About, Findings, Severity};
use super::view::View;
use crate::dhcp::MessageType;
use crate::exchange::of;
use crate::ha::catalogue::{FindingCode, Rule, Verdict};
use crate::ha::decide::{Decision, Expected, Seen};
use crate::ha::events::{EventKind, HaEvent};
use crate::ha::network::Selected;
use crate::ha::state::State;
use crate::ha::topology::RelationshipId;
use crate::units::{CaptureTime, ServerId};

pub(super) fn find(view: &View<'_>, findings: &mut Findings) {
    senders(view, findings);
    twice(view, findings);
    for decision in &view.analysis.decisions {
        let refused =
            decision.reply.is_some_and(|id| view.message(id).message_type == Some(MessageType::NAK));
        if refused {
            refusal(view, decision, findings);
        } else if decision.expected == Expected::Ignore
            && decision.seen == Seen::Answered
            && decision.confidence >= SURE
        {
            against_the_rules(view, decision, FindingCode::UnexpectedAnswer, findings);
        }
    }
}

/// Replies of strangers, and of servers that call themselves by another's name.
fn senders(view: &View<'_>, findings: &mut Findings) {
    // What was concluded from the packets cannot say who should not be there.
    let topology = &view.analysis.network.topology;
    let known = if topology.inferred { 0 } else { topology.servers.len() };
    let mut answers: Vec<_> = view.analysis.answers.iter().collect();
    answers.sort_by_key(|(id, _)| *id);
    for (id, answer) in answers {
        let reply = of(&view.analysis.messages, id);
        let name = view.name(answer.server);
        let about = |code, severity| About::new(code, severity).zone(reply.zone).server(Some(answer.server));
        if answer.contradicted {
            let about = about(FindingCode::ContradictedServerId, Severity::Error);
            findings.add(about, reply.time, reply.at, || {
                let named = reply.server_id.map(|id| id.to_string()).unwrap_or_default();
                format!("{name} ({}) sent the server identifier {named} of another machine", reply.src)
            });
        }
        if known > 0 && answer.server.0 >= known {
            let about = about(FindingCode::UnknownServer, Severity::Warning);
            findings
                .add(about, reply.time, reply.at, || format!("{name} answered and is in no configuration"));
        }
    }
}

/// Both servers of a pair answered one query. Around the return of a server
/// that is no fault; message types that HA does not filter have another verdict.
fn twice(view: &View<'_>, findings: &mut Findings) {
    let mut crowds = Crowds::default();
    for (exchange, judgement) in view.exchanges() {
        if judgement.verdict != Verdict::BothAnswered {
            continue;
        }
        let Some(first) = view.first_query(exchange) else { continue };
        let handover = view.is_handover(judgement.relationship, first.time);
        let severity = if handover { Severity::Note } else { Severity::Error };
        let why = if handover {
            " while one of them was returning to service".to_owned()
        } else {
            cause(view, judgement.relationship, first.time)
        };
        let reason = (view.zone(exchange), severity, judgement.verdict, None);
        crowds.add(reason, first, judgement.answered_by, format!("{}{why}", judgement.reason));
    }
    crowds.report(view, FindingCode::TwoAnswers, findings);
}

/// Why both servers of a pair answer, as far as the control channel shows it.
fn cause(view: &View<'_>, id: Option<RelationshipId>, time: CaptureTime) -> String {
    if let Some(cut) = view.cut(id, time) {
        let seconds = cut.seconds();
        return format!(": the pair is split, no heartbeat was answered between them for {seconds} s");
    }
    let Some(event) = by_hand(view, id, time) else { return String::new() };
    let name = event.server.map_or("one of them", |server| view.name(server));
    let scopes = event.scopes.as_deref().unwrap_or_default().join(", ");
    let state = event.state.as_deref().unwrap_or_default();
    format!(": {name} reports {state} and the scopes {scopes}, which somebody set by hand (ha-scopes)")
}

/// The heartbeat before or after an instant in which a server that works as
/// usual serves more than its own scope.
fn by_hand<'a>(view: &View<'a>, id: Option<RelationshipId>, time: CaptureTime) -> Option<&'a HaEvent> {
    let mode = view.relationship(id)?.mode;
    let unusual = |event: &&HaEvent| {
        let own = event.server.and_then(|server| view.relationship(id)?.peer_of(server));
        event.state.as_deref().and_then(State::from_word) == Some(State::normal(mode))
            && event.scopes.iter().flatten().any(|scope| own.is_some_and(|peer| peer.name != *scope))
    };
    let events = &view.analysis.events;
    let at = events.partition_point(|event| event.time <= time);
    let heartbeats = |it: &&HaEvent| it.kind == EventKind::Heartbeat && it.relationship == id;
    // The last of each of the two servers, and the next.
    let before = events.iter().take(at).rev().filter(heartbeats).take(2);
    let after = events.iter().skip(at).filter(heartbeats).take(2);
    before.chain(after).find(unusual)
}

/// A NAK that belongs to another server. Kea asks HA before it refuses an
/// address, so this is not expected outside of failover.
fn refusal(view: &View<'_>, decision: &Decision, findings: &mut Findings) {
    let Some(nak) = decision.reply.map(|id| view.message(id)) else { return };
    let query = view.message(decision.query);
    let other = decision.owner.filter(|owner| *owner != decision.server);
    let rightful = match decision.rule {
        // A spoke that hears a query of another relationship's subnet refuses it (kea-ha §5).
        Rule::NoSubnet => serves_subnet(view, decision),
        _ if decision.expected == Expected::Ignore && decision.confidence >= SURE => other,
        _ => None,
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
