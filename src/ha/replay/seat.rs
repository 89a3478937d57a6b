//! One server in one relationship: its state machine, and what it has shown of itself.

use std::collections::HashMap;

use super::{Cause, Counted, GRACE, Query, Transition};
use crate::ha::machine::{
    ClientKey, Clients, Clock, Conditions, Noted, Partner, Service, is_unacked, next, should_partner_down,
    unacked_left,
};
use crate::ha::state::State;
use crate::ha::timeline::Basis;
use crate::ha::topology::{Limits, Mode, RelationshipId, Role};
use crate::units::{CaptureTime, FrameRef, SECOND, ServerId};

/// Steps of one run; Kea's own chains are three long.
const STEPS: usize = 6;
/// How long a rejected lease update is held against the partner (kea-ha §3.8).
const REJECTED_FOR: i64 = 86_400 * SECOND;

/// When and where something was seen.
pub(super) type Seen = (CaptureTime, FrameRef);

#[derive(Debug)]
pub(super) struct Seat {
    pub(super) server: ServerId,
    pub(super) relationship: RelationshipId,
    pub(super) mode: Mode,
    pub(super) role: Role,
    pub(super) auto_failover: bool,
    pub(super) limits: Limits,
    /// The relationship's number in the server's own file.
    pub(super) number: usize,
    pub(super) state: Option<State>,
    partner: Partner,
    unsent: Option<u64>,
    partner_kept_updates: bool,
    partner_terminated: Option<CaptureTime>,
    rejected: HashMap<ClientKey, CaptureTime>,
    clock: Clock,
    /// The last good heartbeat.
    clock_at: Option<FrameRef>,
    clients: Clients,
    /// The query that was one too many.
    enough: Option<FrameRef>,
    /// Places of the peers whose scopes it serves.
    pub(super) scopes: Vec<usize>,
    /// Scopes that are not those of the state, set by hand.
    pub(super) by_hand: Vec<(CaptureTime, Vec<usize>)>,
    /// The partner has synchronised, and this server waits for its next heartbeat.
    sync_notified: bool,
    /// When the present state was last shown.
    shown: Option<CaptureTime>,
    /// So many transitions are shown; the rest is predicted.
    settled: usize,
    /// A prediction that the server contradicted; it may be paused.
    refuted: Option<(State, State)>,
    pub(super) transitions: Vec<Transition>,
}

impl Seat {
    pub(super) fn new(place: (ServerId, RelationshipId), role: Role, mode: Mode, limits: Limits) -> Self {
        Self {
            server: place.0,
            relationship: place.1,
            mode,
            role,
            auto_failover: true,
            limits,
            number: 0,
            state: None,
            partner: Partner::Unknown,
            unsent: None,
            partner_kept_updates: false,
            partner_terminated: None,
            rejected: HashMap::new(),
            clock: Clock::default(),
            clock_at: None,
            clients: Clients::default(),
            enough: None,
            scopes: Vec::new(),
            by_hand: Vec::new(),
            sync_notified: false,
            shown: None,
            settled: 0,
            refuted: None,
            transitions: Vec::new(),
        }
    }

    /// The first frame that it sent as a partner: its clock started before, nobody knows when.
    pub(super) fn speaks(&mut self, time: CaptureTime) {
        if self.clock.is_unknown() {
            self.clock = Clock::between(None, Some(time));
        }
    }

    /// It was started between two instants (kea-ha §3.2: so was its clock).
    pub(super) fn start(&mut self, after: CaptureTime, seen: Seen, service: &mut Service) {
        self.clock = Clock::between(Some(after), Some(seen.0));
        self.partner = Partner::Unknown;
        (self.unsent, self.clock_at, self.enough, self.partner_terminated) = (None, None, None, None);
        (self.partner_kept_updates, self.sync_notified) = (false, false);
        self.clients.clear();
        self.rejected.clear();
        // Nothing will show any more what was predicted before it ended.
        self.settled = self.transitions.len();
        self.state = None;
        self.shown = Some(after);
        self.show(State::Waiting, seen, Basis::Inferred, Cause::Started, service);
    }

    /// A good answer to its own heartbeat (kea-ha §3.2).
    pub(super) fn heartbeat(
        &mut self,
        partner: Option<State>,
        unsent: Option<u64>,
        seen: Seen,
        service: &mut Service,
    ) {
        self.clock = Clock::at(seen.0);
        self.clock_at = Some(seen.1);
        self.clients.clear();
        self.enough = None;
        self.sync_notified = false;
        self.partner = partner.map_or(Partner::Unknown, Partner::In);
        self.partner_kept_updates = unsent.is_some_and(|now| now > 0) && unsent != self.unsent;
        self.unsent = unsent;
        let terminated = partner == Some(State::Terminated);
        self.partner_terminated = self.partner_terminated.or(Some(seen.0)).filter(|_| terminated);
        self.run(seen, false, service);
    }

    /// Its own heartbeat or lease update failed.
    pub(super) fn failed(&mut self, seen: Seen, service: &mut Service) {
        self.partner = Partner::Unavailable;
        self.partner_terminated = None;
        if std::mem::take(&mut self.sync_notified)
            && let Some(state) = self.state
        {
            // It cannot reach the partner that it kept its service off for.
            service.enter(self.number, state);
        }
        self.run(seen, false, service);
    }

    /// The partner answered a lease update.
    pub(super) fn updated(&mut self, conflict: Option<&ClientKey>, seen: Seen, service: &mut Service) {
        if let Some(client) = conflict {
            self.rejected.insert(client.clone(), seen.0);
        }
        self.run(seen, false, service);
    }

    /// Its synchronisation succeeded, which moves it on.
    pub(super) fn synced(&mut self, seen: Seen, service: &mut Service) {
        self.show(State::Syncing, seen, Basis::Control, Cause::Observed, service);
        let before = self.transitions.len();
        self.run(seen, true, service);
        if self.transitions.len() == before {
            self.show(State::Ready, seen, Basis::Control, Cause::Synchronised, service);
        } else if let Some(ready) = self.transitions.get_mut(before) {
            (ready.by, ready.observed, ready.basis) = (seen.0, Some(seen), Basis::Control);
            self.settled = before + 1;
        }
    }

    /// A lease update leaves it. Kea may have queued it long before, while the
    /// connection was stuck (measured), so it contradicts nothing.
    pub(super) fn sends_update(&mut self, seen: Seen, service: &mut Service) {
        let normal = State::normal(self.mode);
        match self.state {
            None if self.partner != Partner::Unavailable => {
                self.show(normal, seen, Basis::Control, Cause::Observed, service);
            }
            Some(state) if state == normal || state == State::PartnerInMaintenance => {
                self.settle(seen, Basis::Control);
                self.shown = Some(seen.0);
            }
            _ => {}
        }
    }

    /// When it was last seen at work, if its answer that it is waiting can only come from a new process.
    pub(super) fn was_restarted(&self, seen: Seen) -> Option<CaptureTime> {
        let settled = self.settled == self.transitions.len();
        let worked = settled && self.state.is_some_and(|state| state != State::Waiting);
        let no_rule = self.explain(State::Waiting) == Cause::Observed;
        self.shown.filter(|shown| worked && no_rule && *shown < seen.0)
    }

    /// The partner tells it that it has synchronised (kea-ha §6.2).
    pub(super) fn partner_synced(&mut self, service: &mut Service) {
        if self.state == Some(State::PartnerDown) {
            self.sync_notified = true;
            service.disable(crate::ha::machine::Holder::Local(self.number));
        }
    }

    /// A command that moves it, whatever the table says.
    pub(super) fn command(&mut self, to: State, seen: Seen, cause: Cause, service: &mut Service) {
        if self.state != Some(to) {
            self.show(to, seen, Basis::Control, cause, service);
        }
        self.run(seen, false, service);
    }

    /// A cancelled maintenance returns it to the state before (kea-ha §4.3).
    pub(super) fn returns(&mut self, seen: Seen, service: &mut Service) {
        let before = self.transitions.last().and_then(|last| last.from);
        if let Some(before) = before.filter(|before| Some(*before) != self.state) {
            self.show(before, seen, Basis::Control, Cause::MaintenanceCancelled, service);
        }
    }

    /// A query that it heard; counted where Kea counts it (kea-ha §3.3).
    pub(super) fn hears(&mut self, query: &Query, service_on: bool) -> Option<Counted> {
        self.state?;
        let own = query.scope.is_some_and(|scope| self.scopes.contains(&scope));
        let interrupted = self.clock.interrupted(query.time, self.limits.max_response_delay_ms)?;
        if !query.filtered || own || !service_on || !interrupted {
            return None;
        }
        let late = is_unacked(query.secs, self.limits.max_ack_delay_ms);
        let noted = self.clients.note(query.client.clone(), late);
        if noted == Noted::Known {
            return None;
        }
        let max = self.limits.max_unacked_clients;
        if self.clients.failure_detected(max) {
            self.enough.get_or_insert(query.at);
        }
        let expired = self.clock.expires(self.limits.max_response_delay_ms);
        let just = expired.is_some_and(|expired| query.time.since(expired) < GRACE);
        let settled = self.settled == self.transitions.len();
        Some(Counted {
            server: self.server,
            relationship: self.relationship,
            query: query.message,
            exchange: query.exchange,
            time: query.time,
            at: query.at,
            unacked: noted == Noted::Unacked,
            total_unacked: self.clients.unacked(),
            left: unacked_left(self.clients.unacked(), max),
            clients: self.clients.len(),
            secs: query.secs,
            basis: if settled { self.basis() } else { Basis::Inferred },
            confidence: match (just, settled) {
                (true, _) => 0.7,
                (false, false) => 0.85,
                (false, true) => 0.95,
            },
        })
    }

    fn basis(&self) -> Basis {
        self.transitions.last().map_or(Basis::Assumed, |last| last.basis)
    }

    /// It answered a query: whoever answers serves the scope.
    pub(super) fn answers(&mut self, query: &Query, seen: Seen, service: &mut Service) {
        let (Some(scope), true) = (query.scope, query.filtered) else { return };
        let serves = |state: State| state.serves(self.mode, self.role, self.auto_failover, scope);
        let before = self.transitions.last().and_then(|last| last.from);
        let lately = self.transitions.last().is_some_and(|last| query.time <= last.instant());
        let interrupted = self.clock.interrupted(query.time, self.limits.max_response_delay_ms);
        match self.state {
            // An ACK waits for the partner to store the lease; without it the partner is given up.
            Some(State::HotStandby)
                if query.unshared && interrupted == Some(true) && self.limits.send_lease_updates =>
            {
                self.shown = self.shown.max(self.clock.expires(self.limits.max_response_delay_ms));
                self.show(State::PartnerDown, seen, Basis::Inferred, Cause::Interrupted, service);
            }
            // The query came while the state before still held, or the scope was given by hand.
            Some(state) if !serves(state) => {
                if lately || self.scopes.contains(&scope) {
                    return;
                }
                let normal = State::normal(self.mode);
                let to = if serves(normal) { normal } else { State::PartnerDown };
                self.show(to, seen, Basis::Inferred, Cause::Observed, service);
            }
            Some(state) if before.is_some_and(|before| !serves(before)) => {
                self.show(state, seen, Basis::Inferred, Cause::Observed, service);
            }
            // A state that nobody knows is not guessed from one answer.
            _ => {}
        }
    }

    /// Scopes in its own words; they differ from its state's when an administrator set them.
    pub(super) fn says_scopes(&mut self, scopes: Vec<usize>, time: CaptureTime) {
        if scopes != self.scopes {
            self.scopes.clone_from(&scopes);
            self.by_hand.push((time, scopes));
        }
    }

    /// Runs the state machine until it stays (kea-ha §4.1).
    fn run(&mut self, seen: Seen, synchronised: bool, service: &mut Service) {
        for _ in 0..STEPS {
            let Some(own) = self.state else { return };
            let interrupted = self.clock.interrupted(seen.0, self.limits.max_response_delay_ms);
            let on = service.is_on();
            let failure = self.clients.failure_detected(self.limits.max_unacked_clients);
            let interrupted = interrupted == Some(true);
            let conditions = Conditions {
                must_terminate: self.is_rejected(seen.0),
                partner_down: should_partner_down((self.mode, self.role), interrupted, on, failure),
                interrupted,
                synchronised,
                partner_kept_updates: self.partner_kept_updates,
                partner_terminated_min: self.partner_terminated.map_or(0, |since| {
                    u32::try_from(seen.0.since(since) / (60 * SECOND)).unwrap_or(u32::MAX)
                }),
                ..Conditions::healthy(self.mode, self.role, &self.limits)
            };
            let to = next(own, self.partner, &conditions);
            if to == own || self.refuted == Some((own, to)) {
                return;
            }
            let cause = self.cause(to, &conditions, on);
            let mut evidence = vec![seen.1];
            if to == State::PartnerDown {
                evidence.extend(self.enough.into_iter().chain(self.clock_at));
            }
            self.enter(to, (seen.0, None), Basis::Inferred, cause, evidence, service);
        }
    }

    fn is_rejected(&mut self, now: CaptureTime) -> bool {
        let limit = self.limits.max_rejected_lease_updates as usize;
        if limit == 0 || self.rejected.len() < limit {
            return false;
        }
        self.rejected.retain(|_, time| now.since(*time) < REJECTED_FOR);
        self.rejected.len() >= limit
    }

    fn cause(&self, to: State, conditions: &Conditions, service_on: bool) -> Cause {
        let asked = !should_partner_down((self.mode, self.role), true, service_on, false);
        match (self.partner, to) {
            (_, State::Terminated) if conditions.must_terminate => Cause::Fatal,
            (Partner::Unavailable, State::PartnerDown) if !conditions.partner_down => {
                Cause::PartnerUnavailable
            }
            (Partner::Unavailable, State::PartnerDown) if asked => Cause::ClientsUnacked,
            (Partner::Unavailable, State::PartnerDown) => Cause::Interrupted,
            (Partner::Unavailable, _) => Cause::PartnerUnavailable,
            (_, State::Ready) if conditions.synchronised => Cause::Synchronised,
            (Partner::In(state), _) => Cause::Partner(state),
            (Partner::Unknown, _) => Cause::Observed,
        }
    }

    /// Takes a state; `when` has the replayed instant, or none and what shows the state.
    fn enter(
        &mut self,
        to: State,
        (time, shown): (CaptureTime, Option<FrameRef>),
        basis: Basis,
        cause: Cause,
        evidence: Vec<FrameRef>,
        service: &mut Service,
    ) {
        let before = self.transitions.last().map(Transition::instant);
        self.transitions.push(Transition {
            server: self.server,
            relationship: self.relationship,
            from: self.state,
            to,
            after: self.shown.max(before).unwrap_or(time),
            // Until something shows it.
            by: if shown.is_some() { time } else { CaptureTime(i64::MAX) },
            predicted: shown.is_none().then_some(time),
            observed: shown.map(|at| (time, at)),
            basis,
            evidence,
            cause,
        });
        self.take(to, service);
    }

    fn take(&mut self, to: State, service: &mut Service) {
        self.state = Some(to);
        self.scopes = (0..2).filter(|at| to.serves(self.mode, self.role, self.auto_failover, *at)).collect();
        service.enter(self.number, to);
        let forgives = [State::PartnerDown, State::Ready, State::Syncing, State::Terminated, State::Waiting];
        if forgives.contains(&to) {
            self.rejected.clear();
        }
    }

    /// What was predicted is shown.
    fn settle(&mut self, seen: Seen, basis: Basis) {
        let mut by = seen.0;
        if let Some(last) = self.transitions.get_mut(self.settled..).and_then(<[_]>::last_mut) {
            (last.observed, last.basis) = (Some(seen), basis);
        }
        for transition in self.transitions.iter_mut().skip(self.settled).rev() {
            transition.by = by;
            by = transition.instant();
        }
        self.settled = self.transitions.len();
    }

    /// The server shows a state: predictions are confirmed, taken back, or a
    /// change that no rule foresaw is noted.
    pub(super) fn show(
        &mut self,
        state: State,
        seen: Seen,
        basis: Basis,
        cause: Cause,
        service: &mut Service,
    ) {
        if self.state != Some(state) {
            let predicted = self.transitions.get(self.settled..).unwrap_or_default();
            let lately = predicted.first().is_some_and(|first| seen.0.since(first.instant()) < GRACE);
            let origin = predicted.first().map_or(self.state, |first| first.from);
            if origin == Some(state) && lately {
                // The prediction is right, and the server had not got so far yet.
                self.shown = Some(seen.0);
                return;
            }
            let kept = predicted.iter().rposition(|it| it.to == state).map_or(0, |at| at + 1);
            if let Some((Some(back), wrong)) = predicted.get(kept).map(|it| (it.from, it.to)) {
                self.refuted = Some((back, wrong));
                self.transitions.truncate(self.settled + kept);
                self.take(back, service);
            }
            if self.state != Some(state) {
                self.refuted = None;
                // Nothing but waiting leads to syncing (kea-ha §4.1).
                if state == State::Syncing && self.state.is_none() {
                    self.take(State::Waiting, service);
                } else if state == State::Syncing && self.state != Some(State::Waiting) {
                    let cause = self.explain(State::Waiting);
                    let shown = (seen.0, Some(seen.1));
                    self.enter(State::Waiting, shown, basis, cause, vec![seen.1], service);
                }
                let cause = match (self.state, cause) {
                    (None, Cause::Observed) => Cause::FirstSeen,
                    (Some(_), Cause::Observed) => self.explain(state),
                    _ => cause,
                };
                self.enter(state, (seen.0, Some(seen.1)), basis, cause, vec![seen.1], service);
            }
        }
        self.settle(seen, basis);
        self.shown = Some(seen.0);
    }

    /// A rule that leads from the present state to the one that was shown.
    fn explain(&self, to: State) -> Cause {
        let Some(own) = self.state else { return Cause::FirstSeen };
        let conditions = Conditions::healthy(self.mode, self.role, &self.limits);
        match self.partner {
            Partner::In(partner) if next(own, self.partner, &conditions) == to => Cause::Partner(partner),
            _ => Cause::Observed,
        }
    }
}
