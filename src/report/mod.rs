//! A report for people who were not there: Markdown for notes, and one page that needs nothing else.
//!
//! ```text
//! Analysis, batch by batch → gather → Document ─┬→ markdown → report.md
//!                                     ↑         └→ html (page.html, page.css, page.js) → index.html
//!                             Charts → figures  → charts/*.svg, charts/*.csv
//! ```
//!
//! | file | what it holds |
//! |---|---|
//! | `document` | what a report says, once for both forms; [`Words`](document::Words) is all text of it |
//! | `gather` | what is kept of the batches, in bounded memory |
//! | `summary`, `servers`, `expected`, `history`, `leases`, `findings`, `made` | one section each |
//! | `cards`, `figures`, `names` | proof cards and charts as parts of sections; frames and instants in words |
//! | `markdown`, `html` | the two forms; each escapes for its own notation |
//!
//! Both forms walk the same document, so they say the same in the same order. Nothing here reads a clock
//! or writes a file: [`Report::finish`] gives names and bytes, the same ones for the same captures.
//! Reading order: this page, `document`, `gather`, any section, `html`.

mod cards;
mod document;
mod expected;
mod figures;
mod findings;
mod gather;
mod history;
mod html;
mod leases;
mod made;
mod markdown;
mod names;
mod servers;
mod summary;

use std::collections::HashSet;

use self::document::{Block, Document, Section, Words};
use self::gather::Gathered;
use self::names::Names;
use crate::chart::Kind;
use crate::ha::expect::Expectations;
use crate::pipeline::Analysis;
use crate::table::fill::Filler;

/// What a report says beside what the captures show.
#[derive(Debug, Default)]
pub struct Options {
    /// Its title; otherwise the zones are.
    pub title: Option<String>,
    /// The command line that made it; may be empty.
    pub command: String,
    /// The files that the topology comes from.
    pub topology: Vec<String>,
    /// The servers' logs.
    pub logs: Vec<String>,
    /// The servers' lease files.
    pub leases: Vec<String>,
    /// The file of the expectations.
    pub expected: Vec<String>,
    /// Tables of expected leases to fill.
    pub expectations: Option<Expectations>,
}

/// A file of a report.
#[derive(Debug)]
pub struct File {
    /// Its path below the report's folder, with slashes.
    pub name: String,
    /// Its bytes.
    pub content: Vec<u8>,
}

/// Why a report could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The data behind a chart.
    #[error("cannot write the data of a chart")]
    Data(#[from] crate::table::Error),
    /// The page.
    #[error("cannot fill the page")]
    Page(#[from] askama::Error),
}

/// A report in the making: takes an analysis batch by batch, is written at the end.
pub struct Report {
    options: Options,
    gathered: Gathered,
}

impl Report {
    /// One that has seen nothing yet.
    pub fn new(options: Options) -> Self {
        Self { options, gathered: Gathered::new() }
    }

    /// Takes what a batch settles; batches come in order. Expectations are about all exchanges of a
    /// client at once, so with them the only batch is the whole capture.
    pub fn take(&mut self, batch: &Analysis<'_>) {
        if let Some(expectations) = &self.options.expectations {
            self.gathered.expect(batch, expectations);
        }
        self.gathered.take(batch);
    }

    /// The files of the report. `last` is the last batch, which was taken.
    pub fn finish(self, last: &Analysis<'_>) -> Result<Vec<File>, Error> {
        let Self { options, mut gathered } = self;
        let findings = std::mem::take(&mut gathered.finder).finish(last);
        let (mut figures, mut files) = figures::of(gathered.charts.finish(last))?;
        gathered.charts = crate::chart::Charts::new(&[], None);
        let filler = Filler::new(last);
        let names = Names::of(last);
        let states =
            figures.iter().position(|figure| figure.kind == Kind::States).map(|at| figures.remove(at));
        let mut document = Document {
            title: Words::from(options.title.clone().unwrap_or_else(|| summary::title(last))),
            captures: summary::captures(last).into(),
            summary: summary::sentences(&gathered, last, &findings),
            sections: Vec::new(),
        };
        let sections = &mut document.sections;
        sections.push(servers::section(&gathered, last));
        sections.extend(expected::section(&gathered));
        sections.push(history::section(last, &names, states));
        let anchors: HashSet<String> = gathered.cards.iter().map(|card| card.anchor.clone()).collect();
        sections.push(leases::section(&gathered, &filler, &names, &anchors));
        sections.extend(leases::unserved(&mut gathered, &names));
        sections.push(leases::cards(&mut gathered, &names));
        sections.push(findings::section(last, &names, &findings));
        let charts = figures.into_iter().map(Block::Chart).collect();
        sections.push(Section { anchor: "charts", heading: "Charts", blocks: charts });
        sections.push(made::section(&options, &gathered, last, &filler, &names));
        document.keep_links();
        files.push(File { name: "report.md".to_owned(), content: markdown::render(&document).into_bytes() });
        files.push(File { name: "index.html".to_owned(), content: html::render(&document)?.into_bytes() });
        Ok(files)
    }
}
