//! What can be typed after `dorascope query`.

use clap::Args;

use super::{FormatArg, InputArgs};

/// Ask the tables with SQL
///
/// Reads captures, or one directory that `analyze -o` wrote. The statement is
/// one SELECT over the tables messages, exchanges, leases, decisions, ha_events,
/// findings and sources; `dorascope schema` has their columns.
/// Instants (_ns) are integers of nanoseconds: `ts_ns::TIMESTAMP(9)` makes a
/// date of one. Tables in CSV have text for lists, and escaped text. Rows come
/// in no certain order without ORDER BY.
///
/// SQL is a feature of the build: `cargo build --release --features sql`.
/// Without it the command says how DuckDB and Python answer the same.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  dorascope query \"SELECT server, count(*) AS n FROM leases GROUP BY server ORDER BY n DESC\" zaldua1.pcap
  dorascope query \"SELECT * FROM exchanges WHERE outcome = 'no-answer'\" tables --format csv
  dorascope query \"SELECT rule, expected, count(*) AS n FROM decisions GROUP BY rule, expected\" tables
  dorascope query \"SELECT start_ns, client_name, ip FROM leases WHERE confidence < 0.9\" lab=trace1 -t topology.toml")]
pub struct QueryArgs {
    /// One SELECT statement
    #[arg(value_name = "SQL")]
    pub sql: String,
    #[command(flatten)]
    pub input: InputArgs,
    /// Format of the rows
    #[arg(long, default_value = "table", hide_default_value = true)]
    pub format: FormatArg,
}
