//! Where a capture provably misses frames. A silence near such a place may be
//! the capture's and not the server's.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::dhcp::MessageType;
use crate::exchange::{Exchange, Kind, Messages, of};
use crate::units::{CaptureTime, SECOND, ZoneId};

/// Instants at which frames are missing, by zone, in time order.
#[derive(Clone, Debug, Default)]
pub struct Gaps(HashMap<ZoneId, Vec<CaptureTime>, RandomState>);

impl Gaps {
    /// A loss at one place makes the capture doubtful for this long before and after it.
    pub const REACH_NS: i64 = 30 * SECOND;

    /// Looks whether an exchange lacks messages that another message proves: a REQUEST
    /// for an offer that was never seen, an answer without its query.
    pub fn observe(&mut self, exchange: &Exchange, messages: &Messages) {
        if misses_frames(exchange, messages) {
            self.0.entry(exchange.zone(messages)).or_default().push(exchange.start);
        }
    }

    /// Puts the instants in order, and forgets those that are too old for whatever happened since `from`.
    pub fn settle(&mut self, from: CaptureTime) {
        for times in self.0.values_mut() {
            times.retain(|gap| gap.plus(Self::REACH_NS) >= from);
            times.sort_unstable();
        }
    }

    /// Whether frames are missing in a zone around an instant.
    pub(super) fn near(&self, zone: ZoneId, time: CaptureTime) -> bool {
        self.0.get(&zone).is_some_and(|times| {
            let at = times.partition_point(|gap| gap.plus(Self::REACH_NS) < time);
            times.get(at).is_some_and(|gap| gap.since(time) <= Self::REACH_NS)
        })
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
