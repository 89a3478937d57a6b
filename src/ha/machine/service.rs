//! The one DHCP switch of a machine (kea-ha §5).

use std::collections::BTreeSet;

use crate::ha::state::State;

/// Who holds the service off. Relationships are numbered as in the file of the
/// server that speaks: its own, or the partner's, whose numbers may coincide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Holder {
    /// One of the machine's own relationships (Kea's origin 1000 and on).
    Local(usize),
    /// A partner's `dhcp-disable` (Kea's origin 2000 and on, as the sender numbers it).
    Partner(usize),
}

/// Whether a machine's DHCP service is on: while nobody holds it off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service(BTreeSet<Holder>);

impl Service {
    /// Whether queries are processed at all.
    pub fn is_on(&self) -> bool {
        self.0.is_empty()
    }

    /// A relationship enters a state. Kea switches only what is not so yet: a
    /// state without service that finds it off already leaves no claim of its
    /// own (`HAService::adjustNetworkState`; measured in the lab).
    pub fn enter(&mut self, relationship: usize, state: State) {
        let holder = Holder::Local(relationship);
        if state.is_service_on() {
            self.0.remove(&holder);
        } else if self.is_on() {
            self.0.insert(holder);
        }
    }

    /// `dhcp-disable`, whatever the service does now.
    pub fn disable(&mut self, holder: Holder) {
        self.0.insert(holder);
    }

    /// `dhcp-enable`, or the partner's `ha-sync-complete-notify`.
    pub fn enable(&mut self, holder: Holder) {
        self.0.remove(&holder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The log of zaldua1zerb1 in captures/zaldua1zerb1-killed: off, on, off, on.
    #[test]
    fn the_second_relationship_takes_the_service_away_again() {
        let mut service = Service::default();
        for (relationship, state, on) in [
            (0, State::Waiting, false),
            (1, State::Waiting, false),
            (0, State::Syncing, false),
            (0, State::Ready, false),
            (0, State::HotStandby, true),
            (1, State::Syncing, false),
            (1, State::Ready, false),
            (1, State::HotStandby, true),
        ] {
            service.enter(relationship, state);
            assert_eq!(service.is_on(), on, "{relationship} {state:?}");
        }
    }

    /// The log of zaldua1zerb1 in captures/zaldua2zerb1-killed: here it enters ready first, and never claims the switch.
    #[test]
    fn who_finds_it_off_leaves_no_claim() {
        let mut service = Service::default();
        for (relationship, state, on) in [
            (0, State::Waiting, false),
            (1, State::Waiting, false),
            (0, State::Ready, false),
            (1, State::Syncing, false),
            (1, State::Ready, false),
            (0, State::HotStandby, true),
            (1, State::HotStandby, true),
        ] {
            service.enter(relationship, state);
            assert_eq!(service.is_on(), on, "{relationship} {state:?}");
        }
    }

    #[test]
    fn a_partner_that_synchronises_silences_the_whole_machine() {
        let mut service = Service::default();
        service.disable(Holder::Partner(0));
        service.enter(1, State::HotStandby);
        assert!(!service.is_on(), "another relationship's normal state does not help");
        service.enable(Holder::Partner(0));
        assert!(service.is_on());
    }
}
