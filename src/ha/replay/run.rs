//! The loop over the facts, and what the relationships of one machine share:
//! its life and its DHCP service.

use std::collections::{BTreeMap, HashMap, VecDeque};

use foldhash::fast::RandomState;

use super::facts::{Facts, Lull, lulls};
use super::input::{Input, TIMEOUT, What, inputs, number};
use super::pulse::{Beat, Pulses};
use super::seat::{Seat, Seen};
use super::{Cause, Counted, Query, Replay, spans};
use crate::ha::events::HaEvent;
use crate::ha::machine::{Holder, Maintained, Service, notified, notifier};
use crate::ha::state::State;
use crate::ha::timeline::Basis;
use crate::ha::topology::{RelationshipId, Role, Topology};
use crate::units::{CaptureTime, SECOND, ServerId};

/// One machine: what its relationships share.
#[derive(Clone, Debug, Default)]
pub(super) struct Machine {
    /// Its seats, in the order of its own file.
    pub(super) seats: Vec<usize>,
    pub(super) service: Service,
    /// Changes of the service.
    pub(super) switched: Vec<(CaptureTime, bool)>,
    /// When it was not running: from, and until.
    pub(super) outages: Vec<(CaptureTime, CaptureTime)>,
    /// The last refused connection, while it does not run.
    refused: Option<CaptureTime>,
    /// The last sign of its own.
    seen: Option<CaptureTime>,
    /// It refuses connections although it runs: a firewall, or a wrong address.
    refuses_anyway: bool,
}

/// Kea's state machine of every active peer, run over what was read so far.
#[derive(Clone, Debug)]
pub struct Replayer {
    run: Run,
    /// Queries that are not due yet, as they came.
    waiting: VecDeque<Waiting>,
    /// Everything before this instant was run.
    done: CaptureTime,
}

/// Queries that came together.
#[derive(Clone, Debug)]
struct Waiting {
    queries: Vec<Query>,
    /// When the first and the last of them were.
    first: CaptureTime,
    last: CaptureTime,
}

impl Replayer {
    /// Machines that have seen nothing yet.
    pub fn new(topology: &Topology) -> Self {
        Self { run: Run::new(topology), waiting: VecDeque::new(), done: CaptureTime(i64::MIN) }
    }

    /// Queries for a later [`Replayer::advance`], in any order.
    pub fn hear(&mut self, queries: Vec<Query>) {
        let times = || queries.iter().map(|query| query.time);
        if let (Some(first), Some(last)) = (times().min(), times().max()) {
            self.waiting.push_back(Waiting { queries, first, last });
        }
    }

    /// Runs the machines up to an instant; `None` runs them to the end of the capture.
    ///
    /// `events` are all that are known, in time order, of which those may have left that
    /// ended [`KEPT_EVENTS_NS`] before the last call's instant.
    pub fn advance(
        &mut self,
        topology: &Topology,
        events: &[HaEvent],
        until: Option<CaptureTime>,
        end: CaptureTime,
    ) {
        let until = until.map(|until| until.max(self.done));
        let due = |time: CaptureTime| until.is_none_or(|until| time < until);
        let from = events.partition_point(|event| event.time.plus(KEPT_EVENTS_NS) < self.done);
        let inputs = inputs(topology, events.get(from..).unwrap_or_default(), (self.done, due), end);
        let Self { run, waiting, .. } = self;
        let some = || waiting.iter().filter(|some| due(some.first));
        let queries = || some().flat_map(|some| &some.queries).filter(|query| due(query.time));
        let lulls = lulls(&inputs, queries(), |query| run.place_of(query));
        let mut facts = None;
        for (at, lull) in lulls.iter().enumerate() {
            if let Some(input) = at.checked_sub(1).and_then(|before| inputs.get(before)) {
                run.take(topology, input);
            }
            if run.is_quiet(lull) {
                continue;
            }
            for fact in facts.get_or_insert_with(|| Facts::between(&inputs, queries())).after(at) {
                run.take(topology, &Input::of_query(fact.query, fact.is_reply));
            }
        }
        for some in waiting.iter_mut().filter(|some| due(some.first) && !due(some.last)) {
            some.queries.retain(|query| !due(query.time));
            some.first = some.queries.iter().map(|query| query.time).min().unwrap_or(some.last);
        }
        waiting.retain(|some| !due(some.last));
        self.done = until.unwrap_or(end);
    }

    /// What came of it so far, into `replay`; spans end at `end`.
    pub fn tell(&mut self, end: CaptureTime, replay: &mut Replay) {
        self.run.tell(end.max(self.done), replay);
    }

    /// Forgets what says nothing any more about whatever happens from an instant on.
    pub fn forget(&mut self, before: CaptureTime) {
        self.run.pulses.forget(before);
    }
}

/// Counted clients that are kept; a partner is given up after a few.
const MOST_COUNTED: usize = 100_000;

/// The end of a command that was never answered is concluded this long after it.
pub const KEPT_EVENTS_NS: i64 = TIMEOUT + SECOND;

/// Runs the machines over facts in time order.
#[cfg(test)]
pub(super) fn run(topology: &Topology, inputs: &[Input<'_>], end: CaptureTime) -> Replay {
    let (mut run, mut replay) = (Run::new(topology), Replay::default());
    for input in inputs {
        run.take(topology, input);
    }
    run.tell(end, &mut replay);
    replay
}

#[derive(Clone, Debug)]
struct Run {
    seats: Vec<Seat>,
    places: HashMap<(ServerId, RelationshipId), usize, RandomState>,
    machines: BTreeMap<ServerId, Machine>,
    counted: Vec<Counted>,
    pulses: Pulses,
}

impl Run {
    fn new(topology: &Topology) -> Self {
        let mut run = Self {
            seats: Vec::new(),
            places: HashMap::default(),
            machines: BTreeMap::new(),
            counted: Vec::new(),
            pulses: Pulses::default(),
        };
        for (at, relationship) in topology.relationships.iter().enumerate() {
            let id = RelationshipId(at);
            for peer in relationship.peers.iter().filter(|peer| peer.role != Role::Backup) {
                let Some(server) = peer.server else { continue };
                let limits = topology.limits_of(server, id).unwrap_or(relationship.limits);
                let mut seat = Seat::new((server, id), peer.role, relationship.mode, limits);
                seat.auto_failover = peer.auto_failover;
                seat.number = number(topology, server, id);
                run.places.insert((server, id), run.seats.len());
                run.pulses.watch((server, id), limits.heartbeat_delay_ms);
                run.machines.entry(server).or_default().seats.push(run.seats.len());
                run.seats.push(seat);
            }
        }
        for machine in run.machines.values_mut() {
            machine.seats.sort_by_key(|at| run.seats.get(*at).map(|seat| seat.number));
        }
        run
    }

    fn place_of(&self, query: &Query) -> Option<usize> {
        self.places.get(&(query.server, query.relationship)).copied()
    }

    /// Whether these queries and replies change nothing, which is usual: the servers speak with
    /// each other, and those that answer are in a state in which they answer. Then they are over with this.
    fn is_quiet(&mut self, lull: &Lull) -> bool {
        let quiet = lull.deeds.iter().all(|(place, answered)| {
            let Some(seat) = self.seats.get(*place) else { return false };
            let refused = self.machines.get(&seat.server).is_none_or(|it| it.refused.is_some());
            let quiet = seat.quiet_until(lull.end);
            !refused && quiet.hears && answered.is_none_or(|scope| quiet.answers(scope))
        });
        for (server, last) in lull.replied.iter().filter(|_| quiet) {
            if let Some(machine) = self.machines.get_mut(server) {
                machine.seen = machine.seen.max(Some(*last));
            }
        }
        quiet
    }

    fn tell(&self, end: CaptureTime, replay: &mut Replay) {
        replay.transitions = self.seats.iter().flat_map(|seat| seat.transitions.iter().cloned()).collect();
        for transition in &mut replay.transitions {
            transition.by = transition.by.min(end);
        }
        replay.transitions.sort_by_key(super::Transition::instant);
        let unacked = |seat: &Seat| (seat.server, seat.relationship, seat.unacked());
        replay.unacked = self.seats.iter().map(unacked).collect();
        replay.counted.clone_from(&self.counted);
        for counted in &mut replay.counted {
            // A good heartbeat that is missing would have started the clock again.
            if self.pulses.near_hole((counted.server, counted.relationship), counted.time) {
                counted.confidence = counted.confidence.min(0.85);
            }
        }
        replay.spans = spans::spans(&self.seats, &self.machines, end);
        replay.pulses.clone_from(&self.pulses);
    }

    fn take(&mut self, topology: &Topology, input: &Input<'_>) {
        let seen = (input.time, input.at);
        match input.what {
            What::Refuses => self.pulses.beat(input.seat, input.time, Beat::Refused),
            What::Hole => return self.pulses.hole(input.seat, input.time),
            _ => {}
        }
        if !self.life(input, seen) {
            return;
        }
        let Some(at) = self.places.get(&input.seat).copied() else { return };
        let Some(machine) = self.machines.get_mut(&input.seat.0) else { return };
        let Some(seat) = self.seats.get_mut(at) else { return };
        let on = machine.service.is_on();
        let service = &mut machine.service;
        match &input.what {
            What::Speaks { .. } => seat.speaks(input.time),
            What::Refuses | What::Hole => {}
            What::Heartbeat { partner, unsent, date } => {
                seat.partner_clock(input.time, *date);
                seat.heartbeat(*partner, *unsent, seen, service);
            }
            What::Failed { .. } => seat.failed(seen, service),
            What::Updated { conflict } => seat.updated(conflict.as_ref(), seen, service),
            What::Says { state, scopes, date } => {
                seat.own_clock(input.time, *date);
                seat.show(*state, seen, Basis::Heartbeat, Cause::Observed, service);
                if let (Some(names), Some(shown)) = (scopes, seat.state)
                    && shown == *state
                {
                    seat.says_scopes(topology.scopes_named(input.seat.1, names), input.time);
                }
            }
            What::SendsUpdate => seat.sends_update(seen, service),
            What::Syncs => seat.show(State::Syncing, seen, Basis::Control, Cause::Observed, service),
            What::Synced => seat.synced(seen, service),
            What::Resets => seat.resets(seen, service),
            What::HasReset => seat.has_reset(seen, service),
            What::IsReset => seat.command(State::Waiting, seen, Cause::Reset, service),
            What::Notifies { cancel, reply } => {
                let outcome = seat.state.map(|own| notifier(own, *cancel, *reply));
                maintain(seat, outcome, seen, service);
            }
            What::Notified { cancel, reply } => {
                let outcome = seat.state.map(|own| notified(own, *cancel, *reply));
                maintain(seat, outcome, seen, service);
            }
            What::Disabled(number) => service.disable(Holder::Partner(*number)),
            What::Enabled(number) => service.enable(Holder::Partner(*number)),
            What::PartnerSynced(number) => {
                seat.partner_synced(service);
                service.enable(Holder::Partner(*number));
            }
            What::Hears(query) => {
                let counted = seat.hears(query, on);
                self.counted.extend(counted.filter(|_| self.counted.len() < MOST_COUNTED));
            }
            What::Answers(query) => seat.answers(query, seen, service),
        }
        match input.what {
            _ if seat.is_shown(input.time) => self.pulses.beat(input.seat, input.time, Beat::Shown),
            What::Failed { told: true } => self.pulses.beat(input.seat, input.time, Beat::Failed),
            _ => {}
        }
        if machine.service.is_on() != on {
            machine.switched.push((input.time, !on));
        }
    }

    /// Whether the machine runs; notes when it stops and starts.
    fn life(&mut self, input: &Input<'_>, seen: Seen) -> bool {
        let Some(machine) = self.machines.get_mut(&input.seat.0) else { return false };
        let refuses = matches!(input.what, What::Refuses);
        let silent_since = match input.what {
            What::Hears(_) | What::Refuses | What::Hole | What::Failed { .. } => None,
            _ => machine.seen.replace(input.time),
        };
        let Some(last) = machine.refused else {
            if refuses && !machine.refuses_anyway {
                machine.refused = Some(input.time);
                machine.outages.push((input.time, CaptureTime(i64::MAX)));
            }
            if let What::Says { state: State::Waiting, .. } = input.what
                && let Some(at) = self.places.get(&input.seat)
                && let Some(after) = self.seats.get(*at).and_then(|seat| seat.was_restarted(seen))
            {
                self.start(input.seat.0, after, seen);
            }
            if let (What::Speaks { refused: true }, Some(since)) = (&input.what, silent_since) {
                self.returns(input, since);
            }
            return !refuses;
        };
        let heartbeat_delay = machine
            .seats
            .first()
            .and_then(|at| self.seats.get(*at))
            .map_or(0, |seat| i64::from(seat.limits.heartbeat_delay_ms) * 1_000_000);
        match &input.what {
            What::Refuses => {
                machine.refused = Some(input.time);
                false
            }
            // The end of what it asked before, or what a dead machine cannot hear.
            What::Heartbeat { .. } | What::Failed { .. } | What::Updated { .. } | What::Hears(_) => false,
            // A started server sends its first heartbeat no sooner than a heartbeat-delay later
            // (kea-ha §3.1); one that speaks sooner, or serves at once, was never gone.
            What::Says { state: State::Waiting, .. } => {
                self.start(input.seat.0, last, seen);
                true
            }
            What::Speaks { .. } if input.time.since(last) > heartbeat_delay / 10 * 9 => {
                self.start(input.seat.0, last, seen);
                true
            }
            _ => {
                machine.refuses_anyway = true;
                machine.refused = None;
                machine.outages.pop();
                true
            }
        }
    }

    /// A server that was silent for too short a time for a request of its own to have timed out
    /// unseen, and for too long to have had nothing to say, was started meanwhile: its first
    /// heartbeat comes a heartbeat-delay after that (kea-ha §3.1). Only a new connection tells it
    /// from one that was cut for a while, and only one that is refused has no answer that says more.
    fn returns(&mut self, input: &Input<'_>, since: CaptureTime) {
        let Some(machine) = self.machines.get_mut(&input.seat.0) else { return };
        let seats = || machine.seats.iter().filter_map(|at| self.seats.get(*at));
        let delay = seats().map(|seat| i64::from(seat.limits.heartbeat_delay_ms)).max().unwrap_or_default();
        let silence = input.time.since(since);
        let started = input.time.plus(-delay * 1_000_000);
        let heard_of = seats().all(Seat::heartbeats) && !self.pulses.near_hole(input.seat, input.time);
        if silence <= 2 * delay * 1_000_000 + SECOND || silence >= TIMEOUT || !heard_of {
            return;
        }
        machine.service = Service::default();
        for at in &machine.seats {
            if let Some(seat) = self.seats.get_mut(*at) {
                seat.started_unseen((since, started), input.at, &mut machine.service);
            }
        }
        machine.switched.push((started, machine.service.is_on()));
    }

    fn start(&mut self, server: ServerId, after: CaptureTime, seen: Seen) {
        let Some(machine) = self.machines.get_mut(&server) else { return };
        machine.refused = None;
        if let Some(outage) = machine.outages.last_mut() {
            outage.1 = seen.0;
        }
        machine.service = Service::default();
        for at in &machine.seats {
            if let Some(seat) = self.seats.get_mut(*at) {
                seat.start(after, seen, &mut machine.service);
            }
        }
        machine.switched.push((seen.0, machine.service.is_on()));
    }
}

fn maintain(seat: &mut Seat, outcome: Option<Maintained>, seen: Seen, service: &mut Service) {
    match outcome {
        Some(Maintained::Enters(state)) => seat.command(state, seen, Cause::Maintenance, service),
        Some(Maintained::Returns) => seat.returns(seen, service),
        Some(Maintained::Stays) | None => {}
    }
}
