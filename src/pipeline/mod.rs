//! From inputs to an [`Analysis`]: the one-thread loop that defines correct output.

mod counts;
pub mod intake;

use std::borrow::Cow;
use std::collections::HashMap;

pub use counts::{Counts, SourceCounts};

use crate::capture::{Input, Progress, Source, Trouble};
use crate::exchange::answer::{Answer, Machines};
use crate::exchange::lease::{Lease, leases};
use crate::exchange::observed::Observed;
use crate::exchange::pair::{PairCounts, PairLimits, Pairer};
use crate::exchange::sighting::Sightings;
use crate::exchange::{Exchange, of};
use crate::ha::decide::{Decision, Evidence, of_exchange};
use crate::ha::events::{ChannelReport, HaEvent};
use crate::ha::infer;
use crate::ha::network::Network;
use crate::ha::replay::Replay;
use crate::ha::timeline::Timeline;
use crate::ha::topology::Topology;
use crate::ha::updates::Updates;
use crate::ha::verdict::{Judgement, judge};
use crate::ha::witness::{Given, Witnesses};
use crate::units::{ExchangeId, MessageId};
use intake::{Batch, Ending, Taken};

/// Everything that one run found out.
#[derive(Debug)]
pub struct Analysis<'t> {
    /// The network: topology, machines, zones.
    pub network: Network<'t>,
    /// Capture sources, with [`Counts::sources`] beside them.
    pub sources: Vec<Source>,
    /// How many frames became what.
    pub counts: Counts,
    /// Inputs that could not be read, or not to their end.
    pub troubles: Vec<Trouble>,
    /// Every DHCP message, in the order it was read.
    pub messages: Vec<Observed>,
    /// Every exchange, by number.
    pub exchanges: Vec<Exchange>,
    /// The judgement of each exchange, at the same index.
    pub judgements: Vec<Judgement>,
    /// Who sent each reply.
    pub answers: HashMap<MessageId, Answer>,
    /// Every decision, in the order of the exchanges.
    pub decisions: Vec<Decision>,
    /// Bindings, in order of start.
    pub leases: Vec<Lease>,
    /// The control channel.
    pub events: Vec<HaEvent>,
    /// What was odd about the control channel, and its counters.
    pub channel: ChannelReport,
    /// Kea's logs and lease files, on the captures' clock.
    pub witnesses: Witnesses,
    /// Who served what when.
    pub timeline: Timeline,
    /// Kea's state machines, run over the capture.
    pub replay: Replay,
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

    /// An exchange with its judgement.
    pub fn exchange(&self, id: ExchangeId) -> Option<(&Exchange, &Judgement)> {
        self.exchanges.get(id.0 as usize).zip(self.judgements.get(id.0 as usize))
    }

    /// The client's name from the topology.
    pub fn client_name(&self, chaddr: crate::units::HwAddr) -> Option<&str> {
        self.network.topology.client_by_mac(chaddr).map(|client| client.name.as_str())
    }
}

/// How to analyse, beside the captures and the topology.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How much is kept while exchanges are paired.
    pub limits: PairLimits,
    /// Kea's logs and lease files.
    pub given: Given,
}

impl From<PairLimits> for Options {
    fn from(limits: PairLimits) -> Self {
        Self { limits, ..Self::default() }
    }
}

/// Reads every input to its end and explains it.
///
/// `progress` is called often; it should be cheap. Trouble with single inputs
/// is part of the result: an analysis of nothing is still an analysis.
pub fn analyze<'t>(
    inputs: &[Input],
    topology: &'t Topology,
    options: impl Into<Options>,
    mut progress: impl FnMut(Progress),
) -> Analysis<'t> {
    let Options { limits, given } = options.into();
    let mut pairing = Pairing::new(limits);
    let ending = intake::read(inputs, topology, 2, |batch| {
        pairing.take(batch);
        progress(batch.progress);
    });
    pairing.finish(topology, given, ending)
}

/// What is collected while messages are read.
struct Pairing {
    sightings: Sightings,
    pairer: Pairer,
    messages: Vec<Observed>,
    events: Vec<HaEvent>,
}

impl Pairing {
    fn new(limits: PairLimits) -> Self {
        Self {
            sightings: Sightings::default(),
            pairer: Pairer::new(limits),
            messages: Vec::new(),
            events: Vec::new(),
        }
    }

    fn take(&mut self, batch: &mut Batch) {
        self.events.append(&mut batch.events);
        for taken in batch.messages.drain(..) {
            self.message(taken);
        }
    }

    fn message(&mut self, Taken { message, identity, point }: Taken) {
        let id = MessageId(self.messages.len() as u32);
        let mut first = self.sightings.enter(identity, message.time, point, id);
        self.messages.push(message);
        let exchange = match first {
            Some(first) => {
                self.pairer.sight(&self.messages, first, id);
                of(&self.messages, first).exchange
            }
            None => {
                let (exchange, hop_of) = self.pairer.push(&self.messages, id);
                first = hop_of;
                Some(exchange)
            }
        };
        if let Some(message) = self.messages.last_mut() {
            message.exchange = exchange;
            message.sighting_of = first;
        }
    }

    fn finish(self, topology: &Topology, given: Given, ending: Ending) -> Analysis<'_> {
        let Self { pairer, messages, mut events, .. } = self;
        let Ending { sources, zones, troubles, mut counts, events: last, channel, end } = ending;
        events.extend(last);
        events.sort_by_key(|event| (event.time, event.at));
        let topology = if infer::is_needed(topology) {
            let inferred = infer::infer(topology, &events, &messages);
            for event in &mut events {
                event.attribute(&inferred);
            }
            Cow::Owned(inferred)
        } else {
            Cow::Borrowed(topology)
        };
        let (exchanges, PairCounts { evicted, orphans }) = pairer.finish();
        (counts.evicted, counts.orphans) = (evicted, orphans);
        let known = topology.servers.iter().map(|server| (server.name.clone(), server.addresses.clone()));
        let mut machines = Machines::new(known);
        let answers = machines.attribute(&exchanges, &messages);
        let network = Network::new(topology, machines, zones, &messages, &answers);
        let evidence = Evidence {
            network: &network,
            messages: &messages,
            answers: &answers,
            events: &events,
            updates: Updates::new(&network.topology, &events),
            signs: &channel.signs,
            capture_end: end,
        };
        let replay = evidence.replay(&exchanges);
        let (mut decisions, timeline) = evidence.decide(&exchanges, &replay);
        let leases = leases(&exchanges, &messages, &answers, end);
        let mut witnesses = Witnesses::new(given, &evidence);
        witnesses.compare(&evidence, &mut decisions, &leases);
        let judgements: Vec<Judgement> = exchanges
            .iter()
            .map(|exchange| judge(&evidence, exchange, of_exchange(&decisions, exchange.id)))
            .collect();
        Analysis {
            network,
            sources,
            counts,
            troubles,
            messages,
            exchanges,
            judgements,
            answers,
            decisions,
            leases,
            events,
            channel,
            witnesses,
            timeline,
            replay,
        }
    }
}
