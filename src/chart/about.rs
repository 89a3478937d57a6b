//! What every chart says about the captures, and which server has which colour.

use super::axis::number;
use super::canvas::Stroke;
use super::theme::Theme;
use crate::pipeline::Analysis;
use crate::table::utc;
use crate::units::{CaptureTime, ServerId};

/// Zones that a subtitle names.
const MOST_ZONES: usize = 5;

/// The captures that a chart was made from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// The zones and the span, in one line.
    pub captures: String,
    /// The first and the last frame; absent without any.
    pub span: Option<(CaptureTime, CaptureTime)>,
    servers: Vec<String>,
}

impl About {
    /// From the last batch of an analysis.
    pub fn of(last: &Analysis<'_>) -> Self {
        let first = last.sources.iter().filter_map(|source| source.first).min();
        let span = first.zip(last.sources.iter().filter_map(|source| source.last).max());
        let mut zones: Vec<&str> = Vec::new();
        for source in &last.sources {
            if !zones.contains(&source.zone.as_str()) {
                zones.push(&source.zone);
            }
        }
        let files = last.sources.len();
        let more = zones.len().saturating_sub(MOST_ZONES);
        zones.truncate(MOST_ZONES);
        let mut captures = zones.join(", ");
        if more > 0 {
            captures = format!("{captures} and {more} more");
        }
        let count = if files == 1 { "1 capture".to_owned() } else { format!("{files} captures") };
        let captures = match span {
            Some((from, to)) => format!("{count} ({captures}), {}", between(from, to)),
            None => format!("{count} ({captures}) without a frame"),
        };
        let servers = last.network.machines.iter().map(|(_, machine)| machine.name.clone()).collect();
        Self { captures, span, servers }
    }

    /// An instant to the second, with its day where the captures span several.
    pub fn moment(&self, time: CaptureTime) -> String {
        let day = |time: CaptureTime| utc(time.0).chars().take(10).collect::<String>();
        let text = utc(time.0).chars().take(19).collect::<String>();
        match self.span {
            Some((from, to)) if day(from) == day(to) => text.chars().skip(11).collect(),
            _ => text,
        }
    }

    /// A server's name.
    pub fn server(&self, id: ServerId) -> &str {
        self.servers.get(id.0).map_or("?", String::as_str)
    }
}

/// `2026-11-22 14:04:33 to 14:05:12 UTC`.
fn between(from: CaptureTime, to: CaptureTime) -> String {
    let (from, to) = (utc(from.0), utc(to.0));
    let second = |text: &str| text.chars().take(19).collect::<String>();
    let (from, to) = (second(&from), second(&to));
    match (from.split_once(' '), to.split_once(' ')) {
        (Some((day, _)), Some((other, time))) if day == other => format!("{from} to {time} UTC"),
        _ => format!("{from} to {to} UTC"),
    }
}

/// The time of day of an instant, UTC, to a tenth of a second.
pub fn clock(time: CaptureTime) -> String {
    utc(time.0).chars().skip(11).take(10).collect()
}

/// `one lease`, `2 leases`.
pub fn counted(count: u64, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{} {many}", number(count as f64)) }
}

/// The line of a server: the same in every chart.
pub fn stroke(theme: Theme, server: ServerId, width: f64) -> Stroke {
    let (colour, dash) = theme.series(server.0);
    Stroke { colour, width, dash }
}
