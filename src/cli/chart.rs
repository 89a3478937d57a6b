//! `dorascope chart`: one picture, and the data behind it.

use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, bail};
use dorascope::chart::{Chart, Charts, Theme, png};

use super::exit::Exit;
use super::files::Pending;
use super::output::Output;
use super::reading::stream;
use super::resolve::{ChartJob, Picture, with_suffix};
use super::topology;

/// Draws the chart.
pub fn run(job: &ChartJob, output: &Output) -> Result<Exit> {
    // What cannot be written should fail before the work, not after it.
    let mut first: Vec<Option<Pending>> = Vec::new();
    for theme in &job.themes {
        first.push(Some(Pending::create(&path(job, *theme, 0))?));
    }
    let data = job.data.as_deref().map(Pending::create).transpose()?;
    let topology = topology::load(&job.inputs.topology, output)?;
    let mut charts = Charts::new(&[job.kind], job.selector.as_ref());
    let (last, exit) = stream(&job.inputs, &topology, output, false, |batch| charts.take(batch))?;
    if exit == Exit::Failed {
        return Ok(exit);
    }
    charts.take(&last);
    let Some(chart) = charts.finish(&last).pop() else { return Ok(exit) };
    if let Some(selector) = job.selector.as_ref().filter(|_| chart.rows().is_empty() && last.settled > 0) {
        bail!("no message of {selector}; `dorascope analyze` lists the clients");
    }
    if let Some((data, path)) = data.zip(job.data.as_deref()) {
        data.put(&chart.csv()?)?;
        output.note(&format!("wrote {}", path.display()));
    }
    for (theme, mut first) in job.themes.iter().zip(first) {
        for page in 0..chart.pages() {
            let path = path(job, *theme, page);
            let pending = first.take().map_or_else(|| Pending::create(&path), Ok)?;
            pending.put(&drawn(&chart, page, *theme, job.picture)?)?;
            output.note(&format!("wrote {}: {}", path.display(), chart.title(page)));
        }
    }
    Ok(exit)
}

/// A page as the bytes of its file.
fn drawn(chart: &Chart, page: usize, theme: Theme, picture: Picture) -> Result<Vec<u8>> {
    let svg = chart.svg(page, theme);
    match picture {
        Picture::Svg => Ok(svg.into_bytes()),
        Picture::Png => png::render(&svg).map_err(|error| anyhow!(error)).context("cannot draw the PNG"),
    }
}

/// `FILE.svg`, `FILE-2.svg`; with both themes `FILE-dark.svg` beside it.
fn path(job: &ChartJob, theme: Theme, page: usize) -> PathBuf {
    let number = if page > 0 { format!("-{}", page + 1) } else { String::new() };
    let dark = if job.themes.len() > 1 && theme == Theme::Dark { "-dark" } else { "" };
    with_suffix(&job.output, &format!("{number}{dark}"))
}
