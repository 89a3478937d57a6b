//! What a run did, counted instead of timed: the same on a busy machine.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::measure::Job;

/// Heap allocations of a whole run.
pub fn allocations(job: &Job) -> Result<u64> {
    let said = valgrind(job, &["--leak-check=no", "--undef-value-errors=no"])?;
    // "total heap usage: 1,234 allocs, 1,200 frees, 56,789 bytes allocated"
    number_after(&said, "total heap usage: ")
}

/// Instructions of a whole run, all threads; which function took them goes to `profile`.
pub fn instructions(job: &Job, profile: &Path) -> Result<u64> {
    let out = format!("--callgrind-out-file={}", profile.display());
    let said = valgrind(job, &["--tool=callgrind", &out])?;
    number_after(&said, "Collected : ")
}

/// The share of a run's instructions that a function and what it calls take, in percent;
/// nothing where the compiler left no such function.
pub fn share(profile: &Path, function: &str) -> Result<Option<f64>> {
    let mut command = std::process::Command::new("callgrind_annotate");
    let output = command.arg("--inclusive=yes").arg(profile).output().context("callgrind_annotate")?;
    // "1,234 (12.34%)  src/pipeline/engine.rs:dorascope::pipeline::engine::Engine::pair [...]"
    let shares = String::from_utf8_lossy(&output.stdout).into_owned();
    let of = |line: &str| -> Option<f64> {
        let (name, share) = (line.split_once(&format!("{function} ["))?.0, line.split_once('(')?.1);
        // A caller's line has an arrow.
        (!name.contains("=>")).then_some(share.split_once('%')?.0.trim().parse().ok()?)
    };
    Ok(shares.lines().filter_map(of).reduce(f64::max))
}

fn valgrind(job: &Job, options: &[&str]) -> Result<String> {
    let command = job.command();
    let mut inside = std::process::Command::new("valgrind");
    inside.args(options).arg(command.get_program()).args(command.get_args());
    let output = inside.output().context("valgrind")?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() {
        bail!("under valgrind: {}: {said}", output.status);
    }
    Ok(said)
}

fn number_after(said: &str, words: &str) -> Result<u64> {
    let (_, rest) = said.split_once(words).with_context(|| format!("valgrind says no `{words}`: {said}"))?;
    let digits: String =
        rest.chars().take_while(|c| c.is_ascii_digit() || *c == ',').filter(char::is_ascii_digit).collect();
    digits.parse().context("a count")
}
