//! `dorascope sniff`: frames from interfaces, explained while they come.
//!
//! ```text
//! mod       what is opened, in which order, and what is given up before the first frame
//! run       the loop: frames, time, signals
//! sources   where a frame is found again: in which file, under which number
//! outputs   who is told: standard output, tables, metrics, the view
//! printer   standard output, which may be slow
//! signals   what the user says
//! ```

mod outputs;
mod printer;
mod run;
mod signals;
mod sources;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use caps::Capability;
use dorascope::capture::live::{
    GUESSED_PORTS, Live, LiveOptions, OpenError, Tap, default_filter, interfaces, now,
};
use dorascope::capture::recorder::{Recorded, Recorder};
use dorascope::table::{Rows, escape, schema};

use super::exit::Exit;
use super::output::Output;
use super::resolve::{CaptureJob, Printed, SniffJob, folder_of};
use super::{sandbox, topology};
use outputs::{Outputs, Shown};
use run::Run;
use signals::Signals;
use sources::Described;

/// Bytes of frames that may wait to be analysed.
const BACKLOG: usize = 128 << 20;

/// Captures until it is told to end.
pub fn run(job: &SniffJob, output: &Output) -> Result<Exit> {
    match job {
        SniffJob::List => list(output),
        SniffJob::Capture(job) => capture(job, output),
    }
}

/// The interfaces of the machine.
fn list(output: &Output) -> Result<Exit> {
    let mut rows = Rows::new(&schema::INTERFACES);
    for it in interfaces()? {
        let state = if it.up { "up" } else { "down" };
        let addresses = it.addresses.join(" ");
        rows.push(&dorascope::cells![it.name.as_str(), state, addresses.as_str(), it.description.as_str()]);
    }
    output.table(&rows, usize::MAX, &[])?;
    Ok(Exit::Done)
}

fn capture(job: &CaptureJob, output: &Output) -> Result<Exit> {
    let topology = topology::load(&job.topology, output)?;
    let ports = topology.control_ports();
    let filter = job.filter.clone().unwrap_or_else(|| default_filter(&ports));
    let options = LiveOptions {
        filter,
        snaplen: job.snaplen,
        buffer_mib: job.buffer_mib,
        promiscuous: job.promiscuous,
        stamps: job.stamps,
        reopen: job.keep_net_raw,
    };
    let mut taps = Vec::new();
    for interface in &job.interfaces {
        taps.push(Tap::open(interface.clone(), &options).map_err(|error| advice(&error))?);
    }
    if job.filter.is_none() && ports.is_empty() {
        output.note(&format!(
            "no topology names the control channel's ports, so tcp {GUESSED_PORTS} is captured; -t or --kea names them"
        ));
    }
    topology::unknown_zones(&topology, job.interfaces.iter().map(|it| it.zone.as_str()), "INTERFACE", output);
    let listener = job.metrics.map(outputs::listen).transpose()?;
    give_up_rights(job, output)?;
    let recorded = taps.iter().map(|tap| Recorded {
        name: tap.interface.name.clone(),
        zone: tap.interface.zone.clone(),
        link: tap.link,
        snaplen: tap.snaplen,
    });
    let recorder = match &job.record {
        Some((path, limits)) => Some(
            Recorder::create(path, *limits, recorded.collect(), now())
                .with_context(|| format!("cannot write {}", path.display()))?,
        ),
        None => None,
    };
    let zones: Vec<String> = job
        .interfaces
        .iter()
        .map(|it| if it.zone == it.name { it.name.clone() } else { format!("{} ({})", it.zone, it.name) })
        .collect();
    output.note(&format!("capturing on {}", escape(&zones.join(", "))));
    // Before the first thread, which may end the program.
    let signals = Signals::take()?;
    let described = taps.iter().map(Described::of).collect();
    // The capturing threads have what rights are kept, and nobody else.
    let live = Live::start(taps, BACKLOG).context("cannot begin a thread")?;
    if job.sandbox {
        sandbox::drop_capabilities(&[])?;
    }
    let outputs = Outputs::create(job, shown(job), listener, signals.stop(), output)?;
    Ok(Run::new((job, output), &topology, (live, described), recorder, outputs, signals).run())
}

/// What standard output gets.
fn shown(job: &CaptureJob) -> Shown {
    let terminal = || std::io::stdout().is_terminal() && std::io::stdin().is_terminal();
    // Nobody asked for lines where the results go elsewhere.
    let elsewhere = job.tables.is_some() || job.metrics.is_some() || job.record.is_some();
    match job.printed {
        Printed::Default if terminal() => Shown::View,
        Printed::Default if elsewhere => Shown::Nothing,
        Printed::Default | Printed::Text => Shown::Text,
        Printed::Json => Shown::Json,
    }
}

/// libpcap's refusal, and what helps.
fn advice(error: &OpenError) -> anyhow::Error {
    let what = match error {
        OpenError::Permission { .. } => {
            let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("dorascope"));
            format!(
                "; run it as root, or let the program capture: sudo setcap cap_net_raw+ep {}",
                shell_word(&program)
            )
        }
        OpenError::Missing(_) => "; `dorascope sniff -D` lists the interfaces".to_owned(),
        _ => String::new(),
    };
    anyhow!("{error}{what}")
}

/// A path as a shell takes it.
fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// Everything is open that needs rights: now they go.
fn give_up_rights(job: &CaptureJob, output: &Output) -> Result<()> {
    let recordings = job.record.as_ref().map(|(path, _)| folder_of(path));
    let tables = job.tables.as_ref().map(|(path, _)| path.clone());
    let folders: Vec<PathBuf> = recordings.into_iter().chain(tables.clone()).collect();
    if job.sandbox {
        sandbox::become_owner(&folders)?;
    }
    if let Some(path) = tables {
        std::fs::create_dir_all(&path).with_context(|| format!("cannot write {}", path.display()))?;
    }
    if !job.sandbox {
        return Ok(());
    }
    let keep: &[Capability] = if job.keep_net_raw { &[Capability::CAP_NET_RAW] } else { &[] };
    sandbox::drop_capabilities(keep)?;
    // libpcap asks these about an interface that it opens anew.
    let read: Vec<PathBuf> = if job.keep_net_raw {
        vec!["/sys".into(), "/proc/net".into(), "/proc/sys/net".into()]
    } else {
        Vec::new()
    };
    if !sandbox::restrict(&read, &folders)? {
        output.note("this kernel has no Landlock, so the program could still open other files");
    }
    Ok(())
}
