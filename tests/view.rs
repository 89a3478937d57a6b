//! The live view: what it shows of recordings, held against Kea's own logs, and what keys do.

use std::path::Path;
use std::sync::Arc;

use dorascope::capture::{Frame, LinkType, Reader, Source};
use dorascope::ha::state::Status;
use dorascope::ha::topology::{Role, Topology};
use dorascope::pipeline::{Analysis, Options, Session};
use dorascope::units::{CaptureTime, FrameRef, SECOND, SourceId};
use dorascope::watch::told::Teller;
use dorascope::watch::view::{Mark, Snapshot, Then, Ui, View, draw};
use dorascope::watch::{Capturing, TapState};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::Color;

use crate::support::dhcp::dora;
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

fn press(ui: &mut Ui, codes: &[KeyCode]) {
    for code in codes {
        assert_eq!(ui.key(KeyEvent::new(*code, KeyModifiers::NONE)), Then::Goes);
    }
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
                    let before = own().filter(|line| line.ts_ns < look.clock.0);
                    let last = before.clone().filter(change).next_back();
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
                    // What is counted is shown at once; two clocks differ a little.
                    let counted = || own().filter(|line| line.event == "unacked");
                    if counted().any(|line| (line.ts_ns - look.clock.0).abs() < SECOND / 20) {
                        continue;
                    }
                    let Some(countdown) = &seat.countdown else { continue };
                    let heard = look.clock.0 - countdown.silent;
                    let line =
                        before.filter(|line| line.event == "unacked" && line.ts_ns > heard).next_back();
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
    let (_, last) = played("all-on");
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
    assert!(last.groups.iter().all(|group| group.is_normal()), "{:?}", last.groups);
}

#[test]
fn an_exchange_is_found_opened_and_left() {
    let (_, last) = played("zaldua2zerb1-killed");
    let mut ui = ui_of(&last);
    press(&mut ui, &[KeyCode::Char('/')]);
    press(&mut ui, &"Zaldua2bez5 partner-took".chars().map(KeyCode::Char).collect::<Vec<_>>());
    press(&mut ui, &[KeyCode::Enter]);
    let list = text(&mut ui, 100, 30);
    assert!(list.contains("Exchanges 1 found of 19"), "{list}");
    assert!(list.contains("zaldua2bez5") && !list.contains("zaldua2bez6"), "{list}");
    press(&mut ui, &[KeyCode::Enter]);
    // Kea's log: zaldua1zerb1 is in partner-down, and zaldua2zerb1 was killed.
    let card = text(&mut ui, 200, 50);
    for words in ["08:00:27:c2:00:04", "from zaldua1zerb1", "Why zaldua1zerb1", "partner-down"] {
        assert!(card.contains(words), "{words}\n{card}");
    }
    // The end of a long card is reached.
    let short = text(&mut ui, 80, 14);
    assert!(short.contains("more lines"), "{short}");
    press(&mut ui, &[KeyCode::End]);
    let end = text(&mut ui, 80, 14);
    assert!(!end.contains("more line") && end != short, "{end}");
    press(&mut ui, &[KeyCode::Char('q'), KeyCode::Esc]);
    let list = text(&mut ui, 100, 30);
    assert!(list.contains("Exchanges 19 ") && list.contains("zaldua2bez6"), "{list}");
    let quit = |code, modifiers| Ui::new(true).key(KeyEvent::new(code, modifiers));
    assert_eq!(quit(KeyCode::Char('q'), KeyModifiers::NONE), Then::Quits);
    assert_eq!(quit(KeyCode::Char('c'), KeyModifiers::CONTROL), Then::Quits);
}

#[test]
fn a_finding_says_what_the_catalogue_says() {
    let (looks, _) = played("split-brain");
    let look = Arc::new(looks.into_iter().rfind(|look| !look.findings.is_empty()).unwrap());
    let mut ui = ui_of(&look);
    press(&mut ui, &[KeyCode::Tab, KeyCode::Enter]);
    let page = text(&mut ui, 100, 40).split_whitespace().collect::<Vec<_>>().join(" ");
    let finding = &look.findings[0];
    assert!(page.contains(finding.code.code()) && page.contains(&finding.text), "{page}");
    assert!(page.contains(finding.code.entry().text), "{page}");
    assert!(page.contains(&format!("frames {}", finding.frames)), "{page}");
}

#[test]
fn a_paused_view_stays_and_says_what_waits() {
    let (looks, last) = played("zaldua2zerb1-killed");
    let early = looks.iter().find(|look| look.exchanges.len() == 7).unwrap();
    let mut ui = ui_of(&Arc::new(early.clone()));
    // The chosen exchange stays chosen, although others come.
    press(&mut ui, &[KeyCode::Down, KeyCode::Down]);
    let before = text(&mut ui, 100, 40);
    press(&mut ui, &[KeyCode::Char(' ')]);
    ui.show(Arc::clone(&last));
    let paused = text(&mut ui, 100, 40);
    assert!(paused.contains("PAUSED · 12 new exchanges wait"), "{paused}");
    let below_head = |text: &str| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(below_head(&before), below_head(&paused));
    press(&mut ui, &[KeyCode::Char(' ')]);
    let after = text(&mut ui, 100, 40);
    assert!(!after.contains("PAUSED") && after.contains("Exchanges 19"), "{after}");
    press(&mut ui, &[KeyCode::Enter]);
    let card = text(&mut ui, 100, 40);
    assert!(card.contains(&format!("── {} ", early.exchanges[2].id)), "{card}");
}

#[test]
fn nothing_is_known_and_that_is_said() {
    let topology = Topology::default();
    let look = Arc::new(Watched::new(&topology).look(CaptureTime(SECOND)));
    let shown = text(&mut ui_of(&look), 80, 24);
    assert!(
        shown.contains("No HA relationship is known") && shown.contains("No DHCP exchange yet"),
        "{shown}"
    );
    // And before the first look.
    let shown = text(&mut Ui::new(true), 80, 24);
    assert!(shown.contains("waiting for the first look"), "{shown}");
}

#[test]
fn every_size_is_drawn_and_a_small_one_says_so() {
    let (looks, _) = played("load-balancing-killed");
    let look = looks.iter().find(|look| look.groups[0].seats[1].countdown.is_some()).unwrap();
    for (width, height) in [(1, 1), (10, 3), (59, 40), (200, 11)] {
        let shown = text(&mut ui_of(&Arc::new(look.clone())), width, height);
        assert!(width < 10 || shown.contains("too"), "{shown}");
    }
    for width in 60..220 {
        for height in [12, 24, 60] {
            let shown = text(&mut ui_of(&Arc::new(look.clone())), width, height);
            for words in ["dorascope", "haranzerb1", "unacked clients", "Exchanges", "quit"] {
                assert!(
                    shown.contains(words) || (width < 80 && words == "quit"),
                    "{width}×{height} {words}\n{shown}"
                );
            }
        }
    }
}

/// What is lost must be seen.
#[test]
fn losses_are_alarming() {
    let (_, last) = played("all-on");
    let mut look = Snapshot::clone(&last);
    assert!(text(&mut ui_of(&last), 80, 24).contains("none dropped"));
    look.capturing.taps[0].dropped_kernel = 1234;
    look.capturing.taps[1].open = false;
    look.capturing.recording = Some(("/tmp/\u{1b}[2Jx.pcapng".into(), 5, Some("no space\u{7}".to_owned())));
    let mut ui = ui_of(&Arc::new(look));
    let shown = text(&mut ui, 80, 24);
    for words in ["zaldua2 DOWN", "1\u{a0}234 frames dropped by the kernel", "cannot record: no space\\u{7}"]
    {
        assert!(shown.contains(words), "{words}\n{shown}");
    }
    assert!(!shown.contains("none dropped") && !shown.contains('\u{1b}'), "{shown}");
    let red = |terminal: &Terminal<TestBackend>| {
        terminal.backend().buffer().content().iter().any(|cell| cell.bg == Color::Red)
    };
    assert!(red(&screen(&mut ui, 80, 24)));
}

#[test]
fn without_colour_there_is_none() {
    let (looks, _) = played("zaldua2zerb1-killed");
    for look in looks.iter().step_by(7) {
        let mut ui = Ui::new(false);
        ui.show(Arc::new(look.clone()));
        for keys in [&[][..], &[KeyCode::Enter], &[KeyCode::Esc, KeyCode::Tab], &[KeyCode::Char('?')]] {
            press(&mut ui, keys);
            let terminal = screen(&mut ui, 100, 30);
            let cells = terminal.backend().buffer().content();
            assert!(cells.iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset));
        }
    }
}

/// A session of which only clients without a topology are known, each a frame's bytes.
fn strangers(frames: impl Iterator<Item = Vec<u8>>) -> Snapshot {
    let topology = Topology::default();
    let mut watched = Watched::new(&topology);
    let file = captures().join("all-on");
    let source = Reader::open(&inputs(&file)).sources()[0].clone();
    watched.add(&Source { zone: "wire".to_owned(), ..source });
    let mut now = CaptureTime(SECOND);
    for (number, data) in (1..).zip(frames) {
        now = now.plus(SECOND / 1000);
        let (at, original_len) = (FrameRef { source: SourceId(0), number }, data.len() as u32);
        watched.take(&Frame { time: now, at, link: LinkType(1), original_len, data: &data });
    }
    watched.look(now.plus(SECOND / 10))
}

#[test]
fn names_from_the_wire_move_nothing() {
    let names = ["evil\u{1b}[2J\u{202e}", "日本語のなまえ", "plain", "zaldua2bez1"];
    let frames = (1..).zip(names).flat_map(|(number, name)| {
        dora(u32::from(number), [2, 0, 0, 0, 1, number], &[(12, name.as_bytes())])
    });
    let look = Arc::new(strangers(frames));
    let shown = text(&mut ui_of(&look), 120, 24);
    assert!(shown.contains("\"evil\\u{1b}[2J\\u{202e}\""), "{shown}");
    // A name that a client claims is not mistaken for one that the topology gives.
    assert!(shown.contains("\"zaldua2bez1\"") && shown.contains("192.168.4.5"), "{shown}");
    // Columns stand where they stand, whatever is in the one before.
    let terminal = screen(&mut ui_of(&look), 120, 24);
    let buffer = terminal.backend().buffer();
    let starts: Vec<u16> = (0..24)
        .filter_map(|y| {
            let row = |x: u16| (x..x + 4).map(|x| buffer[(x, y)].symbol()).collect::<String>();
            (0..110).find(|x| row(*x) == "DORA")
        })
        .collect();
    assert!(starts.len() == 4 && starts.iter().all(|x| *x == starts[0]), "{starts:?}");
    assert!(shown.contains("\"日本語のなまえ\""), "{shown}");
}

/// However many clients come, the lists and the cards are bounded.
#[test]
fn many_clients_need_no_more_room() {
    let frames = (0..3000u32).flat_map(|number| {
        let [.., high, low] = number.to_be_bytes();
        dora(number + 1, [2, 0, 0, 1, high, low], &[])
    });
    let look = strangers(frames);
    let cards = look.exchanges.iter().filter(|row| row.card.is_some()).count();
    assert_eq!((look.exchanges.len(), cards, look.begun()), (500, 200, 3000));
    assert!(look.exchanges[0].card.is_some(), "the newest first");
    let mut ui = ui_of(&Arc::new(look));
    press(&mut ui, &[KeyCode::End, KeyCode::Enter]);
    let card = text(&mut ui, 80, 24);
    assert!(card.contains("No proof card was made"), "{card}");
}
