//! `dorascope explain`: the card of one client, or the paragraph of a code.

use anyhow::{Result, bail};
use dorascope::cells;
use dorascope::exchange::Exchange;
use dorascope::explain::Selector;
use dorascope::explain::card::card;
use dorascope::explain::text::render;
use dorascope::ha::catalogue;
use dorascope::ha::decide::Decision;
use dorascope::pipeline::Analysis;
use dorascope::table::fill::Filler;
use dorascope::table::terminal::{View, draw, paragraph};
use dorascope::table::{Rows, schema};

use super::exit::Exit;
use super::output::{Output, data, text};
use super::reading::read;
use super::resolve::{ExplainJob, Inputs, Shape};
use super::topology;

/// Cards that are printed; a client with more exchanges wants a table.
const MOST_CARDS: usize = 12;

/// Prints the card or the paragraph.
pub fn run(job: &ExplainJob, output: &Output) -> Result<Exit> {
    match job {
        ExplainJob::Code(code, shape) => explain_code(code, *shape, output),
        ExplainJob::Codes(shape) => codes(*shape, output),
        ExplainJob::Card { inputs, selector, shape } => explain_client(inputs, selector, *shape, output),
    }
}

fn explain_code(code: &str, shape: Shape, output: &Output) -> Result<Exit> {
    let Some(entry) = catalogue::find(code) else {
        let nearest = catalogue::entries()
            .max_by(|a, b| strsim::jaro_winkler(a.code, code).total_cmp(&strsim::jaro_winkler(b.code, code)));
        let hint = nearest.map_or_else(String::new, |entry| format!("; the nearest is {}", entry.code));
        bail!("\"{code}\" is neither a file nor a code of the catalogue{hint}");
    };
    if let Shape::Data(format) = shape {
        data(&[&rows_of(std::iter::once(entry))], format)?;
        return Ok(Exit::Done);
    }
    text(&format!("{}  ({})\n", output.strong(entry.code), entry.kind))?;
    text(&paragraph(entry.title, output.width))?;
    if !entry.text.is_empty() {
        text(&format!("\n{}", paragraph(entry.text, output.width)))?;
    }
    Ok(Exit::Done)
}

/// Catalogue entries as rows.
fn rows_of(entries: impl Iterator<Item = catalogue::Entry>) -> Rows {
    let mut rows = Rows::new(&schema::CODES);
    for entry in entries {
        rows.push(&cells![entry.kind, entry.code, entry.title, entry.text]);
    }
    rows
}

/// Prints every code: for people one table per kind.
fn codes(shape: Shape, output: &Output) -> Result<Exit> {
    let of_kind = |kind: &str| rows_of(catalogue::entries().filter(|entry| entry.kind == kind));
    let parts: Vec<Rows> = catalogue::KINDS.iter().map(|(kind, _)| of_kind(kind)).collect();
    if let Shape::Data(format) = shape {
        data(&parts.iter().collect::<Vec<_>>(), format)?;
        return Ok(Exit::Done);
    }
    let view =
        View { width: output.width, colour: output.colour, max_rows: usize::MAX, without: &["kind", "text"] };
    for (number, ((kind, meaning), rows)) in catalogue::KINDS.iter().zip(&parts).enumerate() {
        let space = if number > 0 { "\n" } else { "" };
        let meaning = paragraph(meaning, output.width);
        text(&format!("{space}{}\n{meaning}\n{}", output.strong(kind), draw(rows, &view).text))?;
    }
    text(&output.weak("\ndorascope explain CODE says what to do.\n"))?;
    Ok(Exit::Done)
}

fn explain_client(inputs: &Inputs, selector: &Selector, shape: Shape, output: &Output) -> Result<Exit> {
    let topology = topology::load(&inputs.topology, output)?;
    let (analysis, exit) = read(inputs, &topology, output)?;
    if exit == Exit::Failed {
        return Ok(exit);
    }
    let wanted: Vec<&Exchange> =
        analysis.exchanges.iter().filter(|exchange| selector.means(&analysis, exchange)).collect();
    if wanted.is_empty() {
        bail!("{}", nothing(&analysis, selector));
    }
    if shape != Shape::Table {
        let decisions: Vec<&Decision> =
            wanted.iter().flat_map(|exchange| analysis.decisions_of(exchange.id)).collect();
        output.rows(&Filler::new(&analysis).decision_rows(&decisions), shape, usize::MAX)?;
        return Ok(exit);
    }
    for (number, exchange) in wanted.iter().take(MOST_CARDS).enumerate() {
        let gap = if number > 0 { "\n\n" } else { "" };
        text(&format!("{gap}{}", render(&card(&analysis, exchange.id, output.width), output.colour)))?;
    }
    if wanted.len() > MOST_CARDS {
        let more = wanted.len() - MOST_CARDS;
        text(&output.weak(&format!(
            "\n{more} more exchanges; --xid picks one, --format csv lists every decision\n"
        )))?;
    }
    Ok(exit)
}

/// Says what there is instead of what was asked for.
fn nothing(analysis: &Analysis<'_>, selector: &Selector) -> String {
    let mut clients: Vec<String> = analysis
        .exchanges
        .iter()
        .map(|exchange| exchange.client.chaddr)
        .filter(|mac| !mac.is_empty())
        .map(|mac| analysis.client_name(mac).map_or_else(|| mac.to_string(), str::to_owned))
        .collect();
    clients.sort_unstable();
    clients.dedup();
    let total = clients.len();
    clients.truncate(6);
    match total {
        0 => format!("no message of {selector}: the captures hold no DHCP client at all"),
        _ if total > clients.len() => {
            format!(
                "no message of {selector}; the captures show {total} clients, among them {}",
                clients.join(", ")
            )
        }
        _ => format!("no message of {selector}; the captures show {}", clients.join(", ")),
    }
}
