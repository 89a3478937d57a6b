//! The relationships: a rule with the name, a line for each server, and how far a takeover is.

use ratatui::text::{Line, Span};

use super::Snapshot;
use super::draw::rule;
use super::grid::{Cell, Column, Grid};
use super::head::clock;
use super::paint::{Paint, fit, width};
use super::seats::{Countdown, Group, Seat, look};
use crate::explain::text::{Role, span};
use crate::ha::state::{State, Status};

const COLUMNS: [Column; 7] = [
    Column::new("server", 32, 0),
    Column::new("role", 9, 2),
    Column::new("state", 22, 0),
    Column::new("serves", 60, 1),
    Column::new("since", 10, 1),
    Column::new("shown by", 10, 2),
    Column::new("last heartbeat", 18, 0),
];

/// At most `most` lines.
pub(super) fn lines(snapshot: &Snapshot, paint: Paint, room: usize, most: usize) -> Vec<Line<'static>> {
    if snapshot.groups.is_empty() {
        return nobody(snapshot, paint, room);
    }
    let rows: Vec<[Cell; 7]> =
        snapshot.groups.iter().flat_map(|group| &group.seats).map(|seat| cells(seat, paint)).collect();
    let grid = Grid::of(&COLUMNS, &rows, room.saturating_sub(2));
    let mut rows = rows.into_iter();
    let block = |group: &Group| block(group, &mut rows, &grid, paint, room);
    let blocks: Vec<Vec<Line<'static>>> = snapshot.groups.iter().map(block).collect();
    let mut lines = Vec::new();
    let height: usize = blocks.iter().map(Vec::len).sum();
    let all = height < most;
    let mut order: Vec<(usize, Vec<Line<'static>>)> = blocks.into_iter().enumerate().collect();
    if !all {
        // What is not as usual must be seen.
        order.sort_by_key(|(at, _)| snapshot.groups.get(*at).is_some_and(Group::is_normal));
    }
    let mut left_out = Vec::new();
    for (at, block) in order {
        if all || lines.len() + block.len() + 2 <= most || lines.is_empty() {
            lines.extend(block);
        } else {
            left_out.push(at);
        }
    }
    if snapshot.inferred
        && let Some(first) = lines.first_mut()
    {
        *first = concluded(first, paint, room);
    }
    lines.insert(1.min(lines.len()), indented(grid.head(paint.of(Role::Weak))));
    if !left_out.is_empty() {
        let odd =
            left_out.iter().filter(|at| snapshot.groups.get(**at).is_some_and(|it| !it.is_normal())).count();
        let more = match left_out.len() {
            1 => "1 more relationship".to_owned(),
            more => format!("{more} more relationships"),
        };
        let text =
            if odd == 0 { format!(" {more}, as usual") } else { format!(" {more}, {odd} not as usual") };
        lines.push(fit(vec![paint.span(if odd > 0 { Role::Notable } else { Role::Weak }, text)], room));
    }
    lines
}

fn indented(mut line: Line<'static>) -> Line<'static> {
    line.spans.insert(0, Span::raw(" "));
    line
}

/// Nobody named the pairs: the rule of the first one says so.
fn concluded(rule: &Line<'static>, paint: Paint, room: usize) -> Line<'static> {
    let words = paint.span(Role::Weak, " concluded from the heartbeats ──");
    let mut line = fit(rule.spans.clone(), room.saturating_sub(words.width()));
    // What was cut off was only the rule's end.
    if let Some(end) = line.spans.last_mut() {
        end.content = end.content.replace('…', "─").into();
    }
    line.spans.push(words);
    line
}

fn nobody(snapshot: &Snapshot, paint: Paint, room: usize) -> Vec<Line<'static>> {
    let mut lines = vec![rule(paint, vec![paint.span(Role::Strong, "servers")], Vec::new(), room)];
    if !snapshot.strangers.is_empty() {
        let text = format!("   {}", snapshot.strangers.join(" · "));
        lines.push(fit(vec![Span::raw(text)], room));
    }
    let text =
        "No HA relationship is known: name Kea's configuration with --kea or -t, or capture the heartbeats.";
    let text = crate::explain::text::wrap(text, room.saturating_sub(4));
    lines.extend(text.into_iter().map(|line| Line::from(paint.span(Role::Weak, format!("   {line}")))));
    lines
}

fn block(
    group: &Group,
    rows: &mut impl Iterator<Item = [Cell; 7]>,
    grid: &Grid,
    paint: Paint,
    room: usize,
) -> Vec<Line<'static>> {
    let name = vec![
        paint.span(Role::Strong, group.name.clone()),
        paint.span(Role::Weak, format!(" · {}", group.mode.as_str())),
    ];
    let mut lines = vec![rule(paint, name, Vec::new(), room)];
    for (seat, row) in group.seats.iter().zip(rows) {
        lines.push(indented(grid.row(row.to_vec(), None)));
        if let Some(countdown) = &seat.countdown {
            lines.extend(countdown_lines(countdown, paint, room));
        }
    }
    lines
}

fn cells(seat: &Seat, paint: Paint) -> [Cell; 7] {
    let plain = |text: String| (paint.of(Role::Plain), text);
    let weak = |text: String| (paint.of(Role::Weak), text);
    let state = seat.state.map_or("unknown", |state| match state {
        Status::Unavailable => "not running",
        Status::In(state) => state.as_str(),
    });
    // A word that may be old is not given as if it were not.
    let (role, doubt) =
        if seat.is_stale && seat.state.is_some() { (Role::Notable, "?") } else { (look(seat.state), "") };
    let since = seat.since.map(|(time, exact)| {
        let time = clock(time, false);
        // It was so before the capture began.
        if exact { time } else { format!("≤{time}") }
    });
    let heartbeat = match seat.heartbeat {
        None => weak("none seen".to_owned()),
        Some(age) => {
            let text = format!("{} ago", ago(age));
            match (seat.is_late, seat.is_stale) {
                (true, _) => (paint.of(Role::Bad), text),
                (false, true) => (paint.of(Role::Notable), text),
                (false, false) => plain(text),
            }
        }
    };
    [
        (paint.of(Role::Strong), seat.server.clone()),
        weak(seat.role.as_str().to_owned()),
        (paint.of(role), format!("{state}{doubt}")),
        plain(seat.serves.clone()),
        plain(since.unwrap_or_default()),
        weak(seat.basis.map_or_else(String::new, |basis| basis.as_str().to_owned())),
        heartbeat,
    ]
}

/// A span that goes on while one looks: no finer than a tenth of a second.
pub(super) fn ago(ns: i64) -> String {
    match ns / 1_000_000 {
        ms @ ..100_000 => format!("{}.{} s", ms / 1000, ms / 100 % 10),
        _ => span(ns),
    }
}

/// The silence of the partner, and the clients that were counted in it.
fn countdown_lines(it: &Countdown, paint: Paint, room: usize) -> Vec<Line<'static>> {
    let delay = ago(it.delay);
    let assumed = if it.assumed { ", Kea's default" } else { "" };
    let mut silence = vec![
        Span::raw("   "),
        paint.span(Role::Notable, format!("{} silent for {}", it.partner, ago(it.silent))),
    ];
    if it.is_interrupted() {
        silence.push(Span::raw(format!(", longer than max-response-delay {delay}{assumed}")));
    } else {
        let left = ago(it.delay - it.silent);
        silence.push(Span::raw(format!(
            ", communication interrupted in {left} (max-response-delay {delay}{assumed})"
        )));
    }
    let clients = clients(it, paint);
    if width(&silence) + 3 + width(&clients) <= room {
        silence.push(paint.span(Role::Weak, " · "));
        silence.extend(clients);
        return vec![Line::from(silence)];
    }
    let below = std::iter::once(Span::raw("   ")).chain(clients).collect();
    vec![fit(silence, room), fit(below, room)]
}

fn clients(it: &Countdown, paint: Paint) -> Vec<Span<'static>> {
    let enough = it.left() == 0;
    if it.over {
        let text = match (it.counts, it.unacked) {
            (true, 1..) => {
                format!("it took over: unacked clients {}, more than {} were needed", it.unacked, it.most)
            }
            _ if it.most == 0 => {
                format!("it is in {}: max-unacked-clients 0 asks for no client", State::PartnerDown.as_str())
            }
            _ => format!("it is in {}", State::PartnerDown.as_str()),
        };
        return vec![paint.span(Role::Plain, text)];
    }
    if !it.counts {
        return vec![Span::raw(format!(
            "{} at the next failed heartbeat after that, no client is counted",
            State::PartnerDown.as_str()
        ))];
    }
    let role = if enough { Role::Bad } else { Role::Notable };
    let text = format!("unacked clients {} of more than {} · {} left ", it.unacked, it.most, it.left());
    if enough {
        return vec![paint.span(role, text), Span::raw("· the next heartbeat decides")];
    }
    vec![paint.span(role, text), paint.span(role, bar(it.unacked, it.most))]
}

/// A cell for each client where they are few.
fn bar(unacked: u32, most: u32) -> String {
    let needed = u64::from(most) + 1;
    let cells = needed.clamp(1, 16);
    let full = (u64::from(unacked).min(needed) * cells / needed) as usize;
    "█".repeat(full) + &"░".repeat(cells as usize - full)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_is_full_when_the_clients_are_enough_and_not_before() {
        assert_eq!(bar(0, 10), "░".repeat(11));
        assert_eq!(bar(10, 10), "█".repeat(10) + "░");
        assert_eq!((bar(11, 10), bar(99, 10)), ("█".repeat(11), "█".repeat(11)));
        assert_eq!(bar(999, 1000), "█".repeat(15) + "░");
        assert_eq!(bar(7, u32::MAX), "░".repeat(16));
    }

    #[test]
    fn ages_do_not_flicker() {
        assert_eq!([ago(0), ago(349_000_000), ago(12_340_000_000)], ["0.0 s", "0.3 s", "12.3 s"]);
        assert_eq!(ago(200_000_000_000), "3 min 20 s");
    }
}
