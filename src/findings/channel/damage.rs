//! What is broken on the control channel itself, one finding per kind.

use std::collections::BTreeMap;

use crate::findings::list::{About, Findings, Severity, Tally};
use crate::findings::view::View;
use crate::ha::catalogue::FindingCode;

pub(super) fn report(view: &View<'_>, findings: &mut Findings) {
    let mut kinds: BTreeMap<_, (Tally, &str)> = BTreeMap::new();
    for anomaly in &view.analysis.channel.anomalies {
        let (tally, _) =
            kinds.entry(anomaly.kind).or_insert_with(|| (Tally::default(), anomaly.text.as_str()));
        tally.add(anomaly.time, anomaly.at);
    }
    for (kind, (tally, first)) in kinds {
        let text = format!("{}: {first}", kind.code());
        findings.whole(About::new(FindingCode::ControlChannelDamage, Severity::Note), tally, text);
    }
}
