//! The states of Kea's HA state machine and what a server serves in each.

use super::topology::{Mode, Role};

/// A state of one server in one relationship.
///
/// The words are those of heartbeats and of `status-get`; Kea's log has them in
/// upper case (kea-ha §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Receives lease updates, never serves by itself.
    Backup,
    /// The partner does not answer, its clients may still be served: lease updates are queued.
    CommunicationRecovery,
    /// The normal state of the mode of the same name.
    HotStandby,
    /// The normal state of the mode of the same name.
    LoadBalancing,
    /// Switched off for maintenance; leaves only when told to.
    InMaintenance,
    /// The partner is considered gone.
    PartnerDown,
    /// The partner is in maintenance, and this server serves for both.
    PartnerInMaintenance,
    /// The only state of a passive-backup primary at work.
    PassiveBackup,
    /// Synchronised, and waiting for the partner to notice.
    Ready,
    /// Fetching the partner's leases.
    Syncing,
    /// HA is given up; the server goes on with its own scope.
    Terminated,
    /// Started, and waiting for the partner.
    Waiting,
}

impl State {
    /// Every state, in the order of their words.
    pub const ALL: [Self; 12] = [
        Self::Backup,
        Self::CommunicationRecovery,
        Self::HotStandby,
        Self::InMaintenance,
        Self::LoadBalancing,
        Self::PartnerDown,
        Self::PartnerInMaintenance,
        Self::PassiveBackup,
        Self::Ready,
        Self::Syncing,
        Self::Terminated,
        Self::Waiting,
    ];

    /// Kea's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::CommunicationRecovery => "communication-recovery",
            Self::HotStandby => "hot-standby",
            Self::InMaintenance => "in-maintenance",
            Self::LoadBalancing => "load-balancing",
            Self::PartnerDown => "partner-down",
            Self::PartnerInMaintenance => "partner-in-maintenance",
            Self::PassiveBackup => "passive-backup",
            Self::Ready => "ready",
            Self::Syncing => "syncing",
            Self::Terminated => "terminated",
            Self::Waiting => "waiting",
        }
    }

    /// The state behind Kea's word, in the case of heartbeats or of log lines.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str().eq_ignore_ascii_case(word))
    }

    /// The state in which a healthy server of this mode works.
    pub const fn normal(mode: Mode) -> Self {
        match mode {
            Mode::LoadBalancing => Self::LoadBalancing,
            Mode::HotStandby => Self::HotStandby,
            Mode::PassiveBackup => Self::PassiveBackup,
        }
    }

    /// Whether Kea has the DHCP service switched on in this state (kea-ha §2.1);
    /// off, every query is dropped before HA sees it.
    pub const fn is_service_on(self) -> bool {
        !matches!(self, Self::Waiting | Self::Syncing | Self::Ready | Self::InMaintenance | Self::Backup)
    }

    /// Whether a server in this role, entering this state, serves the scope of
    /// the peer at place `scope` in Kea's order (kea-ha §2.1).
    ///
    /// `auto_failover` is the server's own setting; in partner-down it decides
    /// whether the partner's scope is taken over. Hot-standby and passive-backup
    /// have the primary's scope (0) only. Scopes set by hand (`ha-scopes`) are
    /// not known here.
    pub const fn serves(self, mode: Mode, role: Role, auto_failover: bool, scope: usize) -> bool {
        let own = match role {
            Role::Primary => scope == 0,
            Role::Secondary => scope == 1,
            Role::Standby | Role::Backup => false,
        };
        let exists = match mode {
            Mode::LoadBalancing => scope < 2,
            Mode::HotStandby | Mode::PassiveBackup => scope == 0,
        };
        match self {
            Self::LoadBalancing | Self::CommunicationRecovery | Self::Terminated | Self::HotStandby => {
                own && exists
            }
            Self::PartnerDown => exists && (own || (auto_failover && !matches!(role, Role::Backup))),
            Self::PartnerInMaintenance => exists && !matches!(role, Role::Backup),
            Self::PassiveBackup => exists && matches!(role, Role::Primary),
            Self::Waiting | Self::Syncing | Self::Ready | Self::InMaintenance | Self::Backup => false,
        }
    }
}

/// What is known of a server's state at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is in this state.
    In(State),
    /// It does not run.
    Unavailable,
}

impl Status {
    /// Kea's word, as `status-get` shows a partner.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::In(state) => state.as_str(),
            Self::Unavailable => "unavailable",
        }
    }

    /// Whether it runs with its DHCP service switched off.
    pub const fn is_service_off(self) -> bool {
        matches!(self, Self::In(state) if !state.is_service_on())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_go_both_ways_in_either_case() {
        for state in State::ALL {
            assert_eq!(State::from_word(state.as_str()), Some(state));
            assert_eq!(State::from_word(&state.as_str().to_uppercase()), Some(state));
        }
        assert_eq!(State::from_word("UNDEFINED"), None);
    }

    /// The table of kea-ha §2.1, row by row: LB primary, LB secondary, HS primary, HS standby.
    #[test]
    fn scopes_are_those_of_the_table() {
        let columns = [
            (Mode::LoadBalancing, Role::Primary),
            (Mode::LoadBalancing, Role::Secondary),
            (Mode::HotStandby, Role::Primary),
            (Mode::HotStandby, Role::Standby),
        ];
        let scopes = |state: State, failover: bool| {
            columns.map(|(mode, role)| {
                (0..3).filter(|scope| state.serves(mode, role, failover, *scope)).collect::<Vec<_>>()
            })
        };
        let none: Vec<usize> = vec![];
        for off in [State::Waiting, State::Syncing, State::Ready, State::InMaintenance] {
            assert_eq!(scopes(off, true), [none.clone(), none.clone(), none.clone(), none.clone()]);
        }
        let own = [vec![0], vec![1], vec![0], none.clone()];
        assert_eq!(scopes(State::Terminated, true), own);
        assert_eq!(scopes(State::CommunicationRecovery, true)[..2], own[..2]);
        assert_eq!(scopes(State::LoadBalancing, true)[..2], own[..2]);
        assert_eq!(scopes(State::HotStandby, true)[2..], own[2..]);
        let all = [vec![0, 1], vec![0, 1], vec![0], vec![0]];
        assert_eq!(scopes(State::PartnerDown, true), all);
        assert_eq!(scopes(State::PartnerDown, false), own);
        assert_eq!(scopes(State::PartnerInMaintenance, false), all);
        assert!(State::PassiveBackup.serves(Mode::PassiveBackup, Role::Primary, true, 0));
        assert!(!State::PartnerDown.serves(Mode::PassiveBackup, Role::Backup, true, 0));
    }
}
