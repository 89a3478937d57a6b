//! Frames from interfaces, by libpcap: one thread for each, merged in time order.
//!
//! ```text
//! filter   which frames the kernel hands over
//! tap      an open interface, and the thread that reads it
//! block    what a thread read in some milliseconds
//! merge    the frames of all interfaces in time order, and what became of interfaces
//! ```
//!
//! A thread never waits for anybody: what the reader of the merged frames has not
//! taken waits in memory up to a bound, and beyond it frames are dropped, counted and told
//! ([`Loss`]), as are those that the kernel dropped.

mod block;
mod filter;
mod merge;
mod tap;
#[cfg(test)]
mod tests;

pub use block::{LiveFrame, Loss};
pub use filter::{GUESSED_PORTS, default_filter};
pub use merge::{Event, Live};
pub use tap::{Known, OpenError, Tap, interfaces, now};

use std::str::FromStr;

/// An interface to capture on: `[ZONE=]INTERFACE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// The broadcast domain: as the user named it, otherwise the interface's name.
    pub zone: String,
    /// The system's name for it.
    pub name: String,
}

impl FromStr for Interface {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (zone, name) = text.split_once('=').unwrap_or((text, text));
        if name.is_empty() || zone.is_empty() {
            return Err("an interface is given as INTERFACE or ZONE=INTERFACE");
        }
        Ok(Self { zone: zone.to_owned(), name: name.to_owned() })
    }
}

/// How to capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveOptions {
    /// libpcap's filter expression for the kernel.
    pub filter: String,
    /// Most bytes of a frame.
    pub snaplen: u32,
    /// The kernel's buffer for each interface, in MiB.
    pub buffer_mib: u32,
    /// Whether frames for others are wanted too.
    pub promiscuous: bool,
    /// Who stamps the frames.
    pub stamps: Stamps,
    /// Whether an interface that was made anew is opened anew, which needs the right to capture again.
    pub reopen: bool,
}

/// Who stamps the frames, by libpcap's names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stamps {
    /// The kernel.
    #[default]
    Host,
    /// The adapter, with a clock that follows the system's.
    Adapter,
    /// The adapter, with a clock of its own.
    AdapterUnsynced,
}
