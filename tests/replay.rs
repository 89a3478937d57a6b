//! The replayed HA state machines against Kea's own logs (`captures/*/truth.jsonl`).

use std::fmt::Write;
use std::path::Path;

use dorascope::capture::Input;
use dorascope::exchange::PairLimits;
use dorascope::ha::events::EventKind;
use dorascope::ha::replay::{Cause, Transition};
use dorascope::ha::state::State;
use dorascope::ha::topology::{RelationshipId, Topology};
use dorascope::pipeline::{Analysis, analyze};
use dorascope::table::fill::Filler;
use dorascope::units::{CaptureTime, ServerId};
use serde::Deserialize;

use crate::partial::{VIEWS, keep};
use crate::support::temp::TempDir;
use crate::truth::scenarios;

mod score;

/// The fields of truth.jsonl that are about the state machine.
#[derive(Debug, Deserialize)]
struct Line {
    ts_ns: i64,
    server: String,
    event: String,
    relationship: Option<String>,
    from_state: Option<String>,
    to_state: Option<String>,
    mac: Option<String>,
    client_id: Option<String>,
    xid: Option<String>,
    unacked: Option<u32>,
    left: Option<u32>,
}

fn lines(folder: &Path) -> Vec<Line> {
    let text = std::fs::read_to_string(folder.join("truth.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Every zone of a folder, as the lab names it.
fn zones(folder: &Path) -> Vec<Input> {
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "pcap"));
    paths.sort();
    paths.into_iter().map(|path| Input { zone: None, path }).collect()
}

/// Each recording with its analysis and its log.
fn each(mut with: impl FnMut(&str, &Analysis<'_>, &[Line])) {
    for folder in scenarios() {
        let topology = Topology::load(&folder.join("topology.toml")).unwrap();
        let analysis = analyze(&zones(&folder), &topology, PairLimits::default(), |_| {});
        with(&folder.file_name().unwrap().to_string_lossy(), &analysis, &lines(&folder));
    }
}

/// A server in a relationship.
type Place = (ServerId, RelationshipId);

/// The seat that a log line is about; the lab names a relationship by its primary.
fn seat(analysis: &Analysis<'_>, line: &Line) -> Place {
    let topology = &analysis.network.topology;
    let name = line.relationship.as_deref().unwrap();
    let named = |at: &usize| topology.relationships[*at].peers[0].name == name;
    let id = (0..topology.relationships.len()).find(named).unwrap();
    (topology.server_named(&line.server).unwrap(), RelationshipId(id))
}

fn state(word: Option<&String>) -> Option<State> {
    State::from_word(word.unwrap())
}

/// The captures' first and last frame.
fn span(analysis: &Analysis<'_>) -> (i64, i64) {
    let first = analysis.sources.iter().filter_map(|source| source.first).min().unwrap();
    let last = analysis.sources.iter().filter_map(|source| source.last).max().unwrap();
    (first.0, last.0)
}

fn describe(analysis: &Analysis<'_>, transition: &Transition) -> String {
    let from = transition.from.map_or("?", State::as_str);
    let mut text = format!(
        "{} {}: {from} → {} ({}) at {}",
        analysis.network.machines.name(transition.server),
        analysis.network.topology.relationship_name(transition.relationship),
        transition.to.as_str(),
        transition.cause,
        transition.instant().0,
    );
    write!(text, " in {}..{}, {:?}", transition.after.0, transition.by.0, transition.basis).unwrap();
    text
}

/// Heartbeats are 2 s apart in the lab.
const HEARTBEAT_DELAY: i64 = 2_000_000_000;

/// Whether nothing of what the peers say to each other can be read (TLS).
fn is_encrypted(analysis: &Analysis<'_>, relationship: RelationshipId) -> bool {
    let said = analysis.events.iter().filter(|event| event.relationship == Some(relationship));
    said.filter(|event| event.kind == EventKind::Heartbeat).count() == 0
}

/// The moment a pair's standby or primary declares its partner down, to the millisecond, and what shows it.
#[test]
fn a_takeover_is_predicted_by_the_heartbeat_that_completes_it() {
    let mut predicted = 0;
    each(|name, analysis, truth| {
        let replay = &analysis.replay;
        for transition in replay.transitions.iter().filter(|it| it.to == State::PartnerDown) {
            let Some(instant) = transition.predicted else { continue };
            let of_seat = |line: &&Line| {
                line.event == "state"
                    && line.to_state.as_deref() == Some("PARTNER-DOWN")
                    && seat(analysis, line) == (transition.server, transition.relationship)
            };
            let logged = truth.iter().filter(of_seat).map(|line| line.ts_ns);
            let off = logged.map(|time| (time - instant.0).abs()).min().unwrap();
            assert!(off < 5_000_000, "{name}: {off} ns from {}", describe(analysis, transition));
            predicted += 1;
            if transition.cause == Cause::ClientsUnacked {
                let led = replay.counted.iter().filter(|it| replay.takeover_after(it) == Some(transition));
                let last = led.map(|it| it.total_unacked).max().unwrap();
                assert!(last > 10, "{name}: {last} clients for {}", describe(analysis, transition));
            }
        }
    });
    assert!(predicted >= 3, "{predicted} takeovers");
}

/// The service switch of every machine, as its log has it.
#[test]
fn the_service_is_on_when_kea_says_so() {
    let (mut compared, mut wrong) = (0, Vec::new());
    each(|name, analysis, truth| {
        let (begin, end) = span(analysis);
        for (at, line) in truth.iter().enumerate() {
            let on = match line.event.as_str() {
                "service-on" => true,
                "service-off" => false,
                _ => continue,
            };
            // 60 ms later, unless something else happened to the machine meanwhile.
            let later = line.ts_ns + 60_000_000;
            let again = truth[at + 1..].iter().take_while(|other| other.ts_ns <= later).any(|other| {
                other.server == line.server && matches!(other.event.as_str(), "service-on" | "service-off")
            });
            if again || !(begin..=end).contains(&line.ts_ns) {
                continue;
            }
            let (server, relationship) = seat(analysis, line);
            if let Some(known) = analysis.replay.state_at(server, relationship, CaptureTime(later)) {
                // A restart that nobody asked meanwhile shows later; then the replay says that it is not sure.
                compared += usize::from(known.confidence >= 0.85);
                if known.confidence >= 0.85 && known.span.service_on != on {
                    wrong.push(format!("{name}: {line:?}, replayed {:?}", known.span));
                }
            }
        }
    });
    println!("{compared} switches compared, {} wrong", wrong.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(compared >= 20, "only {compared} switches could be compared");
}

/// What a seat's log says about its state: from when on, and `None` while the server does not run.
fn states(truth: &[Line], analysis: &Analysis<'_>, place: Place) -> Vec<(i64, Option<State>)> {
    let name = analysis.network.machines.name(place.0);
    let of_server = truth.iter().filter(|line| line.server == name);
    let change = |line: &Line| match line.event.as_str() {
        "started" | "returned" => Some((line.ts_ns, Some(State::Waiting))),
        "killed" => Some((line.ts_ns, None)),
        "state" if seat(analysis, line) == place => Some((line.ts_ns, state(line.to_state.as_ref()))),
        _ => None,
    };
    of_server.filter_map(change).collect()
}

/// Of all that is said with 0.9 or more about a part of a recording, what Kea's log contradicts.
fn confident_mistakes(name: &str, folder: &Path, kept: &[Input], wrong: &mut Vec<String>) -> (u32, u32) {
    let topology = Topology::load(&folder.join("topology.toml")).unwrap();
    let analysis = analyze(kept, &topology, PairLimits::default(), |_| {});
    let (truth, replay) = (lines(folder), &analysis.replay);
    let mut places: Vec<Place> = replay.spans.iter().map(|span| (span.server, span.relationship)).collect();
    places.dedup();
    let (mut sure, mut all) = (0, 0);
    for place in places {
        let logged = states(&truth, &analysis, place);
        let (begin, end) = span(&analysis);
        for time in (begin..end).step_by(100_000_000) {
            let Some(known) = replay.state_at(place.0, place.1, CaptureTime(time)) else { continue };
            all += 1;
            // Kea's own work, and the lab's, take their time.
            let settled = logged.iter().all(|change| (time - change.0).abs() > 150_000_000);
            if known.confidence < 0.9 || !settled {
                continue;
            }
            sure += 1;
            let kea = logged.iter().rev().find(|change| change.0 <= time).and_then(|change| change.1);
            if known.span.state != kea {
                let server = analysis.network.machines.name(place.0);
                let said =
                    format!("{:?} at {:.2}, {:?}", known.span.state, known.confidence, known.span.basis);
                wrong.push(format!("{name}: {server} {said}, logged {kea:?} at {time}"));
            }
        }
    }
    for counted in replay.counted.iter().filter(|counted| counted.confidence >= 0.9) {
        let xid = analysis.message(counted.query).xid.to_string();
        let logged = truth.iter().any(|line| {
            matches!(line.event.as_str(), "counted" | "unacked")
                && line.xid.as_deref() == Some(&xid)
                && seat(&analysis, line) == (counted.server, counted.relationship)
        });
        if !logged {
            wrong.push(format!("{name}: {counted:?}, which Kea did not count"));
        }
    }
    (sure, all)
}

/// Captures that show only a part: what is said with confidence still holds.
#[test]
fn part_of_the_picture_never_makes_a_confident_mistake() {
    let mut wrong = Vec::new();
    for (view, wanted) in VIEWS {
        let (mut sure, mut all) = (0, 0);
        for folder in scenarios() {
            let temp = TempDir::new("replay");
            let kept: Vec<Input> = zones(&folder).iter().map(|input| keep(input, &temp, wanted)).collect();
            let name = format!("{view}, {}", folder.file_name().unwrap().to_string_lossy());
            let counts = confident_mistakes(&name, &folder, &kept, &mut wrong);
            (sure, all) = (sure + counts.0, all + counts.1);
        }
        println!("{view:32} {sure} of {all} instants sure");
    }
    println!("SCORE {} confident mistakes", wrong.len());
    assert!(wrong.is_empty(), "{} confident mistakes: {:#?}", wrong.len(), &wrong[..wrong.len().min(12)]);
}

/// Without the control channel there is no clock, and nothing is claimed.
#[test]
fn without_the_control_channel_nothing_is_counted() {
    let folder = crate::truth::captures().join("zaldua1zerb1-killed");
    let topology = Topology::load(&folder.join("topology.toml")).unwrap();
    let temp = TempDir::new("silent");
    let (_, wanted) = VIEWS.iter().find(|view| view.0 == "no control channel").unwrap();
    let kept: Vec<Input> = zones(&folder).iter().map(|input| keep(input, &temp, wanted)).collect();
    let replay = analyze(&kept, &topology, PairLimits::default(), |_| {}).replay;
    assert!(replay.counted.is_empty() && replay.transitions.is_empty() && replay.spans.is_empty());
}

/// The `ha_events` table tells the takeover in Kea's order and numbers.
#[test]
fn the_table_of_events_holds_states_and_unacked_clients() {
    let folder = crate::truth::captures().join("zaldua1zerb1-killed");
    let topology = Topology::load(&folder.join("topology.toml")).unwrap();
    let analysis = analyze(&zones(&folder), &topology, PairLimits::default(), |_| {});
    let rows = Filler::new(&analysis).ha_events();
    let cell = |row: usize, column: &str| rows.get(row, column).plain().into_owned();
    let is = |row: usize, kind: &str| cell(row, "kind") == kind && cell(row, "server") == "zaldua1zerb2";
    let unacked: Vec<String> =
        (0..rows.len()).filter(|row| is(*row, "unacked")).map(|row| cell(row, "text")).collect();
    let kea: Vec<String> = lines(&folder)
        .iter()
        .filter(|line| line.event == "unacked")
        .map(|line| format!("{} clients unacked, {} left", line.unacked.unwrap(), line.left.unwrap()))
        .collect();
    assert_eq!(unacked, kea);
    let takeover =
        (0..rows.len()).find(|row| is(*row, "state") && cell(*row, "state") == "partner-down").unwrap();
    assert_eq!(cell(takeover, "text"), "hot-standby → partner-down: heartbeat-failed-and-clients-unacked");
    assert_eq!(cell(takeover, "scopes"), "zaldua1zerb1");
    assert_eq!((cell(takeover, "peer"), cell(takeover, "basis")), (String::new(), "heartbeat".to_owned()));
    let times: Vec<i64> = (0..rows.len()).map(|row| cell(row, "ts_ns").parse().unwrap()).collect();
    assert!(times.is_sorted());
}
