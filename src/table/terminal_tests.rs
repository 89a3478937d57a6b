//! What a terminal shows, at the widths that people have.

use super::*;
use crate::cells;
use crate::table::schema;

/// Two leases as the lab has them, one of a client with a hostile host name.
fn leases() -> Rows {
    let mut rows = Rows::new(&schema::LEASES);
    let none = None::<&str>;
    rows.push(&cells![
        "zaldua2#63",
        "08:00:27:a2:00:01",
        none,
        "zaldua2bez1",
        "192.168.4.100",
        "zaldua2",
        "192.168.4.0/24",
        "zaldua2zerb1",
        "192.168.4.5",
        1_748_771_437_302_600_000_i64,
        3600u32,
        0u32,
        1_748_775_037_302_600_000_i64,
        "open",
        "zaldua2zerb1 + zaldua1zerb1",
        "hot-standby",
        "zaldua2zerb1",
        115u8,
        "primary-serves",
        0.99,
        "the primary of the pair was in state hot-standby and served its own scope",
        "zaldua2#57"
    ]);
    rows.push(&cells![
        "zaldua3#9",
        "08:00:27:a3:00:01",
        none,
        "evil\x1b[2J\u{202e}",
        "192.168.5.100",
        "zaldua3",
        none,
        "zaldua1zerb1",
        "192.168.42.4",
        1_748_771_438_000_000_000_i64,
        3600u32,
        12u32,
        none,
        "released",
        none,
        none,
        none,
        none,
        "no-ha",
        0.5,
        "no relationship is known for this subnet",
        "zaldua3#1"
    ]);
    rows
}

fn drawn(width: usize, colour: bool) -> Drawing {
    draw(&leases(), &View { width, colour, max_rows: 40, without: &[] })
}

/// The text without its escape sequences, which all end in `m`.
fn bare(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |all, part| all + part.split_once('m').unwrap_or_default().1)
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for columns in [20, 40, 80, 100, 132, 200, 400] {
        let plain = drawn(columns, false);
        for line in plain.text.lines() {
            assert!(width(line) <= columns, "{columns}: {line}");
            assert_eq!(line, line.trim_end());
        }
        assert!(!plain.text.contains('\x1b'), "an escape sequence reached the terminal");
        let coloured = drawn(columns, true);
        assert!(coloured.text.contains("\x1b[1m"));
        assert_eq!(bare(&coloured.text), plain.text, "colour moves nothing");
    }
}

#[test]
fn what_matters_stays_and_what_went_is_named() {
    let narrow = drawn(80, false);
    for word in ["client_name", "192.168.4.100", "zaldua2zerb1", "primary-serves"] {
        assert!(narrow.text.contains(word), "{word}\n{}", narrow.text);
    }
    assert!(narrow.hidden_columns.contains(&"exchange_id"));
    assert_eq!(narrow.empty_columns, ["client_id"]);
    let wide = drawn(400, false);
    assert!(wide.hidden_columns.is_empty());
    assert!(wide.text.contains("evil\\u{1b}[2J\\u{202e}"));
}

#[test]
fn big_results_show_their_beginning() {
    let mut rows = Rows::new(&schema::HASH);
    for n in 0..100u8 {
        rows.push(&cells![format!("{n:02x}"), "client-id", n, "primary"]);
    }
    let drawing = draw(&rows, &View { width: 80, colour: false, max_rows: 40, without: &[] });
    assert_eq!((drawing.hidden_rows, drawing.text.lines().count()), (60, 42));
}

#[test]
fn a_small_table_word_for_word() {
    let mut rows = Rows::new(&schema::FINDINGS);
    let frames: Cell<'_> = ["a#1", "a#7"].into_iter().collect();
    let day = 1_748_771_437_264_123_456_i64;
    rows.push(&cells![
        "no-answer",
        "error",
        day,
        day,
        3u64,
        "lab",
        None::<&str>,
        "bez1",
        "nobody answered 日本",
        frames
    ]);
    rows.push(&cells![
        "clock-skew",
        "note",
        day,
        day + 1_000_000,
        12u64,
        None::<&str>,
        "srv",
        None::<&str>,
        "ok",
        Cell::Null
    ]);
    let drawing = draw(&rows, &View { width: 100, colour: false, max_rows: 40, without: &[] });
    let expected = [
        "                      first UTC",
        "code        severity  2025-06-01       count  zone  server  client  text                  frames",
        "──────────  ────────  ───────────────  ─────  ────  ──────  ──────  ────────────────────  ────────",
        "no-answer   error     09:50:37.264123      3  lab   -       bez1    nobody answered 日本  a#1, a#7",
        "clock-skew  note      09:50:37.264123     12  -     srv     -       ok                    -",
    ];
    assert_eq!(drawing.text.lines().collect::<Vec<_>>(), expected);
    assert_eq!(drawing.hidden_columns, ["last_ns"]);
}

#[test]
fn nothing_is_a_heading_alone() {
    let drawing =
        draw(&Rows::new(&schema::HASH), &View { width: 80, colour: false, max_rows: 40, without: &[] });
    assert_eq!(drawing.text, "key  kind  hash  owner\n───  ────  ────  ─────\n");
}
