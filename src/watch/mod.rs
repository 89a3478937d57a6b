//! What a capture that goes on tells, while it does: each exchange and finding once,
//! counters for machines, a view for people.
//!
//! ```text
//! told      what is new in what is settled and in what is not yet: exchanges, findings
//! lines     the same as text and as JSON, a line each
//! metrics   the same and the capture's own counters, for Prometheus
//! view      the servers, the clients and the reasons on a terminal
//! ```
//!
//! Nothing here decides anything or knows an interface. Time is capture time; [`Capturing`]
//! is what the capturing side says about itself.

pub mod lines;
pub mod metrics;
pub mod told;
pub mod view;

use std::path::PathBuf;

use crate::units::CaptureTime;

/// What the capturing side says about itself at an instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capturing {
    /// Everything captured before this instant was analysed.
    pub clock: CaptureTime,
    /// One for each interface.
    pub taps: Vec<TapState>,
    /// Bytes of frames that wait to be analysed, and how many may.
    pub backlog: (usize, usize),
    /// Things held in memory for the analysis, by name.
    pub held: Vec<(&'static str, usize)>,
    /// The file that is recorded to, its bytes, and why it cannot be written to at present.
    pub recording: Option<(PathBuf, u64, Option<String>)>,
    /// Frames that could not be recorded.
    pub unrecorded: u64,
    /// Lines for standard output that its reader was too slow for.
    pub lines_dropped: u64,
    /// What happened to interfaces, outputs and the clock, the latest last.
    pub notes: Vec<(CaptureTime, String)>,
}

/// The state of one interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TapState {
    /// Its name.
    pub interface: String,
    /// Its zone.
    pub zone: String,
    /// Whether it is captured on; otherwise it is down or gone.
    pub open: bool,
    /// Frames that arrived.
    pub frames: u64,
    /// DHCP messages among them.
    pub messages: u64,
    /// Segments of the control channel among them.
    pub control: u64,
    /// Frames that the kernel dropped.
    pub dropped_kernel: u64,
    /// Frames that found no room in our own memory.
    pub dropped_queue: u64,
}
