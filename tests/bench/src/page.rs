//! docs/speed.md.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::Result;

use crate::bars::BARS;
use crate::results::{Bar, Results, digits};

/// The page; `notes` is the text of notes.toml.
pub fn render(results: &Results, notes: &str, machine: &str, versions: &[String]) -> Result<String> {
    let notes: BTreeMap<String, String> = toml::from_str(notes)?;
    let mut page = String::from(
        "<!-- Made by `make bench`; the reasons stand in tests/bench/notes.toml. -->\n\n# Speed\n\n\
         `make bench` makes its captures, runs dorascope and the others in turn on warm caches, and takes medians of \
         the ratios of each round. Unless said otherwise a capture has 4,000,000 DHCP frames of 358 bytes with their \
         record headers: 1,000,000 clients that get a lease by DISCOVER, OFFER, REQUEST and ACK from a hot-standby \
         pair with heartbeats. `tcpdump` is `tcpdump -r F -w /dev/null 'udp port 67 or udp port 68'`; what \
         dorascope prints goes to the null device too.\n",
    );
    let _ = writeln!(page, "\nMachine: {machine}. {}.", versions.join("; "));
    let _ = writeln!(page, "\n| work | bar | reached | of processor time | met |\n|---|---|---|---|---|");
    let bars = ordered(results);
    for bar in &bars {
        let cpu = bar.cpu.map(digits).unwrap_or_default();
        let met = match bar.met() {
            Some(true) => "yes",
            Some(false) if notes.contains_key(&bar.key) => "**no**, see below",
            Some(false) => "**no**",
            None => "",
        };
        let _ = writeln!(page, "| {} | {} | {} | {cpu} | {met} |", bar.work, bar.bar, bar.outcome());
    }
    let measured = |key: &str| bars.iter().any(|bar| bar.key.starts_with(key));
    let missing: Vec<_> = BARS.iter().map(|(key, _)| *key).filter(|key| !measured(&group(key))).collect();
    if !missing.is_empty() {
        let _ = writeln!(page, "\nNot measured with this build: {}.", missing.join(", "));
    }
    let missed: Vec<_> =
        bars.iter().filter(|bar| bar.met() == Some(false) && notes.contains_key(&bar.key)).collect();
    if !missed.is_empty() {
        page.push_str("\n## Why a bar is not met\n");
        for bar in missed {
            let _ = writeln!(page, "\n**{}** ({}): {}", bar.work, bar.bar, notes[&bar.key].trim());
        }
    }
    page.push_str("\n## Times and memory\n\n| work | program | wall, s | processor, s | peak, MiB |\n|---|---|---|---|---|\n");
    for bar in &bars {
        for line in &bar.lines {
            let number =
                |number: Option<f64>, places| number.map(|it| format!("{it:.places$}")).unwrap_or_default();
            let _ = writeln!(
                page,
                "| {} | {} | {} | {} | {} |",
                bar.work,
                line.name,
                number(line.wall, 3),
                number(line.cpu, 3),
                line.peak.map(digits).unwrap_or_default()
            );
        }
    }
    for bar in bars.iter().filter(|bar| !bar.said.is_empty()) {
        let _ = writeln!(
            page,
            "\nThe end of what dorascope says ({}):\n\n```\n{}\n```",
            bar.work,
            bar.said.join("\n")
        );
    }
    Ok(page)
}

/// What the keys of the bars of a measurement begin with.
fn group(key: &str) -> String {
    if key == "counts" { "allocations".to_owned() } else { key.to_owned() }
}

/// In the order of the measurements, whichever were made last.
fn ordered(results: &Results) -> Vec<&Bar> {
    let place = |bar: &Bar| {
        let key = match bar.key.as_str() {
            "memory" => "summary",
            "memory-tables" | "memory-flat" => "tables",
            "memory-growth" | "memory-crowd" | "memory-tables-long" => "scaling",
            key if key.starts_with("instructions") => "allocations",
            key => key,
        };
        BARS.iter().position(|(name, _)| key.starts_with(&group(name)))
    };
    let mut bars: Vec<_> = results.bars.iter().collect();
    bars.sort_by_key(|bar| place(bar));
    bars
}
