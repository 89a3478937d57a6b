//! Time stamps of log lines: the local time of the machine that wrote them.

use crate::units::{CaptureTime, SECOND};

/// What a line says about its time.
///
/// The clock and the time zone are those of the machine that wrote the log, so
/// a stamp is no [`CaptureTime`]; [`Stamp::near`] makes it a number that differs
/// from one by a constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// Absent in the traditional syslog form, which journalctl prints.
    year: Option<i32>,
    month: u32,
    day: u32,
    /// Nanoseconds since midnight, in UTC where the line names its zone.
    of_day: i64,
    /// The length of the last digit's unit, nanoseconds.
    pub resolution: i64,
}

/// Nanoseconds of a day.
const DAY: i64 = 86_400 * SECOND;

impl Stamp {
    /// Nanoseconds since 1970 as if the stamp were UTC; a stamp without a year
    /// takes the one that brings it closest to `hint`.
    pub fn near(&self, hint: CaptureTime) -> i64 {
        let of = |year| days(year, self.month, self.day).saturating_mul(DAY).saturating_add(self.of_day);
        match self.year {
            Some(year) => of(year),
            None => {
                let year = year_of(hint);
                let candidates = [of(year - 1), of(year), of(year + 1)];
                candidates.into_iter().min_by_key(|ns| hint.0.abs_diff(*ns)).unwrap_or_default()
            }
        }
    }

    /// Reads the stamp that a line begins with, and gives the rest of the line.
    ///
    /// `2025-01-02 03:04:05.678`, with microseconds as `.678901` or `.678.901`,
    /// ISO 8601 with its zone, and `Jan  2 03:04:05` with or without a fraction.
    pub(super) fn read(text: &str) -> Option<(Self, &str)> {
        let text = text.trim_start();
        let (year, month, day, rest) = date(text)?;
        let rest = rest.strip_prefix([' ', 'T'])?;
        let (of_day, resolution, rest) = clock(rest)?;
        let (zone, rest) = zone(rest);
        let sane = (1..=12).contains(&month) && (1..=31).contains(&day);
        sane.then_some((Self { year, month, day, of_day: of_day - zone, resolution }, rest))
    }
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

fn date(text: &str) -> Option<(Option<i32>, u32, u32, &str)> {
    if let Some((word, rest)) = text.split_at_checked(3)
        && let Some(month) = MONTHS.iter().position(|month| *month == word)
    {
        // Two places, the first may be blank.
        let (day, rest) = number(rest.trim_start())?;
        return Some((None, month as u32 + 1, day, rest));
    }
    let (year, rest) = number(text).filter(|(year, _)| (1970..=2261).contains(year))?;
    let (month, rest) = number(rest.strip_prefix('-')?)?;
    let (day, rest) = number(rest.strip_prefix('-')?)?;
    Some((i32::try_from(year).ok(), month, day, rest))
}

/// `03:04:05` with a fraction: nanoseconds, resolution, the rest.
fn clock(text: &str) -> Option<(i64, i64, &str)> {
    let (hour, rest) = number(text)?;
    let (minute, rest) = number(rest.strip_prefix(':')?)?;
    let (second, mut rest) = number(rest.strip_prefix(':')?)?;
    // 60 is a leap second.
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut ns = i64::from((hour * 60 + minute) * 60 + second) * SECOND;
    let mut unit = SECOND;
    // Kea's %q gives milliseconds, %Q milliseconds and microseconds with a dot between.
    while let Some(more) = rest.strip_prefix(['.', ',']).filter(|more| starts_with_digit(more)) {
        rest = more;
        while let Some(digit) = rest.chars().next().and_then(|c| c.to_digit(10)) {
            unit /= 10;
            ns += i64::from(digit) * unit;
            rest = rest.get(1..).unwrap_or_default();
        }
    }
    Some((ns, unit.max(1), rest))
}

/// `Z`, `+01:00` or `+0100`, as nanoseconds east of UTC.
fn zone(text: &str) -> (i64, &str) {
    if let Some(rest) = text.strip_prefix('Z') {
        return (0, rest);
    }
    let sign = match text.bytes().next() {
        Some(b'+') => 1,
        Some(b'-') => -1,
        _ => return (0, text),
    };
    let digits: String =
        text.chars().skip(1).filter(|c| *c != ':').take_while(char::is_ascii_digit).take(4).collect();
    let (Some(Ok(hours)), Some(Ok(minutes))) =
        (digits.get(..2).map(str::parse::<i64>), digits.get(2..4).map(str::parse::<i64>))
    else {
        return (0, text);
    };
    let length = if text.get(3..4) == Some(":") { 6 } else { 5 };
    (sign * (hours * 60 + minutes) * 60 * SECOND, text.get(length..).unwrap_or_default())
}

fn starts_with_digit(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

/// A number of at most four digits and what follows it.
fn number(text: &str) -> Option<(u32, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    (digits.len() <= 4).then(|| digits.parse().ok())?.map(|number| (number, rest))
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar (years begin in March, so a leap day is the last).
fn days(year: i32, month: u32, day: u32) -> i64 {
    let year = i64::from(year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((i64::from(month) + 9) % 12) + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn year_of(time: CaptureTime) -> i32 {
    let day = time.0.div_euclid(DAY);
    // The mean year is right or one too high or low around New Year.
    let guess = 1970 + i32::try_from(day * 400 / 146_097).unwrap_or_default();
    (guess - 1..=guess + 1).rev().find(|year| days(*year, 1, 1) <= day).unwrap_or(guess)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds from `date -u -d ... +%s`.
    #[test]
    fn every_form_gives_the_same_instant() {
        let hint = CaptureTime(1_735_700_000 * SECOND);
        for (text, ns, resolution, rest) in [
            ("2025-01-02 03:04:05.678 INFO", 1_735_787_045_678_000_000, 1_000_000, " INFO"),
            ("2025-01-02 03:04:05.678.901 INFO", 1_735_787_045_678_901_000, 1_000, " INFO"),
            ("2025-01-02T03:04:05.678901+01:00 host", 1_735_783_445_678_901_000, 1_000, " host"),
            ("2025-01-02T03:04:05-0230 host", 1_735_796_045_000_000_000, SECOND, " host"),
            ("2025-01-02T03:04:05Z host", 1_735_787_045_000_000_000, SECOND, " host"),
            ("Jan  2 03:04:05 host", 1_735_787_045_000_000_000, SECOND, " host"),
            ("Jan 02 03:04:05.5 host", 1_735_787_045_500_000_000, SECOND / 10, " host"),
            ("Dec 31 23:59:59 host", 1_735_689_599_000_000_000, SECOND, " host"),
        ] {
            let (stamp, left) = Stamp::read(text).unwrap();
            assert_eq!((stamp.near(hint), stamp.resolution, left), (ns, resolution, rest), "{text}");
        }
        for text in ["", "INFO x", "2025-13-01 00:00:00", "Jan 2", "20250102 03:04:05", "Jan 2 24:00:00"] {
            assert_eq!(Stamp::read(text), None, "{text}");
        }
    }

    #[test]
    fn leap_days_and_years_are_counted() {
        let (stamp, _) = Stamp::read("2024-02-29 12:00:00").unwrap();
        assert_eq!(stamp.near(CaptureTime(0)), 1_709_208_000 * SECOND);
        for (seconds, year) in [(1_735_689_599, 2024), (1_735_689_600, 2025), (0, 1970), (-1, 1969)] {
            assert_eq!(year_of(CaptureTime(seconds * SECOND)), year);
        }
    }
}
