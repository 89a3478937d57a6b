//! What a report keeps of the batches, in bounded memory.

use std::collections::{BTreeMap, HashSet};

use super::cards::{card, is_odd};
use super::document::{Card, Datum, Link};
use crate::chart::{Charts, Kind};
use crate::exchange::lease::Lease;
use crate::exchange::{Exchange, Outcome};
use crate::explain::check::{CheckedTable, check};
use crate::findings::Finder;
use crate::ha::catalogue::{Rule, Verdict};
use crate::ha::decide::{Decision, Expected, Seen};
use crate::ha::events::EventKind;
use crate::ha::expect::Expectations;
use crate::ha::network::Heard;
use crate::ha::topology::{RelationshipId, ServerId};
use crate::ha::verdict::Judgement;
use crate::pipeline::Analysis;
use crate::units::{CaptureTime, ExchangeId, HwAddr};

/// Leases that a report lists; a browser sorts and filters so many at once.
pub const MOST_LEASES: usize = 10_000;
/// Exchanges without a lease that it lists.
pub const MOST_UNSERVED: usize = 1_000;
/// Cards of exchanges that somebody should look at.
pub const MOST_ODD_CARDS: usize = 1_000;
/// Cards of exchanges that went as expected.
pub const MOST_CARDS: usize = 200;
/// Clients that are told apart while they are counted.
pub const MOST_CLIENTS: usize = 1_000_000;

/// From here on we would bet on a verdict.
const SURE: f64 = 0.9;

/// Counts and first examples of everything.
pub struct Gathered {
    /// Findings in the making.
    pub finder: Finder,
    /// Charts in the making.
    pub charts: Charts,
    /// The first leases in order of their start.
    pub leases: Vec<Lease>,
    /// All leases.
    pub lease_count: u64,
    /// Leases by the server that gave them and the relationship that decided.
    pub given: BTreeMap<(ServerId, Option<RelationshipId>), u64>,
    /// What became of exchanges.
    pub verdicts: BTreeMap<Verdict, u64>,
    /// Leases by what became of the exchange that created them.
    pub lease_verdicts: BTreeMap<Verdict, u64>,
    /// Leases that we would bet on.
    pub sure: u64,
    /// Exchanges that a server of the topology heard, and in which it was lawfully silent because its partner
    /// owned the query.
    pub silent: BTreeMap<ServerId, u64>,
    /// Clients by hardware address.
    pub clients: HashSet<HwAddr>,
    /// Rows of exchanges that got no lease, the first ones.
    pub unserved: Vec<(CaptureTime, Vec<Datum>)>,
    /// All of those.
    pub unserved_count: u64,
    /// Cards in the order of their exchanges.
    pub cards: Vec<Card>,
    /// Exchanges that would have had a card, and there were too many: odd ones, others.
    pub without_card: (u64, u64),
    /// The tables of expectations, filled.
    pub checked: Vec<CheckedTable>,
    /// Exchanges of those tables, with the sentence of each.
    pub proofs: BTreeMap<ExchangeId, String>,
    /// Whether servers talked in private.
    pub encrypted: bool,
    odd: usize,
}

impl Gathered {
    pub fn new() -> Self {
        Self {
            finder: Finder::new(),
            charts: Charts::new(&Kind::ALL, None),
            leases: Vec::new(),
            lease_count: 0,
            given: BTreeMap::new(),
            verdicts: BTreeMap::new(),
            lease_verdicts: BTreeMap::new(),
            sure: 0,
            silent: BTreeMap::new(),
            clients: HashSet::new(),
            unserved: Vec::new(),
            unserved_count: 0,
            cards: Vec::new(),
            without_card: (0, 0),
            checked: Vec::new(),
            proofs: BTreeMap::new(),
            encrypted: false,
            odd: 0,
        }
    }

    /// Takes what a batch settles.
    pub fn take(&mut self, batch: &Analysis<'_>) {
        self.finder.take(batch);
        self.charts.take(batch);
        for (exchange, judgement) in batch.exchanges.iter().zip(&batch.judgements) {
            self.exchange(batch, exchange, judgement);
        }
        for lease in &batch.leases {
            let story = batch.story(lease);
            *self.given.entry((lease.server, story.and_then(|story| story.relationship))).or_default() += 1;
            if let Some(story) = story {
                *self.lease_verdicts.entry(story.verdict).or_default() += 1;
                self.sure += u64::from(story.confidence >= SURE);
            }
        }
        self.encrypted |= batch.events.iter().any(|event| event.kind == EventKind::Tls);
        self.lease_count += batch.leases.len() as u64;
        self.leases.extend_from_slice(&batch.leases);
        self.leases.sort_by_key(|lease| (lease.start, lease.exchange));
        self.leases.truncate(MOST_LEASES);
    }

    /// Fills the tables of expectations from a whole capture. What they rest on gets its card, so this comes first.
    pub fn expect(&mut self, whole: &Analysis<'_>, expectations: &Expectations) {
        self.checked = check(whole, expectations);
        let cells = self.checked.iter().flat_map(|table| &table.rows).flat_map(|row| &row.cells);
        // The first exchange of a cell is linked.
        let first = cells.filter_map(|cell| cell.exchanges.first());
        let reason =
            |id: &ExchangeId| whole.exchange(*id).map(|(_, judgement)| (*id, judgement.reason.clone()));
        self.proofs = first.filter_map(reason).collect();
    }

    fn exchange(&mut self, batch: &Analysis<'_>, exchange: &Exchange, judgement: &Judgement) {
        *self.verdicts.entry(judgement.verdict).or_default() += 1;
        if self.clients.len() < MOST_CLIENTS && !exchange.client.chaddr.is_empty() {
            self.clients.insert(exchange.client.chaddr);
        }
        let decisions = batch.decisions_of(exchange.id);
        self.silence(batch, decisions, judgement);
        let outcome = exchange.outcome(&batch.messages);
        if matches!(outcome, Outcome::NoAnswer | Outcome::NoAck | Outcome::OfferOnly | Outcome::Nak) {
            self.unserved_count += 1;
            if self.unserved.len() < MOST_UNSERVED {
                self.unserved.push((exchange.start, unserved(batch, exchange, judgement, outcome)));
            }
        }
        let odd = is_odd(judgement.verdict);
        let proof = self.proofs.contains_key(&exchange.id);
        let room = if odd { self.odd < MOST_ODD_CARDS } else { self.cards.len() - self.odd < MOST_CARDS };
        if !room && !proof {
            let without = if odd { &mut self.without_card.0 } else { &mut self.without_card.1 };
            *without += 1;
        } else if let Some(card) = card(batch, exchange, judgement) {
            self.odd += usize::from(odd);
            self.cards.push(card);
        }
    }

    /// Counts the servers that heard a client, and left it to their partner who answered.
    fn silence(&mut self, batch: &Analysis<'_>, decisions: &[Decision], judgement: &Judgement) {
        if judgement.answered_by.is_none() {
            return;
        }
        let known = batch.network.topology.servers.len();
        let lawful = |decision: &&Decision| {
            decision.server.0 < known
                && decision.heard != Heard::Unknown
                && (decision.expected, decision.seen) == (Expected::Ignore, Seen::Silent)
                && decision.rule == Rule::ScopeNotServed
                && judgement.answered_by != Some(decision.server)
        };
        let mut servers: Vec<ServerId> = decisions.iter().filter(lawful).map(|it| it.server).collect();
        servers.sort_unstable();
        servers.dedup();
        for server in servers {
            *self.silent.entry(server).or_default() += 1;
        }
    }
}

/// All but when: who, where, what, why.
fn unserved(
    batch: &Analysis<'_>,
    exchange: &Exchange,
    judgement: &Judgement,
    outcome: Outcome,
) -> Vec<Datum> {
    let mac = exchange.client.chaddr;
    let client = batch.client_name(mac).map_or_else(|| mac.to_string(), str::to_owned);
    vec![
        Datum::link(Link::to(exchange.id)),
        client.into(),
        batch.network.zone(exchange.zone(&batch.messages)).into(),
        exchange.kind.as_str().into(),
        outcome.as_str().into(),
        judgement.verdict.code().into(),
        format!("{:.2}", judgement.confidence).into(),
        judgement.reason.as_str().into(),
    ]
}
