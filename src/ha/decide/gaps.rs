//! Where a capture provably misses frames. A silence near such a place may be
//! the capture's and not the server's.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::dhcp::MessageType;
use crate::exchange::{Exchange, Kind, Messages, of};
use crate::units::{CaptureTime, SECOND, ZoneId};

/// Where frames are missing, by zone.
#[derive(Clone, Debug, Default)]
pub struct Gaps {
    /// Instants around which that shows, in time order.
    shown: HashMap<ZoneId, Vec<CaptureTime>, RandomState>,
    /// Spans in which the capturing system says that it dropped some.
    told: HashMap<ZoneId, Vec<(CaptureTime, CaptureTime)>, RandomState>,
}

/// How doubtful a silence is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Doubt {
    /// Nothing is known to be missing.
    None,
    /// Frames are missing not far from it.
    Near,
    /// Frames are missing right there.
    There,
}

impl Gaps {
    /// A loss at one place makes the capture doubtful for this long before and after it.
    pub const REACH_NS: i64 = 30 * SECOND;

    /// Looks whether an exchange lacks messages that another message proves: a REQUEST
    /// for an offer that was never seen, an answer without its query.
    pub fn observe(&mut self, exchange: &Exchange, messages: &Messages) {
        if misses_frames(exchange, messages) {
            self.shown.entry(exchange.zone(messages)).or_default().push(exchange.start);
        }
    }

    /// The capturing system dropped frames between two instants.
    pub fn dropped(&mut self, zone: ZoneId, from: CaptureTime, to: CaptureTime) {
        let spans = self.told.entry(zone).or_default();
        // Spans follow each other where many are dropped.
        match spans.last_mut() {
            Some((_, last)) if from.since(*last) <= SECOND && to >= *last => *last = to,
            _ => spans.push((from, to)),
        }
    }

    /// Puts the instants in order, and forgets those that are too old for whatever happened since `from`.
    pub fn settle(&mut self, from: CaptureTime) {
        for times in self.shown.values_mut() {
            times.retain(|gap| gap.plus(Self::REACH_NS) >= from);
            times.sort_unstable();
        }
        for spans in self.told.values_mut() {
            spans.retain(|(_, to)| to.plus(Self::REACH_NS) >= from);
        }
    }

    /// Whether frames are missing in a zone around an instant.
    pub(super) fn doubt(&self, zone: ZoneId, time: CaptureTime) -> Doubt {
        // An answer follows its query within a second, or waits for the partner.
        let there =
            |(from, to): &(CaptureTime, CaptureTime)| time.plus(SECOND) >= *from && time <= to.plus(SECOND);
        if self.told.get(&zone).is_some_and(|spans| spans.iter().any(there)) {
            return Doubt::There;
        }
        let near = self.shown.get(&zone).is_some_and(|times| {
            let at = times.partition_point(|gap| gap.plus(Self::REACH_NS) < time);
            times.get(at).is_some_and(|gap| gap.since(time) <= Self::REACH_NS)
        });
        if near { Doubt::Near } else { Doubt::None }
    }
}

fn misses_frames(exchange: &Exchange, messages: &Messages) -> bool {
    if exchange.queries.is_empty() {
        return true;
    }
    if exchange.kind != Kind::Select {
        return false;
    }
    let request = exchange.first_of(&exchange.queries, messages, MessageType::REQUEST);
    let acked = exchange.first_of(&exchange.replies, messages, MessageType::ACK).is_some();
    match request.map(|id| of(messages, id).server_id) {
        None => acked,
        Some(named) => !exchange
            .replies
            .iter()
            .map(|step| of(messages, step.first))
            .any(|reply| reply.message_type == Some(MessageType::OFFER) && reply.server_id == named),
    }
}
