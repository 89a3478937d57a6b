//! How the result was made, and what makes it less sure.

use super::Options;
use super::document::{Block, Datum, Grid, Item, Section, Words};
use super::gather::{Gathered, MOST_CLIENTS};
use super::names::Names;
use super::servers::columns;
use crate::pipeline::Analysis;
use crate::table::Cell;
use crate::table::fill::Filler;
use crate::units::CaptureTime;

/// The section.
pub fn section(
    options: &Options,
    gathered: &Gathered,
    last: &Analysis<'_>,
    filler: &Filler<'_>,
    names: &Names,
) -> Section {
    let mut facts = vec![fact("Program", format!("dorascope {}", env!("CARGO_PKG_VERSION")))];
    if !options.command.is_empty() {
        facts.push(fact("Command", options.command.clone()));
    }
    facts.push(fact("Topology", topology(options, last)));
    for (about, files) in
        [("Logs", &options.logs), ("Lease files", &options.leases), ("Expectations", &options.expected)]
    {
        if !files.is_empty() {
            facts.push(fact(about, files.join(", ")));
        }
    }
    let blocks = vec![
        Block::List(facts),
        Block::Table(inputs(filler, names)),
        Block::Heading("What makes the result less sure".into()),
        Block::List(doubts(gathered, last)),
    ];
    Section { anchor: "made", heading: "How this was made", blocks }
}

fn fact(about: &str, text: String) -> Item {
    Item { about: about.into(), text: text.into(), link: None }
}

fn topology(options: &Options, last: &Analysis<'_>) -> String {
    match (options.topology.as_slice(), last.network.topology.inferred) {
        ([], true) => "none given; concluded from the heartbeats".to_owned(),
        ([], false) => "none given".to_owned(),
        (files, _) => files.join(", "),
    }
}

/// One row per source.
fn inputs(filler: &Filler<'_>, names: &Names) -> Grid {
    let sources = filler.sources();
    let row = |at: usize| -> Vec<Datum> {
        let text = |column: &str| Datum::from(Words::from(sources.get(at, column).plain()));
        let time = |column: &str| match sources.get(at, column) {
            Cell::I64(ns) => Datum::from(names.time(CaptureTime(ns))),
            _ => Datum::default(),
        };
        let skipped = match sources.get(at, "skipped") {
            Cell::List(reasons) => {
                reasons.iter().map(|reason| reason.plain().replace('|', " ")).collect::<Vec<_>>().join(", ")
            }
            _ => String::new(),
        };
        let mut row: Vec<Datum> =
            ["source", "zone", "format", "link"].iter().map(|column| text(column)).collect();
        row.extend([time("first_ns"), time("last_ns")]);
        row.extend(["frames", "messages", "control"].iter().map(|column| text(column)));
        row.push(skipped.into());
        row
    };
    Grid {
        anchor: "inputs-table".to_owned(),
        caption: format!("Captures that were read ({})", names.day()).into(),
        columns: columns(&[
            "Capture",
            "Zone",
            "Format",
            "Link",
            "First frame",
            "Last frame",
            "!Frames",
            "!DHCP messages",
            "!Control segments",
            "Not decoded, by reason",
        ]),
        rows: (0..sources.len()).map(row).collect(),
        rest: if sources.is_empty() { "No capture could be read." } else { "" }.into(),
    }
}

/// What lowers confidence, and which limits applied.
fn doubts(gathered: &Gathered, last: &Analysis<'_>) -> Vec<Item> {
    let topology = &*last.network.topology;
    let counts = last.counts.total();
    let mut doubts: Vec<String> =
        last.troubles.iter().map(|trouble| format!("An input was not read whole: {trouble}.")).collect();
    let mut add = |applies: bool, text: String| {
        if applies {
            doubts.push(text);
        }
    };
    add(counts.frames() == 0, "The captures hold no frame.".to_owned());
    add(counts.frames() > 0 && counts.messages == 0, "The captures hold no DHCP message.".to_owned());
    add(
        topology.servers.is_empty(),
        "No configuration of a server was given, so there is no rule to compare with: --kea NAME=kea-dhcp4.conf or -t \
         topology.toml."
            .to_owned(),
    );
    add(
        topology.inferred,
        "Pairs were concluded from their heartbeats; thresholds and subnets are unknown: --kea or -t make it exact.".to_owned(),
    );
    add(
        counts.messages > 0 && counts.control == 0 && !topology.relationships.is_empty(),
        "No control channel between the servers was captured, so their states are concluded from who answered: capture the \
         ports of the peers' URLs too."
            .to_owned(),
    );
    add(gathered.encrypted, "The control channel is encrypted: what it says was not read.".to_owned());
    if !topology.zones.is_empty() {
        for zone in last.network.zones.iter().filter(|zone| topology.zone_named(zone).is_none()) {
            add(true, format!("Zone {zone} is not in the topology, so nobody is known to hear it."));
        }
    }
    add(counts.cut > 0, format!("{} frames were captured in part only (snap length).", counts.cut));
    let dropped: u64 = last.sources.iter().filter_map(|source| source.dropped_kernel).sum();
    add(dropped > 0, format!("The capturing system dropped {dropped} frames."));
    let untimed: u64 = last.sources.iter().map(|source| source.untimed).sum();
    add(untimed > 0, format!("{untimed} frames have no time of their own."));
    let orphans = last.counts.orphans;
    add(orphans > 0, format!("{orphans} replies answer a query that was not captured."));
    let evicted = last.counts.evicted;
    add(
        evicted > 0,
        format!("{evicted} exchanges were closed early, because too many were open at one time."),
    );
    let forgotten = last.counts.forgotten;
    add(forgotten > 0, format!("{forgotten} leases were not followed to their end, because too many ran."));
    add(gathered.clients.len() >= MOST_CLIENTS, format!("Clients were counted up to {MOST_CLIENTS}."));
    let unsure = gathered.lease_count - gathered.sure;
    add(
        unsure > 0,
        format!(
            "{unsure} of {} leases have a confidence below 0.90: evidence on one side of them only, old or assumed; their \
             cards name it.",
            gathered.lease_count
        ),
    );
    if doubts.is_empty() {
        doubts.push("Nothing that this program knows of.".to_owned());
    }
    doubts.into_iter().map(|text| Item { about: Words::default(), text: text.into(), link: None }).collect()
}
