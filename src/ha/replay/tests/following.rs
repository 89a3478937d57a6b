//! What is remembered holds: the same is said as to somebody who asks for the first time.

use super::*;

#[test]
fn a_follower_is_told_what_anybody_is_told() {
    let answered = Query { reply: Some((at(71), frame(71))), ..query(70, 1, 0) };
    let inputs = [
        fact(0, FIRST, says(HS)),
        fact(3, SECOND_SERVER, says(HS)),
        fact(20, FIRST, says(HS)),
        fact(22, SECOND_SERVER, What::Hole),
        fact(30, SECOND_SERVER, says(HS)),
        fact(40, FIRST, What::Refuses),
        fact(55, FIRST, says(State::Waiting)),
        fact(66, FIRST, What::Syncs),
        fact(71, SECOND_SERVER, What::Answers(&answered)),
        fact(75, FIRST, says(State::Ready)),
        fact(80, SECOND_SERVER, says(PD)),
    ];
    let replay = run(&topology(Mode::HotStandby), &inputs, at(500));
    let mut told = Vec::new();
    // Forwards, and then in leaps that come back to every hundredth of a second.
    let instants = (0..6000).chain((0..6000).map(|at| at * 3571 % 6000));
    let follower = replay.follow();
    for instant in instants.map(|hundredths| CaptureTime((hundredths - 500) * SECOND / 100)) {
        for server in [FIRST, SECOND_SERVER] {
            let place = (server, PAIR, 0);
            let now = follower.standing(place, instant);
            assert_eq!(now, replay.follow().standing(place, instant), "{server:?} {instant:?}");
            let known = replay.state_at(server, PAIR, instant);
            assert_eq!(now.map(|it| it.confidence), known.map(|it| it.confidence));
            let now = now.map(|it| (it.service, it.state, it.confidence.to_bits()));
            if !told.contains(&(server, now)) {
                told.push((server, now));
            }
        }
    }
    assert!(told.len() > 10, "too little happens here: {told:?}");
    assert_eq!(follower.standing((ServerId(7), PAIR, 0), at(10)), None);
}
