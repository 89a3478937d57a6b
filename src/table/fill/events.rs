use super::Filler;
use crate::ha::events::{EventKind, HaEvent};
use crate::ha::replay::{Counted, Transition};
use crate::table::put::{List, row};
use crate::table::stream::Entries;
use crate::table::texts::{Hex, Word};
use crate::table::{Rows, schema};
use crate::units::{CaptureTime, FrameRef, HwAddr, ServerId};
use std::net::Ipv4Addr;
use std::rc::Rc;

/// How much of a replay has become rows.
#[derive(Clone, Copy, Debug)]
pub(in crate::table) struct Seen(CaptureTime);

impl Default for Seen {
    fn default() -> Self {
        Self(CaptureTime(i64::MIN))
    }
}

/// What a row is about.
enum Entry<'a> {
    Wire(&'a HaEvent),
    State(&'a Transition),
    Unacked(&'a Counted),
}

impl Entry<'_> {
    /// When, and the frame that shows it; of a change of state, the one that ended the old state.
    fn place(&self) -> (CaptureTime, FrameRef) {
        match self {
            Self::Wire(event) => (event.time, event.at),
            Self::State(change) => (change.instant(), change.evidence.first().copied().unwrap_or_default()),
            Self::Unacked(counted) => (counted.time, counted.at),
        }
    }
}

impl Filler<'_> {
    /// One row per event of the control channel, per change of state and per unacked client.
    pub fn ha_events(&self) -> Rows {
        self.rows(&schema::HA_EVENTS, &self.event_entries(&mut Seen::default()))
    }

    /// The replay of a batch holds all that is known so far, so what earlier batches had is left out.
    pub(in crate::table) fn event_entries(&self, seen: &mut Seen) -> Entries<'_> {
        let replay = &self.analysis.replay;
        let until = self.analysis.watermark.unwrap_or(CaptureTime(i64::MAX));
        let is_new = |time: CaptureTime| (seen.0..until).contains(&time);
        let mut entries: Vec<Entry<'_>> = self.analysis.events.iter().map(Entry::Wire).collect();
        entries.extend(replay.transitions.iter().filter(|it| is_new(it.instant())).map(Entry::State));
        let unacked = replay.counted.iter().filter(|it| it.unacked && is_new(it.time));
        entries.extend(unacked.map(Entry::Unacked));
        *seen = Seen(seen.0.max(until));
        let entries = Rc::new(entries);
        Entries {
            count: entries.len(),
            place: Box::new({
                let entries = Rc::clone(&entries);
                move |at| entries.get(at).map(Entry::place).unwrap_or_default()
            }),
            push: Box::new(move |rows, at| match entries.get(at) {
                Some(Entry::Wire(event)) => self.event(rows, event),
                Some(Entry::State(transition)) => self.state(rows, transition),
                Some(Entry::Unacked(counted)) => self.unacked(rows, counted),
                None => {}
            }),
        }
    }

    fn state(&self, rows: &mut Rows, change: &Transition) {
        let (time, at) = Entry::State(change).place();
        let replay = &self.analysis.replay;
        let known = replay.state_at(change.server, change.relationship, time);
        let topology = &*self.analysis.network.topology;
        let peers = topology.relationship(change.relationship).map(|it| it.peers.as_slice());
        let scopes = known.map(|known| {
            let served = known.span.scopes.iter().filter_map(|at| peers.unwrap_or_default().get(*at));
            List(served.map(|peer| peer.name.as_str()))
        });
        let from = change.from.map_or_else(String::new, |from| format!("{} → ", from.as_str()));
        row![rows;
            time,
            self.source_of(at),
            at.number,
            self.relationship(change.relationship),
            self.server(change.server),
            None::<&str>,
            Word("state"),
            Word(change.to.as_str()),
            scopes,
            None::<&str>,
            None::<u64>,
            None::<Ipv4Addr>,
            None::<HwAddr>,
            None::<&str>,
            Word(change.basis.as_str()),
            format!("{from}{}: {}", change.to.as_str(), change.cause),
        ];
    }

    fn unacked(&self, rows: &mut Rows, counted: &Counted) {
        let topology = &*self.analysis.network.topology;
        let relationship = topology.relationship(counted.relationship);
        let partner = relationship.and_then(|it| it.partner_of(&it.peer_of(counted.server)?.name)?.server);
        row![rows;
            counted.time,
            self.source_of(counted.at),
            counted.at.number,
            self.relationship(counted.relationship),
            self.server(counted.server),
            partner.map(|partner| self.server(partner)),
            Word("unacked"),
            None::<&str>,
            None::<&str>,
            None::<&str>,
            None::<u64>,
            None::<Ipv4Addr>,
            counted.client.0,
            Some(&*counted.client.1).filter(|id| !id.is_empty()).map(Hex),
            Word(counted.basis.as_str()),
            format!("{} clients unacked, {} left", counted.total_unacked, counted.left),
        ];
    }

    fn event(&self, rows: &mut Rows, event: &HaEvent) {
        let name = |server: Option<ServerId>, address: Ipv4Addr| {
            server.map_or_else(|| address.to_string(), |server| self.server(server).1.to_owned())
        };
        let (answers, asks) = (name(event.server, event.server_ip), name(event.peer, event.peer_ip));
        // A heartbeat, a refusal and silence tell the state of who was asked; a command is the deed of who asked.
        let (server, peer) = match event.kind {
            EventKind::Heartbeat | EventKind::Refused | EventKind::Timeout => (answers, asks),
            _ => (asks, answers),
        };
        let basis = if event.kind == EventKind::Heartbeat { "heartbeat" } else { "control" };
        row![rows;
            event.time,
            self.source_of(event.at),
            event.at.number,
            event.relationship.map(|id| self.relationship(id)),
            server,
            peer,
            Word(event.kind.as_str()),
            event.state.as_deref(),
            event.scopes.as_ref().map(|scopes| List(scopes.iter().map(|scope| &**scope))),
            event.result.map(result),
            event.rtt_us.and_then(|us| u64::try_from(us).ok()),
            event.ip,
            event.chaddr,
            event.client_id.as_deref().map(Hex),
            Word(basis),
            &*event.text,
        ];
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
