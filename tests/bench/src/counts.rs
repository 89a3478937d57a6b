//! What a run did, counted instead of timed: the same on a busy machine.

use anyhow::{Context, Result, bail};

use crate::measure::Job;

/// Heap allocations of a whole run.
pub fn allocations(job: &Job) -> Result<u64> {
    let said = valgrind(job, &["--leak-check=no", "--undef-value-errors=no"])?;
    // "total heap usage: 1,234 allocs, 1,200 frees, 56,789 bytes allocated"
    number_after(&said, "total heap usage: ")
}

/// Instructions of a whole run, all threads.
pub fn instructions(job: &Job) -> Result<u64> {
    let said = valgrind(job, &["--tool=callgrind", "--callgrind-out-file=/dev/null"])?;
    number_after(&said, "Collected : ")
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
