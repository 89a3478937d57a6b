//! How frames and instants are written: as short as these captures allow.

use std::collections::HashMap;

use crate::pipeline::Analysis;
use crate::table::utc;
use crate::units::{CaptureTime, FrameRef};

/// Names of sources, and the day of everything.
#[derive(Debug)]
pub struct Names {
    /// By source: the end of its path that no other source's path has.
    sources: Vec<String>,
    /// The day that all frames are of, if it is one.
    day: Option<String>,
}

impl Names {
    pub fn of(last: &Analysis<'_>) -> Self {
        let paths: Vec<&str> = last.sources.iter().map(|source| source.name.as_str()).collect();
        let day = |time: CaptureTime| utc(time.0).chars().take(10).collect::<String>();
        let first = last.sources.iter().filter_map(|source| source.first).min().map(day);
        let end = last.sources.iter().filter_map(|source| source.last).max().map(day);
        Self { sources: tails(&paths), day: first.filter(|first| Some(first) == end.as_ref()) }
    }

    /// What a table says of its times.
    pub fn day(&self) -> String {
        self.day.as_ref().map_or_else(|| "times in UTC".to_owned(), |day| format!("times of {day}, UTC"))
    }

    /// An instant to the millisecond; without its day where there is one only.
    pub fn time(&self, time: CaptureTime) -> String {
        let text: String = utc(time.0).chars().take(23).collect();
        match (&self.day, text.split_once(' ')) {
            (Some(day), Some((own, time))) if own == day => time.to_owned(),
            _ => text,
        }
    }

    /// A source.
    pub fn source(&self, at: FrameRef) -> &str {
        self.sources.get(at.source.0 as usize).map_or("?", String::as_str)
    }

    /// The first frames of a list: `zaldua2.pcap #58, #72, zaldua1.pcap #99`.
    pub fn frames(&self, frames: impl Iterator<Item = FrameRef>, most: usize) -> String {
        let mut seen: Vec<FrameRef> = Vec::new();
        let mut text = String::new();
        for at in frames {
            if seen.contains(&at) {
                continue;
            }
            if seen.len() == most {
                return format!("{text}, …");
            }
            let comma = if seen.is_empty() { "" } else { ", " };
            let source = match seen.last() {
                Some(before) if before.source == at.source => String::new(),
                _ => format!("{} ", self.source(at)),
            };
            text = format!("{text}{comma}{source}#{}", at.number);
            seen.push(at);
        }
        text
    }
}

/// The shortest ends of paths, in whole names, that tell them apart. The interfaces of one file share its path.
fn tails(paths: &[&str]) -> Vec<String> {
    let tail = |path: &str, names: usize| -> String {
        let parts: Vec<&str> = path.split(['/', '\\']).collect();
        parts.get(parts.len().saturating_sub(names)..).unwrap_or_default().join("/")
    };
    let longest = paths.iter().map(|path| path.split(['/', '\\']).count()).max().unwrap_or(1);
    // How many different paths end so.
    let mut ends: HashMap<String, Vec<&str>> = HashMap::new();
    for path in paths {
        for names in 1..=longest {
            let paths = ends.entry(tail(path, names)).or_default();
            if !paths.contains(path) {
                paths.push(path);
            }
        }
    }
    let shortest = |path: &&str| {
        let tails = (1..=longest).map(|names| tail(path, names));
        let mut own = tails.filter(|tail| ends.get(tail).is_some_and(|paths| paths.len() == 1));
        own.next().unwrap_or_else(|| (*path).to_owned())
    };
    paths.iter().map(shortest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_as_short_as_they_can_be() {
        let paths = [
            "captures/a/z1.pcap",
            "captures/b/z1.pcap",
            "captures/b/z2.pcap",
            "z2.pcap",
            "z3.pcap",
            "z3.pcap",
        ];
        assert_eq!(tails(&paths), ["a/z1.pcap", "b/z1.pcap", "b/z2.pcap", "z2.pcap", "z3.pcap", "z3.pcap"]);
    }
}
