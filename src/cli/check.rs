//! `dorascope check`: expected leases against observed ones.

use anyhow::{Result, bail};

use super::exit::Exit;
use super::output::Output;
use super::resolve::CheckJob;

/// Prints the tables of expectations with what was observed.
pub fn run(job: &CheckJob, _output: &Output) -> Result<Exit> {
    bail!("check is not connected to the pipeline: {job:?}")
}
