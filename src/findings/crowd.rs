//! What befalls many clients for one reason is one thing to look at, not many.

use std::collections::BTreeMap;

use super::bounded::Distinct;
use super::list::{About, Findings, Severity, Tally};
use super::view::View;
use crate::exchange::Observed;
use crate::ha::catalogue::{FindingCode, Verdict};
use crate::units::{HwAddr, ServerId, ZoneId};

/// From so many clients on they are one finding.
const CROWD: usize = 4;
/// Clients that the sentence names.
const NAMED: usize = 3;
/// Pairs of client and server that are told apart while there is no crowd.
const MEMBERS: usize = 64;

/// What clients must share to be told together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Reason {
    pub(super) zone: ZoneId,
    pub(super) severity: Severity,
    pub(super) verdict: Verdict,
    pub(super) server: Option<ServerId>,
}

/// One client's part: the server concerned, the sentence of its first time.
#[derive(Clone, Debug)]
struct Member {
    server: Option<ServerId>,
    client: HwAddr,
    tally: Tally,
    text: String,
}

#[derive(Clone, Debug, Default)]
struct Crowd {
    tally: Tally,
    clients: Distinct<HwAddr>,
    /// The lowest addresses, in order.
    named: Vec<HwAddr>,
    /// Everybody while they are few, later the first one only.
    members: Vec<Member>,
}

impl Crowd {
    fn add(&mut self, query: &Observed, server: Option<ServerId>, text: impl FnOnce() -> String) {
        let client = query.chaddr;
        self.tally.add(query.time, query.at);
        if self.clients.insert(client) {
            let at = self.named.partition_point(|named| *named < client);
            self.named.insert(at, client);
            self.named.truncate(NAMED);
        }
        if self.clients.len() >= CROWD {
            self.members.truncate(1);
            return;
        }
        let known = self.members.iter().position(|it| it.server == server && it.client == client);
        let at = known.unwrap_or_else(|| {
            if self.members.len() < MEMBERS {
                self.members.push(Member { server, client, tally: Tally::default(), text: text() });
            }
            self.members.len() - 1
        });
        if let Some(member) = self.members.get_mut(at) {
            member.tally.add(query.time, query.at);
        }
    }
}

/// Clients by what befell them, for one code.
#[derive(Clone, Debug, Default)]
pub(super) struct Crowds(BTreeMap<Reason, Crowd>);

impl Crowds {
    pub(super) fn add(
        &mut self,
        reason: Reason,
        query: &Observed,
        server: Option<ServerId>,
        text: impl FnOnce() -> String,
    ) {
        self.0.entry(reason).or_default().add(query, server, text);
    }

    /// A few clients get a finding each, a crowd one with the sentence of its first.
    ///
    /// `settle` gives the severity that a reason has in the end, and what the sentence adds for it.
    pub(super) fn report(
        self,
        view: &View<'_>,
        code: FindingCode,
        settle: impl Fn(Reason) -> (Severity, String),
        findings: &mut Findings,
    ) {
        let mut settled: Vec<(Reason, String, Crowd)> = Vec::new();
        for (reason, crowd) in self.0 {
            let (severity, addition) = settle(reason);
            settled.push((Reason { severity, ..reason }, addition, crowd));
        }
        settled.sort_by_key(|(reason, ..)| *reason);
        for (Reason { zone, severity, .. }, addition, crowd) in settled {
            let about = About::new(code, severity).zone(zone);
            if crowd.clients.len() < CROWD {
                for Member { server, client, tally, text } in crowd.members {
                    let about = about.server(server).client(client);
                    findings.counted(about, &tally, || text + &addition);
                }
                continue;
            }
            let some: Vec<String> = crowd.named.iter().map(|client| view.client(*client)).collect();
            let first = crowd.members.first().map_or("", |member| member.text.as_str());
            let (count, some) = (crowd.clients.words(), some.join(", "));
            let text = format!("{count} clients ({some} and others): {first}{addition}");
            findings.whole(about, crowd.tally, text);
        }
    }
}
