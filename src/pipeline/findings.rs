//! What an operator should look at, one row per code, server and client.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::Analysis;
use crate::dhcp::option_name;
use crate::exchange::lease::Lease;
use crate::exchange::of;
use crate::ha::catalogue::{FindingCode, Verdict};
use crate::ha::decide::{Decision, Expected, Seen};
use crate::units::{CaptureTime, FrameRef, HwAddr, SECOND, ServerId, ZoneId};

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Somebody may be without service.
    Warning,
    /// The pair works against itself.
    Error,
}

impl Severity {
    /// The word of the tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Frames kept per finding; the count goes on.
const FRAMES: usize = 16;
/// From here on we would bet on a decision.
const SURE: f64 = 0.9;
/// A missing answer is never sure to be wrong: a pool or a class may be the reason.
const PROBABLE: f64 = 0.8;

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub code: FindingCode,
    /// How much it matters.
    pub severity: Severity,
    /// First occurrence.
    pub first: CaptureTime,
    /// Last occurrence.
    pub last: CaptureTime,
    /// Occurrences.
    pub count: u64,
    /// Where.
    pub zone: ZoneId,
    /// The server concerned.
    pub server: Option<ServerId>,
    /// The client concerned.
    pub client: Option<HwAddr>,
    /// The first occurrence in a sentence.
    pub text: String,
    /// The first frames, at most sixteen.
    pub frames: Vec<FrameRef>,
}

type Key = (FindingCode, Option<ServerId>, Option<HwAddr>);

#[derive(Default)]
struct Findings(BTreeMap<Key, Finding>);

impl Findings {
    fn add(
        &mut self,
        (code, severity): (FindingCode, Severity),
        (server, client): (Option<ServerId>, Option<HwAddr>),
        (time, zone, at): (CaptureTime, ZoneId, FrameRef),
        text: impl FnOnce() -> String,
    ) {
        let finding = self.0.entry((code, server, client)).or_insert_with(|| Finding {
            code,
            severity,
            first: time,
            last: time,
            count: 0,
            zone,
            server,
            client,
            text: text(),
            frames: Vec::new(),
        });
        finding.count += 1;
        finding.last = finding.last.max(time);
        if finding.frames.len() < FRAMES {
            finding.frames.push(at);
        }
    }
}

/// Looks over a finished analysis; the most severe first.
pub fn find(analysis: &Analysis<'_>) -> Vec<Finding> {
    let mut findings = Findings::default();
    messages(analysis, &mut findings);
    exchanges(analysis, &mut findings);
    decisions(analysis, &mut findings);
    addresses(analysis, &mut findings);
    witnesses(analysis, &mut findings);
    let mut list: Vec<Finding> = findings.0.into_values().collect();
    list.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), finding.first, finding.code));
    list
}

fn messages(analysis: &Analysis<'_>, findings: &mut Findings) {
    for message in &analysis.messages {
        if let Some(first) = message.anomalies.first() {
            findings.add(
                (FindingCode::MalformedMessage, Severity::Note),
                (None, Some(message.chaddr)),
                (message.time, message.zone, message.at),
                || {
                    let option = first.option.and_then(option_name);
                    let option = option.map_or_else(String::new, |name| format!(" ({name})"));
                    format!("{} with {first}{option}: {}", message.type_name(), first.kind.meaning())
                },
            );
        }
    }
    let known = analysis.network.topology.servers.len();
    let mut answers: Vec<_> = analysis.answers.iter().collect();
    answers.sort_by_key(|(id, _)| **id);
    for (id, answer) in answers {
        let reply = of(&analysis.messages, *id);
        let place = (reply.time, reply.zone, reply.at);
        let name = analysis.network.machines.name(answer.server);
        if answer.contradicted {
            let code = (FindingCode::ContradictedServerId, Severity::Error);
            findings.add(code, (Some(answer.server), None), place, || {
                let named = reply.server_id.map(|id| id.to_string()).unwrap_or_default();
                format!("{name} ({}) sent the server identifier {named} of another machine", reply.src)
            });
        }
        if known > 0 && answer.server.0 >= known {
            let code = (FindingCode::UnknownServer, Severity::Warning);
            findings.add(code, (Some(answer.server), None), place, || {
                format!("{name} answered and is in no configuration")
            });
        }
    }
}

fn exchanges(analysis: &Analysis<'_>, findings: &mut Findings) {
    let end = analysis.sources.iter().filter_map(|source| source.last).max();
    for (exchange, judgement) in analysis.exchanges.iter().zip(&analysis.judgements) {
        let code = match judgement.verdict {
            Verdict::BothAnswered => (FindingCode::TwoAnswers, Severity::Error),
            Verdict::AckWithheld => (FindingCode::WithheldAck, Severity::Error),
            Verdict::NoAck => (FindingCode::RequestsUnanswered, Severity::Warning),
            Verdict::OwnerDown | Verdict::OwnerSilent | Verdict::NobodyListens | Verdict::NoAnswer => {
                (FindingCode::ClientUnserved, Severity::Warning)
            }
            _ => continue,
        };
        let Some(last) = exchange.queries.last().map(|step| of(&analysis.messages, step.first)) else {
            continue;
        };
        // At the very end an answer could not have been captured any more.
        let asked = if code.0 == FindingCode::RequestsUnanswered { last.time } else { exchange.start };
        if code.1 == Severity::Warning && end.is_some_and(|end| end.since(asked) < SECOND / 10) {
            continue;
        }
        let first = exchange.queries.first().map_or(last, |step| of(&analysis.messages, step.first));
        findings.add(
            code,
            (judgement.answered_by, Some(exchange.client.chaddr)),
            (first.time, exchange.zone(&analysis.messages), first.at),
            || judgement.reason.clone(),
        );
    }
}

fn decisions(analysis: &Analysis<'_>, findings: &mut Findings) {
    for decision in &analysis.decisions {
        let (code, what) = match (decision.expected, decision.seen) {
            (Expected::Ignore, Seen::Answered) if decision.confidence >= SURE => {
                (FindingCode::UnexpectedAnswer, "answered")
            }
            (Expected::Answer, Seen::Silent) if decision.confidence >= PROBABLE => {
                (FindingCode::UnexpectedSilence, "ignored")
            }
            _ => continue,
        };
        let Decision { server, query, rule, .. } = decision;
        let query = of(&analysis.messages, *query);
        findings.add(
            (code, Severity::Warning),
            (Some(*server), Some(query.chaddr)),
            (query.time, query.zone, query.at),
            || {
                let name = analysis.network.machines.name(*server);
                format!("{name} {what} a {} against the rule {}", query.type_name(), rule.code())
            },
        );
    }
}

/// Where Kea's logs and lease files disagree with the packets or each other.
fn witnesses(analysis: &Analysis<'_>, findings: &mut Findings) {
    for told in &analysis.witnesses.contradictions {
        let severity = match told.code {
            FindingCode::LogClockOffset => Severity::Note,
            _ => Severity::Warning,
        };
        let key = (told.code, Some(told.server), told.client);
        let finding = findings.0.entry(key).or_insert_with(|| Finding {
            code: told.code,
            severity,
            first: told.time,
            last: told.time,
            count: 0,
            zone: told.zone,
            server: Some(told.server),
            client: told.client,
            text: told.text.clone(),
            frames: Vec::new(),
        });
        finding.count += 1;
        finding.last = finding.last.max(told.time);
        // A log or a file alone shows no frame.
        let room = FRAMES.saturating_sub(finding.frames.len());
        finding.frames.extend(told.frames.iter().take(room));
    }
}

/// Two clients with one address at the same time.
fn addresses(analysis: &Analysis<'_>, findings: &mut Findings) {
    // Until when somebody holds an address; a lease whose time was not captured proves nothing.
    let until = |lease: &Lease| match (lease.end, lease.lease_s) {
        (Some((time, _)), _) => Some(time),
        (None, None) => None,
        (None, Some(_)) => Some(lease.expires().unwrap_or(CaptureTime(i64::MAX))),
    };
    let mut holders: BTreeMap<Ipv4Addr, &Lease> = BTreeMap::new();
    for lease in &analysis.leases {
        let holder = holders.get(&lease.ip).copied();
        // Who holds it longest is asked about the next one.
        if holder.is_none_or(|before| until(before) <= until(lease)) {
            holders.insert(lease.ip, lease);
        }
        let Some(before) = holder.filter(|before| before.client.chaddr != lease.client.chaddr) else {
            continue;
        };
        if until(before).is_none_or(|time| time <= lease.start) {
            continue;
        }
        let frame = analysis
            .exchange(lease.exchange)
            .and_then(|(exchange, _)| exchange.verdict_reply(&analysis.messages))
            .map(|id| of(&analysis.messages, id).at)
            .unwrap_or_default();
        findings.add(
            (FindingCode::AddressTwice, Severity::Error),
            (Some(lease.server), Some(lease.client.chaddr)),
            (lease.start, lease.zone, frame),
            || {
                format!(
                    "{} was still bound to {} when {} got it",
                    lease.ip, before.client.chaddr, lease.client.chaddr
                )
            },
        );
    }
}
