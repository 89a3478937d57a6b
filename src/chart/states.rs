//! The HA state of every server over time: solid where the wire shows it, hatched where it is inferred.

use std::collections::BTreeMap;

use super::Gather;
use super::about::{About, clock};
use super::axis::{Axis, number};
use super::bins::{Bars, Bins};
use super::canvas::{Align, Canvas, Letters, Rect, Stroke};
use super::legend::{self, Swatch};
use super::letters::width;
use super::page::{Page, Picture};
use super::plot::Plot;
use super::theme::{Rgb, Theme};
use crate::cells;
use crate::ha::replay::{Cause, Span, Transition};
use crate::ha::state::State;
use crate::ha::timeline::Basis;
use crate::ha::topology::RelationshipId;
use crate::pipeline::Analysis;
use crate::table::{Cell, Rows, schema};
use crate::units::{CaptureTime, ServerId};

/// Pixels left of the lanes, for names.
const NAMES: f64 = 200.0;
const LANE: f64 = 54.0;
const BAR: f64 = 24.0;
/// Columns of the ticks below a lane.
const TICKS: usize = 350;
/// Lanes of one page.
const MOST_LANES: usize = 16;
/// Changes that are named in notes.
const MOST_CHANGES: usize = 6;

/// One server in one relationship.
type Seat = (ServerId, RelationshipId);

/// What is kept of the batches.
#[derive(Debug, Default)]
pub struct Gathered {
    replies: BTreeMap<Seat, Bins<()>>,
}

impl Gather for Gathered {
    fn take(&mut self, batch: &Analysis<'_>) {
        for (exchange, judgement) in batch.exchanges.iter().zip(&batch.judgements) {
            let Some(relationship) = judgement.relationship else { continue };
            for step in &exchange.replies {
                let Some(answer) = batch.answers.get(&step.first) else { continue };
                let bins = self.replies.entry((answer.server, relationship)).or_default();
                bins.add(batch.message(step.first).time, ());
            }
        }
    }

    fn finish(self: Box<Self>, last: &Analysis<'_>, about: &About) -> Box<dyn Picture> {
        let topology = &*last.network.topology;
        let mut lanes: Vec<Lane> = Vec::new();
        for span in &last.replay.spans {
            let seat = (span.server, span.relationship);
            if lanes.last().is_none_or(|lane| lane.seat != seat) {
                let relationship = topology.relationship(span.relationship);
                let peers = relationship.map(|it| it.peers.as_slice()).unwrap_or_default();
                let role = peers.iter().find(|peer| peer.server == Some(span.server)).map(|peer| peer.role);
                let replies = self.replies.get(&seat).map(|bins| bins.of_round_width(TICKS));
                lanes.push(Lane {
                    seat,
                    role: role.map_or("", |role| role.as_str()),
                    relationship: topology.relationship_name(span.relationship),
                    peers: peers.iter().map(|peer| peer.name.clone()).collect(),
                    spans: Vec::new(),
                    replies: replies.unwrap_or_default(),
                });
            }
            if let Some(lane) = lanes.last_mut() {
                lane.spans.push(span.clone());
            }
        }
        // Partners stand below each other.
        lanes.sort_by_key(|lane| (lane.seat.1, lane.peers.len(), lane.seat.0));
        let changes = last.replay.transitions.clone();
        let nobody = topology.relationships.is_empty();
        Box::new(States { lanes, changes, nobody, about: about.clone() })
    }
}

/// One seat with everything that is drawn of it.
struct Lane {
    seat: Seat,
    role: &'static str,
    relationship: String,
    peers: Vec<String>,
    spans: Vec<Span>,
    /// Replies to clients: the width of a bin, and how many each has.
    replies: Bars<()>,
}

impl Lane {
    fn replies_within(&self, span: &Span) -> u64 {
        let within = |begin: &CaptureTime| span.from <= *begin && *begin < span.to;
        let all = self.replies.1.iter().filter(|(begin, _)| within(begin));
        all.flat_map(|(_, counts)| counts.values()).sum()
    }
}

/// The finished chart.
struct States {
    lanes: Vec<Lane>,
    changes: Vec<Transition>,
    /// Whether no relationship is known at all.
    nobody: bool,
    about: About,
}

/// The colour of a state: green serves its own scope, warm serves more or less than that, grey serves nobody.
fn colour(theme: Theme, state: State) -> Rgb {
    let series = |number: usize| theme.series(number).0;
    match state {
        State::HotStandby | State::LoadBalancing | State::PassiveBackup => series(2),
        State::PartnerDown => theme.bad(),
        State::PartnerInMaintenance => series(3),
        State::CommunicationRecovery => series(1),
        State::Terminated => theme.text(),
        State::Ready => theme.tint(theme.weak(), 90),
        State::Syncing => theme.tint(theme.weak(), 65),
        State::Waiting | State::InMaintenance | State::Backup => theme.tint(theme.weak(), 40),
    }
}

/// Letters that can be read on a colour: black or white.
fn on(colour: Rgb) -> Rgb {
    let light = 0.299 * f64::from(colour.0) + 0.587 * f64::from(colour.1) + 0.114 * f64::from(colour.2);
    if light > 140.0 { (0x10, 0x12, 0x15) } else { (0xff, 0xff, 0xff) }
}

/// Whether the wire or a log shows a state, and not only the rules.
fn is_shown(basis: Basis) -> bool {
    matches!(basis, Basis::Heartbeat | Basis::Control | Basis::Log)
}

impl States {
    fn page_lanes(&self, page: usize) -> &[Lane] {
        self.lanes.chunks(MOST_LANES).nth(page).unwrap_or_default()
    }

    /// Whether a server that goes to partner-down then serves clients that it did not serve before.
    fn takes_over(&self, change: &Transition) -> bool {
        let lane = self.lanes.iter().find(|lane| lane.seat == (change.server, change.relationship));
        lane.is_some_and(|lane| {
            let spans = || lane.spans.iter();
            let before = spans().rev().find(|span| span.from < change.instant());
            let after = spans().find(|span| span.from >= change.instant());
            let scopes = |span: Option<&Span>| span.map_or(0, |span| span.scopes.len());
            scopes(after) > scopes(before)
        })
    }

    /// Changes of servers that were seen before: the first state of each is no change.
    fn real_changes(&self) -> impl Iterator<Item = &Transition> {
        self.changes.iter().filter(|change| change.cause != Cause::FirstSeen)
    }

    fn title(&self) -> String {
        if self.lanes.is_empty() {
            return "No HA state can be told from these captures".to_owned();
        }
        let taken = || self.real_changes().filter(|change| change.to == State::PartnerDown);
        // A standby or a secondary that serves its partner's clients is what people look for.
        if let Some(change) = taken().min_by_key(|change| !self.takes_over(change)) {
            let server = self.about.server(change.server);
            let time = clock(change.instant());
            let more = match taken().count() {
                1 => String::new(),
                count => format!(" ({count} changes to partner-down in all)"),
            };
            let partner = self
                .lanes
                .iter()
                .find(|lane| lane.seat.1 == change.relationship && lane.seat.0 != change.server);
            let partner = partner.map_or("its partner", |lane| self.about.server(lane.seat.0));
            if self.takes_over(change) {
                return format!("{server} took over from {partner} at {time} UTC{more}");
            }
            return format!("{server} took {partner} to be down at {time} UTC{more}");
        }
        match self.real_changes().count() {
            0 => "No server changed its state".to_owned(),
            1 => "One change of state, no takeover".to_owned(),
            count => format!("{count} changes of state, no takeover"),
        }
    }

    fn items(&self, theme: Theme) -> Vec<(Swatch, String)> {
        let mut states: Vec<Option<State>> =
            self.lanes.iter().flat_map(|lane| &lane.spans).map(|span| span.state).collect();
        states.sort_unstable();
        states.dedup();
        let word = |state: &Option<State>| match state {
            Some(state) => (Swatch::Fill(colour(theme, *state)), state.as_str().to_owned()),
            None => (Swatch::Frame(Stroke::solid(theme.weak(), 1.0)), "not running".to_owned()),
        };
        let mut items: Vec<_> = states.iter().map(word).collect();
        let inferred = |span: &Span| !is_shown(span.basis);
        if self.lanes.iter().flat_map(|lane| &lane.spans).any(inferred) {
            let pale = theme.tint(theme.weak(), 30);
            items.push((Swatch::Hatched(pale, theme.background()), "inferred, no frame shows it".to_owned()));
        }
        items
    }

    fn lane(&self, canvas: &Canvas<'_>, plot: &Plot<'_, '_>, lane: &Lane, number: usize) {
        let theme = canvas.theme;
        let top = plot.inside.y + number as f64 * LANE + 6.0;
        let name = Letters::new(13.0, theme.text()).bold();
        let names = plot.inside.x - NAMES;
        canvas.text_within((names, top + 6.0), self.about.server(lane.seat.0), NAMES - 12.0, name);
        let weak = Letters::new(11.0, theme.weak());
        canvas.text_within((names, top + 22.0), lane.role, NAMES - 12.0, weak);
        // Other scopes, or further evidence, are no other state.
        let alike = |a: &Span, b: &Span| a.state == b.state && is_shown(a.basis) == is_shown(b.basis);
        for spans in lane.spans.chunk_by(alike) {
            let [span, ..] = spans else { continue };
            let place = |time: CaptureTime| plot.at(time.0 as f64, 0.0).0;
            let (left, right) = (place(span.from), place(spans.last().map_or(span.to, |last| last.to)));
            let bar = Rect::new(left, top, (right - left).max(1.0), BAR);
            let Some(state) = span.state else {
                canvas.frame(bar, Stroke::solid(theme.weak(), 1.0));
                continue;
            };
            let fill = colour(theme, state);
            let shown = is_shown(span.basis);
            canvas.fill(bar, if shown { fill } else { theme.tint(fill, 55) });
            if !shown {
                canvas.hatch(bar, Stroke::solid(theme.background(), 1.2), 6.0);
            }
            canvas.line(&[(left, top), (left, top + BAR)], Stroke::solid(theme.background(), 1.0));
            // A word on hatching is hard to read; the legend has it.
            if shown && width(state.as_str(), 11.5) < bar.w - 8.0 {
                let letters = Letters::new(11.5, on(fill)).align(Align::Middle);
                canvas.text((bar.x + bar.w / 2.0, top + BAR / 2.0), state.as_str(), letters);
            }
        }
        let most = lane.replies.1.iter().flat_map(|(_, counts)| counts.values()).max().copied().unwrap_or(1);
        for (begin, counts) in &lane.replies.1 {
            let count: u64 = counts.values().sum();
            let x = plot.at(begin.0 as f64 + lane.replies.0 as f64 / 2.0, 0.0).0;
            let high = 3.0 + 9.0 * (count as f64 / most as f64).sqrt();
            let foot = top + BAR + 14.0;
            canvas.line(&[(x, foot), (x, foot - high)], Stroke::solid(theme.text(), 1.25));
        }
    }
}

impl Picture for States {
    fn rows(&self) -> Rows {
        let mut rows = Rows::new(&schema::STATES);
        for lane in &self.lanes {
            for span in &lane.spans {
                let scopes: Cell<'_> = span.scopes.iter().filter_map(|at| lane.peers.get(*at)).collect();
                rows.push(&cells![
                    self.about.server(lane.seat.0),
                    &lane.relationship,
                    span.from.0,
                    span.to.0,
                    span.state.map(State::as_str),
                    scopes,
                    span.basis.as_str(),
                    span.confidence,
                    lane.replies_within(span),
                ]);
            }
        }
        rows
    }

    fn pages(&self) -> usize {
        self.lanes.len().div_ceil(MOST_LANES)
    }

    fn page(&self, page: usize) -> Page {
        if self.lanes.is_empty() {
            let note = if self.nobody {
                "No HA relationship is known: name Kea's configuration with --kea or -t, or capture the heartbeats."
            } else {
                "The relationships are known, and nothing in the captures shows their servers' states."
            };
            return Page::empty(self.title(), &[note]);
        }
        let items = self.items(Theme::Light);
        let words = legend::height(items.iter().map(|(_, word)| word.as_str()), self.room());
        let mut notes =
            vec!["Ticks below a bar: the server's replies to clients of the relationship.".to_owned()];
        // Where a server serves others than usual, or gives up; what leads there the picture shows.
        let telling = |change: &&Transition| {
            matches!(
                change.to,
                State::PartnerDown
                    | State::CommunicationRecovery
                    | State::PartnerInMaintenance
                    | State::InMaintenance
                    | State::Terminated
            )
        };
        let mut changes: Vec<&Transition> = self.real_changes().filter(telling).collect();
        changes.sort_by_key(|change| (change.to != State::PartnerDown, change.instant()));
        changes.truncate(MOST_CHANGES);
        changes.sort_by_key(|change| change.instant());
        let more = self.real_changes().count() - changes.len();
        let words_of = |change: &&Transition| {
            let cause = change.cause.to_string().replace('-', " ");
            format!(
                "{} {} {}: {cause}",
                clock(change.instant()),
                self.about.server(change.server),
                change.to.as_str()
            )
        };
        let mut told = changes.iter().map(words_of).collect::<Vec<_>>().join("; ");
        if more > 0 {
            told = format!("{told}; {} changes more", number(more as f64));
        }
        if !changes.is_empty() {
            notes.push(format!("{told}."));
        }
        let lanes = self.page_lanes(page);
        let groups = groups(lanes).len();
        let height = words + lanes.len() as f64 * LANE + groups as f64 * 22.0 + 46.0;
        Page { title: self.title(), notes, height, ..Page::default() }
    }

    fn draw(&self, page: usize, canvas: &Canvas<'_>, body: Rect) {
        let Some(span) = self.about.span else { return };
        let theme = canvas.theme;
        let mut body = legend::draw(canvas, body, &self.items(theme));
        let groups = groups(self.page_lanes(page));
        let count = groups.len();
        for (at, lanes) in groups.into_iter().enumerate() {
            let name = lanes.first().map_or("", |lane| lane.relationship.as_str());
            let letters = Letters::new(12.5, theme.weak());
            canvas.text_within((body.x, body.y + 11.0), &format!("relationship {name}"), body.w, letters);
            let high = lanes.len() as f64 * LANE;
            // Only the last one has the axis' labels; the others its lines.
            let is_last = at + 1 == count;
            let foot = if is_last { 46.0 } else { 0.0 };
            let mut x = Axis::time(span.0..span.1, body.w - NAMES);
            if !is_last {
                x = x.without_labels();
            }
            let inside = Rect::new(body.x + NAMES, body.y + 22.0, body.w - NAMES - 34.0, high);
            let plot = Plot::within(canvas, inside, (x, Axis::lanes(lanes.len())), foot);
            for (number, lane) in lanes.iter().enumerate() {
                self.lane(canvas, &plot, lane, number);
            }
            body.y += 22.0 + high;
        }
    }
}

/// Lanes by relationship.
fn groups(lanes: &[Lane]) -> Vec<&[Lane]> {
    lanes.chunk_by(|a, b| a.seat.1 == b.seat.1).collect()
}
