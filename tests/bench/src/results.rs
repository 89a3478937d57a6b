//! What was measured, kept between runs so that single bars can be measured again: target/bench/results.toml.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::measure::Runs;

/// All bars of one build of dorascope.
#[derive(Debug, Default, Deserialize, Serialize)]
pub struct Results {
    /// Which build it was.
    build: String,
    pub bars: Vec<Bar>,
    #[serde(skip)]
    path: PathBuf,
}

/// One bar and what came of it.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Bar {
    /// Names it in notes.toml.
    pub key: String,
    pub work: String,
    /// The bar in words.
    pub bar: String,
    /// The bar as a number; nothing where the number is only told.
    pub limit: Option<f64>,
    /// The bar is a lower limit.
    pub at_least: bool,
    pub reached: Option<f64>,
    /// A ratio of processor times beside the one of wall times: other work on the machine hardly touches it.
    pub cpu: Option<f64>,
    /// Of `reached` and `limit`; nothing for ratios.
    pub unit: String,
    /// Why there is no number, or not of all sizes.
    pub failed: Option<String>,
    /// Last words of the program, where they matter.
    pub said: Vec<String>,
    pub lines: Vec<Line>,
}

/// One program's runs.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Line {
    pub name: String,
    /// Seconds, medians.
    pub wall: Option<f64>,
    pub cpu: Option<f64>,
    /// MiB, the most of any run.
    pub peak: Option<f64>,
}

impl Line {
    pub fn of(runs: &Runs) -> Self {
        let peak = runs.peak().map(|peak| peak as f64 / 1_048_576.0);
        Self { name: runs.name.clone(), wall: runs.wall(), cpu: runs.cpu(), peak }
    }
}

impl Bar {
    pub fn new(key: &str, work: &str, bar: &str, limit: f64) -> Self {
        Self { bar: bar.to_owned(), limit: Some(limit), ..Self::told(key, work) }
    }

    /// A number without a bar.
    pub fn told(key: &str, work: &str) -> Self {
        Self { key: key.to_owned(), work: work.to_owned(), ..Self::default() }
    }

    /// `None` where there is no bar.
    pub fn met(&self) -> Option<bool> {
        let limit = self.limit?;
        let reached = self.reached.filter(|_| self.failed.is_none());
        Some(reached.is_some_and(|reached| if self.at_least { reached >= limit } else { reached <= limit }))
    }

    /// What was reached, as the table shows it.
    pub fn outcome(&self) -> String {
        match (self.reached, &self.failed) {
            (None, Some(why)) => why.clone(),
            (None, None) => "not measured".to_owned(),
            (Some(reached), failed) => {
                let why = failed.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
                format!("{}{}{why}", digits(reached), self.unit)
            }
        }
    }
}

/// Three digits that count.
pub fn digits(number: f64) -> String {
    match number.abs() {
        size if size >= 100.0 => format!("{number:.0}"),
        size if size >= 10.0 => format!("{number:.1}"),
        _ => format!("{number:.2}"),
    }
}

impl Results {
    /// Those of this build; what another build reached is forgotten.
    pub fn load(path: &Path, build: &str) -> Self {
        let read = std::fs::read_to_string(path).ok().and_then(|text| toml::from_str::<Self>(&text).ok());
        let bars =
            read.filter(|results| results.build == build).map(|results| results.bars).unwrap_or_default();
        Self { build: build.to_owned(), bars, path: path.to_owned() }
    }

    /// Adds a bar, or replaces it.
    pub fn put(&mut self, bar: Bar) {
        match self.bars.iter_mut().find(|old| old.key == bar.key) {
            Some(old) => *old = bar,
            None => self.bars.push(bar),
        }
    }

    pub fn save(&self) -> Result<()> {
        Ok(std::fs::write(&self.path, toml::to_string(self)?)?)
    }
}
