//! The transition table of kea-ha §4.1.

use crate::ha::state::State;
use crate::ha::topology::{Limits, Mode, Role};

/// What a server believes about its partner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Partner {
    /// No heartbeat has ended yet.
    Unknown,
    /// The last heartbeat or lease update failed (logs print it as UNDEFINED).
    Unavailable,
    /// The state in the partner's last heartbeat answer.
    In(State),
}

/// What became of the lease updates that were queued in communication-recovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Backlog {
    /// All of them fit, and the partner takes them.
    Kept,
    /// It overflowed, or replaying it failed; the partner was sent `ha-reset`.
    Lost,
}

/// Everything else that decides about the next state.
// Each flag is one condition of the table; an enum of their combinations would hide it.
#[allow(clippy::struct_excessive_bools)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conditions {
    /// The relationship's mode.
    pub mode: Mode,
    /// The server's own role in it.
    pub role: Role,
    /// The machine is paused in this state, or its last event was `ha-maintenance-cancel`.
    pub held: bool,
    /// Clock skew or too many rejected lease updates ([`super::Skew`], kea-ha §3.8).
    pub must_terminate: bool,
    /// The outcome of [`should_partner_down`].
    pub partner_down: bool,
    /// The communication clock has expired.
    pub interrupted: bool,
    /// `delayed-updates-limit` is above 0.
    pub delays_updates: bool,
    /// What became of the queued lease updates.
    pub backlog: Backlog,
    /// `sync-leases`.
    pub syncs_leases: bool,
    /// The synchronisation of this visit to `syncing` has succeeded.
    pub synchronised: bool,
    /// The partner's `unsent-update-count` is above 0 and differs from the heartbeat before.
    pub partner_kept_updates: bool,
    /// Whole minutes since the partner was first seen terminated, without interruption.
    pub partner_terminated_min: u32,
}

/// A waiting server gives up on a terminated partner after this long (kea-ha §4.1, footnote 2).
const TERMINATED_GRACE_MIN: u32 = 10;

impl Conditions {
    /// A settled server of this mode and role, with nothing wrong.
    pub const fn healthy(mode: Mode, role: Role, limits: &Limits) -> Self {
        Self {
            mode,
            role,
            held: false,
            must_terminate: false,
            partner_down: false,
            interrupted: false,
            delays_updates: limits.delayed_updates_limit > 0,
            backlog: Backlog::Kept,
            syncs_leases: true,
            synchronised: false,
            partner_kept_updates: false,
            partner_terminated_min: 0,
        }
    }

    /// Whether a partner of my mode cannot be in this state (kea-ha §4.1, check 3).
    const fn is_invalid(&self, partner: State) -> bool {
        match partner {
            State::LoadBalancing | State::CommunicationRecovery => !matches!(self.mode, Mode::LoadBalancing),
            State::HotStandby => !matches!(self.mode, Mode::HotStandby),
            _ => false,
        }
    }
}

/// Whether an unavailable partner is to be considered gone (kea-ha §3.7).
///
/// Traffic is asked only where it can tell: the DHCP service is on, and the
/// partner has queries to leave unanswered.
pub const fn should_partner_down(
    (mode, role): (Mode, Role),
    interrupted: bool,
    service_on: bool,
    failure_detected: bool,
) -> bool {
    let traffic_tells = service_on && (matches!(mode, Mode::LoadBalancing) || matches!(role, Role::Standby));
    interrupted && (failure_detected || !traffic_tells)
}

/// One step of Kea's state machine: the state after `own`, which is `own` itself
/// when it stays. Kea takes further steps at once, until one stays (kea-ha §4.1).
pub fn next(own: State, partner: Partner, conditions: &Conditions) -> State {
    match own {
        State::InMaintenance | State::Terminated | State::PassiveBackup | State::Backup => return own,
        State::Waiting if conditions.role == Role::Backup => return State::Backup,
        State::Waiting if conditions.mode == Mode::PassiveBackup => return State::PassiveBackup,
        _ if conditions.held => return own,
        _ if conditions.must_terminate => return State::Terminated,
        State::PartnerInMaintenance => {
            return if partner == Partner::Unavailable { State::PartnerDown } else { own };
        }
        _ => {}
    }
    match partner {
        Partner::In(state) if conditions.is_invalid(state) => State::Waiting,
        Partner::In(state) => with_partner(own, state, conditions),
        Partner::Unavailable if own == State::PartnerDown => own,
        Partner::Unavailable if conditions.partner_down => State::PartnerDown,
        Partner::Unavailable if own == State::normal(conditions.mode) && conditions.delays_updates => {
            State::CommunicationRecovery
        }
        Partner::Unavailable => own,
        Partner::Unknown => without_partner(own, conditions),
    }
}

/// The rows of the table, for a partner whose state is possible in this mode.
fn with_partner(own: State, partner: State, conditions: &Conditions) -> State {
    let normal = State::normal(conditions.mode);
    let primary = conditions.role == Role::Primary;
    if partner == State::Terminated && own != State::Waiting {
        return State::Terminated;
    }
    match own {
        State::Waiting => match partner {
            State::Syncing | State::Backup | State::PassiveBackup => own,
            State::Waiting if !primary => own,
            State::Terminated if conditions.partner_terminated_min >= TERMINATED_GRACE_MIN => {
                State::Terminated
            }
            State::Terminated => own,
            _ if conditions.syncs_leases => State::Syncing,
            _ => State::Ready,
        },
        State::Syncing if conditions.synchronised => State::Ready,
        State::PartnerDown => match partner {
            State::Ready if conditions.partner_kept_updates => State::Waiting,
            State::Ready => normal,
            State::CommunicationRecovery | State::PartnerDown | State::PartnerInMaintenance => State::Waiting,
            _ => own,
        },
        State::Ready | State::HotStandby | State::LoadBalancing | State::CommunicationRecovery
            if partner == State::InMaintenance =>
        {
            State::PartnerInMaintenance
        }
        State::Ready | State::HotStandby | State::LoadBalancing | State::CommunicationRecovery
            if partner == State::PartnerInMaintenance =>
        {
            State::InMaintenance
        }
        State::Ready => match partner {
            State::Ready if primary => normal,
            State::HotStandby | State::LoadBalancing | State::CommunicationRecovery => normal,
            _ => own,
        },
        State::HotStandby | State::LoadBalancing if partner == State::PartnerDown => State::Waiting,
        State::CommunicationRecovery => match (partner, conditions.backlog) {
            (State::PartnerDown, _) => State::Waiting,
            // The partner synchronises by itself; only lost updates make this server do so too.
            (State::Waiting | State::Syncing | State::Ready, Backlog::Lost) if !conditions.interrupted => {
                State::Waiting
            }
            (State::Waiting | State::Syncing | State::Ready, _) => own,
            (State::LoadBalancing | State::CommunicationRecovery, _) if conditions.interrupted => own,
            (State::LoadBalancing | State::CommunicationRecovery, Backlog::Kept) => normal,
            (State::LoadBalancing | State::CommunicationRecovery, Backlog::Lost) => State::Waiting,
            _ => without_partner(own, conditions),
        },
        _ => own,
    }
}

/// The last column: the partner's state is none that the row names.
fn without_partner(own: State, conditions: &Conditions) -> State {
    match own {
        State::Syncing if conditions.synchronised => State::Ready,
        State::CommunicationRecovery if !conditions.interrupted => State::Waiting,
        _ => own,
    }
}

#[cfg(test)]
mod tests;
