//! The job of `dorascope sniff`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Error;
use dorascope::capture::live::{Interface, Stamps};
use dorascope::capture::recorder::RingLimits;
use dorascope::watch::metrics::serve::address;

use super::{TopologySources, topology, usage};
use crate::cli::args::{SniffArgs, StampsArg};

/// See [`SniffArgs`].
#[derive(Debug, PartialEq, Eq)]
pub enum SniffJob {
    /// List the interfaces.
    List,
    /// Capture.
    Capture(Box<CaptureJob>),
}

/// What to capture, and where it goes.
#[derive(Debug, PartialEq, Eq)]
pub struct CaptureJob {
    /// Never empty.
    pub interfaces: Vec<Interface>,
    pub topology: TopologySources,
    /// Absent: the default one, which the topology's ports belong to.
    pub filter: Option<String>,
    pub snaplen: u32,
    pub buffer_mib: u32,
    pub promiscuous: bool,
    pub stamps: Stamps,
    pub keep_net_raw: bool,
    pub sandbox: bool,
    pub record: Option<(PathBuf, RingLimits)>,
    pub stop: StopLimits,
    /// The directory of tables, and how often its files are completed.
    pub tables: Option<(PathBuf, Duration)>,
    pub printed: Printed,
    pub metrics: Option<SocketAddr>,
}

/// What standard output gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Printed {
    /// Nobody said; a terminal gets the view.
    Default,
    Text,
    Json,
}

/// When it ends by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StopLimits {
    pub duration: Option<Duration>,
    pub bytes: Option<u64>,
    pub files: Option<u64>,
    pub packets: Option<u64>,
}

pub fn job(args: SniffArgs) -> Result<SniffJob, Error> {
    if args.list_interfaces {
        return Ok(SniffJob::List);
    }
    let interfaces: Result<Vec<Interface>, _> = args.interfaces.iter().map(|text| text.parse()).collect();
    let interfaces = interfaces.map_err(wrong)?;
    if interfaces.is_empty() {
        return Err(wrong("name an interface with -i; `dorascope sniff -D` lists them"));
    }
    for (at, interface) in interfaces.iter().enumerate() {
        if interfaces.iter().take(at).any(|other| other.name == interface.name) {
            return Err(wrong(&format!("interface {} is named twice", interface.name)));
        }
    }
    let mut ring = RingLimits::default();
    for text in &args.ring_buffer {
        match limit(text, "-b")? {
            ("filesize", value) => ring.size = Some(value * 1000),
            ("duration", value) => ring.duration = Some(Duration::from_secs(value)),
            ("packets", value) => ring.packets = Some(value),
            ("files", value) => ring.files = Some(usize::try_from(value).unwrap_or(usize::MAX)),
            _ => return Err(unknown("-b", text)),
        }
    }
    if ring.files.is_some() && !ring.is_ring() {
        return Err(wrong(
            "-b files:N keeps the last files of a ring, so -b filesize, duration or packets goes with it",
        ));
    }
    if ring.files == Some(1) {
        return Err(wrong("-b files:1 would keep only the file that is being written; 2 is the least"));
    }
    let mut stop = StopLimits { packets: args.count, ..StopLimits::default() };
    for text in &args.autostop {
        match limit(text, "-a")? {
            ("filesize", value) => stop.bytes = Some(value * 1000),
            ("duration", value) => stop.duration = Some(Duration::from_secs(value)),
            ("packets", value) => stop.packets = Some(stop.packets.map_or(value, |count| count.min(value))),
            ("files", value) => stop.files = Some(value),
            _ => return Err(unknown("-a", text)),
        }
    }
    if (stop.bytes.is_some() || stop.files.is_some()) && args.write.is_none() {
        return Err(wrong("-a filesize and -a files go with -w"));
    }
    if let Some(path) = args.write.as_ref().filter(|path| path.as_os_str() == "-") {
        return Err(wrong(&format!(
            "-w {} is not possible: frames are recorded to files only",
            path.display()
        )));
    }
    Ok(SniffJob::Capture(Box::new(CaptureJob {
        interfaces,
        topology: topology("sniff", args.topology)?,
        filter: args.filter,
        snaplen: args.snaplen,
        buffer_mib: args.buffer_size,
        promiscuous: !args.no_promiscuous,
        stamps: match args.time_stamp_type {
            StampsArg::Host => Stamps::Host,
            StampsArg::Adapter => Stamps::Adapter,
            StampsArg::AdapterUnsynced => Stamps::AdapterUnsynced,
        },
        keep_net_raw: args.keep_net_raw,
        sandbox: !args.no_sandbox,
        record: args.write.map(|path| (path, ring)),
        stop,
        tables: args.output.map(|path| (path, Duration::from_secs(args.every))),
        printed: match (args.jsonl, args.text) {
            (true, _) => Printed::Json,
            (_, true) => Printed::Text,
            _ => Printed::Default,
        },
        metrics: args
            .metrics
            .as_deref()
            .map(address)
            .transpose()
            .map_err(|why| wrong(&format!("--metrics: {why}")))?,
    })))
}

/// `name:value`, as dumpcap has its limits.
fn limit<'t>(text: &'t str, flag: &str) -> Result<(&'t str, u64), Error> {
    let (name, value) = text.split_once(':').ok_or_else(|| unknown(flag, text))?;
    match value.parse() {
        Ok(value) if value > 0 => Ok((name, value)),
        _ => Err(wrong(&format!("{flag} {text}: \"{value}\" is no number above 0"))),
    }
}

fn unknown(flag: &str, text: &str) -> Error {
    let duration = "filesize:KB, duration:SECONDS, files:N or packets:N";
    wrong(&format!("{flag} takes {duration}, not \"{text}\""))
}

fn wrong(message: &str) -> Error {
    usage("sniff", message)
}
