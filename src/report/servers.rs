//! The servers: their place in each relationship, how that ended, and when a partner takes over.

use super::document::{Block, Column, Datum, Grid, Item, Section, Words};
use super::gather::Gathered;
use crate::explain::text::Role;
use crate::ha::topology::{Limits, Mode, Relationship, RelationshipId, ServerId};
use crate::pipeline::Analysis;
use crate::units::CaptureTime;

/// Servers without a relationship that are listed.
const MOST_STRANGERS: usize = 100;

/// Columns with these headings; the ones after `!` hold numbers.
pub fn columns(headings: &[&str]) -> Vec<Column> {
    let column = |heading: &&str| Column {
        heading: heading.trim_start_matches('!').into(),
        number: heading.starts_with('!'),
    };
    headings.iter().map(column).collect()
}

/// The section.
pub fn section(gathered: &Gathered, last: &Analysis<'_>) -> Section {
    let topology = &*last.network.topology;
    let mut rows = Vec::new();
    for id in (0..topology.relationships.len()).map(RelationshipId) {
        let peers = topology.relationship(id).map(|it| it.peers.as_slice()).unwrap_or_default();
        for server in peers.iter().filter_map(|peer| peer.server) {
            rows.push(seat(gathered, last, server, id));
        }
    }
    let single: Vec<ServerId> = last.network.machines.iter().map(|(id, _)| id).collect();
    let single: Vec<&ServerId> =
        single.iter().filter(|id| topology.relationships_of(**id).next().is_none()).collect();
    rows.extend(single.iter().take(MOST_STRANGERS).map(|id| alone(gathered, last, **id)));
    let more = single.len().saturating_sub(MOST_STRANGERS);
    if rows.is_empty() {
        let text = "No server is known: no configuration was given, and the captures show no server's reply.";
        return Section {
            anchor: "servers",
            heading: "Servers",
            blocks: vec![Block::Paragraph(text.into())],
        };
    }
    let rest = if more > 0 {
        format!("{more} more servers that the topology does not name.")
    } else {
        String::new()
    };
    let table = Grid {
        anchor: "servers-table".to_owned(),
        caption: "Servers, their place in each relationship, and what they gave".into(),
        columns: columns(&[
            "Server",
            "Addresses",
            "Relationship",
            "Mode",
            "Role",
            "State at the end",
            "Serves",
            "!Leases given",
        ]),
        rows,
        rest: rest.into(),
    };
    let mut blocks = vec![Block::Table(table)];
    if topology.inferred {
        let text = "Pairs, modes and roles were concluded from the heartbeats; no configuration was given.";
        blocks.push(Block::Paragraph(text.into()));
    }
    let rules = takeovers(last);
    if !rules.is_empty() {
        blocks.push(Block::Heading("When a partner takes over".into()));
        blocks.push(Block::List(rules));
        blocks.push(Block::Table(thresholds(last)));
    }
    Section { anchor: "servers", heading: "Servers and relationships", blocks }
}

/// A server's row for one relationship.
fn seat(gathered: &Gathered, last: &Analysis<'_>, server: ServerId, id: RelationshipId) -> Vec<Datum> {
    let topology = &*last.network.topology;
    let relationship = topology.relationship(id);
    let peers = relationship.map(|it| it.peers.as_slice()).unwrap_or_default();
    let role = relationship.and_then(|it| it.peer_of(server)).map_or("", |peer| peer.role.as_str());
    let end = last.sources.iter().filter_map(|source| source.last).max().unwrap_or(CaptureTime(0));
    let known = last.replay.state_at(server, id, end);
    let (state, serves) = match &known {
        None => (Datum::of(Role::Weak, "not known"), Datum::of(Role::Weak, "not known")),
        Some(known) => {
            let state = known.span.state.map_or("not running", |state| state.as_str());
            let scopes =
                known.span.scopes.iter().filter_map(|at| peers.get(*at)).filter_map(|peer| peer.server);
            let scopes: Vec<&str> = scopes
                .map(
                    |owner| if owner == server { "its own scope" } else { last.network.machines.name(owner) },
                )
                .collect();
            let serves = match scopes.as_slice() {
                _ if !known.span.service_on || known.span.state.is_none() => "nobody".to_owned(),
                [] => "no scope".to_owned(),
                [own] if *own == "its own scope" => "its own scope".to_owned(),
                scopes => scopes.join(" and "),
            };
            (Datum::from(state), Datum::from(serves))
        }
    };
    vec![
        Datum::of(Role::Strong, last.network.machines.name(server)),
        addresses(last, server).into(),
        topology.relationship_name(id).into(),
        relationship.map_or("", |it| it.mode.as_str()).into(),
        role.into(),
        state,
        serves,
        gathered.given.get(&(server, Some(id))).copied().unwrap_or_default().to_string().into(),
    ]
}

/// The row of a server without a relationship.
fn alone(gathered: &Gathered, last: &Analysis<'_>, server: ServerId) -> Vec<Datum> {
    let known = server.0 < last.network.topology.servers.len();
    let relationship = if known { "none" } else { "not in the topology" };
    let given: u64 = gathered.given.iter().filter(|(key, _)| key.0 == server).map(|(_, count)| count).sum();
    let mut row: Vec<Datum> = vec![
        Datum::of(Role::Strong, last.network.machines.name(server)),
        addresses(last, server).into(),
        Datum::of(Role::Weak, relationship),
    ];
    row.extend((0..4).map(|_| Datum::default()));
    row.push(given.to_string().into());
    row
}

fn addresses(last: &Analysis<'_>, server: ServerId) -> String {
    let addresses = last.network.machines.get(server).map(|it| it.addresses.as_slice()).unwrap_or_default();
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Kea's rule of failure detection in the numbers of each relationship; what several have in common is said once.
fn takeovers(last: &Analysis<'_>) -> Vec<Item> {
    let topology = &*last.network.topology;
    let mut said: Vec<(Vec<String>, String)> = Vec::new();
    for (at, relationship) in topology.relationships.iter().enumerate() {
        let (name, text) = (topology.relationship_name(RelationshipId(at)), takeover(relationship));
        match said.iter_mut().find(|(_, other)| *other == text) {
            Some((names, _)) => names.push(name),
            None => said.push((vec![name], text)),
        }
    }
    let item = |(names, text): (Vec<String>, String)| Item {
        about: names.join(", ").into(),
        text: text.into(),
        link: None,
    };
    said.into_iter().map(item).collect()
}

/// When a peer takes over (kea-ha §3).
fn takeover(relationship: &Relationship) -> String {
    let Limits { max_response_delay_ms, max_ack_delay_ms, max_unacked_clients, assumed, .. } =
        relationship.limits;
    let silent = seconds(max_response_delay_ms);
    // The primary of a hot-standby pair serves everybody anyway, and counts nobody (kea-ha §3.1).
    let (who, primary) = match relationship.mode {
        Mode::HotStandby => (
            "the standby",
            format!(
                " The primary counts no clients: it goes to partner-down at the first failed heartbeat after {silent} of silence."
            ),
        ),
        _ => ("a server", String::new()),
    };
    let text = match relationship.mode {
        Mode::PassiveBackup => {
            "a backup only stores leases: it serves when an operator tells it to.".to_owned()
        }
        _ if max_unacked_clients == 0 => format!(
            "a server takes over as soon as its partner has not answered for longer than {silent}; no client has to wait."
        ),
        _ => format!(
            "{who} takes over when its partner has not answered for longer than {silent}, more than \
             {max_unacked_clients} different clients (so at least {}) have each said that they wait longer than {}, and \
             the next heartbeat fails too.{primary}",
            u64::from(max_unacked_clients) + 1,
            seconds(max_ack_delay_ms)
        ),
    };
    let assumed = if assumed { " These are Kea's defaults; no configuration says otherwise." } else { "" };
    format!("{text}{assumed}")
}

fn seconds(ms: u32) -> String {
    match f64::from(ms) / 1000.0 {
        1.0 => "1 second".to_owned(),
        other => format!("{other} seconds"),
    }
}

/// The limits in Kea's own names.
fn thresholds(last: &Analysis<'_>) -> Grid {
    let topology = &*last.network.topology;
    let row = |(at, relationship): (usize, &Relationship)| -> Vec<Datum> {
        let limits = relationship.limits;
        let ms = |ms: u32| Datum::from(format!("{ms} ms"));
        vec![
            topology.relationship_name(RelationshipId(at)).into(),
            ms(limits.heartbeat_delay_ms),
            ms(limits.max_response_delay_ms),
            ms(limits.max_ack_delay_ms),
            limits.max_unacked_clients.to_string().into(),
            if limits.send_lease_updates { "yes" } else { "no" }.into(),
            if limits.assumed { "Kea's default" } else { "configuration" }.into(),
        ]
    };
    Grid {
        anchor: "thresholds-table".to_owned(),
        caption: "Thresholds of failure detection".into(),
        columns: columns(&[
            "Relationship",
            "!heartbeat-delay",
            "!max-response-delay",
            "!max-ack-delay",
            "!max-unacked-clients",
            "send-lease-updates",
            "From",
        ]),
        rows: topology.relationships.iter().enumerate().map(row).collect(),
        rest: Words::default(),
    }
}
