//! `dorascope topology lint` on the recorded laboratory, as a user runs it.

use std::process::{Command, Output};

/// A finding, as another program would read it.
#[derive(Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    severity: String,
    code: String,
    server: Option<String>,
    file: String,
    line: u32,
    column: u32,
    text: String,
}

fn lint(words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dorascope"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(["topology", "lint"]).args(words);
    command.env_remove("NO_COLOR").output().unwrap()
}

#[test]
fn the_withheld_ack_is_foreseen() {
    let output = lint(&["-t", "captures/withheld-ack/topology.toml", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let rows: Vec<Row> = serde_json::from_slice(&output.stdout).unwrap();
    let found: Vec<_> =
        rows.iter().map(|row| (row.severity.as_str(), row.code.as_str(), row.line, row.column)).collect();
    assert_eq!(found, [("error", "subnet-missing", 62, 7), ("warning", "open-control-socket", 4, 18)]);
    assert_eq!(rows[0].file, "captures/withheld-ack/zaldua1zerb1.kea-dhcp4.conf");
    assert_eq!(rows[0].server.as_deref(), Some("zaldua1zerb1"));
    assert!(rows[0].text.contains("192.168.43.0/24"), "{}", rows[0].text);
}

#[test]
fn a_clean_pair_is_0_and_unusable_input_4() {
    let agents = ["zaldua1zerb2", "zaldua2zerb1"];
    let hub = "zaldua1zerb1=captures/all-on/zaldua1zerb1.kea-dhcp4.conf".to_owned();
    let files: Vec<String> = agents
        .iter()
        .flat_map(|name| {
            ["kea-dhcp4", "kea-ctrl-agent"].map(|kind| format!("captures/all-on/{name}.{kind}.conf"))
        })
        .chain([hub])
        .collect();
    let words: Vec<&str> = files.iter().map(String::as_str).collect();
    let output = lint(&words);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(output.stdout, b"nothing is wrong in these files\n");
    for format in ["json", "csv", "jsonl"] {
        assert_eq!(lint(&[words.as_slice(), &["--format", format]].concat()).status.code(), Some(0));
    }
    assert_eq!(lint(&["captures/all-on/no-such.conf"]).status.code(), Some(4));
    assert_eq!(lint(&[]).status.code(), Some(2));
}

#[test]
fn a_partner_that_was_not_given_is_a_note_only() {
    let output = lint(&["captures/all-on/zaldua1zerb2.kea-dhcp4.conf"]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("file-not-given") && text.contains("28"), "{text}");
}
