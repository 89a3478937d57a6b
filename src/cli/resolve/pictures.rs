//! The jobs of `dorascope chart` and `dorascope report`.

use std::path::{Path, PathBuf};

use clap::Error;
use dorascope::chart::{Kind, Theme};
use dorascope::explain::Selector;

use super::{Inputs, folder_of, inputs, selector, usage};
use crate::cli::args::{ChartArg, ChartArgs, ReportArgs, ThemeArg};

/// See [`ChartArgs`].
#[derive(Debug, PartialEq, Eq)]
pub struct ChartJob {
    pub inputs: Inputs,
    pub kind: Kind,
    /// Which exchanges a ladder shows.
    pub selector: Option<Selector>,
    pub output: PathBuf,
    pub picture: Picture,
    pub themes: Vec<Theme>,
    pub data: Option<PathBuf>,
}

/// See [`ReportArgs`].
#[derive(Debug, PartialEq, Eq)]
pub struct ReportJob {
    pub inputs: Inputs,
    pub output: PathBuf,
    pub force: bool,
    pub expect: Option<PathBuf>,
    pub title: Option<String>,
}

/// What a chart is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Picture {
    Svg,
    Png,
}

/// The job of `dorascope chart`.
pub fn chart(args: ChartArgs) -> Result<ChartJob, Error> {
    let extension = args.output.extension().and_then(|extension| extension.to_str());
    let picture = match extension.map(str::to_ascii_lowercase).as_deref() {
        Some("svg") => Picture::Svg,
        Some("png") => Picture::Png,
        _ => return Err(usage("chart", "-o takes a file that ends in .svg or .png")),
    };
    let kind = match args.kind {
        ChartArg::Ladder => Kind::Ladder,
        ChartArg::States => Kind::States,
        ChartArg::Latency => Kind::Latency,
        ChartArg::Share => Kind::Share,
        ChartArg::Buckets => Kind::Buckets,
        ChartArg::Unacked => Kind::Unacked,
        ChartArg::Secs => Kind::Secs,
        ChartArg::Rate => Kind::Rate,
    };
    let selector = selector(args.selector);
    if selector.is_some() && kind != Kind::Ladder {
        return Err(usage(
            "chart",
            "--client, --xid and --ip go with the ladder; other charts show all clients",
        ));
    }
    let themes = match args.theme {
        ThemeArg::Light => vec![Theme::Light],
        ThemeArg::Dark => vec![Theme::Dark],
        ThemeArg::Both => Theme::ALL.to_vec(),
    };
    let mut inputs = inputs("chart", args.input)?;
    let outputs = || [Some(&args.output), args.data.as_ref()].into_iter().flatten();
    inputs.are_not("chart", outputs())?;
    inputs.writes.extend(outputs().map(|path| folder_of(path)));
    let dark = (themes.len() > 1).then(|| with_suffix(&args.output, "-dark"));
    if args.data.as_ref().is_some_and(|data| *data == args.output || Some(data) == dark.as_ref()) {
        return Err(usage("chart", "--data needs a file of its own, beside the chart's"));
    }
    Ok(ChartJob { inputs, kind, selector, output: args.output, picture, themes, data: args.data })
}

/// The job of `dorascope report`.
pub fn report(args: ReportArgs) -> Result<ReportJob, Error> {
    let ReportArgs { input, output, force, expect, title } = args;
    let mut inputs = inputs("report", input)?;
    // A new directory is made beside its place first.
    inputs.writes.extend([folder_of(&output), output.clone()]);
    Ok(ReportJob { inputs, output, force, expect, title })
}

/// `FILE-dark.svg` for `FILE.svg`.
pub fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.file_stem().unwrap_or_default().to_owned();
    name.push(suffix);
    name.push(".");
    name.push(file.extension().unwrap_or_default());
    file.with_file_name(name)
}

impl Inputs {
    /// Refuses to replace what is read.
    fn are_not<'p>(&self, command: &str, outputs: impl Iterator<Item = &'p PathBuf>) -> Result<(), Error> {
        let named = self.topology.kea.iter().chain(&self.logs).chain(&self.leases).map(|(_, path)| path);
        let captures = self.captures.iter().map(|input| &input.path);
        let read: Vec<PathBuf> = captures
            .chain(&self.topology.file)
            .chain(named)
            .filter_map(|path| path.canonicalize().ok())
            .collect();
        for output in outputs {
            if output.canonicalize().is_ok_and(|output| output.is_file() && read.contains(&output)) {
                return Err(usage(
                    command,
                    &format!("{} is an input, and would be replaced", output.display()),
                ));
            }
        }
        Ok(())
    }
}
