//! The live view: what it shows of recordings, held against Kea's own logs.

mod hands;

use std::path::Path;
use std::sync::Arc;

use dorascope::capture::{Frame, Reader, Source};
use dorascope::ha::state::Status;
use dorascope::ha::topology::{Role, Topology};
use dorascope::pipeline::{Analysis, Options, Session};
use dorascope::units::{CaptureTime, SECOND};
use dorascope::watch::told::Teller;
use dorascope::watch::view::{Group, Mark, Snapshot, Ui, View, draw};
use dorascope::watch::{Capturing, TapState};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use crate::truth::{captures, inputs, truths};

/// A session that is looked at.
struct Watched<'t> {
    session: Session<'t>,
    view: View,
    teller: Teller,
    capturing: Capturing,
}

impl<'t> Watched<'t> {
    fn new(topology: &'t Topology) -> Self {
        let options = Options { sentences: true, threads: 1, ..Options::default() };
        let session = Session::new(topology, options);
        Self { session, view: View::new(), teller: Teller::default(), capturing: Capturing::default() }
    }

    fn add(&mut self, source: &Source) {
        let (zone, interface) = (source.zone.clone(), format!("br-{}", source.zone));
        self.capturing.taps.push(TapState { interface, zone, open: true, ..TapState::default() });
        let (first, last, frames, untimed, unordered) = Default::default();
        self.session.add_source(Source { first, last, frames, untimed, unordered, ..source.clone() });
    }

    fn take(&mut self, frame: &Frame<'_>) {
        let Self { session, view, teller, .. } = self;
        session.take(frame, &mut |batch| {
            view.settled(batch);
            teller.settled(batch, |_| {});
        });
    }

    fn look(&mut self, now: CaptureTime) -> Snapshot {
        let Self { session, view, teller, capturing } = self;
        let mut settled = |batch: &Analysis<'_>| {
            view.settled(batch);
            teller.settled(batch, |_| {});
        };
        session.tick(now.plus(-SECOND / 10), &mut settled);
        let peek = session.peek(now, &mut settled);
        let findings = teller.peeked(&peek, now, |_| {});
        capturing.clock = now;
        view.update(&peek, &findings, capturing.clone())
    }
}

/// Plays the captures of a scenario and looks every half second.
fn play(folder: &Path, mut see: impl FnMut(Snapshot)) {
    let topology = Topology::load(&folder.join("topology.toml")).unwrap();
    let mut watched = Watched::new(&topology);
    let mut reader = Reader::open(&inputs(folder));
    reader.sources().iter().for_each(|source| watched.add(source));
    let mut clock: Option<CaptureTime> = None;
    while let Some(frame) = reader.next() {
        let now = clock.get_or_insert(frame.time);
        while frame.time.since(*now) > SECOND / 2 {
            *now = now.plus(SECOND / 2);
            see(watched.look(*now));
        }
        watched.take(&frame);
    }
    // Nothing more comes, and time goes on.
    let end = clock.unwrap();
    for seconds in [3, 30, 400] {
        see(watched.look(end.plus(seconds * SECOND)));
    }
}

/// The looks at a scenario, and the last of them.
fn played(name: &str) -> (Vec<Snapshot>, Arc<Snapshot>) {
    let mut looks = Vec::new();
    play(&captures().join(name), |look| looks.push(look));
    let last = Arc::new(looks.last().unwrap().clone());
    (looks, last)
}

fn screen(ui: &mut Ui, width: u16, height: u16) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, ui)).unwrap();
    terminal
}

/// The lines of the terminal as they are read.
fn text(ui: &mut Ui, width: u16, height: u16) -> String {
    let terminal = screen(ui, width, height);
    let lines = terminal.backend().to_string();
    lines.lines().map(|line| line.trim_matches('"').trim_end().to_owned() + "\n").collect()
}

fn ui_of(snapshot: &Arc<Snapshot>) -> Ui {
    let mut ui = Ui::new(true);
    ui.show(Arc::clone(snapshot));
    ui
}

/// A line of truth.jsonl about states or unacked clients.
#[derive(Debug, serde::Deserialize)]
struct Line {
    ts_ns: i64,
    server: String,
    event: String,
    relationship: Option<String>,
    to_state: Option<String>,
    unacked: Option<u32>,
    left: Option<u32>,
}

fn lines(name: &str) -> Vec<Line> {
    let text = std::fs::read_to_string(captures().join(name).join("truth.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Every state and every count of unacked clients that a look shows is the one in that server's own log.
#[test]
fn states_and_unacked_clients_are_those_of_keas_logs() {
    for name in ["zaldua2zerb1-killed", "zaldua1zerb1-killed", "load-balancing-killed"] {
        let truth = lines(name);
        let (looks, _) = played(name);
        // The three looks after the end.
        let end = looks[looks.len() - 3].clock.plus(-SECOND);
        let (mut states, mut counts, mut takeovers) = (0, 0, 0);
        for look in &looks {
            for group in &look.groups {
                for seat in &group.seats {
                    let own = || {
                        truth.iter().filter(|line| line.server == seat.server).filter(|line| {
                            line.relationship.as_ref().is_none_or(|it| group.name.starts_with(it.as_str()))
                        })
                    };
                    let change =
                        |line: &&Line| matches!(line.event.as_str(), "state" | "killed" | "returned");
                    let mut before = own().filter(|line| line.ts_ns < look.clock.0);
                    let last = before.clone().rfind(change);
                    // A takeover is known at once from the rules, other states show with the next heartbeat,
                    // which comes each second or two.
                    let near = |line: &Line| {
                        let taken = line.to_state.as_deref() == Some("PARTNER-DOWN");
                        let late = if taken { SECOND / 2 } else { 3 * SECOND };
                        (-SECOND / 10..late).contains(&(look.clock.0 - line.ts_ns))
                    };
                    let around = own().filter(change).any(near);
                    let Some(last) = last.filter(|_| !around) else { continue };
                    let said = match last.event.as_str() {
                        "state" => last.to_state.clone().unwrap().to_lowercase(),
                        "killed" => "unavailable".to_owned(),
                        _ => continue,
                    };
                    let what = format!("{name}: {} of {} at {:?}", seat.server, group.name, look.clock);
                    assert_eq!(seat.state.map(Status::as_str), Some(said.as_str()), "{what}");
                    states += 1;
                    assert!(!seat.is_stale || look.clock > end, "{what}");
                    // What is counted is shown at once; two clocks differ a little.
                    let counted = || own().filter(|line| line.event == "unacked");
                    if counted().any(|line| (line.ts_ns - look.clock.0).abs() < SECOND / 20) {
                        continue;
                    }
                    let Some(countdown) = &seat.countdown else { continue };
                    let heard = look.clock.0 - countdown.silent;
                    let line = before.rfind(|line| line.event == "unacked" && line.ts_ns > heard);
                    let (unacked, left) = line.map_or((0, 11), |it| (it.unacked.unwrap(), it.left.unwrap()));
                    assert_eq!((countdown.unacked, countdown.left()), (unacked, left), "{what}");
                    assert_eq!(countdown.over, said == "partner-down", "{what}");
                    counts += u32::from(unacked > 0 && unacked < 11);
                    takeovers += u32::from(countdown.over);
                    if unacked > 0 && unacked < 11 && seat.role != Role::Primary {
                        let shown = text(&mut ui_of(&Arc::new(look.clone())), 80, 24);
                        let words = format!("unacked clients {unacked} of more than 10 · {left} left");
                        assert!(shown.contains(&words), "{what}\n{shown}");
                    }
                }
            }
        }
        assert!(states > 50 && counts > 1, "{name}: {states} states, {counts} counts");
        assert!(takeovers > 0, "{name}");
    }
}

/// Every ACK in the servers' logs is in the list, from that server, and in the end settled.
#[test]
fn every_ack_of_keas_logs_is_in_the_list() {
    let (looks, last) = played("all-on");
    let acks = truths(&captures().join("all-on"));
    let acks: Vec<_> = acks.iter().filter(|line| line.is_ack()).collect();
    assert!(acks.len() > 3);
    for ack in acks {
        let (mac, ip) = (ack.mac.as_deref().unwrap(), ack.ip.as_deref().unwrap());
        let row = last.exchanges.iter().find(|row| row.mac == mac && row.address == ip);
        let row = row.unwrap_or_else(|| panic!("{ack:?}"));
        assert_eq!((&row.server, row.steps.ends_with('A')), (&ack.server, true), "{ack:?}");
        assert!(row.card.is_some(), "{ack:?}");
    }
    assert!(last.exchanges.iter().all(|row| row.mark == Mark::Settled), "{:?}", last.exchanges);
    // It was so when the captures ended. Six minutes later nobody knows.
    let of_end = looks.iter().rfind(|look| last.clock.since(look.clock) > 390 * SECOND).unwrap();
    assert!(of_end.groups.iter().all(Group::is_normal), "{:?}", of_end.groups);
    assert!(last.groups.iter().flat_map(|group| &group.seats).all(|seat| seat.is_stale), "{:?}", last.groups);
    assert!(text(&mut ui_of(&last), 80, 24).contains("hot-standby?"));
}
