//! How long a server took: the cumulative distribution of DISCOVER→OFFER and REQUEST→ACK, and what HA cost.

use std::collections::BTreeMap;

use super::Gather;
use super::about::{About, stroke};
use super::axis::{Axis, duration, number};
use super::canvas::{Align, Canvas, Letters, Rect, Stroke};
use super::page::{Page, Picture};
use super::plot::Plot;
use super::theme::Dash;
use crate::cells;
use crate::exchange::Outcome;
use crate::pipeline::Analysis;
use crate::table::{Rows, schema};
use crate::units::ServerId;

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    DiscoverOffer,
    RequestAck,
    LeaseUpdate,
}

impl Phase {
    const ALL: [Self; 3] = [Self::DiscoverOffer, Self::RequestAck, Self::LeaseUpdate];

    const fn as_str(self) -> &'static str {
        match self {
            Self::DiscoverOffer => "discover-offer",
            Self::RequestAck => "request-ack",
            Self::LeaseUpdate => "lease-update",
        }
    }
}

/// Durations in microseconds and how often each was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Durations {
    seen: BTreeMap<u64, u64>,
    count: u64,
    /// Whether there were too many different ones to keep all their digits.
    rounded: bool,
}

impl Durations {
    /// Different durations that are kept exactly.
    const EXACT: usize = 65_536;

    fn add(&mut self, us: u64) {
        self.count += 1;
        *self.seen.entry(if self.rounded { three_digits(us) } else { us }).or_default() += 1;
        if !self.rounded && self.seen.len() > Self::EXACT {
            self.rounded = true;
            for (us, count) in std::mem::take(&mut self.seen) {
                *self.seen.entry(three_digits(us)).or_default() += count;
            }
        }
    }

    /// The smallest duration that so large a share took at most (nearest rank).
    fn quantile(&self, share: f64) -> u64 {
        // In ranks of a float, as exact as a share can be.
        let rank = (self.count as f64 * share).ceil().max(1.0);
        let mut below = 0;
        let reached = self.seen.iter().find(|(_, count)| {
            below += **count;
            below as f64 >= rank
        });
        reached.map_or(0, |(us, _)| *us)
    }

    /// Every duration with the share that took at most so long.
    fn cumulative(&self) -> impl Iterator<Item = (u64, u64, f64)> + '_ {
        let mut below = 0;
        self.seen.iter().map(move |(us, count)| {
            below += count;
            (*us, *count, below as f64 / self.count as f64)
        })
    }

    fn sum(&self) -> f64 {
        self.seen.iter().map(|(us, count)| *us as f64 * *count as f64).sum()
    }
}

/// Three digits are more than a curve can show.
fn three_digits(us: u64) -> u64 {
    let unit = 10_u64.pow(us.checked_ilog10().unwrap_or_default().saturating_sub(2));
    us / unit * unit
}

/// What is kept of the batches.
#[derive(Debug, Default)]
pub struct Gathered {
    durations: BTreeMap<(ServerId, Phase), Durations>,
    /// REQUEST→ACK of the exchanges whose lease update was seen, microseconds in all.
    shared_ack: BTreeMap<ServerId, f64>,
}

impl Gather for Gathered {
    fn take(&mut self, batch: &Analysis<'_>) {
        for (exchange, judgement) in batch.exchanges.iter().zip(&batch.judgements) {
            let Some(server) = judgement.answered_by else { continue };
            // The ACK to an INFORM, and a NAK, are other work than a lease.
            let is_lease = exchange.outcome(&batch.messages) == Outcome::Bound;
            let mut add = |phase, us: Option<i64>| {
                if let Some(us) = us.and_then(|us| u64::try_from(us).ok()) {
                    self.durations.entry((server, phase)).or_default().add(us);
                }
            };
            add(Phase::DiscoverOffer, judgement.discover_offer_us);
            if !is_lease {
                continue;
            }
            add(Phase::RequestAck, judgement.request_ack_us);
            add(Phase::LeaseUpdate, judgement.update_rtt_us);
            if let (Some(ack), Some(_)) = (judgement.request_ack_us, judgement.update_rtt_us) {
                *self.shared_ack.entry(server).or_default() += ack as f64;
            }
        }
    }

    fn finish(self: Box<Self>, _: &Analysis<'_>, about: &About) -> Box<dyn Picture> {
        Box::new(Latency { gathered: *self, about: about.clone() })
    }
}

/// The finished chart.
struct Latency {
    gathered: Gathered,
    about: About,
}

/// Height of the curves.
const PLOT: f64 = 330.0;
/// Height of a row of the table below them.
const ROW: f64 = 19.0;
/// Where the columns of the table end, in pixels from the left, with their headings.
const COLUMNS: [(f64, &str); 5] = [(420.0, "n"), (510.0, "p50"), (600.0, "p95"), (690.0, "p99"), (860.0, "")];

impl Latency {
    fn of(&self, phase: Phase) -> impl Iterator<Item = (ServerId, &Durations)> {
        let all = self.gathered.durations.iter();
        all.filter(move |((_, of), _)| *of == phase).map(|((server, _), durations)| (*server, durations))
    }

    /// The share of the waiting between REQUEST and ACK that the lease update took, for the exchanges that show it.
    fn cost(&self, server: ServerId) -> Option<f64> {
        let ack = self.gathered.shared_ack.get(&server).filter(|ack| **ack > 0.0)?;
        Some(self.gathered.durations.get(&(server, Phase::LeaseUpdate))?.sum() / ack)
    }

    fn title(&self) -> String {
        let slowest = self.of(Phase::RequestAck).max_by_key(|(_, durations)| durations.quantile(0.5));
        let fastest = self.of(Phase::RequestAck).min_by_key(|(_, durations)| durations.quantile(0.5));
        let Some(((slow, most), (fast, least))) = slowest.zip(fastest) else {
            return "No DISCOVER or REQUEST with its answer was captured".to_owned();
        };
        let median = |durations: &Durations| duration(durations.quantile(0.5) as f64);
        let about = &self.about;
        if slow == fast {
            return format!(
                "{} acknowledged half of the REQUESTs within {}",
                about.server(slow),
                median(most)
            );
        }
        if median(least) == median(most) {
            return format!("Half of the ACKs of every server came within {}", median(most));
        }
        format!(
            "Half of the ACKs came within {} from {}, within {} from {}",
            median(least),
            about.server(fast),
            median(most),
            about.server(slow)
        )
    }

    /// One half of the picture: the curves of a phase, and dotted what HA took of it.
    fn curves(&self, canvas: &Canvas<'_>, body: Rect, (phase, name): (Phase, &str), (from, to): (u64, u64)) {
        let x = Axis::durations(from as f64..to as f64, name);
        // A curve goes on to the end: nothing took longer.
        let (_, end) = x.ends();
        let plot = Plot::new(canvas, body, x, Axis::share("share of exchanges that took at most so long"));
        let weak = canvas.theme.weak();
        for (server, durations) in self.of(phase) {
            let line = stroke(canvas.theme, server, 2.0);
            plot.line(steps(durations, end), line);
            for share in [0.5, 0.95, 0.99] {
                let at = plot.at(durations.quantile(share) as f64, share);
                canvas.dot(at, 3.5, line.colour);
            }
        }
        if phase == Phase::RequestAck {
            for (server, durations) in self.of(Phase::LeaseUpdate) {
                let line = stroke(canvas.theme, server, 1.2);
                plot.line(steps(durations, end), Stroke { dash: Dash::Dotted, ..line });
            }
        }
        if self.of(phase).next().is_none() {
            let middle = (plot.inside.x + plot.inside.w / 2.0, plot.inside.y + plot.inside.h / 2.0);
            canvas.text(middle, "none was captured", Letters::new(12.5, weak).align(Align::Middle));
        }
    }

    /// The numbers behind the curves; returns where it ends.
    fn table(&self, canvas: &Canvas<'_>, body: Rect, y: f64, (phase, name): (Phase, &str)) -> f64 {
        let theme = canvas.theme;
        let weak = Letters::new(12.0, theme.weak());
        let plain = Letters::new(12.0, theme.text());
        let mut y = y + ROW / 2.0;
        canvas.text((body.x, y), name, weak.bold());
        for (right, heading) in COLUMNS {
            canvas.text((body.x + right, y), heading, weak.align(Align::Right));
        }
        if phase == Phase::RequestAck {
            canvas.text((body.x + 860.0, y), "lease update's part", weak.align(Align::Right));
        }
        for (server, durations) in self.of(phase) {
            y += ROW;
            canvas.line(&[(body.x, y), (body.x + 34.0, y)], stroke(theme, server, 2.5));
            canvas.text_within((body.x + 44.0, y), self.about.server(server), 300.0, plain);
            let numbers = [0.5, 0.95, 0.99].map(|share| duration(durations.quantile(share) as f64));
            let cost = self.cost(server).filter(|_| phase == Phase::RequestAck);
            let cost = cost.map_or(String::new(), |cost| format!("{:.0} %", cost * 100.0));
            let texts = [vec![number(durations.count as f64)], numbers.to_vec(), vec![cost]].concat();
            for ((right, _), text) in COLUMNS.iter().zip(texts) {
                canvas.text((body.x + right, y), &text, plain.align(Align::Right));
            }
        }
        y + ROW
    }
}

/// A cumulative curve as steps, up to the end of the axis.
fn steps(durations: &Durations, to: f64) -> Vec<(f64, f64)> {
    let mut points = Vec::with_capacity(2 * durations.seen.len() + 1);
    let mut share = 0.0;
    for (us, _, next) in durations.cumulative() {
        points.push((us as f64, share));
        points.push((us as f64, next));
        share = next;
    }
    points.push((to, share));
    thin(points)
}

/// Leaves out points that are nearer to each other than a picture can show.
fn thin(points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    const MOST: usize = 2_000;
    if points.len() <= MOST {
        return points;
    }
    let every = points.len().div_ceil(MOST);
    let last = points.last().copied();
    points.into_iter().step_by(every).chain(last).collect()
}

impl Picture for Latency {
    fn rows(&self) -> Rows {
        let mut rows = Rows::new(&schema::LATENCY);
        let mut all: Vec<_> = self.gathered.durations.iter().collect();
        all.sort_by_key(|((server, phase), _)| (*server, *phase));
        for ((server, phase), durations) in all {
            for (us, count, share) in durations.cumulative() {
                rows.push(&cells![self.about.server(*server), phase.as_str(), us, count, share]);
            }
        }
        rows
    }

    fn page(&self, _: usize) -> Page {
        let servers = |phase| self.of(phase).count();
        let (offers, acks) = (servers(Phase::DiscoverOffer), servers(Phase::RequestAck));
        if offers + acks == 0 {
            return Page::empty(self.title(), &["A latency needs a query and its reply in the captures."]);
        }
        let mut notes = vec!["Dots mark p50, p95 and p99. Time is that of the capture, from the query to the reply of the server that the client got.".to_owned()];
        if servers(Phase::LeaseUpdate) > 0 {
            notes.push("Dotted: the HA lease update to the partner, which the ACK waits for; its part is that of the exchanges that show it.".to_owned());
        }
        if self.gathered.durations.values().any(|durations| durations.rounded) {
            notes.push("More than 65,536 different durations: they are kept with three digits.".to_owned());
        }
        let rows = (offers + acks) as f64 + 2.0;
        Page { title: self.title(), notes, height: PLOT + rows * ROW + 14.0, ..Page::default() }
    }

    fn draw(&self, _: usize, canvas: &Canvas<'_>, body: Rect) {
        let ends = |phase| {
            let all = || self.of(phase).flat_map(|(_, durations)| durations.seen.keys().copied());
            all().min().zip(all().max())
        };
        let spans = Phase::ALL.map(ends).into_iter().flatten();
        // Both halves have the same axis, so that they can be compared.
        let span = spans.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
        let Some(span) = span else { return };
        let half = body.w / 2.0;
        let phases = [(Phase::DiscoverOffer, "DISCOVER to OFFER"), (Phase::RequestAck, "REQUEST to ACK")];
        let mut y = body.y + PLOT + 8.0;
        for (place, phase) in phases.into_iter().enumerate() {
            let area = Rect::new(body.x + place as f64 * half, body.y, half, PLOT);
            self.curves(canvas, area, phase, span);
            y = self.table(canvas, body, y, phase);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_by_nearest_rank() {
        let mut durations = Durations::default();
        // The example of nearest rank: of 15, 20, 35, 40, 50 the 30th, 40th, 50th and 100th percentiles are 20, 20, 35, 50.
        for us in [15, 20, 35, 40, 50] {
            durations.add(us);
        }
        let quantiles = [0.3, 0.4, 0.5, 1.0].map(|share| durations.quantile(share));
        assert_eq!(quantiles, [20, 20, 35, 50]);
        assert_eq!(Durations::default().quantile(0.5), 0);
    }

    #[test]
    fn many_durations_are_rounded_and_none_is_lost() {
        let mut durations = Durations::default();
        for us in 0..200_000 {
            durations.add(us);
        }
        assert!(durations.rounded && durations.seen.len() < 4_000, "{}", durations.seen.len());
        assert_eq!(durations.seen.values().sum::<u64>(), 200_000);
        assert_eq!(durations.quantile(0.5), 99_900, "the 100,000th is 99,999");
    }
}
