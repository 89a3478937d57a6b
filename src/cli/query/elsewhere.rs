//! The query is answered by other programs, because this build has no SQL: their command lines are said.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Result, bail};
use dorascope::table::{Format, Stored, Table, schema};

use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::cli::resolve::{Inputs, QueryJob, TableSource};

/// The directory that the tables of captures are written to.
const FOLDER: &str = "tables";

/// Says which build answers the query, and how others do.
pub fn run(job: &QueryJob, _: &Output) -> Result<Exit> {
    let (first, folder, format) = match &job.tables {
        TableSource::Captures(inputs) => {
            let command = format!("\nThe tables:\n\n{}\n", analyze(inputs));
            (command, Path::new(FOLDER), Format::Parquet)
        }
        TableSource::Directory(path) => (String::new(), path.as_path(), Stored::find(path)?.format()),
    };
    let tables = named(&job.sql);
    let files: Vec<(&str, String)> = tables
        .iter()
        .map(|table| {
            (table.name, folder.join(format!("{}.{}", table.name, format.as_str())).display().to_string())
        })
        .collect();
    bail!(
        "this build has no SQL; cargo build --release --features sql makes one that has\n\n\
         Other programs answer the same from the tables that analyze writes.\n{first}{}\n\
         In Python, with Polars:\n\n{}",
        duckdb(&job.sql, &files, format),
        polars(&job.sql, &files, format),
    )
}

/// The tables whose names are words of the query; all of them when none is.
fn named(sql: &str) -> Vec<&'static Table> {
    let words: Vec<&str> = sql.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let named: Vec<_> = schema::TABLES.into_iter().filter(|table| words.contains(&table.name)).collect();
    if named.is_empty() { schema::TABLES.to_vec() } else { named }
}

/// The command that writes the tables of these inputs.
fn analyze(inputs: &Inputs) -> String {
    let mut words = vec!["dorascope".to_owned(), "analyze".to_owned()];
    for capture in &inputs.captures {
        let zone = capture.zone.as_ref().map_or_else(String::new, |zone| format!("{zone}="));
        words.push(format!("{zone}{}", capture.path.display()));
    }
    if let Some(file) = &inputs.topology.file {
        words.extend(["-t".to_owned(), file.display().to_string()]);
    }
    let pairs = [("--kea", &inputs.topology.kea), ("--log", &inputs.logs), ("--leases", &inputs.leases)];
    for (flag, files) in pairs {
        for (name, file) in files {
            words.extend([flag.to_owned(), format!("{name}={}", file.display())]);
        }
    }
    words.extend(["-o".to_owned(), FOLDER.to_owned()]);
    words.iter().map(|word| shell_word(word)).collect::<Vec<_>>().join(" ")
}

/// The query in DuckDB, which reads no Arrow files by itself.
fn duckdb(sql: &str, files: &[(&str, String)], format: Format) -> String {
    if format == Format::Arrow {
        return String::new();
    }
    // Nothing is indented, so that it can be pasted.
    let mut text = "\nIn DuckDB:\n\nduckdb <<'EOF'\n".to_owned();
    for (name, file) in files {
        // Writing into a `String` cannot fail.
        let _ = writeln!(text, "CREATE VIEW {name} AS FROM '{}';", file.replace('\'', "''"));
    }
    let _ = writeln!(text, "{};\nEOF", sql.trim().trim_end_matches(';'));
    text
}

/// The query in Python.
fn polars(sql: &str, files: &[(&str, String)], format: Format) -> String {
    let read = match format {
        Format::Parquet => "scan_parquet",
        Format::Arrow => "scan_ipc",
        Format::Csv => "scan_csv",
        Format::JsonLines => "scan_ndjson",
        Format::Json => "read_json",
    };
    let mut text = "import polars as pl\ntables = pl.SQLContext(\n".to_owned();
    for (name, file) in files {
        let _ = writeln!(text, "    {name}=pl.{read}({}),", literal(file));
    }
    let _ = write!(text, ")\nprint(tables.execute({}, eager=True))", literal(sql.trim()));
    text
}

/// A word for a shell, quoted where it must be.
fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// A text for Python, whose strings take what JSON's do.
fn literal(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
