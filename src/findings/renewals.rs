//! Renewals and releases that the non-owner drops (kea-ha §8.3 no. 8).
//!
//! A server that granted a lease during a takeover drops the renewal later: HA
//! looks at hash and scope, not at who granted what. The client rebinds by
//! broadcast, and the owner answers. That is normal.

use std::collections::HashMap;

use super::list::{About, Findings, Severity};
use super::view::View;
use crate::dhcp::MessageType;
use crate::exchange::{Client, Exchange, Kind, Observed, Outcome};
use crate::ha::catalogue::{FindingCode, Rule};
use crate::ha::decide::{Expected, Seen};
use crate::units::ServerId;

/// A note needs less than a bet.
const PROBABLE: f64 = 0.8;

/// A client's renewal that nobody answered, and whether rebinding failed too.
struct Unanswered<'a> {
    renewal: &'a Observed,
    server: Option<ServerId>,
    rebinds: u64,
}

pub(super) fn find(view: &View<'_>, findings: &mut Findings) {
    let mut waiting: HashMap<&Client, Unanswered<'_>> = HashMap::new();
    for (exchange, _) in view.exchanges() {
        match (exchange.kind, exchange.outcome(&view.analysis.messages)) {
            (Kind::Renew, Outcome::NoAnswer) => {
                if let Some(unanswered) = unanswered(view, exchange) {
                    waiting.entry(&exchange.client).or_insert(unanswered);
                }
            }
            (Kind::Rebind, Outcome::NoAnswer) if !view.is_last_moment(exchange.start) => {
                if let Some(unanswered) = waiting.get_mut(&exchange.client) {
                    unanswered.rebinds += 1;
                }
            }
            (_, Outcome::Bound | Outcome::Nak) => {
                if let Some(unanswered) = waiting.remove(&exchange.client) {
                    report(view, &unanswered, Some(exchange), findings);
                }
            }
            _ => {}
        }
    }
    let mut rest: Vec<_> = waiting.into_values().collect();
    rest.sort_by_key(|unanswered| (unanswered.renewal.time, unanswered.renewal.at));
    for unanswered in rest {
        report(view, &unanswered, None, findings);
    }
    releases(view, findings);
}

fn unanswered<'a>(view: &View<'a>, exchange: &Exchange) -> Option<Unanswered<'a>> {
    let renewal = view.first_query(exchange)?;
    let server = view.analysis.network.machines.at(renewal.dst);
    // Where no replies are captured at all, this one may have come too.
    let provable = !view.is_last_moment(renewal.time) && view.shows_replies(view.zone(exchange), None);
    provable.then_some(Unanswered { renewal, server, rebinds: 0 })
}

fn report(view: &View<'_>, unanswered: &Unanswered<'_>, end: Option<&Exchange>, findings: &mut Findings) {
    let Unanswered { renewal, server, rebinds } = *unanswered;
    let severity = if rebinds > 0 && end.is_none() { Severity::Warning } else { Severity::Note };
    let about = About::new(FindingCode::RenewalUnanswered, severity)
        .zone(renewal.zone)
        .server(server)
        .client(renewal.chaddr);
    findings.add(about, renewal.time, renewal.at, || {
        let to = server.map_or_else(|| renewal.dst.to_string(), |server| view.name(server).to_owned());
        let then = match end {
            Some(exchange) => {
                let reply = exchange.verdict_reply(&view.analysis.messages);
                let by = reply.and_then(|id| view.analysis.answers.get(&id)).map(|answer| answer.server);
                let by = by.map_or("a server", |server| view.name(server));
                format!("{by} answered the {} later", exchange.kind.as_str())
            }
            None if rebinds > 0 => format!("{rebinds} attempts to rebind failed too"),
            None => "the captures end before the client rebinds".to_owned(),
        };
        format!("{to} did not answer the renewal of {}; {then}", view.client(renewal.chaddr))
    });
}

/// A RELEASE that went to a server which does not own the client: the lease lingers.
fn releases(view: &View<'_>, findings: &mut Findings) {
    for decision in &view.analysis.decisions {
        let query = view.message(decision.query);
        let ignored = query.message_type == Some(MessageType::RELEASE)
            && view.analysis.network.machines.at(query.dst) == Some(decision.server)
            && decision.rule == Rule::ScopeNotServed
            && decision.expected == Expected::Ignore
            && decision.seen == Seen::Silent
            && decision.confidence >= PROBABLE;
        let Some(owner) = decision.owner.filter(|owner| ignored && *owner != decision.server) else {
            continue;
        };
        let about = About::new(FindingCode::ReleaseIgnored, Severity::Note)
            .zone(query.zone)
            .server(Some(decision.server))
            .client(query.chaddr);
        findings.add(about, query.time, query.at, || {
            format!(
                "{} released {} at {}, which leaves the client to {}: the lease stays until it runs out",
                view.client(query.chaddr),
                query.ciaddr,
                view.name(decision.server),
                view.name(owner)
            )
        });
    }
}
