//! kea-ha §4.1, row by row. Expected values are the cells of that table.

use super::*;
use State::{
    CommunicationRecovery as CR, HotStandby as HS, InMaintenance as IM, LoadBalancing as LB,
    PartnerDown as PD, PartnerInMaintenance as PIM, Ready as R, Syncing as Y, Terminated as T, Waiting as W,
};

/// The table's columns; `normal` stands for the mode's own.
fn columns(normal: State) -> [Partner; 11] {
    let state = |state| Partner::In(state);
    [
        state(W),
        state(Y),
        state(R),
        state(normal),
        state(CR),
        state(PD),
        state(IM),
        state(PIM),
        state(T),
        Partner::Unavailable,
        Partner::Unknown,
    ]
}

fn lb(role: Role) -> Conditions {
    Conditions::healthy(Mode::LoadBalancing, role, &Limits::defaults(Mode::LoadBalancing))
}

fn hs(role: Role) -> Conditions {
    Conditions::healthy(Mode::HotStandby, role, &Limits::defaults(Mode::HotStandby))
}

fn row(own: State, conditions: &Conditions) -> [State; 11] {
    columns(State::normal(conditions.mode)).map(|partner| next(own, partner, conditions))
}

#[test]
fn waiting() {
    assert_eq!(row(W, &lb(Role::Primary)), [Y, W, Y, Y, Y, Y, Y, Y, W, W, W]);
    assert_eq!(row(W, &lb(Role::Secondary)), [W, W, Y, Y, Y, Y, Y, Y, W, W, W]);
    let gone = Conditions { partner_down: true, ..lb(Role::Primary) };
    assert_eq!(next(W, Partner::Unavailable, &gone), PD);
    let unsynced = Conditions { syncs_leases: false, ..lb(Role::Primary) };
    assert_eq!(row(W, &unsynced), [R, W, R, R, R, R, R, R, W, W, W]);
    for (minutes, after) in [(9, W), (10, T)] {
        let long = Conditions { partner_terminated_min: minutes, ..lb(Role::Primary) };
        assert_eq!(next(W, Partner::In(T), &long), after);
    }
    // A backup, and the primary of a passive-backup pair, do not wait for anybody.
    assert_eq!(next(W, Partner::Unknown, &lb(Role::Backup)), State::Backup);
    let alone = Conditions { mode: Mode::PassiveBackup, ..hs(Role::Primary) };
    assert_eq!(next(W, Partner::Unknown, &alone), State::PassiveBackup);
}

#[test]
fn syncing() {
    assert_eq!(row(Y, &lb(Role::Primary)), [Y, Y, Y, Y, Y, Y, Y, Y, T, Y, Y]);
    let done = Conditions { synchronised: true, ..lb(Role::Primary) };
    assert_eq!(row(Y, &done), [R, R, R, R, R, R, R, R, T, Y, R]);
    let gone = Conditions { partner_down: true, ..lb(Role::Primary) };
    assert_eq!(next(Y, Partner::Unavailable, &gone), PD);
}

#[test]
fn ready() {
    assert_eq!(row(R, &lb(Role::Primary)), [R, R, LB, LB, LB, R, PIM, IM, T, R, R]);
    assert_eq!(row(R, &lb(Role::Secondary)), [R, R, R, LB, LB, R, PIM, IM, T, R, R]);
    let gone = Conditions { partner_down: true, ..lb(Role::Secondary) };
    assert_eq!(next(R, Partner::Unavailable, &gone), PD);
}

#[test]
fn normal() {
    assert_eq!(row(LB, &lb(Role::Secondary)), [LB, LB, LB, LB, LB, W, PIM, IM, T, CR, LB]);
    // Hot-standby queues no updates, and a partner in communication-recovery is impossible there.
    assert_eq!(row(HS, &hs(Role::Standby)), [HS, HS, HS, HS, W, W, PIM, IM, T, HS, HS]);
    let gone = Conditions { partner_down: true, ..lb(Role::Primary) };
    assert_eq!(
        next(LB, Partner::Unavailable, &gone),
        PD,
        "the traffic test comes before communication-recovery"
    );
}

#[test]
fn communication_recovery() {
    let kept = lb(Role::Primary);
    assert_eq!(row(CR, &kept), [CR, CR, CR, LB, LB, W, PIM, IM, T, CR, W]);
    let lost = Conditions { backlog: Backlog::Lost, ..kept };
    assert_eq!(row(CR, &lost), [W, W, W, W, W, W, PIM, IM, T, CR, W]);
    let silent = Conditions { interrupted: true, ..lost };
    assert_eq!(row(CR, &silent), [CR, CR, CR, CR, CR, W, PIM, IM, T, CR, CR]);
    let gone = Conditions { partner_down: true, interrupted: true, ..kept };
    assert_eq!(next(CR, Partner::Unavailable, &gone), PD);
}

#[test]
fn partner_down() {
    let gone = Conditions { partner_down: true, interrupted: true, ..lb(Role::Primary) };
    for conditions in [lb(Role::Primary), gone] {
        assert_eq!(row(PD, &conditions), [PD, PD, LB, PD, W, W, PD, W, T, PD, PD]);
    }
    let unsent = Conditions { partner_kept_updates: true, ..hs(Role::Standby) };
    assert_eq!(next(PD, Partner::In(R), &unsent), W);
    assert_eq!(next(PD, Partner::In(R), &hs(Role::Standby)), HS);
}

#[test]
fn maintenance_and_the_states_that_nothing_leaves() {
    for conditions in [lb(Role::Primary), Conditions { partner_down: true, ..lb(Role::Primary) }] {
        assert_eq!(row(PIM, &conditions), [PIM, PIM, PIM, PIM, PIM, PIM, PIM, PIM, PIM, PD, PIM]);
        for own in [IM, T, State::PassiveBackup, State::Backup] {
            assert_eq!(row(own, &conditions), [own; 11]);
        }
    }
}

/// The checks before the table, in their order.
#[test]
fn the_common_checks_come_first() {
    let skewed = Conditions { must_terminate: true, ..hs(Role::Standby) };
    let paused = Conditions { held: true, ..skewed };
    for own in [W, Y, R, HS, PD] {
        assert_eq!(row(own, &paused), [own; 11], "paused before anything else");
        assert_eq!(row(own, &skewed), [T; 11]);
        for impossible in [LB, CR] {
            assert_eq!(next(own, Partner::In(impossible), &hs(Role::Standby)), W);
        }
        assert_eq!(next(own, Partner::In(HS), &lb(Role::Primary)), W);
    }
    // A partner in maintenance is left alone by the third check, not by the second.
    assert_eq!(next(PIM, Partner::In(LB), &hs(Role::Standby)), PIM);
    assert_eq!(next(PIM, Partner::In(HS), &skewed), T);
}

/// kea-ha §3.7: who asks the traffic.
#[test]
fn traffic_is_asked_where_it_can_tell() {
    let hs_primary = (Mode::HotStandby, Role::Primary);
    let hs_standby = (Mode::HotStandby, Role::Standby);
    let balanced = [(Mode::LoadBalancing, Role::Primary), (Mode::LoadBalancing, Role::Secondary)];
    for place in [hs_primary, hs_standby, balanced[0], balanced[1]] {
        assert!(!should_partner_down(place, false, true, true), "the clock comes first");
        assert!(should_partner_down(place, true, false, false), "with the service off there is no traffic");
        assert!(should_partner_down(place, true, true, true));
        assert_eq!(should_partner_down(place, true, true, false), place == hs_primary);
    }
}
