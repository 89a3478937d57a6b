use super::Filler;
use crate::dhcp::MessageType;
use crate::exchange::{Exchange, Step, of};
use crate::ha::verdict::Judgement;
use crate::table::put::{List, row};
use crate::table::stream::Entries;
use crate::table::texts::{Hex, Word};
use crate::table::{Rows, schema};

impl Filler<'_> {
    /// One row per exchange.
    pub fn exchanges(&self) -> Rows {
        self.rows(&schema::EXCHANGES, &self.exchange_entries())
    }

    /// The same for a choice of exchanges by their place in this batch, in that order.
    pub fn exchange_rows(&self, places: &[usize]) -> Rows {
        let (mut rows, entries) = (Rows::new(&schema::EXCHANGES), self.exchange_entries());
        for at in places {
            (entries.push)(&mut rows, *at);
        }
        rows
    }

    pub(in crate::table) fn exchange_entries(&self) -> Entries<'_> {
        let first = move |exchange: &Exchange| {
            let step = exchange.queries.first().or(exchange.replies.first());
            step.map(|step| of(&self.analysis.messages, step.first).at).unwrap_or_default()
        };
        let exchanges = &self.analysis.exchanges;
        Entries {
            count: exchanges.len(),
            place: Box::new(move |at| exchanges.get(at).map(|it| (it.start, first(it))).unwrap_or_default()),
            push: Box::new(move |rows, at| {
                if let Some((exchange, judgement)) = exchanges.get(at).zip(self.analysis.judgements.get(at)) {
                    self.exchange(rows, exchange, judgement);
                }
            }),
        }
    }

    fn exchange(&self, rows: &mut Rows, exchange: &Exchange, judgement: &Judgement) {
        let messages = &self.analysis.messages;
        let replies = || exchange.replies.iter().map(|step| (step.first, of(messages, step.first)));
        let offers = replies().filter(|(_, reply)| reply.message_type == Some(MessageType::OFFER));
        let offers = offers.map(|(id, offer)| {
            let server = self.analysis.answers.get(&id).map(|answer| self.server(answer.server));
            (server, offer.yiaddr, offer.time, self.frame_name(offer.at))
        });
        let decided = exchange
            .verdict_reply(messages)
            .or_else(|| exchange.first_of(&exchange.replies, messages, MessageType::OFFER));
        let yiaddr = decided.map(|id| of(messages, id).yiaddr).filter(|address| !address.is_unspecified());
        let mut frames: Vec<_> =
            exchange.queries.iter().chain(&exchange.replies).flat_map(Step::sightings).collect();
        frames.sort_by_key(|id| (of(messages, *id).time, *id));
        let hash = exchange.queries.first().and_then(|step| of(messages, step.first).hash);
        let us = |span: Option<i64>| span.and_then(|us| u64::try_from(us).ok());
        row![rows;
            exchange.id,
            self.zone(exchange.zone(messages)),
            exchange.client.chaddr,
            exchange.client.client_id.as_deref().map(Hex),
            self.client_name(exchange.client.chaddr, exchange.id),
            exchange.xid,
            Word(exchange.kind.as_str()),
            exchange.start,
            exchange.end,
            exchange.queries.len() as u32,
            List(offers),
            judgement.chosen.map(|server| self.server(server)),
            judgement.answered_by.map(|server| self.server(server)),
            yiaddr,
            Word(exchange.outcome(messages).as_str()),
            us(judgement.discover_offer_us),
            us(judgement.request_ack_us),
            us(judgement.update_rtt_us),
            hash,
            judgement.owner.map(|server| self.server(server)),
            judgement.relationship.map(|id| self.relationship(id)),
            Word(judgement.verdict.code()),
            judgement.confidence,
            judgement.reason.as_str(),
            List(frames.into_iter().map(|id| self.frame_of(id))),
        ];
    }
}
