//! What is told, a line each: as text for people, as JSON for programs.
//!
//! A line of JSON has the columns of the tables `exchanges` and `findings`, before
//! them `event` (`exchange` or `finding`), and for exchanges `settled`: false while
//! later frames may still change it. A later line about the same exchange, or the same
//! code, zone, server and client, takes the place of the earlier one.

use std::fmt::Write as _;

use super::told::Told;
use crate::exchange::Exchange;
use crate::explain::ladder::clock;
use crate::findings::Finding;
use crate::ha::verdict::Judgement;
use crate::pipeline::Analysis;
use crate::table::fill::Filler;
use crate::table::{Error, Format, Rows, TableWriter, escape};

/// What one batch or one look told.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    exchanges: Vec<(usize, bool)>,
    findings: Vec<Finding>,
}

/// Lines to be, which need nothing of the analysis any more.
#[derive(Clone, Debug)]
pub struct Unwritten {
    exchanges: Rows,
    settled: Vec<bool>,
    findings: Rows,
}

impl Lines {
    /// Takes note of something that was told; all of it must be of one analysis.
    pub fn note(&mut self, told: &Told<'_>) {
        match *told {
            Told::Exchange { at, settled, .. } => self.exchanges.push((at, settled)),
            Told::Finding { finding, .. } => self.findings.push(finding.clone()),
        }
    }

    /// How many lines there are.
    pub const fn len(&self) -> usize {
        self.exchanges.len() + self.findings.len()
    }

    /// Whether nothing was told.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The rows for JSON.
    pub fn rows(&self, analysis: &Analysis<'_>) -> Unwritten {
        let filler = Filler::new(analysis);
        let (places, settled): (Vec<usize>, Vec<bool>) = self.exchanges.iter().copied().unzip();
        let findings = filler.finding_rows(&self.findings);
        Unwritten { exchanges: filler.exchange_rows(&places), settled, findings }
    }

    /// The lines for people.
    pub fn text(&self, analysis: &Analysis<'_>) -> String {
        let mut text = String::new();
        for (at, settled) in &self.exchanges {
            if let Some((exchange, judgement)) = analysis.exchanges.get(*at).zip(analysis.judgements.get(*at))
            {
                text.push_str(&exchange_line(analysis, exchange, judgement, *settled));
                text.push('\n');
            }
        }
        for finding in &self.findings {
            let severity = finding.severity.as_str();
            let code = finding.code.code();
            let _ = writeln!(text, "{}  {severity} {code}: {}", clock(finding.last), escape(&finding.text));
        }
        text
    }
}

impl Unwritten {
    /// The lines as JSON.
    pub fn json(&self) -> Result<Vec<u8>, Error> {
        let mut lines = Vec::new();
        let exchanges = encoded(&self.exchanges)?;
        for (line, settled) in exchanges.split_inclusive(|byte| *byte == b'\n').zip(&self.settled) {
            lines.extend_from_slice(format!("{{\"event\":\"exchange\",\"settled\":{settled},").as_bytes());
            lines.extend_from_slice(line.get(1..).unwrap_or_default());
        }
        for line in encoded(&self.findings)?.split_inclusive(|byte| *byte == b'\n') {
            lines.extend_from_slice(b"{\"event\":\"finding\",");
            lines.extend_from_slice(line.get(1..).unwrap_or_default());
        }
        Ok(lines)
    }

    /// How many lines there are.
    pub const fn len(&self) -> usize {
        self.exchanges.len() + self.findings.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn encoded(rows: &Rows) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    if !rows.is_empty() {
        let mut writer = TableWriter::new(&mut bytes, rows.table(), Format::JsonLines)?;
        writer.write(rows)?;
        writer.finish()?;
    }
    Ok(bytes)
}

/// `12:00:01.123  zaldua2  zaldua2bez1  got 192.168.4.100 from zaldua2zerb1 in 39 ms  owner-answered 0.99: …`
fn exchange_line(
    analysis: &Analysis<'_>,
    exchange: &Exchange,
    judgement: &Judgement,
    settled: bool,
) -> String {
    let mac = exchange.client.chaddr;
    let client = analysis.client_name(mac).map_or_else(|| mac.to_string(), str::to_owned);
    let headline = crate::explain::headline(analysis, exchange.id).unwrap_or_default();
    let zone = analysis.network.zone(exchange.zone(&analysis.messages));
    let mark = if settled { "" } else { " so far" };
    let line = format!(
        "{}  {zone}  {client} {headline}  {} {:.2}{mark}: {}",
        clock(exchange.start),
        judgement.verdict.code(),
        judgement.confidence,
        judgement.reason
    );
    escape(&line).into_owned()
}
