//! Renewals and releases that the non-owner drops (kea-ha §8.3 no. 8).
//!
//! A server that granted a lease during a takeover drops the renewal later: HA
//! looks at hash and scope, not at who granted what. The client rebinds by
//! broadcast, and the owner answers. That is normal.

use std::net::Ipv4Addr;

use super::bounded::{ClientKey, Recent};
use super::list::{About, Findings, Severity};
use super::view::{Case, View};
use crate::dhcp::MessageType;
use crate::exchange::{Exchange, Kind, Outcome};
use crate::ha::catalogue::{FindingCode, Rule};
use crate::ha::decide::{Decision, Expected, Seen};
use crate::units::{CaptureTime, FrameRef, HwAddr, ServerId, ZoneId};

/// A note needs less than a bet.
const PROBABLE: f64 = 0.8;

/// A client's renewal that nobody answered, and whether rebinding failed too.
#[derive(Clone, Copy, Debug)]
struct Unanswered {
    time: CaptureTime,
    at: FrameRef,
    zone: ZoneId,
    chaddr: HwAddr,
    dst: Ipv4Addr,
    server: Option<ServerId>,
    rebinds: u64,
}

/// Clients whose renewal was not answered yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Renewals {
    waiting: Recent<ClientKey, Unanswered>,
}

impl Renewals {
    pub(super) fn case(&mut self, view: &View<'_>, case: &Case<'_>, findings: &mut Findings) {
        let exchange = case.exchange;
        // No reply at all is no answer for these two kinds.
        match exchange.kind {
            Kind::Renew if exchange.replies.is_empty() => {
                if let Some(unanswered) = unanswered(view, case) {
                    self.waiting.entry(case.client, || unanswered);
                }
            }
            Kind::Rebind if exchange.replies.is_empty() => {
                if !self.waiting.is_empty()
                    && !view.is_last_moment(exchange.start)
                    && let Some(unanswered) = self.waiting.get_mut(&case.client)
                {
                    unanswered.rebinds += 1;
                }
            }
            _ if self.waiting.is_empty() => {}
            _ => {
                if matches!(view.batch.outcome(exchange), Outcome::Bound | Outcome::Nak)
                    && let Some(unanswered) = self.waiting.remove(&case.client)
                {
                    report(view, unanswered, Some(exchange), findings);
                }
            }
        }
        for decision in case.decisions {
            release(view, decision, findings);
        }
    }

    pub(super) fn finish(self, view: &View<'_>, findings: &mut Findings) {
        let forgotten = self.waiting.forgotten;
        let mut rest: Vec<_> = self.waiting.into_iter().map(|(_, unanswered)| unanswered).collect();
        rest.sort_by_key(|unanswered| (unanswered.time, unanswered.at));
        for unanswered in rest {
            report(view, unanswered, None, findings);
        }
        findings.forgotten(FindingCode::RenewalUnanswered, forgotten);
    }
}

fn unanswered(view: &View<'_>, case: &Case<'_>) -> Option<Unanswered> {
    let renewal = case.first?;
    // Where no replies are captured at all, this one may have come too.
    let provable = !view.is_last_moment(renewal.time) && view.shows_replies(case.zone, None);
    provable.then_some(Unanswered {
        time: renewal.time,
        at: renewal.at,
        zone: renewal.zone,
        chaddr: renewal.chaddr,
        dst: renewal.dst,
        server: view.analysis.network.machines.at(renewal.dst),
        rebinds: 0,
    })
}

fn report(view: &View<'_>, unanswered: Unanswered, end: Option<&Exchange>, findings: &mut Findings) {
    let Unanswered { time, at, zone, chaddr, dst, server, rebinds } = unanswered;
    let severity = if rebinds > 0 && end.is_none() { Severity::Warning } else { Severity::Note };
    let about = About::new(FindingCode::RenewalUnanswered, severity).zone(zone).server(server).client(chaddr);
    findings.add(about, time, at, || {
        let to = server.map_or_else(|| dst.to_string(), |server| view.name(server).to_owned());
        let then = match end {
            Some(exchange) => {
                let reply = view.batch.verdict_reply(exchange);
                let by = reply.and_then(|id| view.batch.answer(id)).map(|answer| answer.server);
                let by = by.map_or("a server", |server| view.name(server));
                format!("{by} answered the {} later", exchange.kind.as_str())
            }
            None if rebinds > 0 => format!("{rebinds} attempts to rebind failed too"),
            None => "the captures end before the client rebinds".to_owned(),
        };
        format!("{to} did not answer the renewal of {}; {then}", view.client(chaddr))
    });
}

/// A RELEASE that went to a server which does not own the client: the lease lingers.
fn release(view: &View<'_>, decision: &Decision, findings: &mut Findings) {
    let ignored = decision.rule == Rule::ScopeNotServed
        && decision.expected == Expected::Ignore
        && decision.seen == Seen::Silent
        && decision.confidence >= PROBABLE;
    let Some(owner) = decision.owner.filter(|owner| ignored && *owner != decision.server) else { return };
    let query = view.message(decision.query);
    if query.message_type != Some(MessageType::RELEASE)
        || view.analysis.network.machines.at(query.dst) != Some(decision.server)
    {
        return;
    }
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
