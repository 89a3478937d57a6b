//! What can be typed after `dorascope chart` and `dorascope report`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{InputArgs, SelectorArgs};

/// Draw one chart for documentation
///
/// Writes SVG or PNG, as the file's name says. A chart that takes several pages
/// writes FILE-2.svg, FILE-3.svg and so on beside FILE.svg.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  dorascope chart latency zaldua*.pcap -t topology.toml -o latency.svg
  dorascope chart ladder zaldua*.pcap -t topology.toml --client zaldua2bez1 -o ladder.png
  dorascope chart states zaldua*.pcap -t topology.toml --theme both --data states.csv -o states.svg")]
pub struct ChartArgs {
    /// What to show
    #[arg(value_name = "KIND")]
    pub kind: ChartArg,
    #[command(flatten)]
    pub input: InputArgs,
    /// Where to draw it: a file that ends in .svg or .png
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Background; both writes FILE-dark.svg beside FILE.svg
    #[arg(long, value_name = "THEME", default_value = "light")]
    pub theme: ThemeArg,
    /// Where to write the data behind the chart, as CSV
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
    #[command(flatten)]
    pub selector: SelectorArgs,
}

/// Write a report: a page and Markdown, with every chart
///
/// DIR gets index.html, one page that works without a network; report.md for
/// notes, with the same content; and charts/, every chart as SVG for light and
/// dark backgrounds with its data as CSV. With --expect the tables of
/// expectations come filled, as `check` prints them.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  dorascope report zaldua*.pcap -t topology.toml -o report
  dorascope report zaldua*.pcap -t topology.toml --expect expect.toml --title 'Kea HA' -o report --force")]
pub struct ReportArgs {
    #[command(flatten)]
    pub input: InputArgs,
    /// Where to write it
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
    /// Replace a report in a directory that is not empty
    #[arg(long)]
    pub force: bool,
    /// Tables of expected leases to fill; see `dorascope check --help`
    #[arg(long, value_name = "FILE")]
    pub expect: Option<PathBuf>,
    /// Its title [default: the zones]
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,
}

/// The kinds of charts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ChartArg {
    /// Messages between client, relay and servers, and who was silenced by which rule
    Ladder,
    /// The HA state of every server over time
    States,
    /// How long answers took, and what HA cost
    Latency,
    /// ACKs and clients per server over time, with the expected share
    Share,
    /// The 256 hash buckets: owner, clients, who answered
    Buckets,
    /// Clients that failure detection counted, up to the takeover
    Unacked,
    /// What clients said about their waiting
    Secs,
    /// Messages per type over time
    Rate,
}

/// The background of a chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ThemeArg {
    /// Dark letters on white
    Light,
    /// Light letters on nearly black
    Dark,
    /// One of each
    Both,
}
