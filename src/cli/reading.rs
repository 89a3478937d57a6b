//! What analyze, explain and check share: reading the captures, with a progress bar and a word about trouble.

use anyhow::Result;
use dorascope::capture::{self, Input, TroubleKind};
use dorascope::ha::topology::Topology;
use dorascope::pipeline::{self, Analysis, Options, analyze};

use super::exit::Exit;
use super::output::Output;
use super::progress::Progress;
use super::resolve::Inputs;
use super::topology::unknown_zones;
use super::witnesses;

/// Reads every log, lease file and capture. The exit code says whether all of it could be read.
pub fn read<'t>(inputs: &Inputs, topology: &'t Topology, output: &Output) -> Result<(Analysis<'t>, Exit)> {
    let whole =
        |inputs: &[Input], options, progress: &mut dyn FnMut(_)| analyze(inputs, topology, options, progress);
    with(inputs, topology, output, whole)
}

/// The same in constant memory: `take` sees every batch but the last, which is returned.
pub fn stream<'t>(
    inputs: &Inputs,
    topology: &'t Topology,
    output: &Output,
    sentences: bool,
    take: impl FnMut(&Analysis<'_>),
) -> Result<(Analysis<'t>, Exit)> {
    let batches = |inputs: &[Input], options, progress: &mut dyn FnMut(_)| {
        pipeline::stream(inputs, topology, Options { sentences, ..options }, progress, take)
    };
    with(inputs, topology, output, batches)
}

/// Shows the progress of a reading, and says what went wrong with it.
fn with<'t>(
    inputs: &Inputs,
    topology: &'t Topology,
    output: &Output,
    read: impl FnOnce(&[Input], Options, &mut dyn FnMut(capture::Progress)) -> Analysis<'t>,
) -> Result<(Analysis<'t>, Exit)> {
    let (given, whole) = witnesses::read(inputs, topology, output)?;
    #[cfg(feature = "live")]
    confine(inputs)?;
    let options = Options { given, threads: inputs.threads, ..Options::default() };
    let mut bar: Option<Progress> = None;
    let analysis = read(&inputs.captures, options, &mut |progress| {
        bar.get_or_insert_with(|| Progress::new(progress.total, output.quiet)).at(progress.read);
    });
    drop(bar);
    for trouble in &analysis.troubles {
        output.error(&trouble.to_string());
    }
    unknown_zones(topology, analysis.network.zones.iter().map(String::as_str), "FILE", output);
    let unusable = |kind: &TroubleKind| matches!(kind, TroubleKind::Unusable(_));
    let lost = analysis.troubles.iter().filter(|trouble| unusable(&trouble.kind)).count();
    let exit = match analysis.troubles.len() {
        0 if whole => Exit::Done,
        _ if lost == inputs.captures.len() => Exit::Failed,
        _ => Exit::Partial,
    };
    Ok((analysis, exit))
}

/// Captures come from strangers: from here on nothing else can be opened than they and what the command writes.
#[cfg(feature = "live")]
fn confine(inputs: &Inputs) -> Result<()> {
    let captures: Vec<_> = inputs.captures.iter().map(|input| input.path.clone()).collect();
    // A kernel without such rules has none; whoever only reads files is not told.
    super::sandbox::restrict(&captures, &inputs.writes).map(drop)
}
