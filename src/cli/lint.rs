//! `dorascope topology lint`: what is wrong in the servers' configuration files.

use std::path::Path;

use anyhow::Result;
use dorascope::cells;
use dorascope::ha::lint::{LintFinding, check};
use dorascope::ha::severity::Severity;
use dorascope::table::terminal::{View, draw};
use dorascope::table::{Column, Kind, Rows, Table, escape, schema};

use super::exit::Exit;
use super::output::{Output, text};
use super::resolve::{LintJob, Shape};

/// The rows of [`schema::LINT`] without the file, which stands above them.
static DENSE: Table = Table {
    name: "lint",
    meaning: "Findings in one configuration file, for people.",
    columns: &[
        dense("severity", Kind::Text),
        dense("line", Kind::U32),
        dense("code", Kind::Text),
        dense("text", Kind::Text),
    ],
};

/// Prints the findings.
pub fn run(job: &LintJob, output: &Output) -> Result<Exit> {
    let findings = check(job.topology.as_deref(), &job.files)?;
    match job.shape {
        Shape::Table if findings.is_empty() => text("nothing is wrong in these files\n")?,
        Shape::Table => tables(&findings, output)?,
        Shape::Data(_) => output.rows(&rows(&findings), job.shape, usize::MAX)?,
    }
    let matters = |finding: &LintFinding| finding.code.severity() >= Severity::Warning;
    Ok(if findings.iter().any(matters) { Exit::Findings } else { Exit::Done })
}

/// The findings as rows for programs.
fn rows(findings: &[LintFinding]) -> Rows {
    let mut rows = Rows::new(&schema::LINT);
    for finding in findings {
        rows.push(&cells![
            finding.code.severity().as_str(),
            finding.code.code(),
            Some(finding.server.as_str()).filter(|server| !server.is_empty()),
            finding.file.display().to_string(),
            finding.place.0 as u64,
            finding.place.1 as u64,
            &finding.text,
        ]);
    }
    rows
}

/// Prints one table per file, the file with the most severe finding first.
fn tables(findings: &[LintFinding], output: &Output) -> Result<()> {
    let mut files: Vec<&Path> = Vec::new();
    for finding in findings {
        if !files.contains(&finding.file.as_path()) {
            files.push(&finding.file);
        }
    }
    let view = View { width: output.width, colour: output.colour, max_rows: usize::MAX, without: &[] };
    for (number, file) in files.iter().enumerate() {
        let mut rows = Rows::new(&DENSE);
        for finding in findings.iter().filter(|finding| finding.file == *file) {
            let severity = finding.code.severity().as_str();
            rows.push(&cells![severity, finding.place.0 as u64, finding.code.code(), &finding.text]);
        }
        let space = if number > 0 { "\n" } else { "" };
        let name = output.strong(&escape(&file.display().to_string()));
        text(&format!("{space}{name}\n{}", draw(&rows, &view).text))?;
    }
    text(&output.weak("\ndorascope explain CODE says what to do.\n"))
}

/// A column of [`DENSE`].
const fn dense(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, unit: "", meaning: "", null_when: "never", rank: 1 }
}
