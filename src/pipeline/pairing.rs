//! Messages to exchanges, beside the reading: nothing of it needs to know who
//! the servers are.

use super::intake::Batch;
use crate::exchange::pair::{PairCounts, PairLimits, Pairer};
use crate::exchange::sighting::Sightings;
use crate::exchange::{Exchange, Messages, Observed};
use crate::units::{MessageId, SourceId};

/// Messages kept behind the oldest exchange that is not given away, so that copies
/// of one that was closed early are still recognised.
const KEPT: u32 = 65_536;

/// One DHCP message, ready to be paired.
#[derive(Debug)]
pub(super) struct Taken {
    /// The message, its zone filled in.
    pub(super) message: Observed,
    /// Hash of addresses, ports and payload, for [`Sightings`].
    pub(super) identity: u64,
    /// The capture point of its source.
    pub(super) point: SourceId,
}

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

    /// Finds the exchange of a message.
    pub(super) fn take(&mut self, Taken { message, identity, point }: Taken) {
        let Self { messages, sightings, pairer } = self;
        let time = message.time;
        let id = messages.push(message);
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
        messages.paired(id, exchange, first);
    }

    /// Gives away the messages since the last call, and the exchanges that are over.
    ///
    /// All messages of these exchanges were given away with them or before.
    pub(super) fn hand_over(&mut self, batch: &mut Batch) {
        let Self { messages, pairer, .. } = self;
        batch.messages = messages.seal();
        batch.late.extend(pairer.late());
        batch.exchanges.extend(std::iter::from_fn(|| pairer.next_closed()));
        batch.unfinished = pairer.next_start();
        let behind = MessageId(messages.next().0.saturating_sub(KEPT));
        messages.forget(pairer.next_message().map_or(behind, |first| first.min(behind)));
    }

    /// Closes the exchanges that are still open.
    pub(super) fn finish(mut self) -> (Vec<Exchange>, PairCounts) {
        self.pairer.finish();
        let exchanges = std::iter::from_fn(|| self.pairer.next_closed()).collect();
        (exchanges, self.pairer.counts())
    }
}
