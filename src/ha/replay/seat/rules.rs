//! What Kea's rules make of it: clients counted, states left.

use super::{Seat, Seen};
use crate::ha::machine::{
    Conditions, Noted, Partner, Service, Skew, is_unacked, next, should_partner_down, unacked_left,
};
use crate::ha::replay::{Cause, Counted, GRACE, Query};
use crate::ha::state::State;
use crate::ha::timeline::Basis;
use crate::ha::topology::Mode;
use crate::units::{CaptureTime, SECOND};

/// Steps of one run; Kea's own chains are three long.
const STEPS: usize = 6;
/// How long a rejected lease update is held against the partner (kea-ha §3.8).
const REJECTED_FOR: i64 = 86_400 * SECOND;

/// What cannot change a seat while it stays as it is.
#[derive(Clone, Copy, Debug, Default)]
pub(in super::super) struct Quiet {
    /// Queries, and replies as far as the partner's silence goes.
    pub(in super::super) hears: bool,
    /// Replies in each scope.
    scopes: [bool; 2],
}

impl Quiet {
    pub(in super::super) fn answers(self, scope: usize) -> bool {
        self.scopes.get(scope).copied().unwrap_or_default()
    }
}

impl Seat {
    /// A query that it heard; counted where Kea counts it (kea-ha §3.3).
    pub(in super::super) fn hears(&mut self, query: &Query, service_on: bool) -> Option<Counted> {
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
            client: query.client.clone(),
            secs: query.secs,
            basis: if settled { self.basis() } else { Basis::Inferred },
            confidence: match (just, settled) {
                // That the last good heartbeat was the last one is sure once a later one failed.
                _ if self.partner != Partner::Unavailable => 0.7,
                (true, _) => 0.7,
                (false, false) => 0.85,
                (false, true) => 0.95,
            },
        })
    }

    /// What queries and replies until an instant cannot change.
    pub(in super::super) fn quiet_until(&self, end: CaptureTime) -> Quiet {
        let Some(state) = self.state else {
            return Quiet { hears: true, scopes: [self.mode != Mode::PassiveBackup; 2] };
        };
        let interrupted = self.clock.interrupted(end, self.limits.max_response_delay_ms) == Some(true);
        let before = self.transitions.last().and_then(|last| last.from);
        let serves = |scope| {
            let serves = |state: State| state.serves(self.mode, self.role, self.auto_failover, scope);
            serves(state) && before.is_none_or(serves)
        };
        Quiet { hears: !interrupted, scopes: [serves(0), serves(1)] }
    }

    fn basis(&self) -> Basis {
        self.transitions.last().map_or(Basis::Assumed, |last| last.basis)
    }

    /// Runs the state machine until it stays (kea-ha §4.1).
    pub(super) fn run(&mut self, seen: Seen, synchronised: bool, service: &mut Service) {
        for _ in 0..STEPS {
            let Some(own) = self.state else { return };
            let on = service.is_on();
            let conditions = Conditions { synchronised, ..self.conditions(seen.0, on) };
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

    fn conditions(&mut self, now: CaptureTime, service_on: bool) -> Conditions {
        let interrupted = self.clock.interrupted(now, self.limits.max_response_delay_ms) == Some(true);
        let failure = self.clients.failure_detected(self.limits.max_unacked_clients);
        Conditions {
            must_terminate: self.is_skewed() || self.is_rejected(now),
            partner_down: should_partner_down((self.mode, self.role), interrupted, service_on, failure),
            interrupted,
            partner_kept_updates: self.partner_kept_updates,
            partner_terminated_min: self
                .partner_terminated
                .map_or(0, |since| u32::try_from(now.since(since) / (60 * SECOND)).unwrap_or(u32::MAX)),
            ..Conditions::healthy(self.mode, self.role, &self.limits)
        }
    }

    /// It acknowledges without the partner, whom it last heard too long ago: it has given it up,
    /// although no frame shows the requests that failed. A firewall of its own may keep them.
    pub(super) fn gives_up(&mut self, seen: Seen, service: &mut Service) -> bool {
        let on = service.is_on();
        let conditions = self.conditions(seen.0, on);
        let Some(own) = self.state.filter(|_| conditions.interrupted && self.limits.send_lease_updates)
        else {
            return false;
        };
        let to = next(own, Partner::Unavailable, &conditions);
        if own != State::normal(self.mode) || to == own {
            return false;
        }
        self.partner = Partner::Unavailable;
        self.partner_ahead = None;
        self.shown = self.shown.max(self.clock.expires(self.limits.max_response_delay_ms));
        let cause = self.cause(to, &conditions, on);
        self.show(to, seen, Basis::Inferred, cause, service);
        true
    }

    /// Whether the clocks differ so much that Kea certainly terminates: both are read from whole
    /// seconds, so that the difference is known to a second only.
    pub(super) fn is_skewed(&self) -> bool {
        let (Some(partner), Some(own)) = (self.partner_ahead, self.ahead) else { return false };
        let skew = partner.saturating_sub(own);
        Skew::of(skew.saturating_sub(skew.signum())) == Skew::Fatal
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
        let asked = !should_partner_down((self.mode, self.role), true, service_on, false)
            && self.limits.max_unacked_clients > 0;
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
}
