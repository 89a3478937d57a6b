//! One server in one relationship: what drives its state machine.
//!
//! `rules` runs the machine, `shown` holds it against what the server shows.

mod rules;
mod shown;

use std::collections::HashMap;

use super::{Cause, Transition};
use crate::ha::machine::{ClientKey, Clients, Clock, Holder, Partner, Service};
use crate::ha::state::State;
use crate::ha::timeline::Basis;
use crate::ha::topology::{Limits, Mode, RelationshipId, Role};
use crate::units::{CaptureTime, FrameRef, SECOND, ServerId};

/// [`super::GRACE`] in milliseconds.
const GRACE_MS: u32 = 50;

/// When and where something was seen.
pub(super) type Seen = (CaptureTime, FrameRef);

#[derive(Clone, Debug)]
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
    /// Its own clock against the capture's, and so the partner's at the last heartbeat, seconds.
    ahead: Option<i64>,
    partner_ahead: Option<i64>,
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
            ahead: None,
            partner_ahead: None,
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

    /// Clients that it counts as unacked.
    pub(super) const fn unacked(&self) -> u32 {
        self.clients.unacked()
    }

    /// Whether it showed its state at this instant.
    pub(super) fn is_shown(&self, time: CaptureTime) -> bool {
        self.shown == Some(time)
    }

    /// The first frame that it sent as a partner: its clock started before, nobody knows when.
    pub(super) fn speaks(&mut self, time: CaptureTime) {
        if self.clock.is_unknown() {
            self.clock = Clock::between(None, Some(time));
        }
    }

    /// It was started between two instants (kea-ha §3.2: so was its clock).
    pub(super) fn start(&mut self, after: CaptureTime, seen: Seen, service: &mut Service) {
        // Its first heartbeat may cross the one that shows the start.
        let crossing = self.clock.interrupted(seen.0, GRACE_MS) == Some(false);
        let heard = (self.clock, self.clock_at, self.partner);
        self.forget(after, seen.0);
        self.show(State::Waiting, seen, Basis::Inferred, Cause::Started, service);
        if crossing {
            (self.clock, self.clock_at, self.partner) = heard;
            self.run(seen, false, service);
        }
    }

    /// It was started between two instants, and shows nothing yet: a prediction.
    pub(super) fn started_unseen(
        &mut self,
        (after, by): (CaptureTime, CaptureTime),
        at: FrameRef,
        service: &mut Service,
    ) {
        self.forget(after, by);
        self.enter(State::Waiting, (by, None), Basis::Inferred, Cause::Started, vec![at], service);
    }

    /// A new process knows nothing.
    fn forget(&mut self, after: CaptureTime, by: CaptureTime) {
        self.clock = Clock::between(Some(after), Some(by));
        self.partner = Partner::Unknown;
        (self.ahead, self.partner_ahead) = (None, None);
        (self.unsent, self.clock_at, self.enough, self.partner_terminated) = (None, None, None, None);
        (self.partner_kept_updates, self.sync_notified) = (false, false);
        self.clients.clear();
        self.rejected.clear();
        // Nothing will show any more what was predicted before it ended.
        self.settled = self.transitions.len();
        self.state = None;
        self.shown = Some(after);
    }

    /// Whether it is in a state in which a server sends heartbeats.
    pub(super) fn heartbeats(&self) -> bool {
        self.mode != Mode::PassiveBackup
            && self.state.is_some_and(|it| !matches!(it, State::Terminated | State::Syncing))
    }

    /// What it says the time is.
    pub(super) fn own_clock(&mut self, now: CaptureTime, date: Option<CaptureTime>) {
        self.ahead = date.map(|date| date.since(now).div_euclid(SECOND)).or(self.ahead);
    }

    /// What its partner says the time is (kea-ha §4.2).
    pub(super) fn partner_clock(&mut self, now: CaptureTime, date: Option<CaptureTime>) {
        self.partner_ahead = date.map(|date| date.since(now).div_euclid(SECOND)).or(self.partner_ahead);
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
        // An unavailable partner's clock is forgotten (kea-ha §3.2).
        self.partner_ahead = None;
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
            service.disable(Holder::Local(self.number));
        }
    }

    /// A command that moves it, whatever the table says.
    pub(super) fn command(&mut self, to: State, seen: Seen, cause: Cause, service: &mut Service) {
        if self.state != Some(to) {
            self.show(to, seen, Basis::Control, cause, service);
        }
        self.run(seen, false, service);
    }

    /// It sends `ha-reset`: nobody does but in communication-recovery (kea-ha §4.1, footnote 5),
    /// an administrator on its machine excepted.
    pub(super) fn resets(&mut self, seen: Seen, service: &mut Service) {
        if self.mode == Mode::LoadBalancing && self.limits.delayed_updates_limit > 0 {
            self.show(State::CommunicationRecovery, seen, Basis::Control, Cause::Observed, service);
        }
    }

    /// The partner took its `ha-reset`, which it learns a little later.
    pub(super) fn has_reset(&mut self, seen: Seen, service: &mut Service) {
        if self.state == Some(State::CommunicationRecovery) {
            let when = (seen.0, None);
            self.enter(State::Waiting, when, Basis::Inferred, Cause::Reset, vec![seen.1], service);
            self.run(seen, false, service);
        }
    }

    /// A cancelled maintenance returns it to the state before (kea-ha §4.3).
    pub(super) fn returns(&mut self, seen: Seen, service: &mut Service) {
        let before = self.transitions.last().and_then(|last| last.from);
        if let Some(before) = before.filter(|before| Some(*before) != self.state) {
            self.show(before, seen, Basis::Control, Cause::MaintenanceCancelled, service);
        }
    }

    /// Scopes in its own words; they differ from its state's when an administrator set them.
    pub(super) fn says_scopes(&mut self, scopes: Vec<usize>, time: CaptureTime) {
        if scopes != self.scopes {
            self.scopes.clone_from(&scopes);
            self.by_hand.push((time, scopes));
        }
    }
}
