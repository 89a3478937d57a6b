//! `dorascope-bench`: makes captures, and measures dorascope beside its peers on them.

mod bars;
mod counts;
mod generate;
mod inputs;
mod measure;
mod page;
mod results;

use std::ffi::OsString;
use std::hash::Hasher;
use std::path::{Path, PathBuf};
use std::process::Command as Program;

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand, ValueEnum};

use generate::{Kind, Mode, Plan, Precision};

#[derive(Parser)]
#[command(name = "dorascope-bench", about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make one capture, and topology.toml beside it.
    Generate(Generate),
    /// Measure the bars and write the page.
    Run(Run),
    #[command(hide = true)]
    Measure {
        report: PathBuf,
        #[arg(last = true)]
        words: Vec<OsString>,
    },
}

#[derive(clap::Args)]
struct Run {
    /// The program.
    #[arg(long, default_value = "target/release/dorascope")]
    dorascope: PathBuf,
    /// Where captures and results are kept.
    #[arg(long, default_value = "target/bench")]
    folder: PathBuf,
    /// Single bars.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// A tenth of the size and no page.
    #[arg(long)]
    quick: bool,
    /// The page.
    #[arg(long, default_value = "docs/speed.md")]
    page: PathBuf,
    /// Why bars are not met, by their keys.
    #[arg(long, default_value = "tests/bench/notes.toml")]
    notes: PathBuf,
}

#[derive(clap::Args)]
struct Generate {
    /// What is in it.
    #[arg(long, value_enum, default_value = "dora")]
    kind: KindName,
    /// Mode of the pair of servers.
    #[arg(long, value_enum, default_value = "hot-standby")]
    mode: ModeName,
    /// Clients, in turn.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1..=16_000_000))]
    clients: u32,
    /// Frames without those of the control channel.
    #[arg(long, default_value_t = 4_000_000)]
    frames: u64,
    /// Timestamps in nanoseconds.
    #[arg(long)]
    nanoseconds: bool,
    /// Write no topology.
    #[arg(long)]
    bare: bool,
    /// The capture; .pcapng and .gz say its format.
    out: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum KindName {
    Dora,
    Control,
    Mixed,
    SameXid,
    NoAck,
    Unanswered,
    Colliding,
    LongOptions,
    Fragments,
}

#[derive(Clone, Copy, ValueEnum)]
enum ModeName {
    HotStandby,
    LoadBalancing,
}

impl Generate {
    fn run(&self) -> Result<()> {
        let kind = match self.kind {
            KindName::Dora => Kind::Dora,
            KindName::Control => Kind::Control,
            KindName::Mixed => Kind::Mixed,
            KindName::SameXid => Kind::SameXid,
            KindName::NoAck => Kind::NoAck,
            KindName::Unanswered => Kind::Unanswered,
            KindName::Colliding => Kind::Colliding,
            KindName::LongOptions => Kind::LongOptions,
            KindName::Fragments => Kind::Fragments,
        };
        let mode = match self.mode {
            ModeName::HotStandby => Mode::HotStandby,
            ModeName::LoadBalancing => Mode::LoadBalancing,
        };
        let precision = if self.nanoseconds { Precision::Nanoseconds } else { Precision::Microseconds };
        let plan = Plan { kind, mode, clients: self.clients, frames: self.frames, precision };
        let made = generate::write(&plan, &self.out).with_context(|| self.out.display().to_string())?;
        if !self.bare {
            let folder = self.out.parent().context("a file has a folder")?;
            generate::write_topology(folder, mode, kind == Kind::Control)?;
        }
        println!("{}: {made:?}", self.out.display());
        Ok(())
    }
}

impl Run {
    fn run(&self) -> Result<()> {
        let names = bars::BARS.map(|(name, _)| name);
        if let Some(name) = self.only.iter().find(|name| !names.contains(&name.as_str())) {
            bail!("no bar {name}; there are {}", names.join(", "));
        }
        let scratch = self.folder.join("scratch");
        std::fs::create_dir_all(&scratch)?;
        let help = Program::new(&self.dorascope).args(["analyze", "--help"]).output();
        let help = help.with_context(|| self.dorascope.display().to_string())?;
        let bench = bars::Bench {
            dorascope: self.dorascope.clone(),
            inputs: inputs::Inputs::new(&self.folder)?,
            scratch,
            quick: self.quick,
            help: String::from_utf8_lossy(&help.stdout).into_owned(),
        };
        let name = if self.quick { "quick.toml" } else { "results.toml" };
        let mut results = results::Results::load(&self.folder.join(name), &fingerprint(&self.dorascope)?);
        bars::measure(&bench, &self.only, &mut results)?;
        std::fs::remove_dir_all(&bench.scratch)?;
        if !self.quick {
            let notes =
                std::fs::read_to_string(&self.notes).with_context(|| self.notes.display().to_string())?;
            let versions = ["tcpdump", "tshark"].map(version);
            std::fs::write(&self.page, page::render(&results, &notes, &machine(), &versions)?)?;
            println!("{} is written", self.page.display());
        }
        Ok(())
    }
}

/// Tells one build from another.
fn fingerprint(program: &Path) -> Result<String> {
    let mut hasher = std::hash::DefaultHasher::new();
    hasher.write(&std::fs::read(program)?);
    Ok(format!("{:016x}", hasher.finish()))
}

/// Processors and memory, as the kernel names them.
fn machine() -> String {
    let field = |file: &str, name: &str| {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_once(':').map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let memory = field("/proc/meminfo", "MemTotal");
    let memory = memory.split(' ').next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default() >> 20;
    format!("{processors} × {}, {memory} GiB of memory", field("/proc/cpuinfo", "model name"))
}

/// The first line of what a program says of its version.
fn version(program: &str) -> String {
    let output = Program::new(program).arg("--version").output();
    let said = output.map(|output| [output.stdout, output.stderr].concat()).unwrap_or_default();
    String::from_utf8_lossy(&said).lines().next().unwrap_or_default().trim_end_matches('.').to_owned()
}

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Generate(generate) => generate.run(),
        Command::Run(run) => run.run(),
        Command::Measure { report, words } => measure::child(&report, &words),
    }
}
