//! The 256 hash buckets of load-balancing: whose each is, which clients fall into it, and who answered them.

use std::collections::{BTreeMap, HashSet};

use foldhash::fast::RandomState;

use super::Gather;
use super::about::{About, counted};
use super::axis::number;
use super::canvas::{Align, Canvas, Letters, Rect, Stroke};
use super::legend::{self, Swatch};
use super::page::{Page, Picture};
use super::theme::Theme;
use crate::cells;
use crate::exchange::{Client, Outcome, of};
use crate::ha::topology::{Mode, RelationshipId};
use crate::pipeline::Analysis;
use crate::table::{Rows, schema};
use crate::units::ServerId;

/// Clients that are remembered, so that each counts once.
const MOST_CLIENTS: usize = 1_000_000;
/// Pixels of a cell, and those left of the first column.
const CELL: (f64, f64) = (50.0, 28.0);
const LEFT: f64 = 52.0;

#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    clients: u64,
    by_owner: u64,
    by_other: u64,
}

/// What is kept of the batches.
#[derive(Debug, Default)]
pub struct Gathered {
    seen: HashSet<(Option<RelationshipId>, Client), RandomState>,
    buckets: BTreeMap<Option<RelationshipId>, Vec<Bucket>>,
    /// Whether there were more clients than are remembered.
    crowded: bool,
}

impl Gather for Gathered {
    fn take(&mut self, batch: &Analysis<'_>) {
        for (exchange, judgement) in batch.exchanges.iter().zip(&batch.judgements) {
            let hash = exchange.queries.first().and_then(|step| of(&batch.messages, step.first).hash);
            let Some(hash) = hash else { continue };
            let relationship = judgement.relationship.filter(|id| {
                batch.network.topology.relationship(*id).is_some_and(|it| it.mode == Mode::LoadBalancing)
            });
            let buckets = self.buckets.entry(relationship).or_insert_with(|| vec![Bucket::default(); 256]);
            let Some(bucket) = buckets.get_mut(usize::from(hash)) else { continue };
            let key = (relationship, exchange.client.clone());
            if self.seen.len() < MOST_CLIENTS {
                bucket.clients += u64::from(self.seen.insert(key));
            } else if !self.seen.contains(&key) {
                self.crowded = true;
            }
            if exchange.outcome(&batch.messages) == Outcome::Bound {
                // Outside load-balancing no hash has an owner.
                let own = relationship.is_some() && judgement.answered_by == judgement.owner;
                *(if own { &mut bucket.by_owner } else { &mut bucket.by_other }) += 1;
            }
        }
    }

    fn finish(self: Box<Self>, last: &Analysis<'_>, about: &About) -> Box<dyn Picture> {
        let topology = &*last.network.topology;
        let map = |(id, buckets): (Option<RelationshipId>, Vec<Bucket>)| {
            let peers = id.and_then(|id| topology.relationship(id)).map(|it| it.peers.as_slice());
            let owner = |at: usize| peers.and_then(|peers| peers.get(at)?.server);
            Map { name: id.map(|id| topology.relationship_name(id)), owners: [owner(0), owner(1)], buckets }
        };
        let mut maps: Vec<Map> = self.buckets.into_iter().map(map).collect();
        // Clients outside load-balancing have a page only where there is nothing better to show.
        if maps.iter().any(|map| map.name.is_some()) {
            maps.retain(|map| map.name.is_some());
        }
        Box::new(Buckets { maps, about: about.clone(), crowded: self.crowded })
    }
}

/// The buckets of one relationship.
struct Map {
    name: Option<String>,
    /// Owner of the even hashes, owner of the odd ones.
    owners: [Option<ServerId>; 2],
    buckets: Vec<Bucket>,
}

impl Map {
    fn sum(&self, of: impl Fn(&Bucket) -> u64) -> u64 {
        self.buckets.iter().map(of).sum()
    }

    /// Clients with an even hash, and with an odd one.
    fn clients(&self) -> [u64; 2] {
        let of = |parity| self.buckets.iter().skip(parity).step_by(2).map(|bucket| bucket.clients).sum();
        [of(0), of(1)]
    }
}

/// The finished chart.
struct Buckets {
    maps: Vec<Map>,
    about: About,
    crowded: bool,
}

impl Buckets {
    fn items(&self, map: &Map, theme: Theme) -> Vec<(Swatch, String)> {
        let mut items = Vec::new();
        for (owner, parity) in map.owners.iter().zip(["even", "odd"]) {
            if let Some(owner) = owner {
                let colour = theme.tint(theme.series(owner.0).0, 45);
                items.push((Swatch::Fill(colour), format!("{parity} hashes: {}", self.about.server(*owner))));
            }
        }
        if map.name.is_some() {
            let frame = Stroke::solid(theme.bad(), 2.0);
            items.push((Swatch::Frame(frame), "answered by the other peer".to_owned()));
        }
        items
    }
}

impl Picture for Buckets {
    fn rows(&self) -> Rows {
        let mut rows = Rows::new(&schema::BUCKETS);
        for map in &self.maps {
            for (hash, bucket) in map.buckets.iter().enumerate() {
                let owner = map.owners.get(hash % 2).copied().flatten().map(|owner| self.about.server(owner));
                let Bucket { clients, by_owner, by_other } = *bucket;
                rows.push(&cells![map.name.as_deref(), hash as u8, owner, clients, by_owner, by_other]);
            }
        }
        rows
    }

    fn pages(&self) -> usize {
        self.maps.len()
    }

    fn page(&self, number_of_page: usize) -> Page {
        let Some(map) = self.maps.get(number_of_page) else {
            let note = "The hash of RFC 3074 is over the client identifier, else the hardware address.";
            return Page::empty("No client with a hash was captured", &[note]);
        };
        let [even, odd] = map.clients();
        let other = map.sum(|bucket| bucket.by_other);
        let answered = other + map.sum(|bucket| bucket.by_owner);
        let all = number((even + odd) as f64);
        let (title, subject) = match (&map.name, map.owners) {
            (Some(name), [Some(primary), Some(secondary)]) => {
                let strangers = match other {
                    0 => "none was served by the other peer".to_owned(),
                    _ => format!(
                        "{} of {} leases came from the other peer",
                        number(other as f64),
                        number(answered as f64)
                    ),
                };
                let of = |owner, count| format!("{} to {}", number(count as f64), self.about.server(owner));
                let title = format!(
                    "{all} clients: {} and {} by their hash; {strangers}",
                    of(primary, even),
                    of(secondary, odd)
                );
                (title, format!("relationship {name}"))
            }
            _ => (
                format!(
                    "{} in {}, and no load-balancing pair to own them",
                    counted(even + odd, "client", "clients"),
                    counted(
                        map.buckets.iter().filter(|it| it.clients > 0).count() as u64,
                        "bucket",
                        "buckets"
                    )
                ),
                String::new(),
            ),
        };
        let cells = "A cell is one value of the hash of RFC 3074 (row plus column); the number in it counts its clients.";
        let owned = if map.name.is_some() { " The primary owns the even ones." } else { "" };
        let mut notes = vec![format!("{cells}{owned}")];
        if self.crowded {
            notes.push(format!("Only the first {} clients are counted.", number(MOST_CLIENTS as f64)));
        }
        let items = self.items(map, Theme::Light);
        let words = legend::height(items.iter().map(|(_, word)| word.as_str()), self.room());
        Page { title, subject, notes, height: words + 22.0 + 16.0 * CELL.1 + 6.0 }
    }

    fn draw(&self, page: usize, canvas: &Canvas<'_>, body: Rect) {
        let Some(map) = self.maps.get(page) else { return };
        let theme = canvas.theme;
        let body = legend::draw(canvas, body, &self.items(map, theme));
        let weak = Letters::new(11.0, theme.weak());
        let (wide, high) = CELL;
        let origin = (body.x + LEFT, body.y + 22.0);
        for n in 0..16 {
            let along = f64::from(n) + 0.5;
            canvas.text(
                (origin.0 + along * wide, body.y + 10.0),
                &format!("+{n}"),
                weak.align(Align::Middle),
            );
            let row = (16 * n).to_string();
            canvas.text((origin.0 - 8.0, origin.1 + along * high), &row, weak.align(Align::Right));
        }
        for (hash, bucket) in map.buckets.iter().enumerate() {
            let (row, column) = ((hash / 16) as f64, (hash % 16) as f64);
            let cell = Rect::new(origin.0 + column * wide, origin.1 + row * high, wide - 1.5, high - 1.5);
            let owner = map.owners.get(hash % 2).copied().flatten();
            let strength = if bucket.clients > 0 { 45 } else { 12 };
            let colour = owner.map_or(theme.weak(), |owner| theme.series(owner.0).0);
            canvas.fill(cell, theme.tint(colour, strength));
            let middle = (cell.x + cell.w / 2.0, cell.y + cell.h / 2.0);
            if bucket.clients > 0 {
                let letters = Letters::new(12.0, theme.text()).align(Align::Middle);
                canvas.text_within(middle, &number(bucket.clients as f64), cell.w, letters);
            }
            if map.name.is_some() && bucket.by_other > 0 {
                let edge = Rect::new(cell.x + 1.5, cell.y + 1.5, cell.w - 3.0, cell.h - 3.0);
                canvas.frame(edge, Stroke::solid(theme.bad(), 2.0));
            }
        }
    }
}
