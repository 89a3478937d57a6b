//! Other witnesses than the packets: Kea's logs and lease files.
//!
//! A log has the clock and the time zone of its machine, so it is first put on
//! the captures' clock (`align`). Then it is asked what the server did with
//! each query (`fate`), and that is held against the decisions (`weigh`) and
//! the packets (`packets`); the lease files are held against the ACKs and
//! against each other (`bindings`). Agreement raises a decision's confidence,
//! a contradiction lowers it and becomes a [`Contradiction`].

mod align;
mod bindings;
mod fate;
mod packets;
mod weigh;

use std::collections::BTreeMap;

pub use align::{Alignment, Fit};
pub use fate::{Diary, Fate};

use super::catalogue::FindingCode;
use super::decide::{Decision, Evidence};
use super::state::State;
use super::topology::{RelationshipId, Topology};
use crate::exchange::lease::Lease;
use crate::kea::leases::LeaseFile;
use crate::kea::log::{Event, Log, What};
use crate::units::{CaptureTime, FrameRef, HwAddr, SECOND, ServerId, ZoneId};

/// Contradictions of one kind that are kept: a wrong file contradicts everything.
const MOST: usize = 10_000;

/// What the user gave beside the captures.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// Logs with the servers that wrote them; a server may have several.
    pub logs: Vec<(ServerId, Log)>,
    /// Lease files with the servers that wrote them.
    pub leases: Vec<(ServerId, LeaseFile)>,
}

impl Given {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.logs.is_empty() && self.leases.is_empty()
    }
}

/// What the witnesses say, on the captures' clock.
#[derive(Clone, Debug, Default)]
pub struct Witnesses {
    /// How every log was put on the captures' clock, in the order given.
    pub alignments: Vec<Alignment>,
    /// Where witnesses and packets disagree.
    pub contradictions: Vec<Contradiction>,
    diaries: BTreeMap<ServerId, Diary>,
    leases: Vec<(ServerId, LeaseFile)>,
}

/// A disagreement of witnesses, or something about a witness that its reader should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contradiction {
    /// What it is.
    pub code: FindingCode,
    /// When.
    pub time: CaptureTime,
    /// Where.
    pub zone: ZoneId,
    /// The server whose log or file it is.
    pub server: ServerId,
    /// The client concerned.
    pub client: Option<HwAddr>,
    /// What differs, as a sentence.
    pub text: String,
    /// The frames that show the other side.
    pub frames: Vec<FrameRef>,
}

/// A change that a server's log tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// When.
    pub time: CaptureTime,
    /// The relationship it concerns; absent where the line does not tell.
    pub relationship: Option<RelationshipId>,
    /// The state that the server entered.
    pub state: Option<State>,
    /// Whether the DHCP service was switched on or off.
    pub service: Option<bool>,
}

impl Witnesses {
    /// Puts the logs on the captures' clock.
    pub fn new(given: Given, evidence: &Evidence<'_>) -> Self {
        let mut witnesses = Self { leases: given.leases, ..Self::default() };
        for (server, log) in given.logs {
            let mut alignment = align::align(server, &log, evidence);
            if is_of_another(&evidence.network.topology, server, &log) {
                alignment.fit = Fit::OtherServer;
            }
            if let Some(text) = alignment.remark(evidence.network.machines.name(server)) {
                let used = alignment.fit.is_used();
                witnesses.contradictions.push(Contradiction {
                    code: if used { FindingCode::LogClockOffset } else { FindingCode::LogNotUsed },
                    time: evidence.messages.first().map(|message| message.time).unwrap_or_default(),
                    zone: zone_of(evidence, server),
                    server,
                    client: None,
                    text,
                    frames: Vec::new(),
                });
            }
            if alignment.fit.is_used() {
                witnesses.diaries.entry(server).or_default().add(log, &alignment);
            }
            witnesses.alignments.push(alignment);
        }
        witnesses
    }

    /// What a server's log says; `None` without a log that fits the captures.
    pub fn diary(&self, server: ServerId) -> Option<&Diary> {
        self.diaries.get(&server)
    }

    /// The state transitions and service switches of a server in time order;
    /// empty without a log whose clock is known exactly.
    pub fn changes(&self, topology: &Topology, server: ServerId) -> Vec<Change> {
        let Some(diary) = self.diary(server).filter(|diary| diary.is_exact()) else { return Vec::new() };
        diary.events().filter_map(|(time, event)| change(topology, server, time, event)).collect()
    }

    /// Holds the decisions, the packets and the leases against the witnesses.
    pub fn compare(&mut self, evidence: &Evidence<'_>, decisions: &mut [Decision], leases: &[Lease]) {
        let mut found = weigh::weigh(self, evidence, decisions);
        found.extend(packets::compare(self, evidence));
        found.extend(bindings::against_acks(&self.leases, evidence, leases));
        found.extend(bindings::against_each_other(&self.leases, evidence));
        self.contradictions.append(&mut found);
    }
}

/// Whether the peer names that a log gives its writer belong to other servers only.
fn is_of_another(topology: &Topology, server: ServerId, log: &Log) -> bool {
    let names = log.events.iter().filter_map(|event| match &event.what {
        What::Transition { server, .. } => server.as_deref(),
        What::Service { server, .. } => Some(&**server),
        _ => None,
    });
    let writers: Vec<ServerId> = names.filter_map(|name| topology.server_by_peer_name(name)).collect();
    !writers.is_empty() && !writers.contains(&server)
}

fn change(topology: &Topology, server: ServerId, time: CaptureTime, event: &Event) -> Option<Change> {
    let (name, state, service) = match &event.what {
        What::Transition { server, to, .. } => (server.as_deref(), to, None),
        What::Service { on, server, state } => (Some(&**server), state, Some(*on)),
        _ => return None,
    };
    let own = |id: &RelationshipId| {
        let peer = topology.relationship(*id).and_then(|it| it.peer(name?));
        peer.is_some_and(|(_, peer)| peer.server == Some(server))
    };
    let mut all = topology.relationships_of(server);
    let relationship = match name {
        Some(_) => all.find(own),
        // Before 2.5.5 there was one relationship and no name.
        None => all.next().filter(|_| all.next().is_none()),
    };
    Some(Change { time, relationship, state: State::from_word(state), service })
}

/// A zone that a server is known to be in, for what concerns no single message.
fn zone_of(evidence: &Evidence<'_>, server: ServerId) -> ZoneId {
    let mut zones = (0..evidence.network.zones.len()).map(|at| ZoneId(at as u16));
    zones.find(|zone| evidence.network.address_in(server, *zone).is_some()).unwrap_or_default()
}

/// Seconds with a sign, as short as they can be.
fn seconds(ns: i64) -> String {
    format!("{:+.3} s", ns as f64 / SECOND as f64)
}
