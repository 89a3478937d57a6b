//! What was typed becomes what is to be done: the only place where values are checked and merged.

mod pictures;
mod query;
#[cfg(feature = "live")]
mod sniff;

use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{CommandFactory, Error};
use dorascope::capture::Input;
use dorascope::explain::Selector;
use dorascope::ha::hash::Owner;
use dorascope::table::{Format, Table, schema};
use dorascope::units::parse_hex;

use super::args::{
    AnalyzeArgs, CheckArgs, Cli, Command, ExplainArgs, FormatArg, HashArgs, ImportArgs, InferArgs, InputArgs,
    KeyKindArg, LintArgs, SchemaArgs, SelectorArgs, ShellArg, TopologyArgs, TopologyCommand,
};
use super::files;

pub use pictures::{ChartJob, Picture, ReportJob, with_suffix};
pub use query::{QueryJob, TableSource};
#[cfg(feature = "live")]
pub use sniff::{CaptureJob, Printed, SniffJob};

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Job {
    Analyze(AnalyzeJob),
    Explain(ExplainJob),
    Check(CheckJob),
    #[cfg(feature = "live")]
    Sniff(SniffJob),
    Chart(ChartJob),
    Report(ReportJob),
    Hash(HashJob),
    TopologyImport(ImportJob),
    TopologyInfer(InferJob),
    TopologyLint(LintJob),
    Schema(SchemaJob),
    Query(QueryJob),
    Completions(ShellArg),
    /// Manual pages: all into a directory, or the main one to standard output.
    Man(Option<PathBuf>),
}

/// How rows are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A terminal table.
    Table,
    /// A format for programs.
    Data(Format),
}

/// Captures in the order of the command line, and what is known about the network.
#[derive(Debug, PartialEq, Eq)]
pub struct Inputs {
    /// Never empty.
    pub captures: Vec<Input>,
    /// Where the topology comes from.
    pub topology: TopologySources,
    /// Server names and their logs.
    pub logs: Vec<(String, PathBuf)>,
    /// Server names and their lease files.
    pub leases: Vec<(String, PathBuf)>,
    /// Directories that the command writes to, so that nothing else can be written once strangers' bytes are read.
    pub writes: Vec<PathBuf>,
    /// Threads to work with; 0 takes as many as the machine has.
    pub threads: usize,
    /// The subcommand, for a usage error that only the topology shows.
    pub command: &'static str,
}

/// Where the topology comes from; both may be absent.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct TopologySources {
    /// The topology file.
    pub file: Option<PathBuf>,
    /// Server names and their kea-dhcp4.conf.
    pub kea: Vec<(String, PathBuf)>,
}

/// See [`AnalyzeArgs`].
#[derive(Debug, PartialEq, Eq)]
pub struct AnalyzeJob {
    pub inputs: Inputs,
    pub destination: Destination,
}

/// Where the result of an analysis goes.
#[derive(Debug, PartialEq, Eq)]
pub enum Destination {
    /// The leases to standard output.
    Print(Shape),
    /// Every table to a directory.
    Directory { path: PathBuf, force: bool, format: Format },
}

/// See [`ExplainArgs`].
#[derive(Debug, PartialEq, Eq)]
pub enum ExplainJob {
    /// The operator's paragraph of a code.
    Code(String, Shape),
    /// Every code.
    Codes(Shape),
    /// The card of a client.
    Card { inputs: Inputs, selector: Selector, shape: Shape },
}

/// See [`CheckArgs`].
#[derive(Debug, PartialEq, Eq)]
pub struct CheckJob {
    pub inputs: Inputs,
    pub expect: PathBuf,
    pub shape: Shape,
}

/// See [`HashArgs`].
#[derive(Debug, PartialEq, Eq)]
pub struct HashJob {
    pub what: HashWhat,
    pub topology: TopologySources,
    pub shape: Shape,
}

/// What to hash.
#[derive(Debug, PartialEq, Eq)]
pub enum HashWhat {
    /// These keys.
    Keys(Vec<HashKey>),
    /// `count` hardware addresses that begin with `prefix` and belong to `target`.
    Find { target: Target, count: usize, prefix: Vec<u8>, kind: KeyKindArg },
}

/// One key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashKey {
    pub kind: KeyKindArg,
    pub bytes: Vec<u8>,
}

impl HashKey {
    /// The key of a client with this hardware address.
    pub fn of_mac(mac: &[u8], kind: KeyKindArg) -> Self {
        // Option 61 begins with the hardware type, 1 for Ethernet (RFC 2132 §9.14).
        let ethernet: &[u8] = if kind == KeyKindArg::ClientId { &[1] } else { &[] };
        Self { kind, bytes: [ethernet, mac].concat() }
    }
}

/// Whose identifiers are wanted.
#[derive(Debug, PartialEq, Eq)]
pub enum Target {
    Owner(Owner),
    /// A server or peer by name; its role is in the topology.
    Server(String),
}

/// See [`ImportArgs`].
#[derive(Debug, PartialEq, Eq)]
pub struct ImportJob {
    /// Machine name, where it was given, and Kea configuration file.
    pub files: Vec<(Option<String>, PathBuf)>,
    /// Standard output when absent.
    pub output: Option<PathBuf>,
    pub force: bool,
}

/// See [`InferArgs`].
#[derive(Debug, PartialEq, Eq)]
pub struct InferJob {
    /// Captures, with nothing known about the network.
    pub inputs: Inputs,
    /// Standard output when absent.
    pub output: Option<PathBuf>,
    pub force: bool,
}

/// See [`LintArgs`].
#[derive(Debug, PartialEq, Eq)]
pub struct LintJob {
    /// The topology file.
    pub topology: Option<PathBuf>,
    /// Machine name, where it was given, and Kea configuration file.
    pub files: Vec<(Option<String>, PathBuf)>,
    pub shape: Shape,
}

/// See [`SchemaArgs`].
#[derive(Debug, PartialEq, Eq)]
pub struct SchemaJob {
    pub tables: Vec<&'static Table>,
    pub shape: Shape,
}

/// The job of a command line, or the usage error to show.
pub fn job(command: Command) -> Result<Job, Error> {
    Ok(match command {
        Command::Analyze(args) => Job::Analyze(analyze(args)?),
        Command::Explain(args) => Job::Explain(explain(args)?),
        Command::Check(args) => Job::Check(check(args)?),
        #[cfg(feature = "live")]
        Command::Sniff(args) => Job::Sniff(sniff::job(args)?),
        Command::Chart(args) => Job::Chart(pictures::chart(args)?),
        Command::Report(args) => Job::Report(pictures::report(args)?),
        Command::Hash(args) => Job::Hash(hash(args)?),
        Command::Topology(TopologyCommand::Import(args)) => Job::TopologyImport(import(args)),
        Command::Topology(TopologyCommand::Infer(args)) => Job::TopologyInfer(infer(&args)?),
        Command::Topology(TopologyCommand::Lint(args)) => Job::TopologyLint(lint(args)?),
        Command::Schema(args) => Job::Schema(schema_job(args)?),
        Command::Query(args) => Job::Query(query::job(args)?),
        Command::Completions(args) => Job::Completions(args.shell),
        Command::Man(args) => Job::Man(args.output),
    })
}

fn analyze(args: AnalyzeArgs) -> Result<AnalyzeJob, Error> {
    let destination = match (args.output, args.format.map(shape)) {
        (None, shape) => Destination::Print(shape.unwrap_or(Shape::Table)),
        (Some(_), Some(Shape::Table)) => {
            return Err(usage(
                "analyze",
                "--format table is for the terminal; with -o use parquet, arrow, csv, json or jsonl",
            ));
        }
        (Some(path), Some(Shape::Data(format))) => Destination::Directory { path, force: args.force, format },
        (Some(path), None) => Destination::Directory { path, force: args.force, format: Format::Parquet },
    };
    let mut inputs = inputs("analyze", args.input)?;
    if let Destination::Directory { path, .. } = &destination {
        inputs.writes.push(path.clone());
    }
    Ok(AnalyzeJob { inputs, destination })
}

fn explain(args: ExplainArgs) -> Result<ExplainJob, Error> {
    if args.codes {
        return Ok(ExplainJob::Codes(shape(args.format)));
    }
    match (selector(args.selector), args.input.files.as_slice()) {
        (None, [code]) if args.input.read.is_empty() && is_code(code) && !Path::new(code).exists() => {
            Ok(ExplainJob::Code(code.clone(), shape(args.format)))
        }
        (None, _) => {
            Err(usage("explain", "say which client: --client MAC or NAME, --xid XID, or --ip ADDRESS"))
        }
        (Some(selector), _) => Ok(ExplainJob::Card {
            inputs: inputs("explain", args.input)?,
            selector,
            shape: shape(args.format),
        }),
    }
}

fn check(args: CheckArgs) -> Result<CheckJob, Error> {
    Ok(CheckJob { inputs: inputs("check", args.input)?, expect: args.expect, shape: shape(args.format) })
}

fn selector(args: SelectorArgs) -> Option<Selector> {
    match args {
        s if s.client.is_some() => s.client.map(|text| Selector::Client { mac: text.parse().ok(), text }),
        s => s.xid.map(Selector::Xid).or(s.ip.map(Selector::Ip)),
    }
}

fn hash(args: HashArgs) -> Result<HashJob, Error> {
    let what = if let Some(find) = args.find {
        let like = args.like.as_deref().unwrap_or("02:00:00");
        let prefix = parse_hex(like).filter(|prefix| (1..=5).contains(&prefix.len())).ok_or_else(|| {
            usage("hash", &format!("--like takes one to five bytes such as 08:00:27, not \"{like}\""))
        })?;
        let target = match find.as_str() {
            "primary" => Target::Owner(Owner::Primary),
            "secondary" => Target::Owner(Owner::Secondary),
            _ => Target::Server(find),
        };
        HashWhat::Find { target, count: args.count.unwrap_or(5), prefix, kind: args.key_kind }
    } else if args.count.is_some() || args.like.is_some() {
        // Clap forgets what an argument requires when that conflicts with another one.
        return Err(usage("hash", "--count and --like go with --find"));
    } else {
        let macs = args.macs.iter().map(|mac| Ok(HashKey::of_mac(mac.as_bytes(), args.key_kind)));
        let ids = args.client_id.iter().map(|text| match parse_hex(text) {
            Some(bytes) if !bytes.is_empty() => Ok(HashKey { kind: KeyKindArg::ClientId, bytes }),
            _ => Err(usage(
                "hash",
                &format!("\"{text}\" is not a client identifier such as 01:08:00:27:a2:00:01"),
            )),
        });
        HashWhat::Keys(macs.chain(ids).collect::<Result<_, Error>>()?)
    };
    Ok(HashJob { what, topology: topology("hash", args.topology)?, shape: shape(args.format) })
}

fn import(args: ImportArgs) -> ImportJob {
    let files = args.files.iter().map(|text| maybe_named(text)).collect();
    ImportJob { files, output: args.output, force: args.force }
}

fn infer(args: &InferArgs) -> Result<InferJob, Error> {
    let inputs = Inputs {
        captures: captures("topology", args.files.iter())?,
        topology: TopologySources::default(),
        logs: Vec::new(),
        leases: Vec::new(),
        writes: args.output.iter().map(|path| folder_of(path)).collect(),
        threads: 0,
        command: "topology",
    };
    Ok(InferJob { inputs, output: args.output.clone(), force: args.force })
}

fn lint(args: LintArgs) -> Result<LintJob, Error> {
    let TopologySources { file, kea } = topology("topology", args.topology)?;
    let kea = kea.into_iter().map(|(name, path)| (Some(name), path));
    let files: Vec<_> = args.files.iter().map(|text| maybe_named(text)).chain(kea).collect();
    if file.is_none() && files.is_empty() {
        return Err(usage("topology", "name Kea's files ([NAME=]FILE), or a topology file with -t"));
    }
    Ok(LintJob { topology: file, files, shape: shape(args.format) })
}

/// `[NAME=]FILE`; a file whose own name has a `=` stays whole.
fn maybe_named(text: &str) -> (Option<String>, PathBuf) {
    match text.split_once('=') {
        Some((name, path)) if !name.contains('/') && !Path::new(text).exists() => {
            (Some(name.to_owned()), path.into())
        }
        _ => (None, text.into()),
    }
}

fn schema_job(args: SchemaArgs) -> Result<SchemaJob, Error> {
    let all = || schema::TABLES.into_iter().chain(schema::RESULTS).chain(schema::CHARTS);
    let tables: Vec<_> = match &args.table {
        None => schema::TABLES.to_vec(),
        Some(name) => all().filter(|table| table.name == name).collect(),
    };
    if tables.is_empty() {
        let names: Vec<&str> = all().map(|table| table.name).collect();
        let name = args.table.unwrap_or_default();
        return Err(usage("schema", &format!("there is no table \"{name}\" (tables: {})", names.join(", "))));
    }
    Ok(SchemaJob { tables, shape: shape(args.format) })
}

/// The captures in their order; at least one, and standard input at most once.
fn captures<'a>(command: &'static str, texts: impl Iterator<Item = &'a String>) -> Result<Vec<Input>, Error> {
    let captures: Vec<Input> = texts.map(|text| text.parse()).collect::<Result<_, _>>().unwrap_or_default();
    if captures.is_empty() {
        return Err(usage(command, "name at least one capture file, or - for standard input"));
    }
    if captures.iter().filter(|input| input.path.as_os_str() == "-").count() > 1 {
        return Err(usage(command, "standard input (-) can be read only once"));
    }
    Ok(captures)
}

fn inputs(command: &'static str, args: InputArgs) -> Result<Inputs, Error> {
    Ok(Inputs {
        captures: captures(command, args.files.iter().chain(&args.read))?,
        logs: named(command, "--log", &args.log)?,
        leases: named(command, "--leases", &args.leases)?,
        topology: topology(command, args.topology)?,
        writes: Vec::new(),
        threads: args.threads.map_or(0, usize::from),
        command,
    })
}

/// The folder that holds what a path leads to.
pub fn folder_of(path: &Path) -> PathBuf {
    files::folder_of(&path.canonicalize().unwrap_or_else(|_| path.to_owned())).to_owned()
}

/// The values of a flag that takes `NAME=FILE`.
fn named(command: &str, flag: &str, values: &[String]) -> Result<Vec<(String, PathBuf)>, Error> {
    let pair = |text: &String| match text.split_once('=') {
        Some((name, path)) if !name.is_empty() && !path.is_empty() => {
            Ok((name.to_owned(), PathBuf::from(path)))
        }
        _ => Err(usage(command, &format!("{flag} takes NAME=FILE, not \"{text}\""))),
    };
    values.iter().map(pair).collect()
}

fn topology(command: &str, args: TopologyArgs) -> Result<TopologySources, Error> {
    Ok(TopologySources { file: args.topology, kea: named(command, "--kea", &args.kea)? })
}

const fn shape(format: FormatArg) -> Shape {
    match format {
        FormatArg::Table => Shape::Table,
        FormatArg::Json => Shape::Data(Format::Json),
        FormatArg::Jsonl => Shape::Data(Format::JsonLines),
        FormatArg::Csv => Shape::Data(Format::Csv),
        FormatArg::Parquet => Shape::Data(Format::Parquet),
        FormatArg::Arrow => Shape::Data(Format::Arrow),
    }
}

/// Whether a word looks like a catalogue code: lower-case words joined by hyphens.
fn is_code(text: &str) -> bool {
    let word =
        |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    text.split('-').all(word)
}

/// A usage error with the usage line of the command.
#[cold]
pub fn usage(command: &str, message: &str) -> Error {
    let mut cli = Cli::command();
    cli.build();
    match cli.find_subcommand_mut(command) {
        Some(command) => command.error(ErrorKind::ValueValidation, message),
        None => cli.error(ErrorKind::ValueValidation, message),
    }
}
