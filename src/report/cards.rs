//! Proof cards for a report: laid out while their batch is at hand, because nothing of it is kept.

use super::document::{Card, Why, Words};
use crate::exchange::Exchange;
use crate::explain::Parts;
use crate::explain::reason::Reason;
use crate::explain::text::{Line, render};
use crate::ha::catalogue::Verdict;
use crate::ha::verdict::Judgement;
use crate::pipeline::Analysis;

/// Characters in a line of a card; more than fits beside the margins of a page helps nobody.
const WIDTH: usize = 100;

/// Whether somebody who trusts the servers would still look at what an exchange came to.
pub const fn is_odd(verdict: Verdict) -> bool {
    !matches!(
        verdict,
        Verdict::OwnerAnswered
            | Verdict::AnsweredWithoutHa
            | Verdict::PartnerTookOver
            | Verdict::Informed
            | Verdict::Released
            | Verdict::Declined
    )
}

/// The card of an exchange of this batch.
pub fn card(batch: &Analysis<'_>, exchange: &Exchange, judgement: &Judgement) -> Option<Card> {
    let parts = Parts::of(batch, exchange.id)?;
    let command = format!("dorascope explain … --xid {}", exchange.xid);
    let ladder = parts.ladder(WIDTH, &format!("{command} --format json"));
    let text = [parts.title(WIDTH), vec![Line::default()], parts.place(WIDTH), ladder.clone()].concat();
    let reasons = parts.reasons.iter().flat_map(|reason| reason.lay(WIDTH));
    let text: Vec<Line> = text.into_iter().chain([Line::default()]).chain(reasons).collect();
    let (role, word) = parts.standing;
    Some(Card {
        anchor: exchange.id.to_string(),
        client: parts.client.as_deref().unwrap_or_default().into(),
        identity: Words::from(&parts.identity),
        headline: Words::from(&parts.headline),
        standing: (role, format!("{word} · {:.2}", parts.confidence).into()),
        start: exchange.start,
        when: Words::default(),
        reason: format!("{}.", judgement.reason).into(),
        place: format!("zone {}{}", parts.zone, parts.relationship).into(),
        steps: steps(&parts, &command),
        ladder,
        reasons: parts.reasons.iter().map(why).collect(),
        command: Words::from(&command),
        text: render(&text, false),
    })
}

/// The ladder in sentences.
fn steps(parts: &Parts, command: &str) -> Vec<Words> {
    let Some(first) = parts.rungs.first() else { return Vec::new() };
    let left_out = parts.left_out().unwrap_or_default();
    let mut steps = Vec::new();
    for (at, rung) in parts.rungs.iter().enumerate() {
        if at == left_out.start && !left_out.is_empty() {
            steps.push(format!("{} more messages, which {command} has", left_out.len()).into());
        }
        if !left_out.contains(&at) {
            steps.push(rung.sentence(&parts.lanes, first.time).into());
        }
    }
    steps
}

fn why(reason: &Reason) -> Why {
    let flat = |line: &Line| Words::from(line.render(false).trim());
    let none = Words::default;
    match reason {
        Reason::Because { opening, text, evidence } => Why {
            opening: flat(opening),
            rule: none(),
            text: Words::from(text),
            evidence: flat(evidence),
            below: false,
        },
        Reason::Rule { queries, rule, text, evidence } => Why {
            opening: Words::from(queries),
            rule: Words::from(rule.code()),
            text: Words::from(text),
            evidence: flat(evidence),
            below: true,
        },
        Reason::Sentence(text) | Reason::Remark(text) => {
            Why { opening: none(), rule: none(), text: Words::from(text), evidence: none(), below: false }
        }
    }
}
