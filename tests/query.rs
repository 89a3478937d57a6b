//! `dorascope query` in a build with SQL.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::files::{Order, PcapFile};
use crate::support::temp::TempDir;
use dorascope::table::schema;

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_dorascope"))
        .args(arguments)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("captures"))
        .output()
        .unwrap()
}

fn stdout(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Standard error of a command that ends with this code.
fn refused(arguments: &[&str], code: i32) -> String {
    let output = run(arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{arguments:?}");
    said
}

const ALL_ON: [&str; 5] =
    ["all-on/zaldua1.pcap", "all-on/zaldua2.pcap", "all-on/zaldua3.pcap", "-t", "all-on/topology.toml"];

fn asked(sql: &str, rest: &[&str]) -> String {
    stdout(&[&["query", sql], rest].concat())
}

/// The tables of the healthy lab in a format.
fn tables(temp: &TempDir, format: &str) -> String {
    let folder = temp.path().join(format).to_str().unwrap().to_owned();
    stdout(&[&["--quiet", "analyze"], &ALL_ON[..], &["-o", &folder, "--format", format]].concat());
    folder
}

#[derive(Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Count {
    server: String,
    n: u32,
}

#[test]
fn captures_and_tables_of_every_format_give_the_same_answer() {
    // Counted by hand over what another command prints.
    let leases: Vec<serde_json::Value> =
        serde_json::from_str(&stdout(&[&["analyze"], &ALL_ON[..], &["--format", "json"]].concat())).unwrap();
    let mut expected: BTreeMap<String, u32> = BTreeMap::new();
    for lease in &leases {
        *expected.entry(lease["server"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    assert!(expected.len() > 1, "{expected:?}");
    let expected: Vec<Count> = expected.into_iter().map(|(server, n)| Count { server, n }).collect();

    let sql = "SELECT server, count(*) AS n FROM leases GROUP BY server ORDER BY server";
    let counted = |rest: &[&str]| -> Vec<Count> {
        serde_json::from_str(&asked(sql, &[rest, &["--format", "json"]].concat())).unwrap()
    };
    assert_eq!(counted(&ALL_ON), expected);
    let temp = TempDir::new("query");
    // Nulls, lists, structs, 64-bit numbers and floats survive each format; CSV has no lists.
    let everything = "SELECT * FROM exchanges";
    let parquet = tables(&temp, "parquet");
    let whole = asked(everything, &[&parquet, "--format", "json"]);
    let rows = asked("SELECT exchange_id, start_ns, confidence, hash FROM exchanges", &[&parquet]);
    for format in ["arrow", "csv", "jsonl", "json"] {
        let folder = tables(&temp, format);
        assert_eq!(counted(&[&folder]), expected, "{format}");
        assert_eq!(asked("SELECT exchange_id, start_ns, confidence, hash FROM exchanges", &[&folder]), rows);
        if format != "csv" {
            assert_eq!(asked(everything, &[&folder, "--format", "json"]), whole, "{format}");
        }
    }
    let written = std::fs::read_to_string(temp.path().join("json/exchanges.json")).unwrap();
    assert_eq!(whole, written, "every row and column as analyze writes it");
    let written = std::fs::read_to_string(temp.path().join("csv/exchanges.csv")).unwrap();
    let csv = temp.path().join("csv");
    assert_eq!(asked(everything, &[csv.to_str().unwrap(), "--format", "csv"]), written);
}

#[test]
fn a_table_without_rows_has_its_columns() {
    let temp = TempDir::new("empty");
    let empty = temp.file("empty.pcap", &PcapFile::nano(Order::Little, 1).bytes);
    let empty = empty.to_str().unwrap();
    for table in schema::TABLES {
        let names: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
        let sql = format!("SELECT * FROM {} WHERE 1 = 0", table.name);
        assert_eq!(asked(&sql, &[empty, "--format", "csv"]), names.join(",") + "\n");
    }
    assert_eq!(asked("SELECT count(*) AS n FROM leases", &[empty, "--format", "csv"]), "n\n0\n");
    for format in ["json", "jsonl", "csv", "arrow", "parquet"] {
        let folder = temp.path().join(format);
        let folder = folder.to_str().unwrap();
        stdout(&["--quiet", "analyze", empty, "-o", folder, "--format", format]);
        let sql = "SELECT count(*) AS n, max(ts_ns) AS last FROM messages";
        assert_eq!(asked(sql, &[folder, "--format", "csv"]), "n,last\n0,\n", "{format}");
    }
    assert!(asked("SELECT ip, server FROM leases", &[empty]).contains("no rows"));
}

#[test]
fn a_wrong_name_is_answered_with_the_right_one() {
    for (sql, parts) in [
        ("SELECT ip FROM lease", &["\"lease\"", "\"leases\"", "messages, exchanges, leases"][..]),
        ("SELECT ip FROM Leases", &["\"Leases\"", "\"leases\""]),
        ("SELECT serverr FROM leases", &["\"serverr\"", "\"server\"", "lease_id, chaddr"]),
        ("SELECT l.serverr FROM leases AS l", &["\"serverr\"", "\"server\""]),
        ("SELECT ip FROM leases WHERE serverr = 'a'", &["\"serverr\"", "\"server\""]),
        ("SELECT ip FROM leases ORDER BY serverr", &["\"serverr\"", "\"server\""]),
        ("SELECT count(*) FROM leases GROUP BY serverr", &["\"serverr\"", "\"server\""]),
        ("SELECT max(serverr) FROM leases", &["\"serverr\"", "\"server\""]),
        ("SELECT ip FROM leases WHERE server = \"zaldua1zerb1\"", &["'zaldua1zerb1'"]),
        ("SELECT x.ip FROM leases AS l", &["\"x\" is no table"]),
        ("SELECT attempts FROM leases", &["\"attempts\"", "exchanges has one"]),
        ("SELECT ip FROM", &["cannot be read"]),
        ("SELECT ip + 1 FROM leases WHERE", &["cannot be read"]),
        ("SELECT frobnicate(ip) FROM leases", &["frobnicate"]),
    ] {
        // Said before the captures are looked for.
        let said = refused(&["query", sql, "no-such.pcap"], 2);
        for part in parts {
            assert!(said.contains(part), "{sql}: {said}");
        }
        assert!(said.contains("Usage: dorascope query"), "{said}");
    }
}

#[test]
fn only_a_question_to_the_tables_is_run() {
    let temp = TempDir::new("refused");
    let secret = temp.file("secret.csv", b"a\n1\n");
    let secret = secret.to_str().unwrap();
    for sql in [
        &format!("SELECT * FROM read_csv('{secret}')"),
        &format!("SELECT * FROM leases, read_parquet('{secret}')"),
        &format!("SELECT * FROM leases WHERE ip IN (SELECT a FROM read_csv('{secret}'))"),
        &format!("WITH x AS (SELECT * FROM read_json('{secret}')) SELECT * FROM x"),
        &format!("SELECT * FROM '{secret}'"),
        &format!("COPY leases TO '{secret}'"),
        "CREATE TABLE x AS SELECT * FROM leases",
        "DROP TABLE leases",
        "TRUNCATE TABLE leases",
        "DELETE FROM leases",
        "INSERT INTO leases SELECT * FROM leases",
        "UPDATE leases SET ip = 'x'",
        "WITH x AS (DELETE FROM leases RETURNING *) SELECT * FROM x",
        "SELECT * INTO other FROM leases",
        "SELECT 1; SELECT 2",
        "EXPLAIN SELECT * FROM leases",
        "SHOW TABLES",
        "TABLE leases",
        "SELECT * FROM main.leases",
        "",
    ] {
        refused(&["query", sql, "no-such.pcap"], 2);
    }
    assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 1);
}

#[test]
fn nothing_that_is_typed_ends_in_a_panic() {
    for sql in [
        "SELECT ip FROM leases ORDER BY 0".to_owned(),
        "SELECT ip FROM leases LIMIT -1".to_owned(),
        "SELECT ip FROM leases LIMIT 99999999999999999999999".to_owned(),
        "SELECT CAST(ip AS STRUCT) FROM leases".to_owned(),
        "SELECT * FROM leases l JOIN leases".to_owned(),
        "SELECT () FROM leases".to_owned(),
        "SELECT ip[0] FROM leases".to_owned(),
        "SELECT ip.x.y FROM leases".to_owned(),
        "SELECT ROW_NUMBER() FROM leases".to_owned(),
        "SELECT server FROM leases UNION SELECT 1, 2 FROM leases".to_owned(),
        format!("SELECT {}1 FROM leases", "1+".repeat(600)),
        format!("SELECT {}1{} FROM leases", "(".repeat(7_000), ")".repeat(7_000)),
        format!("SELECT ip FROM leases WHERE {}", vec!["ip = 'a'"; 300].join(" OR ")),
        format!("SELECT {} FROM leases", vec!["ip"; 10_000].join(",")),
    ] {
        let output = run(&[&["query", &sql], &ALL_ON[..]].concat());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(matches!(output.status.code(), Some(0 | 2 | 4)), "{sql:.200}: {said:.2000}");
        assert!(!said.contains("panicked"), "{sql:.200}: {said:.2000}");
    }
}

#[test]
fn a_query_reads_every_column_that_it_means() {
    let temp = TempDir::new("columns");
    let folder = tables(&temp, "parquet");
    let csv = |sql: &str| asked(sql, &[&folder, "--format", "csv"]);
    let columns = |sql: &str| csv(sql).lines().next().unwrap().split(',').count();
    let all = schema::LEASES.columns.len();
    assert_eq!(columns("SELECT * FROM leases"), all);
    assert_eq!(columns("SELECT DISTINCT ON (server) * FROM leases"), all);
    assert_eq!(columns("SELECT l.* FROM leases AS l"), all);
    assert_eq!(columns("SELECT COLUMNS('^server') FROM leases"), 2);
    assert_eq!(columns("SELECT * EXCLUDE (ip) FROM leases"), all - 1);
    assert_eq!(csv("SELECT count(*) AS n FROM leases"), csv("SELECT count(ip) AS n FROM leases"));
    assert_eq!(
        csv("SELECT l.lease_id FROM leases AS l JOIN exchanges AS e USING (exchange_id)"),
        csv("SELECT lease_id FROM leases WHERE exchange_id IN (SELECT exchange_id FROM exchanges)"),
    );
    // Two columns have one name in both tables, and their values differ in no row.
    assert_eq!(
        csv("SELECT count(*) AS n FROM leases NATURAL JOIN (SELECT lease_id, server FROM leases) AS l"),
        csv("SELECT count(*) AS n FROM leases")
    );
}

#[test]
fn people_see_a_table_and_instants_and_no_control_characters() {
    let sql = "SELECT start_ns, end_ns - start_ns AS span_ns, client_name AS \"a\u{1b}[2J\", \
               'x\u{1b}[31m\u{202e}' AS hostile, NULL AS nothing FROM leases LIMIT 1";
    let drawn = asked(sql, &ALL_ON);
    assert!(drawn.contains("start UTC") && drawn.contains("2026-11-22"), "{drawn}");
    assert!(drawn.contains("nothing") && drawn.contains("x\\u{1b}[31m\\u{202e}"), "{drawn}");
    assert!(!drawn.contains('\u{1b}') && !drawn.contains('\u{202e}'), "{drawn}");
    assert!(drawn.lines().all(|line| line.chars().count() <= 100), "{drawn}");
    // With * the dearest columns stay; by name all are drawn, as far as there is room.
    let drawn = asked("SELECT * FROM leases", &ALL_ON);
    let (rows, rest) = drawn.split_once("more columns").unwrap();
    assert!(rows.contains("client_name") && rows.contains("zaldua1zerb1"), "{drawn}");
    assert!(!rows.contains("lease_id") && rest.contains("lease_id"), "{drawn}");
    // A difference of instants keeps the name of the first, and is no instant.
    let drawn = asked("SELECT start_ns - start_ns + 5 AS start_ns FROM leases LIMIT 1", &ALL_ON);
    assert!(!drawn.contains("1970"), "{drawn}");
    let all = asked("SELECT frame FROM ha_events", &ALL_ON);
    assert!(all.contains("40 of ") && all.contains("--format csv"), "{all}");
}

#[test]
fn what_is_unreadable_is_said() {
    let temp = TempDir::new("unreadable");
    let said = refused(&["query", "SELECT ip FROM leases", temp.path().to_str().unwrap()], 4);
    assert!(said.contains("analyze -o"), "{said}");
    assert!(refused(&["query", "SELECT ip FROM leases", "no-such.pcap"], 4).contains("no-such.pcap"));
    let folder = tables(&temp, "parquet");
    std::fs::write(Path::new(&folder).join("leases.parquet"), b"PAR1 no, not really").unwrap();
    let said = refused(&["query", "SELECT ip FROM leases", &folder], 4);
    assert!(said.contains("leases.parquet") && !said.contains("panicked"), "{said}");
    std::fs::remove_file(Path::new(&folder).join("leases.parquet")).unwrap();
    assert!(refused(&["query", "SELECT ip FROM leases", &folder], 4).contains("leases.parquet"));
    std::fs::write(Path::new(&folder).join("leases.csv"), b"").unwrap();
    assert!(refused(&["query", "SELECT 1 FROM sources", &folder], 4).contains("csv and parquet"));
    refused(&["query", "SELECT ip FROM leases", &folder, "all-on/zaldua1.pcap"], 2);
    refused(&["query", "SELECT ip FROM leases", &folder, "-t", "all-on/topology.toml"], 2);

    // A capture that is cut in the middle: rows up to there, and exit code 3.
    let whole =
        std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/all-on/zaldua2.pcap")).unwrap();
    let cut = temp.file("cut.pcap", &whole[..whole.len() - 7]);
    let output =
        run(&["query", "SELECT count(*) AS n FROM messages", cut.to_str().unwrap(), "--format", "csv"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(output.stdout.starts_with(b"n\n"));
}
