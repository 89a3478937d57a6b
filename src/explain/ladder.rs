//! The ladder of a proof card: one lane per machine, one line per message.

use super::text::{Line, Role, span};
use crate::units::{CaptureTime, FrameRef, MessageId};

/// What happens where a message meets a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// It is taken up: an answer follows, or it is the addressee of one.
    Arrives,
    /// It is heard and dropped by a rule.
    Dropped,
    /// Nothing runs there.
    Down,
    /// It should be answered and is not.
    Unanswered,
    /// It is not answered, and nothing decides why.
    Unknown,
}

/// What a line of the ladder shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A message of the client.
    Query(MessageId),
    /// A message of a server.
    Reply(MessageId),
    /// A message between the servers.
    Control,
}

/// One line of the ladder.
#[derive(Clone, Debug)]
pub struct Rung {
    /// What it shows.
    pub origin: Origin,
    /// Capture time.
    pub time: CaptureTime,
    /// The frame.
    pub at: FrameRef,
    /// The same in words, such as `#57`.
    pub frame: String,
    /// What it is, such as `OFFER 192.168.4.100`.
    pub label: String,
    /// The same for a narrow terminal.
    pub short: String,
    /// The lane it starts from.
    pub from: usize,
    /// The lanes it reaches.
    pub to: Vec<(usize, Mark)>,
}

/// Lanes closer than this cannot show an arrow.
const LEAST_PITCH: usize = 7;
/// Lanes closer than this ask for the short labels.
const GOOD_PITCH: usize = 11;

/// Where everything stands in a line.
struct Layout {
    frame_width: usize,
    /// Whether the short labels are used.
    short: bool,
    left: usize,
    room: usize,
    pitch: usize,
    places: Vec<usize>,
}

impl Layout {
    fn new(rungs: &[Rung], lanes: &[String], width: usize, short: bool) -> Self {
        let longest =
            |texts: &mut dyn Iterator<Item = &String>| texts.map(|t| t.chars().count()).max().unwrap_or(0);
        let frame_width = longest(&mut rungs.iter().map(|rung| &rung.frame));
        let label_width =
            longest(&mut rungs.iter().map(|rung| if short { &rung.short } else { &rung.label }));
        let left = 2 + 12 + 2 + frame_width + 2 + label_width + 2;
        let room = width.saturating_sub(left);
        // The outer lanes need room for half their names.
        let half = (longest(&mut lanes.iter()) / 2 + 1).min(8);
        let gaps = lanes.len().saturating_sub(1).max(1);
        let pitch = (room.saturating_sub(2 * half) / gaps).min(22);
        let places = (0..lanes.len()).map(|lane| half + lane * pitch).collect();
        Self { frame_width, short, left, room, pitch, places }
    }
}

/// Draws the ladder; `lanes` are the machines' names, left to right.
pub fn draw(rungs: &[Rung], lanes: &[String], width: usize) -> Vec<Line> {
    let Some(first) = rungs.first() else { return Vec::new() };
    let full = Layout::new(rungs, lanes, width, false);
    let layout = if full.pitch < GOOD_PITCH { Layout::new(rungs, lanes, width, true) } else { full };
    if layout.pitch < LEAST_PITCH {
        return rungs.iter().flat_map(|rung| in_words(rung, lanes, first.time, &layout, width)).collect();
    }
    let mut lines = headings(lanes, &layout);
    lines.extend(rungs.iter().map(|rung| {
        let mut line = opening(rung, first.time, &layout);
        line.pad_to(layout.left);
        for (role, piece) in strokes(rung, &layout.places, layout.room) {
            line.push(role, piece);
        }
        line
    }));
    lines
}

fn opening(rung: &Rung, start: CaptureTime, layout: &Layout) -> Line {
    let frame_width = layout.frame_width;
    let mut line = Line::of([(Role::Plain, "  ")]);
    let time = if rung.time == start { clock(rung.time) } else { plus(rung.time.since(start)) };
    line.push(Role::Weak, format!("{time:>12}"));
    line.push(Role::Weak, format!("  {:>frame_width$}  ", rung.frame));
    line.push(Role::Plain, if layout.short { rung.short.clone() } else { rung.label.clone() });
    line
}

pub(crate) fn plus(ns: i64) -> String {
    if ns < 0 { format!("-{}", span(-ns)) } else { format!("+{}", span(ns)) }
}

/// Time of day, UTC, in milliseconds.
pub(crate) fn clock(time: CaptureTime) -> String {
    let text = crate::table::utc(time.0);
    text.split(' ').nth(1).map_or(String::new(), |time| time.chars().take(12).collect())
}

/// Without room for lanes: the names in words, below the message.
fn in_words(rung: &Rung, lanes: &[String], start: CaptureTime, layout: &Layout, width: usize) -> Vec<Line> {
    let name = |lane: usize| lanes.get(lane).map_or("?", String::as_str);
    let mut lines = vec![opening(rung, start, layout)];
    let mut line = Line::of([(Role::Weak, format!("      {} →", name(rung.from)).as_str())]);
    for (lane, mark) in &rung.to {
        let (role, sign) = mark.sign();
        let word = format!(" {sign}{}", name(*lane));
        if line.width() + word.chars().count() > width {
            lines.push(std::mem::take(&mut line));
            line.pad_to(8);
        }
        line.push(role, word);
    }
    lines.push(line);
    lines
}

impl Rung {
    /// The same in a sentence, for those who do not see the ladder.
    pub fn sentence(&self, lanes: &[String], start: CaptureTime) -> String {
        let name = |lane: usize| lanes.get(lane).map_or("?", String::as_str);
        let time = if self.time == start {
            clock(self.time)
        } else {
            format!("{} later", span(self.time.since(start)))
        };
        let met = self.to.iter().map(|(lane, mark)| match mark {
            Mark::Arrives => format!("to {}", name(*lane)),
            Mark::Dropped => format!("heard and dropped by {}", name(*lane)),
            Mark::Down => format!("{} was not running", name(*lane)),
            Mark::Unanswered => format!("{} should have answered", name(*lane)),
            Mark::Unknown => format!("not answered by {}, and nothing decides why", name(*lane)),
        });
        let met: Vec<String> = met.collect();
        let met = if met.is_empty() { String::new() } else { format!("; {}", met.join("; ")) };
        format!("{time}, frame {}: {} from {}{met}", self.frame, self.label, name(self.from))
    }
}

impl Mark {
    const fn sign(self) -> (Role, &'static str) {
        match self {
            Self::Arrives => (Role::Good, ""),
            Self::Dropped => (Role::Notable, "✕ "),
            Self::Down => (Role::Weak, "○ "),
            Self::Unanswered => (Role::Bad, "! "),
            Self::Unknown => (Role::Notable, "? "),
        }
    }
}

/// The names over their lanes, on two lines in turn where one is too short for them.
fn headings(lanes: &[String], layout: &Layout) -> Vec<Line> {
    let Layout { pitch, left, room, ref places, .. } = *layout;
    let rows = if lanes.iter().any(|name| name.chars().count() > pitch.saturating_sub(2)) { 2 } else { 1 };
    let mut lines = vec![Line::default(); rows];
    for (number, (name, place)) in lanes.iter().zip(places).enumerate() {
        let most = (rows * pitch).saturating_sub(2).min(2 * (room - place.min(&room)) + 1);
        let name: String = if name.chars().count() > most {
            name.chars().take(most.saturating_sub(1)).chain(['…']).collect()
        } else {
            name.clone()
        };
        if let Some(line) = lines.get_mut(number % rows) {
            line.pad_to(left + place.saturating_sub(name.chars().count() / 2));
            line.push(Role::Strong, name);
        }
    }
    lines
}

/// The arrow of one message as pieces with their roles.
fn strokes(rung: &Rung, places: &[usize], room: usize) -> Vec<(Role, String)> {
    let mut cells: Vec<(Role, char)> = vec![(Role::Plain, ' '); room];
    let mut set = |at: usize, role: Role, sign: char| {
        if let Some(cell) = cells.get_mut(at) {
            *cell = (role, sign);
        }
    };
    let place = |lane: usize| places.get(lane).copied().unwrap_or_default();
    let start = place(rung.from);
    let ends: Vec<usize> = rung.to.iter().map(|(lane, _)| place(*lane)).collect();
    let low = ends.iter().copied().chain([start]).min().unwrap_or(start);
    let high = ends.iter().copied().chain([start]).max().unwrap_or(start);
    for at in low..=high {
        set(at, Role::Weak, '─');
    }
    for lane in places {
        set(*lane, Role::Weak, if (low..=high).contains(lane) { '┼' } else { '│' });
    }
    for (lane, mark) in &rung.to {
        let at = place(*lane);
        match mark {
            Mark::Arrives if at > start => {
                set(at, Role::Weak, if at == high { '│' } else { '┼' });
                set(at - 1, Role::Good, '▶');
            }
            Mark::Arrives => {
                set(at, Role::Weak, if at == low { '│' } else { '┼' });
                set(at + 1, Role::Good, '◀');
            }
            Mark::Dropped => set(at, Role::Notable, '✕'),
            Mark::Down => set(at, Role::Weak, '○'),
            Mark::Unanswered => set(at, Role::Bad, '!'),
            Mark::Unknown => set(at, Role::Notable, '?'),
        }
    }
    set(start, Role::Strong, '●');
    let mut pieces: Vec<(Role, String)> = Vec::new();
    for (role, sign) in cells {
        match pieces.last_mut() {
            Some((last, text)) if *last == role => text.push(sign),
            _ => pieces.push((role, sign.to_string())),
        }
    }
    pieces
}
