//! What clients say about their waiting (kea-ha §3.4, §8.3 no. 11 to 14).
//!
//! A partner takes over only when enough clients say in `secs` that they have
//! waited too long. `wait` follows one client; here the clients are counted.

mod report;
mod wait;

use std::collections::{BTreeMap, HashMap};

use self::wait::{Habit, Wait};
use super::list::{Findings, Tally};
use super::view::View;
use crate::exchange::{Client, Exchange, Kind, Observed};
use crate::ha::topology::{Limits, Mode, RelationshipId};
use crate::units::{CaptureTime, SECOND, ZoneId};

/// What is known of one client in one zone.
#[derive(Default)]
struct Known {
    wait: Option<Wait>,
    heard: bool,
    /// When it was last answered: it cannot have waited since before that.
    answered: Option<CaptureTime>,
    relationship: Option<RelationshipId>,
    habits: u8,
}

impl Known {
    /// Notes a habit; whether it is new.
    fn learn(&mut self, habit: Habit) -> bool {
        let new = !self.has(habit);
        self.habits |= habit.bit();
        new
    }

    const fn has(&self, habit: Habit) -> bool {
        self.habits & habit.bit() != 0
    }
}

/// The clients of one zone and relationship that have one habit.
#[derive(Default)]
struct Seen {
    tally: Tally,
    example: String,
}

type Place = (ZoneId, Option<RelationshipId>);
type Key<'a> = (ZoneId, &'a Client);

struct Passage<'v, 'a> {
    view: &'v View<'a>,
    clients: HashMap<Key<'a>, Known>,
    seen: BTreeMap<(Place, Habit), Seen>,
    /// When the captures of each zone begin.
    begins: HashMap<ZoneId, CaptureTime>,
}

pub(super) fn find(view: &View<'_>, findings: &mut Findings) {
    let mut begins: HashMap<ZoneId, CaptureTime> = HashMap::new();
    for message in &view.analysis.messages {
        let source = view.analysis.sources.get(message.at.source.0 as usize);
        let first = source.and_then(|source| source.first).unwrap_or(message.time);
        let begin = begins.entry(message.zone).or_insert(first);
        *begin = first.min(*begin);
    }
    let mut passage = Passage { view, clients: HashMap::new(), seen: BTreeMap::new(), begins };
    for (exchange, judgement) in view.exchanges() {
        passage.take(exchange, judgement.relationship);
    }
    passage.finish();
    passage.report(findings);
}

impl<'a> Passage<'_, 'a> {
    fn take(&mut self, exchange: &'a Exchange, relationship: Option<RelationshipId>) {
        let view = self.view;
        let key = (view.zone(exchange), &exchange.client);
        let answered = exchange.replies.first().map(|step| view.message(step.first).time);
        let known = self.clients.entry(key).or_default();
        known.relationship = relationship.or(known.relationship);
        // What is sent to one server never reaches the partner that counts.
        if matches!(exchange.kind, Kind::Select | Kind::InitReboot | Kind::Rebind) {
            let asked = exchange.queries.iter().map(|step| view.message(step.first));
            for query in asked.take_while(|query| answered.is_none_or(|time| query.time <= time)) {
                self.attempt(key, exchange.kind, query);
            }
        }
        if answered.is_some() {
            self.close(key);
        }
        if let Some(known) = self.clients.get_mut(&key) {
            known.heard = true;
            known.answered = answered.max(known.answered);
        }
    }

    fn attempt(&mut self, key: Key<'a>, kind: Kind, query: &Observed) {
        let goes_on = |known: &Known| known.wait.as_ref().is_some_and(|wait| wait.goes_on(kind, query.time));
        if !self.clients.get(&key).is_some_and(goes_on) {
            self.close(key);
            if self.began_high(key, query) {
                self.note(key, Habit::High, query, || format!("secs {} at once", query.secs_kea()));
            }
            if let Some(known) = self.clients.get_mut(&key) {
                known.heard = true;
                known.wait = Some(Wait::new(kind, query));
            }
            return;
        }
        let wait = self.clients.get_mut(&key).and_then(|known| known.wait.as_mut());
        let misread = wait.and_then(|wait| wait.take(query));
        let limit = u32::from(query.secs_kea()) * 1000 <= self.limits(key).max_ack_delay_ms;
        if misread.is_some() && limit {
            self.note(key, Habit::Misread, query, || {
                format!("secs {}, which Kea reads as {}", query.secs, query.secs_kea())
            });
        }
    }

    /// Whether a first attempt claims a wait that cannot have been: the client
    /// was answered since, or the captures ran all that time and did not show it.
    fn began_high(&self, key: Key<'_>, query: &Observed) -> bool {
        let claimed = i64::from(query.secs_kea()) * SECOND;
        let Some(known) = self.clients.get(&key) else { return false };
        let since = |time: CaptureTime| query.time.since(time);
        let impossible = match known.answered {
            Some(answered) => claimed > since(answered) + wait::SLACK * SECOND,
            None if known.heard => false,
            None => self.begins.get(&key.0).is_some_and(|begin| claimed < since(*begin)),
        };
        claimed > i64::from(self.limits(key).max_ack_delay_ms) * (SECOND / 1000) && impossible
    }

    fn close(&mut self, key: Key<'a>) {
        let Some(wait) = self.clients.get_mut(&key).and_then(|known| known.wait.take()) else { return };
        let limit = self.limits(key).max_ack_delay_ms;
        let Some(habit) = wait.habit(limit) else { return };
        let counts = u32::from(wait.most) * 1000 > limit;
        let new = self.clients.get_mut(&key).is_some_and(|known| {
            // However it came to that value, Kea counts the client.
            if counts {
                known.learn(Habit::Counts);
            }
            known.learn(habit)
        });
        if new && habit != Habit::Counts {
            let (time, at) = wait.told;
            let view = self.view;
            let (tally, example) = self.show(key, habit);
            tally.add(time, at);
            if example.is_empty() {
                let (client, seconds) = (view.client(key.1.chaddr), wait.seconds());
                *example = format!("{client} sent secs {} and, {seconds} s later, {}", wait.first, wait.last);
            }
        }
    }

    /// Counts a client's habit once.
    fn note(&mut self, key: Key<'a>, habit: Habit, query: &Observed, told: impl FnOnce() -> String) {
        if !self.clients.get_mut(&key).is_some_and(|known| known.learn(habit)) {
            return;
        }
        let view = self.view;
        let (tally, example) = self.show(key, habit);
        tally.add(query.time, query.at);
        if example.is_empty() {
            *example = format!("{} sent {}", view.client(key.1.chaddr), told());
        }
    }

    fn show(&mut self, key: Key<'_>, habit: Habit) -> (&mut Tally, &mut String) {
        let relationship = self.clients.get(&key).and_then(|known| known.relationship);
        let seen = self.seen.entry(((key.0, relationship), habit)).or_default();
        (&mut seen.tally, &mut seen.example)
    }

    /// The settings that count for a client; Kea's defaults where nothing is known.
    fn limits(&self, key: Key<'_>) -> Limits {
        let relationship = self.clients.get(&key).and_then(|known| known.relationship);
        let own = relationship.and_then(|id| self.view.limits(id));
        own.unwrap_or_else(|| Limits::defaults(Mode::HotStandby))
    }

    fn finish(&mut self) {
        let mut open: Vec<(CaptureTime, Key<'a>)> = Vec::new();
        for (key, known) in &self.clients {
            open.extend(known.wait.as_ref().map(|wait| (wait.told.0, *key)));
        }
        open.sort_unstable();
        for (_, key) in open {
            self.close(key);
        }
    }
}
