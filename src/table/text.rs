//! Values as words for people: instants, and text that came from the wire.

use std::borrow::Cow;

use super::cell::Cell;

/// Nanoseconds in a day.
const DAY: i64 = 86_400 * 1_000_000_000;

/// An instant as `2025-06-01 09:50:37.264123`, in UTC, cut to microseconds.
pub fn utc(ns: i64) -> String {
    let (date, time) = date_and_time(ns);
    format!("{date} {time}")
}

/// The UTC date (`2025-06-01`) and time (`09:50:37.264123`) of an instant.
pub(super) fn date_and_time(ns: i64) -> (String, String) {
    let (year, month, day) = civil(ns.div_euclid(DAY));
    let us = ns.rem_euclid(DAY) / 1000;
    let s = us / 1_000_000;
    (
        format!("{year:04}-{month:02}-{day:02}"),
        format!("{:02}:{:02}:{:02}.{:06}", s / 3600, s / 60 % 60, s % 60, us % 1_000_000),
    )
}

/// Year, month and day of a day counted from 1970-01-01, in the proleptic Gregorian calendar.
///
/// Years are counted from March, so that the leap day comes last, in eras of
/// 400 years (146,097 days).
const fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468; // from 0000-03-01
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + (month <= 2) as i64, month, day)
}

/// Text that is safe to print: control characters, and those that turn the
/// direction of writing or are invisible, become `\u{…}`.
///
/// Host names and vendor classes come from strangers, who could otherwise move
/// the cursor or hide letters.
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_unsafe(c) { safe.extend(c.escape_unicode()) } else { safe.push(c) }
    }
    Cow::Owned(safe)
}

/// Text for CSV, which people open in a terminal or a spreadsheet: escaped as for the one, and with an
/// apostrophe before what the other would take for a formula.
///
/// `-#7` is a frame of standard input.
pub(super) fn for_csv(text: &str) -> Cow<'_, str> {
    let safe = escape(text);
    let is_formula = match safe.as_bytes() {
        [b'=' | b'@', ..] => true,
        [b'+' | b'-', next, ..] => *next != b'#',
        _ => false,
    };
    if is_formula { Cow::Owned(format!("'{safe}")) } else { safe }
}

/// Controls, line separators, direction marks and overrides, zero-width characters, tags, what XML cannot hold.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e007f}')
}

/// A value as a terminal shows it; nothing for null.
pub(super) fn shown(cell: &Cell<'_>) -> String {
    match cell {
        // A query may give anything; two decimals would make nothing of this.
        Cell::F64(v) if *v != 0.0 && v.abs() < 0.01 => format!("{v:.2e}"),
        // Floats of the tables are confidences; two decimals keep their points in line.
        Cell::F64(v) => format!("{v:.2}"),
        Cell::List(items) => items.iter().map(shown).collect::<Vec<_>>().join(", "),
        Cell::Struct(fields) => fields.iter().map(shown).collect::<Vec<_>>().join(" "),
        _ => escape(&cell.plain()).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_of_well_known_days() {
        for (ns, expected) in [
            (0, "1970-01-01 00:00:00.000000"),
            (-1, "1969-12-31 23:59:59.999999"),
            (951_782_400_000_000_000, "2000-02-29 00:00:00.000000"),
            (1_748_771_437_264_123_456, "2025-06-01 09:50:37.264123"),
            (4_107_542_399_999_999_999, "2100-02-28 23:59:59.999999"),
            (4_107_542_400_000_000_000, "2100-03-01 00:00:00.000000"),
            (i64::MAX, "2262-04-11 23:47:16.854775"),
            (i64::MIN, "1677-09-21 00:12:43.145224"),
        ] {
            assert_eq!(utc(ns), expected);
        }
    }

    #[test]
    fn text_from_the_wire_cannot_move_the_cursor() {
        assert_eq!(escape("zaldua2bez1 ñ 日本"), "zaldua2bez1 ñ 日本");
        assert_eq!(escape("a\x1b[31mb\r\n"), "a\\u{1b}[31mb\\u{d}\\u{a}");
        assert_eq!(escape("exe\u{202e}fdp\u{9b}\0"), "exe\\u{202e}fdp\\u{9b}\\u{0}");
    }

    #[test]
    fn a_spreadsheet_finds_no_formula() {
        assert_eq!(for_csv("=cmd|'/C calc'!A0"), "'=cmd|'/C calc'!A0");
        assert_eq!(for_csv("@SUM(1)\n"), "'@SUM(1)\\u{a}");
        assert_eq!(for_csv("-2+3"), "'-2+3");
        assert_eq!(
            (for_csv("-#12"), for_csv("-"), for_csv("printer-2")),
            ("-#12".into(), "-".into(), "printer-2".into())
        );
    }

    #[test]
    fn values_are_short() {
        assert_eq!(shown(&Cell::F64(0.99)), "0.99");
        assert_eq!(shown(&Cell::F64(1.0)), "1.00");
        assert_eq!(shown(&Cell::F64(0.0)), "0.00");
        assert_eq!(shown(&Cell::F64(-0.0012)), "-1.20e-3");
        assert_eq!(shown(&["a#1", "a#2"].into_iter().collect()), "a#1, a#2");
    }
}
