//! What an operator should look at, and what to do.

use super::document::{Block, Datum, Grid, Link, Section, Words};
use super::leases::meaning;
use super::names::Names;
use super::servers::columns;
use crate::explain::text::Role;
use crate::findings::{Finding, Severity};
use crate::pipeline::Analysis;

/// Findings that are listed.
const MOST_FINDINGS: usize = 500;
/// Frames that are named beside one.
const MOST_FRAMES: usize = 4;

/// The section; the most severe finding first.
pub fn section(last: &Analysis<'_>, names: &Names, findings: &[Finding]) -> Section {
    let heading = "Findings";
    if findings.is_empty() {
        let text = "Nothing in these captures asks for an operator's attention.";
        return Section { anchor: "findings", heading, blocks: vec![Block::Paragraph(text.into())] };
    }
    let rest = match findings.len().saturating_sub(MOST_FINDINGS) {
        0 => String::new(),
        more => format!("{more} more findings; dorascope analyze … -o DIR writes all of them."),
    };
    let mut blocks = vec![Block::Table(Grid {
        anchor: "findings-table".to_owned(),
        caption: format!("Findings, the most severe first ({})", names.day()).into(),
        columns: columns(&[
            "Severity",
            "What",
            "First seen",
            "!Count",
            "Zone",
            "Server",
            "Client",
            "Finding",
            "Frames",
        ]),
        rows: findings.iter().take(MOST_FINDINGS).map(|finding| row(last, names, finding)).collect(),
        rest: rest.into(),
    })];
    blocks.push(Block::Heading("What they mean, and what to do".into()));
    let mut codes: Vec<&str> = Vec::new();
    for code in findings.iter().take(MOST_FINDINGS).map(|finding| finding.code.code()) {
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    blocks.extend(codes.into_iter().filter_map(meaning).map(Block::Code));
    Section { anchor: "findings", heading, blocks }
}

fn row(last: &Analysis<'_>, names: &Names, finding: &Finding) -> Vec<Datum> {
    let role = match finding.severity {
        Severity::Error => Role::Bad,
        Severity::Warning => Role::Notable,
        Severity::Note => Role::Weak,
    };
    let client = finding.client.filter(|mac| !mac.is_empty());
    let client = client.map(|mac| last.client_name(mac).map_or_else(|| mac.to_string(), str::to_owned));
    vec![
        Datum::of(role, finding.severity.as_str()),
        Datum::link(Link::to(finding.code.code())),
        names.time(finding.first).into(),
        finding.count.to_string().into(),
        Words::from(finding.zone.map_or("", |zone| last.network.zone(zone))).into(),
        Words::from(finding.server.map_or("", |server| last.network.machines.name(server))).into(),
        client.unwrap_or_default().into(),
        finding.text.as_str().into(),
        names.frames(finding.frames.iter().copied(), MOST_FRAMES).into(),
    ]
}
