//! What the HA state machines did.

use super::document::{Block, Datum, Figure, Grid, Section};
use super::names::Names;
use super::servers::columns;
use crate::explain::text::Role;
use crate::ha::replay::{Cause, Transition};
use crate::ha::state::State;
use crate::ha::topology::{Mode, Role as PeerRole};
use crate::pipeline::Analysis;

/// Changes that are listed; a capture with more has a problem that the first ones show.
const MOST_CHANGES: usize = 500;
/// Frames that are named beside a change.
const MOST_FRAMES: usize = 4;

/// The section, with the chart of the states.
pub fn section(last: &Analysis<'_>, names: &Names, chart: Option<Figure>) -> Section {
    let mut blocks: Vec<Block> = chart.into_iter().map(Block::Chart).collect();
    let changes = &last.replay.transitions;
    if changes.is_empty() {
        let text = "No change of a server's HA state was captured.";
        blocks.push(Block::Paragraph(text.into()));
    } else {
        let rest = match changes.len().saturating_sub(MOST_CHANGES) {
            0 => String::new(),
            more => format!(
                "{more} later changes are not listed; dorascope analyze … -o DIR writes them to ha_events."
            ),
        };
        blocks.push(Block::Table(Grid {
            anchor: "states-table".to_owned(),
            caption: format!("Changes of state ({})", names.day()).into(),
            columns: columns(&["When", "Server", "Relationship", "From", "To", "Why", "Evidence"]),
            rows: changes.iter().take(MOST_CHANGES).map(|change| row(last, names, change)).collect(),
            rest: rest.into(),
        }));
    }
    Section { anchor: "states", heading: "High Availability states", blocks }
}

fn row(last: &Analysis<'_>, names: &Names, change: &Transition) -> Vec<Datum> {
    let frames = change.evidence.iter().chain(change.observed.as_ref().map(|(_, at)| at));
    let to = change.to.as_str();
    vec![
        names.time(change.instant()).into(),
        last.network.machines.name(change.server).into(),
        last.network.topology.relationship_name(change.relationship).into(),
        change.from.map_or(Datum::default(), |from| from.as_str().into()),
        if is_takeover(last, change) { Datum::of(Role::Notable, to) } else { to.into() },
        why(change.cause).into(),
        format!("{}: {}", change.basis.as_str(), names.frames(frames.copied(), MOST_FRAMES)).into(),
    ]
}

/// Whether a server begins to serve for its partner too. The primary of a hot-standby pair serves all clients anyway.
pub fn is_takeover(last: &Analysis<'_>, change: &Transition) -> bool {
    let relationship = last.network.topology.relationship(change.relationship);
    let alone = relationship.is_some_and(|it| {
        it.mode != Mode::LoadBalancing
            && it.peer_of(change.server).is_some_and(|peer| peer.role == PeerRole::Primary)
    });
    matches!(change.to, State::PartnerDown | State::PartnerInMaintenance)
        && change.cause != Cause::FirstSeen
        && !alone
}

/// The cause in words.
fn why(cause: Cause) -> String {
    let words = match cause {
        Cause::Started => "it was started",
        Cause::FirstSeen => "seen for the first time",
        Cause::ClientsUnacked => "its heartbeat failed, and more clients than allowed had waited in vain",
        Cause::Interrupted => "its heartbeat failed, and its partner had been silent for too long",
        Cause::PartnerUnavailable => "its partner became unavailable",
        Cause::Partner(state) => return format!("its partner is in {}", state.as_str()),
        Cause::Synchronised => "it has fetched its partner's leases",
        Cause::Reset => "it was told to (ha-reset)",
        Cause::Maintenance => "maintenance was started",
        Cause::MaintenanceCancelled => "maintenance was cancelled",
        Cause::Fatal => "clocks that differ, or lease updates that were rejected",
        Cause::Observed => "it says so itself; no rule known here explains it",
    };
    words.to_owned()
}
