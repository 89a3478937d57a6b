//! The report as one page that works from a file and asks the network for nothing.

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::document::{Block, Document, Grid};
use crate::explain::text::Role;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// Without a script nobody could show the rows that are hidden at first.
const NO_SCRIPT_STYLE: &str = "tr[hidden]{display:table-row}.tools{display:none}";

/// Rows of a table that are shown at first.
const FIRST_ROWS: usize = 100;
/// A table with more rows than this gets a filter.
const FEW_ROWS: usize = 12;

/// The page. Askama escapes every value that is not marked safe; safe are our own style and script, and the charts,
/// which escape what they set.
#[derive(Template)]
#[template(path = "report/page.html")]
struct Page<'a> {
    document: &'a Document,
    policy: String,
}

/// The document as a page.
pub fn render(document: &Document) -> Result<String, askama::Error> {
    // Whatever gets into the page in spite of all care is no script of ours, and a browser does not run it.
    let policy = format!(
        "default-src 'none'; img-src data:; script-src {}; style-src {} {}; base-uri 'none'; form-action 'none'",
        digest(SCRIPT),
        digest(STYLE),
        digest(NO_SCRIPT_STYLE)
    );
    Page { document, policy }.render()
}

/// A source by its content.
fn digest(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text.as_bytes())))
}

/// The class of a role; templates have references.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "askama hands over references")]
const fn class(role: &Role) -> &'static str {
    match role {
        Role::Plain => "plain",
        Role::Strong => "strong",
        Role::Weak => "weak",
        Role::Good => "good",
        Role::Bad => "bad",
        Role::Notable => "notable",
    }
}

const fn has_tools(grid: &Grid) -> bool {
    grid.rows.len() > FEW_ROWS
}
