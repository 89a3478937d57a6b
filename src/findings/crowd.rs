//! What befalls many clients for one reason is one thing to look at, not many.

use std::collections::{BTreeMap, BTreeSet};

use super::list::{About, Findings, Severity, Tally};
use super::view::View;
use crate::exchange::Observed;
use crate::ha::catalogue::{FindingCode, Verdict};
use crate::units::{HwAddr, ServerId, ZoneId};

/// From so many clients on they are one finding.
const CROWD: usize = 4;

/// What clients must share to be told together.
pub(super) type Reason = (ZoneId, Severity, Verdict, Option<ServerId>);

/// A client's part: its query, the server concerned, the sentence.
type Member<'a> = (&'a Observed, Option<ServerId>, String);

/// Clients by what befell them, for one code.
#[derive(Default)]
pub(super) struct Crowds<'a>(BTreeMap<Reason, Vec<Member<'a>>>);

impl<'a> Crowds<'a> {
    pub(super) fn add(
        &mut self,
        reason: Reason,
        query: &'a Observed,
        server: Option<ServerId>,
        text: String,
    ) {
        self.0.entry(reason).or_default().push((query, server, text));
    }

    /// A few clients get a finding each, a crowd one with the sentence of its first.
    pub(super) fn report(self, view: &View<'_>, code: FindingCode, findings: &mut Findings) {
        for ((zone, severity, ..), members) in self.0 {
            let about = About::new(code, severity).zone(zone);
            let clients: BTreeSet<HwAddr> = members.iter().map(|(query, ..)| query.chaddr).collect();
            if clients.len() < CROWD {
                for (query, server, text) in members {
                    let about = about.server(server).client(query.chaddr);
                    findings.add(about, query.time, query.at, || text);
                }
                continue;
            }
            let mut tally = Tally::default();
            for (query, ..) in &members {
                tally.add(query.time, query.at);
            }
            let some: Vec<String> = clients.iter().take(3).map(|client| view.client(*client)).collect();
            let first = members.first().map_or("", |(_, _, text)| text.as_str());
            let text = format!("{} clients ({} and others): {first}", clients.len(), some.join(", "));
            findings.whole(about, tally, text);
        }
    }
}
