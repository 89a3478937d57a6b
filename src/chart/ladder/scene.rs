//! One exchange as lanes and arrows, with relays and the hops through them.

use std::net::Ipv4Addr;

use crate::chart::letters::cut;
use crate::exchange::{Observed, Step};
use crate::explain::card::{Card, standing};
use crate::explain::ladder::{Mark, Origin, Rung, clock, plus};
use crate::ha::topology::Mode;
use crate::pipeline::Analysis;
use crate::table::fill::Filler;
use crate::units::{CaptureTime, ExchangeId, FrameRef, MessageId, ServerId, ZoneId};

/// Lanes that a picture has room for.
pub const MOST_LANES: usize = 7;

/// Who has a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Party {
    Client,
    Relay,
    Server(ServerId),
}

/// A lane of the picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    pub party: Party,
    pub name: String,
    /// Its role in the relationship that decided; may be empty.
    pub role: &'static str,
}

/// What an arrow is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    Query,
    /// A reply that the client took, or the only one.
    Reply(ServerId),
    /// An OFFER of a server that the client did not choose.
    LostOffer(ServerId),
    /// Between servers.
    Control(ServerId),
}

/// Where an arrow ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    pub lane: usize,
    pub mark: Mark,
    /// The code of the rule that decided, where one did.
    pub rule: Option<&'static str>,
}

/// One line of the picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrow {
    pub time: CaptureTime,
    /// The time as people read it: that of the first line, then what passed since.
    pub clock: String,
    /// The frame as on the card.
    pub frame: String,
    /// The frame as in the tables.
    pub frame_ref: String,
    pub label: String,
    pub sort: Sort,
    pub from: usize,
    pub ends: Vec<End>,
}

/// A stretch of lanes that are in one zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    pub lanes: (usize, usize),
    pub zone: String,
}

/// One exchange, ready to be drawn.
#[derive(Clone, Debug)]
pub struct Scene {
    pub exchange: String,
    /// Who got what, in a few words.
    pub title: String,
    /// Relationship, mode and hash.
    pub subject: String,
    /// The verdict in words.
    pub notes: Vec<String>,
    pub lanes: Vec<Lane>,
    pub regions: Vec<Region>,
    pub arrows: Vec<Arrow>,
}

/// What is asked while a scene is put together.
struct Stage<'a> {
    analysis: &'a Analysis<'a>,
    card: Card<'a>,
    filler: Filler<'a>,
    relays: Vec<Ipv4Addr>,
    /// In the order of the card's lanes.
    servers: Vec<ServerId>,
    /// The first so many places behind the client's are for servers in its own zone, then come the relays.
    near: usize,
    start: CaptureTime,
}

impl Scene {
    /// The scene of an exchange of this batch.
    pub fn of(analysis: &Analysis<'_>, id: ExchangeId) -> Option<Self> {
        let card = Card::of(analysis, id)?;
        let mut servers = card.lanes();
        let mut relays: Vec<Ipv4Addr> = Vec::new();
        for step in &card.exchange.queries {
            for sighting in step.sightings().map(|id| card.message(id)) {
                if !sighting.giaddr.is_unspecified() && !relays.contains(&sighting.giaddr) {
                    relays.push(sighting.giaddr);
                }
            }
        }
        let room = MOST_LANES.saturating_sub(1 + relays.len().min(2));
        relays.truncate(2);
        let left_out = servers.len().saturating_sub(room);
        if left_out > 0 {
            // Who answered stays; the silent ones are alike.
            servers.sort_by_key(|server| Some(*server) != card.judgement.answered_by);
            servers.truncate(room);
            servers.reverse();
        }
        // Whoever hears the client without a relay stands before it.
        let near = |server: &ServerId| is_near(analysis, &card, *server);
        servers.sort_by_key(|server| relays.is_empty() || !near(server));
        let near = if relays.is_empty() { 0 } else { servers.iter().filter(|server| near(server)).count() };
        let start = card.exchange.start;
        let stage = Stage { analysis, card, filler: Filler::new(analysis), relays, servers, near, start };
        let arrows = stage.arrows();
        let mut notes = vec![stage.verdict()];
        if left_out > 0 {
            notes.push(format!("{left_out} more servers that could hear the client are not drawn."));
        }
        let name = match stage.card.client() {
            name if name == "client" && stage.card.exchange.client.chaddr.is_empty() => {
                format!("xid {}", stage.card.exchange.xid)
            }
            name if name == "client" => stage.card.exchange.client.chaddr.to_string(),
            name => name,
        };
        Some(Self {
            exchange: id.to_string(),
            title: format!("{} {}", cut(&name, 380.0, 19.0), stage.card.headline()),
            subject: stage.subject(),
            notes,
            lanes: stage.lanes(&name),
            regions: stage.regions(),
            arrows,
        })
    }
}

impl<'a> Stage<'a> {
    fn lanes(&self, client: &str) -> Vec<Lane> {
        let topology = &*self.analysis.network.topology;
        let relationship = self.card.judgement.relationship.and_then(|id| topology.relationship(id));
        let role = |server: &ServerId| {
            let peer = relationship.and_then(|it| it.peer_of(*server));
            peer.map_or("", |peer| peer.role.as_str())
        };
        let client = Lane { party: Party::Client, name: client.to_owned(), role: "" };
        let relays = self.relays.iter().map(|relay| Lane {
            party: Party::Relay,
            name: relay.to_string(),
            role: "relay",
        });
        let servers = |servers: &[ServerId]| {
            let lane = |server: &ServerId| {
                let name = self.card.server(*server).to_owned();
                Lane { party: Party::Server(*server), name, role: role(server) }
            };
            servers.iter().map(lane).collect::<Vec<_>>()
        };
        let (near, far) = self.servers.split_at(self.near);
        std::iter::once(client).chain(servers(near)).chain(relays).chain(servers(far)).collect()
    }

    fn zone(&self, zone: ZoneId) -> String {
        self.analysis.network.zone(zone).to_owned()
    }

    /// The client's zone, and behind a relay that of the servers.
    fn regions(&self) -> Vec<Region> {
        let last = self.relays.len() + self.servers.len();
        let messages =
            || self.card.exchange.queries.iter().flat_map(Step::sightings).map(|id| self.card.message(id));
        let near = messages().find(|query| query.giaddr.is_unspecified()).map(|query| self.zone(query.zone));
        let far = messages().find(|query| !query.giaddr.is_unspecified()).map(|query| self.zone(query.zone));
        let region = |lanes, zone: Option<String>| zone.map(|zone| Region { lanes, zone });
        if self.relays.is_empty() {
            // Partners that only store the lease need not be on this wire.
            let asked = |server: &ServerId| {
                self.card.decisions.iter().any(|decision| decision.server == *server)
                    || self.card.judgement.answered_by == Some(*server)
            };
            let last = self.servers.iter().rposition(asked).map_or(0, |at| at + 1);
            let zone = near.or_else(|| Some(self.zone(self.card.exchange.zone(&self.analysis.messages))));
            return region((0, last), zone).into_iter().collect();
        }
        let border = self.near + self.relays.len();
        [region((0, border), near), region((border, last), far)].into_iter().flatten().collect()
    }

    fn subject(&self) -> String {
        let topology = &*self.analysis.network.topology;
        let judgement = self.card.judgement;
        let Some((id, relationship)) =
            judgement.relationship.and_then(|id| Some((id, topology.relationship(id)?)))
        else {
            return String::new();
        };
        let mut text =
            format!("relationship {}, {}", topology.relationship_name(id), relationship.mode.as_str());
        let hash = self.card.exchange.queries.first().and_then(|step| self.card.message(step.first).hash);
        if let (Mode::LoadBalancing, Some(hash), Some(owner)) = (relationship.mode, hash, judgement.owner) {
            text = format!("{text}, hash {hash} belongs to {}", self.card.server(owner));
        }
        text
    }

    fn verdict(&self) -> String {
        let judgement = self.card.judgement;
        let (_, standing) = standing(judgement.verdict);
        // The sentence is left out of long runs where all is well.
        let reason = match judgement.reason.as_str() {
            "" => judgement.verdict.entry().title.trim_end_matches('.').to_owned(),
            reason => reason.trim_end_matches('.').to_owned(),
        };
        let mut chars = standing.chars();
        let standing: String =
            chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect());
        format!("{standing} (confidence {:.2}): {reason}.", judgement.confidence)
    }

    /// The lane of a server by the lane that it has on the card.
    const fn server_lane(&self, card_lane: usize) -> usize {
        if card_lane <= self.near { card_lane } else { card_lane + self.relays.len() }
    }

    fn relay_lane(&self, relay: Ipv4Addr) -> Option<usize> {
        self.relays.iter().position(|other| *other == relay).map(|at| at + self.near + 1)
    }

    fn arrows(&self) -> Vec<Arrow> {
        let mut arrows: Vec<Arrow> = Vec::new();
        for rung in self.card.rungs(&self.servers) {
            match rung.origin {
                Origin::Query(id) => arrows.extend(self.query(&rung, id)),
                Origin::Reply(id) => arrows.extend(self.reply(&rung, id)),
                Origin::Control => arrows.push(self.control(&rung)),
            }
        }
        arrows.sort_by_key(|arrow| arrow.time);
        for (number, arrow) in arrows.iter_mut().enumerate() {
            let is_first = number == 0;
            arrow.clock = if is_first { clock(arrow.time) } else { plus(arrow.time.since(self.start)) };
        }
        arrows
    }

    fn arrow(
        &self,
        (time, at): (CaptureTime, FrameRef),
        label: String,
        sort: Sort,
        from: usize,
        ends: Vec<End>,
    ) -> Arrow {
        let frame_ref = self.filler.frame(at);
        Arrow { time, clock: String::new(), frame: self.card.frame(at), frame_ref, label, sort, from, ends }
    }

    fn step(&self, id: MessageId) -> Option<&'a Step> {
        let exchange = self.card.exchange;
        exchange.queries.iter().chain(&exchange.replies).find(|step| step.first == id)
    }

    /// A query: straight to the servers that heard it, or to the relay and from there to those that it was sent to.
    fn query(&self, rung: &Rung, id: MessageId) -> Vec<Arrow> {
        let Some(step) = self.step(id) else { return Vec::new() };
        let first = self.card.message(id);
        let mut arrows: Vec<Arrow> = Vec::new();
        for (lane, mark) in &rung.to {
            let Some(server) = lane.checked_sub(1).and_then(|at| self.servers.get(at)) else { continue };
            let (copy_id, copy) =
                self.analysis.network.copy_for(&self.analysis.messages, (step, first), *server);
            let about = self.card.decisions.iter().find(|decision| {
                decision.server == *server && step.sightings().any(|id| id == decision.query)
            });
            let rule = about.filter(|_| *mark != Mark::Arrives).map(|decision| decision.rule.code());
            let end = End { lane: self.server_lane(*lane), mark: *mark, rule };
            let from = self.relay_lane(copy.giaddr).unwrap_or_default();
            let relayed = copy_id != id || from != 0;
            let label = if relayed { format!("{} relayed", first.type_name()) } else { rung.label.clone() };
            join(&mut arrows, self.arrow((copy.time, copy.at), label, Sort::Query, from, vec![end]));
        }
        let relayed =
            step.sightings().map(|id| self.card.message(id)).find_map(|copy| self.relay_lane(copy.giaddr));
        let near = step.sightings().map(|id| self.card.message(id)).find(|copy| copy.giaddr.is_unspecified());
        if let Some((relay, near)) = relayed.zip(near) {
            let end = End { lane: relay, mark: Mark::Arrives, rule: None };
            join(
                &mut arrows,
                self.arrow((near.time, near.at), rung.label.clone(), Sort::Query, 0, vec![end]),
            );
        }
        if arrows.is_empty() {
            arrows.push(self.arrow((first.time, first.at), rung.label.clone(), Sort::Query, 0, Vec::new()));
        }
        arrows
    }

    /// A reply, hop by hop where a relay passed it on.
    fn reply(&self, rung: &Rung, id: MessageId) -> Vec<Arrow> {
        let Some(step) = self.step(id) else { return Vec::new() };
        let from = if rung.from > 0 { self.server_lane(rung.from) } else { 0 };
        let server = rung.from.checked_sub(1).and_then(|at| self.servers.get(at)).copied();
        let Some(server) = server else { return Vec::new() };
        let lost = self.card.judgement.chosen.is_some_and(|chosen| chosen != server) && self.is_offer(id);
        let sort = if lost { Sort::LostOffer(server) } else { Sort::Reply(server) };
        let hop = |copy: &Observed| {
            let (from, lane) = match (self.relay_lane(copy.dst), self.relay_lane(copy.giaddr)) {
                (Some(relay), _) => (from, relay),
                (None, Some(relay)) => (relay, 0),
                (None, None) => (from, 0),
            };
            let label = if from == self.server_lane(rung.from) {
                rung.label.clone()
            } else {
                format!("{} relayed", copy.type_name())
            };
            let end = End { lane, mark: Mark::Arrives, rule: None };
            self.arrow((copy.time, copy.at), label, sort, from, vec![end])
        };
        // Copies that go the same way are the same hop, seen on another wire.
        let mut arrows: Vec<Arrow> = Vec::new();
        for arrow in step.sightings().map(|id| hop(self.card.message(id))) {
            if !arrows.iter().any(|other| (other.from, &other.ends) == (arrow.from, &arrow.ends)) {
                arrows.push(arrow);
            }
        }
        arrows
    }

    fn is_offer(&self, id: MessageId) -> bool {
        self.card.message(id).message_type == Some(crate::dhcp::MessageType::OFFER)
    }

    fn control(&self, rung: &Rung) -> Arrow {
        let server = rung.from.checked_sub(1).and_then(|at| self.servers.get(at)).copied();
        let ends =
            rung.to.iter().map(|(lane, mark)| End { lane: self.server_lane(*lane), mark: *mark, rule: None });
        let sort = server.map_or(Sort::Query, Sort::Control);
        let (time, at) = (rung.time, rung.at);
        self.arrow((time, at), rung.label.clone(), sort, self.server_lane(rung.from), ends.collect())
    }
}

/// Adds an arrow, or its ends to another one of the same frame from the same place.
fn join(arrows: &mut Vec<Arrow>, arrow: Arrow) {
    let same = |other: &&mut Arrow| (other.from, &other.frame_ref) == (arrow.from, &arrow.frame_ref);
    match arrows.iter_mut().find(same) {
        Some(other) => other.ends.extend(arrow.ends),
        None => arrows.push(arrow),
    }
}

/// Whether a server hears the client's own messages, and not only what a relay makes of them.
fn is_near(analysis: &Analysis<'_>, card: &Card<'_>, server: ServerId) -> bool {
    let asked = |step: &&Step| {
        let about = card.decisions.iter().filter(|decision| decision.server == server);
        about.into_iter().any(|decision| step.sightings().any(|id| id == decision.query))
    };
    card.exchange.queries.iter().filter(asked).any(|step| {
        let first = card.message(step.first);
        let (_, copy) = analysis.network.copy_for(&analysis.messages, (step, first), server);
        copy.giaddr.is_unspecified()
    })
}
