//! How the clients of a load-balancing pair are shared (kea-ha §8.3 no. 23, and no. 2 for whole servers).

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use foldhash::HashMap;

use super::bounded::ClientKey;
use super::list::{About, Findings, Severity, Tally};
use super::view::{Case, View};
use crate::ha::catalogue::FindingCode;
use crate::ha::hash::Owner;
use crate::ha::topology::RelationshipId;
use crate::units::ServerId;

/// A split as uneven as this or more comes about by chance in one of a thousand pairs.
const CHANCE: f64 = 0.001;
/// That many clients of one half and none of the other come about by chance in one of 4096 captures.
const INVERTED: u64 = 12;

/// Clients that are counted, the first ones; more would not change what the shares say.
const CLIENTS: usize = 114_688;

/// What is known of one client of a pair.
#[derive(Clone, Copy, Debug)]
struct Share {
    owner: Owner,
    answered: bool,
}

/// Clients of each half: of the primary, of the secondary.
#[derive(Clone, Copy, Debug, Default)]
struct Halves {
    primary: u64,
    secondary: u64,
}

impl Halves {
    fn add(&mut self, owner: Owner) {
        *(if owner == Owner::Primary { &mut self.primary } else { &mut self.secondary }) += 1;
    }

    const fn total(self) -> u64 {
        self.primary + self.secondary
    }

    /// The most that a fair hash's chance of a split this uneven can be:
    /// Hoeffding's bound on both tails of the binomial distribution with one half.
    fn chance(self) -> f64 {
        let n = self.total() as f64;
        let off = self.primary as f64 - n / 2.0;
        if n > 0.0 { (2.0 * (-2.0 * off * off / n).exp()).min(1.0) } else { 1.0 }
    }

    fn is_skewed(self) -> bool {
        self.chance() < CHANCE
    }
}

/// What one server answered, in distinct clients.
#[derive(Clone, Debug, Default)]
struct Answered {
    own: u64,
    others: Tally,
}

/// The clients of one pair.
#[derive(Clone, Debug, Default)]
struct Clients {
    asked: Halves,
    answered: Halves,
    shown: Tally,
}

/// The clients of every pair that balances load.
#[derive(Clone, Debug, Default)]
pub(super) struct Balance {
    clients: HashMap<(RelationshipId, ClientKey), Share>,
    pairs: BTreeMap<RelationshipId, Clients>,
    servers: BTreeMap<(RelationshipId, ServerId), Answered>,
}

impl Balance {
    pub(super) fn case(&mut self, view: &View<'_>, case: &Case<'_>) {
        let judgement = case.judgement;
        let Some(id) = view.balanced(judgement.relationship) else { return };
        let Some(first) = case.first else { return };
        let Some(owner) = first.hash.map(Owner::of) else { return };
        let room = self.clients.len() < CLIENTS;
        let share = match self.clients.entry((id, case.client)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) if room => {
                let pair = self.pairs.entry(id).or_default();
                pair.asked.add(owner);
                pair.shown.add(first.time, first.at);
                place.insert(Share { owner, answered: false })
            }
            Entry::Vacant(_) => return,
        };
        if share.answered || case.exchange.replies.is_empty() {
            return;
        }
        share.answered = true;
        self.pairs.entry(id).or_default().answered.add(share.owner);
        if let Some(server) = judgement.answered_by {
            let answered = self.servers.entry((id, server)).or_default();
            if judgement.owner == Some(server) {
                answered.own += 1;
            } else {
                answered.others.add(first.time, first.at);
            }
        }
    }

    pub(super) fn finish(self, view: &View<'_>, findings: &mut Findings) {
        for (id, clients) in self.pairs {
            // Beside one server a capture shows one half only (kea-ha §8.3, confidence rule).
            let both = view.relationship(Some(id)).is_some_and(|it| {
                it.peers
                    .iter()
                    .take(2)
                    .all(|peer| peer.server.is_some_and(|server| self.servers.contains_key(&(id, server))))
            });
            if both && clients.answered.is_skewed() {
                skewed(view, id, clients, findings);
            }
        }
        inverted(view, self.servers, findings);
    }
}

fn skewed(view: &View<'_>, id: RelationshipId, clients: Clients, findings: &mut Findings) {
    let Clients { asked, answered, shown } = clients;
    let name = |at: usize| {
        let peer = view.relationship(Some(id)).and_then(|it| it.peers.get(at));
        peer.and_then(|peer| peer.server).map_or("?", |server| view.name(server))
    };
    let uneven = format!(
        "of {} clients that were answered {} belong to {} and {} to {}; with a fair hash so uneven a split has a \
         chance below {:.1e}",
        answered.total(),
        answered.primary,
        name(0),
        answered.secondary,
        name(1),
        answered.chance()
    );
    // Whether the clients are so, or one half of them gets no answer.
    let (severity, why) = if asked.is_skewed() {
        (Severity::Note, "the clients that asked are as uneven".to_owned())
    } else {
        let why = format!("{} and {} asked, so one half is not served", asked.primary, asked.secondary);
        (Severity::Warning, why)
    };
    findings.whole(About::new(FindingCode::LoadSkew, severity), shown, format!("{uneven}; {why}"));
}

/// A server that answers its partner's clients and none of its own, while the
/// partner answers too: their files disagree about who is the primary.
fn inverted(
    view: &View<'_>,
    servers: BTreeMap<(RelationshipId, ServerId), Answered>,
    findings: &mut Findings,
) {
    let alive: BTreeSet<(RelationshipId, ServerId)> = servers.keys().copied().collect();
    for ((id, server), answered) in servers {
        let partner = view.partner(id, server).filter(|partner| alive.contains(&(id, *partner)));
        let Some(partner) = partner.filter(|_| answered.own == 0 && answered.others.count >= INVERTED) else {
            continue;
        };
        let text = format!(
            "all {} clients that {} answered belong to {} by their hash, and {} answers too",
            answered.others.count,
            view.name(server),
            view.name(partner),
            view.name(partner)
        );
        let about = About::new(FindingCode::RolesInverted, Severity::Error).server(Some(server));
        findings.whole(about, answered.others, text);
    }
}
