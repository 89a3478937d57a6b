//! `dorascope report`: a page and Markdown about the captures, with every chart.

use std::path::PathBuf;

use anyhow::Result;
use dorascope::ha::expect::Expectations;
use dorascope::report::{Options, Report};

use super::exit::Exit;
use super::files::Folder;
use super::output::Output;
use super::reading::{read, stream};
use super::resolve::{Inputs, ReportJob};
use super::topology;

/// Writes the report.
pub fn run(job: &ReportJob, output: &Output) -> Result<Exit> {
    let folder = Folder::create(&job.output, job.force)?;
    let topology = topology::load(&job.inputs.topology, output)?;
    let expectations = job.expect.as_deref().map(Expectations::load).transpose()?;
    for unknown in expectations.iter().flat_map(|it| it.unknown_names(&topology)) {
        output.note(&format!("{}: {unknown}", job.expect.clone().unwrap_or_default().display()));
    }
    let whole = expectations.is_some();
    let mut report = Report::new(Options { expectations, ..options(job) });
    // Expectations are about all exchanges of a client; everything else is told batch by batch.
    let (last, exit) = if whole {
        read(&job.inputs, &topology, output)?
    } else {
        stream(&job.inputs, &topology, output, true, |batch| report.take(batch))?
    };
    if exit == Exit::Failed {
        return Ok(exit);
    }
    report.take(&last);
    let files = report.finish(&last)?;
    folder.put(files.iter().map(|file| (file.name.as_str(), file.content.as_slice())))?;
    output.note(&format!(
        "wrote {} and {} other files in {}",
        job.output.join("index.html").display(),
        files.len() - 1,
        job.output.display()
    ));
    Ok(exit)
}

/// What the report says of the command line.
fn options(job: &ReportJob) -> Options {
    let Inputs { topology, logs, leases, .. } = &job.inputs;
    let named = |files: &[(String, PathBuf)]| -> Vec<String> {
        files.iter().map(|(name, path)| format!("{name}={}", path.display())).collect()
    };
    let file = topology.file.iter().map(|path| path.display().to_string());
    Options {
        title: job.title.clone(),
        command: std::env::args_os()
            .map(|word| quoted(&word.to_string_lossy()))
            .collect::<Vec<_>>()
            .join(" "),
        topology: file.chain(named(&topology.kea)).collect(),
        logs: named(logs),
        leases: named(leases),
        expected: job.expect.iter().map(|path| path.display().to_string()).collect(),
        expectations: None,
    }
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain =
        |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '=' | ':' | ',' | '+' | '@');
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}
