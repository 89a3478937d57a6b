//! From inputs to an [`Analysis`], batch by batch.
//!
//! ```text
//! intake   reading and decoding, beside the caller where there are two threads
//! pairing  messages to exchanges, on the same thread
//! engine   the survey of exchanges that are over (who is who, what shows which
//!          state), and behind it, when enough more was read, the decisions
//! window   the control channel's events in between
//! session  the same for frames that are captured now
//! counts   what became of every frame
//! ```
//!
//! Decisions about an exchange rest on what was captured before and after it.
//! So the engine reads ahead of them, [`Window::ahead`] exchanges far: a capture
//! up to that size is known whole before anything is decided and gives one batch;
//! a longer one is decided in batches of [`Window::batch`] exchanges, and whatever
//! they no longer need is let go, so that memory does not grow with the capture.

mod counts;
mod engine;
pub mod intake;
mod pairing;
mod session;
mod window;

pub use counts::{Counts, SourceCounts};
pub use session::{MOST_MESSAGES, Session, Tally};
pub use window::Events;

use self::engine::Engine;
use crate::capture::{Input, Progress, Source, Trouble};
use crate::exchange::lease::Lease;
use crate::exchange::pair::PairLimits;
use crate::exchange::{Answers, Exchange, Messages, Observed, of};
use crate::ha::decide::{Decision, of_exchange};
use crate::ha::events::ChannelReport;
use crate::ha::network::Network;
use crate::ha::replay::Replay;
use crate::ha::timeline::Timeline;
use crate::ha::topology::Topology;
use crate::ha::verdict::{Judgement, Stories, Story};
use crate::ha::witness::{Given, Witnesses};
use crate::units::{CaptureTime, ExchangeId, HwAddr, MessageId, SECOND};

/// What a batch of exchanges came to, and what is known besides.
///
/// The lists hold what this batch settles, each thing in one batch only. The
/// rest is what is known so far, which is everything when the batch is the only one.
#[derive(Clone, Debug)]
pub struct Analysis<'t> {
    /// The network: topology, machines, zones.
    pub network: Network<'t>,
    /// Capture sources. Their spans are those so far; other counters, and [`Counts::sources`]
    /// beside them, are told with the last batch.
    pub sources: Vec<Source>,
    /// How many frames became what; told with the last batch.
    pub counts: Counts,
    /// Inputs that could not be read, or not to their end; told with the last batch.
    pub troubles: Vec<Trouble>,
    /// Every DHCP message, in the order it was read.
    pub messages: Messages,
    /// Every exchange, by number.
    pub exchanges: Vec<Exchange>,
    /// The judgement of each exchange, at the same index.
    pub judgements: Vec<Judgement>,
    /// Who sent each reply.
    pub answers: Answers,
    /// Every decision, in the order of the exchanges.
    pub decisions: Vec<Decision>,
    /// Bindings that ended, and with the last batch those that did not, in order of start.
    pub leases: Vec<Lease>,
    /// What [`Lease::story`] is a number of.
    pub stories: Stories,
    /// The control channel.
    pub events: Events,
    /// What was odd about the control channel, and its counters; told with the last batch.
    pub channel: ChannelReport,
    /// Kea's logs and lease files, on the captures' clock.
    pub witnesses: Witnesses,
    /// Who served what when.
    pub timeline: Timeline,
    /// Kea's state machines, run over the capture.
    pub replay: Replay,
    /// No later batch holds anything that began before this instant; absent with the last batch.
    pub watermark: Option<CaptureTime>,
    /// No later batch holds a lease that began before this instant; while exchanges are
    /// read that is not known, and any lease may still end.
    pub leases_watermark: Option<CaptureTime>,
    /// Exchanges in this batch and those before it.
    pub settled: u64,
}

impl Analysis<'_> {
    /// The message with this number.
    pub fn message(&self, id: MessageId) -> &Observed {
        of(&self.messages, id)
    }

    /// The decisions about one exchange.
    pub fn decisions_of(&self, exchange: ExchangeId) -> &[Decision] {
        of_exchange(&self.decisions, exchange)
    }

    /// An exchange of this batch with its judgement.
    pub fn exchange(&self, id: ExchangeId) -> Option<(&Exchange, &Judgement)> {
        let at = id.0.checked_sub(self.exchanges.first()?.id.0)? as usize;
        self.exchanges.get(at).zip(self.judgements.get(at))
    }

    /// Lets go of everything that was settled.
    fn empty(&mut self) {
        self.messages.forget(self.messages.next());
        self.answers.forget(self.messages.next());
        self.events.settle(None);
        self.exchanges.clear();
        self.judgements.clear();
        self.decisions.clear();
        self.leases.clear();
    }

    /// What there is to say about the exchange that created a lease.
    pub fn story(&self, lease: &Lease) -> Option<&Story> {
        self.stories.get(lease.story)
    }

    /// The client's name from the topology.
    pub fn client_name(&self, chaddr: HwAddr) -> Option<&str> {
        self.network.topology.client_by_mac(chaddr).map(|client| client.name.as_str())
    }
}

/// How far is read ahead of the decisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Exchanges that must be complete behind one before it is decided.
    pub ahead: usize,
    /// Further ones, as long as the servers' states are not known for [`Window::BEHIND_NS`] after it,
    /// are waited for up to so many in all. Where clients come faster a decision may be less sure.
    pub most: usize,
    /// Exchanges that are decided at once.
    pub batch: usize,
    /// Events of the control channel that are held; beyond it exchanges that are long over are decided, few as they may be.
    pub events: usize,
}

impl Window {
    /// So far behind a decision come the partners' next heartbeats: ten seconds apart by default, and a little.
    /// What they show is known when no command before them can be without an end, as much later again.
    pub const BEHIND_NS: i64 = 11 * SECOND;
    /// Everything in one batch.
    pub const WHOLE: Self = Self::of(usize::MAX, usize::MAX);

    /// One that counts exchanges only.
    pub const fn of(ahead: usize, batch: usize) -> Self {
        Self { ahead, most: ahead, batch, events: usize::MAX }
    }
}

impl Default for Window {
    fn default() -> Self {
        Self { ahead: 8_192, most: 22_528, batch: 4_096, events: 65_536 }
    }
}

/// How to analyse, beside the captures and the topology.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How much is kept while exchanges are paired.
    pub limits: PairLimits,
    /// Kea's logs and lease files. They are held against the whole capture, which is kept for it.
    pub given: Given,
    /// How far is read ahead.
    pub window: Window,
    /// Whether each exchange gets its sentence; otherwise those of the first batch do,
    /// and those that an operator should look at.
    pub sentences: bool,
    /// Threads to work with; 0 takes as many as the machine has. The result is the same with any number.
    pub threads: usize,
}

impl From<PairLimits> for Options {
    fn from(limits: PairLimits) -> Self {
        Self { limits, ..Self::default() }
    }
}

/// Reads every input to its end and explains it; the whole capture is one batch.
///
/// `progress` is called often; it should be cheap. Trouble with single inputs
/// is part of the result: an analysis of nothing is still an analysis.
pub fn analyze<'t>(
    inputs: &[Input],
    topology: &'t Topology,
    options: impl Into<Options>,
    progress: impl FnMut(Progress),
) -> Analysis<'t> {
    let options = Options { window: Window::WHOLE, sentences: true, ..options.into() };
    stream(inputs, topology, options, progress, |_| {})
}

/// As [`analyze`], in constant memory: `take` sees every batch in order but the last, which is returned.
pub fn stream<'t>(
    inputs: &[Input],
    topology: &'t Topology,
    options: Options,
    mut progress: impl FnMut(Progress),
    mut take: impl FnMut(&Analysis<'_>),
) -> Analysis<'t> {
    let threads = match options.threads {
        0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        threads => threads,
    };
    let limits = options.limits;
    let mut engine = Engine::new(topology, options, threads);
    let ending = intake::read(inputs, topology, limits, threads, |batch| {
        engine.read(batch, &mut take);
        progress(batch.progress);
    });
    engine.finish(ending, &mut take)
}
