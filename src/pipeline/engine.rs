//! The survey of what was paired, and the decisions behind it.

use std::borrow::Cow;
use std::collections::VecDeque;

use super::intake::{Batch, Ending};
use super::{Analysis, Counts, Events, Options, Window};
use crate::capture::Source;
use crate::exchange::lease::Leases;
use crate::exchange::pair::Late;
use crate::exchange::{Answers, Exchange, Messages};
use crate::ha::decide::{Decision, Evidence, Gaps, Parts};
use crate::ha::events::{ChannelReport, HaEvent, SignOfLife};
use crate::ha::infer;
use crate::ha::network::Network;
use crate::ha::replay::{KEPT_EVENTS_NS, Replay, Replayer};
use crate::ha::timeline::Timeline;
use crate::ha::topology::Topology;
use crate::ha::updates::Updates;
use crate::ha::verdict::{Judgement, Stories, judge};
use crate::ha::witness::{Given, Witnesses};
use crate::units::{CaptureTime, MessageId, SECOND};

/// Events are kept this long for the decisions behind them, of which the replay looks back furthest:
/// to commands whose end it had yet to conclude, before the instant up to which it has run.
const EVENTS_NS: i64 = 2 * KEPT_EVENTS_NS + 8 * SECOND;

/// Takes what the reader gives and makes batches of it.
#[derive(Clone)]
pub(super) struct Engine<'t> {
    window: Window,
    sentences: bool,
    threads: usize,
    given: Given,
    /// Exchanges that are over and were not surveyed.
    closed: VecDeque<Exchange>,
    /// When the one behind them began, and its first message.
    unfinished: Option<(CaptureTime, MessageId)>,
    /// What was read of the control channel since the last survey.
    events: Vec<HaEvent>,
    signs: Vec<SignOfLife>,
    /// How much of it was surveyed since a batch was settled.
    held: usize,
    zones: Vec<String>,
    /// Absent until the first survey, because who the servers are may have to be inferred.
    replayer: Option<Replayer>,
    /// The instant up to which the replay is known.
    told: CaptureTime,
    /// The first message that was not surveyed.
    learned: MessageId,
    /// Exchanges that were surveyed and are not decided yet, and the servers' parts in them.
    ahead: VecDeque<Exchange>,
    parts: VecDeque<Parts>,
    gaps: Gaps,
    updates: Updates,
    leases: Leases,
    /// Latest instant read.
    end: CaptureTime,
    /// Everything before this instant was read, where a clock tells; behind `end` otherwise.
    clock: CaptureTime,
    /// Nothing more will be read.
    ended: bool,
    state: Analysis<'t>,
}

impl<'t> Engine<'t> {
    pub(super) fn new(topology: &'t Topology, options: Options, threads: usize) -> Self {
        let Options { given, mut window, sentences, .. } = options;
        if !given.is_empty() {
            window = Window::WHOLE;
        }
        Self {
            window,
            sentences,
            threads,
            given,
            closed: VecDeque::new(),
            unfinished: None,
            events: Vec::new(),
            signs: Vec::new(),
            held: 0,
            zones: Vec::new(),
            replayer: None,
            told: CaptureTime(i64::MIN),
            learned: MessageId(0),
            ahead: VecDeque::new(),
            parts: VecDeque::new(),
            gaps: Gaps::default(),
            updates: Updates::default(),
            leases: Leases::default(),
            end: CaptureTime(i64::MIN),
            clock: CaptureTime(i64::MIN),
            ended: false,
            state: Analysis {
                network: Network::new(Cow::Borrowed(topology)),
                sources: Vec::new(),
                counts: Counts::default(),
                troubles: Vec::new(),
                messages: Messages::default(),
                exchanges: Vec::new(),
                judgements: Vec::new(),
                answers: Answers::default(),
                decisions: Vec::new(),
                leases: Vec::new(),
                stories: Stories::default(),
                events: Events::default(),
                channel: ChannelReport::default(),
                witnesses: Witnesses::default(),
                timeline: Timeline::default(),
                replay: Replay::default(),
                watermark: None,
                leases_watermark: Some(CaptureTime(i64::MIN)),
                settled: 0,
            },
        }
    }

    /// Takes what was read, and settles a batch when enough is known.
    pub(super) fn read(&mut self, batch: &mut Batch, take: &mut impl FnMut(&Analysis<'_>)) {
        self.learn(batch);
        if self.closed.len() < self.window.batch && self.heard() < self.window.events {
            return;
        }
        self.survey(false);
        self.settle_due(take);
        if self.held >= self.window.events {
            // A quiet network with heartbeats: what is long over need not wait for more clients.
            let over = self.ahead.iter().take_while(|exchange| self.is_known_behind(exchange)).count();
            self.settle_and_give(over.min(self.window.batch), self.told, take);
        }
    }

    /// Everything before `clock` was read: settles what is known behind, few as it may be.
    pub(super) fn tick(&mut self, clock: CaptureTime, take: &mut impl FnMut(&Analysis<'_>)) {
        self.clock = clock;
        let first = self.closed.front().map(|exchange| exchange.end);
        // The first survey finds out who the servers are where nobody said it, so it waits for the first decision.
        let early = first.is_none_or(|end| self.known().since(end) < Gaps::REACH_NS);
        if self.replayer.is_none() && early && self.heard() < self.window.events {
            return;
        }
        self.survey(false);
        let horizon = self.horizon();
        let over = self.ahead.iter().take_while(|exchange| exchange.end < horizon).count();
        if over > 0 || self.state.watermark.is_none_or(|told| horizon.since(told) > SECOND) {
            self.settle_and_give(over.min(self.window.batch), horizon, take);
        }
    }

    /// The instant up to which waiting longer could not make anything much surer.
    fn horizon(&self) -> CaptureTime {
        let known = self.told;
        self.state.timeline.complete_until(known).min(known.plus(-Gaps::REACH_NS))
    }

    /// What it would come to if nothing more were read; only what is not settled yet is in it.
    pub(super) fn peek(&self, ending: Ending) -> Analysis<'t> {
        let mut peek = self.clone();
        // Lists of what was settled before, and is in no batch to come.
        peek.window = Window::WHOLE;
        peek.finish(ending, &mut |_| {})
    }

    /// How much is held, as numbers of things.
    pub(super) fn held(&self) -> [(&'static str, usize); 4] {
        let state = &self.state;
        [
            ("messages", state.messages.from(MessageId(0)).len()),
            ("exchanges", self.ahead.len() + self.closed.len()),
            ("events", state.events.all().len() + self.events.len()),
            ("leases", self.leases.held()),
        ]
    }

    fn learn(&mut self, batch: &mut Batch) {
        if let Some(segment) = batch.messages.take() {
            self.state.messages.share(segment);
        }
        self.state.messages.show(&mut batch.open);
        for late in batch.late.drain(..) {
            self.sight(late);
        }
        self.closed.extend(batch.exchanges.drain(..));
        self.unfinished = batch.unfinished;
        for (zone, from, to) in batch.losses.drain(..) {
            self.gaps.dropped(zone, from, to);
        }
        self.events.append(&mut batch.events);
        self.signs.append(&mut batch.signs);
        for source in batch.sources.drain(..) {
            self.name_zone(source);
        }
        for (source, span) in self.state.sources.iter_mut().zip(batch.spans.drain(..)) {
            (source.first, source.last) = span;
        }
        self.end = batch.end;
    }

    /// A message was seen again whose exchange is over.
    fn sight(&mut self, late: Late) {
        // The exchange may have left; then the message alone tells what it is a copy of.
        let first = self.ahead.front().or(self.closed.front()).map(|it| it.id.0);
        let Some(at) = first.and_then(|first| late.exchange.0.checked_sub(first)) else { return };
        let at = at as usize;
        let waiting = at.checked_sub(self.ahead.len());
        let place = match waiting {
            None => self.ahead.get_mut(at),
            Some(at) => self.closed.get_mut(at),
        };
        if let Some(exchange) = place {
            exchange.sight(late.step, late.again);
        }
    }

    /// Settles batches while enough is known behind them.
    fn settle_due(&mut self, take: &mut impl FnMut(&Analysis<'_>)) {
        while self.is_due() {
            self.settle_and_give(self.window.batch, self.told, take);
        }
    }

    fn settle_and_give(&mut self, count: usize, until: CaptureTime, take: &mut impl FnMut(&Analysis<'_>)) {
        self.held = 0;
        self.settle(count, until);
        take(&self.state);
        self.forget();
    }

    /// Whether enough was read behind the next batch, in exchanges and in time.
    fn is_due(&self) -> bool {
        let Window { ahead, most, batch, .. } = self.window;
        let Some(behind) = self.ahead.len().checked_sub(batch) else { return false };
        let last = batch.checked_sub(1).and_then(|last| self.ahead.get(last));
        behind >= ahead && (behind >= most || last.is_none_or(|last| self.is_known_behind(last)))
    }

    /// What the control channel showed since the last survey.
    const fn heard(&self) -> usize {
        self.events.len() + self.signs.len()
    }

    /// The instant before which every event is known: the end of a command may be only when Kea gives it up.
    fn known(&self) -> CaptureTime {
        self.end.max(self.clock).plus(-KEPT_EVENTS_NS)
    }

    /// Where the capture ends, as far as that is known.
    const fn capture_end(&self) -> CaptureTime {
        if self.ended { self.end } else { CaptureTime(i64::MAX) }
    }

    /// The first message behind so many of the exchanges that were surveyed.
    fn message_behind(&self, count: usize) -> Option<MessageId> {
        let closed = self.ahead.get(count).or(self.closed.front()).and_then(Exchange::first_message);
        let first = closed.or(self.unfinished.map(|(_, first)| first));
        if self.ended { first } else { first.or(Some(self.state.messages.next())) }
    }

    /// Whether the servers' states are known for long enough after an exchange.
    fn is_known_behind(&self, exchange: &Exchange) -> bool {
        self.told.since(exchange.end) >= Window::BEHIND_NS
    }

    /// Everything was read: gives the last batch.
    pub(super) fn finish(mut self, ending: Ending, take: &mut impl FnMut(&Analysis<'_>)) -> Analysis<'t> {
        let Ending { sources, zones, troubles, counts, exchanges, events, mut channel, end } = ending;
        self.closed.extend(exchanges);
        self.unfinished = None;
        self.events.extend(events);
        self.signs.append(&mut channel.signs);
        (self.zones, self.end) = (zones, end);
        self.ended = true;
        loop {
            let last = self.closed.len() <= self.window.batch;
            self.survey(last);
            self.settle_due(take);
            if last {
                break;
            }
        }
        self.settle(self.ahead.len(), self.told);
        let Self { window, leases, mut state, .. } = self;
        state.counts = Counts { forgotten: leases.forgotten, ..counts };
        (state.sources, state.troubles, state.channel) = (sources, troubles, channel);
        // A million of them would be too much for the last batch.
        let mut running = leases.running(end).peekable();
        state.leases.extend(running.by_ref().take(window.batch));
        state.leases.sort_by_key(|lease| (lease.start, lease.exchange));
        while let Some(next) = running.peek() {
            state.leases_watermark = Some(next.start);
            take(&state);
            state.empty();
            state.leases.extend(running.by_ref().take(window.batch));
        }
        state.leases_watermark = None;
        state
    }

    fn name_zone(&mut self, source: Source) {
        if !self.zones.contains(&source.zone) {
            self.zones.push(source.zone.clone());
        }
        self.state.sources.push(source);
    }

    /// Learns from the exchanges that were closed since the last survey: who the
    /// servers are, who hears whom, what shows which state.
    fn survey(&mut self, last: bool) {
        self.held += self.heard();
        let count = self.closed.len().min(self.window.batch);
        let new: Vec<Exchange> = self.closed.drain(..count).collect();
        let unsurveyed = self.closed.front().map(|it| it.start).or(self.unfinished.map(|(start, _)| start));
        self.infer();
        let (capture_end, known) = (self.capture_end(), self.known());
        let Self { state, replayer, zones, gaps, ahead, parts, end, threads, updates, .. } = self;
        let Analysis { network, messages, answers, events, timeline, replay, .. } = state;
        let topology = &*network.topology;
        let mut read = std::mem::take(&mut self.events);
        read.sort_by_key(|event| (event.time, event.at));
        for event in read.iter_mut().filter(|_| topology.inferred) {
            event.attribute(topology);
        }
        timeline.add_events(topology, &read);
        updates.add(topology, &read);
        events.add(&mut read);
        self.events = read;
        for sign in self.signs.drain(..) {
            timeline.alive(sign.server, sign.time, sign.at);
        }
        network.name_zones(zones);
        for message in messages.from(self.learned) {
            network.machines.learn(message);
        }
        self.learned = messages.next();
        for exchange in &new {
            network.machines.attribute(exchange, messages, answers);
            for step in &exchange.replies {
                if let (Some(answer), Some(reply)) = (answers.get(&step.first), messages.get(step.first)) {
                    network.learn(reply, answer);
                }
            }
        }
        network.settle();
        let evidence = Evidence { network, messages, answers, events: events.all(), updates, capture_end };
        let replayer = replayer.get_or_insert_with(|| Replayer::new(&network.topology));
        let worked_out = shared(*threads, &new, |new| {
            let mut queries = Vec::with_capacity(4 * new.len());
            let parts = new.iter().map(|exchange| {
                let parts = evidence.parts(exchange);
                evidence.heard(exchange, &parts, &mut queries);
                parts
            });
            (parts.collect::<Vec<_>>(), queries)
        });
        let first = parts.len();
        for (more, queries) in worked_out {
            parts.extend(more);
            replayer.hear(queries);
        }
        for (exchange, parts) in new.iter().zip(parts.iter().skip(first)) {
            evidence.observe(exchange, parts, timeline);
            gaps.observe(exchange, messages);
        }
        ahead.extend(new);
        timeline.settle();
        let oldest = ahead.iter().map(|it| it.start).min().unwrap_or(*end);
        gaps.settle(oldest);
        // Queries that were not surveyed come before what follows them.
        let until = (!last).then(|| unsurveyed.map_or(known, |start| known.min(start)));
        replayer.advance(&network.topology, events.all(), until, *end);
        replayer.tell(until.unwrap_or(*end), replay);
        self.told = until.unwrap_or(CaptureTime(i64::MAX));
    }

    /// Works out who the servers are where nobody said it: once, from what was read up to the first survey.
    fn infer(&mut self) {
        let network = &mut self.state.network;
        if self.replayer.is_none() && infer::is_needed(&network.topology) {
            self.events.sort_by_key(|event| (event.time, event.at));
            let events = &self.events;
            let inferred = infer::infer(&network.topology, events, &self.state.messages);
            *network = Network::new(Cow::Owned(inferred));
        }
    }

    /// Decides the first `count` exchanges that were surveyed, and puts together what the batch settles,
    /// which is nothing of what happened after `until`.
    fn settle(&mut self, count: usize, until: CaptureTime) {
        let next = self.message_behind(count);
        let (capture_end, known) = (self.capture_end(), self.known());
        let Self { state, ahead, parts, gaps, end, leases, updates, .. } = self;
        // Whatever is not surveyed begins behind what the replay told, which in the end is everything.
        let behind = Some(until).filter(|until| until.0 < i64::MAX);
        let start = ahead.iter().skip(count).map(|it| it.start).chain(behind).min();
        state.watermark = start;
        state.messages.settle(next);
        state.events.settle(start.map(|_| known));
        let Analysis { network, messages, answers, events, timeline, replay, witnesses, .. } = state;
        let evidence = Evidence { network, messages, answers, events: events.all(), updates, capture_end };
        let wanted = self.sentences || state.settled == 0;
        let exchanges: Vec<Exchange> = ahead.drain(..count).collect();
        let parts: Vec<Parts> = parts.drain(..count).collect();
        let decided = shared(self.threads, &exchanges, |some| {
            let from = some.first().zip(exchanges.first()).map_or(0, |(one, first)| one.id.0 - first.id.0);
            let parts = parts.get(from as usize..).unwrap_or_default();
            let (asking, follower) = (timeline.ask(), replay.follow());
            let mut decisions: Vec<Decision> = Vec::with_capacity(4 * some.len());
            let judge = |(exchange, parts): (&Exchange, &Parts)| {
                let first = decisions.len();
                evidence.decide(exchange, parts, (&asking, &follower, gaps), &mut decisions);
                judge(&evidence, exchange, decisions.get(first..).unwrap_or_default(), wanted)
            };
            let judgements: Vec<Judgement> = some.iter().zip(parts).map(judge).collect();
            (decisions, judgements)
        });
        // The first part is taken as it is.
        let mut decided = decided.into_iter();
        let (mut decisions, mut judgements) = decided.next().unwrap_or_default();
        for (mut more, mut judged) in decided {
            decisions.append(&mut more);
            judgements.append(&mut judged);
        }
        let judge_again = |decisions: &[Decision]| -> Vec<Judgement> {
            let mut rest = decisions;
            let judged = exchanges.iter().map(|exchange| {
                let own = rest.partition_point(|decision| decision.exchange <= exchange.id);
                let (own, others) = rest.split_at(own);
                rest = others;
                judge(&evidence, exchange, own, wanted)
            });
            judged.collect()
        };
        leases.take(&exchanges, messages, answers, wanted, |at| {
            judgements.get(at).map_or(u32::MAX, |judgement| state.stories.number(judgement))
        });
        let mut ended = leases.ended();
        if !self.given.is_empty() {
            *witnesses = Witnesses::new(std::mem::take(&mut self.given), &evidence);
            ended.extend(std::mem::take(leases).running(*end));
            witnesses.compare(&evidence, &mut decisions, &ended);
            judgements = judge_again(&decisions);
            for lease in &mut ended {
                let at = exchanges.binary_search_by_key(&lease.exchange, |exchange| exchange.id);
                if let Some(judgement) = at.ok().and_then(|at| judgements.get(at)) {
                    lease.story = state.stories.number(judgement);
                }
            }
        }
        state.settled += exchanges.len() as u64;
        (state.exchanges, state.decisions, state.judgements, state.leases) =
            (exchanges, decisions, judgements, ended);
    }

    /// Lets go of what the exchanges ahead do not need.
    fn forget(&mut self) {
        let first = self.message_behind(0);
        let Self { state, replayer, updates, .. } = self;
        if let Some(first) = first {
            state.messages.forget(first);
            state.answers.forget(first);
        }
        if let Some(start) = state.watermark {
            state.events.forget(start.plus(-EVENTS_NS));
            // They are asked for by the query that caused them, which they follow.
            updates.forget(start.plus(-SECOND));
            state.timeline.forget(start);
            if let Some(replayer) = replayer {
                replayer.forget(start);
            }
        }
    }
}

/// Does the work of a list on several threads, each with a part of it; the results are in order.
fn shared<T: Sync, R: Send>(threads: usize, list: &[T], work: impl Fn(&[T]) -> R + Sync) -> Vec<R> {
    /// A thread is worth its start for so many exchanges.
    const LEAST: usize = 512;
    let parts = threads.min(list.len() / LEAST).max(1);
    let mut chunks = list.chunks(list.len().div_ceil(parts).max(1));
    let Some(first) = chunks.next() else { return Vec::new() };
    std::thread::scope(|scope| {
        let others: Vec<_> = chunks.map(|part| scope.spawn(|| work(part))).collect();
        let mut results = vec![work(first)];
        for other in others {
            match other.join() {
                Ok(result) => results.push(result),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        results
    })
}
