//! The first lines: where is captured, how much comes, what is lost, where it is recorded, what time it is.

use ratatui::text::{Line, Span};

use super::Snapshot;
use super::paint::{Paint, bytes, fit, grouped, number, width};
use super::ui::Ui;
use crate::explain::text::Role;
use crate::table::{escape, utc};
use crate::units::{CaptureTime, SECOND};
use crate::watch::TapState;

/// A note of the capturing side is shown for so long.
const NOTE_NS: i64 = 30 * SECOND;
/// The rate is that of the last so many looks.
const RECENT: usize = 5;
/// Eighths of a cell.
const BARS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// The time of day in UTC, to a second or to a millisecond.
pub(super) fn clock(time: CaptureTime, ms: bool) -> String {
    let text = utc(time.0);
    text.get(11..if ms { 23 } else { 19 }).unwrap_or_default().to_owned()
}

pub(super) fn lines(snapshot: &Snapshot, ui: &Ui, room: usize) -> Vec<Line<'static>> {
    let paint = ui.paint;
    let mut right = Vec::new();
    if let Some(waiting) = ui.waiting() {
        let new = if waiting == 1 { "exchange waits" } else { "exchanges wait" };
        right.push(Span::styled(format!(" PAUSED · {} new {new} ", number(waiting)), Paint::chosen()));
        right.push(Span::raw(" "));
    }
    let time = if snapshot.clock.0 == 0 {
        "waiting for the first look".to_owned()
    } else {
        clock(snapshot.clock, false) + " UTC"
    };
    right.push(paint.span(Role::Strong, time + " "));
    let above = [true, false].map(|interfaces| {
        let name = std::iter::once(Span::styled(" dorascope ", paint.accent()));
        name.chain(zones(snapshot, paint, interfaces)).collect()
    });
    let below = [2, 1, 0].map(|parts| numbers(snapshot, paint, room, parts));
    let mut lines = vec![sides(above, right, room), sides(below, recording(snapshot, paint), room)];
    lines.extend(alarms(snapshot, paint, room));
    let note = snapshot.capturing.notes.last();
    if let Some((time, note)) = note.filter(|(time, _)| snapshot.clock.since(*time) < NOTE_NS) {
        let spans = vec![
            paint.span(Role::Weak, format!(" {} ", clock(*time, false))),
            paint.span(Role::Notable, escape(note).into_owned()),
        ];
        lines.push(fit(spans, room));
    }
    lines
}

/// Two sides of a line; of the left one the first wording that there is room for, or else the last, cut.
fn sides<const N: usize>(
    left: [Vec<Span<'static>>; N],
    right: Vec<Span<'static>>,
    room: usize,
) -> Line<'static> {
    let own = width(&right).min(room);
    let rest = room.saturating_sub(own + 1);
    let last = N.saturating_sub(1);
    let fits = |(at, left): &(usize, Vec<Span<'static>>)| *at == last || width(left) <= rest;
    let left = left.into_iter().enumerate().find(fits).map(|(_, left)| left);
    let mut line = fit(left.unwrap_or_default(), rest);
    let gap = room.saturating_sub(line.width() + own);
    line.spans.push(Span::raw(" ".repeat(gap)));
    line.spans.extend(right);
    line
}

fn zones(snapshot: &Snapshot, paint: Paint, interfaces: bool) -> Vec<Span<'static>> {
    let mut spans = Vec::new();
    // What is down must be seen, however many there are.
    let mut taps: Vec<&TapState> = snapshot.capturing.taps.iter().collect();
    taps.sort_by_key(|tap| tap.open);
    for TapState { interface, zone, open, .. } in taps {
        let name =
            if zone == interface || !interfaces { zone.clone() } else { format!("{zone} ({interface})") };
        let name = escape(&name).into_owned();
        if *open {
            spans.extend([paint.span(Role::Good, " ●"), Span::raw(format!(" {name} "))]);
        } else {
            spans.extend([Span::raw(" "), Span::styled(format!(" {name} DOWN "), paint.alarm())]);
        }
    }
    spans
}

fn numbers(snapshot: &Snapshot, paint: Paint, room: usize, parts: usize) -> Vec<Span<'static>> {
    let taps = &snapshot.capturing.taps;
    let sum = |of: fn(&TapState) -> u64| taps.iter().map(of).sum::<u64>();
    let recent: Vec<f64> = snapshot.rates.iter().rev().take(RECENT).copied().collect();
    // The sum of nothing would be -0.
    let rate = recent.iter().fold(0.0, |sum, rate| sum + rate) / recent.len().max(1) as f64;
    let rate = if rate < 9.95 { format!("{rate:.1}") } else { grouped(&format!("{rate:.0}")) };
    let cells = if room < 100 { 10 } else { (room / 6).min(60) };
    let mut spans =
        vec![paint.span(Role::Strong, format!(" {rate} msg/s ")), Span::raw(spark(&snapshot.rates, cells))];
    if parts > 0 {
        spans.push(Span::raw(format!("  {} frames", number(sum(|tap| tap.frames)))));
    }
    if parts > 1 {
        spans.push(Span::raw(format!(
            "  {} DHCP  {} control",
            number(sum(|tap| tap.messages)),
            number(sum(|tap| tap.control))
        )));
    }
    if taps.iter().all(|tap| tap.dropped_kernel == 0 && tap.dropped_queue == 0) {
        spans.push(paint.span(Role::Weak, "  none dropped"));
    }
    spans
}

/// The last rates as bars, as many cells as there are rates or as fit.
fn spark(rates: &[f64], cells: usize) -> String {
    let shown = rates.get(rates.len().saturating_sub(cells)..).unwrap_or_default();
    let most = shown.iter().copied().fold(0.0, f64::max);
    let bar = |rate: &f64| {
        if *rate <= 0.0 {
            return " ";
        }
        let eighth = BARS.iter().zip(1..).find(|(_, eighth)| rate * 8.0 <= most * f64::from(*eighth));
        eighth.map_or("█", |(bar, _)| *bar)
    };
    shown.iter().map(bar).collect()
}

/// The file that is recorded to.
fn recording(snapshot: &Snapshot, paint: Paint) -> Vec<Span<'static>> {
    let Some((path, size, trouble)) = &snapshot.capturing.recording else { return Vec::new() };
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let name = escape(&name);
    let sign = if trouble.is_some() { paint.span(Role::Weak, "○ ") } else { paint.span(Role::Bad, "● ") };
    vec![sign, Span::raw(format!("{name} {} ", bytes(*size)))]
}

/// What is lost, in as few lines as there is room for.
fn alarms(snapshot: &Snapshot, paint: Paint, room: usize) -> Vec<Line<'static>> {
    let capturing = &snapshot.capturing;
    let sum = |of: fn(&TapState) -> u64| capturing.taps.iter().map(of).sum::<u64>();
    let counts = [
        (sum(|tap| tap.dropped_kernel), "frames dropped by the kernel"),
        (sum(|tap| tap.dropped_queue), "frames dropped by dorascope"),
        (capturing.unrecorded, "frames not recorded"),
        (capturing.lines_dropped, "lines dropped"),
    ];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    let counts = counts.map(|(count, what)| format!("{} {what}", number(count)));
    let trouble = capturing.recording.as_ref().and_then(|(.., trouble)| trouble.as_ref());
    let trouble = trouble.map(|trouble| format!("cannot record: {}", escape(trouble)));
    let mut lines: Vec<Vec<Span<'static>>> = Vec::new();
    for text in counts.chain(trouble) {
        let spans = [Span::raw(" "), Span::styled(format!(" {text} "), paint.alarm())];
        match lines.last_mut() {
            Some(line) if width(line) + width(&spans) <= room => line.extend(spans),
            _ => lines.push(spans.to_vec()),
        }
    }
    lines.into_iter().map(|line| fit(line, room)).collect()
}

#[cfg(test)]
mod tests {
    use super::spark;

    #[test]
    fn the_highest_rate_is_a_full_bar_and_none_is_no_bar() {
        assert_eq!(spark(&[0.0, 1.0, 4.0, 8.0], 10), " ▁▄█");
        assert_eq!(spark(&[9.0, 1.0, 8.0], 2), "▁█");
        assert_eq!(spark(&[], 10), "");
    }
}
