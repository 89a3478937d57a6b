use super::Filler;
use crate::cells;
use crate::exchange::of;
use crate::ha::decide::Decision;
use crate::table::stream::Entries;
use crate::table::{Cell, Rows, schema};
use crate::units::colon_hex;

impl Filler<'_> {
    /// One row per query and server.
    pub fn decisions(&self) -> Rows {
        self.rows(&schema::DECISIONS, &self.decision_entries())
    }

    pub(in crate::table) fn decision_entries(&self) -> Entries<'_> {
        self.entries_of(self.analysis.decisions.iter().collect())
    }

    /// The same for a choice of decisions.
    pub fn decision_rows(&self, decisions: &[&Decision]) -> Rows {
        self.rows(&schema::DECISIONS, &self.entries_of(decisions.to_vec()))
    }

    /// Servers of one query stay in their order, because they stand at one place.
    fn entries_of<'d>(&'d self, decisions: Vec<&'d Decision>) -> Entries<'d> {
        let place = |decision: &&Decision| {
            let query = of(&self.analysis.messages, decision.query);
            (query.time, query.at)
        };
        Entries {
            places: decisions.iter().map(place).collect(),
            push: Box::new(move |rows, at, _| {
                if let Some(decision) = decisions.get(at) {
                    self.decision(rows, decision);
                }
            }),
        }
    }

    fn decision(&self, rows: &mut Rows, decision: &Decision) {
        let query = of(&self.analysis.messages, decision.query);
        let topology = &*self.analysis.network.topology;
        // In hot-standby there is one scope, so what is known of it is the whole list.
        let peers = decision.relationship.and_then(|id| topology.relationship(id)).map(|it| &it.peers);
        let name =
            |scope: usize| peers.and_then(|peers| peers.get(scope)).map_or("?", |peer| peer.name.as_str());
        let scopes = decision.scope.map(|(scope, served)| served.then(|| name(scope)));
        rows.push(&cells![
            self.zone(query.zone),
            self.source(query.at),
            query.at.number,
            query.time,
            query.type_name(),
            query.xid,
            query.chaddr,
            query.client_id().map(colon_hex),
            self.server(decision.server),
            decision.relationship.map(|id| topology.relationship_name(id)),
            decision.heard.as_str(),
            decision.state,
            decision.basis.map(crate::ha::timeline::Basis::as_str),
            scopes.map(|served| served.into_iter().collect::<Cell<'_>>()).unwrap_or_default(),
            decision.owner.map(|server| self.server(server)),
            decision.expected.as_str(),
            decision.seen.as_str(),
            decision.agrees(),
            decision.rule.code(),
            decision.confidence,
            decision.reply.map(|reply| self.frame_of(reply)),
            decision.evidence.iter().map(|at| self.frame(*at)).collect::<Cell<'_>>(),
            decision.exchange.to_string(),
        ]);
    }
}
