//! The clients that a server counts while its partner is silent, up to the takeover that they cause.

use super::Gather;
use super::about::{About, clock, stroke};
use super::axis::{Axis, number};
use super::canvas::{Canvas, Rect, Stroke};
use super::legend::{self, Swatch};
use super::page::{Page, Picture};
use super::plot::Plot;
use super::theme::{Dash, Theme};
use crate::cells;
use crate::ha::replay::{Counted, Transition};
use crate::ha::topology::{Limits, RelationshipId};
use crate::pipeline::Analysis;
use crate::table::fill::Filler;
use crate::table::{Rows, schema};
use crate::units::{CaptureTime, SECOND, ServerId};

const UPPER: f64 = 240.0;
const LOWER: f64 = 220.0;
/// Pages that are drawn; a partner that fails more often is one finding and not hundreds of pictures.
const MOST_PAGES: usize = 20;

/// The replay remembers everything that this chart shows.
#[derive(Debug, Default)]
pub struct Gathered;

impl Gather for Gathered {
    fn take(&mut self, _: &Analysis<'_>) {}

    fn finish(self: Box<Self>, last: &Analysis<'_>, about: &About) -> Box<dyn Picture> {
        let topology = &*last.network.topology;
        let filler = Filler::new(last);
        let mut episodes: Vec<Episode> = Vec::new();
        let mut counted: Vec<&Counted> = last.replay.counted.iter().collect();
        counted.sort_by_key(|it| (it.server, it.relationship, it.time));
        for it in counted {
            let seat = (it.server, it.relationship);
            // A good heartbeat forgets everybody, and the count begins anew.
            let begins = it.clients <= 1;
            let goes_on = episodes.last().is_some_and(|episode| episode.seat == seat && !begins);
            if !goes_on {
                let relationship = topology.relationship_name(it.relationship);
                let limits = topology.limits_of(it.server, it.relationship);
                episodes.push(Episode { seat, relationship, limits, counted: Vec::new(), takeover: None });
            }
            if let Some(episode) = episodes.last_mut() {
                episode.takeover = last.replay.takeover_after(it).cloned().or(episode.takeover.take());
                episode.counted.push((it.clone(), filler.frame(it.at)));
            }
        }
        // The ones that led to something come first.
        episodes.sort_by_key(|episode| {
            (episode.takeover.is_none(), episode.counted.first().map(|(it, _)| it.time))
        });
        let names = |server| about.server(server).to_owned();
        let partner = |episode: &Episode| {
            let peers =
                topology.relationship(episode.seat.1).map(|it| it.peers.as_slice()).unwrap_or_default();
            let other = peers.iter().filter_map(|peer| peer.server).find(|server| *server != episode.seat.0);
            other.map_or_else(|| "its partner".to_owned(), names)
        };
        let partners = episodes.iter().map(partner).collect();
        Box::new(Unacked {
            episodes,
            partners,
            known: !topology.relationships.is_empty(),
            about: about.clone(),
        })
    }
}

/// One silence of a partner, as one server sees it.
struct Episode {
    seat: (ServerId, RelationshipId),
    relationship: String,
    limits: Option<Limits>,
    /// In time order, each with its frame in words.
    counted: Vec<(Counted, String)>,
    takeover: Option<Transition>,
}

impl Episode {
    fn needed(&self) -> u32 {
        self.limits.map_or(0, |limits| limits.max_unacked_clients.saturating_add(1))
    }

    fn total(&self) -> u32 {
        self.counted.iter().map(|(it, _)| it.total_unacked).max().unwrap_or_default()
    }

    fn delay(&self) -> f64 {
        self.limits.map_or(0.0, |limits| f64::from(limits.max_ack_delay_ms) / 1000.0)
    }

    /// From the first counted client to a little behind the last thing that happened.
    fn span(&self) -> (CaptureTime, CaptureTime) {
        let first = self.counted.first().map_or(CaptureTime(0), |(it, _)| it.time);
        let last = self.counted.last().map_or(first, |(it, _)| it.time);
        let observed = self.takeover.as_ref().and_then(|takeover| takeover.observed).map(|(time, _)| time);
        let instant = self.takeover.as_ref().map(Transition::instant);
        let last = [Some(last), observed, instant].into_iter().flatten().max().unwrap_or(first);
        let around = (last.since(first) / 20).max(SECOND / 10);
        (first.plus(-around), last.plus(around))
    }
}

/// The finished chart.
struct Unacked {
    episodes: Vec<Episode>,
    /// The silent partner of each.
    partners: Vec<String>,
    /// Whether any relationship is known.
    known: bool,
    about: About,
}

impl Unacked {
    fn items(&self, episode: &Episode, theme: Theme) -> Vec<(Swatch, String)> {
        let server = episode.seat.0;
        let line = Stroke { dash: Dash::Solid, ..stroke(theme, server, 2.0) };
        let mut items = vec![
            (Swatch::Line(line), format!("unacked clients that {} counts", self.about.server(server))),
            (Swatch::Dot(theme.bad()), "query that made a client unacked".to_owned()),
            (
                Swatch::Ring(Stroke::solid(theme.weak(), 1.5)),
                "new client that has not waited long".to_owned(),
            ),
        ];
        let moment = |(time, line, word)| (Swatch::Line(line), format!("{word}, {}", clock(time)));
        items.extend(moments(episode, theme).into_iter().map(moment));
        items
    }

    fn title(&self, episode: &Episode, partner: &str) -> String {
        let server = self.about.server(episode.seat.0);
        let (total, needed) = (episode.total(), episode.needed());
        match &episode.takeover {
            Some(takeover) => format!(
                "{server} counted {total} unacked clients of {partner}, {needed} were needed, and took over at {} UTC",
                clock(takeover.instant())
            ),
            None => format!(
                "{server} counted {total} unacked clients of {partner}; {needed} are needed for a takeover"
            ),
        }
    }
}

/// The moments of a takeover: when the rules make it happen, and when a frame first shows it.
fn moments(episode: &Episode, theme: Theme) -> Vec<(CaptureTime, Stroke, &'static str)> {
    let takeover = episode.takeover.as_ref();
    let predicted = takeover.and_then(|takeover| takeover.predicted).map(|time| {
        let line = Stroke { colour: theme.text(), width: 1.5, dash: Dash::Dashed };
        (time, line, "takeover by the rules")
    });
    let observed = takeover.and_then(|takeover| takeover.observed).map(|(time, _)| {
        let line = Stroke::solid(theme.good(), 1.5);
        (time, line, "takeover first shown")
    });
    predicted.into_iter().chain(observed).collect()
}

impl Picture for Unacked {
    fn rows(&self) -> Rows {
        let mut rows = Rows::new(&schema::UNACKED);
        for episode in &self.episodes {
            let predicted =
                episode.takeover.as_ref().and_then(|takeover| takeover.predicted).map(|time| time.0);
            let observed =
                episode.takeover.as_ref().and_then(|takeover| takeover.observed).map(|(time, _)| time.0);
            for (it, frame) in &episode.counted {
                rows.push(&cells![
                    self.about.server(it.server),
                    &episode.relationship,
                    it.time.0,
                    frame,
                    it.client.0,
                    it.secs,
                    it.unacked,
                    it.total_unacked,
                    episode.needed(),
                    predicted,
                    observed,
                ]);
            }
        }
        rows
    }

    fn pages(&self) -> usize {
        self.episodes.len().min(MOST_PAGES)
    }

    fn page(&self, page: usize) -> Page {
        let Some((episode, partner)) = self.episodes.get(page).zip(self.partners.get(page)) else {
            let note = if self.known {
                "A server counts clients of its partner once that has not answered for max-response-delay; that needs heartbeats in the capture."
            } else {
                "No HA relationship is known: name Kea's configuration with --kea or -t, or capture the heartbeats."
            };
            return Page::empty("No server counted an unacked client", &[note]);
        };
        let items = self.items(episode, Theme::Light);
        let words = legend::height(items.iter().map(|(_, word)| word.as_str()), self.room());
        let delay = number(episode.delay());
        let mut notes = vec![format!(
            "A client counts as unacked once it says more than {delay} s in secs (max-ack-delay); the partner is taken to be down at the first failed heartbeat with more than {} of them (max-unacked-clients).",
            episode.needed().saturating_sub(1)
        )];
        let left_out = self.episodes.len().saturating_sub(MOST_PAGES);
        if left_out > 0 {
            notes.push(format!("{left_out} more silences are not drawn; --data has all of them."));
        }
        Page {
            title: self.title(episode, partner),
            subject: format!("relationship {}", episode.relationship),
            notes,
            height: words + UPPER + LOWER,
        }
    }

    fn draw(&self, page: usize, canvas: &Canvas<'_>, body: Rect) {
        let Some(episode) = self.episodes.get(page) else { return };
        let theme = canvas.theme;
        let body = legend::draw(canvas, body, &self.items(episode, theme));
        let (from, to) = episode.span();
        let threshold = f64::from(episode.needed());
        let most = f64::from(episode.total()).max(threshold);
        let x = Axis::time(from..to, body.w);
        let plot = Plot::new(
            canvas,
            Rect { h: UPPER, ..body },
            x.clone().without_labels(),
            Axis::counts(most, 5, "unacked clients"),
        );
        let limit = Stroke { colour: theme.bad(), width: 1.3, dash: Dash::Long };
        plot.level(threshold, &format!("{} needed", number(threshold)), limit);
        for (time, line, _) in moments(episode, theme) {
            plot.mark(time.0 as f64, line);
        }
        let mut points = vec![(from.0 as f64, 0.0)];
        let mut level = 0.0;
        for (it, _) in &episode.counted {
            points.push((it.time.0 as f64, level));
            level = f64::from(it.total_unacked);
            points.push((it.time.0 as f64, level));
        }
        // The count holds until the partner is given up or heard again.
        let until = episode.takeover.as_ref().map_or(to, |takeover| takeover.instant().min(to));
        points.push((until.0 as f64, level));
        plot.line(points, Stroke { dash: Dash::Solid, ..stroke(theme, episode.seat.0, 2.0) });

        let most =
            episode.counted.iter().map(|(it, _)| f64::from(it.secs)).fold(episode.delay() + 1.0, f64::max);
        let y = Axis::counts(most.ceil(), 4, "secs of the counted query as Kea reads it, s");
        let plot = Plot::new(canvas, Rect::new(body.x, body.y + UPPER, body.w, LOWER), x, y);
        let limit = Stroke { colour: theme.weak(), width: 1.2, dash: Dash::Dashed };
        plot.level(episode.delay(), &format!("max-ack-delay {} s", number(episode.delay())), limit);
        for (time, line, _) in moments(episode, theme) {
            plot.mark(time.0 as f64, line);
        }
        for (it, _) in &episode.counted {
            let place = plot.at(it.time.0 as f64, f64::from(it.secs));
            if it.unacked {
                canvas.dot(place, 4.0, theme.bad());
            } else {
                canvas.ring(place, 4.0, Stroke::solid(theme.weak(), 1.5));
            }
        }
    }
}
