//! What clients say about their waiting (kea-ha §3.4, §8.3 no. 11 to 14).
//!
//! A partner takes over only when enough clients say in `secs` that they have
//! waited too long. `wait` follows one client; `habits` counts the clients.

mod habits;
mod report;
mod wait;

use self::habits::Habits;
pub(super) use self::habits::Known;
use self::wait::{Habit, Wait};
use super::bounded::Recent;
use super::clients::{Clients, Key};
use super::list::Findings;
use super::view::{Case, View};
use crate::exchange::{Kind, Observed};
use crate::ha::topology::{Limits, Mode, RelationshipId};
use crate::units::{CaptureTime, HwAddr, SECOND, ZoneId};

/// What clients do with `secs`.
#[derive(Clone, Debug, Default)]
pub(super) struct Secs {
    /// Those that nobody has answered yet.
    waits: Recent<Key, Open>,
    habits: Habits,
}

/// A wait that goes on, and whose it is.
#[derive(Clone, Debug)]
struct Open {
    chaddr: HwAddr,
    wait: Wait,
}

impl Secs {
    pub(super) fn case(&mut self, view: &View<'_>, case: &Case<'_>, known: &mut Known) {
        let Case { exchange, zone, .. } = *case;
        let key = (case.client, zone);
        // What is sent to one server never reaches the partner that counts.
        let asks = matches!(exchange.kind, Kind::Select | Kind::InitReboot | Kind::Rebind);
        let answered = exchange.replies.first().map(|step| view.message(step.first).time);
        let may_wait = (asks || answered.is_some()) && !self.waits.is_empty();
        let wait = if may_wait { self.waits.remove(&key).map(|open| open.wait) } else { None };
        let chaddr = exchange.client.chaddr;
        let habits = &mut self.habits;
        habits.moves(known, zone, case.judgement.relationship);
        let mut client = Client { view, habits, known, wait, zone, chaddr };
        if asks {
            let queries = exchange.queries.iter().map(|step| view.message(step.first));
            for query in queries.take_while(|query| answered.is_none_or(|time| query.time <= time)) {
                client.attempt(exchange.kind, query);
            }
        }
        if answered.is_some() {
            client.close();
        }
        client.known.heard = true;
        client.known.answered = answered.max(client.known.answered);
        if let Some(wait) = client.wait {
            self.waits.insert(key, Open { chaddr, wait });
        }
    }

    pub(super) fn finish(mut self, view: &View<'_>, clients: &mut Clients, findings: &mut Findings) {
        let mut open: Vec<(Key, Open)> = self.waits.into_iter().collect();
        open.sort_unstable_by_key(|((_, zone), open)| {
            (open.wait.told.0, *zone, open.chaddr, open.wait.told.1)
        });
        for (key, Open { chaddr, wait }) in open {
            let (known, zone) = (&mut clients.of(key).secs, key.1);
            Client { view, habits: &mut self.habits, known, wait: Some(wait), zone, chaddr }.close();
        }
        self.habits.report(view, clients.forgotten(), findings);
    }
}

/// One client while its exchange is looked at.
struct Client<'c> {
    view: &'c View<'c>,
    habits: &'c mut Habits,
    known: &'c mut Known,
    wait: Option<Wait>,
    zone: ZoneId,
    chaddr: HwAddr,
}

impl Client<'_> {
    fn attempt(&mut self, kind: Kind, query: &Observed) {
        if !self.wait.as_ref().is_some_and(|wait| wait.goes_on(kind, query.time)) {
            self.close();
            if self.began_high(query) {
                self.note(Habit::High, query, || format!("secs {} at once", query.secs_kea()));
            }
            self.known.heard = true;
            self.wait = Some(Wait::new(kind, query));
            return;
        }
        let misread = self.wait.as_mut().and_then(|wait| wait.take(query));
        if misread.is_some()
            && u32::from(query.secs_kea()) * 1000
                <= limits(self.view, self.known.relationship).max_ack_delay_ms
        {
            self.note(Habit::Misread, query, || {
                format!("secs {}, which Kea reads as {}", query.secs, query.secs_kea())
            });
        }
    }

    /// Whether a first attempt claims a wait that cannot have been: the client
    /// was answered since, or the captures ran all that time and did not show it.
    fn began_high(&self, query: &Observed) -> bool {
        let claimed = i64::from(query.secs_kea()) * SECOND;
        let since = |time: CaptureTime| query.time.since(time);
        let impossible = match self.known.answered {
            _ if claimed == 0 => false,
            Some(answered) => claimed > since(answered) + wait::SLACK * SECOND,
            None if self.known.heard => false,
            None => self.view.facts.begin(self.zone).is_some_and(|begin| claimed < since(begin)),
        };
        let patience = || i64::from(limits(self.view, self.known.relationship).max_ack_delay_ms);
        impossible && claimed > patience() * (SECOND / 1000)
    }

    /// The client was answered, or asks for something else.
    fn close(&mut self) {
        let Some(wait) = self.wait.take().filter(Wait::tells) else { return };
        let limit = limits(self.view, self.known.relationship).max_ack_delay_ms;
        let Some(habit) = wait.habit(limit) else { return };
        if u32::from(wait.most) * 1000 > limit {
            // However it came to that value, Kea counts the client.
            self.habits.learn(self.known, self.zone, Habit::Counts);
        }
        if self.habits.learn(self.known, self.zone, habit) && habit != Habit::Counts {
            let (view, chaddr) = (self.view, self.chaddr);
            self.habits.show((self.zone, self.known.relationship), habit, wait.told, || {
                let (client, seconds) = (view.client(chaddr), wait.seconds());
                format!("{client} sent secs {} and, {seconds} s later, {}", wait.first, wait.last)
            });
        }
    }

    /// Counts the client's habit once.
    fn note(&mut self, habit: Habit, query: &Observed, told: impl FnOnce() -> String) {
        if self.habits.learn(self.known, self.zone, habit) {
            let (view, chaddr) = (self.view, self.chaddr);
            let place = (self.zone, self.known.relationship);
            let text = || format!("{} sent {}", view.client(chaddr), told());
            self.habits.show(place, habit, (query.time, query.at), text);
        }
    }
}

/// The settings that count for a client; Kea's defaults where nothing is known.
fn limits(view: &View<'_>, relationship: Option<RelationshipId>) -> Limits {
    let own = relationship.and_then(|id| view.limits(id));
    own.unwrap_or_else(|| Limits::defaults(Mode::HotStandby))
}
