//! The snapshot and the user's wishes onto a frame.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::paint::fit;
use super::ui::{List, Page, Ui};
use super::{head, lists, pages, servers};
use crate::explain::text::Role;

/// A smaller terminal shows nothing of use.
const LEAST: (u16, u16) = (60, 12);

/// Lists of so many lines have room for a look at the findings below the exchanges.
const TALL: usize = 24;

/// Draws the view.
pub fn draw(frame: &mut Frame<'_>, ui: &mut Ui) {
    let area = frame.area();
    if area.width < LEAST.0 || area.height < LEAST.1 {
        return too_small(frame);
    }
    let snapshot = ui.snapshot();
    let width = usize::from(area.width);
    let mut lines = head::lines(&snapshot, ui, width);
    let rest = usize::from(area.height).saturating_sub(lines.len() + 1);
    lines.extend(match ui.page.clone() {
        Page::Lists => {
            // The lists keep a third of the terminal, and eight lines where that is more.
            let most = rest.saturating_sub((rest / 3).max(8));
            let servers = servers::lines(&snapshot, ui.paint, width, most);
            let high = rest.saturating_sub(servers.len());
            let findings = if high >= TALL { lists::preview(ui, width, high / 4) } else { Vec::new() };
            let mut lists = lists::lines(ui, width, high - findings.len());
            lists.resize(high - findings.len(), Line::default());
            servers.into_iter().chain(lists).chain(findings).collect()
        }
        Page::Card(row) => pages::card(ui, &row, width, rest),
        Page::Finding(told) => pages::finding(ui, &told, width, rest),
        Page::Help => pages::help(ui, width, rest),
    });
    for (y, line) in (0..area.height.saturating_sub(1)).zip(&lines) {
        frame.render_widget(line, Rect::new(0, y, area.width, 1));
    }
    frame.render_widget(foot(ui, width), Rect::new(0, area.height - 1, area.width, 1));
}

fn too_small(frame: &mut Frame<'_>) {
    let area = frame.area();
    let (wide, high) = LEAST;
    let text = format!("{}×{} is too small: the view needs {wide}×{high}. q quits.", area.width, area.height);
    let lines = crate::explain::text::wrap(&text, usize::from(area.width).max(1));
    for (y, line) in (0..area.height).zip(lines) {
        frame.render_widget(Line::from(line), Rect::new(0, y, area.width, 1));
    }
}

/// What keys do here.
fn foot(ui: &Ui, width: usize) -> Line<'static> {
    let paint = ui.paint;
    if ui.is_typing {
        let mut spans = vec![Span::styled(" filter: ", paint.accent()), Span::raw(ui.filter.clone())];
        spans.push(Span::styled(" ", super::paint::Paint::chosen()));
        spans.push(paint.span(Role::Weak, "  client, server, address, verdict · Enter keeps, Esc clears"));
        return fit(spans, width);
    }
    let keys: &[(&str, &str)] = match ui.page {
        Page::Lists if ui.list == List::Exchanges => &[
            ("↑↓", "choose"),
            ("Enter", "card"),
            ("Tab", "findings"),
            ("/", "filter"),
            ("Space", "pause"),
            ("?", "help"),
            ("q", "quit"),
        ],
        Page::Lists => &[
            ("↑↓", "choose"),
            ("Enter", "advice"),
            ("Tab", "exchanges"),
            ("/", "filter"),
            ("Space", "pause"),
            ("?", "help"),
            ("q", "quit"),
        ],
        _ => &[("↑↓ PgUp PgDn", "scroll"), ("Space", "pause"), ("Esc", "back"), ("Ctrl-C", "quit")],
    };
    let mut spans = Vec::new();
    for (key, what) in keys {
        spans.push(Span::styled(format!(" {key}"), paint.accent()));
        spans.push(paint.span(Role::Plain, format!(" {what} ")));
    }
    fit(spans, width)
}

/// A rule with words on it.
pub(super) fn rule(
    paint: super::paint::Paint,
    left: Vec<Span<'static>>,
    right: Vec<Span<'static>>,
    width: usize,
) -> Line<'static> {
    let bar = |length: usize| paint.span(Role::Weak, "─".repeat(length));
    let taken =
        super::paint::width(&left) + 5 + if right.is_empty() { 0 } else { super::paint::width(&right) + 4 };
    let mut spans = vec![bar(2), Span::raw(" ")];
    spans.extend(left);
    spans.push(Span::raw(" "));
    spans.push(bar(width.saturating_sub(taken).max(1)));
    if !right.is_empty() {
        spans.push(Span::raw(" "));
        spans.extend(right);
        spans.extend([Span::raw(" "), bar(2)]);
    }
    fit(spans, width)
}
