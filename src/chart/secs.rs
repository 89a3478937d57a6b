//! What clients say in `secs` about their waiting, as Kea reads it, and from where on it counts them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use super::Gather;
use super::about::About;
use super::axis::{Axis, TICK_SIZE, number};
use super::canvas::{Align, Canvas, Letters, Rect, Stroke};
use super::legend::{self, Swatch};
use super::page::{Page, Picture};
use super::plot::Plot;
use super::theme::{Dash, Theme};
use crate::cells;
use crate::dhcp::MessageType;
use crate::pipeline::Analysis;
use crate::table::{Rows, schema};

/// Bars that a picture shows.
const BARS: usize = 20;
/// Where bars begin once there are more values than that.
const EDGES: [u32; 16] = [0, 1, 2, 4, 8, 12, 16, 24, 32, 64, 128, 256, 512, 1024, 4096, 16384];
const PLOT: f64 = 330.0;
/// Kea's default of `max-ack-delay`, milliseconds.
const DEFAULT_DELAY_MS: u32 = 10_000;

/// What is kept of the batches.
#[derive(Debug, Default)]
pub struct Gathered {
    /// By value as Kea reads it, and whether it swapped the bytes.
    seen: BTreeMap<(u16, bool), u64>,
}

impl Gather for Gathered {
    fn take(&mut self, batch: &Analysis<'_>) {
        let asks = |kind| matches!(kind, Some(MessageType::DISCOVER | MessageType::REQUEST));
        let queries = batch.messages.iter().filter(|message| message.sighting_of.is_none());
        for query in queries.filter(|message| asks(message.message_type)) {
            let read = query.secs_kea();
            *self.seen.entry((read, read != query.secs)).or_default() += 1;
        }
    }

    fn finish(self: Box<Self>, last: &Analysis<'_>, _: &About) -> Box<dyn Picture> {
        let relationships = &last.network.topology.relationships;
        // What was concluded from packets alone has Kea's defaults, which nobody told.
        let known = !last.network.topology.inferred;
        let told = relationships.iter().filter(|_| known).map(|it| it.limits.max_ack_delay_ms);
        let told: BTreeSet<u32> = told.collect();
        let is_default = told.is_empty();
        let delays = if is_default { BTreeSet::from([DEFAULT_DELAY_MS]) } else { told };
        Box::new(Secs { seen: self.seen, delays, is_default })
    }
}

/// The finished chart.
struct Secs {
    seen: BTreeMap<(u16, bool), u64>,
    /// Every `max-ack-delay` of the topology, milliseconds.
    delays: BTreeSet<u32>,
    /// Whether the topology names none.
    is_default: bool,
}

impl Secs {
    /// The least delay in milliseconds.
    fn delay(&self) -> u32 {
        self.delays.first().copied().unwrap_or(DEFAULT_DELAY_MS)
    }

    fn counts(&self, secs: u16) -> bool {
        u32::from(secs) * 1000 > self.delay()
    }

    /// The values that share a bar. As long as there is room every value has its own; then those that lie close
    /// together share one, but never across a `max-ack-delay`.
    fn bars(&self) -> Vec<RangeInclusive<u32>> {
        let mut values: Vec<u32> = self.seen.keys().map(|(secs, _)| u32::from(*secs)).collect();
        values.dedup();
        if values.len() <= BARS {
            return values.into_iter().map(|value| value..=value).collect();
        }
        let edges: BTreeSet<u32> =
            EDGES.into_iter().chain(self.delays.iter().map(|delay| delay / 1000 + 1)).collect();
        let ends = edges.iter().skip(1).copied().chain([u32::from(u16::MAX) + 1]);
        let bars = edges.iter().zip(ends).map(|(from, to)| *from..=to - 1);
        bars.filter(|bar| values.iter().any(|value| bar.contains(value))).collect()
    }

    fn total(&self, is_meant: impl Fn(u16, bool) -> bool) -> u64 {
        self.seen
            .iter()
            .filter(|((secs, swapped), _)| is_meant(*secs, *swapped))
            .map(|(_, count)| count)
            .sum()
    }

    fn limit(theme: Theme) -> Stroke {
        Stroke { colour: theme.text(), width: 1.3, dash: Dash::Dashed }
    }

    fn items(&self, theme: Theme) -> Vec<(Swatch, String)> {
        let seconds = f64::from(self.delay()) / 1000.0;
        let mut items = vec![
            (Swatch::Fill(theme.series(0).0), format!("at most {} s: does not count", number(seconds))),
            (Swatch::Fill(theme.bad()), format!("more than {} s: counts as unacked", number(seconds))),
        ];
        if self.total(|_, swapped| swapped) > 0 {
            let lines = theme.background();
            items.push((Swatch::Hatched(theme.series(0).0, lines), "bytes swapped by Kea".to_owned()));
        }
        let delays: Vec<String> =
            self.delays.iter().map(|delay| number(f64::from(*delay) / 1000.0)).collect();
        items.push((Swatch::Line(Self::limit(theme)), format!("max-ack-delay {} s", delays.join(", "))));
        items
    }
}

impl Picture for Secs {
    fn rows(&self) -> Rows {
        let mut rows = Rows::new(&schema::SECS);
        for ((secs, swapped), count) in &self.seen {
            rows.push(&cells![*secs, *swapped, *count]);
        }
        rows
    }

    fn page(&self, _: usize) -> Page {
        let total = self.total(|_, _| true);
        if total == 0 {
            let note = "Clients say how long they have waited in the field secs of DISCOVER and REQUEST.";
            return Page::empty("No DISCOVER or REQUEST was captured", &[note]);
        }
        let (waited, swapped) = (self.total(|secs, _| self.counts(secs)), self.total(|_, swapped| swapped));
        let seconds = number(f64::from(self.delay()) / 1000.0);
        let all = number(total as f64);
        let title = match waited {
            0 if self.seen.len() == 1 && self.seen.contains_key(&(0, false)) => {
                let who = if total == 1 { "The only query".to_owned() } else { format!("All {all} queries") };
                format!("{who} said secs 0: failure detection would count none of these clients")
            }
            0 => format!("None of {all} queries said more than {seconds} s: no client counts as unacked"),
            _ => format!(
                "{} of {all} queries said more than {seconds} s, long enough to count as unacked",
                number(waited as f64)
            ),
        };
        let mut notes = Vec::new();
        if self.is_default {
            notes.push(format!("max-ack-delay is not known; {seconds} s is Kea's default."));
        }
        if swapped > 0 {
            notes.push("A value above 255 whose low byte is zero is taken for one with swapped bytes, also an honest 256, 512 or 768.".to_owned());
        }
        notes.push(
            "Kea counts clients, not queries: each once, while the partner does not answer, and only those that belong to it."
                .to_owned(),
        );
        let items = self.items(Theme::Light);
        let height = PLOT + legend::height(items.iter().map(|(_, word)| word.as_str()), self.room());
        Page { title, notes, height, ..Page::default() }
    }

    fn draw(&self, _: usize, canvas: &Canvas<'_>, body: Rect) {
        let theme = canvas.theme;
        let body = legend::draw(canvas, body, &self.items(theme));
        let bars = self.bars();
        let heights: Vec<[u64; 2]> = bars
            .iter()
            .map(|bar| {
                let within = |secs: u16| bar.contains(&u32::from(secs));
                [false, true].map(|bytes| self.total(|secs, swapped| within(secs) && swapped == bytes))
            })
            .collect();
        let most = heights.iter().map(|[honest, swapped]| honest + swapped).max().unwrap_or_default();
        // A range would need more room than there is for every bar.
        let are_ranges = bars.iter().any(|bar| bar.start() < bar.end());
        let name = if are_ranges {
            "secs as Kea reads it, s: from this value on"
        } else {
            "secs as Kea reads it, s"
        };
        let x = Axis::places(bars.iter().map(|bar| bar.start().to_string()), name);
        let plot = Plot::new(
            canvas,
            body,
            x,
            Axis::counts((most as f64 * 1.1).ceil(), 5, "DISCOVER and REQUEST messages"),
        );
        for (place, (bar, [honest, swapped])) in bars.iter().zip(&heights).enumerate() {
            let counts = u16::try_from(*bar.start()).is_ok_and(|secs| self.counts(secs));
            let colour = if counts { theme.bad() } else { theme.series(0).0 };
            let x = (place as f64 + 0.15, place as f64 + 0.85);
            let all = (honest + swapped) as f64;
            // Honest values at the bottom of a bar, swapped ones on top of them.
            canvas.fill(plot.bar(x, (0.0, all)), colour);
            if *swapped > 0 {
                let over = plot.bar(x, (*honest as f64, all));
                canvas.hatch(over, Stroke::solid(theme.background(), 1.2), 5.0);
            }
            let (middle, top) = plot.at(place as f64 + 0.5, all);
            let letters = Letters::new(TICK_SIZE, theme.text()).align(Align::Middle);
            // At the very top the axis' name is in the way.
            canvas.text((middle, (top - 8.0).max(plot.inside.y + 7.0)), &number(all), letters);
        }
        for delay in &self.delays {
            // Behind the bar of the last value that does not count.
            let edge = bars.iter().filter(|bar| bar.start().saturating_mul(1000) <= *delay).count();
            plot.mark(edge as f64, Self::limit(theme));
        }
    }
}
