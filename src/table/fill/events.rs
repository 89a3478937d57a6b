use super::Filler;
use crate::cells;
use crate::ha::events::{EventKind, HaEvent};
use crate::table::{Cell, Rows, schema};
use crate::units::{ServerId, colon_hex};
use std::net::Ipv4Addr;

impl Filler<'_> {
    /// One row per event of the control channel.
    pub fn ha_events(&self) -> Rows {
        let events = &self.analysis.events;
        let mut rows = Rows::new(&schema::HA_EVENTS);
        let order = self.order(events.iter().map(|event| (event.time, event.at)).collect());
        for event in order.into_iter().filter_map(|row| events.get(row)) {
            self.event(&mut rows, event);
        }
        rows
    }

    fn event(&self, rows: &mut Rows, event: &HaEvent) {
        let topology = &*self.analysis.network.topology;
        let name = |server: Option<ServerId>, address: Ipv4Addr| {
            server.map_or_else(|| address.to_string(), |server| self.server(server).to_owned())
        };
        let (answers, asks) = (name(event.server, event.server_ip), name(event.peer, event.peer_ip));
        // A heartbeat, a refusal and silence tell the state of who was asked; a command is the deed of who asked.
        let (server, peer) = match event.kind {
            EventKind::Heartbeat | EventKind::Refused | EventKind::Timeout => (answers, asks),
            _ => (asks, answers),
        };
        let basis = if event.kind == EventKind::Heartbeat { "heartbeat" } else { "control" };
        rows.push(&cells![
            event.time,
            self.source(event.at),
            event.at.number,
            event.relationship.map(|id| topology.relationship_name(id)),
            server,
            peer,
            event.kind.as_str(),
            event.state.as_deref(),
            event.scopes.as_ref().map(|scopes| scopes.iter().collect::<Cell<'_>>()).unwrap_or_default(),
            event.result.map(result),
            event.rtt_us.and_then(|us| u64::try_from(us).ok()),
            event.ip,
            event.chaddr,
            event.client_id.as_deref().map(colon_hex),
            basis,
            &event.text,
        ]);
    }
}

/// Kea's result code with its word (kea-ha §6.1).
fn result(code: i64) -> String {
    let word = match code {
        0 => "success",
        1 => "error",
        2 => "unsupported",
        3 => "empty",
        4 => "conflict",
        5 => "fatal",
        1001 => "maintenance refused",
        _ => return code.to_string(),
    };
    format!("{code} {word}")
}
