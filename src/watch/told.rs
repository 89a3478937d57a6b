//! What is new: each exchange and each finding is told once, and again when it changed.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, Hash, Hasher};

use foldhash::fast::RandomState;

use crate::exchange::{Exchange, Kind, Outcome};
use crate::findings::{Finder, Finding};
use crate::ha::catalogue::FindingCode;
use crate::ha::verdict::Judgement;
use crate::pipeline::Analysis;
use crate::units::{CaptureTime, HwAddr, SECOND, ServerId, ZoneId};

/// An exchange that was answered is told when nothing came for so long: another server may answer too.
const ANSWERED_NS: i64 = 2 * SECOND;
/// One that was not is told after so long; Kea keeps a REQUEST for its partner's sake ten seconds and a little more.
const UNANSWERED_NS: i64 = 15 * SECOND;
/// A finding is told when it has stood for so long, because what looks missing may just not have been captured yet.
const STANDING_NS: i64 = 5 * SECOND;
/// One that grows is told again after so long.
const AGAIN_NS: i64 = 60 * SECOND;
/// Findings that are remembered; a hostile network must not fill the memory.
const MOST_FINDINGS: usize = 65_536;

/// Something that is new, or different from what was told before.
#[derive(Clone, Copy, Debug)]
pub enum Told<'a> {
    /// An exchange.
    Exchange {
        /// What it is in.
        analysis: &'a Analysis<'a>,
        /// Its place among the exchanges there.
        at: usize,
        /// Nothing will change it any more.
        settled: bool,
        /// It was told before, and differently.
        again: bool,
    },
    /// A finding.
    Finding {
        /// What its names are in.
        analysis: &'a Analysis<'a>,
        /// The finding.
        finding: &'a Finding,
        /// It was told before, with a smaller count.
        again: bool,
    },
}

/// What makes findings the same one.
pub(super) type Subject = (FindingCode, Option<ZoneId>, Option<ServerId>, Option<HwAddr>);

/// A finding that was seen.
#[derive(Clone, Debug)]
struct Seen {
    since: CaptureTime,
    /// When it was told last, and with which count.
    told: Option<(CaptureTime, u64)>,
    /// The look that saw it last.
    look: u64,
}

/// Remembers what was told.
#[derive(Debug, Default)]
pub struct Teller {
    finder: Finder,
    /// What was told of exchanges that are not settled, by number.
    exchanges: HashMap<u32, u64, RandomState>,
    findings: HashMap<Subject, Seen, RandomState>,
    looks: u64,
    seed: RandomState,
}

impl Teller {
    /// Tells what a batch settles and was not told before as it is now. Batches come in order.
    pub fn settled(&mut self, batch: &Analysis<'_>, mut tell: impl FnMut(Told<'_>)) {
        self.finder.take(batch);
        for (at, (exchange, judgement)) in batch.exchanges.iter().zip(&batch.judgements).enumerate() {
            let told = self.exchanges.remove(&exchange.id.0);
            let now = self.whole(batch, exchange, judgement);
            if told != Some(now) {
                tell(Told::Exchange { analysis: batch, at, settled: true, again: told.is_some() });
            }
        }
    }

    /// Tells what is over in an analysis of what is not settled yet, and the findings that stand.
    ///
    /// Gives all findings of everything up to now, the most severe first.
    pub fn peeked(
        &mut self,
        peek: &Analysis<'_>,
        now: CaptureTime,
        mut tell: impl FnMut(Told<'_>),
    ) -> Vec<Finding> {
        for (at, (exchange, judgement)) in peek.exchanges.iter().zip(&peek.judgements).enumerate() {
            if !is_over(exchange, peek, now) {
                continue;
            }
            let told = self.whole(peek, exchange, judgement);
            match self.exchanges.entry(exchange.id.0) {
                Entry::Vacant(place) => {
                    place.insert(told);
                    tell(Told::Exchange { analysis: peek, at, settled: false, again: false });
                }
                // Until it is settled, small changes are not worth a line.
                Entry::Occupied(_) => {}
            }
        }
        let mut finder = self.finder.clone();
        finder.take(peek);
        let findings = finder.finish(peek);
        self.find(peek, &findings, now, &mut tell);
        findings
    }

    /// The last batch: tells what is left, and gives all findings.
    pub fn finish(mut self, last: &Analysis<'_>, mut tell: impl FnMut(Told<'_>)) -> Vec<Finding> {
        self.settled(last, &mut tell);
        let findings = std::mem::take(&mut self.finder).finish(last);
        for finding in &findings {
            let told = self.findings.get(&subject(finding)).and_then(|seen| seen.told);
            if told.is_none_or(|(_, count)| count != finding.count) {
                tell(Told::Finding { analysis: last, finding, again: told.is_some() });
            }
        }
        findings
    }

    fn find(
        &mut self,
        peek: &Analysis<'_>,
        findings: &[Finding],
        now: CaptureTime,
        tell: &mut impl FnMut(Told<'_>),
    ) {
        self.looks += 1;
        let look = self.looks;
        for finding in findings {
            if self.findings.len() >= MOST_FINDINGS && !self.findings.contains_key(&subject(finding)) {
                continue;
            }
            let seen = self.findings.entry(subject(finding)).or_insert(Seen { since: now, told: None, look });
            seen.look = look;
            let due = match seen.told {
                None => now.since(seen.since) >= STANDING_NS,
                Some((at, count)) => count != finding.count && now.since(at) >= AGAIN_NS,
            };
            if due {
                let again = seen.told.replace((now, finding.count)).is_some();
                tell(Told::Finding { analysis: peek, finding, again });
            }
        }
        // What vanished before it was told was only not captured yet.
        self.findings.retain(|_, seen| seen.look == look || seen.told.is_some());
    }

    /// A hash of everything that a line about an exchange says.
    fn whole(&self, analysis: &Analysis<'_>, exchange: &Exchange, judgement: &Judgement) -> u64 {
        let mut hasher = self.seed.build_hasher();
        let Judgement { verdict, reason, confidence, answered_by, chosen, owner, relationship, .. } =
            judgement;
        (verdict.code(), reason, confidence.to_bits()).hash(&mut hasher);
        (answered_by, chosen, owner, relationship.map(|id| id.0)).hash(&mut hasher);
        (judgement.discover_offer_us, judgement.request_ack_us, judgement.update_rtt_us).hash(&mut hasher);
        (exchange.start, exchange.end, exchange.outcome(&analysis.messages).as_str()).hash(&mut hasher);
        for step in exchange.queries.iter().chain(&exchange.replies) {
            step.sightings().for_each(|id| id.0.hash(&mut hasher));
        }
        hasher.finish()
    }
}

pub(super) fn subject(finding: &Finding) -> Subject {
    (finding.code, finding.zone, finding.server, finding.client)
}

/// Whether an exchange that is not settled is over as far as one can see.
pub(super) fn is_over(exchange: &Exchange, peek: &Analysis<'_>, now: CaptureTime) -> bool {
    let enough = if is_answered(exchange, peek) { ANSWERED_NS } else { UNANSWERED_NS };
    now.since(exchange.end) >= enough
}

/// What an exchange that is not over waits for; empty where it is answered.
pub(super) fn waits_for(exchange: &Exchange, peek: &Analysis<'_>) -> &'static str {
    match exchange.outcome(&peek.messages) {
        Outcome::OfferOnly => "REQUEST",
        Outcome::NoAck => "ACK",
        Outcome::NoAnswer if exchange.kind == Kind::Select => "OFFER",
        Outcome::NoAnswer => "ACK",
        _ => "",
    }
}

/// Whether nothing more is to be expected: there is an ACK or NAK, or no answer is due.
fn is_answered(exchange: &Exchange, analysis: &Analysis<'_>) -> bool {
    !matches!(exchange.outcome(&analysis.messages), Outcome::NoAnswer | Outcome::OfferOnly | Outcome::NoAck)
}
