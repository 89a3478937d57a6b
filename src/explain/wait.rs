//! What the client waited for between its REQUEST and the ACK.

use super::card::Card;
use super::reason::Reason;
use super::text::{Line, Role, span};
use crate::exchange::Observed;
use crate::ha::events::{EventKind, HaEvent};
use crate::units::{SECOND, ServerId};

/// An ACK that takes longer than this was held back: a lease update takes milliseconds.
const LATE: i64 = SECOND;

/// The cost of HA, or what held a late ACK back.
pub(super) fn reasons(card: &Card<'_>) -> Option<Reason> {
    late(card).or_else(|| cost(card))
}

/// How much of the wait was the lease update to the partner.
fn cost(card: &Card<'_>) -> Option<Reason> {
    let (total, update) = card.judgement.request_ack_us.zip(card.judgement.update_rtt_us)?;
    let text = format!(
        "{} of the {} from REQUEST to ACK was the lease update",
        span(update * 1000),
        span(total * 1000)
    );
    let frames = card.updates().next().map_or(String::new(), |event| card.frames(event.request_at, event.at));
    Some(Reason::of(Line::of([(Role::Plain, " Cost of HA   ")]), text, weak(&frames)))
}

/// Kea parks the ACK until the partner has answered the lease update (kea-ha §3.3).
fn late(card: &Card<'_>) -> Option<Reason> {
    let reply = card.exchange.verdict_reply(&card.analysis.messages)?;
    let decision = card.decisions.iter().find(|decision| decision.reply == Some(reply))?;
    let (request, reply) = (card.message(decision.query), card.message(reply));
    let waited = reply.time.since(request.time);
    if waited < LATE {
        return None;
    }
    let (why, frames) = held_back(card, decision.server, request, reply);
    let text = format!("it came {} after REQUEST {}; {why}", span(waited), card.frame(request.at));
    Some(Reason::of(Line::of([(Role::Plain, " Late ACK   ")]), text, weak(&frames)))
}

/// What the control channel shows of the wait, and its frames.
fn held_back(card: &Card<'_>, server: ServerId, request: &Observed, reply: &Observed) -> (String, String) {
    let during = |event: &&HaEvent| event.request_time >= request.time && event.request_time <= reply.time;
    let partner = |event: &HaEvent| event.server.map_or("its partner", |partner| card.server(partner));
    let update = card.updates().filter(during).find(|event| event.peer == Some(server));
    if let Some(update) = update {
        let text = format!(
            "Kea holds it back until {} has answered the lease update, which was on the wire after {} and answered \
             after {}",
            partner(update),
            span(update.request_time.since(request.time)),
            span(update.time.since(request.time))
        );
        return (text, card.frames(update.request_at, update.at));
    }
    let failed = |event: &&HaEvent| matches!(event.kind, EventKind::Refused | EventKind::Timeout);
    let mut vain = card.analysis.events.iter().filter(during).filter(failed);
    let vain = vain.find(|event| event.peer == Some(server));
    vain.map_or_else(
        || ("no lease update that it could have waited for was captured".to_owned(), String::new()),
        |event| {
            let text = format!("meanwhile {} could not be reached for the lease update", partner(event));
            (text, format!("{} {}", event.kind.as_str(), card.frame(event.request_at)))
        },
    )
}

fn weak(text: &str) -> Line {
    Line::of([(Role::Weak, text)])
}
