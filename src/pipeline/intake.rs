//! From inputs to exchanges and events, in batches: what of the work needs no
//! knowledge of the servers, and so may run on a thread of its own.
//!
//! [`read`] gives the same batches in the same order with one thread and with
//! two. With two, a fixed number of batches goes round between the reading
//! thread and the caller, so that neither runs ahead and nothing is allocated
//! anew.

use std::hash::{BuildHasher, Hasher};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use foldhash::quality::RandomState;

use super::Counts;
use super::pairing::Pairing;
use crate::capture::{Frame, Input, Progress, Reader, Source, Sources, Trouble};
use crate::dhcp::Message;
use crate::exchange::observed::{Envelope, Observed};
use crate::exchange::pair::{Late, PairCounts, PairLimits, Pairer};
use crate::exchange::sighting::CapturePoints;
use crate::exchange::{Exchange, SEGMENT, Segment};
use crate::frame::{Datagram, Decoded, Decoder, Skip};
use crate::ha::events::{ChannelReport, ControlReader, HaEvent, SignOfLife};
use crate::ha::topology::Topology;
use crate::units::{CaptureTime, ExchangeId, MessageId, SourceId, ZoneId};

/// Frames of a batch at most, so that a capture of something else shows progress too.
const MOST_FRAMES: usize = 16 << 10;
/// Batches that go round between two threads: as many as are read while others are decided.
const ROUND: usize = 20;

/// What some thousand frames gave. Whoever takes a batch empties it; the
/// vectors go back to the reader for the next ones.
///
/// Where many frames gave few messages, these and their exchanges come with a later batch.
#[derive(Debug, Default)]
pub struct Batch {
    /// Messages in the order of reading, paired.
    pub messages: Option<Segment>,
    /// Those behind them so far, where messages are handed over before a segment is full.
    pub open: Vec<Observed>,
    /// Exchanges that are over, by number: those before them were given with earlier batches.
    pub exchanges: Vec<Exchange>,
    /// Further sightings of messages of exchanges that were given with earlier batches.
    pub late: Vec<Late>,
    /// When the exchange behind these began, and its first message, if that was read.
    pub unfinished: Option<(CaptureTime, MessageId)>,
    /// Events of the control channel that are complete since the last batch, in
    /// no particular order: an answer that never comes makes an event of the past.
    pub events: Vec<HaEvent>,
    /// Signs of life of encrypted connections since the last batch.
    pub signs: Vec<SignOfLife>,
    /// Where the capturing system dropped frames: zone, after which instant, before which one.
    pub losses: Vec<(ZoneId, CaptureTime, CaptureTime)>,
    /// Sources found since the last batch, in the order of their numbers, with
    /// counters as they were then. Those of every message are told with it or before.
    pub sources: Vec<Source>,
    /// First and last instant of every source so far, by number.
    pub spans: Vec<Span>,
    /// Latest instant of any frame so far; `i64::MIN` before the first.
    pub end: CaptureTime,
    /// How far the reading is.
    pub progress: Progress,
}

impl Batch {
    fn clear(&mut self) {
        self.messages = None;
        self.open.clear();
        self.exchanges.clear();
        self.late.clear();
        self.unfinished = None;
        self.events.clear();
        self.signs.clear();
        self.losses.clear();
        self.sources.clear();
        self.spans.clear();
    }
}

/// First and last instant of a source; absent while it has no frame with a time.
pub type Span = (Option<CaptureTime>, Option<CaptureTime>);

/// What is known when everything was read.
#[derive(Debug)]
pub struct Ending {
    /// Every source, with its counters.
    pub sources: Vec<Source>,
    /// Zone names by [`ZoneId`].
    pub zones: Vec<String>,
    /// Inputs that could not be read, or not to their end.
    pub troubles: Vec<Trouble>,
    /// What became of every frame.
    pub counts: Counts,
    /// Exchanges that only the end of the capture closed.
    pub exchanges: Vec<Exchange>,
    /// Events that only the end of the capture completes.
    pub events: Vec<HaEvent>,
    /// What else there is to say about the control channel.
    pub channel: ChannelReport,
    /// Latest instant of any frame; `i64::MIN` without one.
    pub end: CaptureTime,
}

/// Reads every input to its end and gives what it finds to `take`, batch by batch.
///
/// With `threads` above 1 reading, decoding and pairing run beside the caller.
pub fn read(
    inputs: &[Input],
    topology: &Topology,
    limits: PairLimits,
    threads: usize,
    mut take: impl FnMut(&mut Batch),
) -> Ending {
    let mut reading = Reading::open(inputs, topology, limits);
    if threads < 2 {
        let mut batch = Batch::default();
        while reading.fill(&mut batch) {
            take(&mut batch);
        }
        return reading.finish();
    }
    let (full, filled) = sync_channel(ROUND);
    let (empty, emptied) = sync_channel(ROUND);
    for _ in 0..ROUND {
        // There is room for all of them.
        let _ = empty.send(Batch::default());
    }
    thread::scope(|scope| {
        // Both ends go with this closure, whichever way it ends: then the reader waits for nobody.
        let empty = empty;
        let reading = scope.spawn(move || reading.run(&emptied, &full));
        for mut batch in filled {
            take(&mut batch);
            // When everything was read nobody waits for it any more.
            let _ = empty.send(batch);
        }
        match reading.join() {
            Ok(ending) => ending,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Reads, decodes and pairs.
struct Reading<'t> {
    reader: Reader,
    intake: Intake<'t>,
}

impl<'t> Reading<'t> {
    fn open(inputs: &[Input], topology: &'t Topology, limits: PairLimits) -> Self {
        let reader = Reader::open(inputs);
        let mut intake = Intake::new(topology, limits);
        reader.sources().iter().for_each(|source| intake.points.add(source.zone.clone()));
        Self { reader, intake }
    }

    fn run(mut self, empty: &Receiver<Batch>, full: &SyncSender<Batch>) -> Ending {
        // It ends early when the caller is gone, which only a panic can bring about.
        while let Ok(mut batch) = empty.recv() {
            if !self.fill(&mut batch) || full.send(batch).is_err() {
                break;
            }
        }
        self.finish()
    }

    /// Fills a batch; false when there was nothing left to fill it with.
    fn fill(&mut self, batch: &mut Batch) -> bool {
        batch.clear();
        let mut frames = 0;
        while frames < MOST_FRAMES && !self.intake.is_full() && self.frame() {
            frames += 1;
        }
        if frames == 0 && self.intake.pairing.len() == 0 {
            return false;
        }
        batch.progress = self.reader.progress();
        for (source, from, to) in self.reader.losses() {
            self.intake.lost(source, (from, to));
        }
        // Segments are full, but for the last one of the capture.
        let enough = self.intake.is_full() || frames < MOST_FRAMES;
        self.intake.hand_over(batch, self.reader.sources(), enough);
        true
    }

    /// Takes the next frame, if there is one.
    fn frame(&mut self) -> bool {
        let Some(frame) = self.reader.next() else { return false };
        let source = frame.at.source;
        let taken = self.intake.take(&frame);
        // The frame borrowed the reader up to here, which knows the sources.
        if !self.intake.zones.knows(source) {
            self.intake.zones.learn(self.reader.sources());
        }
        if let Some(taken) = taken {
            self.intake.pair(&taken);
        }
        true
    }

    fn finish(mut self) -> Ending {
        // Files without a frame have a zone too.
        self.intake.zones.learn(self.reader.sources());
        Ending { troubles: self.reader.troubles().to_vec(), ..self.intake.finish(self.reader.sources()) }
    }
}

/// Decodes and pairs frames, wherever they come from.
pub(super) struct Intake<'t> {
    decoder: Decoder,
    control: ControlReader<'t>,
    points: CapturePoints,
    zones: Zones,
    pairing: Pairing,
    counts: Counts,
    seed: RandomState,
    end: CaptureTime,
    /// Where frames are missing, since the last batch.
    losses: Vec<(ZoneId, CaptureTime, CaptureTime)>,
}

/// A message that was taken and is to be paired.
pub(super) struct Taken {
    source: SourceId,
    point: SourceId,
    identity: u64,
}

impl<'t> Intake<'t> {
    pub(super) fn new(topology: &'t Topology, limits: PairLimits) -> Self {
        Self {
            points: CapturePoints::default(),
            decoder: Decoder::new(),
            control: ControlReader::new(topology),
            zones: Zones::default(),
            pairing: Pairing::new(limits),
            counts: Counts::default(),
            seed: RandomState::default(),
            end: CaptureTime(i64::MIN),
            losses: Vec::new(),
        }
    }

    /// Whether a segment of messages is full, which must be handed over before more is taken.
    pub(super) const fn is_full(&self) -> bool {
        self.pairing.len() >= SEGMENT
    }

    /// Decodes a frame; a message is to be paired next, once its source is known.
    pub(super) fn take(&mut self, frame: &Frame<'_>) -> Option<Taken> {
        let source = frame.at.source;
        let point = self.points.enter(source, frame.time);
        let mut taken = None;
        match self.decoder.decode(frame) {
            // tshark draws the same line: a payload of a byte is no DHCP message.
            Ok(Decoded::Udp(datagram)) if datagram.payload.len() < 2 => {
                self.counts.skip(source, Skip::UdpEmpty);
            }
            Ok(Decoded::Udp(datagram)) => {
                self.counts.message(source);
                let envelope = Envelope {
                    time: frame.time,
                    at: frame.at,
                    link: datagram.link,
                    src: datagram.src,
                    dst: datagram.dst,
                    src_port: datagram.src_port,
                    dst_port: datagram.dst_port,
                };
                self.pairing.push(Observed::new(envelope, &Message::parse(&datagram.payload, datagram.cut)));
                taken = Some(Taken { source, point, identity: identity(&self.seed, &datagram) });
            }
            Ok(Decoded::Tcp(segment)) => {
                let control = self.control.push(&segment, frame.time, frame.at);
                self.counts.tcp(source, control);
            }
            Err(skip) => self.counts.skip(source, skip),
        }
        if (frame.data.len() as u64) < u64::from(frame.original_len) {
            self.counts.cut(source);
        }
        self.end = self.end.max(frame.time);
        taken
    }

    /// Pairs the message that was taken last.
    pub(super) fn pair(&mut self, taken: &Taken) {
        self.pairing.pair(self.zones.of(taken.source), taken.identity, taken.point);
    }

    /// Gives away what was taken: events, and messages with the exchanges that are over if there are `enough` of them.
    fn hand_over(&mut self, batch: &mut Batch, sources: &Sources, enough: bool) {
        self.pairing.hand_over(batch, enough);
        self.hand_over_rest(batch, sources);
    }

    /// Gives away a full segment of messages with the exchanges that are over.
    pub(super) fn hand_over_segment(&mut self, batch: &mut Batch, sources: &Sources) {
        batch.clear();
        self.hand_over(batch, sources, true);
    }

    /// Gives away what is over at an instant, and shows the messages that make no full segment yet.
    pub(super) fn show(&mut self, batch: &mut Batch, sources: &Sources, now: CaptureTime) {
        batch.clear();
        self.pairing.show(batch, now);
        self.hand_over_rest(batch, sources);
    }

    fn hand_over_rest(&mut self, batch: &mut Batch, sources: &Sources) {
        batch.sources.append(&mut self.zones.new);
        batch.spans.extend(sources.iter().map(|source| (source.first, source.last)));
        batch.events.extend(self.control.drain());
        batch.signs.extend(self.control.drain_signs());
        batch.losses.append(&mut self.losses);
        batch.end = self.end;
    }

    /// What it would be if nothing more came.
    pub(super) fn peek(&self, sources: &Sources) -> Ending {
        let Self { control, zones, pairing, counts, end, .. } = self;
        ending((control.clone(), pairing.pairer().clone()), (zones, counts), sources, *end)
    }

    /// Nothing more comes.
    pub(super) fn finish(self, sources: &Sources) -> Ending {
        let Self { control, zones, pairing, counts, end, .. } = self;
        ending((control, pairing.into_pairer()), (&zones, &counts), sources, end)
    }

    /// Makes sources known that were not before.
    pub(super) fn learn_sources(&mut self, sources: &Sources) {
        let new = sources.get(self.zones.of_source.len()..).unwrap_or_default();
        for source in new {
            self.points.add(source.zone.clone());
        }
        self.zones.learn(sources);
    }

    /// Frames of a source are missing between two instants.
    pub(super) fn lost(&mut self, source: SourceId, (from, to): (CaptureTime, CaptureTime)) {
        self.losses.push((self.zones.of(source), from, to));
    }

    /// See [`super::Session::number_from`].
    pub(super) const fn number_from(&mut self, first: ExchangeId) {
        self.pairing.pairer_mut().number_from(first);
    }

    /// See [`super::Session::next_exchange`].
    pub(super) const fn next_exchange(&self) -> ExchangeId {
        self.pairing.pairer().next()
    }

    /// Zone names by number.
    pub(super) fn zones(&self) -> &[String] {
        &self.zones.names
    }

    /// Messages that were taken.
    pub(super) const fn messages(&self) -> u64 {
        self.pairing.messages() as u64
    }

    /// How much is held, as numbers of things.
    pub(super) fn held(&self) -> [(&'static str, usize); 3] {
        let (connections, bytes) = self.control.size();
        [
            ("open exchanges", self.pairing.pairer().open()),
            ("connections", connections),
            ("stream bytes", bytes),
        ]
    }

    /// What became of the frames so far.
    pub(super) const fn counts(&self) -> &Counts {
        &self.counts
    }
}

/// Closes what is open.
fn ending(
    (control, mut pairer): (ControlReader<'_>, Pairer),
    (zones, counts): (&Zones, &Counts),
    sources: &Sources,
    end: CaptureTime,
) -> Ending {
    let (events, channel) = control.finish(end);
    pairer.finish();
    let exchanges = std::iter::from_fn(|| pairer.next_closed()).collect();
    let PairCounts { evicted, orphans } = pairer.counts();
    Ending {
        sources: sources.to_vec(),
        zones: zones.names.clone(),
        troubles: Vec::new(),
        counts: Counts { evicted, orphans, ..counts.clone() },
        exchanges,
        events,
        channel,
        end,
    }
}

/// What is equal for copies of one datagram, and hardly for anything else.
fn identity(seed: &RandomState, datagram: &Datagram<'_>) -> u64 {
    let mut hasher = seed.build_hasher();
    let wide = |high: u32, low: u32| u64::from(high) << 32 | u64::from(low);
    hasher.write_u64(wide(datagram.src.to_bits(), datagram.dst.to_bits()));
    hasher.write_u64(wide(datagram.src_port.into(), datagram.dst_port.into()));
    hasher.write(&datagram.payload);
    hasher.finish()
}

/// Zone names by number, and the zone of every source.
#[derive(Clone, Debug, Default)]
struct Zones {
    names: Vec<String>,
    of_source: Vec<ZoneId>,
    /// Sources that were learned and not told yet.
    new: Vec<Source>,
}

impl Zones {
    fn knows(&self, source: SourceId) -> bool {
        (source.0 as usize) < self.of_source.len()
    }

    fn of(&self, source: SourceId) -> ZoneId {
        self.of_source.get(source.0 as usize).copied().unwrap_or_default()
    }

    fn learn(&mut self, sources: &Sources) {
        for source in sources.get(self.of_source.len()..).unwrap_or_default() {
            let at = self.names.iter().position(|name| *name == source.zone).unwrap_or_else(|| {
                self.names.push(source.zone.clone());
                self.names.len() - 1
            });
            self.of_source.push(ZoneId(u16::try_from(at).unwrap_or(u16::MAX)));
            self.new.push(source.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every recording of the lab.
    fn recordings() -> Vec<Input> {
        let files = |folder: &std::path::Path| {
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>()
        };
        let folders = files(concat!(env!("CARGO_MANIFEST_DIR"), "/captures").as_ref());
        let mut paths: Vec<_> = folders.iter().filter(|it| it.is_dir()).flat_map(|it| files(it)).collect();
        paths.retain(|path| path.to_string_lossy().contains(".pcap"));
        paths.sort();
        paths.into_iter().map(|path| Input { zone: None, path }).collect()
    }

    /// All of them, read with so many threads.
    fn read_all(threads: usize) -> (Vec<String>, Vec<Source>, Ending) {
        let inputs = recordings();
        let (mut shown, mut sources, mut placed) = (Vec::new(), Vec::<Source>::new(), Vec::new());
        let ending = read(&inputs, &Topology::default(), PairLimits::default(), threads, |batch| {
            sources.append(&mut batch.sources);
            let messages = batch.messages.iter().flat_map(|segment| segment.iter());
            placed.extend(messages.map(|message| (message.zone, message.at.source)));
            assert!(placed.last().is_none_or(|(_, source)| (source.0 as usize) < sources.len()));
            shown.push(format!("{batch:?}"));
        });
        for (zone, source) in placed {
            assert_eq!(ending.zones[usize::from(zone.0)], sources[source.0 as usize].zone);
        }
        (shown, sources, ending)
    }

    #[test]
    fn a_caller_that_panics_leaves_no_reader_behind() {
        // More batches than go round, so that the reader waits for one when the caller is gone.
        let inputs: Vec<Input> = std::iter::repeat_n(recordings(), 20).flatten().collect();
        let mut messages = 0;
        let limits = PairLimits::default();
        let mut count = |batch: &mut Batch| messages += batch.messages.as_ref().map_or(0, |it| it.len());
        read(&inputs, &Topology::default(), limits, 1, &mut count);
        assert!(messages > (ROUND + 2) * SEGMENT, "{messages} messages");
        let panics = |_: &mut Batch| {
            thread::sleep(std::time::Duration::from_millis(500));
            panic!("on purpose");
        };
        let read = || read(&inputs, &Topology::default(), limits, 2, panics);
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(read)).is_err());
    }

    #[test]
    fn batches_are_the_same_on_one_thread_and_on_two() {
        let (one, two) = (read_all(1), read_all(2));
        assert!(one.0.len() > 1, "{} batches", one.0.len());
        assert_eq!((&one.0, &one.1), (&two.0, &two.1));
        assert_eq!(one.1.len(), one.2.sources.len());
        let total = one.2.counts.total();
        assert_eq!(total.frames(), one.2.sources.iter().map(|source| source.frames).sum::<u64>());
        assert_eq!(format!("{:?}", one.2), format!("{:?}", two.2));
    }
}
