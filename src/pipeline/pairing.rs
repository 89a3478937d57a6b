//! Messages to exchanges, beside the reading: nothing of it needs to know who
//! the servers are.

use super::intake::Batch;
use crate::exchange::observed::Sighting;
use crate::exchange::pair::{PairLimits, Pairer};
use crate::exchange::sighting::Sightings;
use crate::exchange::{Messages, Observed};
use crate::units::{CaptureTime, MessageId, SourceId, ZoneId};

/// Messages kept behind the oldest exchange that is not given away, so that copies
/// of one that was closed early are still recognised.
const KEPT: u32 = 65_536;

/// Pairs messages, and gives them away a segment at a time.
#[derive(Debug, Default)]
pub(super) struct Pairing {
    messages: Messages,
    sightings: Sightings,
    pairer: Pairer,
}

impl Pairing {
    pub(super) fn new(limits: PairLimits) -> Self {
        Self { pairer: Pairer::new(limits), ..Self::default() }
    }

    /// How many messages were taken and not given away.
    pub(super) const fn len(&self) -> usize {
        self.messages.open().len()
    }

    /// How many messages were taken in all.
    pub(super) const fn messages(&self) -> u32 {
        self.messages.next().0
    }

    /// Takes a message; [`Pairing::pair`] follows.
    pub(super) fn push(&mut self, message: Observed) {
        self.messages.push(message);
    }

    /// Finds the exchange of the message that was pushed last. `identity` is a hash of addresses,
    /// ports and payload, for [`Sightings`], and `point` the capture point of its source.
    pub(super) fn pair(&mut self, zone: ZoneId, identity: u64, point: SourceId) {
        let Self { messages, sightings, pairer } = self;
        let id = MessageId(messages.next().0.saturating_sub(1));
        let Some(message) = messages.get_mut(id) else { return };
        message.zone = zone;
        let time = message.time;
        // Of a burst within an instant the first copy may have left by now.
        let seen = sightings.enter(identity, time, point, id).filter(|first| messages.get(*first).is_some());
        let (exchange, first) = match seen {
            Some(first) => {
                pairer.sight(messages, first, id);
                (messages.get(first).and_then(|first| first.exchange), Some(first))
            }
            None => {
                let (exchange, hop_of) = pairer.push(messages, id);
                (Some(exchange), hop_of)
            }
        };
        let seen = first.and_then(|first| Some(Sighting { message: first, at: messages.get(first)?.at }));
        if let Some(message) = messages.get_mut(id) {
            message.exchange = exchange;
            message.sighting_of = seen.map(Box::new);
        }
    }

    /// Gives away the messages since the last call, and the exchanges that are over, if there are enough of them.
    ///
    /// All messages of these exchanges were given away with them or before.
    pub(super) fn hand_over(&mut self, batch: &mut Batch, enough: bool) {
        let Self { messages, pairer, .. } = self;
        if enough {
            batch.messages = messages.seal();
            batch.late.extend(pairer.late());
            batch.exchanges.extend(std::iter::from_fn(|| pairer.next_closed()));
        }
        batch.unfinished = pairer.unfinished();
        let behind = MessageId(messages.next().0.saturating_sub(KEPT));
        messages.forget(batch.unfinished.map_or(behind, |(_, first)| first.min(behind)));
    }

    /// Gives away the exchanges that are over at an instant, and shows the messages since the last segment.
    pub(super) fn show(&mut self, batch: &mut Batch, now: CaptureTime) {
        let Self { messages, pairer, .. } = self;
        pairer.expire(now);
        batch.open.extend_from_slice(messages.open());
        batch.late.extend(pairer.late());
        batch.exchanges.extend(std::iter::from_fn(|| pairer.next_closed()));
        batch.unfinished = pairer.unfinished();
    }

    /// The exchanges that were not given away.
    pub(super) const fn pairer(&self) -> &Pairer {
        &self.pairer
    }

    /// The same, before the first message.
    pub(super) const fn pairer_mut(&mut self) -> &mut Pairer {
        &mut self.pairer
    }

    /// The same, when no message follows.
    pub(super) fn into_pairer(self) -> Pairer {
        self.pairer
    }
}
