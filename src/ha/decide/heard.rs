//! The queries that the replay of Kea's state machines counts.

use smallvec::SmallVec;

use super::Evidence;
use super::case::Case;
use super::parts::Part;
use super::rules::is_filtered;
use crate::dhcp::MessageType;
use crate::exchange::{Exchange, of};
use crate::ha::machine::ClientKey;
use crate::ha::replay::Query;

impl Evidence<'_> {
    /// The queries of an exchange as the state machines of its servers hear them.
    pub fn heard(&self, exchange: &Exchange, parts: &[Part], queries: &mut Vec<Query>) {
        for part in parts {
            let Some(relationship) = part.relationship else { continue };
            let case = Case::of(*part, exchange, self);
            let (query, hub) = (case.query, case.hub);
            let reply = case.reply.map(|id| of(self.messages, id));
            let acked = reply.is_some_and(|reply| reply.message_type == Some(MessageType::ACK));
            queries.push(Query {
                server: case.server,
                relationship,
                message: part.query,
                exchange: exchange.id,
                time: query.time,
                at: query.at,
                client: ClientKey(query.chaddr, SmallVec::from_slice(query.client_id().unwrap_or_default())),
                secs: query.secs_kea(),
                scope: part.scope,
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
        }
    }
}
