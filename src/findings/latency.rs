//! ACKs that wait for the partner to store the lease (kea-ha §2.2, §8.3 no. 5).

use std::collections::BTreeMap;

use super::cuts::Cut;
use super::list::{About, Findings, Severity, Tally};
use super::view::{Case, View};
use crate::ha::catalogue::FindingCode;
use crate::ha::topology::RelationshipId;
use crate::units::{CaptureTime, ServerId};

/// A client repeats its REQUEST after four seconds, give or take one (RFC 2131
/// §4.1); an ACK this late has used up a third of its patience.
const SLOW_US: i64 = 1_000_000;
/// From here on clients may repeat their REQUEST before the ACK arrives.
const TOO_SLOW_US: i64 = 3_000_000;
/// A server whose OFFERs are slow too waits for something else than its partner.
const OFFER_SHARE: i64 = 10;

#[derive(Clone, Debug, Default)]
struct Waits {
    tally: Tally,
    longest_us: i64,
    offer_us: i64,
    update_us: Option<i64>,
    /// When and in which pair the REQUEST of the longest wait was sent.
    asked: Option<(RelationshipId, CaptureTime)>,
}

/// Slow ACKs by server.
#[derive(Clone, Debug, Default)]
pub(super) struct Latency(BTreeMap<ServerId, Waits>);

impl Latency {
    pub(super) fn case(&mut self, view: &View<'_>, case: &Case<'_>) {
        let judgement = case.judgement;
        let Some(ack_us) = judgement.request_ack_us.filter(|us| *us >= SLOW_US) else { return };
        let (Some(server), Some(id)) = (judgement.answered_by, judgement.relationship) else { return };
        // Without lease updates an ACK waits for nobody.
        let updates =
            view.analysis.network.topology.limits_of(server, id).is_some_and(|it| it.send_lease_updates);
        let offer_us = judgement.discover_offer_us.unwrap_or(i64::MAX);
        let by_update = judgement.update_rtt_us.is_some_and(|us| us > ack_us / 2);
        let waits_for_partner = offer_us < ack_us / OFFER_SHARE || by_update;
        if !updates || !waits_for_partner {
            return;
        }
        let Some(ack) = view.batch.verdict_reply(case.exchange).map(|id| view.message(id)) else { return };
        let waits = self.0.entry(server).or_default();
        waits.tally.add(ack.time, ack.at);
        if ack_us > waits.longest_us {
            waits.longest_us = ack_us;
            waits.offer_us = offer_us;
            waits.update_us = judgement.update_rtt_us;
            waits.asked = Some((id, ack.time.plus(-ack_us * 1000)));
        }
    }

    pub(super) fn finish(self, view: &View<'_>, findings: &mut Findings) {
        for (server, waits) in self.0 {
            let seconds = |us: i64| format!("{}.{} s", us / 1_000_000, us / 100_000 % 10);
            let mut text = vec![format!(
                "{} sent {} ACKs a second or more after the REQUEST, the latest after {}",
                view.name(server),
                waits.tally.count,
                seconds(waits.longest_us)
            )];
            if waits.offer_us != i64::MAX {
                text.push(format!("its OFFER in the same exchange took {} ms", waits.offer_us / 1000));
            }
            let cut = waits.asked.and_then(|(id, time)| view.cut(Some(id), time)).map(Cut::seconds);
            if let Some(us) = waits.update_us {
                text.push(format!("its partner took {} ms to store the lease", us / 1000));
            } else if let Some(s) = cut {
                text.push(format!("its partner could not be reached: no heartbeat was answered for {s} s"));
            }
            let severity = if waits.longest_us >= TOO_SLOW_US { Severity::Warning } else { Severity::Note };
            let about = About::new(FindingCode::AckLatencyOfTimeouts, severity).server(Some(server));
            findings.whole(about, waits.tally, text.join("; "));
        }
    }
}
