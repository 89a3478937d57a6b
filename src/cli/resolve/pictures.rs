//! The jobs of `dorascope chart` and `dorascope report`.

use std::path::PathBuf;

use clap::Error;
use dorascope::chart::{Kind, Theme};
use dorascope::explain::Selector;

use super::{Inputs, inputs, selector, usage};
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
    let inputs = inputs("chart", args.input)?;
    Ok(ChartJob { inputs, kind, selector, output: args.output, picture, themes, data: args.data })
}

/// The job of `dorascope report`.
pub fn report(args: ReportArgs) -> Result<ReportJob, Error> {
    let ReportArgs { input, output, force, expect, title } = args;
    Ok(ReportJob { inputs: inputs("report", input)?, output, force, expect, title })
}
