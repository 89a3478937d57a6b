//! What a statement names, before anything is read.

use super::statement::Statement;
use crate::table::schema::{EXCHANGES, LEASES};

/// The columns of leases that a statement needs.
fn columns(sql: &str) -> Vec<&'static str> {
    Statement::new(sql).unwrap().columns(&LEASES)
}

#[test]
fn only_named_columns_are_needed() {
    assert_eq!(columns("SELECT server, count(*) FROM leases GROUP BY server"), ["server"]);
    assert_eq!(
        columns("SELECT 2 * max(l.renewals) FROM leases AS l WHERE \"ip\" = 'server'"),
        ["ip", "renewals"]
    );
    assert_eq!(columns("SELECT hash * 2, 3 * 4 FROM leases"), ["hash"]);
    assert_eq!(columns("SELECT count( * ) FROM leases"), ["lease_id"]);
    assert_eq!(
        columns("SELECT reason FROM leases JOIN exchanges USING (exchange_id)"),
        ["reason", "exchange_id"]
    );
}

#[test]
fn columns_without_a_name_are_all_of_them() {
    for sql in [
        "SELECT * FROM leases",
        "SELECT DISTINCT * FROM leases",
        "SELECT DISTINCT ON (server) * FROM leases",
        "SELECT ip, * FROM leases",
        "SELECT l.* FROM leases AS l",
        "SELECT COLUMNS('^server') FROM leases",
        "SELECT ip FROM leases NATURAL JOIN exchanges",
        "SELECT ip FROM (SELECT * FROM leases) AS l",
        "SELECT count(DISTINCT *) FROM leases",
    ] {
        assert_eq!(columns(sql).len(), LEASES.columns.len(), "{sql}");
    }
}

#[test]
fn tables_of_every_part_are_found() {
    for sql in [
        "SELECT ip FROM leases WHERE exchange_id IN (SELECT exchange_id FROM exchanges)",
        "WITH e AS (SELECT zone FROM exchanges) SELECT l.ip FROM leases AS l JOIN e ON l.zone = e.zone",
        "SELECT zone FROM leases UNION SELECT zone FROM exchanges",
        "SELECT zone FROM (SELECT zone FROM exchanges) AS e, leases",
    ] {
        assert_eq!(Statement::new(sql).unwrap().tables, [&EXCHANGES, &LEASES], "{sql}");
    }
}
