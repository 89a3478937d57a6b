//! A whole half of a load-balancing pair's clients without service (kea-ha §8.3 no. 3).

use foldhash::HashMap;

use super::bounded::{ClientKey, Distinct};
use super::list::{About, Findings, Severity, Tally};
use super::view::{Case, View};
use crate::exchange::Kind;
use crate::ha::catalogue::FindingCode;
use crate::ha::topology::RelationshipId;
use crate::units::{SECOND, ServerId, ZoneId};

/// One or two clients may have reasons of their own: a class, a reservation, a lost frame.
const CLIENTS: usize = 3;

/// Clients of one owner that asked in vain since somebody last answered one of its clients.
#[derive(Clone, Debug, Default)]
struct Outage {
    tally: Tally,
    clients: Distinct<ClientKey>,
    zone: ZoneId,
    /// Clients of the other half that were answered meanwhile.
    others: u64,
}

/// The outages that go on.
#[derive(Clone, Debug, Default)]
pub(super) struct Parity {
    open: HashMap<(RelationshipId, ServerId), Outage>,
}

impl Parity {
    pub(super) fn case(&mut self, view: &View<'_>, case: &Case<'_>, findings: &mut Findings) {
        let answered = !case.exchange.replies.is_empty();
        if answered && self.open.is_empty() {
            return;
        }
        let judgement = case.judgement;
        let (Some(id), Some(owner)) = (view.balanced(judgement.relationship), judgement.owner) else {
            return;
        };
        if answered {
            if let Some(outage) = self.open.remove(&(id, owner)) {
                close(view, id, owner, outage, findings);
            }
            if let Some(partner) = view.partner(id, owner)
                && let Some(outage) = self.open.get_mut(&(id, partner))
            {
                outage.others += 1;
            }
        } else if asks_for_service(view, case)
            && let Some(first) = case.first
        {
            let outage = self.open.entry((id, owner)).or_default();
            outage.zone = case.zone;
            outage.clients.insert(case.client);
            outage.tally.add(first.time, first.at);
        }
    }

    pub(super) fn finish(self, view: &View<'_>, findings: &mut Findings) {
        let mut rest: Vec<_> = self.open.into_iter().collect();
        rest.sort_by_key(|(key, _)| *key);
        for ((id, owner), outage) in rest {
            close(view, id, owner, outage, findings);
        }
    }
}

/// Whether an answer to this exchange was due, in time for the capture and where it shows answers.
fn asks_for_service(view: &View<'_>, case: &Case<'_>) -> bool {
    case.exchange.kind == Kind::Select
        && !view.is_last_moment(case.exchange.start)
        // A relay that leaves the owner out looks the same in a capture beside its partner.
        && view.shows_replies(case.zone, case.judgement.owner)
}

fn close(view: &View<'_>, id: RelationshipId, owner: ServerId, outage: Outage, findings: &mut Findings) {
    let Outage { tally, clients, zone, others } = outage;
    let Some((first, last)) = tally.span() else { return };
    // Without answers to the other half both are silent, as during a synchronisation.
    let both_silent = others == 0;
    let returning = view.is_handover(Some(id), first) && view.is_handover(Some(id), last);
    if clients.len() < CLIENTS || both_silent || returning {
        return;
    }
    let (name, seconds) = (view.name(owner), last.since(first) / SECOND);
    let partner = view.partner(id, owner).map_or("its partner", |partner| view.name(partner));
    let text = format!(
        "{} clients whose hash belongs to {name} asked in vain for {seconds} s, while clients of {partner} were \
         answered {others} times",
        clients.words()
    );
    let about = About::new(FindingCode::OwnerSilentParity, Severity::Warning).zone(zone).server(Some(owner));
    findings.whole(about, tally, text);
}
