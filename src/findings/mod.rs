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
//! Every pass is linear in messages or events and holds memory per client at most.

mod answers;
mod balance;
mod channel;
mod clocks;
mod crowd;
mod cuts;
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

use self::list::Findings;
use self::view::View;
use crate::pipeline::Analysis;

/// From here on we would bet on a decision.
const SURE: f64 = 0.9;

/// A source of findings.
type Source = fn(&View<'_>, &mut Findings);

/// Every source; a further one is a further line.
const SOURCES: &[Source] = &[
    messages::find,
    answers::find,
    requests::find,
    parity::find,
    latency::find,
    renewals::find,
    leases::find,
    secs::find,
    identities::find,
    relays::find,
    clocks::find,
    channel::find,
    balance::find,
    witnesses::find,
];

/// Looks over a finished analysis; the most severe finding first.
pub fn find(analysis: &Analysis<'_>) -> Vec<Finding> {
    let view = View::new(analysis);
    let mut findings = Findings::default();
    for source in SOURCES {
        source(&view, &mut findings);
    }
    findings.finish()
}
