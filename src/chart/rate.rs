//! Messages over time by type, each message once however many captures show it.

use super::Gather;
use super::about::About;
use super::axis::{Axis, duration, number};
use super::bins::{Bins, Counts};
use super::canvas::{Canvas, Rect};
use super::legend::{self, Swatch};
use super::page::{Page, Picture};
use super::plot::Plot;
use super::theme::{Rgb, Theme};
use crate::cells;
use crate::dhcp::MessageType;
use crate::pipeline::Analysis;
use crate::table::{Rows, schema};
use crate::units::{CaptureTime, SECOND};

/// Bars that a picture shows.
const BARS: usize = 120;
const PLOT: f64 = 340.0;

/// The types that have a colour of their own, in the order in which bars are stacked. A reply has the colour of the
/// query that it answers, paler.
const TYPES: [(Option<MessageType>, usize, u8); 9] = [
    (Some(MessageType::DISCOVER), 0, 100),
    (Some(MessageType::OFFER), 0, 50),
    (Some(MessageType::REQUEST), 1, 100),
    (Some(MessageType::ACK), 1, 50),
    (Some(MessageType::NAK), 5, 100),
    (Some(MessageType::INFORM), 4, 100),
    (Some(MessageType::RELEASE), 2, 100),
    (Some(MessageType::DECLINE), 3, 100),
    (None, 6, 60),
];

/// A type as its place in [`TYPES`].
type Place = usize;

fn name(place: Place) -> String {
    let kind = TYPES.get(place).and_then(|(kind, ..)| *kind);
    kind.map_or_else(|| "other".to_owned(), |kind| kind.to_string())
}

fn colour(theme: Theme, place: Place) -> Rgb {
    let (_, series, strength) = TYPES.get(place).copied().unwrap_or((None, 0, 100));
    theme.tint(theme.series(series).0, strength)
}

/// What is kept of the batches.
#[derive(Debug, Default)]
pub struct Gathered {
    bins: Bins<Place>,
    totals: Counts<Place>,
}

impl Gather for Gathered {
    fn take(&mut self, batch: &Analysis<'_>) {
        for message in batch.messages.iter().filter(|message| message.sighting_of.is_none()) {
            let known = TYPES.iter().position(|(kind, ..)| *kind == message.message_type);
            let place = known.unwrap_or(TYPES.len() - 1);
            self.bins.add(message.time, place);
            *self.totals.entry(place).or_default() += 1;
        }
    }

    fn finish(self: Box<Self>, _: &Analysis<'_>, about: &About) -> Box<dyn Picture> {
        let (width, bins) = self.bins.of_round_width(BARS);
        Box::new(Rate { width, bins, totals: self.totals, about: about.clone() })
    }
}

/// The finished chart.
struct Rate {
    /// Nanoseconds that a bar spans.
    width: i64,
    bins: Vec<(CaptureTime, Counts<Place>)>,
    totals: Counts<Place>,
    about: About,
}

impl Rate {
    fn words(&self) -> Vec<(Place, String)> {
        let word =
            |(place, count): (&Place, &u64)| (*place, format!("{} {}", name(*place), number(*count as f64)));
        self.totals.iter().map(word).collect()
    }

    fn per_second(&self, count: u64) -> f64 {
        count as f64 * SECOND as f64 / self.width as f64
    }
}

impl Picture for Rate {
    fn rows(&self) -> Rows {
        let mut rows = Rows::new(&schema::RATE);
        for (begin, counts) in &self.bins {
            for (place, count) in counts {
                rows.push(&cells![begin.0, self.width, name(*place), *count]);
            }
        }
        rows
    }

    fn page(&self, _: usize) -> Page {
        let total: u64 = self.totals.values().sum();
        let busiest = self.bins.iter().max_by_key(|(begin, counts)| (counts.values().sum::<u64>(), -begin.0));
        let Some((begin, counts)) = busiest else {
            return Page::empty("No DHCP message was captured", &["Without messages there is no rate."]);
        };
        let most = counts.values().sum::<u64>();
        let span = duration(self.width as f64 / 1000.0);
        let time = self.about.moment((*begin).max(self.about.span.map_or(*begin, |span| span.0)));
        let title = match total {
            1 => format!("One message, at {time}"),
            _ if most == total => format!("{} messages, all within {span} at {time}", number(total as f64)),
            _ => format!(
                "{} messages, at most {} within {span}, at {time}",
                number(total as f64),
                number(most as f64)
            ),
        };
        let notes = vec![format!(
            "Each bar spans {span}; the scale is per second. A message that several captures show counts once."
        )];
        let words = self.words();
        let height = PLOT + legend::height(words.iter().map(|(_, word)| word.as_str()), self.room());
        Page { title, notes, height, ..Page::default() }
    }

    fn draw(&self, _: usize, canvas: &Canvas<'_>, body: Rect) {
        let Some(span) = self.about.span else { return };
        let theme = canvas.theme;
        let items = self.words().into_iter().map(|(place, word)| (Swatch::Fill(colour(theme, place)), word));
        let body = legend::draw(canvas, body, &items.collect::<Vec<_>>());
        let most = self.bins.iter().map(|(_, counts)| counts.values().sum::<u64>()).max().unwrap_or_default();
        let y = Axis::counts(self.per_second(most), 5, "messages per second");
        let plot = Plot::new(canvas, body, Axis::time(span.0..span.1, body.w), y);
        for (begin, counts) in &self.bins {
            let mut below = 0;
            for (place, count) in counts {
                let x = (begin.0 as f64, begin.0 as f64 + self.width as f64);
                let y = (self.per_second(below), self.per_second(below + count));
                let mut bar = plot.bar(x, y);
                // A gap between bars, as long as they are wide enough for one.
                bar.w = if bar.w > 4.0 { bar.w - 1.0 } else { bar.w.max(0.75) };
                canvas.fill(bar, colour(theme, *place));
                below += count;
            }
        }
    }
}
