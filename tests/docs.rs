//! The pages in docs/ that are made from the program's own catalogue and schema.
//!
//! `make docs` writes them: it runs these tests with `UPDATE_DOCS=1`.

use std::fmt::Write;

use dorascope::capture::Input;
use dorascope::exchange::PairLimits;
use dorascope::ha::catalogue::{KINDS, entries};
use dorascope::ha::topology::Topology;
use dorascope::pipeline::analyze;
use dorascope::table::fill::Filler;
use dorascope::table::terminal::{View, draw};
use dorascope::table::{Rows, schema};

use crate::support::page::{self, MADE};

#[test]
fn every_code_is_on_its_page() {
    let mut text = format!(
        "{MADE}\n\n# Codes\n\nThe stable codes in dorascope's tables. `dorascope explain CODE` prints one entry, \
         `dorascope explain --codes` lists them.\n"
    );
    for (kind, meaning) in KINDS {
        let _ = write!(text, "\n- [{kind}](#kind-{kind}): {meaning}");
    }
    text.push('\n');
    for (kind, meaning) in KINDS {
        let _ = write!(text, "\n## Kind: {kind}\n\n{meaning}\n");
        for entry in entries().filter(|entry| entry.kind == kind) {
            let _ = write!(text, "\n### {}\n\n**{}**\n\n{}\n", entry.code, entry.title, entry.text);
        }
    }
    page::is_current("docs/codes.md", &text);
}

/// The first rows of a table of a recording, as a terminal shows them.
fn first_rows(rows: &Rows) -> String {
    let view = View { width: 100, colour: false, max_rows: 4, without: &[] };
    let lines: Vec<String> = draw(rows, &view).text.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

#[test]
fn every_table_has_its_page() {
    let mut index = format!(
        "{MADE}\n\n# Tables\n\nVersion {} of the schema; `dorascope schema` prints it. A column is only ever \
         appended. CSV escapes control characters as `\\u{{1b}}`, and puts an apostrophe before text that a \
         spreadsheet would calculate; the other formats have every text as it was sent.\n",
        schema::VERSION
    );
    // Paths are those that a reader of the repository would type.
    let input = |zone| Input { zone: None, path: format!("captures/all-on/{zone}.pcap").into() };
    let inputs = ["zaldua1", "zaldua2", "zaldua3"].map(input);
    let topology = Topology::load("captures/all-on/topology.toml".as_ref()).unwrap();
    let analysis = analyze(&inputs, &topology, PairLimits::default(), |_| {});
    let filled = Filler::new(&analysis).all();
    let groups = [
        ("What `dorascope analyze -o DIR` writes, one file each", &schema::TABLES[..]),
        ("What other commands print with `--format`", &schema::RESULTS[..]),
        ("The data behind the charts, `dorascope chart --data`", &schema::CHARTS[..]),
    ];
    for (heading, tables) in groups {
        let _ = write!(index, "\n## {heading}\n\n| table | a row |\n|---|---|\n");
        for table in tables {
            let _ = writeln!(index, "| [{}](tables/{}.md) | {} |", table.name, table.name, table.meaning);
            let mut text = format!("{MADE}\n\n# {}\n\n{}\n\n", table.name, table.meaning);
            text.push_str(
                "| column | kind | unit or notation | meaning | null when |\n|---|---|---|---|---|\n",
            );
            for column in table.columns {
                // A bar would end the cell.
                let cells = [column.kind.describe().as_str(), column.unit, column.meaning, column.null_when]
                    .map(|cell| cell.replace('|', "\\|"));
                let _ = writeln!(text, "| {} | {} |", column.name, cells.join(" | "));
            }
            if let Some(rows) = filled.iter().find(|rows| rows.table() == *table && !rows.is_empty()) {
                let _ = write!(
                    text,
                    "\nThe first rows of captures/all-on, with as many columns as a terminal has room for:\n\n\
                     ```text\n{}\n```\n",
                    first_rows(rows)
                );
            }
            page::is_current(&format!("docs/tables/{}.md", table.name), &text);
        }
    }
    page::is_current("docs/tables.md", &index);
}
