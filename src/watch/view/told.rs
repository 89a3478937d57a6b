//! A finding as a line of a list.

use std::fmt::Write;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::explain::text::Role;
use crate::findings::{Finding, Severity};
use crate::ha::catalogue::FindingCode;
use crate::pipeline::Analysis;
use crate::table::escape;
use crate::units::{CaptureTime, FrameRef};

/// Frames of a finding that are named.
const MOST_FRAMES: usize = 16;

/// One finding.
#[derive(Clone, Debug)]
pub struct Told {
    /// What makes it the same one in the next snapshot.
    pub key: u64,
    /// How much it matters.
    pub severity: Severity,
    /// What it is.
    pub code: FindingCode,
    /// Occurrences.
    pub count: u64,
    /// First and last occurrence.
    pub span: (CaptureTime, CaptureTime),
    /// The zone, the server and the client concerned; empty where there is none.
    pub about: [String; 3],
    /// The sentence.
    pub text: String,
    /// Its first frames.
    pub frames: String,
    sought: String,
}

impl Told {
    pub(super) fn of(analysis: &Analysis<'_>, finding: &Finding) -> Self {
        let mut hasher = DefaultHasher::new();
        (finding.code, finding.zone, finding.server, finding.client).hash(&mut hasher);
        let zone = finding.zone.map_or("", |zone| analysis.network.zone(zone));
        let server = finding.server.map_or("", |server| analysis.network.machines.name(server));
        let mac = finding.client.filter(|mac| !mac.is_empty());
        let client = mac.map(|mac| analysis.client_name(mac).map_or_else(|| mac.to_string(), str::to_owned));
        let about = [zone.to_owned(), server.to_owned(), client.unwrap_or_default()];
        let about = about.map(|name| escape(&name).into_owned());
        let text = escape(&finding.text).into_owned();
        let (code, severity) = (finding.code.code(), finding.severity.as_str());
        let sought = format!("{code} {severity} {} {text}", about.join(" ")).to_lowercase();
        Self {
            key: hasher.finish(),
            severity: finding.severity,
            code: finding.code,
            count: finding.count,
            span: (finding.first, finding.last),
            about,
            text,
            frames: frames(analysis, &finding.frames),
            sought,
        }
    }

    /// How its severity looks.
    pub const fn role(&self) -> Role {
        match self.severity {
            Severity::Error => Role::Bad,
            Severity::Warning => Role::Notable,
            Severity::Note => Role::Weak,
        }
    }

    /// Whether a filter, in lower case, finds it.
    pub fn has(&self, filter: &str) -> bool {
        filter.split_whitespace().all(|word| self.sought.contains(word))
    }
}

/// `zaldua2 #57, #58, zaldua3 #1`: a zone is named where it changes.
fn frames(analysis: &Analysis<'_>, frames: &[FrameRef]) -> String {
    let mut text = String::new();
    let mut before = None;
    for at in frames.iter().take(MOST_FRAMES) {
        let comma = if text.is_empty() { "" } else { ", " };
        let source = analysis.sources.get(at.source.0 as usize);
        let zone = source.map_or("?", |source| source.zone.as_str());
        // Writing to a String cannot fail.
        let _ = match before.replace(at.source) {
            Some(source) if source == at.source => write!(text, "{comma}#{}", at.number),
            _ => write!(text, "{comma}{} #{}", escape(zone), at.number),
        };
    }
    text
}
