//! The pages in docs/ that are made from the program's own catalogue and schema.
//!
//! `make docs` writes them: it runs these tests with `UPDATE_DOCS=1`.

use std::fmt::Write;

use dorascope::ha::catalogue::{KINDS, entries};
use dorascope::table::schema;

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

#[test]
fn every_column_is_on_its_page() {
    let mut text = format!(
        "{MADE}\n\n# Tables\n\nWhat `dorascope analyze -o DIR` writes, one file per table, and what other commands \
         print with `--format`. Version {} of the schema; `dorascope schema` prints it. A column is only ever \
         appended. CSV escapes control characters as `\\u{{1b}}`, and puts an apostrophe before text that a \
         spreadsheet would calculate; the other formats have every text as it was sent.\n",
        schema::VERSION
    );
    for table in schema::TABLES.into_iter().chain(schema::RESULTS).chain(schema::CHARTS) {
        let _ = write!(text, "\n## {}\n\n{}\n\n", table.name, table.meaning);
        text.push_str("| column | kind | unit or notation | meaning | null when |\n|---|---|---|---|---|\n");
        for column in table.columns {
            // A bar would end the cell.
            let cells = [column.kind.describe().as_str(), column.unit, column.meaning, column.null_when]
                .map(|cell| cell.replace('|', "\\|"));
            let _ = writeln!(text, "| {} | {} |", column.name, cells.join(" | "));
        }
    }
    page::is_current("docs/tables.md", &text);
}
