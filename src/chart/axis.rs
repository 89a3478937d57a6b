//! Axes with ticks where people would put them: plotters draws them, this module knows where.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

use super::letters::width;
use crate::table::utc;
use crate::units::{CaptureTime, SECOND};

/// Size of the letters at a tick, in pixels.
pub const TICK_SIZE: f64 = 11.5;

/// One axis: its span, its ticks and what it measures.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    from: f64,
    to: f64,
    log: bool,
    ticks: Vec<(f64, String)>,
    /// What it measures, with the unit.
    pub name: String,
}

impl Axis {
    /// From zero to at least `most`, with about `count` ticks at round numbers.
    pub fn counts(most: f64, count: usize, name: &str) -> Self {
        let most = if most > 0.0 { most } else { 1.0 };
        // Things that are counted have no halves.
        let step = round_step(most / count as f64).max(if most.fract() == 0.0 { 1.0 } else { 0.0 });
        let steps = (most / step).ceil();
        let ticks = (0..=steps as i64).map(|n| n as f64 * step).map(|value| (value, number(value)));
        Self { from: 0.0, to: steps * step, log: false, ticks: ticks.collect(), name: name.to_owned() }
    }

    /// From 0 to 100 %, for values from 0 to 1.
    pub fn share(name: &str) -> Self {
        let ticks = [0.0, 0.25, 0.5, 0.75, 1.0].map(|value| (value, format!("{:.0} %", value * 100.0)));
        Self { from: 0.0, to: 1.0, log: false, ticks: ticks.into(), name: name.to_owned() }
    }

    /// Microseconds on a logarithmic scale over whole decades, written with their units.
    pub fn durations(us: Range<f64>, name: &str) -> Self {
        let decade = |us: f64| us.max(1.0).log10();
        let (from, to) = (decade(us.start).floor(), decade(us.end).ceil());
        let (from, to) = (from as i32, (to as i32).max(from as i32 + 1));
        // Between few decades there is room for 2 and 5.
        let between: &[f64] = if to - from <= 2 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let all = (from..=to).flat_map(|decade| between.iter().map(move |n| n * 10_f64.powi(decade)));
        let last = 10_f64.powi(to);
        let ticks = all.filter(|us| *us <= last).map(|us| (us, duration(us))).collect();
        Self { from: 10_f64.powi(from), to: last, log: true, ticks, name: name.to_owned() }
    }

    /// Capture time in nanoseconds since 1970, where `room` pixels are for it.
    pub fn time(span: Range<CaptureTime>, room: f64) -> Self {
        // A single instant still needs a span to be drawn in.
        let (start, end) = (span.start.0, span.end.0.max(span.start.0.saturating_add(SECOND / 1000)));
        let needed = width("00:00:00.000", TICK_SIZE) + 24.0;
        let step = time_step((end as f64 - start as f64) / (room / needed).max(1.0), 1);
        let before = start.div_euclid(step).checked_mul(step);
        let first = before.and_then(|tick| if tick < start { tick.checked_add(step) } else { Some(tick) });
        let all = std::iter::successors(first, |tick| tick.checked_add(step)).take_while(|tick| *tick <= end);
        let ticks = all.take(100).map(|tick| (tick as f64, clock(tick, step))).collect();
        let day = |ns: i64| utc(ns).chars().take(10).collect::<String>();
        let (first, last) = (day(start), day(end));
        let name = if first == last { format!("UTC, {first}") } else { format!("UTC, {first} to {last}") };
        Self { from: start as f64, to: end as f64, log: false, ticks, name }
    }

    /// Places for lanes, counted from the top: lane `n` lies between `n` and `n` + 1.
    pub fn lanes(count: usize) -> Self {
        // Its values grow upwards, as those of every axis.
        Self { from: 0.0, to: count.max(1) as f64, log: false, ticks: Vec::new(), name: String::new() }
    }

    /// Places in a row, place `n` from `n` to `n` + 1 with its word in the middle.
    pub fn places(words: impl Iterator<Item = String>, name: &str) -> Self {
        let ticks: Vec<_> = words.enumerate().map(|(place, word)| (place as f64 + 0.5, word)).collect();
        Self { from: 0.0, to: ticks.len().max(1) as f64, log: false, ticks, name: name.to_owned() }
    }

    /// The same without words at its ticks.
    #[must_use]
    pub fn without_labels(mut self) -> Self {
        self.ticks.iter_mut().for_each(|(_, label)| label.clear());
        self.name.clear();
        self
    }

    /// Its ends.
    pub const fn ends(&self) -> (f64, f64) {
        (self.from, self.to)
    }

    /// The labels of its ticks.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.ticks.iter().map(|(_, label)| label.as_str())
    }

    /// From 0 to 1 along the axis.
    pub fn along(&self, value: f64) -> f64 {
        let scale = |value: f64| if self.log { value.max(f64::MIN_POSITIVE).ln() } else { value };
        let (from, to) = (scale(self.from), scale(self.to));
        ((scale(value) - from) / (to - from)).clamp(0.0, 1.0)
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        from + (self.along(*value) * f64::from(to - from)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.iter().map(|(value, _)| *value).collect()
    }

    fn range(&self) -> Range<f64> {
        self.from..self.to
    }
}

impl ValueFormatter<f64> for Axis {
    fn format(value: &f64) -> String {
        number(*value)
    }

    fn format_ext(&self, value: &f64) -> String {
        let tick = self.ticks.iter().find(|(tick, _)| tick.total_cmp(value).is_eq());
        tick.map_or_else(|| number(*value), |(_, label)| label.clone())
    }
}

/// The smallest of 1, 2 and 5 times a power of ten that is not less than `least`.
fn round_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    let step = [1.0, 2.0, 5.0].into_iter().map(|n| n * power).find(|step| *step >= least * 0.999_999);
    step.unwrap_or(10.0 * power)
}

/// Nanoseconds between ticks that people count time by: at least `least`, and a multiple of `unit`.
pub fn time_step(least: f64, unit: i64) -> i64 {
    const MINUTE: i64 = 60 * SECOND;
    const DAY: i64 = 24 * 60 * MINUTE;
    const STEPS: [i64; 17] = [
        SECOND,
        2 * SECOND,
        5 * SECOND,
        10 * SECOND,
        15 * SECOND,
        30 * SECOND,
        MINUTE,
        2 * MINUTE,
        5 * MINUTE,
        10 * MINUTE,
        15 * MINUTE,
        30 * MINUTE,
        60 * MINUTE,
        2 * 60 * MINUTE,
        6 * 60 * MINUTE,
        12 * 60 * MINUTE,
        DAY,
    ];
    // Below a millisecond the clock has no digits.
    let fine = (round_step(least) as i64).max(SECOND / 1000);
    let coarse = (round_step(least / DAY as f64) as i64).saturating_mul(DAY);
    let steps = STEPS.into_iter().chain([coarse]).filter(|_| least >= SECOND as f64);
    let step = steps.chain([fine]).find(|step| *step as f64 >= least && step % unit == 0);
    step.unwrap_or(coarse.max(unit))
}

/// The time of day of a tick, or its date, as fine as the ticks are.
fn clock(ns: i64, step: i64) -> String {
    let text = utc(ns);
    let part = |range: Range<usize>| text.get(range).unwrap_or_default().to_owned();
    match step {
        ..SECOND => part(11..23),
        SECOND..60_000_000_000 => part(11..19),
        60_000_000_000..86_400_000_000_000 => part(11..16),
        _ => part(0..10),
    }
}

/// A number as short as it can be.
pub fn number(value: f64) -> String {
    if value.abs() >= 1_000_000.0 {
        return format!("{} M", number(value / 1_000_000.0));
    }
    let rounded = (value * 1000.0).round() / 1000.0;
    let text = format!("{rounded}");
    // Groups of three digits are easier to read.
    match text.split_once('.') {
        None if text.len() > 4 => format!("{} {}", &text[..text.len() - 3], &text[text.len() - 3..]),
        _ => text,
    }
}

/// Microseconds in their usual unit, with three digits.
pub fn duration(us: f64) -> String {
    let three = |value: f64| {
        let unit = 10_f64.powf((value.abs().max(1.0).log10().floor() - 2.0).min(0.0));
        number((value / unit).round() * unit)
    };
    match us {
        ..999.5 => format!("{} µs", three(us)),
        999.5..999_500.0 => format!("{} ms", three(us / 1000.0)),
        _ => format!("{} s", three(us / 1_000_000.0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, label)| label.as_str()).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(labels(&Axis::counts(12.0, 5, "")), ["0", "5", "10", "15"]);
        assert_eq!(labels(&Axis::counts(2.0, 5, "")), ["0", "1", "2"]);
        assert_eq!(labels(&Axis::counts(0.0, 5, "")), ["0", "1"]);
        assert_eq!(labels(&Axis::counts(23_000.0, 3, "")), ["0", "10 000", "20 000", "30 000"]);
        assert_eq!(
            labels(&Axis::durations(450.0..9_000.0, "")),
            ["100 µs", "200 µs", "500 µs", "1 ms", "2 ms", "5 ms", "10 ms"]
        );
        assert_eq!(labels(&Axis::durations(450.0..31_000.0, "")), ["100 µs", "1 ms", "10 ms", "100 ms"]);
        assert_eq!(labels(&Axis::durations(5.0..5.0, "")), ["1 µs", "2 µs", "5 µs", "10 µs"]);
    }

    #[test]
    fn time_has_ticks_that_fit() {
        let noon = 1_782_043_200_000_000_000_i64; // 2026-06-21 12:00:00 UTC
        let axis =
            |seconds: i64, room| Axis::time(CaptureTime(noon)..CaptureTime(noon + seconds * SECOND), room);
        assert_eq!(
            labels(&axis(60, 400.0)),
            ["12:00:00", "12:00:15", "12:00:30", "12:00:45", "12:01:00"].as_slice()
        );
        assert_eq!(axis(60, 400.0).name, "UTC, 2026-06-21");
        assert_eq!(
            labels(&axis(4 * 86_400, 500.0)),
            ["2026-06-22", "2026-06-23", "2026-06-24", "2026-06-25"]
        );
        assert_eq!(labels(&axis(0, 300.0)).len(), 2);
        // Nothing that a file can hold as a time is too much.
        assert!(labels(&Axis::time(CaptureTime(i64::MIN)..CaptureTime(i64::MAX), 900.0)).len() < 100);
    }
}
