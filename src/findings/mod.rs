//! What an operator should look at: the anomalies of kea-ha §8.3 with their
//! lawful exceptions, one row per code and subject.
//!
//! A finding says only what the captures prove. Whoever asks about a silence
//! asks `view` first whether the captures show the other direction at all (the
//! confidence rule of §8.3). Thresholds stand as constants beside what they
//! decide, each with its reason.
//!
//! | file | §8.3 |
//! |---|---|
//! | `answers` | 1, 2, 6: who answered and should not have |
//! | `requests` | 3, 4, 7: who did not answer and should have |
//! | `latency` | 5: ACKs that wait for the partner |
//! | `renewals` | 8: renewals that the non-owner drops |
//! | `leases` | 9, 10: databases that differ |
//! | `secs` | 11 to 14: what clients say about their waiting |
//! | `identities` | 15 to 17: what clients say about themselves |
//! | `relays` | 18 |
//! | `clocks`, `channel` | 19; 20 to 22 |
//! | `balance` | 2 (roles the wrong way round), 23 |
//! | `messages` | malformed messages |
//! | `witnesses` | what logs and lease files contradict |
//!
//! [`Finder`] hands each message, exchange, event and lease to all of them, once and in
//! order. `facts` knows what several ask for, `view` how the parts of a batch are found,
//! `bounded` what may be remembered per client.

mod answers;
mod balance;
mod beats;
mod bounded;
mod channel;
mod clients;
mod clocks;
mod crowd;
mod cuts;
mod facts;
mod handovers;
mod identities;
mod latency;
mod leases;
mod list;
mod messages;
mod parity;
mod relays;
mod renewals;
mod requests;
mod secs;
mod view;
mod witnesses;

pub use list::{Finding, Severity};

use self::answers::Answers;
use self::balance::Balance;
use self::channel::Channel;
use self::clients::Clients;
use self::clocks::Clocks;
use self::facts::Facts;
use self::identities::Identities;
use self::latency::Latency;
use self::leases::Leases;
use self::list::Findings;
use self::parity::Parity;
use self::relays::Relays;
use self::renewals::Renewals;
use self::requests::Requests;
use self::secs::Secs;
use self::view::{Batch, View};
use crate::pipeline::Analysis;
use crate::units::CaptureTime;

/// From here on we would bet on a decision.
const SURE: f64 = 0.9;

/// Looks over an analysis batch by batch, and tells at the end what it found.
///
/// What it keeps between batches owns its data and is bounded: each table
/// remembers some fifty thousand clients at most and forgets the ones not
/// heard of for longest, and of one code there are some thousand findings at
/// most, the rest being counted in one more.
#[derive(Clone, Debug, Default)]
pub struct Finder {
    facts: Facts,
    findings: Findings,
    clients: Clients,
    answers: Answers,
    requests: Requests,
    parity: Parity,
    latency: Latency,
    renewals: Renewals,
    leases: Leases,
    secs: Secs,
    identities: Identities,
    relays: Relays,
    clocks: Clocks,
    channel: Channel,
    balance: Balance,
}

impl Finder {
    /// One that has seen nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes what a batch settles: each message, exchange, lease, event and
    /// contradiction comes in one batch, and batches in order.
    pub fn take(&mut self, batch: &Analysis<'_>) {
        self.look(Batch::of(batch));
    }

    fn look(&mut self, batch: Batch<'_>) {
        self.facts.learn(&batch);
        let findings = &mut self.findings;
        let view = &View::new(batch, &self.facts);
        self.answers.begin(view, findings);
        self.clocks.begin(batch.events);
        for event in batch.events {
            self.answers.event(view, event);
            self.clocks.event(view, event);
            self.channel.event(view, event);
        }
        // By time, so that what belongs together is looked at while it is in the processor's cache.
        let (mut messages, mut leases) = (batch.messages.iter().peekable(), batch.leases.iter().peekable());
        for case in batch.cases(&self.facts).map(Some).chain([None]) {
            let until = case.map_or(CaptureTime(i64::MAX), |case| case.exchange.start);
            while let Some(message) = messages.next_if(|message| message.time <= until) {
                messages::message(message, findings);
                self.identities.message(view, message);
                self.relays.message(view, message);
            }
            while let Some(lease) = leases.next_if(|lease| lease.start <= until) {
                let client = self.clients.of((self.facts.keys.client(&lease.client), lease.zone));
                self.leases.lease(view, lease, &mut client.lease, findings);
            }
            let Some(case) = &case else { break };
            self.answers.case(view, case, findings);
            self.requests.case(view, case, findings);
            self.parity.case(view, case, findings);
            self.latency.case(view, case);
            self.renewals.case(view, case, findings);
            self.secs.case(view, case, &mut self.clients.of((case.client, case.zone)).secs);
            identities::nobody(view, case, findings);
            Relays::case(view, case, findings);
            self.channel.case(view, case);
            self.balance.case(view, case);
        }
        for told in batch.contradictions {
            witnesses::contradiction(told, findings);
        }
    }

    /// Everything that was found, the most severe first. `last` is the last
    /// batch, which was taken; it holds what is known of the network and the
    /// control channel in the end.
    pub fn finish(mut self, last: &Analysis<'_>) -> Vec<Finding> {
        let mut findings = self.findings;
        let view = &View::new(Batch::of(last), &self.facts);
        self.answers.finish(view, &mut findings);
        self.requests.finish(view, &mut findings);
        self.parity.finish(view, &mut findings);
        self.latency.finish(view, &mut findings);
        self.renewals.finish(view, &mut findings);
        self.secs.finish(view, &mut self.clients, &mut findings);
        self.identities.finish(view, &mut findings);
        self.relays.finish(view, &mut findings);
        self.clocks.finish(view, &mut findings);
        self.channel.finish(view, &mut findings);
        self.balance.finish(view, &mut findings);
        findings.finish()
    }
}

/// Looks over a finished analysis; the most severe finding first.
pub fn find(analysis: &Analysis<'_>) -> Vec<Finding> {
    let mut finder = Finder::new();
    finder.take(analysis);
    finder.finish(analysis)
}

#[cfg(test)]
mod tests;
