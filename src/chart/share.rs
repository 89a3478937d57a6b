//! Which server sent how many ACKs for leases, and how many clients should be whose.

use std::collections::{BTreeMap, HashSet};

use foldhash::fast::RandomState;

use super::Gather;
use super::about::{About, counted, stroke};
use super::axis::{Axis, duration, number};
use super::binomial::band;
use super::bins::{Bins, Counts};
use super::canvas::{Canvas, Rect, Stroke};
use super::legend::{self, Swatch};
use super::page::{Page, Picture};
use super::plot::Plot;
use super::theme::{Dash, Theme};
use crate::cells;
use crate::exchange::{Client, Outcome, of};
use crate::ha::topology::{Mode, RelationshipId};
use crate::pipeline::Analysis;
use crate::table::{Rows, schema};
use crate::units::{CaptureTime, ServerId};

/// Clients that are remembered, so that each is new only once.
const MOST_CLIENTS: usize = 1_000_000;
/// Bars that a picture shows.
const BARS: usize = 96;
const UPPER: f64 = 190.0;
const LOWER: f64 = 260.0;

/// What a server gave: any lease, or the first one of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Gift {
    server: ServerId,
    is_first: bool,
}

/// What is kept of the batches.
#[derive(Debug, Default)]
pub struct Gathered {
    bins: BTreeMap<Option<RelationshipId>, Bins<Gift>>,
    seen: HashSet<Client, RandomState>,
    crowded: bool,
}

impl Gather for Gathered {
    fn take(&mut self, batch: &Analysis<'_>) {
        for (exchange, judgement) in batch.exchanges.iter().zip(&batch.judgements) {
            let Some(server) = judgement.answered_by else { continue };
            if exchange.outcome(&batch.messages) != Outcome::Bound {
                continue;
            }
            let Some(reply) = exchange.verdict_reply(&batch.messages) else { continue };
            let full = self.seen.len() >= MOST_CLIENTS;
            self.crowded |= full;
            let is_first = !full && self.seen.insert(exchange.client.clone());
            let time = of(&batch.messages, reply).time;
            self.bins.entry(judgement.relationship).or_default().add(time, Gift { server, is_first });
        }
    }

    fn finish(self: Box<Self>, last: &Analysis<'_>, about: &About) -> Box<dyn Picture> {
        let topology = &*last.network.topology;
        let part = |(id, bins): (Option<RelationshipId>, Bins<Gift>)| {
            let (width, bins) = bins.of_round_width(BARS);
            let relationship = id.and_then(|id| topology.relationship(id));
            let peers = relationship.map(|it| it.peers.as_slice()).unwrap_or_default();
            let expected = match relationship.map(|it| it.mode) {
                Some(Mode::LoadBalancing) => {
                    Expected::Half(peers.iter().take(2).filter_map(|peer| peer.server).collect())
                }
                Some(_) => {
                    peers.first().and_then(|peer| peer.server).map_or(Expected::Unknown, Expected::All)
                }
                None => Expected::Unknown,
            };
            Part { name: id.map(|id| topology.relationship_name(id)), expected, width, bins }
        };
        let mut parts: Vec<Part> = self.bins.into_iter().map(part).collect();
        parts.sort_by_key(|part| std::cmp::Reverse(part.total(|_| true)));
        Box::new(Share { parts, about: about.clone(), crowded: self.crowded })
    }
}

/// Who should give the leases of a relationship when all is well.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Expected {
    /// Each of the two about a half.
    Half(Vec<ServerId>),
    /// This one.
    All(ServerId),
    /// Nobody knows.
    Unknown,
}

/// One relationship.
struct Part {
    name: Option<String>,
    expected: Expected,
    /// Nanoseconds that a bar spans.
    width: i64,
    bins: Vec<(CaptureTime, Counts<Gift>)>,
}

impl Part {
    fn total(&self, is_meant: impl Fn(&Gift) -> bool) -> u64 {
        let all = self.bins.iter().flat_map(|(_, counts)| counts);
        all.filter(|(gift, _)| is_meant(gift)).map(|(_, count)| count).sum()
    }

    fn servers(&self) -> Vec<ServerId> {
        let mut servers: Vec<_> =
            self.bins.iter().flat_map(|(_, counts)| counts.keys()).map(|gift| gift.server).collect();
        servers.sort_unstable();
        servers.dedup();
        servers
    }

    /// After every bin: clients so far, and how many of them each server served first.
    fn growth(&self) -> Vec<(CaptureTime, u64, BTreeMap<ServerId, u64>)> {
        let mut served: BTreeMap<ServerId, u64> = BTreeMap::new();
        let grow = |(begin, counts): &(CaptureTime, Counts<Gift>)| {
            for (gift, count) in counts.iter().filter(|(gift, _)| gift.is_first) {
                *served.entry(gift.server).or_default() += count;
            }
            (begin.plus(self.width), served.values().sum(), served.clone())
        };
        self.bins.iter().map(grow).filter(|(_, clients, _)| *clients > 0).collect()
    }
}

/// The finished chart.
struct Share {
    parts: Vec<Part>,
    about: About,
    crowded: bool,
}

impl Share {
    fn title(&self, part: &Part) -> String {
        let clients = part.total(|gift| gift.is_first);
        let acks = part.total(|_| true);
        match &part.expected {
            Expected::Half(peers) => {
                let Some(first) = peers.first() else { return String::new() };
                let served = part.total(|gift| gift.is_first && gift.server == *first);
                let share = served as f64 / clients.max(1) as f64;
                let (low, high) = band(clients, 0.5);
                let judged =
                    if (low..=high).contains(&share) { "as a hash makes it" } else { "which is not chance" };
                // A band that is narrow needs a decimal to be one.
                let digits = usize::from(high - low < 0.1);
                format!(
                    "{} served {:.digits$} % of {} clients, {judged}: 95 of 100 times it is {:.digits$} to {:.digits$} %",
                    self.about.server(*first),
                    share * 100.0,
                    number(clients as f64),
                    low * 100.0,
                    high * 100.0
                )
            }
            Expected::All(primary) => {
                let name = self.about.server(*primary);
                let own = part.total(|gift| gift.server == *primary);
                if own == acks {
                    format!("{name}, the primary, sent all {}", counted(acks, "ACK", "ACKs"))
                } else {
                    let others = number((acks - own) as f64);
                    format!("{name}, the primary, did not send {others} of {}", counted(acks, "ACK", "ACKs"))
                }
            }
            Expected::Unknown => {
                let servers = part.servers();
                let names: Vec<&str> =
                    servers.iter().take(3).map(|server| self.about.server(*server)).collect();
                let more = servers.len().saturating_sub(names.len());
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                format!(
                    "{} from {}{more}, in no known relationship",
                    counted(acks, "ACK", "ACKs"),
                    names.join(", ")
                )
            }
        }
    }

    fn items(&self, part: &Part, theme: Theme) -> Vec<(Swatch, String)> {
        let count = |server: ServerId| part.total(|gift| gift.server == server);
        let word =
            |server: ServerId| format!("{}: {}", self.about.server(server), number(count(server) as f64));
        let mut items: Vec<_> = part
            .servers()
            .into_iter()
            .map(|server| (Swatch::Line(stroke(theme, server, 5.0)), word(server)))
            .collect();
        if matches!(part.expected, Expected::Half(_)) {
            items.push((Swatch::Fill(theme.grid()), "95 % of all samples of so many clients".to_owned()));
        }
        items
    }

    /// Leases per bar.
    fn leases(canvas: &Canvas<'_>, body: Rect, part: &Part, x: Axis) {
        let theme = canvas.theme;
        let most = part.bins.iter().map(|(_, counts)| counts.values().sum::<u64>()).max().unwrap_or_default();
        let name = format!("ACKs within {}", duration(part.width as f64 / 1000.0));
        let plot = Plot::new(canvas, body, x, Axis::counts(most as f64, 4, &name));
        for (begin, counts) in &part.bins {
            let mut by_server: BTreeMap<ServerId, u64> = BTreeMap::new();
            for (gift, count) in counts {
                *by_server.entry(gift.server).or_default() += count;
            }
            let mut below = 0;
            for (server, count) in by_server {
                let x = (begin.0 as f64, begin.0 as f64 + part.width as f64);
                let mut bar = plot.bar(x, (below as f64, (below + count) as f64));
                bar.w = if bar.w > 4.0 { bar.w - 1.0 } else { bar.w.max(0.75) };
                canvas.fill(bar, theme.series(server.0).0);
                below += count;
            }
        }
    }

    /// The share of each server, and where chance alone would leave it.
    fn shares(canvas: &Canvas<'_>, body: Rect, part: &Part, x: Axis) {
        let theme = canvas.theme;
        let (from, end) = x.ends();
        let plot = Plot::new(
            canvas,
            body,
            x,
            Axis::share("share of the clients so far, by the server that served each first"),
        );
        let growth = part.growth();
        if matches!(part.expected, Expected::Half(_)) {
            let bands: Vec<_> =
                growth.iter().map(|(time, clients, _)| (time.0 as f64, band(*clients, 0.5))).collect();
            let last = bands.last().map(|(_, band)| (end, *band));
            let bands: Vec<_> = bands.into_iter().chain(last).collect();
            let upper = bands.iter().map(|(time, (_, high))| plot.at(*time, *high));
            let lower = bands.iter().rev().map(|(time, (low, _))| plot.at(*time, *low));
            canvas.polygon(&upper.chain(lower).collect::<Vec<_>>(), theme.grid());
            plot.line(
                [(from, 0.5), (end, 0.5)],
                Stroke { colour: theme.weak(), width: 1.0, dash: Dash::Dashed },
            );
        }
        for server in part.servers() {
            let share = |served: &BTreeMap<ServerId, u64>, clients: u64| {
                served.get(&server).copied().unwrap_or_default() as f64 / clients.max(1) as f64
            };
            // A share holds until the next client is served.
            let mut points: Vec<(f64, f64)> = Vec::new();
            for (time, clients, served) in &growth {
                points.extend(points.last().map(|(_, before)| (time.0 as f64, *before)));
                points.push((time.0 as f64, share(served, *clients)));
            }
            points.extend(points.last().map(|(_, share)| (end, *share)));
            if let [(time, share), ..] = points.as_slice() {
                canvas.dot(plot.at(*time, *share), 3.0, theme.series(server.0).0);
            }
            plot.line(points, stroke(theme, server, 2.0));
        }
    }
}

impl Picture for Share {
    fn rows(&self) -> Rows {
        let mut rows = Rows::new(&schema::SHARE);
        for part in &self.parts {
            for (begin, counts) in &part.bins {
                let mut by_server: BTreeMap<ServerId, (u64, u64)> = BTreeMap::new();
                for (gift, count) in counts {
                    let (all, first) = by_server.entry(gift.server).or_default();
                    *all += count;
                    *first += if gift.is_first { *count } else { 0 };
                }
                for (server, (all, first)) in by_server {
                    let server = self.about.server(server);
                    rows.push(&cells![part.name.as_deref(), begin.0, part.width, server, all, first]);
                }
            }
        }
        rows
    }

    fn pages(&self) -> usize {
        self.parts.len()
    }

    fn page(&self, number_of_page: usize) -> Page {
        let Some(part) = self.parts.get(number_of_page) else {
            return Page::empty(
                "No address was bound to a client",
                &["A lease needs an ACK in the captures."],
            );
        };
        let subject = part.name.as_ref().map_or(String::new(), |name| format!("relationship {name}"));
        let mut notes = vec!["An ACK binds an address or, for a renewal, extends a lease.".to_owned()];
        if matches!(part.expected, Expected::Half(_)) {
            notes.push("Each client counts once below: renewals always go to the server that has the lease, and say nothing about the hash.".to_owned());
        }
        if self.crowded {
            notes.push(format!("Only the first {} clients are told apart.", number(MOST_CLIENTS as f64)));
        }
        let items = self.items(part, Theme::Light);
        let words = legend::height(items.iter().map(|(_, word)| word.as_str()), self.room());
        Page { title: self.title(part), subject, notes, height: words + UPPER + LOWER }
    }

    fn draw(&self, page: usize, canvas: &Canvas<'_>, body: Rect) {
        let (Some(part), Some(span)) = (self.parts.get(page), self.about.span) else { return };
        let body = legend::draw(canvas, body, &self.items(part, canvas.theme));
        let x = || Axis::time(span.0..span.1, body.w);
        Self::leases(canvas, Rect { h: UPPER, ..body }, part, x().without_labels());
        Self::shares(canvas, Rect::new(body.x, body.y + UPPER, body.w, LOWER), part, x());
    }
}
