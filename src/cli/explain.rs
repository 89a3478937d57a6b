//! `dorascope explain`: the card of one client, or the paragraph of a code.

use anyhow::{Result, bail};

use super::exit::Exit;
use super::output::Output;
use super::resolve::ExplainJob;

/// Prints the card or the paragraph.
pub fn run(job: &ExplainJob, _output: &Output) -> Result<Exit> {
    match job {
        ExplainJob::Code(code) => bail!("there is no code \"{code}\""),
        ExplainJob::Card { .. } => bail!("explain is not connected to the pipeline: {job:?}"),
    }
}
