//! What no frame tells by itself: a start, a partner given up, a state before the first sight.

use super::*;

/// Both died, and this one came back first: it heartbeats again two seconds after its start, too
/// late for one that lived and too soon for one whose request hung for ten seconds.
#[test]
fn a_server_that_is_refused_after_a_short_silence_was_started_unseen() {
    let told = |silence, refused| {
        let queries = [query(70, 1, 9)];
        let mut inputs = vec![
            fact(0, SECOND_SERVER, says(HS)),
            fact(0, SECOND_SERVER, hears_from(HS)),
            fact(silence, SECOND_SERVER, What::Speaks { refused }),
            fact(silence, SECOND_SERVER, What::Failed { told: true }),
            fact(silence + 42, SECOND_SERVER, What::Failed { told: true }),
        ];
        let heard = Input {
            time: at(70),
            at: frame(70),
            seat: (SECOND_SERVER, PAIR),
            what: What::Hears(&queries[0]),
        };
        inputs.push(heard);
        inputs.sort_by_key(|input| input.time);
        let replay = run(&topology(Mode::HotStandby), &inputs, at(200));
        (story(&replay)[1..].to_vec(), replay.counted.len())
    };
    let waiting = State::Waiting;
    let returned =
        vec![(None, waiting, 60 - 20, Cause::Started), (Some(waiting), PD, 102, Cause::Interrupted)];
    assert_eq!(told(60, true), (returned, 0), "its service is off, so that it hears nobody");
    assert_eq!(told(60, false), (vec![], 1), "one that is answered will say more");
    assert_eq!(told(50, true), (vec![], 1), "a missing heartbeat explains it");
    assert_eq!(told(100, true), (vec![], 1), "a request that hung explains it");
}

/// A start that nobody saw is taken back when the server is at work as before.
#[test]
fn a_start_that_was_none_is_taken_back() {
    let inputs = [
        fact(0, SECOND_SERVER, says(HS)),
        fact(60, SECOND_SERVER, What::Speaks { refused: true }),
        fact(61, SECOND_SERVER, says(HS)),
    ];
    let replay = run(&topology(Mode::HotStandby), &inputs, at(100));
    assert_eq!(story(&replay), [(None, HS, 0, Cause::FirstSeen)]);
}

/// A firewall of its own keeps every request off the wire; what it does without its partner shows.
#[test]
fn an_ack_that_the_partner_never_stored_shows_that_it_was_given_up() {
    let lb = State::LoadBalancing;
    for (mode, normal, after, asked, expected) in [
        (Mode::HotStandby, HS, PD, 70, true),
        (Mode::LoadBalancing, lb, State::CommunicationRecovery, 70, true),
        (Mode::HotStandby, HS, PD, 50, false),
    ] {
        let acked = Query {
            server: FIRST,
            reply: Some((at(asked + 1), frame(asked + 1))),
            unshared: true,
            ..query(asked, 1, 0)
        };
        let inputs = [
            fact(0, FIRST, says(normal)),
            fact(0, FIRST, hears_from(normal)),
            fact(asked + 1, FIRST, What::Answers(&acked)),
        ];
        let replay = run(&topology(mode), &inputs, at(100));
        let changes: Vec<_> = replay.transitions[1..].iter().map(|it| (it.to, it.after, it.by)).collect();
        let given_up = vec![(after, at(60), at(asked + 1))];
        assert_eq!(changes, if expected { given_up } else { vec![] }, "{mode:?}, {asked}");
    }
}

/// kea-ha §4.1, footnote 5; the answer of the server crosses the command.
#[test]
fn a_reset_is_sent_from_communication_recovery() {
    let (lb, recovery, waiting) = (State::LoadBalancing, State::CommunicationRecovery, State::Waiting);
    let inputs = [
        fact(0, FIRST, says(lb)),
        fact(1, FIRST, hears_from(lb)),
        fact(150, FIRST, hears_from(recovery)),
        fact(150, FIRST, What::Resets),
        fact(150, FIRST, What::HasReset),
        fact(150, FIRST, says(recovery)),
        fact(151, FIRST, What::Syncs),
    ];
    let replay = run(&topology(Mode::LoadBalancing), &inputs, at(200));
    assert_eq!(
        story(&replay)[1..],
        [
            (Some(lb), recovery, 150, Cause::Observed),
            (Some(recovery), waiting, 150, Cause::Reset),
            (Some(waiting), State::Syncing, 150, Cause::Partner(recovery)),
        ]
    );
}

/// The first good heartbeat terminates a server that nobody saw before.
#[test]
fn a_server_first_seen_terminated_was_waiting() {
    let clock = |seconds: i64| Some(at(0).plus(seconds * SECOND));
    let inputs = [
        fact(0, FIRST, What::Heartbeat { partner: Some(State::Waiting), unsent: None, date: clock(90) }),
        fact(1, FIRST, What::Says { state: State::Terminated, scopes: None, date: clock(0) }),
    ];
    let replay = run(&topology(Mode::HotStandby), &inputs, at(10));
    assert_eq!(story(&replay), [(Some(State::Waiting), State::Terminated, 0, Cause::Fatal)]);
}
