//! `dorascope query` in a build without SQL: the commands that it names are run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::temp::TempDir;

const QUERY: &str = "SELECT server, count(*) AS n FROM leases WHERE server <> 'no''body' GROUP BY server";

/// Where the captures are, with a space that a shell must not see, and where the commands are run.
struct Place {
    temp: TempDir,
    /// Begins with our program and a `duckdb`.
    path: String,
}

impl Place {
    fn new(python: Option<&Path>) -> Self {
        let temp = TempDir::new("elsewhere");
        let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/all-on");
        std::os::unix::fs::symlink(captures, temp.path().join("all on")).unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_dorascope")).parent().unwrap();
        let path =
            format!("{}:{}:{}", temp.path().display(), program.display(), std::env::var("PATH").unwrap());
        let place = Self { temp, path };
        if let Some(python) = python {
            // DuckDB as a Python module runs the same text as its own command line.
            let text = "import sys, duckdb; print(duckdb.connect().execute(sys.stdin.read()).fetchall())";
            place.run(&format!(
                "printf '#!/bin/sh\\nexec %s -c \"{text}\"\\n' '{}' >duckdb && chmod +x duckdb",
                python.display()
            ));
        }
        place
    }

    fn shell(&self, script: &str) -> Output {
        Command::new("bash")
            .args(["-c", script])
            .current_dir(self.temp.path())
            .env("PATH", &self.path)
            .output()
            .unwrap()
    }

    /// What a script prints; it has to succeed.
    fn run(&self, script: &str) -> String {
        let output = self.shell(script);
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What the program says instead of an answer.
    fn hint(&self, tables: &str) -> String {
        let output = self.shell(&format!("dorascope query \"{QUERY}\" {tables}"));
        assert_eq!(output.status.code(), Some(4));
        assert!(output.stdout.is_empty());
        String::from_utf8(output.stderr).unwrap()
    }
}

/// A Python with DuckDB and Polars, as scripts/peers.sh makes it.
fn python() -> Option<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    let made = Path::new(env!("CARGO_MANIFEST_DIR")).join(target).join("peers/bin/python");
    let works = |python: &PathBuf| {
        let imported = Command::new(python).args(["-c", "import duckdb, polars"]).output();
        imported.is_ok_and(|output| output.status.success())
    };
    let found = [made, "python3".into()].into_iter().find(works);
    if found.is_none() {
        println!(
            "SKIPPED: no Python with DuckDB and Polars, so the queries that a build without SQL names were not run"
        );
    }
    found
}

/// The text between a heading and the next one.
fn part<'a>(hint: &'a str, heading: &str) -> &'a str {
    let rest = hint.split(&format!("{heading}:\n\n")).nth(1).unwrap_or_else(|| panic!("{heading}: {hint}"));
    rest.split("\n\nIn ").next().unwrap()
}

/// Leases by server, counted over what another command prints.
fn counted(place: &Place) -> BTreeMap<String, u32> {
    let json = place.run("dorascope analyze 'all on'/*.pcap -t 'all on/topology.toml' --format json");
    let mut counts = BTreeMap::new();
    for lease in serde_json::from_str::<Vec<serde_json::Value>>(&json).unwrap() {
        *counts.entry(lease["server"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    counts
}

/// Whether each server stands on a line with its count.
fn holds(printed: &str, counts: &BTreeMap<String, u32>) {
    assert!(counts.len() > 1);
    let lines = printed.replace("),", ")\n");
    for (server, count) in counts {
        let words =
            |line: &str| line.split(|c: char| !c.is_alphanumeric()).any(|word| word == count.to_string());
        assert!(lines.lines().any(|line| line.contains(server.as_str()) && words(line)), "{printed}");
    }
}

#[test]
fn the_build_that_has_it_and_the_tables_are_named() {
    let place = Place::new(None);
    let hint = place.hint("z1='all on/zaldua1.pcap' -t 'all on/topology.toml' --kea 's1=a b.conf'");
    assert!(
        hint.starts_with("error: this build has no SQL; cargo build --release --features sql "),
        "{hint}"
    );
    assert!(part(&hint, "The tables").starts_with(
        "dorascope analyze 'z1=all on/zaldua1.pcap' -t 'all on/topology.toml' --kea 's1=a b.conf' -o tables"
    ));
    assert!(hint.contains("'tables/leases.parquet'") && !hint.contains("messages"), "{hint}");
}

#[test]
fn the_commands_that_are_named_give_the_answer() {
    let Some(python) = python() else { return };
    let place = Place::new(Some(&python));
    let counts = counted(&place);
    let hint = place.hint("'all on'/*.pcap -t 'all on/topology.toml'");
    place.run(part(&hint, "The tables"));
    holds(&place.run(part(&hint, "In DuckDB")), &counts);
    let script = |hint: &str| {
        let file = place.temp.file("query.py", part(hint, "In Python, with Polars").as_bytes());
        place.run(&format!("'{}' '{}'", python.display(), file.display()))
    };
    holds(&script(&hint), &counts);
    // Tables that are there already, in every format.
    for format in ["arrow", "csv", "json", "jsonl"] {
        place.run(&format!(
            "dorascope analyze 'all on'/*.pcap -t 'all on/topology.toml' -o 'as {format}' --format {format}"
        ));
        let hint = place.hint(&format!("'as {format}'"));
        assert!(!hint.contains("dorascope analyze"), "{hint}");
        holds(&script(&hint), &counts);
        if format != "arrow" {
            holds(&place.run(part(&hint, "In DuckDB")), &counts);
        }
    }
}
