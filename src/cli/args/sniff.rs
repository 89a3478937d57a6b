//! What can be typed after `dorascope sniff`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::TopologyArgs;

/// Watch DHCP and High Availability live
///
/// Captures on interfaces and explains every exchange while it happens: on a
/// terminal as a view of servers, clients and reasons, otherwise a line for
/// each exchange. Needs the right to capture: root, or `setcap cap_net_raw+ep`
/// on the program. Once the interfaces are open it gives up every capability
/// and can only write where its outputs go.
///
/// SIGHUP reopens the outputs, SIGUSR1 prints counters to standard error,
/// SIGTERM and SIGINT end it with everything written.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
#[command(
    override_usage = "dorascope sniff -i [ZONE=]INTERFACE... [OPTIONS]\n       dorascope sniff -D",
    after_long_help = "\
Examples:
  dorascope sniff -i zaldua1=br1 -i zaldua2=br2 -i zaldua3=br3 -t topology.toml
  dorascope sniff -i br2 -w lab.pcapng
  dorascope sniff -i zaldua2=br2 -t topology.toml --jsonl | jq .reason
  dorascope sniff -i lan=eth1 -t topology.toml -w lan.pcapng -b filesize:100000 -b files:20 -o tables --metrics 9167"
)]
pub struct SniffArgs {
    /// Interface to capture on, with the zone that it is in; repeatable
    #[arg(short = 'i', long = "interface", value_name = "[ZONE=]INTERFACE")]
    pub interfaces: Vec<String>,
    /// List the interfaces
    #[arg(short = 'D', long, conflicts_with_all = ["interfaces", "write", "output", "jsonl", "text", "metrics"])]
    pub list_interfaces: bool,
    #[command(flatten)]
    pub topology: TopologyArgs,

    /// Capture filter of libpcap [default: DHCP, fragments, and the control ports of the topology, also in VLANs]
    #[arg(short = 'f', long, value_name = "EXPRESSION")]
    pub filter: Option<String>,
    /// Most bytes of a frame
    #[arg(short = 's', long, value_name = "BYTES", default_value_t = 262_144)]
    #[arg(value_parser = clap::value_parser!(u32).range(64..=262_144))]
    pub snaplen: u32,
    /// The kernel's buffer for each interface, in MiB
    #[arg(short = 'B', long, value_name = "MIB", default_value_t = 32)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=2047))]
    pub buffer_size: u32,
    /// Only frames for this machine and broadcasts
    #[arg(short = 'p', long)]
    pub no_promiscuous: bool,
    /// Who stamps the frames
    #[arg(short = 'j', long, value_name = "TYPE", default_value = "host")]
    pub time_stamp_type: StampsArg,
    /// Keep the right to capture (CAP_NET_RAW) in the capturing threads, so that an interface that is made anew is opened as before
    #[arg(long)]
    pub keep_net_raw: bool,

    /// Record the frames to a pcapng file
    #[arg(short = 'w', long, value_name = "FILE")]
    pub write: Option<PathBuf>,
    /// Record to a ring of files: filesize:KB, duration:SECONDS or packets:N ends one, files:N are kept; repeatable
    #[arg(short = 'b', long, value_name = "LIMIT", requires = "write")]
    pub ring_buffer: Vec<String>,
    /// End after duration:SECONDS, filesize:KB, files:N or packets:N; repeatable
    #[arg(short = 'a', long, value_name = "LIMIT")]
    pub autostop: Vec<String>,
    /// End after so many frames
    #[arg(short = 'c', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,

    /// Directory for all tables, as Parquet files in zone=/date= that are complete every few seconds
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// So often the files of -o are completed
    #[arg(long, value_name = "SECONDS", default_value_t = 60, requires = "output")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub every: u64,
    /// One JSON object per line for every exchange and finding, on standard output
    #[arg(long, conflicts_with = "text")]
    pub jsonl: bool,
    /// One line of text for every exchange and finding, on standard output [default where that is no terminal]
    #[arg(long)]
    pub text: bool,
    /// Metrics for Prometheus at http://ADDRESS:PORT/metrics; a port alone is on the loopback
    #[arg(long, value_name = "[ADDRESS:]PORT")]
    pub metrics: Option<String>,
    /// Do not give up rights that are not needed any more, for debugging
    #[arg(long, hide = true)]
    pub no_sandbox: bool,
    // Names are never looked up, so tcpdump's -n asks for what happens anyway.
    #[arg(short = 'n', hide = true)]
    pub numeric: bool,
}

/// Who stamps frames, by libpcap's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum StampsArg {
    /// The kernel
    Host,
    /// The adapter, with a clock that follows the system's
    Adapter,
    /// The adapter, with a clock of its own
    AdapterUnsynced,
}
