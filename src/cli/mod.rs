//! The command line. The binary alone has this module, so the library cannot
//! know a flag.
//!
//! `args` is what was typed, `resolve` checks it and makes the job, one file
//! per subcommand does the job, `output` prints, `exit` ends the program.

mod analyze;
mod args;
mod chart;
mod check;
mod exit;
mod explain;
mod files;
mod hash;
mod lint;
mod output;
mod progress;
mod query;
mod reading;
mod report;
mod resolve;
#[cfg(feature = "live")]
mod sandbox;
mod schema;
mod shell;
#[cfg(feature = "live")]
mod sniff;
#[cfg(test)]
mod tests;
mod topology;
mod witnesses;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use exit::Exit;
use output::Output;
use resolve::Job;

/// Parses the command line, runs it and says how it ended.
pub fn main() -> ExitCode {
    let cli = args::Cli::parse();
    let output = Output::new(cli.global.color, cli.global.quiet);
    match resolve::job(cli.command) {
        // Clap prints its own usage errors the same way, with exit code 2.
        Err(error) => error.exit(),
        Ok(job) => exit::code(run(job, &output), &output),
    }
}

/// Does the job.
fn run(job: Job, output: &Output) -> Result<Exit> {
    match job {
        Job::Analyze(job) => analyze::run(&job, output),
        Job::Explain(job) => explain::run(&job, output),
        Job::Check(job) => check::run(&job, output),
        #[cfg(feature = "live")]
        Job::Sniff(job) => sniff::run(&job, output),
        Job::Chart(job) => chart::run(&job, output),
        Job::Report(job) => report::run(&job, output),
        Job::Hash(job) => hash::run(&job, output),
        Job::TopologyImport(job) => topology::import(&job, output),
        Job::TopologyInfer(job) => topology::infer(&job, output),
        Job::TopologyLint(job) => lint::run(&job, output),
        Job::Schema(job) => schema::run(&job, output),
        Job::Query(job) => query::run(&job, output),
        Job::Completions(shell) => shell::completions(shell),
        Job::Man(folder) => shell::manual(folder.as_deref(), output),
    }
}
