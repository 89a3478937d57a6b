//! What can be typed. The documentation comments are the help texts; nothing is decided here.

mod pictures;
mod query;
mod shell;
#[cfg(feature = "live")]
mod sniff;

use std::net::Ipv4Addr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use dorascope::units::{HwAddr, Xid};

pub use pictures::{ChartArg, ChartArgs, ReportArgs, ThemeArg};
pub use query::QueryArgs;
pub use shell::{CompletionsArgs, ManArgs, ShellArg};
#[cfg(feature = "live")]
pub use sniff::{SniffArgs, StampsArg};

/// Names the DHCP server that answered every client, and says why that one.
///
/// Reads captures from several network zones and replays the High Availability
/// rules of ISC Kea over the packets.
#[derive(Debug, Parser)]
#[command(
    version,
    max_term_width = 100,
    arg_required_else_help = true,
    after_long_help = "\
Examples:
  dorascope analyze zaldua1.pcap zaldua2.pcap -t topology.toml
  dorascope explain zaldua2.pcap -t topology.toml --client 08:00:27:a2:00:01
  dorascope hash 08:00:27:a2:00:01

Exit codes:
  0  done
  1  a check was asked for and found something
  2  wrong usage
  3  part of the input was unreadable; the results up to there are written
  4  failed"
)]
pub struct Cli {
    #[command(flatten)]
    pub global: GlobalArgs,
    #[command(subcommand)]
    pub command: Command,
}

/// Flags of every command.
#[derive(Debug, Args)]
pub struct GlobalArgs {
    /// Colour: auto (the default: on a terminal, unless NO_COLOR is set), always or never
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_default_value = true)]
    #[arg(hide_possible_values = true, display_order = 900)]
    pub color: ColorArg,
    /// No progress bar and no remarks, only results and errors
    #[arg(short, long, global = true, display_order = 901)]
    pub quiet: bool,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColorArg {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Also into files and pipes
    Always,
    /// Nowhere
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    Analyze(AnalyzeArgs),
    Explain(ExplainArgs),
    Check(CheckArgs),
    #[cfg(feature = "live")]
    Sniff(SniffArgs),
    Query(QueryArgs),
    Chart(ChartArgs),
    Report(ReportArgs),
    Hash(HashArgs),
    /// Make a topology file, or check the servers' configuration files
    #[command(
        subcommand,
        after_long_help = "\
Examples:
  dorascope topology import srv1=srv1/kea-dhcp4.conf srv2=srv2/kea-dhcp4.conf -o topology.toml
  dorascope topology infer zaldua1.pcap zaldua2.pcap -o topology.toml
  dorascope topology lint -t topology.toml"
    )]
    Topology(TopologyCommand),
    Schema(SchemaArgs),
    Completions(CompletionsArgs),
    Man(ManArgs),
}

/// Which captures to read, and what is known about the network.
#[derive(Debug, Args)]
pub struct InputArgs {
    /// Captures: pcap or pcapng, plain, gzip or zstd; `-` is standard input
    ///
    /// ZONE names the broadcast domain that was captured; without it the
    /// file's stem does.
    #[arg(value_name = "[ZONE=]FILE")]
    pub files: Vec<String>,
    /// The same as a bare FILE, as in tcpdump and tshark
    #[arg(short = 'r', value_name = "[ZONE=]FILE")]
    pub read: Vec<String>,
    #[command(flatten)]
    pub topology: TopologyArgs,
    /// A log of kea-dhcp4 (its file, syslog or journalctl, plain or compressed), with the server's name; repeatable
    #[arg(long, value_name = "NAME=FILE")]
    pub log: Vec<String>,
    /// The kea-leases4.csv of a server, with the server's name; repeatable
    #[arg(long, value_name = "NAME=FILE")]
    pub leases: Vec<String>,
    /// Threads to work with [default: as many as the machine has]; the result is the same
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: Option<u16>,
    // Names are never looked up, so tcpdump's -n asks for what happens anyway.
    #[arg(short = 'n', hide = true)]
    pub numeric: bool,
}

/// What is known about the network.
#[derive(Debug, Args)]
pub struct TopologyArgs {
    /// Zones, servers and clients by name
    #[arg(short, long, value_name = "FILE")]
    pub topology: Option<PathBuf>,
    /// The kea-dhcp4.conf of a server, with the server's name; repeatable
    #[arg(long, value_name = "NAME=FILE")]
    pub kea: Vec<String>,
}

/// How rows are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FormatArg {
    /// For people
    Table,
    /// An array of objects
    Json,
    /// One object per line
    Jsonl,
    /// With a header line
    Csv,
    /// Apache Parquet
    Parquet,
    /// Apache Arrow IPC
    Arrow,
}

/// Name the server of every lease, and why it answered
///
/// Prints the leases; with -o writes every table to a directory.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  dorascope analyze zaldua1.pcap zaldua2.pcap -t topology.toml
  dorascope analyze lab=trace1 --kea srv1=kea-dhcp4.conf -o tables --format csv
  dorascope analyze lab=trace1 -t topology.toml --log srv1=kea-dhcp4.log --leases srv1=kea-leases4.csv
  zcat trace.gz | dorascope analyze lab=- --format json")]
pub struct AnalyzeArgs {
    #[command(flatten)]
    pub input: InputArgs,
    /// Directory for all tables, as TABLE.FORMAT [default format: parquet]
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Replace tables in a directory that is not empty
    #[arg(long, requires = "output")]
    pub force: bool,
    /// Format of the leases, or of the tables with -o [default: table]
    #[arg(long)]
    pub format: Option<FormatArg>,
}

/// Prove the answer to one client, or explain a code
///
/// Prints the messages of the client's exchanges, the rule that decided for
/// each server, and the frames that show it. With a code alone (of a finding, a
/// verdict, a rule, an anomaly or a lint finding) prints what it means and what
/// to do; --codes lists all codes.
#[derive(Debug, Args)]
#[command(
    override_usage = "dorascope explain [ZONE=]FILE... <--client MAC|NAME | --xid XID | --ip ADDRESS> [OPTIONS]\n       \
                      dorascope explain CODE\n       \
                      dorascope explain --codes [--format FORMAT]",
    after_long_help = "\
Examples:
  dorascope explain zaldua1.pcap zaldua2.pcap -t topology.toml --client zaldua2bez1
  dorascope explain trace.pcap --xid 764a5874
  dorascope explain scope-not-served"
)]
pub struct ExplainArgs {
    #[command(flatten)]
    pub input: InputArgs,
    #[command(flatten)]
    pub selector: SelectorArgs,
    /// List every code with its meaning
    #[arg(long, conflicts_with_all = ["files", "read", "topology", "kea", "client", "xid", "ip"])]
    pub codes: bool,
    /// Format of the decisions, instead of the card
    #[arg(long, default_value = "table", hide_default_value = true)]
    pub format: FormatArg,
}

/// Which exchanges to explain.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub struct SelectorArgs {
    /// Hardware address of the client, or its name in the topology file
    #[arg(long, value_name = "MAC|NAME")]
    pub client: Option<String>,
    /// Transaction identifier, in hexadecimal
    #[arg(long, value_name = "XID")]
    pub xid: Option<Xid>,
    /// Address that a client got, asked for or uses
    #[arg(long, value_name = "ADDRESS")]
    pub ip: Option<Ipv4Addr>,
}

/// Compare the leases with a table of expectations
///
/// Prints the same tables filled with what was observed. Whether a server was
/// on is read from the captures: on while it serves, off while it refuses
/// connections or its partner has taken over. The exit code is 1 when a cell
/// differs or was not seen.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Example:
  dorascope check zaldua*.pcap -t topology.toml --expect expect.toml

expect.toml has one table per question: the servers that are switched on and off,
the clients, and for every row the servers that are on and who should then give
each client its lease (\"none\" for no lease):

  [[table]]
  title = \"zaldua1\"
  servers = [\"zaldua1zerb1\", \"zaldua1zerb2\"]
  clients = [\"zaldua1bez1\", \"zaldua3bez1\"]
  rows = [
    { on = [\"zaldua1zerb1\", \"zaldua1zerb2\"], lease = [\"zaldua1zerb1\", \"zaldua1zerb1\"] },
    { on = [\"zaldua1zerb2\"], lease = [\"zaldua1zerb2\", \"none\"] },
  ]")]
pub struct CheckArgs {
    #[command(flatten)]
    pub input: InputArgs,
    /// The tables to compare with
    #[arg(long, value_name = "FILE")]
    pub expect: PathBuf,
    /// Format of the result
    #[arg(long, default_value = "table", hide_default_value = true)]
    pub format: FormatArg,
}

/// Say which peer of a load-balancing pair owns a client
///
/// Kea hashes the client identifier (option 61) where the client sends one,
/// else the hardware address; an even hash belongs to the primary.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  dorascope hash 08:00:27:a2:00:01 08:00:27:a2:00:02
  dorascope hash --client-id 01:08:00:27:a2:00:01
  dorascope hash --as client-id 08:00:27:a2:00:01
  dorascope hash --find secondary --count 10 --like 08:00:27")]
pub struct HashArgs {
    /// Hardware addresses
    #[arg(value_name = "MAC", required_unless_present_any = ["client_id", "find"])]
    pub macs: Vec<HwAddr>,
    /// Client identifier as hexadecimal bytes, with its type byte; repeatable
    #[arg(long, value_name = "HEX")]
    pub client_id: Vec<String>,
    /// Take a MAC as this; client-id puts the type byte 01 before it, as most clients do
    #[arg(long = "as", value_name = "KIND", default_value = "hwaddr")]
    pub key_kind: KeyKindArg,
    /// Give hardware addresses that belong to this peer: primary, secondary, or the name of a server
    #[arg(long, value_name = "SERVER", conflicts_with_all = ["macs", "client_id"])]
    pub find: Option<String>,
    /// How many to find [default: 5]
    #[arg(long, value_name = "N", requires = "find")]
    pub count: Option<usize>,
    /// How they begin: one to five bytes [default: 02:00:00]
    #[arg(long, value_name = "MAC-PREFIX", requires = "find")]
    pub like: Option<String>,
    #[command(flatten)]
    pub topology: TopologyArgs,
    /// Format of the rows
    #[arg(long, default_value = "table", hide_default_value = true)]
    pub format: FormatArg,
}

/// What a hash is taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KeyKindArg {
    /// chaddr, for clients without option 61
    Hwaddr,
    /// Option 61 of type 1, Ethernet
    ClientId,
}

/// Ways to make a topology file and to check what it names.
#[derive(Debug, Subcommand)]
pub enum TopologyCommand {
    Import(ImportArgs),
    Infer(InferArgs),
    Lint(LintArgs),
}

/// Check the servers' configuration files against each other
///
/// Takes kea-dhcp4.conf and kea-ctrl-agent.conf of every server, from the
/// topology file or by name, and says where Kea would refuse them, where
/// partners disagree, and what will fail later without a word. The exit code is
/// 1 when there is an error or a warning.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  dorascope topology lint -t topology.toml
  dorascope topology lint srv1=srv1/kea-dhcp4.conf srv1=srv1/kea-ctrl-agent.conf srv2=srv2/kea-dhcp4.conf
  dorascope explain subnet-missing")]
pub struct LintArgs {
    /// Kea configuration files
    #[arg(value_name = "[NAME=]FILE")]
    pub files: Vec<String>,
    #[command(flatten)]
    pub topology: TopologyArgs,
    /// Format of the findings
    #[arg(long, default_value = "table", hide_default_value = true)]
    pub format: FormatArg,
}

/// Make topology.toml from Kea's own files
///
/// Takes kea-dhcp4.conf and kea-ctrl-agent.conf of every server; NAME is the
/// machine they belong to, and the file's stem names it otherwise.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Example:
  dorascope topology import srv1=srv1/kea-dhcp4.conf srv2=srv2/kea-dhcp4.conf -o topology.toml")]
pub struct ImportArgs {
    /// Kea configuration files
    #[arg(value_name = "[NAME=]FILE", required = true)]
    pub files: Vec<String>,
    /// Where to write it [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace the file if it exists
    #[arg(long, requires = "output")]
    pub force: bool,
}

/// Make topology.toml from captures alone
///
/// Heartbeats name the servers, their states and scopes; lease updates tell
/// which of a pair owns which clients. Comments in the file say what each thing
/// was concluded from and what no capture tells. Where Kea's files are at hand,
/// `topology import` knows more.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Example:
  dorascope topology infer zaldua1.pcap zaldua2.pcap -o topology.toml")]
pub struct InferArgs {
    /// Captures: pcap or pcapng, plain, gzip or zstd; `-` is standard input
    #[arg(value_name = "[ZONE=]FILE", required = true)]
    pub files: Vec<String>,
    /// Where to write it [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace the file if it exists
    #[arg(long, requires = "output")]
    pub force: bool,
}

/// Print the tables and columns that analyze writes
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  dorascope schema
  dorascope schema leases
  dorascope schema --format json")]
pub struct SchemaArgs {
    /// Only this table
    #[arg(value_name = "TABLE")]
    pub table: Option<String>,
    /// Format of the rows
    #[arg(long, default_value = "table", hide_default_value = true)]
    pub format: FormatArg,
}
