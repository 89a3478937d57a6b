//! What a person reads: proof cards and filled expectation tables on the real recordings.

use std::path::PathBuf;
use std::process::Command;

use dorascope::capture::Input;
use dorascope::exchange::PairLimits;
use dorascope::explain::card::card;
use dorascope::explain::check::{Fate, check};
use dorascope::explain::text::render;
use dorascope::ha::expect::Expectations;
use dorascope::ha::topology::Topology;
use dorascope::pipeline::{Analysis, analyze};
use unicode_width::UnicodeWidthStr;

use crate::truth::{captures, inputs, scenarios};

fn analysed<T>(slug: &str, with: impl FnOnce(&Analysis<'_>) -> T) -> T {
    let folder = captures().join(slug);
    let topology = Topology::load(&folder.join("topology.toml")).unwrap();
    with(&analyze(&inputs(&folder), &topology, PairLimits::default(), |_| {}))
}

/// The cards of one client, first to last.
fn cards(analysis: &Analysis<'_>, client: &str, width: usize) -> Vec<String> {
    let of_client =
        analysis.exchanges.iter().filter(|e| analysis.client_name(e.client.chaddr) == Some(client));
    of_client.map(|exchange| render(&card(analysis, exchange.id, width), false)).collect()
}

#[test]
fn the_documentations_example_is_explained() {
    let first = analysed("all-on", |analysis| cards(analysis, "zaldua2bez1", 100).remove(0));
    for needed in [
        "got 192.168.4.100 from zaldua2zerb1",
        "as expected",
        "zone zaldua2, relationship zaldua2zerb1 + zaldua1zerb1, hot-standby",
        "Why zaldua2zerb1   primary, state hot-standby, serving its own scope",
        "Why not zaldua1zerb1   it heard both messages (192.168.4.4 is in this zone) and dropped them",
        "scope-not-served: it is the standby",
        "foreign-server-id: the client chose 192.168.4.5; on a hub the server identifier is checked before HA",
        "was the lease update",
    ] {
        let flat = first.split_whitespace().collect::<Vec<_>>().join(" ");
        let needed = needed.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(&needed), "\"{needed}\" is missing in\n{first}");
    }
}

/// Every message of the example stands in the card with the number that tshark gives it.
#[test]
fn frame_numbers_are_those_of_wireshark() {
    let file = captures().join("all-on/zaldua2.pcap");
    let fields = ["-e", "frame.number", "-e", "dhcp.option.dhcp", "-e", "dhcp.id"];
    let run = Command::new("tshark")
        .args(["-n", "-Y", "dhcp", "-T", "fields"])
        .args(fields)
        .arg("-r")
        .arg(file)
        .output();
    let Ok(output) = run else {
        println!("SKIPPED: tshark is not installed; frame numbers are not compared");
        return;
    };
    let all = analysed("all-on", |analysis| cards(analysis, "zaldua2bez1", 100).join("\n"));
    let mut compared = 0;
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let kind = ["", "DISCOVER", "OFFER", "REQUEST", "DECLINE", "ACK", "NAK", "RELEASE"]
            [fields[1].parse::<usize>().unwrap()];
        let frame = format!("#{}", fields[0]);
        let found = all.lines().any(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            words.windows(2).any(|pair| pair == [frame.as_str(), kind])
        });
        assert!(found, "{frame} {kind} is not in\n{all}");
        compared += 1;
    }
    assert!(compared >= 9, "{compared} messages");
}

#[test]
fn a_takeover_shows_the_wait_and_the_reason() {
    analysed("zaldua1zerb1-killed", |analysis| {
        let served = cards(analysis, "zaldua1bez1", 100);
        let taken_over = served.iter().find(|card| card.contains("from zaldua1zerb2")).unwrap();
        assert!(taken_over.contains("takeover, as expected"), "{taken_over}");
        assert!(taken_over.contains("partner-down"), "{taken_over}");
        assert!(taken_over.contains("Why not zaldua1zerb1   it was not running"), "{taken_over}");
        let unserved = cards(analysis, "zaldua3bez1", 100);
        let none = unserved.iter().find(|card| card.contains("got no answer")).unwrap();
        assert!(none.contains("it was not running"), "{none}");
    });
}

/// Kea's log: the client is the eleventh at 14:04:58.196633, and the heartbeat that fails at
/// 14:04:59.710259 moves zaldua1zerb2 to partner-down in the same instant.
#[test]
fn a_card_says_which_count_led_to_the_takeover() {
    analysed("zaldua1zerb1-killed", |analysis| {
        let flat = |card: &String| card.split_whitespace().collect::<Vec<_>>().join(" ");
        let eleventh = cards(analysis, "zaldua1bez12", 100).iter().map(flat).collect::<String>();
        assert!(
            eleventh.contains(
                "zaldua1zerb2 counted this client as unacked, number 11 of 11 needed (secs 4 > 3 s) → \
                 partner-down at the failed heartbeat of 14:04:59.7"
            ),
            "{eleventh}"
        );
        let last = cards(analysis, "zaldua1bez1", 100).iter().map(flat).collect::<String>();
        assert!(!last.contains("counted"), "it asked after the takeover: {last}");
    });
}

#[test]
fn a_withheld_ack_names_the_rejected_lease_update() {
    analysed("withheld-ack", |analysis| {
        let card = cards(analysis, "zaldua3bez1", 100).remove(0);
        assert!(card.contains("ACK withheld"), "{card}");
        assert!(card.contains("lease-update-rejected"), "{card}");
        assert!(card.contains("zaldua1zerb2 refused the lease: Invalid subnet-id"), "{card}");
    });
}

#[test]
fn no_card_is_wider_than_its_terminal() {
    // A recording that is about something else than who is on has no such table.
    let tabled = |folder: &PathBuf| folder.join("expect.toml").exists();
    let folders: Vec<PathBuf> = scenarios().into_iter().filter(tabled).collect();
    assert!(folders.len() >= 4);
    for folder in folders {
        let slug = folder.file_name().unwrap().to_string_lossy().into_owned();
        analysed(&slug, |analysis| {
            for exchange in &analysis.exchanges {
                for width in [60, 80, 100, 132] {
                    let lines = card(analysis, exchange.id, width);
                    let plain = render(&lines, false);
                    for line in plain.lines() {
                        assert!(line.width() <= width, "{slug}, {width} columns: {line}");
                    }
                    let coloured = render(&lines, true);
                    let bare: String =
                        coloured.split('\x1b').enumerate().fold(String::new(), |text, (n, part)| {
                            text + if n == 0 { part } else { part.split_once('m').unwrap().1 }
                        });
                    let trimmed: Vec<&str> = bare.lines().map(str::trim_end).collect();
                    assert_eq!(trimmed.join("\n"), plain.trim_end_matches('\n'), "colour changes no text");
                }
            }
        });
    }
}

#[test]
fn every_scenario_fills_its_expectations() {
    // A recording that is about something else than who is on has no such table.
    let tabled = |folder: &PathBuf| folder.join("expect.toml").exists();
    let folders: Vec<PathBuf> = scenarios().into_iter().filter(tabled).collect();
    assert!(folders.len() >= 4);
    for folder in folders {
        let slug = folder.file_name().unwrap().to_string_lossy().into_owned();
        let expectations = Expectations::load(&folder.join("expect.toml")).unwrap();
        analysed(&slug, |analysis| {
            for cell in check(analysis, &expectations).iter().flat_map(|t| &t.rows).flat_map(|row| &row.cells)
            {
                assert_eq!(cell.fate, Fate::Matches, "{slug}: {cell:?}");
                assert!(!cell.exchanges.is_empty());
            }
        });
    }
}

/// The documentation's two tables from the three scenarios together: every row seen, every cell as documented.
#[test]
fn the_documentations_tables_are_filled() {
    let slugs = ["all-on", "zaldua1zerb1-killed", "zaldua2zerb1-killed"];
    let all: Vec<Input> = slugs.iter().flat_map(|slug| inputs(&captures().join(slug))).collect();
    let topology = Topology::load(&captures().join("all-on/topology.toml")).unwrap();
    let analysis = analyze(&all, &topology, PairLimits::default(), |_| {});
    let expectations = Expectations::load(&captures().join("expect.toml")).unwrap();
    let tables = check(&analysis, &expectations);
    let cells: Vec<_> = tables.iter().flat_map(|table| &table.rows).flat_map(|row| &row.cells).collect();
    assert_eq!((tables.len(), cells.len()), (2, 8));
    for cell in cells {
        assert_eq!(cell.fate, Fate::Matches, "{cell:?}");
    }
}

/// A row that was not shown, and a cell that is otherwise, are said to be so.
#[test]
fn expectations_that_fail_are_not_passed_over() {
    let wrong = "[[table]]\ntitle = \"t\"\nservers = [\"zaldua2zerb1\", \"zaldua1zerb1\"]\nclients = [\"zaldua2bez1\"]\nrows = [\n\
                 { on = [\"zaldua2zerb1\", \"zaldua1zerb1\"], lease = [\"zaldua1zerb1\"] },\n\
                 { on = [\"zaldua1zerb1\"], lease = [\"zaldua1zerb1\"] },\n]\n";
    let folder = std::env::temp_dir().join(format!("dorascope-expect-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("expect.toml"), wrong).unwrap();
    let expectations = Expectations::load(&folder.join("expect.toml")).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    analysed("all-on", |analysis| {
        let tables = check(analysis, &expectations);
        let fates: Vec<Fate> = tables[0].rows.iter().map(|row| row.cells[0].fate).collect();
        assert_eq!(fates, [Fate::Differs, Fate::NotSeen]);
    });
}
