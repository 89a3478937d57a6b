//! Exchanges as ladders: one lane per client, relay and server, one arrow per message, and a cross where a server
//! heard a query and a rule kept it silent.

mod scene;

use std::collections::HashSet;

use foldhash::fast::RandomState;

use self::scene::{Arrow, End, Party, Scene, Sort};
use super::Gather;
use super::about::About;
use super::axis::number;
use super::canvas::{Align, Canvas, Letters, Rect, Stroke};
use super::legend::{self, Swatch};
use super::letters::width;
use super::page::{Page, Picture};
use super::theme::{Dash, Rgb, Theme};
use crate::cells;
use crate::exchange::Kind;
use crate::explain::Selector;
use crate::explain::ladder::Mark;
use crate::ha::catalogue::Verdict;
use crate::pipeline::Analysis;
use crate::table::{Rows, schema};
use crate::units::{ServerId, ZoneId};

/// Pages that are drawn.
const MOST_PAGES: usize = 20;
/// Arrows of one page; a longer exchange keeps its beginning and its end.
const MOST_ARROWS: usize = 28;
/// Pixels for time, frame and words, left of the lanes.
const WORDS: f64 = 424.0;
/// Where the words of a message begin.
const LABEL: f64 = 184.0;
/// Pixels right and left of the outer lanes, for half a name.
const BESIDE: f64 = 62.0;
const HEAD: f64 = 62.0;
const ROW: f64 = 36.0;
/// How much lower an arrow ends than it begins.
const SLANT: f64 = 6.0;
const SMALL: f64 = 11.0;

/// What makes an exchange another example than those before it.
type Example = (Verdict, Kind, ZoneId, Option<ServerId>);

/// What is kept of the batches.
#[derive(Default)]
pub struct Gathered {
    selector: Option<Selector>,
    scenes: Vec<Scene>,
    examples: HashSet<Example, RandomState>,
    /// Exchanges that were meant, and all exchanges.
    meant: u64,
    exchanges: u64,
}

impl Gathered {
    /// Ladders of the exchanges that a selector means; without one, of one exchange of every kind.
    pub fn new(selector: Option<&Selector>) -> Self {
        Self { selector: selector.cloned(), ..Self::default() }
    }
}

impl Gather for Gathered {
    fn take(&mut self, batch: &Analysis<'_>) {
        for (exchange, judgement) in batch.exchanges.iter().zip(&batch.judgements) {
            self.exchanges += 1;
            let is_meant = match &self.selector {
                Some(selector) => selector.means(batch, exchange),
                None => {
                    let zone = exchange.zone(&batch.messages);
                    let example = (judgement.verdict, exchange.kind, zone, judgement.answered_by);
                    self.examples.len() < 1_000 && self.examples.insert(example)
                }
            };
            if is_meant {
                self.meant += 1;
                if self.scenes.len() < MOST_PAGES {
                    self.scenes.extend(Scene::of(batch, exchange.id));
                }
            }
        }
    }

    fn finish(self: Box<Self>, _: &Analysis<'_>, _: &About) -> Box<dyn Picture> {
        Box::new(Ladder(*self))
    }
}

/// The finished chart.
struct Ladder(Gathered);

/// Where the lanes of a page are, in pixels.
struct Places {
    first: f64,
    pitch: f64,
}

impl Places {
    fn of(scene: &Scene, body: Rect) -> Self {
        let room = body.w - WORDS - 2.0 * BESIDE;
        let gaps = scene.lanes.len().saturating_sub(1).max(1) as f64;
        // Two lanes need not be a page apart.
        let pitch = (room / gaps).min(230.0);
        Self { first: body.x + WORDS + BESIDE, pitch }
    }

    fn lane(&self, lane: usize) -> f64 {
        self.first + lane as f64 * self.pitch
    }

    /// Whether the code of a rule fits below its cross.
    fn has_room(&self, rule: &str) -> bool {
        width(rule, SMALL) < self.pitch - 12.0
    }
}

/// The number of the region that is shaded around a lane.
fn shade(scene: &Scene, lane: usize) -> Option<usize> {
    scene.regions.iter().rposition(|region| (region.lanes.0..=region.lanes.1).contains(&lane))
}

fn colour(theme: Theme, sort: Sort) -> Rgb {
    match sort {
        Sort::Query => theme.text(),
        Sort::Reply(server) | Sort::LostOffer(server) | Sort::Control(server) => theme.series(server.0).0,
    }
}

fn line(theme: Theme, sort: Sort) -> Stroke {
    let colour = colour(theme, sort);
    match sort {
        Sort::Query | Sort::Reply(_) => Stroke::solid(colour, 1.7),
        Sort::LostOffer(_) => Stroke { colour, width: 1.5, dash: Dash::Dashed },
        Sort::Control(_) => Stroke { colour, width: 1.5, dash: Dash::Dotted },
    }
}

/// The arrows of a page, and how many are left out behind which of them.
fn shown(scene: &Scene) -> (Vec<&Arrow>, Option<(usize, usize)>) {
    if scene.arrows.len() <= MOST_ARROWS {
        return (scene.arrows.iter().collect(), None);
    }
    let keep = MOST_ARROWS / 2;
    let (head, tail) = (scene.arrows.iter().take(keep), scene.arrows.iter().skip(scene.arrows.len() - keep));
    (head.chain(tail).collect(), Some((keep, scene.arrows.len() - 2 * keep)))
}

impl Ladder {
    fn items(scene: &Scene, theme: Theme) -> Vec<(Swatch, String)> {
        let any = |is: &dyn Fn(&Arrow) -> bool| scene.arrows.iter().any(is);
        let ends = |mark: Mark| any(&|arrow| arrow.ends.iter().any(|end| end.mark == mark));
        let mut items = Vec::new();
        if ends(Mark::Dropped) {
            let cross = Stroke::solid(theme.text(), 2.2);
            items.push((Swatch::Cross(cross), "heard, and dropped by the rule below".to_owned()));
        }
        if ends(Mark::Unanswered) {
            items.push((Swatch::Dot(theme.bad()), "should have been answered".to_owned()));
        }
        if ends(Mark::Down) {
            items.push((Swatch::Ring(Stroke::solid(theme.weak(), 1.6)), "not running".to_owned()));
        }
        if ends(Mark::Unknown) {
            items.push((Swatch::Dot(theme.weak()), "not answered, nothing decides why".to_owned()));
        }
        if any(&|arrow| matches!(arrow.sort, Sort::LostOffer(_))) {
            let line = Stroke { colour: theme.weak(), width: 1.5, dash: Dash::Dashed };
            items.push((Swatch::Line(line), "OFFER that the client did not take".to_owned()));
        }
        if any(&|arrow| matches!(arrow.sort, Sort::Control(_))) {
            let line = Stroke { colour: theme.weak(), width: 1.5, dash: Dash::Dotted };
            items.push((Swatch::Line(line), "between the servers".to_owned()));
        }
        items
    }

    fn lanes(canvas: &Canvas<'_>, scene: &Scene, places: &Places, body: Rect) {
        let theme = canvas.theme;
        for (number, region) in scene.regions.iter().enumerate() {
            let (left, right) = (places.lane(region.lanes.0), places.lane(region.lanes.1));
            // A relay stands in both zones, on their border; whoever is in none stands beside.
            let left = if region.lanes.0 == 0 { left - BESIDE } else { left };
            let is_border =
                scene.regions.iter().any(|other| other.lanes.0 == region.lanes.1 && other != region);
            let right = if is_border { right } else { right + BESIDE.min(places.pitch / 2.0) };
            canvas.fill(Rect::new(left, body.y, right - left, body.h), theme.shade(number));
            let letters = Letters::new(SMALL, theme.weak());
            canvas.text_within(
                (left + 6.0, body.y + 10.0),
                &format!("zone {}", region.zone),
                right - left - 12.0,
                letters,
            );
        }
        for (number, lane) in scene.lanes.iter().enumerate() {
            let x = places.lane(number);
            let colour = match lane.party {
                Party::Server(server) => theme.series(server.0).0,
                Party::Client | Party::Relay => theme.weak(),
            };
            canvas.line(&[(x, body.y + HEAD - 4.0), (x, body.bottom() - 4.0)], Stroke::solid(colour, 1.4));
            let name = Letters::new(12.5, theme.text()).bold().align(Align::Middle);
            let room =
                if scene.lanes.len() == 1 { 2.0 * BESIDE } else { places.pitch.min(2.0 * BESIDE) - 6.0 };
            canvas.text_within((x, body.y + 30.0), &lane.name, room, name);
            let weak = Letters::new(SMALL, theme.weak()).align(Align::Middle);
            canvas.text_within((x, body.y + 46.0), lane.role, room, weak);
        }
    }

    fn arrow(canvas: &Canvas<'_>, (scene, arrow): (&Scene, &Arrow), places: &Places, body: Rect, y: f64) {
        let theme = canvas.theme;
        let weak = Letters::new(12.0, theme.weak());
        canvas.text((body.x + 84.0, y), &arrow.clock, weak.align(Align::Right));
        canvas.text_within((body.x + 94.0, y), &arrow.frame, LABEL - 98.0, weak);
        canvas.text_within(
            (body.x + LABEL, y),
            &arrow.label,
            WORDS - LABEL,
            Letters::new(12.5, theme.text()),
        );
        let stroke = line(theme, arrow.sort);
        let start = places.lane(arrow.from);
        // Away from the sender to both sides, as far as it is heard.
        let low = arrow.ends.iter().map(|end| end.lane).filter(|lane| *lane < arrow.from).min();
        let high = arrow.ends.iter().map(|end| end.lane).filter(|lane| *lane > arrow.from).max();
        let foot = |lane: usize, far: usize| {
            let whole = (places.lane(far) - start).abs().max(1.0);
            y + SLANT * ((places.lane(lane) - start).abs() / whole)
        };
        for far in [low, high].into_iter().flatten() {
            canvas.line(&[(start, y), (places.lane(far), foot(far, far))], stroke);
        }
        if arrow.ends.is_empty() {
            // Nobody is known to hear it.
            canvas.line(&[(start, y), (start + 26.0, y + 1.0)], stroke);
        }
        for end in &arrow.ends {
            let far = if end.lane < arrow.from { low } else { high };
            let at = (places.lane(end.lane), foot(end.lane, far.unwrap_or(end.lane)));
            Self::end(canvas, *end, at, end.lane < arrow.from, stroke.colour);
            if let Some(rule) = end.rule.filter(|rule| places.has_room(rule)) {
                let letters = Letters::new(SMALL, theme.weak()).align(Align::Middle);
                // The lane must not run through the letters.
                let room = width(rule, SMALL) * 0.95;
                let ground = shade(scene, end.lane).map_or(theme.background(), |number| theme.shade(number));
                canvas.fill(Rect::new(at.0 - room / 2.0, at.1 + 7.0, room, 13.0), ground);
                canvas.text((at.0, at.1 + 13.0), rule, letters);
            }
        }
        canvas.dot((start, y), 3.5, stroke.colour);
        let told = arrow.ends.iter().filter_map(|end| end.rule).filter(|rule| !places.has_room(rule));
        let mut told: Vec<&str> = told.collect();
        told.dedup();
        if !told.is_empty() {
            let letters = Letters::new(SMALL, theme.weak());
            canvas.text_within((body.x + LABEL, y + 14.0), &told.join(", "), WORDS - LABEL, letters);
        }
    }

    fn end(canvas: &Canvas<'_>, end: End, (x, y): (f64, f64), leftwards: bool, colour: Rgb) {
        let theme = canvas.theme;
        match end.mark {
            Mark::Arrives => {
                let back = if leftwards { 9.0 } else { -9.0 };
                canvas.polygon(&[(x, y), (x + back, y - 4.5), (x + back, y + 3.5)], colour);
            }
            Mark::Dropped => canvas.cross((x, y), 5.0, Stroke::solid(theme.text(), 2.2)),
            Mark::Down => {
                canvas.dot((x, y), 5.0, theme.background());
                canvas.ring((x, y), 5.0, Stroke::solid(theme.weak(), 1.6));
            }
            Mark::Unanswered => canvas.dot((x, y), 5.0, theme.bad()),
            Mark::Unknown => canvas.dot((x, y), 5.0, theme.weak()),
        }
    }
}

impl Picture for Ladder {
    fn rows(&self) -> Rows {
        let mut rows = Rows::new(&schema::LADDER);
        let mark = |mark| match mark {
            Mark::Arrives => "arrives",
            Mark::Dropped => "dropped",
            Mark::Down => "down",
            Mark::Unanswered => "unanswered",
            Mark::Unknown => "unknown",
        };
        for scene in &self.0.scenes {
            let name = |lane: usize| scene.lanes.get(lane).map_or("?", |lane| lane.name.as_str());
            for arrow in &scene.arrows {
                for end in &arrow.ends {
                    rows.push(&cells![
                        &scene.exchange,
                        arrow.time.0,
                        &arrow.frame_ref,
                        &arrow.label,
                        name(arrow.from),
                        name(end.lane),
                        mark(end.mark),
                        end.rule,
                    ]);
                }
            }
        }
        rows
    }

    fn pages(&self) -> usize {
        self.0.scenes.len()
    }

    fn page(&self, page: usize) -> Page {
        let all = number(self.0.exchanges as f64);
        let Some(scene) = self.0.scenes.get(page) else {
            return match &self.0.selector {
                Some(selector) if self.0.exchanges > 0 => Page::empty(
                    format!("No message of {selector}"),
                    &["The captures show other clients only."],
                ),
                _ => Page::empty(
                    "No DHCP exchange was captured",
                    &["A ladder needs a message of a client or a server."],
                ),
            };
        };
        let mut notes = scene.notes.clone();
        let (arrows, left_out) = shown(scene);
        if let Some((_, count)) = left_out {
            notes.push(format!("{count} messages in the middle are not drawn; --data has all of them."));
        }
        let (drawn, meant) = (self.0.scenes.len() as u64, self.0.meant);
        if self.0.selector.is_none() && self.0.exchanges > drawn {
            let page = if drawn == 1 { "The page shows" } else { "The pages show" };
            notes.push(format!(
                "{page} one exchange of every kind, {drawn} of {all}; --client, --xid or --ip shows others."
            ));
        } else if meant > drawn {
            notes.push(format!("The first {drawn} of {} exchanges that are meant.", number(meant as f64)));
        }
        let items = Self::items(scene, Theme::Light);
        let words = legend::height(items.iter().map(|(_, word)| word.as_str()), self.room());
        let gap = if left_out.is_some() { ROW } else { 0.0 };
        let height = words + HEAD + 14.0 + arrows.len() as f64 * ROW + gap;
        Page { title: scene.title.clone(), subject: scene.subject.clone(), notes, height }
    }

    fn draw(&self, page: usize, canvas: &Canvas<'_>, body: Rect) {
        let Some(scene) = self.0.scenes.get(page) else { return };
        let body = legend::draw(canvas, body, &Self::items(scene, canvas.theme));
        let places = Places::of(scene, body);
        Self::lanes(canvas, scene, &places, body);
        let (arrows, left_out) = shown(scene);
        let mut y = body.y + HEAD + 16.0;
        for (number, arrow) in arrows.into_iter().enumerate() {
            if let Some((_, count)) = left_out.filter(|(after, _)| *after == number) {
                let letters = Letters::new(12.0, canvas.theme.weak());
                canvas.text((body.x + LABEL, y), &format!("… {count} more messages"), letters);
                y += ROW;
            }
            Self::arrow(canvas, (scene, arrow), &places, body, y);
            y += ROW;
        }
    }
}
