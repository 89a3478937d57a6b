use super::{Filler, type_name};
use std::borrow::Borrow;

use crate::exchange::of;
use crate::ha::decide::Decision;
use crate::table::put::{List, row};
use crate::table::stream::Entries;
use crate::table::texts::{Hex, Word};
use crate::table::{Rows, schema};

impl Filler<'_> {
    /// One row per query and server.
    pub fn decisions(&self) -> Rows {
        self.rows(&schema::DECISIONS, &self.decision_entries())
    }

    pub(in crate::table) fn decision_entries(&self) -> Entries<'_> {
        self.entries_of(&self.analysis.decisions)
    }

    /// The same for a choice of decisions.
    pub fn decision_rows(&self, decisions: &[&Decision]) -> Rows {
        self.rows(&schema::DECISIONS, &self.entries_of(decisions))
    }

    /// Servers of one query stay in their order, because they stand at one place.
    fn entries_of<'d, D: Borrow<Decision>>(&'d self, decisions: &'d [D]) -> Entries<'d> {
        let place = |decision: &D| {
            let query = of(&self.analysis.messages, decision.borrow().query);
            (query.time, query.at)
        };
        Entries {
            count: decisions.len(),
            place: Box::new(move |at| decisions.get(at).map(place).unwrap_or_default()),
            push: Box::new(move |rows, at| {
                if let Some(decision) = decisions.get(at) {
                    self.decision(rows, decision.borrow());
                }
            }),
        }
    }

    fn decision(&self, rows: &mut Rows, decision: &Decision) {
        let query = of(&self.analysis.messages, decision.borrow().query);
        // In hot-standby there is one scope, so what is known of it is the whole list.
        let topology = &self.analysis.network.topology;
        let peers = decision.relationship.and_then(|id| topology.relationship(id)).map(|it| &it.peers);
        let name =
            |scope: usize| peers.and_then(|peers| peers.get(scope)).map_or("?", |peer| peer.name.as_str());
        let scopes = decision.scope.map(|(scope, served)| served.then(|| name(scope)));
        row![rows;
            self.zone(query.zone),
            self.source_of(query.at),
            query.at.number,
            query.time,
            type_name(query),
            query.xid,
            query.chaddr,
            query.client_id().map(Hex),
            self.server(decision.server),
            decision.relationship.map(|id| self.relationship(id)),
            Word(decision.heard.as_str()),
            decision.state.map(Word),
            decision.basis.map(|basis| Word(basis.as_str())),
            scopes.map(List),
            decision.owner.map(|server| self.server(server)),
            Word(decision.expected.as_str()),
            Word(decision.seen.as_str()),
            decision.agrees(),
            Word(decision.rule.code()),
            decision.confidence,
            decision.reply.map(|reply| self.frame_of(reply)),
            List(decision.evidence.iter().map(|at| self.frame_name(*at))),
            decision.exchange,
        ];
    }
}
