//! What keys do, and what is shown of odd things.

use std::sync::Arc;

use dorascope::capture::{Frame, LinkType, Reader, Source};
use dorascope::ha::topology::Topology;
use dorascope::units::{CaptureTime, FrameRef, SECOND, SourceId};
use dorascope::watch::view::{Group, Snapshot, Then, Ui};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::Color;

use super::{Watched, played, screen, text, ui_of};
use crate::support::dhcp::dora;
use crate::truth::{captures, inputs};

fn press(ui: &mut Ui, codes: &[KeyCode]) {
    for code in codes {
        assert_eq!(ui.key(KeyEvent::new(*code, KeyModifiers::NONE)), Then::Goes);
    }
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

/// Of more relationships than there is room for, those that are not as usual are seen.
#[test]
fn what_is_not_as_usual_is_seen_among_many() {
    let (looks, _) = played("load-balancing-killed");
    let odd = looks.iter().find(|look| look.groups[0].seats[1].countdown.is_some()).unwrap();
    let normal = looks.iter().find(|look| look.groups.iter().all(Group::is_normal)).unwrap();
    let mut look = Snapshot::clone(normal);
    look.groups = (0..20).map(|_| look.groups[0].clone()).collect();
    assert!(text(&mut ui_of(&Arc::new(look.clone())), 80, 24).contains(" more relationships, as usual"));
    look.groups[15] = odd.groups[0].clone();
    let shown = text(&mut ui_of(&Arc::new(look.clone())), 80, 24);
    assert!(shown.contains("unacked clients") && shown.contains(" more relationships, as usual"), "{shown}");
    look.groups = (0..20).map(|_| odd.groups[0].clone()).collect();
    let shown = text(&mut ui_of(&Arc::new(look)), 80, 24);
    assert!(shown.contains("more relationships, ") && shown.contains(" not as usual"), "{shown}");
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

/// Without a topology the pair is concluded from its heartbeats, and that is said.
#[test]
fn a_pair_that_nobody_named_is_shown_as_concluded() {
    let topology = Topology::default();
    let mut watched = Watched::new(&topology);
    let mut reader = Reader::open(&inputs(&captures().join("load-balancing")));
    reader.sources().iter().for_each(|source| watched.add(source));
    let mut end = CaptureTime(0);
    while let Some(frame) = reader.next() {
        watched.take(&frame);
        end = frame.time;
    }
    let look = Arc::new(watched.look(end.plus(SECOND)));
    let shown = text(&mut ui_of(&look), 80, 24);
    assert!(
        shown.contains("· load-balancing ") && shown.contains("concluded from the heartbeats"),
        "{shown}"
    );
    assert!(shown.lines().all(|line| !line.starts_with("──") || line.ends_with("──")), "{shown}");
    // As the servers' configurations in the folder have it.
    let roles = look.groups[0].seats.iter().map(|seat| (seat.server.as_str(), seat.role.as_str()));
    assert_eq!(roles.collect::<Vec<_>>(), [("haranzerb1", "primary"), ("haranzerb2", "secondary")]);
    assert!(look.groups[0].is_normal() && !shown.contains("-0.0"), "{shown}");
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
