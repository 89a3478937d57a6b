//! Decisions against the log.
//!
//! The log is direct evidence of what a server did with a query. Where we were
//! not sure it decides (basis `log`); where it agrees we are surer; where we
//! were sure and it says otherwise, one of us is wrong, and somebody must look.

use std::collections::{BTreeMap, BTreeSet};

use super::fate::CONFLICT;
use super::{Contradiction, Fate, MOST, Witnesses};
use crate::exchange::{Observed, of};
use crate::ha::catalogue::{FindingCode, Rule};
use crate::ha::decide::{Decision, Evidence, Expected, Seen};
use crate::ha::network::Heard;
use crate::ha::timeline::Basis;
use crate::units::ServerId;

/// From here on we would bet on a decision.
const SURE: f64 = 0.9;
/// A log of known clock that speaks about the query itself.
const LOGGED: f64 = 0.95;
/// A log whose time is not known: the line may be about another query of the transaction.
const LOGGED_SOMETIME: f64 = 0.8;
/// So many denials of what is shown make a log doubtful, if there is no fourfold agreement beside them.
const FEWEST_DENIALS: u32 = 2;
/// What a contradicted decision is worth at most.
const DOUBTED: f64 = 0.8;

pub(super) fn weigh(
    witnesses: &Witnesses,
    evidence: &Evidence<'_>,
    decisions: &mut [Decision],
) -> Vec<Contradiction> {
    let mut found = Vec::new();
    let strange = strangers(witnesses, evidence, decisions);
    for decision in decisions {
        let Some(diary) = witnesses.diary(decision.server) else { continue };
        let query = of(evidence.messages, decision.query);
        let fate = diary.fate(query);
        if fate == Fate::Nothing {
            continue;
        }
        let ruled = ruling(&fate, decision);
        let answered = decision.seen == Seen::Answered;
        let denied = answered && ruled.is_some_and(|(expected, _)| expected == Expected::Ignore);
        if denied || strange.contains(&decision.server) {
            // What was captured is beyond doubt, and a log that denies it is not believed elsewhere.
            if denied && found.len() < MOST {
                found.push(contradiction(evidence, decision, query, &fate));
            }
            continue;
        }
        if fate != Fate::ServiceOff {
            decision.heard = Heard::Yes;
        }
        if fate == Fate::Answered && decision.seen == Seen::Silent {
            // The capture missed the reply; `packets` tells.
            decision.seen = Seen::Unknown;
        }
        let Some((expected, rule)) = ruled else { continue };
        let certain = if diary.is_exact() { LOGGED } else { LOGGED_SOMETIME };
        if decision.expected == expected && (rule.is_none() || rule == Some(decision.rule)) {
            if decision.confidence < certain {
                decision.basis = Some(decision.basis.map_or(Basis::Log, |basis| basis.min(Basis::Log)));
            }
            decision.confidence = decision.confidence.max(certain);
        } else if decision.confidence < SURE || decision.expected == Expected::Unknown {
            if decision.confidence < certain {
                decision.expected = expected;
                decision.rule = rule.unwrap_or(decision.rule);
                decision.basis = Some(Basis::Log);
                decision.confidence = certain;
            }
        } else {
            if found.len() < MOST {
                found.push(contradiction(evidence, decision, query, &fate));
            }
            decision.confidence = decision.confidence.min(DOUBTED);
        }
    }
    found
}

/// Servers whose log denies what was captured or what is sure, again and again: it may be
/// another server's, or of another run, so its word decides nothing.
fn strangers(witnesses: &Witnesses, evidence: &Evidence<'_>, decisions: &[Decision]) -> BTreeSet<ServerId> {
    let mut counts: BTreeMap<ServerId, (u32, u32)> = BTreeMap::new();
    for decision in decisions {
        let Some(diary) = witnesses.diary(decision.server) else { continue };
        let fate = diary.fate(of(evidence.messages, decision.query));
        let Some((expected, _)) = ruling(&fate, decision) else { continue };
        let shown = match decision.seen {
            Seen::Answered => Expected::Answer,
            _ if decision.confidence >= SURE => decision.expected,
            _ => continue,
        };
        let (agrees, denies) = counts.entry(decision.server).or_default();
        *(if shown == expected { agrees } else { denies }) += 1;
    }
    let strange = |(agrees, denies): (u32, u32)| denies >= FEWEST_DENIALS && denies * 4 > agrees;
    counts.into_iter().filter(|(_, count)| strange(*count)).map(|(server, _)| server).collect()
}

/// What a fate says about Kea's rules: the expectation, and the rule where one follows.
fn ruling(fate: &Fate, decision: &Decision) -> Option<(Expected, Option<Rule>)> {
    // HA has no say in these, so what became of them shows nothing about it.
    if matches!(decision.rule, Rule::NoReplyExpected | Rule::TypeNotFiltered) {
        return None;
    }
    Some(match fate {
        Fate::Answered if decision.rule == Rule::LeaseUpdateRejected => (Expected::Answer, None),
        Fate::Answered => {
            let scope = match decision.owner {
                Some(owner) if owner == decision.server => Rule::OwnScope,
                Some(_) => Rule::FailoverScope,
                None => decision.rule,
            };
            (Expected::Answer, Some(scope))
        }
        // Kea says so too where load-balancing finds nothing to hash.
        Fate::NotForUs if decision.rule == Rule::NoIdentifier => (Expected::Ignore, None),
        Fate::NotForUs => (Expected::Ignore, Some(Rule::ScopeNotServed)),
        Fate::ForeignServerId => (Expected::Ignore, Some(Rule::ForeignServerId)),
        Fate::ServiceOff => (Expected::Ignore, Some(Rule::ServiceDisabled)),
        Fate::Dropped(code) if &**code == "NO_SUBNET_SELECTED" => (Expected::Ignore, Some(Rule::NoSubnet)),
        Fate::Dropped(code) if code.contains("RELATIONSHIP") || code.contains("HA_SERVER_NAME") => {
            (Expected::Ignore, Some(Rule::NoRelationshipForSubnet))
        }
        Fate::Dropped(code) if &**code == CONFLICT => (Expected::Ignore, Some(Rule::LeaseUpdateRejected)),
        // Dropped for a reason that is not HA's, or no reply for one that the log does not name.
        Fate::Dropped(_) | Fate::Received | Fate::Nothing => return None,
    })
}

fn contradiction(
    evidence: &Evidence<'_>,
    decision: &Decision,
    query: &Observed,
    fate: &Fate,
) -> Contradiction {
    let name = evidence.network.machines.name(decision.server);
    let said = match fate {
        Fate::Answered => "that it answered".to_owned(),
        Fate::NotForUs => "that it left it to its partner".to_owned(),
        Fate::ForeignServerId => "that it names another server".to_owned(),
        Fate::ServiceOff => "that its DHCP service was off".to_owned(),
        Fate::Dropped(code) => format!("that it was dropped ({code})"),
        Fate::Received | Fate::Nothing => "nothing more".to_owned(),
    };
    let expected = match decision.expected {
        Expected::Answer => "an answer",
        Expected::Ignore => "silence",
        Expected::Unknown => "nothing certain",
    };
    let mut frames = vec![query.at];
    frames.extend(decision.evidence.iter().copied());
    Contradiction {
        code: FindingCode::LogContradictsDecision,
        time: query.time,
        zone: query.zone,
        server: decision.server,
        client: Some(query.chaddr),
        text: format!(
            "the log of {name} says of a {} {said}, and {} lets expect {expected}",
            query.type_name(),
            decision.rule.code()
        ),
        frames,
    }
}
