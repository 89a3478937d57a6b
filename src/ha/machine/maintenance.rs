//! `ha-maintenance-notify`, on either side of it (kea-ha §4.3).

use crate::ha::state::State;

/// What came back for an `ha-maintenance-notify`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reply {
    /// Result 0.
    Done,
    /// Result 1001: the partner is a backup, terminated, or in partner-in-maintenance.
    Refused,
    /// Any other result, or none.
    Failed,
}

impl Reply {
    /// By Kea's result code; `None` where no answer came.
    pub const fn of(result: Option<i64>) -> Self {
        match result {
            Some(0) => Self::Done,
            Some(1001) => Self::Refused,
            _ => Self::Failed,
        }
    }
}

/// What a maintenance command did to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Maintained {
    /// Nothing.
    Stays,
    /// It enters a state.
    Enters(State),
    /// It returns to the state that it was in before.
    Returns,
}

/// The server that was notified.
pub fn notified(own: State, cancel: bool, reply: Reply) -> Maintained {
    match (reply, cancel, own) {
        (Reply::Done, true, State::InMaintenance) => Maintained::Returns,
        (Reply::Done, false, _) => Maintained::Enters(State::InMaintenance),
        _ => Maintained::Stays,
    }
}

/// The server that notified its partner, which an administrator had it do.
pub fn notifier(own: State, cancel: bool, reply: Reply) -> Maintained {
    match (reply, cancel) {
        (Reply::Done, true) if own == State::PartnerInMaintenance => Maintained::Returns,
        (Reply::Done, false) => Maintained::Enters(State::PartnerInMaintenance),
        // Whom nobody can ask is as good as gone.
        (Reply::Failed, false) => Maintained::Enters(State::PartnerDown),
        _ => Maintained::Stays,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_of_a_notification() {
        let normal = State::HotStandby;
        assert_eq!(notified(normal, false, Reply::of(Some(0))), Maintained::Enters(State::InMaintenance));
        assert_eq!(
            notifier(normal, false, Reply::of(Some(0))),
            Maintained::Enters(State::PartnerInMaintenance)
        );
        for failed in [Some(1), None] {
            assert_eq!(notifier(normal, false, Reply::of(failed)), Maintained::Enters(State::PartnerDown));
            assert_eq!(notified(normal, false, Reply::of(failed)), Maintained::Stays);
        }
        assert_eq!(notifier(normal, false, Reply::of(Some(1001))), Maintained::Stays);
        assert_eq!(notified(State::Terminated, false, Reply::of(Some(1001))), Maintained::Stays);
    }

    #[test]
    fn a_cancelled_maintenance_returns_both() {
        assert_eq!(notified(State::InMaintenance, true, Reply::Done), Maintained::Returns);
        assert_eq!(notifier(State::PartnerInMaintenance, true, Reply::Done), Maintained::Returns);
        assert_eq!(notifier(State::PartnerInMaintenance, true, Reply::Failed), Maintained::Stays);
        assert_eq!(notified(State::HotStandby, true, Reply::Failed), Maintained::Stays);
    }
}
