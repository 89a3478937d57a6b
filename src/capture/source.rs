//! Sources: where frames came from, and what each gave.

use std::ops::Deref;
use std::path::Path;

use super::{Cut, LinkType, link_name};
use crate::units::{CaptureTime, SourceId};

/// One capture file, or one interface of a pcapng file with several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The source's own index, as frames carry it.
    pub id: SourceId,
    /// The path as the user gave it; `-` for standard input.
    pub name: String,
    /// The zone: the user's name for it; else the one that a recording of this
    /// program names; else, for a file with one interface,
    /// the file's stem; else the interface's name, or `stem#N` for a nameless
    /// interface, where N is its position in its section. A Windows device
    /// name gives way to the interface's description.
    pub zone: String,
    /// `pcap`, `pcap-ns`, `pcap-modified`, `pcapng` or `snoop`, followed by
    /// `+gzip` or `+zstd` when it was compressed.
    pub format: String,
    /// How its frames begin.
    pub link: LinkType,
    /// The interface's name in a pcapng file; absent where the file names none.
    pub interface: Option<String>,
    /// Most bytes that were kept of a frame; absent when there was no limit.
    pub snaplen: Option<u32>,
    /// Earliest instant of a frame; absent while there is none with a time.
    pub first: Option<CaptureTime>,
    /// Latest instant of a frame; absent while there is none with a time.
    pub last: Option<CaptureTime>,
    /// Frames given so far.
    pub frames: u64,
    /// Frames without a time of their own (pcapng Simple Packet Blocks), which
    /// were given the time of the frame before them in the file.
    pub untimed: u64,
    /// Frames with an earlier time than the frame before them in the file.
    pub unordered: u64,
    /// Frames that the capturing system dropped, where the file tells (pcapng
    /// interface statistics, snoop); absent otherwise.
    pub dropped_kernel: Option<u64>,
    /// Where the file stopped being readable; absent for a whole file.
    pub cut: Option<Cut>,
}

impl Source {
    /// Counts a frame that was captured at an instant, `previous` being that of the frame before in the same file.
    pub(crate) fn count(&mut self, time: CaptureTime, previous: Option<CaptureTime>) {
        self.frames += 1;
        self.unordered += u64::from(previous.is_some_and(|previous| time < previous));
        self.first = Some(self.first.map_or(time, |first| first.min(time)));
        self.last = Some(self.last.map_or(time, |last| last.max(time)));
    }

    /// The link type's usual name, or `LINKTYPE_` and its number.
    pub fn link_name(&self) -> String {
        link_name(self.link).map_or_else(|| format!("LINKTYPE_{}", self.link.0), str::to_owned)
    }
}

/// All sources of a reader, in the order in which they were found: those that
/// an input declares before its first frame come in the order of the inputs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources(pub(super) Vec<Source>);

impl Sources {
    /// The source of that index.
    pub fn of(&self, id: SourceId) -> Option<&Source> {
        self.0.get(id.0 as usize)
    }

    /// Adds a source, which gets the next number.
    pub(crate) fn add(&mut self, source: Source) -> SourceId {
        let id = SourceId(self.0.len() as u32);
        self.0.push(Source { id, ..source });
        id
    }

    pub(crate) fn of_mut(&mut self, id: SourceId) -> Option<&mut Source> {
        self.0.get_mut(id.0 as usize)
    }
}

impl Deref for Sources {
    type Target = [Source];

    fn deref(&self) -> &[Source] {
        &self.0
    }
}

/// The file's name without its compression and capture suffixes: `z1.pcap.gz`
/// is `z1`. Standard input is `-`.
pub(super) fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let strip = |name: &str, suffixes: &[&str]| -> String {
        for suffix in suffixes {
            let Some(at) = name.len().checked_sub(suffix.len()) else { continue };
            let tail = name.get(at..).is_some_and(|tail| tail.eq_ignore_ascii_case(suffix));
            if let (true, Some(head)) = (tail && at > 0, name.get(..at)) {
                return head.to_owned();
            }
        }
        name.to_owned()
    };
    let name = strip(&name, &[".gz", ".zst"]);
    strip(&name, &[".pcapng", ".pcap", ".cap", ".dmp", ".ntar", ".snoop"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stems_lose_only_the_suffixes_of_captures() {
        for (path, expected) in [
            ("a/zaldua1.pcap", "zaldua1"),
            ("zaldua1.PCAPNG.gz", "zaldua1"),
            ("z.cap.zst", "z"),
            ("z.dmp", "z"),
            ("lab.zone2.pcap", "lab.zone2"),
            ("plain", "plain"),
            (".pcap", ".pcap"),
            ("-", "-"),
            ("größe.pcap", "größe"),
        ] {
            assert_eq!(stem(Path::new(path)), expected, "{path}");
        }
    }
}
