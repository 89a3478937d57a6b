//! What was captured live is what the recording gives.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::place::Place;

/// What scripts/same_tables.py says, with the DuckDB that scripts/peers.sh makes.
fn compare(live: &Path, files: &Path) -> Option<String> {
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python: PathBuf = root.join(target).join("peers/bin/python");
    if !python.exists() {
        println!("SKIPPED: no Python with DuckDB, so tables in segments were not read by it");
        return None;
    }
    let output =
        Command::new(python).arg(root.join("scripts/same_tables.py")).args([live, files]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    Some(said)
}

#[test]
fn a_recording_gives_the_tables_that_were_written_live() {
    let Some(place) = Place::new(3, &["tcpreplay"]) else { return };
    let lab = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/zaldua2zerb1-killed");
    let zones = ["zaldua1", "zaldua2", "zaldua3"];
    let interfaces: Vec<String> =
        zones.iter().enumerate().map(|(at, zone)| format!("-i {zone}=z{at}-peer")).collect();
    let topology = lab.join("topology.toml");
    let sniff = place.sniff(&format!(
        "{} -t '{}' -w lab.pcapng -o tables --every 2 --jsonl",
        interfaces.join(" "),
        topology.display()
    ));
    // All three at once, at the speed of the laboratory.
    let sent: Vec<String> = zones
        .iter()
        .enumerate()
        .map(|(at, zone)| {
            format!("tcpreplay --quiet -i z{at} '{}' & ", lab.join(zone).with_extension("pcap").display())
        })
        .collect();
    place.run(&format!("{{ {} wait; }} >/dev/null 2>&1", sent.concat()));
    let said = sniff.stop();
    assert!(
        said.contains("dropped: 0 by the kernel, 0 by dorascope, 0 lines, 0 rows; 0 frames not recorded"),
        "{said}"
    );

    let program = env!("CARGO_BIN_EXE_dorascope");
    let analysed = |arguments: &[&str]| {
        let mut command = Command::new(program);
        command.current_dir(place.folder.path()).args(["analyze", "lab.pcapng", "-t"]).arg(&topology);
        let output = command.args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    analysed(&["-o", "files"]);
    analysed(&["-o", "lines", "--format", "jsonl"]);

    // The last line about an exchange is its row.
    let mut told: BTreeMap<String, Value> = BTreeMap::new();
    let mut lines = 0;
    for line in place.read("out.txt").lines() {
        let mut line: Value = serde_json::from_str(line).unwrap();
        let fields = line.as_object_mut().unwrap();
        let (event, settled) = (fields.remove("event").unwrap(), fields.remove("settled"));
        assert_eq!(settled.is_some(), event == "exchange");
        if event == "exchange" {
            lines += 1;
            told.insert(fields["exchange_id"].as_str().unwrap().to_owned(), line);
        }
    }
    let rows = place.read("lines/exchanges.jsonl");
    let rows: Vec<Value> = rows.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(rows.len() > 15, "{} exchanges", rows.len());
    for row in &rows {
        assert_eq!(told.get(row["exchange_id"].as_str().unwrap()), Some(row));
    }
    assert_eq!(told.len(), rows.len());
    assert!(lines >= rows.len());

    let (live, files) = (place.path("tables"), place.path("files"));
    let Some(compared) = compare(&live, &files) else { return };
    assert_eq!(compared.lines().count(), 7);
    for line in compared.lines() {
        let mut cells = line.splitn(4, ' ');
        let (table, differ, rows) = (cells.next().unwrap(), cells.next().unwrap(), cells.next().unwrap());
        assert_eq!(differ, "0", "{line}");
        assert!(rows.parse::<u64>().unwrap() > 0 || table == "findings", "{line}");
    }
    // Several files, because some seconds passed.
    let folder = live.join("messages/zone=zaldua2");
    let days: Vec<_> = std::fs::read_dir(folder).unwrap().collect();
    assert_eq!(days.len(), 1, "{days:?}");
}
