//! Small stories, told fact by fact. Expected values follow kea-ha §3 and §4 by hand.

use super::input::{Input, What};
use super::run::run;
use super::*;
use crate::ha::machine::Reply;
use crate::ha::topology::{Dhcp4, Limits, Membership, Mode, Peer, Relationship, Role, Server, Topology};
use crate::units::{HwAddr, SECOND, SourceId};

mod following;
mod unseen;

const PAIR: RelationshipId = RelationshipId(0);
const OTHER: RelationshipId = RelationshipId(1);
const FIRST: ServerId = ServerId(0);
const SECOND_SERVER: ServerId = ServerId(1);

/// The lab's limits: 2 s, 6 s, 3 s; two unacked clients are one too many.
fn limits(mode: Mode) -> Limits {
    Limits {
        heartbeat_delay_ms: 2000,
        max_response_delay_ms: 6000,
        max_ack_delay_ms: 3000,
        max_unacked_clients: 1,
        ..Limits::defaults(mode)
    }
}

fn relationship(mode: Mode, names: [&str; 2], servers: [usize; 2]) -> Relationship {
    let second = if mode == Mode::LoadBalancing { Role::Secondary } else { Role::Standby };
    let peer = |name: &str, role, server| Peer {
        name: name.to_owned(),
        role,
        url: (std::net::Ipv4Addr::LOCALHOST.into(), 8000),
        auto_failover: true,
        server: Some(ServerId(server)),
    };
    Relationship {
        mode,
        peers: vec![peer(names[0], Role::Primary, servers[0]), peer(names[1], second, servers[1])],
        limits: limits(mode),
    }
}

fn topology(mode: Mode) -> Topology {
    Topology {
        servers: vec![Server::default(), Server::default()],
        relationships: vec![relationship(mode, ["a", "b"], [0, 1])],
        ..Topology::default()
    }
}

/// The second server is a hub: standby of the first, and primary of a third.
fn hub() -> Topology {
    let mut topology = topology(Mode::HotStandby);
    topology.relationships.push(relationship(Mode::HotStandby, ["b2", "c"], [1, 2]));
    let seat = |relationship, name: &str| Membership {
        relationship,
        this_server_name: name.to_owned(),
        limits: limits(Mode::HotStandby),
    };
    topology.servers.push(Server::default());
    topology.servers[1].kea =
        Some(Dhcp4 { memberships: vec![seat(OTHER, "b2"), seat(PAIR, "b")], ..Dhcp4::default() });
    topology
}

/// Tenths of a second.
fn at(tenths: i64) -> CaptureTime {
    CaptureTime(tenths * SECOND / 10)
}

fn frame(tenths: i64) -> FrameRef {
    FrameRef { source: SourceId(0), number: tenths.unsigned_abs() }
}

fn fact(tenths: i64, server: ServerId, what: What<'_>) -> Input<'_> {
    Input { time: at(tenths), at: frame(tenths), seat: (server, PAIR), what }
}

fn says(state: State) -> What<'static> {
    What::Says { state, scopes: None, date: None }
}

fn hears_from(partner: State) -> What<'static> {
    What::Heartbeat { partner: Some(partner), unsent: Some(0), date: None }
}

fn query(tenths: i64, client: u8, secs: u16) -> Query {
    Query {
        server: SECOND_SERVER,
        relationship: PAIR,
        message: MessageId(u32::from(client)),
        exchange: ExchangeId(u32::from(client)),
        time: at(tenths),
        at: frame(tenths),
        client: ClientKey(HwAddr::new(&[client]), smallvec::SmallVec::new()),
        secs,
        scope: Some(0),
        filtered: true,
        reply: None,
        unshared: false,
    }
}

/// From, to, tenths of its instant, cause.
fn story(replay: &Replay) -> Vec<(Option<State>, State, i64, Cause)> {
    let told = |it: &Transition| (it.from, it.to, it.instant().0 * 10 / SECOND, it.cause);
    replay.transitions.iter().map(told).collect()
}

const HS: State = State::HotStandby;
const PD: State = State::PartnerDown;

/// A standby whose primary dies: heartbeats fail from 2 s on, two clients wait too long after 6 s.
fn dying(queries: &[Query]) -> Vec<Input<'_>> {
    let mut inputs = vec![
        fact(0, SECOND_SERVER, hears_from(HS)),
        fact(1, SECOND_SERVER, says(HS)),
        fact(20, SECOND_SERVER, What::Failed { told: true }),
        fact(40, SECOND_SERVER, What::Failed { told: true }),
        fact(62, SECOND_SERVER, What::Failed { told: true }),
        fact(80, SECOND_SERVER, What::Failed { told: true }),
    ];
    inputs.extend(queries.iter().map(|query| Input {
        time: query.time,
        at: query.at,
        seat: (SECOND_SERVER, PAIR),
        what: What::Hears(query),
    }));
    inputs.sort_by_key(|input| input.time);
    inputs
}

#[test]
fn a_standby_counts_and_takes_over_at_the_next_failed_heartbeat() {
    // 4 s are more than 3; the first two queries come before the clock expires at 6 s.
    let queries = [query(50, 1, 9), query(60, 2, 9), query(61, 1, 3), query(63, 1, 4), query(65, 2, 4)];
    let replay = run(&topology(Mode::HotStandby), &dying(&queries), at(100));
    let steps: Vec<_> = replay
        .counted
        .iter()
        .map(|it| (it.time, it.unacked, it.total_unacked, it.left, it.clients))
        .collect();
    assert_eq!(steps, [(at(61), false, 0, 2, 1), (at(63), true, 1, 1, 1), (at(65), true, 2, 0, 2)]);
    assert_eq!(story(&replay)[1..], [(Some(HS), PD, 80, Cause::ClientsUnacked)]);
    let takeover = &replay.transitions[1];
    assert_eq!((takeover.after, takeover.by, takeover.basis), (at(1), at(100), Basis::Inferred));
    assert_eq!(takeover.evidence, [frame(80), frame(65), frame(0)], "heartbeat, last client, last good one");
    assert_eq!(replay.takeover_after(&replay.counted[2]), Some(takeover));
    assert_eq!(replay.counted_in(ExchangeId(1)).count(), 2);
}

#[test]
fn what_the_server_says_confirms_a_prediction_or_takes_it_back() {
    let queries = [query(63, 1, 4), query(65, 2, 4)];
    let mut inputs = dying(&queries);
    inputs.push(fact(90, SECOND_SERVER, says(PD)));
    let confirmed = run(&topology(Mode::HotStandby), &inputs, at(100));
    let takeover = &confirmed.transitions[1];
    assert_eq!((takeover.predicted, takeover.by), (Some(at(80)), at(90)));
    assert_eq!((takeover.observed, takeover.basis), (Some((at(90), frame(90))), Basis::Heartbeat));

    inputs.pop();
    inputs.push(fact(90, SECOND_SERVER, says(HS)));
    inputs.push(fact(100, SECOND_SERVER, What::Failed { told: true }));
    let refuted = run(&topology(Mode::HotStandby), &inputs, at(110));
    assert_eq!(story(&refuted).len(), 1, "it may be paused, and is not predicted again: {refuted:#?}");
    let known = refuted.state_at(SECOND_SERVER, PAIR, at(105)).unwrap();
    assert_eq!((known.span.state, known.span.scopes.as_slice()), (Some(HS), &[][..]));
}

#[test]
fn an_answer_in_the_partners_scope_shows_a_takeover_that_nothing_predicted() {
    let answered = Query { reply: Some((at(71), frame(71))), ..query(70, 1, 0) };
    let mut inputs = vec![fact(0, SECOND_SERVER, says(HS)), fact(10, SECOND_SERVER, says(HS))];
    inputs.push(fact(71, SECOND_SERVER, What::Answers(&answered)));
    let replay = run(&topology(Mode::HotStandby), &inputs, at(100));
    let takeover = &replay.transitions[1];
    assert_eq!((takeover.from, takeover.to, takeover.predicted), (Some(HS), PD, None));
    assert_eq!((takeover.after, takeover.by, takeover.basis), (at(10), at(71), Basis::Inferred));
    // Inside the bracket nobody knows; after it the state holds.
    let sure =
        |tenths| replay.state_at(SECOND_SERVER, PAIR, at(tenths)).map(|it| (it.span.state, it.confidence));
    assert_eq!(sure(5), Some((Some(HS), 0.97)));
    assert_eq!(sure(40), Some((Some(HS), 0.6)));
    assert_eq!(sure(90), Some((Some(PD), 0.85)));
    assert_eq!((sure(-1), sure(101)), (None, None));
}

#[test]
fn nothing_is_counted_while_the_clock_is_unknown() {
    let queries = [query(61, 1, 9), query(63, 2, 9)];
    let mut inputs = dying(&queries);
    inputs.remove(0);
    let replay = run(&topology(Mode::HotStandby), &inputs, at(100));
    assert!(replay.counted.is_empty() && story(&replay).len() == 1);
    // Its first own frame bounds the clock: 6 s after it there is no doubt left.
    inputs.insert(0, fact(0, SECOND_SERVER, What::Speaks { refused: false }));
    let replay = run(&topology(Mode::HotStandby), &inputs, at(100));
    assert_eq!(replay.counted.len(), 2);
    assert_eq!(story(&replay)[1], (Some(HS), PD, 80, Cause::ClientsUnacked));
}

#[test]
fn load_balancing_goes_through_communication_recovery() {
    let lb = State::LoadBalancing;
    let inputs = [
        fact(0, FIRST, says(lb)),
        fact(1, FIRST, hears_from(lb)),
        fact(20, FIRST, What::Failed { told: true }),
        fact(30, FIRST, says(State::CommunicationRecovery)),
        fact(40, FIRST, hears_from(lb)),
        fact(41, FIRST, What::SendsUpdate),
    ];
    let replay = run(&topology(Mode::LoadBalancing), &inputs, at(100));
    let recovery = State::CommunicationRecovery;
    assert_eq!(
        story(&replay)[1..],
        [(Some(lb), recovery, 20, Cause::PartnerUnavailable), (Some(recovery), lb, 40, Cause::Partner(lb))]
    );
    assert_eq!(replay.transitions[2].observed, Some((at(41), frame(41))));
}

#[test]
fn maintenance_moves_both_and_a_cancel_returns_both() {
    let (maintained, gone) = (State::InMaintenance, State::PartnerInMaintenance);
    let notify = |cancel| {
        (What::Notified { cancel, reply: Reply::Done }, What::Notifies { cancel, reply: Reply::Done })
    };
    let (told, tells) = notify(false);
    let mut inputs = vec![
        fact(0, FIRST, says(HS)),
        fact(1, SECOND_SERVER, says(HS)),
        fact(10, FIRST, told),
        fact(10, SECOND_SERVER, tells),
    ];
    let away = {
        let mut inputs = inputs.clone();
        inputs.push(fact(30, SECOND_SERVER, What::Failed { told: true }));
        run(&topology(Mode::HotStandby), &inputs, at(100))
    };
    assert_eq!(
        story(&away)[2..],
        [
            (Some(HS), maintained, 10, Cause::Maintenance),
            (Some(HS), gone, 10, Cause::Maintenance),
            (Some(gone), PD, 30, Cause::PartnerUnavailable)
        ],
        "a partner in maintenance that fails is gone at once"
    );
    let (told, tells) = notify(true);
    inputs.extend([fact(20, FIRST, told), fact(20, SECOND_SERVER, tells)]);
    let back = run(&topology(Mode::HotStandby), &inputs, at(100));
    assert_eq!(
        story(&back)[4..],
        [
            (Some(maintained), HS, 20, Cause::MaintenanceCancelled),
            (Some(gone), HS, 20, Cause::MaintenanceCancelled)
        ]
    );
    let known = back.state_at(FIRST, PAIR, at(15)).unwrap();
    assert!(!known.span.service_on && known.span.scopes.is_empty());
}

#[test]
fn a_server_that_refused_and_speaks_again_was_started() {
    let inputs = [
        fact(0, FIRST, says(HS)),
        fact(20, FIRST, What::Refuses),
        fact(40, FIRST, What::Refuses),
        fact(55, FIRST, says(State::Waiting)),
        fact(65, FIRST, What::Speaks { refused: false }),
        fact(66, FIRST, hears_from(PD)),
        fact(66, FIRST, What::Syncs),
        fact(67, FIRST, What::Synced),
    ];
    let replay = run(&topology(Mode::HotStandby), &inputs, at(100));
    assert_eq!(
        story(&replay)[1..],
        [
            (None, State::Waiting, 55, Cause::Started),
            (Some(State::Waiting), State::Syncing, 66, Cause::Partner(PD)),
            (Some(State::Syncing), State::Ready, 67, Cause::Synchronised)
        ]
    );
    assert_eq!((replay.transitions[1].after, replay.transitions[1].by), (at(40), at(55)));
    let state = |tenths| replay.state_at(FIRST, PAIR, at(tenths)).unwrap().span;
    assert_eq!((state(30).state, state(30).service_on), (None, false));
    assert_eq!((state(60).state, state(60).service_on), (Some(State::Waiting), false));
}

#[test]
fn a_server_that_speaks_while_it_refuses_was_never_gone() {
    let inputs = [
        fact(0, FIRST, says(HS)),
        fact(20, FIRST, What::Refuses),
        fact(25, FIRST, What::Speaks { refused: false }),
        fact(40, FIRST, What::Refuses),
        fact(45, FIRST, What::Speaks { refused: false }),
    ];
    let replay = run(&topology(Mode::HotStandby), &inputs, at(100));
    assert_eq!(story(&replay), [(None, HS, 0, Cause::FirstSeen)]);
    assert_eq!(replay.state_at(FIRST, PAIR, at(42)).unwrap().span.state, Some(HS));
}

/// 61 s apart terminate; what is read from whole seconds may be a second off, so 62 are needed here.
#[test]
fn clocks_too_far_apart_terminate() {
    let terminated = State::Terminated;
    for (apart, expected) in [(61, None), (62, Some(terminated)), (-62, Some(terminated)), (0, None)] {
        // Both clocks are a day off the capture's, which does not matter.
        let clock = |tenths: i64, more: i64| Some(at(tenths).plus((86_400 + more) * SECOND));
        let inputs = [
            fact(0, FIRST, What::Says { state: HS, scopes: None, date: clock(0, 0) }),
            fact(1, FIRST, What::Heartbeat { partner: Some(HS), unsent: None, date: clock(1, apart) }),
        ];
        let replay = run(&topology(Mode::HotStandby), &inputs, at(10));
        let to = replay.transitions.get(1).map(|it| (it.to, it.cause));
        assert_eq!(to, expected.map(|state| (state, Cause::Fatal)), "{apart}");
    }
}

/// kea-ha §4.1, footnote 6.
#[test]
fn unsent_updates_of_a_returning_partner_make_the_survivor_wait() {
    let ready = |unsent| What::Heartbeat { partner: Some(State::Ready), unsent: Some(unsent), date: None };
    for (before, now, to) in [(0, 15, State::Waiting), (15, 15, HS), (0, 0, HS)] {
        let inputs = [
            fact(0, SECOND_SERVER, says(PD)),
            fact(
                1,
                SECOND_SERVER,
                What::Heartbeat { partner: Some(State::Waiting), unsent: Some(before), date: None },
            ),
            fact(2, SECOND_SERVER, ready(now)),
        ];
        let replay = run(&topology(Mode::HotStandby), &inputs, at(10));
        assert_eq!(replay.transitions[1].to, to, "{before}, {now}");
    }
}

/// A partner of the other relationship synchronises, and nobody hears anything (kea-ha §5).
#[test]
fn a_hub_with_its_service_off_counts_nothing() {
    let queries = [query(61, 1, 9), query(63, 2, 9), query(66, 4, 9)];
    let off_until = |tenths| {
        let mut inputs = dying(&queries);
        let other =
            |tenths, what| Input { seat: (SECOND_SERVER, OTHER), ..fact(tenths, SECOND_SERVER, what) };
        inputs.extend([other(60, What::Disabled(0)), other(tenths, What::PartnerSynced(0))]);
        inputs.sort_by_key(|input| input.time);
        run(&hub(), &inputs, at(100))
    };
    let short = off_until(61);
    let counted: Vec<_> = short.counted.iter().map(|it| (it.time, it.total_unacked)).collect();
    assert_eq!(counted, [(at(63), 1), (at(66), 2)]);
    assert_eq!(story(&short)[1], (Some(HS), PD, 80, Cause::ClientsUnacked));
    // A heartbeat that fails while the service is off asks no traffic (kea-ha §3.7).
    let long = off_until(64);
    assert_eq!((story(&long)[1], long.counted.len()), ((Some(HS), PD, 62, Cause::Interrupted), 0));
}

/// Whatever is said in whatever order, the account is consistent.
#[test]
fn any_order_of_facts_gives_a_consistent_account() {
    let queries: Vec<Query> = (0..20).map(|client| query(0, client, u16::from(client))).collect();
    let mut seed = 1_u64;
    let mut random = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    for mode in [Mode::HotStandby, Mode::LoadBalancing] {
        for _ in 0..200 {
            let mut clock = 0;
            let inputs: Vec<Input<'_>> = (0..60)
                .map(|_| {
                    clock += random(12).cast_signed();
                    let state = State::ALL[random(12) as usize];
                    let query = &queries[random(20) as usize];
                    let (cancel, reply) =
                        (random(2) == 0, Reply::of([Some(0), Some(1), None][random(3) as usize]));
                    let what = match random(18) {
                        0 | 1 => says(state),
                        2 | 3 => hears_from(state),
                        4 | 5 => What::Failed { told: true },
                        6 => What::Refuses,
                        7 => What::Speaks { refused: cancel },
                        8 => What::SendsUpdate,
                        9 => What::Syncs,
                        10 => What::Synced,
                        11 => What::Notified { cancel, reply },
                        12 => What::Notifies { cancel, reply },
                        13 => What::IsReset,
                        14 => What::Disabled(0),
                        15 => What::Resets,
                        16 => What::HasReset,
                        _ if cancel => What::Answers(query),
                        _ => What::Hears(query),
                    };
                    fact(clock, ServerId(random(2) as usize), what)
                })
                .collect();
            let replay = run(&topology(mode), &inputs, at(clock));
            for server in [FIRST, SECOND_SERVER] {
                let mut before: Option<&Transition> = None;
                for it in replay.transitions.iter().filter(|it| it.server == server) {
                    assert!(it.after <= it.by && it.by <= at(clock), "{it:?}");
                    assert_ne!(it.from, Some(it.to));
                    if let (Some(from), Some(before)) = (it.from, before) {
                        assert_eq!(from, before.to, "{:#?}", replay.transitions);
                        assert!(before.instant() <= it.instant());
                    }
                    before = Some(it);
                }
                let spans: Vec<_> = replay.spans.iter().filter(|span| span.server == server).collect();
                assert!(spans.windows(2).all(|pair| pair[0].to == pair[1].from), "{spans:#?}");
            }
        }
    }
}
