//! What an analysis found, in the words of the scenario files.

use std::collections::HashMap;
use std::path::PathBuf;

use dorascope::exchange::Step;
use dorascope::findings::{Finding, find};
use dorascope::pipeline::Analysis;
use dorascope::units::{CaptureTime, FrameRef, MessageId, ServerId};

use super::script::{Cast, EPOCH_NS};

/// From here on the program would bet on it.
const SURE: f64 = 0.9;

pub struct Seen<'a> {
    analysis: &'a Analysis<'a>,
    cast: &'a Cast,
    labels: &'a HashMap<(PathBuf, u64), String>,
}

fn sure(confidence: f64) -> &'static str {
    if confidence >= SURE { "sure" } else { "doubt" }
}

fn seconds(time: CaptureTime) -> String {
    let ms = (time.0 - EPOCH_NS) / 1_000_000;
    let text = format!("{}.{:03}", ms / 1000, ms % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

impl<'a> Seen<'a> {
    pub fn new(
        analysis: &'a Analysis<'a>,
        cast: &'a Cast,
        labels: &'a HashMap<(PathBuf, u64), String>,
    ) -> Self {
        Self { analysis, cast, labels }
    }

    fn label(&self, at: FrameRef) -> &str {
        let source = &self.analysis.sources[at.source.0 as usize];
        &self.labels[&(PathBuf::from(&source.name), at.number)]
    }

    fn message(&self, id: MessageId) -> &str {
        self.label(self.analysis.message(id).at)
    }

    fn step(&self, step: &Step) -> String {
        step.sightings().map(|id| self.message(id)).collect::<Vec<_>>().join("+")
    }

    fn server(&self, server: Option<ServerId>) -> &str {
        server.map_or("?", |server| self.analysis.network.machines.name(server))
    }

    fn client(&self, client: &dorascope::exchange::Client) -> String {
        let id = client.client_id.as_deref();
        let known =
            self.cast.clients.iter().find(|(_, (mac, own))| *mac == client.chaddr && own.as_deref() == id);
        known.map_or_else(|| client.chaddr.to_string(), |(name, _)| name.clone())
    }

    /// `CLIENT XID KIND: QUERIES / REPLIES -> OUTCOME by SERVER`
    pub fn exchanges(&self) -> Vec<String> {
        let exchanges = self.analysis.exchanges.iter().zip(&self.analysis.judgements);
        exchanges
            .map(|(exchange, judgement)| {
                let queries: Vec<String> = exchange.queries.iter().map(|step| self.step(step)).collect();
                let replies = exchange.replies.iter().map(|step| {
                    let answer = self.analysis.answers.get(&step.first);
                    let mark = if answer.is_some_and(|answer| answer.contradicted) { "!" } else { "" };
                    format!("{}={}{mark}", self.step(step), self.server(answer.map(|answer| answer.server)))
                });
                let sides = [queries.join(" "), replies.collect::<Vec<_>>().join(" ")];
                let sides: Vec<&str> =
                    sides.iter().map(|side| if side.is_empty() { "-" } else { side.as_str() }).collect();
                let by = if exchange.replies.is_empty() {
                    String::new()
                } else {
                    format!(" by {}", self.server(judgement.answered_by))
                };
                format!(
                    "{} {:x} {}: {} -> {}{by}",
                    self.client(&exchange.client),
                    exchange.xid.0,
                    exchange.kind.as_str(),
                    sides.join(" / "),
                    exchange.outcome(&self.analysis.messages),
                )
            })
            .collect()
    }

    /// `CLIENT ADDRESS SERVER START..END REASON +RENEWALS`
    pub fn leases(&self) -> Vec<String> {
        let leases = self.analysis.leases.iter().map(|lease| {
            let end = lease.end.map_or_else(
                || " runs".to_owned(),
                |(time, reason)| format!("{} {}", seconds(time), reason.as_str()),
            );
            let renewals = if lease.renewals > 0 { format!(" +{}", lease.renewals) } else { String::new() };
            format!(
                "{} {} {} {}..{end}{renewals}",
                self.client(&lease.client),
                lease.ip,
                self.server(Some(lease.server)),
                seconds(lease.start)
            )
        });
        leases.collect()
    }

    /// `QUERY SERVER: EXPECTED RULE (STATE), OBSERVED, HEARD, sure|doubt`
    pub fn decisions(&self) -> Vec<String> {
        let decisions = self.analysis.decisions.iter().map(|decision| {
            let state = decision.state.as_ref().map_or_else(String::new, |state| format!(" ({state})"));
            format!(
                "{} {}: {} {}{state}, {}, {}",
                self.message(decision.query),
                self.server(Some(decision.server)),
                decision.expected.as_str(),
                decision.rule.code(),
                decision.seen.as_str(),
                sure(decision.confidence)
            )
        });
        decisions.collect()
    }

    /// `FIRST-MESSAGE VERDICT sure|doubt`
    pub fn verdicts(&self) -> Vec<String> {
        let exchanges = self.analysis.exchanges.iter().zip(&self.analysis.judgements);
        let verdicts = exchanges.map(|(exchange, judgement)| {
            let first = exchange.queries.first().or(exchange.replies.first()).unwrap();
            format!(
                "{} {} {}",
                self.message(first.first),
                judgement.verdict.code(),
                sure(judgement.confidence)
            )
        });
        verdicts.collect()
    }

    /// `CODE SERVER FRAMES`
    pub fn findings(&self) -> Vec<String> {
        self.found(|finding, server, frames| format!("{} {server} {frames}", finding.code.code()))
    }

    /// `SEVERITY CODE COUNT SERVER FIRST..LAST: FRAMES`
    pub fn reports(&self) -> Vec<String> {
        self.found(|finding, server, frames| {
            let (first, last) = (seconds(finding.first), seconds(finding.last));
            let (severity, code) = (finding.severity.as_str(), finding.code.code());
            format!("{severity} {code} {} {server} {first}..{last}: {frames}", finding.count)
        })
    }

    /// The sentences of the findings.
    pub fn sentences(&self) -> Vec<String> {
        self.found(|finding, _, _| finding.text.clone())
    }

    fn found(&self, line: impl Fn(&Finding, &str, &str) -> String) -> Vec<String> {
        let found = find(self.analysis);
        let lines = found.iter().map(|finding| {
            let frames: Vec<&str> = finding.frames.iter().map(|at| self.label(*at)).collect();
            line(finding, self.server(finding.server), &frames.join(" "))
        });
        lines.collect()
    }
}
