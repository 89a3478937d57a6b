//! What the server shows of itself, and the account of its states.

use super::{Seat, Seen};
use crate::ha::machine::{Conditions, Partner, Service, next};
use crate::ha::replay::{Cause, GRACE, Query, Transition};
use crate::ha::state::State;
use crate::ha::timeline::Basis;
use crate::ha::topology::Mode;
use crate::units::{CaptureTime, FrameRef};

impl Seat {
    /// It answered a query: whoever answers serves the scope.
    pub(in super::super) fn answers(&mut self, query: &Query, seen: Seen, service: &mut Service) {
        let (Some(scope), true) = (query.scope, query.filtered) else { return };
        // An ACK waits for the partner to store the lease; without it the partner is given up.
        if query.unshared && self.gives_up(seen, service) {
            return;
        }
        let serves = |state: State| state.serves(self.mode, self.role, self.auto_failover, scope);
        let before = self.transitions.last().and_then(|last| last.from);
        let lately = self.transitions.last().is_some_and(|last| query.time <= last.instant());
        match self.state {
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
            // At work there is one state only, and no heartbeat tells it.
            None if self.mode == Mode::PassiveBackup => {
                self.show(State::PassiveBackup, seen, Basis::Inferred, Cause::Observed, service);
            }
            // Any other state that nobody knows is not guessed from one answer.
            _ => {}
        }
    }

    /// Takes a state; `when` has the replayed instant, or none and what shows the state.
    pub(super) fn enter(
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

    pub(super) fn take(&mut self, to: State, service: &mut Service) {
        self.state = Some(to);
        self.scopes = (0..2).filter(|at| to.serves(self.mode, self.role, self.auto_failover, *at)).collect();
        service.enter(self.number, to);
        let forgives = [State::PartnerDown, State::Ready, State::Syncing, State::Terminated, State::Waiting];
        if forgives.contains(&to) {
            self.rejected.clear();
        }
    }

    /// What was predicted is shown.
    pub(super) fn settle(&mut self, seen: Seen, basis: Basis) {
        let mut by = seen.0;
        if let Some(last) = self.transitions.get_mut(self.settled..).and_then(<[_]>::last_mut) {
            (last.observed, last.basis) = (Some(seen), basis);
        } else if let Some(last) = self.transitions.last_mut() {
            last.basis = last.basis.min(basis);
        }
        for transition in self.transitions.iter_mut().skip(self.settled).rev() {
            transition.by = by;
            by = transition.instant();
        }
        self.settled = self.transitions.len();
    }

    /// The server shows a state: predictions are confirmed, taken back, or a
    /// change that no rule foresaw is noted.
    pub(in super::super) fn show(
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
            // A start that was none goes back to the state before it.
            let before = self.transitions.get(..self.settled).and_then(<[_]>::last).map(|it| it.to);
            let wrong = predicted.get(kept).map(|it| (it.from.or(before), it.to));
            if let Some((Some(back), wrong)) = wrong {
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
                // Its first good heartbeat terminates it, and before that it can only have waited:
                // a partner that failed would have been seen to fail.
                if let (State::Terminated, None, true, Some(at)) =
                    (state, self.state, self.is_skewed(), self.clock_at)
                {
                    let when = self.clock.expires(0).unwrap_or(seen.0);
                    self.shown = self.shown.or(Some(when));
                    self.take(State::Waiting, service);
                    self.enter(state, (when, None), basis, Cause::Fatal, vec![at], service);
                    self.settle(seen, basis);
                    self.shown = Some(seen.0);
                    return;
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
    pub(super) fn explain(&self, to: State) -> Cause {
        let Some(own) = self.state else { return Cause::FirstSeen };
        let conditions = Conditions::healthy(self.mode, self.role, &self.limits);
        match self.partner {
            Partner::In(partner) if next(own, self.partner, &conditions) == to => Cause::Partner(partner),
            _ => Cause::Observed,
        }
    }
}
