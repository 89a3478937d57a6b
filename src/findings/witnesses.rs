//! What Kea's logs and lease files contradict.

use super::list::{About, Findings, Severity};
use crate::ha::catalogue::FindingCode;
use crate::ha::witness::Contradiction;

pub(super) fn contradiction(told: &Contradiction, findings: &mut Findings) {
    let severity = match told.code {
        FindingCode::LogClockOffset => Severity::Note,
        _ => Severity::Warning,
    };
    let about = About { client: told.client, ..About::new(told.code, severity) };
    let about = about.zone(told.zone).server(Some(told.server));
    // A log or a file alone shows no frame.
    findings.told(about, told.time, &told.frames, || told.text.clone());
}
