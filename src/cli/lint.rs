//! `dorascope topology lint`: what is wrong in the servers' configuration files.

use anyhow::Result;
use dorascope::cells;
use dorascope::ha::lint::{LintFinding, check};
use dorascope::ha::severity::Severity;
use dorascope::table::{Column, Kind, Rows, Table, schema};

use super::exit::Exit;
use super::output::{Output, text};
use super::resolve::{LintJob, Shape};

/// The rows of [`schema::LINT`] with the place in one column, as editors take it.
static PLACED: Table = Table {
    name: "lint",
    meaning: "Findings in configuration files, for people.",
    columns: &[column("severity"), column("code"), column("place"), column("text")],
};

/// Prints the findings.
pub fn run(job: &LintJob, output: &Output) -> Result<Exit> {
    let findings = check(job.topology.as_deref(), &job.files)?;
    match job.shape {
        Shape::Table if findings.is_empty() => text("nothing is wrong in these files\n")?,
        Shape::Table => output.rows(&placed(&findings), job.shape, usize::MAX)?,
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

/// The findings as rows for people.
fn placed(findings: &[LintFinding]) -> Rows {
    let mut rows = Rows::new(&PLACED);
    for finding in findings {
        let place = format!("{}:{}", finding.file.display(), finding.place.0);
        rows.push(&cells![finding.code.severity().as_str(), finding.code.code(), place, &finding.text]);
    }
    rows
}

/// A text column of [`PLACED`].
const fn column(name: &'static str) -> Column {
    Column { name, kind: Kind::Text, unit: "", meaning: "", null_when: "never", rank: 1 }
}
