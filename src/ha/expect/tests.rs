use super::*;
use crate::ha::topology::{Client, Server};

const TABLES: &str = r#"# the documentation's tables
[[table]]
title = "zaldua1"
servers = ["zaldua1zerb1", "zaldua1zerb2"]
clients = ["zaldua1bez1", "zaldua3bez1"]
rows = [
  { on = ["zaldua1zerb1", "zaldua1zerb2"], lease = ["zaldua1zerb1", "zaldua1zerb1"] },
  { on = ["zaldua1zerb2"],                 lease = ["zaldua1zerb2", "none"] },
]
"#;

fn parse(text: &str) -> Result<Expectations, FileError> {
    Expectations::parse(Path::new("expect.toml"), text)
}

fn broken(from: &str, to: &str) -> String {
    assert!(TABLES.contains(from), "{from}");
    parse(&TABLES.replacen(from, to, 1)).unwrap_err().to_string()
}

#[test]
fn the_documentations_table_is_plain_data() {
    let tables = parse(TABLES).unwrap().tables;
    assert_eq!(tables.len(), 1);
    assert_eq!(tables[0].title, "zaldua1");
    assert_eq!(tables[0].servers, ["zaldua1zerb1", "zaldua1zerb2"]);
    assert_eq!(tables[0].clients, ["zaldua1bez1", "zaldua3bez1"]);
    let last = Row { on: vec!["zaldua1zerb2".into()], lease: vec![Some("zaldua1zerb2".into()), None] };
    assert_eq!(tables[0].rows[1], last);
}

#[test]
fn every_error_names_its_line() {
    assert_eq!(
        broken("servers", "server"),
        r#"expect.toml:4:1: unknown key "server"; did you mean "servers"?"#
    );
    assert_eq!(
        broken("[[table]]", "[[tables]]"),
        r#"expect.toml:2:3: unknown key "tables"; did you mean "table"?"#
    );
    assert_eq!(
        broken("title =", "xyzzy ="),
        "expect.toml:3:1: unknown key \"xyzzy\"; known keys: title, servers, clients, rows"
    );
    assert_eq!(broken("title = \"zaldua1\"", ""), r#"expect.toml:2:1: an entry of "table" needs "title""#);
    assert_eq!(
        broken("\"none\"", "0"),
        r#"expect.toml:8:69: an entry of "lease" must be a string, not a whole number"#
    );
    assert_eq!(broken(", \"none\"", ""), r#"expect.toml:8:52: "lease" has 1 name for 2 clients"#);
    assert_eq!(
        broken("on = [\"zaldua1zerb2\"]", "on = [\"zaldua1zerb3\"]"),
        r#"expect.toml:8:11: "zaldua1zerb3" is not one of this table's servers: zaldua1zerb1, zaldua1zerb2"#
    );
    assert_eq!(
        broken("on = [\"zaldua1zerb1\", \"zaldua1zerb2\"]", "on = [\"zaldua1zerb2\"]"),
        "expect.toml:8:3: two rows have the same servers on"
    );
    assert_eq!(
        broken("on = [\"zaldua1zerb2\"]", "on = [\"zaldua1zerb2\", \"zaldua1zerb2\"]"),
        r#"expect.toml:8:27: "zaldua1zerb2" stands twice"#
    );
    assert_eq!(
        broken("clients = [\"zaldua1bez1\"", "clients = [\"zaldua3bez1\""),
        r#"expect.toml:5:27: "zaldua3bez1" stands twice"#
    );
    assert_eq!(
        broken("clients = [\"zaldua1bez1\"", "clients = [\"none\""),
        r#"expect.toml:5:12: "none" stands for no lease and cannot be a name"#
    );
    assert_eq!(
        broken("clients = [\"zaldua1bez1\", \"zaldua3bez1\"]", "clients = []"),
        r#"expect.toml:5:11: "clients" must not be empty"#
    );
    assert_eq!(parse("").unwrap_err().to_string(), r#"expect.toml:1:1: the configuration needs "table""#);
    let twice = parse(&format!("{TABLES}{TABLES}")).unwrap_err().to_string();
    assert_eq!(twice, r#"expect.toml:12:9: two tables are called "zaldua1""#);
}

#[test]
fn names_that_the_topology_lacks_are_listed() {
    let server = |name: &str| Server { name: name.to_owned(), ..Server::default() };
    let client = |name: &str| Client { name: name.to_owned(), ..Client::default() };
    let topology = Topology {
        servers: vec![server("zaldua1zerb1"), server("zaldua1zerb2")],
        clients: vec![client("zaldua1bez1"), client("laptop")],
        ..Topology::default()
    };
    let text =
        TABLES.replacen("\"zaldua1zerb1\"] }", "\"zaldua1zreb1\"] }", 1).replace("zaldua3bez1", "unrelated");
    let expected = [
        r#"no client is called "unrelated""#,
        r#"no server is called "zaldua1zreb1"; did you mean "zaldua1zerb1"?"#,
    ];
    assert_eq!(parse(&text).unwrap().unknown_names(&topology), expected);
}
