//! The live view on a terminal: servers and their states, clients and what they got, findings.
//!
//! ```text
//! snapshot   everything that is shown of an instant, as data that borrows nothing
//! rows       an exchange as a line of a list, with its proof card
//! told       a finding as a line of a list
//! beats      heartbeats that were seen, for as long as they matter
//! seats      servers in their relationships: state, scopes, unacked clients
//! ui         what the user looks at, and what keys do
//! draw       snapshot and user's wishes onto a frame; head, servers, lists, pages are its parts
//! grid       columns that fit a width
//! paint      roles to the terminal's own colours
//! screen     the thread that owns the terminal
//! ```
//!
//! The analysis makes a snapshot about once a second and hands it over by a pointer that is
//! swapped; the terminal's thread draws it as often as the user wants. Neither waits for the other.

mod beats;
mod draw;
mod grid;
mod head;
mod lists;
mod pages;
mod paint;
mod rows;
mod screen;
mod seats;
mod servers;
mod snapshot;
mod told;
mod ui;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use foldhash::fast::RandomState;

pub use self::draw::draw;
pub use self::rows::{Mark, Row};
pub use self::screen::{Screen, Shown};
pub use self::seats::{Countdown, Group, Seat};
pub use self::snapshot::Snapshot;
pub use self::told::Told;
pub use self::ui::{Then, Ui};

use self::beats::Beats;
use self::rows::{Card, fingerprint};
use super::Capturing;
use crate::findings::Finding;
use crate::pipeline::Analysis;
use crate::units::{CaptureTime, ExchangeId, SECOND};

/// Settled exchanges that are kept, and as many that are not settled are shown.
const MOST_ROWS: usize = 500;
/// Findings that are shown.
const MOST_FINDINGS: usize = 500;
/// Proof cards that are made in a second; with more clients than that nobody reads each.
const CARDS_PER_SECOND: i64 = 200;
/// Rates that are remembered, one from look to look.
const MOST_RATES: usize = 240;

/// Keeps what was settled, and makes snapshots of that and of what is not settled yet.
#[derive(Debug, Default)]
pub struct View {
    /// The newest last.
    settled: VecDeque<Arc<Row>>,
    beats: Beats,
    /// Cards of exchanges that are not settled, by number and with what they were made of.
    cards: HashMap<u32, (u64, Card), RandomState>,
    /// Cards that may be made until the next look.
    budget: i64,
    /// The clock and the number of messages at the look before.
    before: Option<(CaptureTime, u64)>,
    /// Messages per second, the latest last.
    rates: VecDeque<f64>,
}

impl View {
    /// One that has seen nothing.
    pub fn new() -> Self {
        Self { budget: CARDS_PER_SECOND, ..Self::default() }
    }

    /// Takes what a batch settles. Batches come in order.
    pub fn settled(&mut self, batch: &Analysis<'_>) {
        self.beats.take(&batch.events);
        let skipped = batch.exchanges.len().saturating_sub(MOST_ROWS);
        for exchange in batch.exchanges.iter().take(skipped) {
            self.cards.remove(&exchange.id.0);
        }
        // The newest first, because there may be no time for all of their cards.
        let mut rows = Vec::new();
        for (exchange, judgement) in batch.exchanges.iter().zip(&batch.judgements).skip(skipped).rev() {
            let known = self.cards.remove(&exchange.id.0);
            let now = fingerprint(batch, exchange, judgement);
            let card = match known.filter(|(then, _)| *then == now) {
                Some((_, card)) => card,
                None => self.card(batch, exchange.id),
            };
            rows.push(Arc::new(Row::of(batch, exchange, judgement, Mark::Settled, card)));
        }
        self.settled.extend(rows.into_iter().rev());
        let over = self.settled.len().saturating_sub(MOST_ROWS);
        self.settled.drain(..over);
    }

    /// Everything that is to be seen now: what a look at the session gave, all findings up to now,
    /// and what the capturing side says about itself.
    pub fn update(&mut self, peek: &Analysis<'_>, findings: &[Finding], capturing: Capturing) -> Snapshot {
        let clock = capturing.clock;
        self.pass(&capturing);
        let mut beats = self.beats.clone();
        beats.take(&peek.events);
        let unsettled = self.unsettled(peek, clock);
        let shown = findings.iter().take(MOST_FINDINGS).map(|finding| Told::of(peek, finding)).collect();
        Snapshot {
            clock,
            rates: self.rates.iter().copied().collect(),
            groups: seats::groups(peek, &beats, clock),
            strangers: seats::strangers(peek),
            inferred: peek.network.topology.inferred,
            exchanges: unsettled.into_iter().chain(self.settled.iter().rev().cloned()).collect(),
            findings: shown,
            more_findings: findings.len().saturating_sub(MOST_FINDINGS),
            capturing,
        }
    }

    /// A session ended and another follows: servers that nobody named may get other numbers.
    pub fn renew(&mut self) {
        self.beats = Beats::default();
        self.cards.clear();
    }

    /// The newest exchanges that are not settled, the newest first.
    fn unsettled(&mut self, peek: &Analysis<'_>, clock: CaptureTime) -> Vec<Arc<Row>> {
        let mut before = std::mem::take(&mut self.cards);
        let newest = peek.exchanges.iter().zip(&peek.judgements).rev().take(MOST_ROWS);
        let mut rows = Vec::new();
        for (exchange, judgement) in newest {
            let now = fingerprint(peek, exchange, judgement);
            let known = before.remove(&exchange.id.0);
            let card = match known {
                Some((then, card)) if then == now => card,
                // An older card is better than none.
                Some((_, card)) if self.budget <= 0 => card,
                _ => self.card(peek, exchange.id),
            };
            self.cards.insert(exchange.id.0, (now, card.clone()));
            let mark = Mark::of(peek, exchange, clock);
            rows.push(Arc::new(Row::of(peek, exchange, judgement, mark, card)));
        }
        rows
    }

    fn card(&mut self, analysis: &Analysis<'_>, id: ExchangeId) -> Card {
        if self.budget <= 0 {
            return None;
        }
        self.budget -= 1;
        rows::card(analysis, id)
    }

    /// Time has passed: how many messages came, and how many cards may be made.
    fn pass(&mut self, capturing: &Capturing) {
        let messages = capturing.taps.iter().map(|tap| tap.messages).sum();
        let now = capturing.clock;
        let Some((then, count)) = self.before.replace((now, messages)) else { return };
        let passed = now.since(then);
        if passed <= 0 {
            // Somebody set the clock.
            self.budget = CARDS_PER_SECOND;
            return;
        }
        let more = CARDS_PER_SECOND.saturating_mul(passed) / SECOND;
        self.budget = self.budget.saturating_add(more).min(CARDS_PER_SECOND);
        if self.rates.len() >= MOST_RATES {
            self.rates.pop_front();
        }
        let seconds = passed as f64 / SECOND as f64;
        self.rates.push_back(messages.saturating_sub(count) as f64 / seconds);
    }
}
