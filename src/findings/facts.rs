//! What is known so far and several findings ask for: which directions the
//! captures show, when a pair handed over or did not speak, and when the captures end.
//!
//! With the whole capture in one batch that is the whole truth. With several, a
//! batch comes long after its exchanges were read, so what is behind them is known too.

use foldhash::{HashMap, HashSet};

use super::bounded::Keys;
use super::cuts::Cuts;
use super::handovers::Handovers;
use super::view::Batch;
use crate::units::{CaptureTime, MessageId, ServerId, ZoneId};

/// Pairs of zone and answering server that are remembered; anybody can forge servers.
const REPLIED: usize = 65_536;

/// What is known so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    pub(super) keys: Keys,
    /// Who is seen to reply to the clients of a zone: the captures show that direction.
    replied: HashSet<(ZoneId, ServerId)>,
    zones_with_replies: HashSet<ZoneId>,
    answering: HashSet<ServerId>,
    pub(super) handovers: Handovers,
    /// Times without heartbeats.
    pub(super) cuts: Cuts,
    /// The last captured instant.
    end: Option<CaptureTime>,
    /// How many servers are configured; absent where nobody says it.
    configured: Option<usize>,
    /// The zone of each source that showed a message.
    zone_of: Vec<Option<ZoneId>>,
    /// When the captures of each zone begin.
    begins: HashMap<ZoneId, CaptureTime>,
    /// Replies of this batch whose sender is not who he says, or is in no configuration, in order.
    pub(super) odd_replies: Vec<MessageId>,
}

impl Facts {
    /// Adds what a batch shows.
    pub(super) fn learn(&mut self, batch: &Batch<'_>) {
        let analysis = batch.analysis;
        self.end = self.end.max(analysis.sources.iter().filter_map(|source| source.last).max());
        self.replies(batch);
        self.begins(batch);
        self.handovers.learn(batch);
        self.cuts.learn(batch);
    }

    fn replies(&mut self, batch: &Batch<'_>) {
        let topology = &batch.analysis.network.topology;
        // What was concluded from the packets cannot say who should not be there.
        self.configured = Some(topology.servers.len()).filter(|servers| *servers > 0 && !topology.inferred);
        self.odd_replies.clear();
        // Most replies come from where the one before came from.
        let mut latest = None;
        // Then no message need be looked at.
        let one_zone = batch.analysis.network.zones.len() == 1;
        for exchange in batch.exchanges.iter().filter(|exchange| !exchange.replies.is_empty()) {
            let zone = if one_zone { ZoneId::default() } else { batch.zone(exchange) };
            for step in &exchange.replies {
                let answer = batch.answer(step.first);
                let here = (zone, answer.map(|answer| answer.server));
                if latest != Some(here) {
                    latest = Some(here);
                    self.replied(here);
                }
                if answer.is_some_and(|answer| answer.contradicted || self.is_stranger(answer.server)) {
                    self.odd_replies.push(step.first);
                }
            }
        }
        self.odd_replies.sort_unstable();
    }

    fn replied(&mut self, (zone, server): (ZoneId, Option<ServerId>)) {
        self.zones_with_replies.insert(zone);
        if let Some(server) = server
            && self.replied.len() < REPLIED
        {
            self.replied.insert((zone, server));
            self.answering.insert(server);
        }
    }

    /// A source with messages begins with its first frame; one whose frames have no times, with its first message.
    fn begins(&mut self, batch: &Batch<'_>) {
        let sources = &batch.analysis.sources;
        self.zone_of.resize(sources.len().max(self.zone_of.len()), None);
        let all_known = self.zone_of.iter().all(Option::is_some);
        // Usually no message need be looked at but those of the first batch.
        if !all_known || sources.iter().any(|source| source.first.is_none()) {
            for message in batch.messages {
                let at = message.at.source.0 as usize;
                if let Some(zone) = self.zone_of.get_mut(at) {
                    *zone = Some(message.zone);
                }
                if sources.get(at).is_none_or(|source| source.first.is_none()) {
                    self.begin_at(message.zone, message.time);
                }
            }
        }
        for at in 0..self.zone_of.len() {
            let zone = self.zone_of.get(at).copied().flatten();
            if let Some((zone, first)) = zone.zip(sources.get(at).and_then(|source| source.first)) {
                self.begin_at(zone, first);
            }
        }
    }

    fn begin_at(&mut self, zone: ZoneId, first: CaptureTime) {
        let begin = self.begins.entry(zone).or_insert(first);
        *begin = first.min(*begin);
    }

    /// Whether the captures show replies to clients of this zone, of `server` if one is meant.
    pub(super) fn shows_replies(&self, zone: ZoneId, server: Option<ServerId>) -> bool {
        match server {
            Some(server) => self.replied.contains(&(zone, server)),
            None => self.zones_with_replies.contains(&zone),
        }
    }

    /// Whether the captures show replies of `server` to anybody.
    pub(super) fn answers_somewhere(&self, server: ServerId) -> bool {
        self.answering.contains(&server)
    }

    /// Whether a server is in no configuration, where there is one.
    pub(super) fn is_stranger(&self, server: ServerId) -> bool {
        self.configured.is_some_and(|servers| server.0 >= servers)
    }

    /// When the captures of a zone begin.
    pub(super) fn begin(&self, zone: ZoneId) -> Option<CaptureTime> {
        self.begins.get(&zone).copied()
    }

    /// The last captured instant.
    pub(super) const fn end(&self) -> Option<CaptureTime> {
        self.end
    }
}
