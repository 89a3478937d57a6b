//! Frames in: capture files and streams, merged in time order.
//!
//! [`Reader`] opens any number of inputs (pcap, pcapng, snoop; plain, gzip or
//! zstd; files, pipes, standard input) and lends their frames one by one in
//! time order. What each input was is a [`Source`]; what was wrong with one is
//! a [`Trouble`], which never stops the others.
//!
//! ```text
//! compress   the file's bytes, decompressed, counted for the progress
//! beside     a decompressor on a thread of its own
//! window     blocks of 512 KiB in one buffer; frames are borrowed from it
//! identify   which format, or what the file looks like instead
//! pcap, pcapng, snoop   records to packets
//! file       one input: its sources, its next frame, its end
//! reader     the merge of all inputs
//! live       interfaces instead of files (feature `live`)
//! recorder   frames out, to a file or a ring of them
//! ```
//!
//! Every length in a file is checked before it is used: no file can make the
//! reader hold more than a block of 512 KiB (and 128 MiB where zstd asks for such
//! a window). A file that is cut or damaged gives every frame before that point.

#![warn(clippy::indexing_slicing)]

mod beside;
pub(crate) mod compress;
mod file;
mod identify;
mod link_type;
#[cfg(feature = "live")]
pub mod live;
mod pcap;
mod pcapng;
mod reader;
mod record;
#[cfg(feature = "live")]
pub mod recorder;
mod snoop;
mod source;
mod timestamp;
mod trouble;
mod window;

pub use link_type::link_name;
pub use reader::{Progress, Reader};
pub use source::{Source, Sources};
pub use trouble::{Cut, CutKind, Trouble, TroubleKind};

use std::path::PathBuf;
use std::str::FromStr;

use crate::units::{CaptureTime, FrameRef};

/// A link-layer header type, by its LINKTYPE_ number as in pcap and pcapng files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkType(pub u16);

/// One captured frame, borrowed from the reader until the next is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// When it was captured.
    pub time: CaptureTime,
    /// Where it is found again.
    pub at: FrameRef,
    /// How `data` begins.
    pub link: LinkType,
    /// Bytes the frame had on the wire; more than `data.len()` when a snap length cut it.
    pub original_len: u32,
    /// The captured bytes.
    pub data: &'a [u8],
}

/// One capture on the command line: `[ZONE=]PATH`, where `-` is standard input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// The zone that the user named; otherwise the file's stem, or the interface's name.
    pub zone: Option<String>,
    /// The file, or `-`.
    pub path: PathBuf,
}

impl FromStr for Input {
    type Err = std::convert::Infallible;

    /// A `=` separates a zone only where a path could not be meant: `a=b.pcap`
    /// is zone `a` unless a file of exactly that name exists.
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Ok(match s.split_once('=') {
            Some((zone, path))
                if !zone.is_empty() && !zone.contains('/') && !std::path::Path::new(s).exists() =>
            {
                Self { zone: Some(zone.to_owned()), path: path.into() }
            }
            _ => Self { zone: None, path: s.into() },
        })
    }
}
