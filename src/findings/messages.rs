//! Messages with something wrong in them.

use super::list::{About, Findings, Severity};
use crate::dhcp::option_name;
use crate::exchange::Observed;
use crate::ha::catalogue::FindingCode;

pub(super) fn message(message: &Observed, findings: &mut Findings) {
    let Some(first) = message.anomalies().next() else { return };
    let about =
        About::new(FindingCode::MalformedMessage, Severity::Note).zone(message.zone).client(message.chaddr);
    findings.add(about, message.time, message.at, || {
        let option = first.option.and_then(option_name);
        let option = option.map_or_else(String::new, |name| format!(" ({name})"));
        format!("{} with {first}{option}: {}", message.type_name(), first.kind.meaning())
    });
}
