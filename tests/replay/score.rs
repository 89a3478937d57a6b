//! Every change of state and every counted client of every recording against Kea's own log of the
//! same run. The result is a page of the documentation, so it is never written by hand.

use std::collections::HashMap;

use dorascope::ha::replay::Transition;
use dorascope::ha::topology::{Mode, RelationshipId};
use dorascope::pipeline::Analysis;
use dorascope::units::{CaptureTime, colon_hex};

use super::{HEARTBEAT_DELAY, Line, Place, describe, each, is_encrypted, seat, span, state};
use crate::support::page::{self, MADE};

/// What came of one recording.
#[derive(Default)]
struct Score {
    /// Changes in Kea's log, and those of them that the replay has.
    logged: usize,
    found: usize,
    /// Found with an instant at most one heartbeat-delay away.
    within: usize,
    /// The largest difference between a change's instant and Kea's, nanoseconds.
    worst: i64,
    /// Changes that leave no frame behind.
    traceless: usize,
    /// All other changes of Kea that the replay has not, and its own that Kea has not.
    missed: Vec<String>,
    extra: Vec<String>,
    /// Clients that Kea counted, that the replay counted, and steps at which both count alike.
    keas_clients: usize,
    our_clients: usize,
    alike: usize,
    /// Clients that Kea counted by a clock that cannot be seen.
    unseen_clients: usize,
    /// What is wrong with the counts.
    wrong: Vec<String>,
}

impl Score {
    fn add(&mut self, other: &Self) {
        self.logged += other.logged;
        self.found += other.found;
        self.within += other.within;
        self.worst = self.worst.max(other.worst);
        self.traceless += other.traceless;
        self.missed.extend_from_slice(&other.missed);
        self.extra.extend_from_slice(&other.extra);
        self.keas_clients += other.keas_clients;
        self.our_clients += other.our_clients;
        self.alike += other.alike;
        self.unseen_clients += other.unseen_clients;
        self.wrong.extend_from_slice(&other.wrong);
    }

    fn row(&self, name: &str) -> String {
        let worst = if self.found == 0 { String::new() } else { format!("{} ms", self.worst / 1_000_000) };
        format!(
            "| {name} | {} | {} | {} | {} | {} | {} | {worst} | {} | {} | {} | {} |\n",
            self.logged,
            self.found,
            self.within,
            self.traceless,
            self.missed.len(),
            self.extra.len(),
            self.keas_clients,
            self.our_clients,
            self.alike,
            self.unseen_clients,
        )
    }
}

/// Whether no frame can show the states of this relationship. A passive-backup primary passes from
/// its start through waiting within microseconds and heartbeats nobody, and the state before it
/// serves nobody; of an encrypted channel no state can be read.
fn leaves_no_trace(analysis: &Analysis<'_>, relationship: RelationshipId) -> bool {
    analysis.network.topology.relationships[relationship.0].mode == Mode::PassiveBackup
        || is_encrypted(analysis, relationship)
}

fn changes(name: &str, analysis: &Analysis<'_>, truth: &[Line], score: &mut Score) {
    let (begin, end) = span(analysis);
    let mut ours: Vec<Option<&Transition>> = analysis.replay.transitions.iter().map(Some).collect();
    for line in truth.iter().filter(|line| line.event == "state" && (begin..=end).contains(&line.ts_ns)) {
        let (server, relationship) = seat(analysis, line);
        score.logged += 1;
        if leaves_no_trace(analysis, relationship) {
            score.traceless += 1;
            continue;
        }
        let near = |time: CaptureTime| (time.0 - line.ts_ns).abs() <= HEARTBEAT_DELAY;
        let fits = |it: &Transition| {
            (it.server, it.relationship) == (server, relationship)
                && it.from == state(line.from_state.as_ref())
                && Some(it.to) == state(line.to_state.as_ref())
                && match it.predicted {
                    Some(time) => near(time),
                    None => {
                        it.after.0 - HEARTBEAT_DELAY <= line.ts_ns && line.ts_ns <= it.by.0 + HEARTBEAT_DELAY
                    }
                }
        };
        match ours.iter_mut().find(|it| it.is_some_and(fits)).and_then(Option::take) {
            Some(it) => {
                score.found += 1;
                score.within += usize::from(near(it.instant()));
                score.worst = score.worst.max((it.instant().0 - line.ts_ns).abs());
            }
            None => score.missed.push(format!("{name}: {line:?}")),
        }
    }
    // The log has no line for a start, and a first sight is no change.
    let changes = ours.into_iter().flatten().filter(|it| it.from.is_some());
    score.extra.extend(changes.map(|it| format!("{name}: {}", describe(analysis, it))));
}

/// Queries closer together than this may reach Kea in another order than the
/// capture; neither timestamps nor frame numbers tell (measured: both were wrong once).
const TOGETHER: i64 = 100_000;

/// Client, client identifier, transaction, and whether it became unacked.
type Who = (String, String, String, bool);
/// Unacked clients and those still missing, where Kea prints them.
type Count = Option<(u32, u32)>;

/// What Kea's log counts, by seat and in its order.
fn logged_clients(analysis: &Analysis<'_>, truth: &[Line]) -> HashMap<Place, Vec<(Who, Count)>> {
    let (begin, end) = span(analysis);
    let mut logged: HashMap<Place, Vec<(Who, Count)>> = HashMap::new();
    for line in truth.iter().filter(|line| (begin..=end).contains(&line.ts_ns)) {
        if matches!(line.event.as_str(), "counted" | "unacked") {
            let who = (
                line.mac.clone().unwrap_or_default(),
                line.client_id.clone().unwrap_or_default(),
                line.xid.clone().unwrap(),
                line.event == "unacked",
            );
            logged.entry(seat(analysis, line)).or_default().push((who, line.unacked.zip(line.left)));
        }
    }
    logged
}

/// What the replay counts, by seat and in time order.
fn our_clients(analysis: &Analysis<'_>) -> HashMap<Place, Vec<(i64, Who, Count)>> {
    let mut ours: HashMap<Place, Vec<(i64, Who, Count)>> = HashMap::new();
    for counted in &analysis.replay.counted {
        let query = analysis.message(counted.query);
        let who = (
            query.chaddr.to_string(),
            query.client_id().map(colon_hex).unwrap_or_default(),
            query.xid.to_string(),
            counted.unacked,
        );
        let count = counted.unacked.then_some((counted.total_unacked, counted.left));
        let place = (counted.server, counted.relationship);
        ours.entry(place).or_default().push((counted.time.0, who, count));
    }
    ours
}

fn clients(name: &str, analysis: &Analysis<'_>, truth: &[Line], score: &mut Score) {
    let mut ours = our_clients(analysis);
    for (place, mut logged) in logged_clients(analysis, truth) {
        score.keas_clients += logged.len();
        if leaves_no_trace(analysis, place.1) {
            // Without readable heartbeats the clock is unknown, and nothing may be claimed.
            score.unseen_clients += logged.len();
            continue;
        }
        let mut ours = ours.remove(&place).unwrap_or_default();
        score.our_clients += ours.len();
        let mut begin = 0;
        for at in 1..=ours.len() {
            if at == ours.len() || ours[at].0 - ours[at - 1].0 > TOGETHER {
                // In here the order is open, but not who was counted, nor what Kea counted up to.
                let mut own: Vec<Count> = ours[begin..at].iter().map(|it| it.2).collect();
                ours[begin..at].sort_by(|a, b| a.1.cmp(&b.1));
                own.sort();
                if let Some(logged) = logged.get_mut(begin..at) {
                    logged.sort();
                    let mut keas: Vec<Count> = logged.iter().map(|it| it.1).collect();
                    keas.sort();
                    if own != keas {
                        score.wrong.push(format!("{name}: {own:?}, logged {logged:?}"));
                    }
                }
                begin = at;
            }
        }
        let (own, keas): (Vec<&Who>, Vec<&Who>) =
            (ours.iter().map(|it| &it.1).collect(), logged.iter().map(|it| &it.0).collect());
        let same = own.iter().zip(&keas).take_while(|(ours, keas)| ours == keas).count();
        if own.len() != same || keas.len() != same {
            let (own, keas) = (own.get(same), keas.get(same));
            score.wrong.push(format!("{name}: {own:?}, logged {keas:?}, after {same} equal steps"));
        }
        score.alike += same;
    }
    score.our_clients += ours.values().map(Vec::len).sum::<usize>();
    score.wrong.extend(ours.into_values().map(|ours| format!("{name}: Kea did not count {ours:?}")));
}

const INTRODUCTION: &str = "\
# How close the replay is to Kea

Every change of state (`HA_STATE_TRANSITION`) and every client counted while the partner was silent
(`HA_COMMUNICATION_INTERRUPTED_CLIENT4` and `…_UNACKED`) in Kea's own debug log of the recorded scenarios in `captures/`
(`truth.jsonl`), against what dorascope replays from the packets and the configuration. A change is *found* when servers and
states are Kea's and Kea's instant is inside the bracket that dorascope gives, a heartbeat-delay (2 s) more or less; *within*
counts those whose single instant is that close; *off by* is the largest difference of the instants. *Extra* changes are those
that Kea did not make. Clients are *alike* when client, transaction, order, unacked clients and those still missing are what
Kea printed.

Two things leave *no trace*: the states of servers that talk over TLS, together with the clock by which they count; and the
first change of a passive-backup pair, which makes it within microseconds of its start and speaks with nobody about it.

The test `replay::score` computes this page and fails when it differs.
";

const HEAD: &str = "\
| scenario | changes in Kea's log | found | within | no trace | missed | extra | off by \
| clients counted by Kea | by dorascope | alike | no trace |
|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|
";

#[test]
fn every_change_and_every_counted_client_is_keas() {
    let mut text = format!("{MADE}\n\n{INTRODUCTION}\n{HEAD}");
    let mut total = Score::default();
    each(|name, analysis, truth| {
        let mut score = Score::default();
        changes(name, analysis, truth, &mut score);
        clients(name, analysis, truth, &mut score);
        text.push_str(&score.row(name));
        total.add(&score);
    });
    text.push_str(&total.row("**all**"));
    println!("{text}");
    assert!(total.missed.is_empty(), "{:#?}\nextra {:#?}", total.missed, total.extra);
    assert!(total.extra.is_empty(), "{:#?}", total.extra);
    assert!(total.wrong.is_empty(), "{:#?}", total.wrong);
    assert_eq!(total.within, total.found, "every instant is within one heartbeat-delay");
    assert_eq!(total.alike + total.unseen_clients, total.keas_clients, "every client is counted");
    assert!(total.found >= 263 && total.alike >= 238, "too little was compared");
    page::is_current("docs/transitions.md", &text);
}
