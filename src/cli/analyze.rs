//! `dorascope analyze`: every table of the captures.

use anyhow::{Result, bail};

use super::exit::Exit;
use super::output::Output;
use super::resolve::AnalyzeJob;

/// Reads the captures, prints the leases or writes the tables.
pub fn run(job: &AnalyzeJob, _output: &Output) -> Result<Exit> {
    bail!("analyze is not connected to the pipeline: {job:?}")
}
