//! `dorascope-bench`: makes captures, and measures dorascope beside its peers on them.

mod generate;

use std::path::PathBuf;

use anyhow::{Context, Result};
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

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Generate(generate) => generate.run(),
    }
}
