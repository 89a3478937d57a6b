//! One program, run and measured: wall time, processor time and peak memory.
//!
//! The kernel adds up what all children of a process used, so every run has a process of its own in between:
//! this program again, with the hidden command `measure`.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use nix::sys::resource::{Resource, UsageWho, getrusage, setrlimit};
use nix::sys::time::TimeValLike;

/// A run may use this many bytes of memory of its own, far above every bar; then its allocations fail.
pub const MEMORY_LIMIT: u64 = 6 << 30;
/// And this many seconds of processor time.
pub const TIME_LIMIT: u64 = 900;
/// After a run of so many seconds there is no second one.
const LONG: f64 = 25.0;

/// What to run.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its name in the table.
    pub name: String,
    program: PathBuf,
    arguments: Vec<OsString>,
}

impl Job {
    pub fn new(name: &str, program: impl Into<PathBuf>) -> Self {
        Self { name: name.to_owned(), program: program.into(), arguments: Vec::new() }
    }

    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    pub fn args<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// What one would type.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).stdin(Stdio::null());
        command
    }
}

/// One run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sample {
    /// Seconds from start to end.
    pub wall: f64,
    /// Seconds of all its threads, in it and in the kernel.
    pub cpu: f64,
    /// Bytes of memory that it had resident at most.
    pub peak: u64,
}

/// All runs of one job.
#[derive(Clone, Debug)]
pub struct Runs {
    pub name: String,
    /// In the order of the rounds; empty when `failed`.
    pub samples: Vec<Sample>,
    /// How it ended when it ended badly.
    pub failed: Option<String>,
}

impl Runs {
    /// Median of its wall times.
    pub fn wall(&self) -> Option<f64> {
        median(self.samples.iter().map(|sample| sample.wall))
    }

    /// Median of its processor times.
    pub fn cpu(&self) -> Option<f64> {
        median(self.samples.iter().map(|sample| sample.cpu))
    }

    /// The most memory of any run.
    pub fn peak(&self) -> Option<u64> {
        self.samples.iter().map(|sample| sample.peak).max()
    }

    /// Median over the rounds of what this took in units of what the other took in the same round.
    pub fn over(&self, other: &Self) -> Option<f64> {
        median(self.samples.iter().zip(&other.samples).map(|(this, other)| this.wall / other.wall))
    }
}

/// `None` of nothing.
pub fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        length if length.is_multiple_of(2) => Some((values[middle - 1] + values[middle]) / 2.0),
        _ => Some(values[middle]),
    }
}

/// Runs all jobs in turn, as many rounds as asked for after one that only warms the caches.
///
/// Where a round is long, or none is asked for, the first one counts and is the only one.
pub fn compare(jobs: &[Job], rounds: usize, scratch: &Path) -> Result<Vec<Runs>> {
    let mut all: Vec<_> =
        jobs.iter().map(|job| Runs { name: job.name.clone(), samples: Vec::new(), failed: None }).collect();
    for round in 0..=rounds {
        for (job, runs) in jobs.iter().zip(&mut all).filter(|(_, runs)| runs.failed.is_none()) {
            match run(job, scratch)? {
                Ok(sample) => runs.samples.push(sample),
                Err(why) => {
                    println!("    {}: {why}", job.name);
                    (runs.failed, runs.samples) = (Some(why), Vec::new());
                }
            }
        }
        let longest = all.iter().flat_map(|runs| &runs.samples).map(|sample| sample.wall).fold(0.0, f64::max);
        if round == 0 {
            if longest > LONG || rounds == 0 {
                break;
            }
            all.iter_mut().for_each(|runs| runs.samples.clear());
        }
    }
    for runs in &all {
        if let (Some(wall), Some(cpu), Some(peak)) = (runs.wall(), runs.cpu(), runs.peak()) {
            println!(
                "    {:<24} {wall:>9.3} s {cpu:>9.3} s cpu {:>7.1} MiB",
                runs.name,
                peak as f64 / 1_048_576.0
            );
        }
    }
    Ok(all)
}

/// One run; the inner error is the program's own.
fn run(job: &Job, scratch: &Path) -> Result<Result<Sample, String>> {
    let (report, errors) = (scratch.join("report"), scratch.join("stderr"));
    let myself = std::env::current_exe()?;
    let status = Command::new(myself)
        .arg("measure")
        .arg(&report)
        .arg("--")
        .arg(&job.program)
        .args(&job.arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(&errors)?)
        .status()?;
    let said = String::from_utf8_lossy(&std::fs::read(&errors)?).into_owned();
    if !status.success() {
        bail!("{} could not be run: {said}", job.name);
    }
    let report = std::fs::read_to_string(&report)?;
    let mut fields = report.split(';');
    let mut next = || fields.next().context("a measurement has five fields");
    let sample = Sample { wall: next()?.parse()?, cpu: next()?.parse()?, peak: next()?.parse()? };
    let end = next()?;
    if end == "exit status: 0" {
        return Ok(Ok(sample));
    }
    let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let resources = format!("after {:.0} s with {} MiB", sample.wall, sample.peak >> 20);
    Ok(Err(format!("{end} {resources}: {}", last.trim().chars().take(160).collect::<String>())))
}

/// The process in between: runs the program under the limits and writes down what it took.
pub fn child(report: &Path, words: &[OsString]) -> Result<()> {
    let (program, arguments) = words.split_first().context("no program")?;
    setrlimit(Resource::RLIMIT_DATA, MEMORY_LIMIT, MEMORY_LIMIT)?;
    setrlimit(Resource::RLIMIT_CPU, TIME_LIMIT, TIME_LIMIT)?;
    let began = Instant::now();
    let status = Command::new(program).args(arguments).status().with_context(|| format!("{program:?}"))?;
    let wall = began.elapsed().as_secs_f64();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let cpu = (usage.user_time() + usage.system_time()).num_microseconds() as f64 / 1e6;
    // In KiB, says getrusage(2).
    let peak = usage.max_rss() * 1024;
    std::fs::write(report, format!("{wall};{cpu};{peak};{status}"))?;
    Ok(())
}
