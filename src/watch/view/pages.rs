//! What fills the terminal when the user asks: a proof card, a finding, the help.

use ratatui::text::{Line, Span};

use super::draw::rule;
use super::head::clock;
use super::paint::number;
use super::servers::ago;
use super::ui::Ui;
use super::{Mark, Row, Told};
use crate::explain::text::{Role, wrap};

/// A paragraph is easier to read when it is no wider.
const PARAGRAPH: usize = 96;

/// What stands right on a card belongs to what stands left.
const CARD: usize = 130;

/// The proof card of an exchange.
pub(super) fn card(ui: &mut Ui, row: &Row, room: usize, high: usize) -> Vec<Line<'static>> {
    let paint = ui.paint;
    let mark = match row.mark {
        Mark::Settled => paint.span(Role::Good, "settled"),
        Mark::Provisional => paint.span(Role::Notable, "provisional: what is captured next may change it"),
        Mark::Running(quiet, "") => {
            paint.span(Role::Notable, format!("running, the last message {} ago", ago(quiet)))
        }
        Mark::Running(quiet, what) => {
            paint.span(Role::Notable, format!("running, no {what} for {}", ago(quiet)))
        }
    };
    let title =
        vec![paint.span(Role::Strong, format!("{} ", row.id)), paint.span(Role::Plain, row.verdict.code())];
    let Some(parts) = &row.card else {
        let text = "No proof card was made of this exchange: too many came at once, or it is too long. Record with -w, \
                    and dorascope explain shows it.";
        return page(ui, (title, vec![mark]), paragraph(text, room), room, high);
    };
    let body = parts
        .lay(room.saturating_sub(2).min(CARD), "dorascope explain")
        .iter()
        .map(|line| paint.line(line))
        .collect();
    page(ui, (title, vec![mark]), body, room, high)
}

/// A finding, and what an operator does about it.
pub(super) fn finding(ui: &mut Ui, told: &Told, room: usize, high: usize) -> Vec<Line<'static>> {
    let paint = ui.paint;
    let entry = told.code.entry();
    let title = vec![
        paint.span(told.role(), told.severity.as_str()),
        Span::raw(" "),
        paint.span(Role::Strong, entry.code),
    ];
    let times = if told.count == 1 { "once".to_owned() } else { format!("{} times", number(told.count)) };
    let mut body = paragraph(&told.text, room);
    body.push(Line::default());
    let [zone, server, client] = &told.about;
    let (first, last) = told.span;
    let span = format!("{} to {} UTC", clock(first, true), clock(last, true));
    let facts = [
        ("zone", zone.as_str()),
        ("server", server),
        ("client", client),
        (
            "seen",
            &if first == last { format!("{} UTC", clock(first, true)) } else { format!("{times}, {span}") },
        ),
        ("frames", &told.frames),
    ];
    for (name, value) in facts.into_iter().filter(|(_, value)| !value.is_empty()) {
        let lines = wrap(value, room.saturating_sub(14).clamp(10, PARAGRAPH));
        for (at, line) in lines.into_iter().enumerate() {
            let name = if at == 0 { name } else { "" };
            body.push(Line::from(vec![paint.span(Role::Weak, format!("{name:<10}")), Span::raw(line)]));
        }
    }
    body.push(Line::default());
    body.push(Line::from(paint.span(Role::Strong, entry.title)));
    body.extend(paragraph(entry.text, room));
    page(ui, (title, Vec::new()), body, room, high)
}

/// What the keys and the signs mean.
pub(super) fn help(ui: &mut Ui, room: usize, high: usize) -> Vec<Line<'static>> {
    const KEYS: [(&str, &str); 9] = [
        ("↑ ↓ j k", "choose; at the first line the newest is followed"),
        ("PgUp PgDn g G", "a page further, to the first, to the last"),
        ("Enter", "the proof card of the exchange; what to do about the finding"),
        ("Tab", "between exchanges and findings"),
        ("/", "filter by client, server, zone, address, xid or verdict; Esc clears it"),
        ("Space", "pause: what is shown stays, the analysis goes on"),
        ("Esc q", "back"),
        ("q", "quit, from the lists"),
        ("Ctrl-C", "quit, from everywhere"),
    ];
    const SIGNS: [(&str, &str); 10] = [
        ("…  ~  ✓", "running; over, and later frames may change the reasons; settled for good"),
        ("DORA", "DISCOVER, OFFER, REQUEST, ACK; a dot is a step that was not seen, N a NAK, I an INFORM"),
        ("×3", "the client sent its message three times"),
        ("\"name\"", "the client calls itself so (option 12); without quotation marks the topology does"),
        ("sure", "from 0 to 1; 0.90 and above means that we would bet on it"),
        (
            "shown by",
            "heartbeat, other control traffic, or inferred from the rules and from the answers to clients",
        ),
        ("≤14:05:24", "since before that: it was so when it was first seen"),
        ("hot-standby?", "no heartbeat for three times heartbeat-delay: it was so when it was last shown"),
        ("unacked", "clients of a silent partner that say in secs that they wait longer than max-ack-delay"),
        ("times", "capture time, UTC"),
    ];
    let paint = ui.paint;
    let mut body = Vec::new();
    for (title, list) in [("Keys", &KEYS[..]), ("Signs", &SIGNS)] {
        body.push(Line::from(paint.span(Role::Strong, title)));
        for (sign, meaning) in list {
            let lines = wrap(meaning, room.saturating_sub(20).clamp(10, PARAGRAPH));
            for (at, line) in lines.into_iter().enumerate() {
                let sign = if at == 0 { sign } else { "" };
                body.push(Line::from(vec![
                    Span::styled(format!("  {sign:<15}"), paint.accent()),
                    Span::raw(line),
                ]));
            }
        }
        body.push(Line::default());
    }
    let title = vec![paint.span(Role::Strong, "Help")];
    page(ui, (title, Vec::new()), body, room, high)
}

fn paragraph(text: &str, room: usize) -> Vec<Line<'static>> {
    wrap(text, room.saturating_sub(2).min(PARAGRAPH)).into_iter().map(Line::from).collect()
}

/// A rule, and as much of the text as there is room for.
fn page(
    ui: &mut Ui,
    (title, right): (Vec<Span<'static>>, Vec<Span<'static>>),
    body: Vec<Line<'static>>,
    room: usize,
    high: usize,
) -> Vec<Line<'static>> {
    ui.high = high.saturating_sub(2).max(1);
    ui.long = body.len();
    ui.scroll = ui.scroll.min(ui.long.saturating_sub(ui.high));
    let below = ui.long.saturating_sub(ui.scroll + ui.high);
    let mut lines = vec![rule(ui.paint, title, right, room)];
    lines.extend(body.into_iter().skip(ui.scroll).take(ui.high).map(|mut line| {
        line.spans.insert(0, Span::raw(" "));
        line
    }));
    if below > 0 {
        let more = if below == 1 { "1 more line".to_owned() } else { format!("{below} more lines") };
        lines.push(Line::from(ui.paint.span(Role::Weak, format!(" ↓ {more}"))));
    }
    lines
}
