//! From inputs to an [`Analysis`]: the one-thread loop that defines correct output.

mod counts;

use std::borrow::Cow;
use std::collections::HashMap;

pub use counts::{Counts, SourceCounts};

use crate::capture::{Frame, Input, Progress, Reader, Source, Trouble};
use crate::dhcp::Message;
use crate::exchange::answer::{Answer, Machines};
use crate::exchange::lease::{Lease, leases};
use crate::exchange::observed::{Envelope, Observed};
use crate::exchange::pair::{PairCounts, PairLimits, Pairer};
use crate::exchange::sighting::{CapturePoints, Sightings};
use crate::exchange::{Exchange, of};
use crate::frame::{Datagram, Decoded, Decoder, Skip};
use crate::ha::decide::{Decision, Evidence, of_exchange};
use crate::ha::events::{ChannelReport, ControlReader, HaEvent};
use crate::ha::infer;
use crate::ha::network::Network;
use crate::ha::replay::Replay;
use crate::ha::timeline::Timeline;
use crate::ha::topology::Topology;
use crate::ha::updates::Updates;
use crate::ha::verdict::{Judgement, judge};
use crate::ha::witness::{Given, Witnesses};
use crate::units::{CaptureTime, ExchangeId, MessageId, SourceId, ZoneId};

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
    let mut reader = Reader::open(inputs);
    let mut intake = Intake::new(topology, limits);
    intake.points = CapturePoints::new(reader.sources().iter().map(|source| source.zone.clone()));
    let mut decoder = Decoder::new();
    while let Some(frame) = reader.next() {
        let point = intake.points.enter(frame.at.source, frame.time);
        match decoder.decode(&frame) {
            // tshark draws the same line: a payload of a byte is no DHCP message.
            Ok(Decoded::Udp(datagram)) if datagram.payload.len() < 2 => {
                intake.counts.skip(frame.at.source, Skip::UdpEmpty);
            }
            Ok(Decoded::Udp(datagram)) => intake.message(&frame, &datagram, point),
            Ok(Decoded::Tcp(segment)) => {
                let control = intake.control.push(&segment, frame.time, frame.at);
                intake.counts.tcp(frame.at.source, control);
            }
            Err(skip) => intake.counts.skip(frame.at.source, skip),
        }
        if (frame.data.len() as u64) < u64::from(frame.original_len) {
            intake.counts.cut(frame.at.source);
        }
        intake.end = intake.end.max(frame.time);
        if frame.at.number.is_multiple_of(4096) {
            progress(reader.progress());
        }
    }
    progress(reader.progress());
    let (sources, troubles) = (reader.sources().to_vec(), reader.troubles().to_vec());
    intake.finish(topology, given, sources, troubles)
}

/// Zone names by number, and the zone of every source.
fn zones(sources: &[Source]) -> (Vec<String>, Vec<ZoneId>) {
    let mut names: Vec<String> = Vec::new();
    let of_source = sources.iter().map(|source| {
        let at = names.iter().position(|name| *name == source.zone).unwrap_or_else(|| {
            names.push(source.zone.clone());
            names.len() - 1
        });
        ZoneId(u16::try_from(at).unwrap_or(u16::MAX))
    });
    let of_source = of_source.collect();
    (names, of_source)
}

/// What is collected while frames are read.
struct Intake<'t> {
    counts: Counts,
    control: ControlReader<'t>,
    points: CapturePoints,
    sightings: Sightings,
    pairer: Pairer,
    messages: Vec<Observed>,
    end: CaptureTime,
}

impl<'t> Intake<'t> {
    fn new(topology: &'t Topology, limits: PairLimits) -> Self {
        Self {
            counts: Counts::default(),
            control: ControlReader::new(topology),
            points: CapturePoints::default(),
            sightings: Sightings::default(),
            pairer: Pairer::new(limits),
            messages: Vec::new(),
            end: CaptureTime(i64::MIN),
        }
    }

    fn message(&mut self, frame: &Frame<'_>, datagram: &Datagram<'_>, point: SourceId) {
        self.counts.message(frame.at.source);
        let envelope = Envelope {
            time: frame.time,
            at: frame.at,
            link: datagram.link,
            src: datagram.src,
            dst: datagram.dst,
            src_port: datagram.src_port,
            dst_port: datagram.dst_port,
        };
        let id = MessageId(self.messages.len() as u32);
        let identity =
            (datagram.src, datagram.dst, datagram.src_port, datagram.dst_port, datagram.payload.as_ref());
        let mut first = self.sightings.enter(identity, frame.time, point, id);
        self.messages.push(Observed::new(envelope, &Message::parse(&datagram.payload, datagram.cut)));
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

    fn finish(
        self,
        topology: &'t Topology,
        given: Given,
        sources: Vec<Source>,
        troubles: Vec<Trouble>,
    ) -> Analysis<'t> {
        let Self { mut counts, control, pairer, mut messages, end, .. } = self;
        let (zones, of_source) = zones(&sources);
        for message in &mut messages {
            // A frame cannot ask for its source's zone while it borrows the reader.
            message.zone = of_source.get(message.at.source.0 as usize).copied().unwrap_or_default();
        }
        let (mut events, channel) = control.finish(end);
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
