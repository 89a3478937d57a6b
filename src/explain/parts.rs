//! A proof card as what it says, for whoever lays it out: a terminal, a page.

use std::ops::Range;

use super::card::{Card, standing};
use super::ladder::{Rung, draw};
use super::reason::{Reason, because};
use super::reasons::reasons;
use super::text::{Line, Role};
use crate::pipeline::Analysis;
use crate::units::ExchangeId;

/// A ladder longer than this keeps its beginning and its end.
const MOST_RUNGS: usize = 24;

/// The card of one exchange.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The client's name in the topology, if it has one.
    pub client: Option<String>,
    /// Its hardware address, or whatever else there is.
    pub identity: String,
    /// What the client got, in a few words.
    pub headline: String,
    /// What the verdict means for the reader who looks once, and how.
    pub standing: (Role, &'static str),
    /// From 0 to 1.
    pub confidence: f64,
    /// The zone.
    pub zone: String,
    /// Relationship, mode, hash and relay; begins with a comma unless it is empty.
    pub relationship: String,
    /// The day on which it began, UTC.
    pub day: String,
    /// The machines of the ladder: the client, then the servers.
    pub lanes: Vec<String>,
    /// The messages in time order.
    pub rungs: Vec<Rung>,
    /// Why each server answered or did not.
    pub reasons: Vec<Reason>,
}

impl Parts {
    /// The card of an exchange of this batch.
    pub fn of(analysis: &Analysis<'_>, id: ExchangeId) -> Option<Self> {
        let card = Card::of(analysis, id)?;
        let Card { exchange, judgement, .. } = card;
        let servers = card.lanes();
        let names = servers.iter().map(|server| card.server(*server).to_owned());
        let mac = exchange.client.chaddr;
        let identity = match (&exchange.client.client_id, mac.is_empty()) {
            (Some(id), true) => format!("client id {}", crate::units::colon_hex(id)),
            (None, true) => format!("xid {}", exchange.xid),
            _ => mac.to_string(),
        };
        Some(Self {
            client: analysis.client_name(mac).map(str::to_owned),
            identity,
            headline: card.headline(),
            standing: standing(judgement.verdict),
            confidence: judgement.confidence,
            zone: analysis.network.zone(exchange.zone(&analysis.messages)).to_owned(),
            relationship: card.relationship(),
            day: crate::table::utc(exchange.start.0).chars().take(10).collect(),
            lanes: std::iter::once(card.client()).chain(names).collect(),
            rungs: card.rungs(&servers),
            reasons: reasons(&card),
        })
    }

    /// The whole card for a terminal of this width; `all` has the messages that it leaves out.
    pub fn lay(&self, width: usize, all: &str) -> Vec<Line> {
        let mut lines = self.title(width);
        lines.push(Line::default());
        lines.extend(self.place(width));
        lines.extend(self.ladder(width, all));
        lines.push(Line::default());
        lines.extend(self.reasons.iter().flat_map(|reason| reason.lay(width)));
        lines
    }

    /// Who got what, and whether that is as it should be.
    pub fn title(&self, width: usize) -> Vec<Line> {
        let mut left = Line::default();
        if let Some(name) = &self.client {
            left.push(Role::Strong, format!("{name}  "));
        }
        left.push(Role::Plain, format!("{}  ", self.identity));
        let mut lines = Vec::new();
        if left.width() + self.headline.chars().count() > width {
            lines.push(std::mem::take(&mut left));
            left.push(Role::Plain, "  ");
        }
        left.push(Role::Strong, &self.headline);
        let (role, word) = self.standing;
        let right = Line::of([(role, format!("{word} · {:.2}", self.confidence).as_str())]);
        lines.extend(left.with_right(right, width));
        lines
    }

    /// Where and when, and which relationship decides.
    pub fn place(&self, width: usize) -> Vec<Line> {
        let beginning = Line::of([(Role::Plain, " zone "), (Role::Strong, self.zone.as_str())]);
        let day = Line::of([(Role::Weak, format!("{} UTC", self.day).as_str())]);
        because(beginning, &self.relationship, &day, width)
    }

    /// The messages between the machines; of very many those in the middle, which `all` has.
    pub fn ladder(&self, width: usize, all: &str) -> Vec<Line> {
        let mut lines = draw(&self.rungs, &self.lanes, width);
        if let Some(left_out) = self.left_out() {
            let from = lines.len() - self.rungs.len() + left_out.start;
            let note = format!("   … {} more messages; {all} has all of them", left_out.len());
            lines.splice(from..from + left_out.len(), [Line::of([(Role::Weak, note.as_str())])]);
        }
        lines
    }

    /// The messages that a ladder leaves out.
    pub fn left_out(&self) -> Option<Range<usize>> {
        let keep = MOST_RUNGS / 2;
        (self.rungs.len() > MOST_RUNGS).then(|| keep..self.rungs.len() - keep)
    }
}
