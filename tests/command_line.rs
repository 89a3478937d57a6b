//! The program as a user runs it: output, exit codes, colour.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The program with arguments, without the environment's wishes for colour.
fn dorascope(line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dorascope"));
    command.args(line.split(' ')).env_remove("NO_COLOR").stdin(Stdio::null());
    command
}

fn run(line: &str) -> Output {
    dorascope(line).output().unwrap()
}

fn stdout(line: &str) -> String {
    let output = run(line);
    assert_eq!(output.status.code(), Some(0), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A row of `hash`, as another program would read it.
#[derive(Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    key: String,
    kind: String,
    hash: u8,
    owner: String,
}

#[test]
fn hash_prints_rows_in_every_format() {
    let keys = "hash 00:11:22:33:44:55 --client-id 01:00:11:22:33:44:55 --format";
    let expected = [
        ("00:11:22:33:44:55", "hwaddr", 135, "secondary"),
        ("01:00:11:22:33:44:55", "client-id", 223, "secondary"),
    ]
    .map(|(key, kind, hash, owner)| Row {
        key: key.into(),
        kind: kind.into(),
        hash,
        owner: owner.into(),
    });
    assert_eq!(serde_json::from_str::<Vec<Row>>(&stdout(&format!("{keys} json"))).unwrap(), expected);
    let lines = stdout(&format!("{keys} jsonl"));
    let rows: Vec<Row> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows, expected);
    assert_eq!(
        stdout(&format!("{keys} csv")),
        "key,kind,hash,owner\n00:11:22:33:44:55,hwaddr,135,secondary\n01:00:11:22:33:44:55,client-id,223,secondary\n"
    );
    assert!(run(&format!("{keys} parquet")).stdout.ends_with(b"PAR1"));
    assert!(run(&format!("{keys} arrow")).stdout.ends_with(b"ARROW1"));
}

#[test]
fn found_addresses_hash_back_to_their_owner() {
    for owner in ["primary", "secondary"] {
        let rows: Vec<Row> = serde_json::from_str(&stdout(&format!(
            "hash --find {owner} --count 20 --like 08:00:27 --format json"
        )))
        .unwrap();
        assert_eq!(rows.len(), 20);
        for row in rows {
            assert!(row.key.starts_with("08:00:27:"));
            assert_eq!(row.owner, owner);
            let again: Vec<Row> =
                serde_json::from_str(&stdout(&format!("hash {} --format json", row.key))).unwrap();
            assert_eq!(again, [row]);
        }
    }
}

#[test]
fn the_schema_is_printed_for_people_and_programs() {
    for line in stdout("schema").lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
    let rows: Vec<serde_json::Value> = serde_json::from_str(&stdout("schema --format json")).unwrap();
    let columns: usize = dorascope::table::schema::TABLES.iter().map(|table| table.columns.len()).sum();
    assert_eq!(rows.len(), columns);
    let keys: Vec<&String> = rows[0].as_object().unwrap().keys().collect();
    assert_eq!(keys.len(), 6);
    assert!(
        stdout("schema leases --format csv")
            .starts_with("table,column,kind,unit,meaning,null_when\nleases,lease_id,")
    );
}

#[test]
fn colour_is_only_where_it_is_wanted() {
    assert!(!stdout("hash 00:11:22:33:44:55").contains('\x1b'));
    assert!(stdout("hash 00:11:22:33:44:55 --color always").contains("\x1b[1mkey"));
    assert!(!stdout("hash 00:11:22:33:44:55 --color never").contains('\x1b'));
}

#[test]
fn a_code_is_a_row_too() {
    let json: serde_json::Value = serde_json::from_str(&stdout("explain own-scope --format json")).unwrap();
    let row = &json.as_array().unwrap()[0];
    assert_eq!((row["kind"].as_str(), row["code"].as_str()), (Some("rule"), Some("own-scope")));
}

#[test]
fn exit_codes() {
    for (line, code) in [
        ("--version", 0),
        ("schema sources", 0),
        ("hash", 2),
        ("hash nonsense", 2),
        ("explain some.pcap", 2),
        ("no-such-command", 2),
        ("hash --find nobody", 4),
        ("topology import /no/such/kea-dhcp4.conf", 4),
    ] {
        let output = run(line);
        assert_eq!(output.status.code(), Some(code), "{line}");
        assert_eq!(output.stdout.is_empty(), code != 0, "{line}");
        assert_eq!(output.stderr.is_empty(), code == 0, "{line}");
    }
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    for format in ["table", "json", "jsonl", "csv", "parquet", "arrow"] {
        let mut child = dorascope(&format!("hash --find primary --count 20000 --format {format}"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(0), ""), "{format}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_an_error() {
    let full = Path::new("/dev/full");
    let file = std::fs::OpenOptions::new().write(true).open(full).unwrap();
    let output = dorascope("schema --format csv").stdout(file).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    assert!(String::from_utf8(output.stderr).unwrap().starts_with("error: cannot write the rows"));
}

/// Pipes that a shell puts in the place of files are neither on a disk nor beneath any directory.
#[test]
fn pipes_of_a_shell_are_inputs_and_outputs() {
    let capture = concat!(env!("CARGO_MANIFEST_DIR"), "/captures/all-on/zaldua2.pcap");
    let folder = crate::support::temp::TempDir::new("pipes");
    for (script, expected) in [
        ("$D analyze <(cat $C)", "9 DHCP messages"),
        ("cat $C | $D analyze /dev/stdin", "9 DHCP messages"),
        ("$D analyze /dev/stdin <$C", "9 DHCP messages"),
        ("mkfifo fifo; cat $C >fifo & $D analyze fifo", "9 DHCP messages"),
        ("$D chart rate $C -o rate.svg --data >(cat >rate.csv) && sleep 0.5 && wc -l <rate.csv", "2"),
    ] {
        let mut command = std::process::Command::new("bash");
        command.args(["-c", script]).current_dir(folder.path());
        let output = command.env("D", env!("CARGO_BIN_EXE_dorascope")).env("C", capture).output().unwrap();
        let said =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && said.contains(expected), "{script}: {said}");
    }
}
