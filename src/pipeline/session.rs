//! Frames as they come, from interfaces that never end.
//!
//! The same intake and engine as for files. What a file's next frame tells, that
//! time has passed, a clock tells here ([`Session::tick`]), so that what is known
//! well enough is settled although nothing follows; and what is not settled yet
//! can be looked at as if the capture ended now ([`Session::peek`]).

use std::collections::HashMap;
use std::net::Ipv4Addr;

use foldhash::fast::RandomState;

use super::engine::Engine;
use super::intake::{Batch, Intake};
use super::{Analysis, Counts, Options};
use crate::capture::{Frame, Source, Sources};
use crate::dhcp::MessageType;
use crate::ha::topology::Topology;
use crate::units::{CaptureTime, ExchangeId, SourceId, ZoneId};

/// Messages have 32-bit numbers; beyond this many a session must be ended, and another begun.
pub const MOST_MESSAGES: u64 = 4_000_000_000;

/// An analysis that goes on while frames are captured.
pub struct Session<'t> {
    intake: Intake<'t>,
    engine: Engine<'t>,
    sources: Sources,
    /// When the frame before was captured, in the same file.
    previous: Option<CaptureTime>,
    batch: Batch,
    tally: Tally,
}

/// How many messages of a zone were of a type, and by which server's address where they are replies.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    counts: HashMap<(ZoneId, Option<MessageType>, Option<Ipv4Addr>), u64, RandomState>,
    /// Messages that were counted.
    messages: u64,
    /// Those of them that were in full segments.
    sealed: u64,
}

impl Tally {
    /// Combinations that are told apart; further ones count without an address. A stranger can invent many.
    const MOST: usize = 4_096;

    fn take(&mut self, batch: &Batch) {
        let new = (self.messages - self.sealed) as usize;
        let sealed = batch.messages.iter().flat_map(|segment| segment.iter());
        for message in sealed.chain(&batch.open).skip(new) {
            let server = message.is_reply().then(|| message.server_id.unwrap_or(message.src));
            let mut key = (message.zone, message.message_type, server);
            if self.counts.len() >= Self::MOST && !self.counts.contains_key(&key) {
                key.2 = None;
            }
            *self.counts.entry(key).or_default() += 1;
            self.messages += 1;
        }
        self.sealed += batch.messages.as_ref().map_or(0, |segment| segment.len() as u64);
    }

    /// Zone, type and server's address with their number.
    pub fn iter(&self) -> impl Iterator<Item = (ZoneId, Option<MessageType>, Option<Ipv4Addr>, u64)> + '_ {
        self.counts.iter().map(|((zone, kind, server), count)| (*zone, *kind, *server, *count))
    }
}

impl<'t> Session<'t> {
    /// One that has seen nothing. Where the topology names no pair, the servers are
    /// inferred from what was captured before the first exchange is settled.
    pub fn new(topology: &'t Topology, options: Options) -> Self {
        let threads = options.threads.max(1);
        Self {
            intake: Intake::new(topology, options.limits),
            engine: Engine::new(topology, options, threads),
            sources: Sources::default(),
            previous: None,
            batch: Batch::default(),
            tally: Tally::default(),
        }
    }

    /// Adds a source, whose [`Source::id`] is set to the next number: an interface, or the next file of one.
    pub fn add_source(&mut self, source: Source) -> SourceId {
        let id = self.sources.add(source);
        self.previous = None;
        self.intake.learn_sources(&self.sources);
        id
    }

    /// The sources so far.
    pub const fn sources(&self) -> &Sources {
        &self.sources
    }

    /// For what the capturing side knows of a source: drops.
    pub fn source_mut(&mut self, id: SourceId) -> Option<&mut Source> {
        self.sources.of_mut(id)
    }

    /// Takes a frame of one of the sources, which is counted there.
    pub fn take(&mut self, frame: &Frame<'_>, take: &mut impl FnMut(&Analysis<'_>)) {
        if let Some(source) = self.sources.of_mut(frame.at.source) {
            source.count(frame.time, self.previous.replace(frame.time));
        }
        if let Some(taken) = self.intake.take(frame) {
            self.intake.pair(&taken);
        }
        if self.intake.is_full() {
            self.intake.hand_over_segment(&mut self.batch, &self.sources);
            self.tally.take(&self.batch);
            self.engine.read(&mut self.batch, take);
        }
    }

    /// Every frame that was captured before `clock` was taken: settles what is known behind, into batches for `take`.
    pub fn tick(&mut self, clock: CaptureTime, take: &mut impl FnMut(&Analysis<'_>)) {
        self.show(clock, take);
        self.engine.tick(clock, take);
    }

    /// What is not settled yet, as if the capture ended now; everything else that is known of the network with it.
    ///
    /// It costs about as much as settling that would. The clock is the one of the last tick.
    pub fn peek(&mut self, clock: CaptureTime, take: &mut impl FnMut(&Analysis<'_>)) -> Analysis<'t> {
        self.show(clock, take);
        self.engine.peek(self.intake.peek(&self.sources))
    }

    fn show(&mut self, clock: CaptureTime, take: &mut impl FnMut(&Analysis<'_>)) {
        self.intake.show(&mut self.batch, &self.sources, clock);
        self.tally.take(&self.batch);
        self.engine.read(&mut self.batch, take);
    }

    /// The messages so far by zone, type and server, as of the last tick.
    pub const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The zones by number.
    pub fn zones(&self) -> &[String] {
        self.intake.zones()
    }

    /// Frames of a source were dropped between two instants, as many as are known.
    pub fn lost(&mut self, source: SourceId, (from, to): (CaptureTime, CaptureTime), count: u64) {
        if let Some(source) = self.sources.of_mut(source) {
            *source.dropped_kernel.get_or_insert(0) += count;
        }
        self.intake.lost(source, (from, to));
    }

    /// Exchanges are numbered from here, so that those of a session before are not named again. For a session that has seen nothing.
    pub const fn number_from(&mut self, first: ExchangeId) {
        self.intake.number_from(first);
    }

    /// The number of the exchange that begins next.
    pub const fn next_exchange(&self) -> ExchangeId {
        self.intake.next_exchange()
    }

    /// What became of the frames so far.
    pub const fn counts(&self) -> &Counts {
        self.intake.counts()
    }

    /// Things that are held in memory, by name.
    pub fn held(&self) -> impl Iterator<Item = (&'static str, usize)> {
        self.intake.held().into_iter().chain(self.engine.held())
    }

    /// Whether its numbers come to an end ([`MOST_MESSAGES`]).
    pub const fn is_used_up(&self) -> bool {
        self.intake.messages() >= MOST_MESSAGES
    }

    /// The capture is over: gives the last batch, after those before it.
    pub fn finish(mut self, take: &mut impl FnMut(&Analysis<'_>)) -> Analysis<'t> {
        // What no full segment holds yet; no exchange ends by that.
        self.show(CaptureTime(i64::MIN), take);
        let ending = self.intake.finish(&self.sources);
        self.engine.finish(ending, take)
    }
}
