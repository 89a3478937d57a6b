//! Leases with their proofs, clients that got none, and the cards.

use std::collections::{BTreeMap, HashSet};

use super::document::{Block, Card, Datum, Grid, Link, Section, Words};
use super::gather::{Gathered, MOST_LEASES, MOST_UNSERVED};
use super::names::Names;
use super::servers::columns;
use crate::explain::text::Role;
use crate::ha::catalogue::{Verdict, find};
use crate::table::fill::Filler;
use crate::table::{Cell, Rows};
use crate::units::CaptureTime;

/// The leases.
pub fn section(
    gathered: &Gathered,
    filler: &Filler<'_>,
    names: &Names,
    anchors: &HashSet<String>,
) -> Section {
    let mut blocks = Vec::new();
    if gathered.leases.is_empty() {
        blocks.push(Block::Paragraph("No address was bound to a client in these captures.".into()));
        return Section { anchor: "leases", heading: "Leases", blocks };
    }
    let rows = filler.lease_rows(&gathered.leases);
    let rest = match gathered.lease_count - gathered.leases.len() as u64 {
        0 => String::new(),
        more => format!(
            "These are the first {MOST_LEASES} leases; dorascope analyze … --format csv prints {more} more, \
             dorascope analyze … -o DIR writes all tables."
        ),
    };
    let lacking =
        (0..rows.len()).filter(|row| !anchors.contains(&*rows.get(*row, "exchange_id").plain())).count();
    if lacking > 0 {
        let text = format!(
            "{lacking} of the leases below have no card on this page; the option beside them is the one with which \
             dorascope explain shows it, over the same captures."
        );
        blocks.push(Block::Paragraph(text.into()));
    }
    blocks.push(Block::Table(Grid {
        anchor: "leases-table".to_owned(),
        caption: format!("Leases, who gave them and why ({})", names.day()).into(),
        columns: columns(&[
            "Proof",
            "Client",
            "Address",
            "Server",
            "Owner",
            "Zone",
            "Start",
            "Verdict",
            "!Confidence",
            "Reason",
        ]),
        rows: (0..rows.len()).map(|at| lease(&rows, at, names, anchors)).collect(),
        rest: rest.into(),
    }));
    Section { anchor: "leases", heading: "Leases", blocks }
}

fn lease(rows: &Rows, at: usize, names: &Names, anchors: &HashSet<String>) -> Vec<Datum> {
    let text = |column: &str| Words::from(rows.get(at, column).plain());
    let plain = |column: &str| Datum::from(text(column));
    let exchange = text("exchange_id");
    let proof = if anchors.contains(exchange.as_str()) {
        Datum::link(Link::to(&exchange))
    } else {
        Datum::of(Role::Weak, format!("--ip {}", text("ip")))
    };
    let client = match rows.get(at, "client_name") {
        Cell::Null => plain("chaddr"),
        name => Datum::from(Words::from(name.plain())),
    };
    let start = match rows.get(at, "start_ns") {
        Cell::I64(ns) => names.time(CaptureTime(ns)),
        _ => String::new(),
    };
    let sure = match rows.get(at, "confidence") {
        Cell::F64(sure) => format!("{sure:.2}"),
        _ => String::new(),
    };
    vec![
        proof,
        client,
        plain("ip"),
        plain("server"),
        plain("owner"),
        plain("zone"),
        start.into(),
        verdict(&text("verdict")),
        sure.into(),
        plain("reason"),
    ]
}

/// A verdict with the colour of what it means.
fn verdict(code: &Words) -> Datum {
    let is = |verdict: Verdict| verdict.code() == code.as_str();
    let role = match () {
        () if is(Verdict::OwnerAnswered) || is(Verdict::AnsweredWithoutHa) => Role::Good,
        () if is(Verdict::PartnerTookOver) => Role::Notable,
        () if is(Verdict::AnsweredUnexplained) => Role::Weak,
        () => Role::Bad,
    };
    Datum::of(role, code.clone())
}

/// Clients that got no lease; none where all did.
pub fn unserved(gathered: &mut Gathered, names: &Names) -> Option<Section> {
    if gathered.unserved_count == 0 {
        return None;
    }
    let row = |(start, mut row): (CaptureTime, Vec<Datum>)| {
        row.insert(1, names.time(start).into());
        row
    };
    let rows: Vec<Vec<Datum>> = std::mem::take(&mut gathered.unserved).into_iter().map(row).collect();
    let rest = match gathered.unserved_count - rows.len() as u64 {
        0 => String::new(),
        more => format!(
            "These are the first {MOST_UNSERVED}; dorascope analyze … -o DIR writes {more} more to the table exchanges."
        ),
    };
    let table = Grid {
        anchor: "unserved-table".to_owned(),
        caption: format!("Exchanges that ended without a lease ({})", names.day()).into(),
        columns: columns(&[
            "Proof",
            "Start",
            "Client",
            "Zone",
            "Kind",
            "Outcome",
            "Verdict",
            "!Confidence",
            "Reason",
        ]),
        rows,
        rest: rest.into(),
    };
    Some(Section {
        anchor: "unserved",
        heading: "Exchanges without a lease",
        blocks: vec![Block::Table(table)],
    })
}

/// The cards, by client: those with a name first, in the order in which they came.
pub fn cards(gathered: &mut Gathered, names: &Names) -> Section {
    let (odd, others) = gathered.without_card;
    let mut text = "Who heard the client, who answered, which rule silenced the other server, and the frames to check it \
                    in: numbers as Wireshark shows them."
        .to_owned();
    if odd + others > 0 {
        text = format!(
            "{text} {} further exchanges ({odd} of them not as expected) have no card here; dorascope explain shows each.",
            odd + others
        );
    }
    let cards = std::mem::take(&mut gathered.cards);
    if cards.is_empty() {
        "There is no exchange to prove anything about.".clone_into(&mut text);
    }
    let mut order: Vec<String> = Vec::new();
    let mut groups: BTreeMap<String, Vec<Card>> = BTreeMap::new();
    for mut card in cards {
        card.when = names.time(card.start).into();
        let name = card.client.as_str().to_owned();
        if !groups.contains_key(&name) {
            order.push(name.clone());
        }
        groups.entry(name).or_default().push(card);
    }
    // Clients without a name come last, together.
    order.sort_by_key(String::is_empty);
    let named = order.iter().any(|name| !name.is_empty());
    let mut blocks = vec![Block::Paragraph(text.into())];
    for name in order {
        let Some(cards) = groups.remove(&name) else { continue };
        let heading = match (name.is_empty(), named) {
            (false, _) => name,
            (true, true) => "Other clients".to_owned(),
            (true, false) => "All clients".to_owned(),
        };
        blocks.push(Block::Heading(heading.into()));
        blocks.push(Block::Cards(cards));
    }
    Section { anchor: "proofs", heading: "Proofs", blocks }
}

/// What a verdict or finding means, by its code.
pub fn meaning(code: &str) -> Option<super::document::Meaning> {
    let entry = find(code)?;
    Some(super::document::Meaning { code: entry.code, title: entry.title, text: entry.text })
}
