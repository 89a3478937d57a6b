//! The queries that the replay of Kea's state machines counts.

use super::Evidence;
use super::rules::{is_filtered, owner_scope};
use crate::dhcp::MessageType;
use crate::exchange::{Exchange, of};
use crate::ha::machine::ClientKey;
use crate::ha::replay::{Query, Replay, replay};

impl Evidence<'_> {
    /// Kea's state machines, run over the control channel and the queries of these exchanges.
    pub fn replay(&self, exchanges: &[Exchange]) -> Replay {
        let mut queries = Vec::new();
        for exchange in exchanges {
            self.each_case(exchange, |case| {
                let Some((relationship, peers, _)) = self.relationship(&case) else { return };
                let (query, hub) = (case.query, self.network.topology.is_hub(case.server));
                let client_id = query.client_id().unwrap_or_default();
                let reply = case.reply.map(|id| of(self.messages, id));
                let acked = reply.is_some_and(|reply| reply.message_type == Some(MessageType::ACK));
                queries.push(Query {
                    server: case.server,
                    relationship,
                    message: case.query_id,
                    exchange: exchange.id,
                    time: query.time,
                    at: query.at,
                    client: ClientKey(query.chaddr, client_id.into()),
                    secs: query.secs_kea(),
                    scope: owner_scope(peers, query),
                    // A hub checks the server identifier before it asks HA (kea-ha §5).
                    filtered: is_filtered(query.message_type, hub)
                        && !(hub && self.foreign_server_id(&case).is_some()),
                    reply: reply.map(|reply| (reply.time, reply.at)),
                    unshared: acked
                        && query.message_type == Some(MessageType::REQUEST)
                        && self
                            .update_after(case.server, query)
                            .is_none_or(|update| reply.is_some_and(|reply| reply.time < update.request_time)),
                });
            });
        }
        queries.sort_by_key(|query| (query.time, query.at));
        replay(&self.network.topology, self.events, &queries, self.capture_end)
    }
}
